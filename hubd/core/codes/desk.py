"""Access codes as the hub offers them: wishes in, how they stand out. The rooms above speak to this."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Final

from msgspec.structs import replace

from hubd.core.codes import groups
from hubd.core.codes import status as standing
from hubd.core.codes.keeper import PinKeeper
from hubd.core.codes.limits import limited
from hubd.core.codes.pins import choose
from hubd.core.codes.plan import Hold, Plan
from hubd.core.codes.readings import Reader
from hubd.core.codes.reconciler import Backlog, Reconciler
from hubd.core.codes.space import Room, usable_slots
from hubd.core.codes.wishes import Change, Wish, Wishes
from hubd.core.lanes import Priority
from hubd.core.sense import Instant, Sense
from hubd.driver.clock import Clock
from hubd.model.capability import KeypadCapability
from hubd.model.errors import NotFoundError
from hubd.model.seen import CodeHintSeen, CodeSeen, Seen
from hubd.store.codes import CodeBook, CodeRecord, Constraints
from hubd.store.journal import Journal
from hubd.store.records import DeviceRecord
from hubd.store.tables import View

LOOK_SECONDS: Final = 0.5
"""How often somebody who waits for a code looks by himself."""

type Also = Callable[[View, Sequence[CodeRecord]], None]
"""What is written in the transaction of a wish besides it: the answer to an `Idempotency-Key`, an attempt."""


class Codes:
    """Made by the hub. All that changes is durable when a call returns; locks follow in their own time."""

    def __init__(self, journal: Journal, clock: Clock, sense: Sense, keeper: PinKeeper, reconciler: Reconciler) -> None:
        self._journal = journal
        self._clock = clock
        self._sense = sense
        self._keeper = keeper
        self.reconciler = reconciler

    # -- wishes --------------------------------------------------------------------------------------------------------

    async def create(self, wishes: Sequence[Wish], by: str, also: Also | None = None) -> list[CodeRecord]:
        """Make codes, all or none. Raises `NotFoundError`, `InvalidInputError`, `RefusedError`, `StoreError`."""
        return await self._change(by, lambda desk: [desk.create(wish) for wish in wishes], also)

    async def create_group(
        self, wishes: Sequence[Wish], by: str, also: Also | None = None, *, may_differ: bool = False
    ) -> list[CodeRecord]:
        """Make codes of one PIN on several locks (see `groups.create`). Raises as `create`."""
        return await self._change(by, lambda desk: groups.create(desk, wishes, may_differ=may_differ), also)

    async def update_group(self, key: str, change: Change, by: str, also: Also | None = None) -> list[CodeRecord]:
        """Change every code that has a `common_code_key`, or none. Raises as `create`."""
        return await self._change(by, lambda desk: groups.update(desk, key, change), also)

    async def report(self, device_id: str, report: Constraints, by: str) -> None:
        """Keep what somebody reports of a keypad. Raises as `create`."""

        def apply(desk: Wishes) -> list[CodeRecord]:
            desk.report(device_id, report)
            return []

        await self._change(by, apply, None)

    async def update(self, code_id: str, change: Change, by: str, also: Also | None = None) -> CodeRecord:
        """Change a code. Raises as `create`."""
        return (await self._change(by, lambda desk: [desk.update(code_id, change)], also))[0]

    async def delete(
        self, code_id: str, by: str, also: Also | None = None, *, is_managed: bool | None = True
    ) -> CodeRecord:
        """Have a code be removed. Raises `NotFoundError`, `StoreError`."""
        return (await self._change(by, lambda desk: [desk.delete(code_id, is_managed=is_managed)], also))[0]

    async def convert(
        self,
        code_id: str,
        by: str,
        also: Also | None = None,
        *,
        is_managed: bool = True,
        is_modification_allowed: bool | None = None,
    ) -> CodeRecord:
        """Have the hub keep a code that was found on its lock, or the other way round. Raises as `create`."""
        wish = partial(
            Wishes.convert, code_id=code_id, is_managed=is_managed, is_modification_allowed=is_modification_allowed
        )
        return (await self._change(by, lambda desk: [wish(desk)], also))[0]

    async def pull_backup(self, code_id: str, by: str, also: Also | None = None) -> CodeRecord:
        """Return the spare code that works in place of a code from now on. Raises as `create`."""
        return (await self._change(by, lambda desk: [desk.pull_backup(code_id)], also))[0]

    async def set_pool(self, device_id: str, by: str, *, is_wanted: bool) -> None:
        """Have spare codes kept on a device, or not."""

        def apply(desk: Wishes) -> list[CodeRecord]:
            desk.fill_pool(device_id, is_wanted=is_wanted)
            return []

        await self._change(by, apply, None)
        self.reconciler.touch(device_id)

    def _wishes(self, view: View, by: str) -> Wishes:
        return Wishes(view, self._keeper, self._sense.now().at, by)

    async def _change(
        self, by: str, function: Callable[[Wishes], list[CodeRecord]], also: Also | None
    ) -> list[CodeRecord]:
        def apply(view: View) -> list[CodeRecord]:
            changed = function(self._wishes(view, by))
            if also is not None:
                also(view, changed)
            return changed

        changed = await self._journal.transact(apply)
        for device_id in {code.device_id for code in changed}:
            self.reconciler.touch(device_id)
        return changed

    # -- facts ---------------------------------------------------------------------------------------------------------

    def take_in(self, view: View, device: DeviceRecord, seen: Sequence[Seen]) -> None:
        """Take in, within a transaction, what a device said of its codes."""
        keypad = device.device.description.capabilities.keypad
        if keypad is None:
            return
        instant = self._sense.now()
        reader = Reader(view, device, keypad, self._keeper, instant.at, is_trusted=instant.is_trusted)
        for reading in seen:
            if isinstance(reading, CodeSeen):
                reader.read(reading)
            elif isinstance(reading, CodeHintSeen):
                reader.hint(reading)

    def returned(self, view: View, device_id: str) -> None:
        """Take in, within a transaction, that a device was gone and is back: what its slots hold is to be read anew."""
        book = view.book(device_id)
        if book.unread is not None:
            view.put_book(replace(book, unread=None, hearsay=(), swept_slot=0, swept_at=None))

    # -- looking -------------------------------------------------------------------------------------------------------

    def get(self, code_id: str) -> CodeRecord:
        """Return a code. Raises `NotFoundError` (`access_code_not_found`)."""
        code = self._journal.tables.codes.get(code_id)
        if code is None:
            message = "There is no such access code on this hub (any more)."
            raise NotFoundError("access_code_not_found", message, access_code_id=code_id)
        return code

    def of(self, device_id: str) -> list[CodeRecord]:
        """Return the codes of a device, oldest first."""
        return self._journal.tables.codes_of(device_id)

    def book(self, device_id: str) -> CodeBook:
        """Return what is known of a keypad besides its codes."""
        return self._journal.tables.book(device_id)

    def with_pin(self, device_id: str, pin: str) -> list[CodeRecord]:
        """Return the codes of a device that have a PIN."""
        mark = self._keeper.mark(pin)
        return [code for code in self.of(device_id) if code.pin is not None and code.pin.mark == mark]

    def pin(self, code: CodeRecord) -> str | None:
        """Return the PIN of a code, for a caller who may have it; None if nobody knows it."""
        return self._keeper.open(code)

    def keypad(self, device_id: str) -> KeypadCapability | None:
        """Return what a device's keypad takes; None if it has none, or there is no such device."""
        record = self._journal.tables.devices.get(device_id)
        keypad = None if record is None else record.device.description.capabilities.keypad
        return None if keypad is None else limited(keypad, self.book(device_id).report)

    def now(self) -> Instant:
        """Return the time that codes go by."""
        return self._sense.now()

    def status(self, code: CodeRecord) -> standing.Status:
        """Return how a code stands on its lock."""
        instant = self._sense.now()
        return standing.status(code, self.keypad(code.device_id), instant.at, is_trusted=instant.is_trusted)

    def is_scheduled(self, code: CodeRecord) -> bool:
        """Whether the lock has the code and keeps it inactive until it starts."""
        return standing.is_scheduled(code, self.keypad(code.device_id), self._sense.now().at)

    def plan(self, device_id: str) -> Plan | None:
        """Return what is to be done on a lock as things are."""
        return self.reconciler.plan_of(device_id)

    def errors(self, code: CodeRecord, hold: Hold | None) -> list[standing.CodeError]:
        """Return what is wrong with a code; `hold` is that of the device's plan."""
        instant = self._sense.now()
        keypad = self.keypad(code.device_id)
        return standing.errors(code, keypad, instant.at, hold, is_trusted=instant.is_trusted)

    def why(self, code: CodeRecord, hold: Hold | None, stamp: Callable[[datetime], str] | None = None) -> str | None:
        """Say why a code is not on its lock yet, or still on it; None if it is as it should be.

        `stamp` writes a time as its reader is used to.
        """
        record = self._journal.tables.devices.get(code.device_id)
        status = self.status(code)
        if record is None or status in {"set", "unknown"}:
            return None
        is_up_to_the_lock = status in {"setting", "removing"} and (hold is None or hold.code not in _HUBS_OWN)
        if is_up_to_the_lock and not self.reconciler.can_reach(record):
            return self.reconciler.why(record)
        if hold is not None:
            return _HOLDS[hold.code].format(until="soon" if hold.until is None else (stamp or _utc)(hold.until))
        return None if status == "unset" else self.reconciler.why(record)

    def expected_wait(self, code: CodeRecord) -> float:
        """Return in how many seconds the radio will have seen to a code that is due, by what is before it."""
        record = self._journal.tables.devices[code.device_id]
        rank = Priority.END if self.status(code) == "removing" else Priority.START
        return self.reconciler.expected_wait(record, rank)

    def backlog(self, instance: str) -> Backlog:
        """Return what waits for the radio of a driver instance."""
        return self.reconciler.backlog(instance)

    def generate(self, device_id: str, keypad: KeypadCapability, length: int | None = None) -> str:
        """Return a PIN that the lock would take now. Raises `RefusedError` (`no_pin_left`)."""
        codes = self.of(device_id)
        pins = [pin for pin in map(self.pin, codes) if pin is not None]
        taken, prefixes = set(pins), {pin[:4] for pin in pins}
        return choose(keypad, taken.__contains__, length, prefix_taken=prefixes.__contains__)

    def room(self, device_id: str) -> Room | None:
        """Return how a lock is filled now; None if it has no keypad."""
        keypad = self.keypad(device_id)
        if keypad is None:
            return None
        used = sum(1 for code in self.of(device_id) if code.placement is not None)
        return Room(usable_slots(keypad), used, used)

    async def settle(self, code_id: str, seconds: float) -> None:
        """Return when a code is as it should be, or fails, or after so many seconds."""
        with suppress(TimeoutError):
            async with self._clock.timeout(seconds):
                while self._is_moving(code_id):  # a failure that nobody is told of yet makes no row
                    with suppress(TimeoutError):
                        async with self._clock.timeout(LOOK_SECONDS):
                            await self._journal.wait_beyond(self._journal.head)

    def _is_moving(self, code_id: str) -> bool:
        code = self._journal.tables.codes.get(code_id)
        return code is not None and code.trouble is None and self.status(code) in {"setting", "removing"}


_HUBS_OWN = {"not_begun", "clock_not_trusted"}
"""Holds that have nothing to do with the lock."""
_HOLDS = {
    "not_begun": "It is put on the lock when it starts, {until}.",
    "clock_not_trusted": "The hub does not know what time it is; nobody is let in by time until it does.",
    "retry_later": "The last attempt failed; the next one is {until}.",
    "no_space": "Every slot of the lock is taken; it waits until one is free.",
    "duplicate": "Another code with this PIN is on the lock; it waits until that is gone.",
    "unknown_slots": "The hub has yet to read which slots of the lock are free.",
}


def _utc(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
