"""What time it is, and whether that may be relied on.

Two rules pull against each other: no PIN on a lock outside its window, and no wished code missing for long. So the hub
counts time by itself (its last proven time, carried on by the monotonic clock, over restarts of the same boot too), and
holds the wall clock against that count:

- **Proof** is a time server (whatever the clock showed before), a hardware clock that outlived the power cut, a person,
  or the first start of all, at which a technician stands by. It holds until the next boot; a restart of hubd keeps it.
- **After a boot without proof** the last recorded time is a lower bound. Ends that are due by it, or by the wall clock
  where that is ahead, happen; starts wait. A wall clock more than a year ahead of the bound is believed in nothing.
- **A hardware clock** proves nothing when it, or the wall clock, is behind the bound: it stopped, or lost its time.
- **A step while running** of more than the tolerance that no time server stands behind is in doubt. Ends go by the
  hub's own count (it was right a moment ago; a slip of the hand must not empty every lock), starts wait. A step that is
  taken back is forgotten. One *back* counts only by the word of a time server or a person, however long it stands, for
  it would give ended codes new life. One *forward* counts after ten minutes: a machine that slept and a time server
  whose word comes late are right, and a slip has been noticed by then.
- **A step within the tolerance** is followed forward, and waited out backward: the hub's time stands still meanwhile,
  so that nothing begins or ends twice.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from hubd.core.doubt import PLAUSIBLE, TOLERANCE, Doubt, span, stepped, unproven
from hubd.core.health import Moment
from hubd.core.sources import Sources
from hubd.driver.clock import Clock
from hubd.model.errors import RefusedError, StoreError
from hubd.store.journal import Journal
from hubd.store.records import moment

LOG = logging.getLogger(__name__)

MADE: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""No hub ever ran before: a clock that shows less was never set."""
STEP_SECONDS: Final = 2.0
"""Wall clock and monotonic clock are disciplined alike; by more than this they part only when the clock is set."""
LOOK_SECONDS: Final = 5.0
ACCEPT_SECONDS: Final = 600.0
SAVE_SECONDS: Final = 60.0
READ_SECONDS: Final = 5.0
"""How long the start waits for files of the machine."""

_READ: Final = "SELECT value FROM meta WHERE name = 'clock'"
_WRITE: Final = "INSERT OR REPLACE INTO meta(name, value) VALUES('clock', ?)"
_LAST: Final = "SELECT created_at FROM journal ORDER BY seq DESC LIMIT 1"


class Instant(msgspec.Struct, frozen=True):
    """A look at the clock. What ends by `at` is due; what begins by it is due only if it `is_trusted`."""

    at: datetime
    is_trusted: bool


class _Kept(msgspec.Struct, frozen=True):
    """What is on the disk: the hub's own count of time, and at which monotonic time of which boot."""

    boot_id: str
    at: datetime
    monotonic: float
    is_proven: bool


def _nothing() -> None:
    """Stand in until somebody wants to know."""


class Sense:
    """Made by the composition root: `open`, then `run`. Without sources the clock is believed as it stands."""

    def __init__(self, journal: Journal, clock: Clock, sources: Sources | None = None) -> None:
        self.changed: Callable[[], None] = _nothing
        """Called when the clock was set, and when trust came or went: what is planned by time is to be planned anew."""
        self._journal = journal
        self._clock = clock
        self._sources = sources
        self._boot_id = ""
        self._anchor = Moment(clock.now(), clock.monotonic())
        self._latest = self._anchor.at
        self._is_proven = sources is None
        self._is_synchronised = False
        self._was_synchronised = False
        self._rtcs: tuple[datetime, ...] = ()
        self._offset = self._apart()
        self._set_at = self._anchor.monotonic
        self._was_trusted: bool | None = None if sources else True
        self._was_doubted = False
        """Somebody was told a time that is not relied on: what waits for that is to look again."""
        self._save_at = 0.0

    async def open(self) -> None:
        """Go on from the last life. After `Journal.load`, before anything writes a row. Raises `StoreError`."""
        if self._sources is None:
            return
        self._boot_id = await self._in_time(asyncio.to_thread(self._sources.boot_id)) or ""
        await self._load()
        await self._in_time(self._ask())
        self._judge()
        await self._save()

    def now(self) -> Instant:
        """Return the time. It goes back only when a proof says that it was ahead by more than the tolerance."""
        wall = self._clock.now()
        if self._sources is None:
            if not timedelta(0) < self._latest - wall <= TOLERANCE:
                self._latest = wall
            return Instant(self._latest, is_trusted=True)
        own = self._own()
        if self._is_proven:
            is_trusted = abs(wall - own) <= TOLERANCE
            at = wall if is_trusted else own
        else:
            is_trusted = False
            at = max(wall, own) if wall - own <= PLAUSIBLE else own
        self._latest = max(self._latest, at)
        self._was_doubted = self._was_doubted or not is_trusted
        return Instant(self._latest, is_trusted)

    def earliest(self) -> datetime:
        """Return what time it is at least: what began by it has begun, also while the time is not relied on."""
        instant = self.now()
        return instant.at if instant.is_trusted else min(instant.at, self._own())

    @property
    def doubt(self) -> Doubt | None:
        """Why the time is not relied on; None if it is."""
        if self.now().is_trusted:
            return None
        return stepped(self._clock.now() - self._own()) if self._is_proven else unproven(self._own(), self._rtcs)

    async def confirm(self) -> None:
        """Take a person's word that the wall clock is right. Raises `RefusedError` (`clock_unset`), `StoreError`.

        After a `StoreError` it holds in this life.
        """
        if self._clock.now() < MADE:
            raise RefusedError(
                "clock_unset", "The clock of this box was never set; set it first (timedatectl set-time)."
            )
        self._prove()
        self._judge()
        await self._save()

    async def run(self) -> None:
        """Watch the clock until cancelled."""
        while True:
            await self._clock.sleep(LOOK_SECONDS)
            await self._ask()
            if self._judge() or self._clock.monotonic() >= self._save_at:
                try:
                    await self._save()
                except StoreError as error:
                    LOG.warning("the time is not recorded: %s", error.message)

    # -- the count ---------------------------------------------------------------------------------------------------

    def _own(self) -> datetime:
        return self._anchor.at + timedelta(seconds=max(0.0, self._clock.monotonic() - self._anchor.monotonic))

    def _apart(self) -> float:
        """Return what changes only when the clock is set: the wall clock less the monotonic one, in seconds."""
        return self._clock.now().timestamp() - self._clock.monotonic()

    def _prove(self) -> None:
        self._anchor = Moment(self._clock.now(), self._clock.monotonic())
        self._is_proven = True
        if self._latest - self._anchor.at > TOLERANCE:
            self._latest = self._anchor.at

    async def _load(self) -> None:
        kept = await self._kept()
        last = await self._journal.database.read(_LAST)
        wall, monotonic = self._clock.now(), self._clock.monotonic()
        if kept is None and not last:
            at, self._is_proven = max(wall, MADE), wall >= MADE
        elif kept is not None and self._boot_id and kept.boot_id == self._boot_id and monotonic >= kept.monotonic:
            at, self._is_proven = kept.at + timedelta(seconds=monotonic - kept.monotonic), kept.is_proven
        else:
            at = max(_bound(kept, moment(last[0][0]) if last else MADE), MADE)
        self._anchor = Moment(at, monotonic)
        self._latest = at

    async def _kept(self) -> _Kept | None:
        found = await self._journal.database.read(_READ)
        try:
            return msgspec.json.decode(found[0][0], type=_Kept) if found else None
        except msgspec.DecodeError:
            return None

    async def _save(self) -> None:
        if self._sources is None:
            return
        monotonic = self._clock.monotonic()
        self._save_at = monotonic + SAVE_SECONDS
        body = msgspec.json.encode(_Kept(self._boot_id, self._own(), monotonic, self._is_proven))
        await self._journal.transact(lambda view: view.execute(_WRITE, body))

    # -- the judgement -----------------------------------------------------------------------------------------------

    async def _in_time[T](self, asked: Awaitable[T]) -> T | None:
        try:
            async with self._clock.timeout(READ_SECONDS):
                return await asked
        except TimeoutError:
            LOG.warning("the machine does not say in time how its clock is")
            return None

    async def _ask(self) -> None:
        """Ask the witnesses. One that hangs holds nothing but this up."""
        sources = self._sources
        if sources is None:
            return
        if not self._is_proven:
            self._was_synchronised, self._rtcs = await asyncio.to_thread(
                lambda: (sources.was_synchronised(), sources.rtcs())
            )
        self._is_synchronised = sources.is_synchronised()

    def _judge(self) -> bool:
        """Draw the conclusions; says whether something is to be planned anew, and tells so."""
        step = self._apart() - self._offset
        is_step = abs(step) > STEP_SECONDS
        if is_step:
            LOG.warning("the clock was set %s by %s", "forward" if step > 0 else "back", span(abs(step)))
            self._set_at = self._clock.monotonic()
        self._offset += step
        if self._sources is not None and self._has_proof(is_step=is_step):
            self._prove()
        is_trusted, was_trusted = self.now().is_trusted, self._was_trusted
        self._was_trusted = is_trusted
        if is_trusted != was_trusted:
            self._log(is_first=was_trusted is None)
        was_doubted, self._was_doubted = self._was_doubted, not is_trusted
        if is_step or is_trusted != was_trusted or (is_trusted and was_doubted):
            self.changed()
            return True
        return False

    def _has_proof(self, *, is_step: bool) -> bool:
        """Whether the wall clock, as it stands, is right beyond the hub's own count."""
        if self._is_synchronised:
            return True
        wall, own = self._clock.now(), self._own()
        if not self._is_proven:
            # What was read before a step says nothing of what is after it.
            return not is_step and (self._was_synchronised or any(self._agrees(rtc) for rtc in self._rtcs))
        is_old = self._clock.monotonic() - self._set_at >= ACCEPT_SECONDS
        return is_old and TOLERANCE < wall - own <= PLAUSIBLE

    def _agrees(self, rtc: datetime) -> bool:
        wall, own = self._clock.now(), self._own()
        return abs(rtc - wall) <= TOLERANCE and all(-TOLERANCE <= time - own <= PLAUSIBLE for time in (rtc, wall))

    def _log(self, *, is_first: bool) -> None:
        doubt = self.doubt
        if doubt is not None:
            LOG.warning("%s", doubt.sentence)
        elif not is_first:
            LOG.info("the clock is relied on again")


def _bound(kept: _Kept | None, last: datetime) -> datetime:
    """Return a time that surely passed. Rows bear the wall clock's time; in an unproven life that proves nothing."""
    if kept is None:
        return last
    if not kept.is_proven:
        return kept.at
    return max(kept.at, min(last, kept.at + timedelta(seconds=2 * SAVE_SECONDS)))
