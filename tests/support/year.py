"""A site of four locks that lives through operations in virtual time: the hub, its crashes, and what people do."""

import asyncio
import logging
import random
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from unittest.mock import patch

from hubd.core import sense as sense_module
from hubd.core import watch as watch_module
from hubd.core.codes import wishes as wishes_module
from hubd.core.codes.pins import choose
from hubd.core.hub import Hub, Instance, Site
from hubd.core.policy import Policy
from hubd.core.sense import Sense
from hubd.driver import DriverConfig, Manifest
from hubd.model import CodeChange, CodeHintSeen, KeypadCapability, ReachabilitySeen, ids
from hubd.model.errors import HubError, StoreError
from hubd.store.journal import Journal
from hubd.store.secrets import Sealer
from tests.sims.locks import Held, LockNetwork, SimLock
from tests.support import year_operations as ops
from tests.support.hub import HUB_ID, stoppable
from tests.support.sources import Witnesses
from tests.support.virtual import InlineDatabase, VirtualClock, VirtualLoop, run_on_virtual_time
from tests.support.year_end import look_back, look_calm
from tests.support.year_rules import Rules
from tests.support.year_wishes import wish_of

PINS = ("71340592", "80462917", "36925814", "90571346", "52846073", "64093185")
SETTLING = 3 * ops.HOUR
_LOOK = 10.0
_TINY = 1e-6


def fleet() -> list[SimLock]:
    """Build a plain lock, one that keeps to time frames, one that hides PINs, and a small one that takes twins."""
    return [
        SimLock("101", KeypadCapability(slots=6, reserved_slots=(1,))),
        SimLock("102", KeypadCapability(slots=6, has_schedules=True)),
        SimLock("103", KeypadCapability(slots=4, tells_pins=False)),
        SimLock("104", KeypadCapability(slots=3), takes_twins=True),
    ]


class _Log(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


class Year:
    """One run. `perform` an operation after the other, then `finish`; a broken rule is raised at once."""

    def __init__(self, path: Path, locks: Sequence[SimLock] | None = None) -> None:
        self.path = path
        self.clock = VirtualClock()
        self.network = LockNetwork(fleet() if locks is None else locks)
        self.pins = PINS
        self.locks = list(self.network.locks.values())
        self.rules = Rules(self)
        self.log = _Log()
        self.hub: Hub | None = None
        self.database: InlineDatabase | None = None
        self.is_disk_full = False
        self.sources = Witnesses(synchronised=True)
        self.unsure_until = 0.0
        """Until then the wall clock may be wrong, and the hub knows it."""
        self.lagging_until = 0.0
        """Until then it may be slow, and the hub cannot know the time."""
        self.clock_slack = 0.0
        """By how much the wall clock may have been off, within the tolerance."""
        self.is_wishing = False
        """Something is being wished just now."""
        self._target = ""
        self._boots = 0
        self._life: asyncio.Task[None] | None = None
        self._is_up = asyncio.Event()
        self._crashed = asyncio.Event()
        self._commits_left: int | None = None
        self._is_commit_kept = True
        self._down = 0.0
        self._starts_at: float | None = None
        self._sealer = Sealer(bytes(32))
        self._timers: dict[object, tuple[asyncio.TimerHandle, Callable[[], None]]] = {}
        self._tellers: set[asyncio.Task[None]] = set()

    @property
    def loop(self) -> VirtualLoop:
        """The loop."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        return loop

    # -- lives of the hub ----------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Start the hub."""
        self._starts_at = None
        self._is_up.clear()
        self._life = asyncio.create_task(self._live(), name="life")
        up = asyncio.create_task(self._is_up.wait())
        await asyncio.wait({self._life, up}, return_when=asyncio.FIRST_COMPLETED)
        up.cancel()

    async def _live(self) -> None:
        self.database = database = InlineDatabase(self.path)
        database.before, database.after = self._before, self._after
        journal = Journal(database, self.clock)
        await journal.load()
        writer = asyncio.create_task(journal.run(), name="journal")
        try:
            async with stoppable() as group:
                sense = Sense(journal, self.clock, self.sources)
                await sense.open()
                site = Site(HUB_ID, "Year", "UTC", "0", self._sealer, self.path.parent / "drivers")
                hub = Hub(site, journal, self.clock, group, sense)
                await hub.start()
                group.create_task(sense.run())
                manifest = Manifest(
                    type="sim",
                    title="Simulated locks",
                    config=DriverConfig,
                    create=lambda _: self.network,
                    hops=("stick",),
                    budget=1,
                )
                hub.add(Instance("radio", manifest, self.network, Policy(("lock",))))
                self.hub = hub
                self._is_up.set()
                await asyncio.Future()
        finally:
            self.hub = None
            writer.cancel()
            await asyncio.wait({writer})
            await database.close()

    async def _before(self) -> None:
        if self.is_disk_full:
            raise StoreError("disk_full", "The disk is full.")
        if self._is_last_commit() and not self._is_commit_kept:
            self._die()

    async def _after(self) -> None:
        if self._commits_left is not None:
            self._commits_left -= 1
            if self._commits_left < 0:
                self._die()
                raise StoreError("stopping", "The process is dead.")

    def _is_last_commit(self) -> bool:
        return self._commits_left == 0

    def _die(self) -> None:
        """From this instant on nothing is written; the tasks are cancelled as soon as the loop turns."""
        self._commits_left = None
        if self.database is not None:
            self.database.is_dead = True
        self._crashed.set()

    async def _bury(self) -> None:
        """Cancel what is left of a life, and have the next one begin when it should."""
        self._crashed.clear()
        self._commits_left = None
        life, self._life = self._life, None
        if life is not None:
            self.rules.forget_last_readings()
            life.cancel()
            await asyncio.wait({life})
            error = None if life.cancelled() else life.exception()
            if error is not None and not _is_store(error):
                raise error
            if error is not None:  # it could not start; it is started again, as by systemd
                self._down = max(self._down, 5.0)
        self._starts_at = self.loop.time() + self._down

    # -- time ----------------------------------------------------------------------------------------------------------

    async def wait(self, seconds: float) -> None:
        """Let time pass, in which the hub may crash and start again."""
        end = self.loop.time() + seconds
        while True:
            left, unsure = end - self.loop.time(), self.unsure_until - self.loop.time()
            # Looking at the clock every few seconds matters only when it is set: by nobody within a long wait, but for
            # the time server that comes late after a power cut.
            is_long = left > ops.HOUR and unsure <= 0
            part = left - ops.HOUR + 1 if is_long else min(left, unsure + 1) if unsure > 0 else left
            with _looking(1800.0 if is_long else _LOOK):
                await self._wait_once(part)
            self.rules.check()
            if self.loop.time() + _TINY >= end:
                return

    async def _wait_once(self, seconds: float) -> None:
        if self._starts_at is not None:
            seconds = min(seconds, self._starts_at - self.loop.time())
        crash = asyncio.create_task(self._crashed.wait())
        waited = {crash} if self._life is None else {crash, self._life}
        await asyncio.wait(waited, timeout=max(0.0, seconds), return_when=asyncio.FIRST_COMPLETED)
        crash.cancel()
        if self._crashed.is_set() or (self._life is not None and self._life.done()):
            await self._bury()
        if self._starts_at is not None and self._starts_at <= self.loop.time() + _TINY:
            await self.start()

    def _for_a_while(self, key: object, seconds: float, end: Callable[[], None]) -> None:
        """Have something end later; the same thing begun anew ends anew."""
        if key in self._timers:
            self._timers.pop(key)[0].cancel()

        def ring() -> None:
            self._timers.pop(key, None)
            end()

        self._timers[key] = (self.loop.call_later(seconds, ring), end)

    # -- what befalls it -----------------------------------------------------------------------------------------------

    async def perform(self, operation: ops.Operation) -> None:
        """Have something happen."""
        match operation:
            case ops.Wait(seconds):
                await self.wait(seconds)
            case ops.Hand(lock, slot, pin, is_told):
                await self._edit(self.locks[lock], slot, None if pin is None else PINS[pin], is_told=is_told)
            case ops.Lie(lock, slot):
                if self.rules.is_settled(self.locks[lock], slot):
                    self.locks[lock].lies.add(slot)
            case ops.Break(number, fault, seconds):
                broken = self.locks[number]
                broken.fault = fault
                self._for_a_while(("fault", number), seconds, lambda: setattr(broken, "fault", "none"))
            case ops.Leave(number, seconds, is_told):
                self._leave(number, seconds, is_told=is_told)
            case ops.Unplug(seconds, is_late):
                self.network.is_gone, self.network.is_late = True, is_late
                self.network.lose()
                self._for_a_while("radio", seconds, lambda: setattr(self.network, "is_gone", False))
            case ops.Disk(seconds):
                self.is_disk_full = True
                self._for_a_while("disk", seconds, lambda: setattr(self, "is_disk_full", False))
            case _:
                await self._perform_on_hub(operation)
        self.rules.check()

    async def _perform_on_hub(self, operation: ops.Operation) -> None:
        match operation:
            case ops.Crash(at_commit, is_kept, is_late, seconds):
                self.network.is_late, self._down = is_late, seconds
                self._commits_left, self._is_commit_kept = at_commit - 1, is_kept
                if at_commit == 0:
                    self._die()
                await self.wait(0)
            case ops.PowerCut(seconds, has_rtc, unsure):
                await self._cut_power(seconds, unsure, has_rtc=has_rtc)
            case ops.Step(seconds):
                if self.loop.time() >= self.unsure_until:
                    self.clock_slack = 60.0
                    self.clock.offset = max(-30.0, min(30.0, self.clock.offset + seconds))
            case ops.Slip(hours, seconds):
                await self._slip(hours * 3600, seconds)
            case _:
                await self._wish(operation)

    def _leave(self, number: int, seconds: float, *, is_told: bool) -> None:
        lock = self.locks[number]
        lock.is_online = False
        if is_told:
            self._tell(ReachabilitySeen(native_id=lock.native_id, online=False, reason="It does not answer."))

        def come_back() -> None:
            lock.is_online = True
            self._tell(ReachabilitySeen(native_id=lock.native_id, online=True))

        self._for_a_while(("online", number), seconds, come_back)

    def _tell(self, seen: ReachabilitySeen | CodeHintSeen, was_told: Callable[[], None] = lambda: None) -> None:
        """Have the driver publish something, if there is one.

        What the disk does not take was not told, and ends the life of the link; the next one says which locks answer.
        """
        if self.hub is None or not self.hub.health["radio"].is_connected:
            return

        async def publish() -> None:
            port = self.network.living_port
            try:
                await port.publish(seen)
            except HubError:
                if port is self.network.port:
                    self.network.lose()
            else:
                was_told()

        task = asyncio.create_task(publish())
        self._tellers.add(task)
        task.add_done_callback(self._tellers.discard)

    async def _edit(self, lock: SimLock, slot: int, pin: str | None, *, is_told: bool) -> None:
        if slot > lock.keypad.slots or (pin is None and slot not in lock.slots):
            return
        if pin is not None and not lock.takes_twins and pin in (held.pin for held in lock.slots.values()):
            return
        change: CodeChange = "removed" if pin is None else "changed" if slot in lock.slots else "added"
        lock.write(self.clock.true(), slot, None if pin is None else Held(pin), "person")
        if is_told and lock.is_online and lock.fault != "deaf" and not self.is_disk_full:
            hint = CodeHintSeen(native_id=lock.native_id, slot=slot, change=change)
            self._tell(hint, partial(self.rules.told, lock, slot))

    async def _cut_power(self, seconds: float, unsure: float, *, has_rtc: bool) -> None:
        self._down = seconds
        self._die()
        await self.wait(0)
        self._boots += 1
        self.sources = Witnesses(f"power-{self._boots}", synchronised=has_rtc)
        if has_rtc:
            return
        self.clock.offset = -float(seconds)
        self.unsure_until = self.lagging_until = self.loop.time() + seconds + unsure + 2 * _LOOK
        sources = self.sources

        def hear() -> None:
            self.clock.offset, sources.synchronised = 0.0, True

        self._for_a_while("server", seconds + unsure, hear)

    async def _slip(self, step: float, seconds: float) -> None:
        if self.loop.time() < self.unsure_until or self.hub is None:
            return
        self.sources.synchronised = False
        self.unsure_until = self.loop.time() + seconds + 2 * _LOOK
        before = self.clock.offset
        self.clock.offset += step

        def take_back() -> None:
            self.clock.offset = before
            self.loop.call_later(2 * _LOOK, lambda: setattr(self.sources, "synchronised", True))

        self._for_a_while("slip", seconds, take_back)
        await self.wait(seconds + 2 * _LOOK + 1)

    # -- wishes --------------------------------------------------------------------------------------------------------

    async def _wish(self, operation: ops.Operation) -> None:
        hub = self.hub
        if hub is None:
            return
        self._target, call = wish_of(self, hub, operation)
        if call is None:
            return
        self.is_wishing = True
        task = asyncio.ensure_future(call)
        crash = asyncio.create_task(self._crashed.wait())
        await asyncio.wait({task, crash}, return_when=asyncio.FIRST_COMPLETED)
        crash.cancel()
        self.is_wishing = False
        if self._crashed.is_set() or not task.done():
            task.cancel()
            await asyncio.wait({task})
            self.rules.unsure()  # nobody was told whether it counts: the hub's own books decide
            await self.wait(0)
            return
        try:
            task.result()
        except HubError:
            return
        is_pool_emptied = isinstance(operation, ops.Pool) and not operation.is_wanted
        self.rules.adopt(self._target, has_ended_backups=is_pool_emptied or isinstance(operation, ops.Delete))

    def whole(self, later: float) -> datetime:
        """Return a time that is so much later than the true one."""
        return self.clock.true() + timedelta(seconds=later)

    # -- the end -------------------------------------------------------------------------------------------------------

    async def finish(self) -> None:
        """Heal everything, let it settle, and look at the whole."""
        for handle, end in list(self._timers.values()):
            handle.cancel()
            end()
        self._timers.clear()
        self._commits_left = None
        self._down = 0.0
        if self._starts_at is not None:
            self._starts_at = self.loop.time()
        await self.wait(SETTLING)
        await look_calm(self)
        await look_back(self)

    async def stop(self) -> None:
        """End the hub."""
        self._die()
        await self._bury()
        for task in list(self._tellers):
            task.cancel()
            await asyncio.wait({task})


def _is_store(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return all(_is_store(one) for one in error.exceptions)
    return isinstance(error, StoreError)


@contextmanager
def _looking(seconds: float) -> Iterator[None]:
    with patch.object(watch_module, "LOOK_SECONDS", seconds), patch.object(sense_module, "LOOK_SECONDS", seconds):
        yield


@contextmanager
def _same_each_time() -> Iterator[None]:
    """Draw ids and PINs from `random`, which Hypothesis seeds."""

    def new_id() -> str:
        return str(uuid.UUID(int=random.getrandbits(128), version=4))

    drawing = partial(choose, randbelow=random.randrange)
    with patch.object(ids, "new_id", new_id), patch.object(wishes_module, "choose", drawing):
        yield


def live_through(operations: Sequence[ops.Operation]) -> Year:
    """Have a site live through operations. Raises `AssertionError` when a rule is broken."""

    async def main(folder: Path) -> Year:
        year = Year(folder / "year.db")
        logger = logging.getLogger("hubd")
        logger.addHandler(year.log)
        year.loop.on_idle = year.rules.pass_time
        try:
            await year.start()
            for operation in operations:
                await year.perform(operation)
            await year.finish()
        except AssertionError as error:
            error.add_note("\n".join(["what happened:", *map(repr, operations)]))
            raise
        finally:
            year.loop.on_idle = None
            await year.stop()
            logger.removeHandler(year.log)
        return year

    with tempfile.TemporaryDirectory() as folder, _same_each_time():
        return run_on_virtual_time(partial(main, Path(folder)))
