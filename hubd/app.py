"""The composition root: opens the store, wires the rooms, starts what runs, and stops it in the right order."""

import asyncio
import gc
import logging
import ssl
import sys
from collections.abc import Callable
from datetime import timedelta

from hubd import __version__
from hubd.api import code_attempts
from hubd.api.delivery import Delivery
from hubd.api.idempotency import LIFE
from hubd.api.router import Router
from hubd.box import Box
from hubd.config import Config
from hubd.core.climate import attempts
from hubd.core.climate.recorder import Recorder
from hubd.core.codes.story import prune
from hubd.core.hub import Hub, Instance, Site
from hubd.core.keys import Keys
from hubd.core.message import Request, Response
from hubd.core.policy import Policy
from hubd.core.sense import Sense
from hubd.core.sources import KernelSources, Sources
from hubd.driver.clock import Clock, SystemClock
from hubd.driver.files import write_new
from hubd.model.errors import HubError, StoreError
from hubd.notify import notify, watchdog_seconds
from hubd.server import HostCheck, Server
from hubd.store.database import Database
from hubd.store.journal import Journal
from hubd.store.records import micros
from hubd.web.pages import Pages

LOG = logging.getLogger(__name__)

DRAIN_SECONDS = 5.0
FLUSH_SECONDS = 15.0
CLEAN_EVERY = 240
"""Flushes between two rounds of housekeeping: an hour."""


class Running:
    """What a started daemon offers to those who started it."""

    def __init__(self, hub: Hub, keys: Keys, server: Server, stop: asyncio.Event) -> None:
        self.hub = hub
        self.keys = keys
        self.server = server
        self._stop = stop

    def stop(self) -> None:
        """Ask for an orderly end."""
        self._stop.set()


async def serve(
    config: Config,
    box: Box,
    *,
    tls: ssl.SSLContext | None = None,
    clock: Clock | None = None,
    sources: Sources | None = None,
    on_ready: Callable[[Running], None] = lambda _: None,
) -> None:
    """Run the daemon until `Running.stop`. Raises `HubError` when it cannot start.

    A `clock` that is given is believed, unless `sources` say how good it is.
    """
    if clock is None and sources is None and sys.platform == "linux":
        sources = KernelSources()
    if config.hub.trust_clock == "always":
        sources = None
    try:
        await _open(config, box, tls, clock or SystemClock(), sources, on_ready)
    except ExceptionGroup as group:
        problems, defects = group.split(HubError)
        if problems is None or defects is not None:
            raise
        problem = _first(problems)
        raise problem from problem.__cause__


def _first(group: BaseExceptionGroup[Exception]) -> Exception:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


async def _open(
    config: Config,
    box: Box,
    tls: ssl.SSLContext | None,
    clock: Clock,
    sources: Sources | None,
    on_ready: Callable[[Running], None],
) -> None:
    database = await Database.open(box.database)
    try:
        journal = Journal(database, clock)
        await journal.load()
        async with asyncio.TaskGroup() as group:
            writer = group.create_task(journal.run(), name="journal")
            try:
                sense = Sense(journal, clock, sources)
                await sense.open()
                await _serve(config, box, journal, clock, sense, tls, on_ready)
                await _last_flush(journal)
            finally:
                writer.cancel()
    finally:
        await database.close()


async def _last_flush(journal: Journal) -> None:
    try:
        await journal.flush()
    except StoreError as error:
        LOG.warning("the last readings are not on the disk: %s", error.message)


class _StopError(Exception):
    """Ends the task group of everything that the daemon runs."""


async def _end() -> None:
    raise _StopError


async def _serve(
    config: Config,
    box: Box,
    journal: Journal,
    clock: Clock,
    sense: Sense,
    tls: ssl.SSLContext | None,
    on_ready: Callable[[Running], None],
) -> None:
    stop = asyncio.Event()
    try:
        async with asyncio.TaskGroup() as group:
            hub = Hub(_site(config, box), journal, clock, group, sense)
            keys = Keys(journal)
            await keys.load()
            await _owner_key(box, keys)
            await hub.start()
            group.create_task(sense.run(), name="clock")
            recorder = Recorder(journal, clock, sense, hub.is_reachable)
            group.create_task(recorder.run(), name="climate-history")
            for table in config.drivers:
                filters = table.filters
                kinds = table.manifest.kinds if filters.include_kinds is None else filters.include_kinds
                policy = Policy(kinds, filters.exclude_kinds, filters.include_ids, filters.exclude_ids)
                driver = table.manifest.create(table.config)
                hub.add(Instance(table.id, table.manifest, driver, policy, table.config))
            server = _server(config, hub, keys, tls)
            await server.start(config.http.host, config.http.port)
            try:
                group.create_task(Delivery(hub).run(), name="webhooks")
                group.create_task(_housekeeping(config, hub, recorder), name="housekeeping")
                group.create_task(_watchdog(hub), name="watchdog")
                gc.freeze()
                notify("READY=1")
                on_ready(Running(hub, keys, server, stop))
                await stop.wait()
                notify("STOPPING=1")
                await hub.drain(DRAIN_SECONDS)
            finally:
                await server.stop()
            group.create_task(_end(), name="end")
    except* _StopError:
        LOG.info("stopped")


def _site(config: Config, box: Box) -> Site:
    return Site(
        box.hub_id,
        config.hub.name,
        config.hub.time_zone,
        __version__,
        box.sealer,
        box.storage,
        removal_seconds=config.hub.removal_minutes * 60,
        battery_report_hours=config.hub.battery_report_hours,
        code_sweep_hours=config.hub.code_sweep_hours,
        grace_seconds=config.hub.offline_grace_seconds,
        flaky_seconds=config.hub.flaky_window_seconds,
    )


def _server(config: Config, hub: Hub, keys: Keys, tls: ssl.SSLContext | None) -> Server:
    router = Router(hub, keys, requests_per_second=config.http.requests_per_second)
    pages = Pages(hub, keys)

    async def handle(request: Request) -> Response:
        if pages.owns(request.path):
            return await pages.handle(request)
        return await router.handle(request)

    return Server(handle, HostCheck((*config.http.allowed_hosts, config.http.host)), tls)


async def _owner_key(box: Box, keys: Keys) -> None:
    """Make the owner's key on first start. Where its file was lost but the key lives, nothing is made up."""
    if any(key.role == "owner" and key.revoked_at is None for key in keys.list()):
        return

    async def deliver(token: str) -> None:
        try:
            await asyncio.to_thread(write_new, box.owner_key, token + "\n")
        except OSError as error:
            raise HubError("owner_key_unwritable", f"{box.owner_key} cannot be written: {error.strerror}") from error

    await keys.create("owner", "owner", "first start", deliver=deliver)


async def _housekeeping(config: Config, hub: Hub, recorder: Recorder) -> None:
    rounds = 0
    while True:
        await hub.clock.sleep(FLUSH_SECONDS)
        try:
            await hub.journal.flush()
            if rounds % CLEAN_EVERY == 0:
                await _clean(config, hub, recorder)
            rounds += 1
        except StoreError as error:
            LOG.warning("housekeeping: %s", error.message)


async def _clean(config: Config, hub: Hub, recorder: Recorder) -> None:
    """Drop what is old; nothing by a clock that may be wrong."""
    instant = hub.sense.now()
    if not instant.is_trusted:
        return
    now = instant.at
    await hub.journal.cut(now - timedelta(days=config.hub.journal_days))
    await hub.journal.transact(
        lambda view: view.execute("DELETE FROM idempotency WHERE created_at < ?", micros(now - LIFE))
    )
    await hub.journal.transact(prune)
    await hub.journal.transact(code_attempts.prune)
    await hub.journal.transact(attempts.prune)
    await hub.journal.transact(hub.thermostats.prune)
    await hub.journal.transact(lambda view: recorder.prune(view, config.hub.climate_days))


async def _watchdog(hub: Hub) -> None:
    """Tell systemd that loop and database writer live; says nothing when the writer does not answer."""
    period = watchdog_seconds()
    if period is None:
        return
    while True:
        try:
            async with asyncio.timeout(period / 2):
                await hub.journal.database.transact(
                    [("INSERT OR REPLACE INTO meta(name, value) VALUES(?, ?)", [("alive", b"1")])]
                )
            notify("WATCHDOG=1")
        except TimeoutError:
            LOG.critical("the database writer did not answer for %.0f s", period / 2)
        except StoreError as error:
            notify("WATCHDOG=1")  # a full disk is not mended by a restart
            LOG.warning("watchdog: %s", error.message)
        await hub.clock.sleep(period / 3)
