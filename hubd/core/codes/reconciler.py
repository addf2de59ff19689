"""Brings every lock to hold what is wished: wakes on change, on time and on what locks say.

One exchange at a time with a lock, each planned on what is durable when its turn has come. Over the whole radio, orders
go first, then codes that end, then those that are due, then what is early, then looking. A lock that cannot be reached
waits by itself; no other one waits for it.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from functools import partial
from itertools import accumulate
from math import inf
from typing import Final

import msgspec

from hubd.core.codes.clock import next_tick, tick
from hubd.core.codes.exchange import Exchange, begin, end, is_answered
from hubd.core.codes.keeper import PinKeeper
from hubd.core.codes.plan import Pace, Plan, Step, is_over, plan
from hubd.core.dispatcher import Dispatcher, Errand
from hubd.core.lanes import Priority
from hubd.core.pauses import pause
from hubd.core.sense import Instant, Sense
from hubd.core.vault import Vault
from hubd.core.watch import Watch
from hubd.driver.clock import Clock
from hubd.model.capability import KeypadCapability
from hubd.model.errors import StoreError
from hubd.model.outcome import Outcome, OutcomeKind, rejected
from hubd.model.seen import CodeSeen
from hubd.store.codes import CodeRecord
from hubd.store.journal import Journal
from hubd.store.records import DeviceRecord
from hubd.store.tables import View

LOG = logging.getLogger(__name__)

EXCHANGE_SECONDS: Final = 12.0
"""How long a lock may take for one exchange; an order to the same lock, which has 15 s, may wait for it."""
STORE_PAUSE: Final = 5.0
LONGEST_END_REST: Final = 300.0
"""How long a lock that could not be reached rests at most once a code on it is over."""
USUAL_SECONDS: Final = 2.0
"""What an exchange is taken to last before one was measured."""
_WEIGHT: Final = 0.2
_UNSENT: Final = {OutcomeKind.UNREACHABLE, OutcomeKind.EXPIRED}


class Backlog(msgspec.Struct, frozen=True):
    """What waits for the radio of one driver instance."""

    steps: int
    """Exchanges that are due; not those that only look, which wait for all others."""
    seconds: float
    """How long they will take, by what exchanges lately took."""


class _Lock:
    """What the reconciler remembers of one lock. Nothing here outlives the process."""

    def __init__(self, device_id: str) -> None:
        self.device_id = device_id
        self.task: asyncio.Task[None] | None = None
        self.errand: Errand | None = None
        self.rank = Priority.SWEEP
        self.steps: tuple[Step, ...] = ()
        """Those that are due."""
        self.due: dict[Priority, int] = {}
        """How many of them are due up to a rank: asked for each code of a long list."""
        self.wake_at: datetime | None = None
        self.rests_until = 0.0
        """On the monotonic clock: it could not be reached just now, or the disk refused."""
        self.failures = 0
        self.is_up = False
        """It could be reached when it was last looked at."""
        self.blind: set[tuple[int, str]] = set()
        """Slots, with their codes, that were emptied while nothing could be recorded."""
        self.problem = ""
        """Why it could not be reached."""
        self.is_exchanging = False
        self.silent_until = 0.0
        """Likewise: it does not say what its slots hold, and is not asked for a while."""
        self.silences = 0
        self.alarm: float | None = None
        """On the monotonic clock: when a rest is over."""


class Reconciler:
    """One task that watches, and one for each lock that has something to be done."""

    def __init__(  # noqa: PLR0913 - the rooms it stands between, by keyword
        self,
        *,
        journal: Journal,
        dispatcher: Dispatcher,
        clock: Clock,
        sense: Sense,
        vault: Vault,
        keeper: PinKeeper,
        group: asyncio.TaskGroup,
        is_reachable: Callable[[DeviceRecord], bool],
        pace: Pace,
    ) -> None:
        self._journal = journal
        self._dispatcher = dispatcher
        self._clock = clock
        self._sense = sense
        self._vault = vault
        self._keeper = keeper
        self._group = group
        self._is_reachable = is_reachable
        self._pace = pace
        self._locks: dict[str, _Lock] = {}
        self._watch = Watch(clock)
        self._means: dict[str, float] = {}
        self._complaints: set[str] = set()

    # -- being told ----------------------------------------------------------------------------------------------------

    def touch(self, device_id: str) -> None:
        """Look at a lock: something about it, or about what is wished of it, has changed."""
        self._watch.touch(device_id)

    def heard(self, device_id: str) -> None:
        """A lock answers: it need not rest any longer."""
        lock = self._locks.get(device_id)
        if lock is not None:
            lock.rests_until, lock.failures = 0.0, 0
        self.touch(device_id)

    def touch_all(self) -> None:
        """Look at every lock: the time, or a hop, has changed."""
        for device_id, record in self._journal.tables.devices.items():
            if record.device.description.capabilities.keypad is not None:
                self._watch.touch(device_id)

    async def drain(self, seconds: float) -> None:
        """Give the exchanges that are under way a little time; the dispatcher takes no new ones."""
        tasks = [lock.task for lock in self._locks.values() if lock.task is not None and lock.is_exchanging]
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)

    # -- what is shown -------------------------------------------------------------------------------------------------

    def plan_of(self, device_id: str) -> Plan | None:
        """Return the plan for a lock as things are; None if the device has no keypad."""
        record, instant = self._journal.tables.devices.get(device_id), self._sense.now()
        keypad = None if record is None else record.device.description.capabilities.keypad
        return None if keypad is None else self._plan(device_id, keypad, instant)

    def backlog(self, instance: str) -> Backlog:
        """Return what waits for the radio of an instance."""
        before = self._before(instance, Priority.PRELOAD)
        return Backlog(sum(before.values()), self._seconds(instance, before, max(before.values(), default=0)))

    def expected_wait(self, record: DeviceRecord, rank: Priority) -> float:
        """Return how many seconds pass until what is due on a lock up to a rank is done, by all that is before it."""
        instance = record.device.instance
        before = self._before(instance, rank)
        return self._seconds(instance, before, before.get(record.device.device_id, 0))

    def _before(self, instance: str, rank: Priority) -> dict[str, int]:
        """Return how many exchanges up to a rank are due on each lock."""
        return {lock.device_id: lock.due.get(rank, 0) for lock in self._of(instance)}

    def _of(self, instance: str) -> list[_Lock]:
        devices = self._journal.tables.devices
        return [
            lock for lock in self._locks.values() if lock.task and devices[lock.device_id].device.instance == instance
        ]

    def _seconds(self, instance: str, before: dict[str, int], longest: int) -> float:
        """Return how long exchanges take: one at a time with a lock, and `budget` locks at a time."""
        rounds = max(sum(before.values()) / self._dispatcher.budget(instance), longest)
        return rounds * self._means.get(instance, USUAL_SECONDS)

    # -- watching ------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Live until cancelled."""
        self.touch_all()
        await self._watch.run(self._consider, self._waits)

    def _waits(self) -> list[tuple[str, float]]:
        """Return the locks, with the seconds until each is to be looked at."""
        now, monotonic = self._sense.now().at, self._clock.monotonic()
        return [(one.device_id, _wait(one, now, monotonic)) for one in self._locks.values()]

    async def _consider(self, device_id: str) -> None:
        """Plan a lock, do what time does, and have its task begun, or moved forward in the queue."""
        record = self._journal.tables.devices.get(device_id)
        keypad = None if record is None else record.device.description.capabilities.keypad
        if record is None or keypad is None or record.removed_at is not None:
            if (gone := self._locks.get(device_id)) is not None and gone.task is None:
                del self._locks[device_id]  # else its task ends by itself, and should it be back by then, goes on
            if record is not None and keypad is not None:
                await self._let_time_pass(record, keypad)
            return
        lock = self._locks.setdefault(device_id, _Lock(device_id))
        if not await self._let_time_pass(record, keypad):
            lock.rests_until = self._clock.monotonic() + STORE_PAUSE
        self._replan(lock, record, keypad)
        if not self._may_serve(lock, record):
            return
        if lock.task is None:
            lock.task = self._group.create_task(self._serve(lock), name=f"codes-{device_id}")
        elif lock.errand is not None and lock.steps[0].rank < lock.rank:
            self._move_up(lock, record.device.instance)

    def _replan(self, lock: _Lock, record: DeviceRecord, keypad: KeypadCapability) -> None:
        instant = self._sense.now()
        made = self._plan(lock.device_id, keypad, instant)
        now, was_up = self._clock.monotonic(), lock.is_up
        lock.is_up = self._is_reachable(record)
        if lock.is_up and not was_up:
            lock.rests_until, lock.failures = 0.0, 0
        if any(step.takes_off for step in made.steps):
            lock.rests_until = min(lock.rests_until, now + LONGEST_END_REST)
        lock.alarm = min((end for end in (lock.rests_until, lock.silent_until) if end > now), default=None)
        lock.steps = self._permitted(record, made.steps)
        ranks = Counter(step.rank for step in lock.steps)
        lock.due = dict(zip(Priority, accumulate(ranks[rank] for rank in Priority), strict=True))
        ticks = [self._next_tick(code, keypad, instant) for code in self._journal.tables.codes_of(lock.device_id)]
        times = [at for at in (*ticks, made.wake_at) if at is not None and at > instant.at]
        lock.wake_at = min(times, default=None)

    def _plan(self, device_id: str, keypad: KeypadCapability, instant: Instant) -> Plan:
        tables = self._journal.tables
        codes, book = tables.codes_of(device_id), tables.book(device_id)
        return plan(codes, book, keypad, instant.at, is_trusted=instant.is_trusted, pace=self._pace)

    def _complain(self, words: str, error: StoreError) -> None:
        """Log what the disk refuses: once until it takes something, not for each lock every few seconds."""
        complaint = f"{words}: {error.message}"
        if complaint not in self._complaints:
            self._complaints.add(complaint)
            LOG.warning("%s", complaint)

    def _may_serve(self, lock: _Lock, record: DeviceRecord) -> bool:
        is_rested = self._clock.monotonic() >= lock.rests_until
        return bool(lock.steps) and is_rested and self._is_reachable(record) and not self._dispatcher.is_closing

    # -- what time does ------------------------------------------------------------------------------------------------

    @staticmethod
    def _next_tick(code: CodeRecord, keypad: KeypadCapability, instant: Instant) -> datetime | None:
        return next_tick(code, keypad, instant.at, is_trusted=instant.is_trusted)

    async def _let_time_pass(self, record: DeviceRecord, keypad: KeypadCapability) -> bool:
        try:
            await self._tick(record, keypad)
        except StoreError as error:
            self._complain("what time has done to codes is not recorded", error)
            return False
        return True

    async def _tick(self, record: DeviceRecord, keypad: KeypadCapability) -> None:
        instant, device_id = self._sense.now(), record.device.device_id
        reason = self.why(record)

        def apply(view: View) -> None:
            for code in view.codes_of(device_id):
                due = self._next_tick(code, keypad, instant)
                if due is not None and due <= instant.at:
                    tick(view, code, keypad, instant.at, reason, is_trusted=instant.is_trusted)

        dues = [self._next_tick(code, keypad, instant) for code in self._journal.tables.codes_of(device_id)]
        if any(due is not None and due <= instant.at for due in dues):
            await self._journal.transact(apply)

    def can_reach(self, record: DeviceRecord) -> bool:
        """Whether a lock answers, as far as is known."""
        return self._is_reachable(record)

    def why(self, record: DeviceRecord) -> str:
        """Return why a lock does not have what it should, in a sentence for a technician."""
        if not self._is_reachable(record):
            return record.state.offline_reason or "The lock cannot be reached."
        lock = self._locks.get(record.device.device_id)
        rest = 0.0 if lock is None else lock.rests_until - self._clock.monotonic()
        if lock is not None and lock.problem and rest > 0:
            return f"{lock.problem} The hub tries again in {rest:.0f} s."
        backlog = self.backlog(record.device.instance)
        if backlog.steps > 1:
            return f"The radio is busy: {backlog.steps} changes wait, for about {backlog.seconds:.0f} s."
        return "It is on its way; the lock has not confirmed it yet."

    # -- serving one lock ----------------------------------------------------------------------------------------------

    async def _serve(self, lock: _Lock) -> None:
        """Take steps until nothing is due."""
        try:
            while True:
                record = self._journal.tables.devices[lock.device_id]
                keypad = record.device.description.capabilities.keypad
                if keypad is None:
                    return
                self._replan(lock, record, keypad)
                if not self._may_serve(lock, record):
                    return
                await self._turn(lock, record.device.instance)
        finally:
            lock.task = lock.errand = None
            self._watch.touch()

    async def _turn(self, lock: _Lock, instance: str) -> None:
        errand, lock.rank = Errand(), lock.steps[0].rank
        lock.errand = errand
        self._dispatcher.queue(instance, lock.device_id, errand, lock.rank)
        try:
            await errand.turn.wait()
            lock.errand, lock.is_exchanging = None, True
            await self._exchange(lock, instance)
        finally:
            lock.is_exchanging = False
            if not self._dispatcher.withdraw(instance, lock.device_id, errand):
                self._dispatcher.end(instance, lock.device_id)

    def _move_up(self, lock: _Lock, instance: str) -> None:
        """Queue an errand anew, now that something more urgent is to be done."""
        if lock.errand is not None and self._dispatcher.withdraw(instance, lock.device_id, lock.errand):
            lock.rank = lock.steps[0].rank
            self._dispatcher.queue(instance, lock.device_id, lock.errand, lock.rank)

    async def _exchange(self, lock: _Lock, instance: str) -> None:
        try:
            exchange = await self._journal.transact(partial(self._begin, device_id=lock.device_id))
        except StoreError as error:
            self._complain("changes of codes cannot be recorded; only what is over is taken off", error)
            await self._take_off_blindly(lock, instance)
            lock.rests_until = self._clock.monotonic() + STORE_PAUSE
            return
        self._complaints.clear()
        lock.blind.clear()
        if exchange is None:
            return
        started = self._clock.monotonic()
        outcome = await self._ask(instance, exchange)
        await self._finish(exchange, outcome)
        if outcome.kind in _UNSENT:
            lock.failures += 1
            lock.problem = outcome.message
            rest = pause(lock.failures, is_end=exchange.step.takes_off)
            lock.rests_until = self._clock.monotonic() + rest.total_seconds()
            return
        lock.failures = 0
        if _is_look(exchange.step):
            lock.silences = 0 if is_answered(exchange, outcome) else lock.silences + 1
            if lock.silences:
                lock.silent_until = self._clock.monotonic() + pause(lock.silences).total_seconds()
        seconds, mean = self._clock.monotonic() - started, self._means.get(instance)
        self._means[instance] = seconds if mean is None else mean + _WEIGHT * (seconds - mean)

    async def _take_off_blindly(self, lock: _Lock, instance: str) -> None:
        """Empty the slot of a code that is over though the disk refuses to have it written down.

        Of all changes this one may be made twice: the record still says that the code is there and over, so that it is
        taken off again, and written down, once the disk takes it or the hub has crashed. A door waits for no disk. What
        is off its lock only for now (it was moved to later) waits: once it begins, nothing would say that it is gone.
        """
        tables = self._journal.tables
        record = tables.devices[lock.device_id]
        keypad = record.device.description.capabilities.keypad
        steps = [step for step in lock.steps if (step.kind, step.rank) == ("clear", Priority.END)]
        over = {code.code_id for code in tables.codes_of(lock.device_id) if is_over(code, self._sense.now().at)}
        steps = [step for step in steps if step.code_id in over]
        step = next((step for step in steps if (step.slot, step.code_id or "") not in lock.blind), None)
        if step is None or keypad is None:
            return
        outcome = await self._ask(instance, Exchange(step, record, keypad, tables.codes.get(step.code_id or "")))
        if outcome.kind is OutcomeKind.DONE:
            lock.blind.add((step.slot, step.code_id or ""))
        self._forget(outcome)

    def _begin(self, view: View, device_id: str) -> Exchange | None:
        """Choose the step on what is durable now, and write down that it is taken."""
        record = view.device(device_id)
        keypad = None if record is None else record.device.description.capabilities.keypad
        if record is None or keypad is None or not self._is_reachable(record):
            return None
        instant = self._sense.now()
        codes, book = view.codes_of(device_id), view.book(device_id)
        made = plan(codes, book, keypad, instant.at, is_trusted=instant.is_trusted, pace=self._pace)
        steps = self._permitted(record, made.steps)
        return begin(view, steps[0], record, keypad) if steps else None

    def _permitted(self, record: DeviceRecord, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        """Return the steps that may be taken now.

        A device that is not managed carries no plan; but what the hub put there, it takes away. A lock that does not
        say what its slots hold is not asked for a while.
        """
        lock = self._locks.get(record.device.device_id)
        is_silent = lock is not None and self._clock.monotonic() < lock.silent_until
        steps = steps if record.is_managed else tuple(step for step in steps if step.rank is Priority.END)
        return tuple(step for step in steps if not (is_silent and _is_look(step)))

    async def _ask(self, instance: str, exchange: Exchange) -> Outcome:
        ref = ""
        if exchange.step.kind == "set" and exchange.code is not None:
            try:
                pin = self._keeper.open(exchange.code)
            except StoreError as error:
                return rejected(error.code, error.message)
            ref = self._vault.seal("" if pin is None else pin)
        try:
            return await self._dispatcher.ask(instance, exchange.command(ref), EXCHANGE_SECONDS)
        finally:
            self._vault.forget(ref)

    async def _finish(self, exchange: Exchange, outcome: Outcome) -> None:
        def apply(view: View) -> None:
            instant = self._sense.now()
            end(view, exchange, outcome, self._keeper, instant.at, is_trusted=instant.is_trusted)

        while True:
            try:
                await self._journal.transact(apply)
                break
            except StoreError as error:
                LOG.error("the end of a change of a code is not recorded yet: %s", error.message)  # noqa: TRY400
                await self._clock.sleep(STORE_PAUSE)
        self._forget(outcome)

    def _forget(self, outcome: Outcome) -> None:
        for seen in outcome.seen:
            if isinstance(seen, CodeSeen) and seen.pin_ref is not None:
                self._vault.forget(seen.pin_ref)


def _is_look(step: Step) -> bool:
    return step.kind == "read" and step.code_id is None


def _wait(lock: _Lock, now: datetime, monotonic: float) -> float:
    """Return in how many seconds a lock is to be looked at; one that is being served says so itself."""
    if lock.task is not None:
        return inf
    waits = []
    if lock.wake_at is not None:
        waits.append((lock.wake_at - now).total_seconds())
    if lock.alarm is not None:
        waits.append(lock.alarm - monotonic)
    return min(waits, default=inf)
