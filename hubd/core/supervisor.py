"""Keeps one driver instance alive: runs it, turns its end into health, waits with full jitter, runs it again."""

import asyncio
import logging
import random
from collections.abc import Callable, Mapping
from datetime import timedelta, tzinfo
from pathlib import Path
from typing import Protocol

from hubd.core.health import InstanceHealth
from hubd.driver.clock import Clock
from hubd.driver.protocol import Driver, DriverError, Manifest, Secrets
from hubd.model.access import HeldKind, Noted
from hubd.model.device import DeviceDescription
from hubd.model.errors import HubError
from hubd.model.seen import Seen

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0


def is_cancelled() -> bool:
    """Whether somebody cancelled the running task; else a `CancelledError` in it comes from what it awaited."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _first(error: Exception) -> Exception:
    """Return the first error of a task group, a defect before anything else; any other error as it is."""
    if not isinstance(error, ExceptionGroup):
        return error
    _, defects = error.split(HubError)
    return _first((error if defects is None else defects).exceptions[0])


class Door(Protocol):
    """The hub's door for facts, as a port uses it."""

    async def found(self, instance: str, description: DeviceDescription, seen: tuple[Seen, ...]) -> str:
        """Take in a device."""
        ...

    async def removed(self, instance: str, native_id: str, reason: str) -> None:
        """Take in a removal."""
        ...

    async def missing(self, instance: str, native_ids: tuple[str, ...]) -> None:
        """Take in what a complete scan did not find."""
        ...

    async def publish(self, instance: str, seen: tuple[Seen, ...]) -> None:
        """Take in readings."""
        ...

    async def note(self, instance: str, noted: tuple[Noted, ...], bookmark: str | None) -> None:
        """Take in what an access control system holds and told."""
        ...

    def bookmark(self, instance: str) -> str | None:
        """Return how far an instance has read what it reads once."""
        ...

    def held(self, instance: str, kind: HeldKind) -> frozenset[str]:
        """Return the native ids of the people, groups or zones that an instance has told of."""
        ...

    def known(self, instance: str) -> Mapping[str, DeviceDescription]:
        """Return the present devices of an instance."""
        ...

    def storage(self, instance: str) -> Path:
        """Return the directory of an instance."""
        ...

    @property
    def zone(self) -> tzinfo:
        """The time zone of the site."""
        ...

    @property
    def is_time_trusted(self) -> bool:
        """Whether the time is relied on."""
        ...


class _Port:
    """One life's `driver.Port`. After that life it is closed: a straggler's words about health are ignored."""

    def __init__(self, supervisor: "Supervisor", door: Door, clock: Clock, secrets: Secrets) -> None:
        self.instance = supervisor.instance
        self.clock = clock
        self.log = supervisor.log
        self.secrets = secrets
        self.storage = door.storage(supervisor.instance)
        self.is_open = True
        self._supervisor = supervisor
        self._door = door

    @property
    def known(self) -> Mapping[str, DeviceDescription]:
        return self._door.known(self.instance)

    @property
    def zone(self) -> tzinfo:
        return self._door.zone

    @property
    def is_time_trusted(self) -> bool:
        return self._door.is_time_trusted

    def ready(self) -> None:
        if self.is_open:
            self._supervisor.connected()

    def hop_lost(self, error: DriverError) -> None:
        if self.is_open:
            self._supervisor.hop_lost(error)

    def hop_back(self, hop: str) -> None:
        if self.is_open:
            self._supervisor.hop_back(hop)

    async def found(self, description: DeviceDescription, *seen: Seen) -> str:
        return await self._door.found(self.instance, description, seen)

    async def removed(self, native_id: str, reason: str) -> None:
        await self._door.removed(self.instance, native_id, reason)

    async def missing(self, *native_ids: str) -> None:
        if self.is_open:
            await self._door.missing(self.instance, native_ids)

    @property
    def bookmark(self) -> str | None:
        return self._door.bookmark(self.instance)

    def held(self, kind: HeldKind) -> frozenset[str]:
        return self._door.held(self.instance, kind)

    async def note(self, *noted: Noted, bookmark: str | None = None) -> None:
        if not self.is_open:  # its bookmark would set back that of the next life
            hop = self._supervisor.manifest.hops[0]
            raise DriverError(hop, "life_over", "The connection that this was read from is over; nothing was kept.")
        await self._door.note(self.instance, noted, bookmark)

    def caution(self, code: str, message: str | None, remedy: str = "") -> None:
        if self.is_open:
            self._supervisor.health.warn(code, message, remedy)

    def waiting(self, key: str, name: str, reason: str | None) -> None:
        if self.is_open:
            self._supervisor.health.wait_on(key, name, reason)

    async def publish(self, *seen: Seen) -> None:
        await self._door.publish(self.instance, seen)


class Supervisor:
    """Owner of one driver instance."""

    def __init__(
        self, instance: str, manifest: Manifest, driver: Driver, clock: Clock, changed: Callable[[], None]
    ) -> None:
        """`changed` is called whenever the health changed."""
        self.instance = instance
        self.manifest = manifest
        self.driver = driver
        self.health = InstanceHealth(instance, manifest, clock)
        self.log = logging.getLogger(f"hubd.driver.{instance}")
        self._clock = clock
        self._changed = changed

    async def run(self, door: Door, secrets: Secrets) -> None:
        """Live until cancelled."""
        await asyncio.to_thread(door.storage(self.instance).mkdir, mode=0o700, parents=True, exist_ok=True)
        while True:
            self.health.next_try_at = None
            port = _Port(self, door, self._clock, secrets)
            try:
                error = await self._live(port)
            finally:
                port.is_open = False
            self.health.attempts += 1
            self.lost(error)
            del error  # it holds the frames of the life that is over
            await self._pause()

    def connected(self) -> None:
        """The link works."""
        self.health.connected()
        self._changed()

    def hop_lost(self, error: DriverError) -> None:
        """A hop behind the link is gone."""
        self.health.hop_lost(error)
        self._changed()

    def hop_back(self, hop: str) -> None:
        """Such a hop works again."""
        self.health.hop_back(hop)
        self._changed()

    def lost(self, error: DriverError) -> None:
        """The link is gone."""
        self.health.lost(error)
        self._changed()

    async def _live(self, port: _Port) -> DriverError:
        try:
            await self.driver.run(port)
        except asyncio.CancelledError:
            if is_cancelled():
                raise
            return DriverError(
                self.manifest.hops[0], "link_closed", "The driver's connection was cancelled from inside."
            )
        except Exception as error:  # noqa: BLE001 - logged in `_explain`, as what it is
            return self._explain(error)
        return DriverError(self.manifest.hops[0], "link_closed", "The driver ended its connection.")

    def _explain(self, error: Exception) -> DriverError:
        first = _first(error)
        if isinstance(first, DriverError):
            self.log.warning("%s lost: %s (%s)", first.hop, first.message, first.code)
            return first
        nearest = self.manifest.hops[0]
        if isinstance(first, HubError):
            self.log.warning("stopped: %s (%s)", first.message, first.code)
            return DriverError(nearest, first.code, f"The hub could not take in what the driver saw: {first.message}")
        self.log.error("the driver failed by a defect of its own", exc_info=error)
        message = f"The driver stopped by a defect of its own ({type(first).__name__}); the log has the details."
        return DriverError(nearest, "driver_defect", message, "Report it with the log; it is started again by itself.")

    async def _pause(self) -> None:
        ceiling = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(10, max(0, self.health.attempts - 1)))
        pause = random.uniform(0.0, ceiling)  # noqa: S311 - jitter, not a secret
        self.health.next_try_at = self._clock.now() + timedelta(seconds=pause)
        await self._clock.sleep(pause)
