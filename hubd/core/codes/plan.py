"""What is to be done on one lock so that it holds what is wished. Pure: records and the time in, steps out.

A code is put on its lock when its time frame begins and is taken off when that ends; a lock that keeps to time frames
itself gets it up to 72 hours before. What nobody wished is never touched. A slot of which it is not known what the last
command did to it is read before anything else is done to it.

The first step of a plan is done, what came of it is recorded, and the plan is made anew from that.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final, Literal

import msgspec

from hubd.core.lanes import Priority
from hubd.model.capability import KeypadCapability
from hubd.model.code import TimeFrame
from hubd.store.codes import CodeBook, CodeRecord, Doubt, Placement

PRELOAD = timedelta(hours=72)
"""How long before its start a lock gets a code that it keeps inactive until then (Seam's figure)."""
LAST_YEAR = 2099
"""Locks count years with two digits."""
DOUBT_PAUSE = timedelta(seconds=3)
"""Between the reading that differs and the one that is to agree with it; longer if that tells a third thing."""
MOST_DOUBTS = 6
"""After so many readings in a row that all differ, a slot is read once in 51 minutes."""
LONGEST_RETRY = timedelta(hours=1)
FIRST_SWEEP = timedelta(seconds=2)
"""Between two readings of a lock of which nothing is known yet."""
NOT_REMOVED: Final = "failed_to_remove_from_device"
DUPLICATE: Final = "duplicate_code_on_device"

type StepKind = Literal["read", "set", "clear"]
type HoldCode = Literal["not_begun", "clock_not_trusted", "retry_later", "no_space", "duplicate", "unknown_slots"]


class Want(Enum):
    """What the wish says of the lock at an instant."""

    ON = auto()
    OFF = auto()
    KEEP = auto()
    """Leave it as it is: nobody's wish, or the time is not known well enough to let somebody in."""


class Step(msgspec.Struct, frozen=True):
    """One exchange with the lock. `due` may be in the past, never in the future."""

    rank: Priority
    due: datetime
    kind: StepKind
    slot: int
    code_id: str | None = None
    takes_off: bool = False
    """With it goes a PIN that is over, and that the lock may still open for."""


class Hold(msgspec.Struct, frozen=True):
    """Why nothing is done for a code that is not as it is wished."""

    code: HoldCode
    until: datetime | None = None
    conflict_id: str | None = None


class Plan(msgspec.Struct, frozen=True):
    """Steps in order, why the others wait, and when to look again."""

    steps: tuple[Step, ...]
    holds: dict[str, Hold]
    wake_at: datetime | None


class Pace(msgspec.Struct, frozen=True):
    """How often the hub looks at what it does not change."""

    sweep: timedelta = timedelta(hours=24)
    """One round over all slots of a lock, a slot at a time."""


def is_over(code: CodeRecord, at: datetime) -> bool:
    """Whether a code is to be no more."""
    return code.deleted_at is not None or (code.is_managed and code.ends_at is not None and code.ends_at <= at)


def has_begun(code: CodeRecord, at: datetime) -> bool:
    """Whether a code may be used, as far as its start goes."""
    return code.starts_at is None or code.starts_at <= at


def want(code: CodeRecord, keypad: KeypadCapability, at: datetime, *, is_trusted: bool) -> Want:
    """Return what is wished of a lock at an instant, which is certain only if `is_trusted`."""
    if code.deleted_at is not None:
        return Want.OFF
    if not code.is_managed:
        return Want.KEEP
    if is_over(code, at):
        return Want.OFF
    if code.starts_at is not None and not is_trusted:
        return Want.KEEP
    if not has_begun(code, at) and not _is_early(code, keypad, at):
        return Want.OFF
    return Want.ON


def frame_for(code: CodeRecord, keypad: KeypadCapability) -> TimeFrame | None:
    """Return the time frame that the lock is to keep to by itself, in whole minutes: locks know no others.

    It is at most a minute longer than what was wished, on either side; the hub still takes the code off in time.
    """
    if not keypad.has_schedules or not code.prefers_native or code.starts_at is None or code.ends_at is None:
        return None
    if code.ends_at.year >= LAST_YEAR:
        return None
    start, end = (at.replace(second=0, microsecond=0) for at in (code.starts_at, code.ends_at))
    return TimeFrame(start, end if end == code.ends_at else end + timedelta(minutes=1))


def is_in_place(code: CodeRecord, keypad: KeypadCapability) -> bool:
    """Whether its slot holds exactly what is wished."""
    placed = code.placement
    return placed is not None and placed.state == "set" and _fits(code, placed, keypad)


def _fits(code: CodeRecord, placed: Placement, keypad: KeypadCapability) -> bool:
    has_pin = code.pin is None or placed.mark == code.pin.mark
    return has_pin and placed.is_enabled and placed.frame == frame_for(code, keypad)


def holds_another(code: CodeRecord) -> bool:
    """Whether the lock may still open for a PIN that the code had before: that one is over, too."""
    placed = code.placement
    return placed is not None and (placed.is_over or (code.pin is not None and placed.mark != code.pin.mark))


def _was_refused(code: CodeRecord) -> bool:
    """Whether the lock said that it has the PIN in another slot, or would not give up the one before."""
    return code.trouble is not None and code.trouble.code in {DUPLICATE, NOT_REMOVED}


def _is_early(code: CodeRecord, keypad: KeypadCapability, at: datetime) -> bool:
    return frame_for(code, keypad) is not None and code.starts_at is not None and code.starts_at - PRELOAD <= at


def retry_at(code: CodeRecord, at: datetime) -> datetime | None:
    """Return until when a code rests after a failure. A clock that was set back does not make that longer."""
    if code.trouble is None or code.trouble.retry_at <= at or code.trouble.retry_at - at > LONGEST_RETRY:
        return None
    return code.trouble.retry_at


def _doubt_pause(doubt: Doubt) -> timedelta:
    return DOUBT_PAUSE * 4.0 ** (min(doubt.times, MOST_DOUBTS) - 1)


def _is_of_its_setting(code: CodeRecord, rank: Priority) -> bool:
    """Whether a code that is to go rests only because setting it had failed."""
    return rank is Priority.END and code.trouble is not None and code.trouble.code != NOT_REMOVED


def plan(
    codes: Sequence[CodeRecord],
    book: CodeBook,
    keypad: KeypadCapability,
    at: datetime,
    *,
    is_trusted: bool = True,
    pace: Pace | None = None,
) -> Plan:
    """Return what is to be done on a lock at an instant."""
    return _Planner(codes, book, keypad, at, pace or Pace(), is_trusted=is_trusted).run()


class _Planner:
    def __init__(
        self,
        codes: Sequence[CodeRecord],
        book: CodeBook,
        keypad: KeypadCapability,
        at: datetime,
        pace: Pace,
        *,
        is_trusted: bool,
    ) -> None:
        self._codes = codes
        self._book = book
        self._keypad = keypad
        self._at = at
        self._pace = pace
        self._is_trusted = is_trusted
        self._steps: list[Step] = []
        self._holds: dict[str, Hold] = {}
        self._wakes: list[datetime] = []
        self._placed = {code.placement.slot: code for code in codes if code.placement is not None}
        self._free = self._free_slots()

    def run(self) -> Plan:
        for code in sorted(self._codes, key=self._urgency):
            self._consider(code)
        self._look()
        steps = sorted(self._steps, key=lambda step: (step.rank, step.due))
        later = [at for at in self._wakes if at > self._at]
        return Plan(tuple(steps), self._holds, min(later, default=None))

    def _urgency(self, code: CodeRecord) -> tuple[datetime, str]:
        """Slots are given to whoever is due first."""
        return self._due(code), code.code_id

    def _due(self, code: CodeRecord) -> datetime:
        start = code.changed_at if code.starts_at is None else max(code.starts_at, code.changed_at)
        return min(start, self._at)

    # -- codes ---------------------------------------------------------------------------------------------------------

    def _consider(self, code: CodeRecord) -> None:
        self._wake_for(code)
        wanted = want(code, self._keypad, self._at, is_trusted=self._is_trusted)
        placed = code.placement
        if placed is not None and placed.state != "set" and wanted is not Want.KEEP:
            rank = Priority.END if wanted is Want.OFF else Priority.START
            self._do(code, rank, "read", placed.slot)
        elif wanted is Want.OFF and placed is not None:
            self._do(code, Priority.END, "clear", placed.slot)
        elif wanted is Want.ON and not is_in_place(code, self._keypad):
            self._put(code)
        elif wanted is Want.KEEP and code.is_managed and placed is None:
            self._holds[code.code_id] = Hold("clock_not_trusted")
        elif wanted is Want.OFF and placed is None and not is_over(code, self._at):
            self._holds[code.code_id] = Hold("not_begun", code.starts_at)

    def _wake_for(self, code: CodeRecord) -> None:
        if not code.is_managed or code.deleted_at is not None:
            return
        if code.starts_at is not None:
            is_native = frame_for(code, self._keypad) is not None
            self._wakes += [code.starts_at, code.starts_at - PRELOAD] if is_native else [code.starts_at]
        if code.ends_at is not None:
            self._wakes.append(code.ends_at)

    def _rests(self, code: CodeRecord, rank: Priority) -> bool:
        until = None if _is_of_its_setting(code, rank) else retry_at(code, self._at)
        if until is not None:
            self._wakes.append(until)
            self._holds[code.code_id] = Hold("retry_later", until)
        return until is not None

    def _do(self, code: CodeRecord, rank: Priority, kind: StepKind, slot: int) -> None:
        if self._rests(code, rank):
            return
        ended = code.deleted_at or (code.ends_at if is_over(code, self._at) else None)
        due = self._due(code) if ended is None else min(ended, self._at)
        takes_off = rank is Priority.END or holds_another(code)
        self._steps.append(Step(rank, due, kind, slot, code.code_id, takes_off))

    def _put(self, code: CodeRecord) -> None:
        rank = Priority.START if has_begun(code, self._at) else Priority.PRELOAD
        twin = self._twin(code)
        if twin is not None:
            self._holds[code.code_id] = Hold("duplicate", conflict_id=twin.code_id)
        if code.placement is not None and holds_another(code) and (twin is not None or _was_refused(code)):
            self._do(code, Priority.END, "clear", code.placement.slot)  # the PIN before is over, whatever this one does
        elif twin is not None:
            pass
        elif code.placement is not None:
            self._do(code, rank, "set", code.placement.slot)
        elif self._rests(code, rank):
            pass  # the slot that it would have is somebody else's meanwhile: the lock may refuse this PIN for ever
        elif (slot := next(self._free, None)) is not None:
            self._do(code, rank, "set", slot)
        elif unread := self._unread():
            self._holds[code.code_id] = Hold("unknown_slots")
            self._read(unread[0], self._at, rank)
        else:
            self._holds[code.code_id] = Hold("no_space")

    def _twin(self, code: CodeRecord) -> CodeRecord | None:
        """Return another code of the lock whose PIN is, or may be, on it and is the same."""
        if code.pin is None:
            return None
        mark = code.pin.mark
        return next(
            (o for o in self._placed.values() if o is not code and o.placement and o.placement.mark == mark), None
        )

    def _free_slots(self) -> Iterator[int]:
        doubted = {doubt.slot for doubt in self._book.doubts if doubt.is_used}
        barred = {*self._placed, *doubted, *self._book.hints, *self._keypad.reserved_slots}
        slots = range(1, self._keypad.slots + 1)
        return (slot for slot in slots if slot not in barred and self._book.is_known(slot))

    def _unread(self) -> list[int]:
        """Return the slots that were never read, in the order in which they are to be."""
        return [slot for slot in self._round() if not self._book.is_known(slot)]

    # -- slots ---------------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """Read what may have changed: at once what the lock hints at, soon what is in doubt, slowly everything."""
        usable = set(self._round())  # a keypad may have shrunk, or a slot have become reserved, since it was noted
        for slot in self._book.hints:
            if slot in usable:
                self._read(slot, self._at)
        for doubt in self._book.doubts:
            if doubt.slot in usable:
                self._read(doubt.slot, doubt.at + _doubt_pause(doubt))
        since, between = self._book.swept_at, self._pace.sweep / max(self._keypad.slots, 1)
        unheard = [slot for slot in self._unread() if slot not in self._book.hearsay]
        if unheard:  # the first round is quick; what a lock did not tell in it, it is asked for slowly
            pause = FIRST_SWEEP if unheard[0] > self._book.swept_slot else between
            self._read(unheard[0], self._at if since is None else since + pause)
        elif round_ := self._round():
            self._read(round_[0], (since or self._at) + between)

    def _round(self) -> list[int]:
        """Return the slots in the order in which they are to be read next."""
        last = self._book.swept_slot
        slots = [*range(last + 1, self._keypad.slots + 1), *range(1, last + 1)]
        return [slot for slot in slots if slot not in self._keypad.reserved_slots]

    def _read(self, slot: int, due: datetime, rank: Priority = Priority.SWEEP) -> None:
        if any(step.slot == slot for step in self._steps):
            return
        if due > self._at and due - self._at <= max(self._pace.sweep, LONGEST_RETRY):
            self._wakes.append(due)
            return
        self._steps.append(Step(rank, min(due, self._at), "read", slot))
