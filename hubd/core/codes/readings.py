"""What a reading of a slot means for the code that should, or should not, be in it. Within a transaction.

A change that nobody told of is believed when two readings agree on it. Of a slot of which nothing was known, of one
that the lock itself hinted at, and of one that the hub has just written, the first is enough.
"""

from datetime import datetime, timedelta
from typing import Final, Literal

from msgspec.structs import replace

from hubd.core import pauses
from hubd.core.codes.keeper import PinKeeper
from hubd.core.codes.plan import DUPLICATE, Want, frame_for, has_begun, holds_another, is_in_place, is_over, want
from hubd.core.codes.story import edits_of, tell
from hubd.model import ids
from hubd.model.capability import KeypadCapability
from hubd.model.code import CodeChange, TimeFrame
from hubd.model.event import CodeCreated, CodeEdited, CodeGone, CodePlaced, CodeTakenOff, CodeTampered
from hubd.model.seen import CodeHintSeen, CodeSeen
from hubd.store.codes import CodeBook, CodeRecord, Doubt, Placement, Tampering, Trouble
from hubd.store.records import DeviceRecord
from hubd.store.tables import View

APART: Final = timedelta(seconds=1)
"""Two readings that are not that far apart count as one."""
DAY: Final = timedelta(days=1)


class Reader:
    """Takes in the readings of one device."""

    def __init__(
        self,
        view: View,
        device: DeviceRecord,
        keypad: KeypadCapability,
        keeper: PinKeeper,
        at: datetime,
        *,
        is_trusted: bool = True,
        confirmed_slot: int | None = None,
    ) -> None:
        """`at` is the time as `Sense` has it; `confirmed_slot` has just been set, as the lock itself says."""
        self._now = at
        self._is_trusted = is_trusted
        self._confirmed_slot = confirmed_slot
        self._view = view
        self._device = device
        self._keypad = keypad
        self._keeper = keeper

    @property
    def _device_id(self) -> str:
        return self._device.device.device_id

    def hint(self, seen: CodeHintSeen) -> None:
        """Note which slots the lock says were changed."""
        used = {code.placement.slot for code in self._view.codes_of(self._device_id) if code.placement is not None}
        if seen.slot is not None:
            slots = {seen.slot}
        else:
            every = set(range(1, self._keypad.slots + 1))
            slots = {"removed": used, "added": every - used, "changed": every}[seen.change]
        self._hint_at({slot for slot in slots if self._is_ours(slot)})

    def read(self, seen: CodeSeen) -> None:
        """Take in what a slot holds."""
        code = self._at(seen.slot)
        if code is None and not self._is_ours(seen.slot):  # a slot with a code in it may have become reserved since
            return
        book = self._view.book(self._device_id)
        pin = self._keeper.told(seen.pin_ref)
        mark = None if pin is None else self._keeper.mark(pin)
        is_first = not book.is_known(seen.slot)
        if seen.is_cached:
            self._hear(book, code, seen, mark, is_first=is_first)
            return
        is_hinted = seen.slot in book.hints
        noted = _noted(book, seen.slot, self._keypad)
        if noted is not book:
            self._view.put_book(noted)
        if code is not None and code.placement is not None and code.placement.state != "set":
            self._decide(code, code.placement, seen, mark, pin)
        elif self._agrees(code, seen, mark):
            self._forget_doubt(seen.slot)
        elif is_first or is_hinted or self._is_second(book, seen, mark):
            self._forget_doubt(seen.slot)
            self._believe(code, seen, mark, pin)
        else:
            self._doubt(seen, mark)

    def _hear(
        self, book: CodeBook, code: CodeRecord | None, seen: CodeSeen, mark: bytes | None, *, is_first: bool
    ) -> None:
        """Take in what a cache says. It proves nothing, but says where to look first, and where there is no hurry."""
        if not self._agrees(code, seen, mark):
            self._hint_at({seen.slot})
        elif is_first and seen.slot not in book.hearsay:
            self._view.put_book(replace(book, hearsay=tuple(sorted({*book.hearsay, seen.slot}))))

    def _is_ours(self, slot: int) -> bool:
        return 1 <= slot <= self._keypad.slots and slot not in self._keypad.reserved_slots

    def _at(self, slot: int) -> CodeRecord | None:
        codes = self._view.codes_of(self._device_id)
        return next((code for code in codes if code.placement is not None and code.placement.slot == slot), None)

    @staticmethod
    def _agrees(code: CodeRecord | None, seen: CodeSeen, mark: bytes | None) -> bool:
        if code is None or code.placement is None:
            return not seen.is_used
        placed = code.placement
        has_pin = mark is None or mark == placed.mark
        has_frame = _frame(seen, placed) == placed.frame
        return seen.is_used and has_pin and has_frame and seen.is_enabled is placed.is_enabled

    # -- doubts and hints ----------------------------------------------------------------------------------------------

    def _hint_at(self, slots: set[int]) -> None:
        book = self._view.book(self._device_id)
        if not slots <= set(book.hints):
            self._view.put_book(replace(book, hints=tuple(sorted(slots | set(book.hints)))))

    def _is_second(self, book: CodeBook, seen: CodeSeen, mark: bytes | None) -> bool:
        doubt = next((doubt for doubt in book.doubts if doubt.slot == seen.slot), None)
        if doubt is None or abs(self._now - doubt.at) < APART:
            return False
        return (doubt.is_used, doubt.mark, doubt.is_enabled) == (seen.is_used, mark, seen.is_enabled)

    def _doubt(self, seen: CodeSeen, mark: bytes | None) -> None:
        book = self._view.book(self._device_id)
        doubt = Doubt(seen.slot, seen.is_used, self._now, mark, seen.is_enabled)
        known = next((d for d in book.doubts if d.slot == seen.slot), None)
        if known is not None and replace(known, at=doubt.at, times=1) == doubt and abs(doubt.at - known.at) < APART:
            return
        doubt = doubt if known is None else replace(doubt, times=known.times + 1)
        others = tuple(d for d in book.doubts if d.slot != seen.slot)
        self._view.put_book(replace(book, doubts=(*others, doubt)))

    def _forget_doubt(self, slot: int) -> None:
        book = self._view.book(self._device_id)
        if any(doubt.slot == slot for doubt in book.doubts):
            self._view.put_book(replace(book, doubts=tuple(d for d in book.doubts if d.slot != slot)))

    # -- what a slot turned out to hold --------------------------------------------------------------------------------

    def _decide(self, code: CodeRecord, placed: Placement, seen: CodeSeen, mark: bytes | None, pin: str | None) -> None:
        """Let a reading decide what became of a command whose end was not known."""
        self._forget_doubt(seen.slot)
        is_ours = placed.is_over or seen.slot == self._confirmed_slot
        if placed.state == "clearing":
            if seen.is_used:
                self._view.put_code(replace(code, placement=replace(placed, state="set", mark=mark or placed.mark)))
            else:
                take_off(self._view, code, self._now, is_trusted=self._is_trusted)
        elif not seen.is_used:
            self._view.put_code(replace(code, placement=None))
        elif mark == placed.mark or (mark is None and (not placed.is_over or seen.slot == self._confirmed_slot)):
            kept = replace(code, placement=replace(placed, frame=_frame(seen, placed)))
            place(self._view, kept, self._keypad, self._now, is_verified=mark is not None, is_enabled=seen.is_enabled)
        elif is_ours:
            other = replace(placed, state="set", mark=mark, frame=seen.frame, is_over=False)
            self._view.put_code(replace(code, placement=other))
        else:  # somebody else was faster
            self._view.put_code(replace(code, placement=None))
            self._believe(None, seen, mark, pin)

    def _believe(self, code: CodeRecord | None, seen: CodeSeen, mark: bytes | None, pin: str | None) -> None:
        if code is None or code.placement is None:
            self._appeared(seen, mark, pin)
        elif not code.is_managed:
            self._foreign_changed(code, code.placement, seen, mark, pin)
        else:
            self._tampered(code, code.placement, seen, mark, pin)

    def _appeared(self, seen: CodeSeen, mark: bytes | None, pin: str | None) -> None:
        """A slot holds a PIN of which the hub knows nothing, or knows it only as a wish (after a restore)."""
        placed = Placement(seen.slot, "set", self._view.now, mark, seen.frame, pin is not None, seen.is_enabled)
        for code in self._view.codes_of(self._device_id):
            is_wish = mark is not None and code.placement is None and code.pin is not None and code.pin.mark == mark
            if is_wish and self._may_be_by_us(code, seen):
                found = replace(code, placement=placed)
                place(self._view, found, self._keypad, self._now, is_verified=True, is_enabled=seen.is_enabled)
                return
        code_id, now = ids.new_id(), self._view.now
        code = CodeRecord(code_id, self._device_id, now, now, is_managed=False, placement=placed)
        if pin is not None:
            code = replace(code, pin=self._keeper.seal(code_id, pin))
        self._view.put_code(code)
        tell(self._view, code, CodeCreated(code_id=code_id, is_managed=False, slot=seen.slot))

    def _may_be_by_us(self, code: CodeRecord, seen: CodeSeen) -> bool:
        """Whether the hub may have put a code there of which it knows only the wish.

        Before its start, only with the time frame that the hub would have given it; else it is by somebody's hand.
        """
        wanted = want(code, self._keypad, self._now, is_trusted=self._is_trusted)
        if wanted is Want.KEEP or has_begun(code, self._now):
            return True
        is_frame_ours = seen.frame == frame_for(code, self._keypad) or (seen.frame is None and not seen.is_frame_told)
        return wanted is Want.ON and is_frame_ours

    def _foreign_changed(
        self, code: CodeRecord, placed: Placement, seen: CodeSeen, mark: bytes | None, pin: str | None
    ) -> None:
        if not seen.is_used:
            self._view.drop_code(code.code_id)
            tell(self._view, code, CodeGone(code_id=code.code_id, reason="removed_externally", is_managed=False))
            return
        sealed = None if pin is None else self._keeper.seal(code.code_id, pin)
        now = replace(placed, mark=mark, frame=seen.frame, is_enabled=seen.is_enabled, since=self._view.now)
        changed = replace(code, pin=sealed, placement=now)
        self._view.put_code(changed)
        if edits := edits_of(code, changed):
            tell(self._view, changed, CodeEdited(code_id=code.code_id, edits=edits))

    def _tampered(
        self, code: CodeRecord, placed: Placement, seen: CodeSeen, mark: bytes | None, pin: str | None
    ) -> None:
        """Somebody else changed what the hub had put there."""
        if code.is_one_time and not seen.is_used:
            self._view.drop_code(code.code_id)
            tell(self._view, code, CodeGone(code_id=code.code_id, reason="ended"))
            return
        change: CodeChange = "changed" if seen.is_used else "removed"
        now = self._now
        is_allowed = code.is_external_modification_allowed
        tampered = CodeTampered(code_id=code.code_id, change=change, slot=placed.slot, is_allowed=is_allowed)
        tell(self._view, code, tampered)
        if is_allowed and not seen.is_used:
            self._view.drop_code(code.code_id)
            tell(self._view, code, CodeGone(code_id=code.code_id, reason="removed_externally"))
            return
        found = replace(placed, mark=mark, frame=seen.frame, is_enabled=seen.is_enabled, since=now)
        if is_allowed and pin is not None:
            changed = replace(code, pin=self._keeper.seal(code.code_id, pin), placement=found)
            self._view.put_code(changed)
            if edits := edits_of(code, changed):
                tell(self._view, changed, CodeEdited(code_id=code.code_id, edits=edits))
            return
        self._put_back(code, found if seen.is_used else None, now)

    def _put_back(self, code: CodeRecord, found: Placement | None, now: datetime) -> None:
        """Have a code set again, the later the more often somebody took it away."""
        before = code.tampering
        times = before.times + 1 if before is not None and now - before.at < DAY else 1
        tampering = Tampering("modified" if found is not None else "removed", now, times)
        trouble = None
        if times > 1:
            message = f"Somebody else changed this code on the lock {times} times within a day."
            retry = now + pauses.pause(times)
            trouble = Trouble("conflicting_external_modification", message, now, times, retry)
        self._view.put_code(replace(code, placement=found, tampering=tampering, trouble=trouble, is_delay_told=False))
        book = self._view.book(self._device_id)
        recent = tuple(at for at in book.foreign_changes if now - at < DAY)[-9:]
        self._view.put_book(replace(book, foreign_changes=(*recent, now)))


def _frame(seen: CodeSeen, placed: Placement) -> TimeFrame | None:
    """Return the time frame that the lock keeps a code to; where it does not tell, the one that it was given."""
    return seen.frame if seen.is_frame_told or seen.frame is not None else placed.frame


def _noted(book: CodeBook, slot: int, keypad: KeypadCapability) -> CodeBook:
    """Return the book with a slot read: it is known now, and no hint at it is open."""
    every = [s for s in range(1, keypad.slots + 1) if s not in keypad.reserved_slots]
    unread = tuple(s for s in (every if book.unread is None else book.unread) if s != slot)
    hints = tuple(s for s in book.hints if s != slot)
    hearsay = tuple(s for s in book.hearsay if s != slot)
    if (unread, hints, hearsay) == (book.unread, book.hints, book.hearsay):
        return book
    return replace(book, unread=unread, hints=hints, hearsay=hearsay)


def place(
    view: View,
    code: CodeRecord,
    keypad: KeypadCapability,
    at: datetime,
    *,
    is_verified: bool,
    is_enabled: bool = True,
) -> None:
    """Write down that the lock holds what was sent."""
    if code.placement is None:
        return
    is_early = code.starts_at is not None and code.starts_at > at
    placed = replace(
        code.placement,
        state="set",
        since=view.now,
        is_verified=is_verified,
        is_enabled=is_enabled,
        is_over=False,
        is_early=is_early,
    )
    after = replace(code, placement=placed)
    if not is_in_place(after, keypad):  # the wish has changed meanwhile, or the lock does not open for it
        view.put_code(after)
        return
    view.put_code(replace(after, trouble=None, is_delay_told=False))
    event = CodePlaced(code_id=code.code_id, slot=placed.slot, is_early=is_early, is_verified=is_verified)
    tell(view, after, event)


def take_off(view: View, code: CodeRecord, at: datetime, *, is_trusted: bool = True) -> None:
    """Write down that the code's slot is empty, because the hub emptied it."""
    if code.placement is None:
        return
    is_refused = code.trouble is not None and code.trouble.code == DUPLICATE and holds_another(code)
    trouble = code.trouble if is_refused else None  # that is of the PIN in its place, which rests as before
    after = replace(code, placement=None, trouble=trouble, is_delay_told=False)
    if code.is_managed:
        tell(view, after, CodeTakenOff(code_id=code.code_id, slot=code.placement.slot, reason=_why_off(code, at)))
    if not bury(view, after, at, is_trusted=is_trusted):
        view.put_code(after)


def bury(view: View, code: CodeRecord, at: datetime, *, is_trusted: bool = True) -> bool:
    """Have a code that is over, and not on its lock, be no more; tell whether it was one.

    What is over only by a clock that is not trusted may come to life again when that is set right.
    """
    if not is_to_be_buried(code, at, is_trusted=is_trusted):
        return False
    view.drop_code(code.code_id)
    reason: Literal["deleted", "ended"] = "ended" if code.deleted_at is None else "deleted"
    gone = CodeGone(code_id=code.code_id, reason=reason, is_managed=code.is_managed, by=code.deleted_by)
    tell(view, code, gone)
    return True


def is_to_be_buried(code: CodeRecord, at: datetime, *, is_trusted: bool) -> bool:
    """Whether nothing is left of a code, and nothing can come of it any more."""
    is_certain = is_trusted or code.deleted_at is not None
    return code.placement is None and is_certain and is_over(code, at)


def _why_off(code: CodeRecord, at: datetime) -> Literal["ended", "deleted", "not_begun", "changed"]:
    if code.deleted_at is not None:
        return "deleted"
    if is_over(code, at):
        return "ended"
    return "changed" if has_begun(code, at) else "not_begun"
