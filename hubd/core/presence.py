"""Tells who is lost and who is back: a loss that outlasts the grace period is an event, a shorter one is none.

What is shown follows at once (`InstanceHealth`, `DeviceState.online`); only the journal waits. That a loss is not told
yet is durable (`InstanceRecord.untold_loss`, `DeviceRecord.untold_since`), so that a restart goes on with the grace
from the recorded time. Within a life the grace runs on the monotonic clock: a step of the wall clock moves nothing.
"""

import asyncio
import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple

from msgspec.structs import replace

from hubd.core.health import InstanceHealth
from hubd.core.silence import FLAKY_SECONDS, NO_ANSWER, Silence, tell
from hubd.driver.clock import Clock
from hubd.model.errors import StoreError
from hubd.model.event import HopBack, HopLost
from hubd.store.journal import Journal
from hubd.store.records import InstanceRecord, Loss
from hubd.store.tables import View

LOG = logging.getLogger(__name__)

RETRY_SECONDS: Final = 5.0
SETTLE_SECONDS: Final = 10.0
"""After a restart of the hub, devices get as long to be heard, however long ago they fell silent: a network that was
started with it (a box after a power cut) has yet to ask them."""


class _Link:
    """What is remembered of an instance. Times are monotonic."""

    def __init__(self, health: InstanceHealth, began: float | None) -> None:
        self.health = health
        self.began = began
        """When the way to its devices was lost; kept until its return is recorded."""
        self.patience = 0.0
        """Until then, no device's silence is told."""
        self._is_up = False
        self._was_lost = False

    def note(self, now: float, grace: float) -> None:
        """Take in how the health is. Silence behind a lost hop proves nothing: the grace of devices begins anew."""
        if self.health.lost_since is not None:
            self._is_up, self._was_lost = False, True
            self.began = self.health.lost_since.monotonic if self.began is None else self.began
        elif self.health.is_connected and not self._is_up:
            self._is_up = True
            self.patience = now + (grace if self._was_lost else min(grace, SETTLE_SECONDS))


class _Quiet(NamedTuple):
    """A device whose silence is not told yet: since when, as recorded, and on the monotonic clock."""

    since: datetime
    began: float


class Presence:
    """One task for all instances and devices. Decides within transactions, on what is durable."""

    def __init__(
        self, journal: Journal, clock: Clock, *, grace_seconds: float = 0.0, flaky_seconds: float = FLAKY_SECONDS
    ) -> None:
        self.flaky_seconds = flaky_seconds
        self._journal = journal
        self._clock = clock
        self._grace = grace_seconds
        self._links: dict[str, _Link] = {}
        self._quiet: dict[str, _Quiet] = {}
        self._woken = asyncio.Event()
        self._is_stale = True
        """Whether some health changed since the last round."""

    def attach(self, health: InstanceHealth) -> None:
        """Take on a driver instance where its record left off. Before its driver runs."""
        record = self._journal.tables.instances.get(health.instance)
        since = None
        if record is not None and record.untold_loss is not None:
            since = record.untold_loss.since
        elif record is not None and _is_told(record):
            since = record.since
        self._links[health.instance] = _Link(health, None if since is None else self._begin(since))

    def changed(self) -> None:
        """Look again: the health of an instance changed."""
        self._is_stale = True
        self._woken.set()

    def silence(self, instance: str) -> Silence:
        """Return how a device of an instance that stops answering now is told."""
        link = self._links.get(instance)
        is_lost = link is not None and link.health.lost_since is not None
        return Silence(is_told_at_once=self._grace <= 0 and not is_lost, flaky_seconds=self.flaky_seconds)

    def look_at(self, device_ids: Iterable[str]) -> None:
        """Watch those of the devices whose silence is not told yet."""
        for device_id in device_ids:
            record = self._journal.tables.devices.get(device_id)
            if record is None or record.untold_since is None:
                self._quiet.pop(device_id, None)
                continue
            known = self._quiet.get(device_id)
            if known is None or known.since != record.untold_since:
                self._quiet[device_id] = _Quiet(record.untold_since, self._begin(record.untold_since))
                self._woken.set()

    async def run(self) -> None:
        """Live until cancelled."""
        while True:
            await self._wait()
            self._woken.clear()
            is_stale, self._is_stale = self._is_stale, False
            try:
                await self._round(is_stale=is_stale)
            except StoreError as error:
                LOG.warning("who is lost or back is not recorded: %s", error.message)
                self.changed()
                await self._clock.sleep(RETRY_SECONDS)

    # -- when --------------------------------------------------------------------------------------------------------

    def _begin(self, since: datetime) -> float:
        """Return the monotonic time of a recorded one, which may be of another life or of a clock that was wrong."""
        return self._clock.monotonic() - max(0.0, (self._clock.now() - since).total_seconds())

    async def _wait(self) -> None:
        due = self._next_due()
        if due is None:
            await self._woken.wait()
            return
        try:
            async with self._clock.timeout(due - self._clock.monotonic()):
                await self._woken.wait()
        except TimeoutError:
            pass

    def _next_due(self) -> float | None:
        times = [self._link_due(link) for link in self._links.values()]
        times += [self._device_due(device_id) for device_id in self._quiet]
        return min((time for time in times if time is not None), default=None)

    def _link_due(self, link: _Link) -> float | None:
        """Return when the loss of an instance is to be told; None if there is none, or if it was told."""
        record = self._journal.tables.instances.get(link.health.instance)
        is_untold = record is not None and record.untold_loss is not None and not _is_told(record)
        if link.began is None or link.health.lost_since is None or not is_untold:
            return None
        return link.began + self._grace

    def _device_due(self, device_id: str) -> float | None:
        """Return when the silence of a device is to be told; None while a hop before it does not work."""
        record = self._journal.tables.devices.get(device_id)
        link = None if record is None else self._links.get(record.device.instance)
        if link is None or not link.health.is_connected:
            return None
        return max(self._quiet[device_id].began + self._grace, link.patience)

    # -- what --------------------------------------------------------------------------------------------------------

    async def _round(self, *, is_stale: bool) -> None:
        now = self._clock.monotonic()
        for link in self._links.values():
            link.note(now, self._grace)
        if is_stale:
            self.look_at(self._journal.tables.devices)
        due = [device_id for device_id in self._quiet if _is_past(self._device_due(device_id), now)]
        if is_stale or due or any(_is_past(self._link_due(link), now) for link in self._links.values()):
            await self._journal.transact(lambda view: self._decide(view, due))
            self.look_at(due)
        for link in self._links.values():
            record = self._journal.tables.instances.get(link.health.instance)
            if link.health.is_connected and record is not None and record.is_connected:
                link.began = None

    def _decide(self, view: View, due: list[str]) -> None:
        for link in self._links.values():
            self._judge(view, link)
        for device_id in due:
            record = view.device(device_id)
            if record is None or record.untold_since is None:
                continue
            if self._links[record.device.instance].health.is_connected:
                tell(view, record, record.state.offline_reason or NO_ANSWER, self.flaky_seconds)

    def _judge(self, view: View, link: _Link) -> None:
        health, known = link.health, view.instance(link.health.instance)
        if health.is_connected:
            self._back(view, link, known)
        elif known is not None and _is_told(known):
            error = health.error
            if error is not None and (known.hop, known.code) != (error.hop, error.code):
                event = HopLost(hop=error.hop, code=error.code, reason=error.message, since=known.since)
                view.emit(event, instance=health.instance)
        elif health.lost_since is not None:
            self._lost(view, link, known)

    def _back(self, view: View, link: _Link, known: InstanceRecord | None) -> None:
        instance = link.health.instance
        if known is None or not known.is_connected:
            away = None
            if known is not None and _is_told(known):
                began = self._begin(known.since) if link.began is None else link.began
                away = self._clock.monotonic() - began
            public = f"{_public_of(link.health)}.connected"
            view.emit(HopBack(away_seconds=away), public=public, instance=instance)
        elif known.untold_loss is not None:
            view.put_instance(replace(known, untold_loss=None))

    def _lost(self, view: View, link: _Link, known: InstanceRecord | None) -> None:
        """Tell a loss, or note it until the grace is over."""
        health = link.health
        loss = None if known is None else known.untold_loss
        if health.error is not None and health.lost_since is not None:
            since = health.lost_since.at if loss is None else loss.since
            loss = Loss(health.error.hop, health.error.code, health.error.message, since)
        if loss is None:
            return
        if self._grace <= 0 or (link.began is not None and self._clock.monotonic() >= link.began + self._grace):
            event = HopLost(hop=loss.hop, code=loss.code, reason=loss.reason, since=loss.since)
            public = f"{_public_of(health)}.disconnected"
            view.emit(event, public=public, instance=health.instance, occurred_at=loss.since)
        elif known is None or known.untold_loss != loss:
            record = known or InstanceRecord(health.instance, view.now)
            view.put_instance(replace(record, untold_loss=loss))


def _public_of(health: InstanceHealth) -> str:
    """Return what Seam calls what an instance is; one row is served under one type."""
    return "connected_account" if health.manifest.access_system is None else "acs_system"


def _is_past(due: float | None, now: float) -> bool:
    return due is not None and due <= now


def _is_told(record: InstanceRecord) -> bool:
    """Whether the loss stands in the journal; a record that was made before the first connection is none."""
    return not record.is_connected and record.hop is not None
