"""What a reading means: compares it with what was known and says what is news. Pure over a view.

A reading that only confirms is telemetry: readers see it, the journal does not.
"""

from datetime import datetime, timedelta
from typing import Final, Literal

from msgspec.structs import replace

from hubd.core.access.conditions import mark
from hubd.core.battery import judge
from hubd.core.codes.story import tell
from hubd.core.public import told
from hubd.core.sense import Instant
from hubd.core.silence import AT_ONCE, Silence, hear
from hubd.model.event import (
    BatteryChanged,
    BatteryLow,
    CodeMisused,
    DoorChanged,
    Event,
    LockChanged,
    LockDenied,
    LockUncertain,
    Tampered,
)
from hubd.model.seen import (
    BatterySeen,
    ClimateSeen,
    CodeHintSeen,
    CodeSeen,
    DenialSeen,
    DoorSeen,
    EntranceSeen,
    LinkSeen,
    LockSeen,
    ReachabilitySeen,
    Seen,
    TamperSeen,
)
from hubd.model.state import BatteryReading, EntranceCondition
from hubd.store.codes import CodeRecord
from hubd.store.records import DeviceRecord
from hubd.store.tables import View

CLOCKS_APART: Final = timedelta(minutes=1)
"""How far a lock's own clock may be off."""
BELIEVABLE: Final = timedelta(days=7)
"""How late a use may be told; a lock that tells of an older one has lost its time."""

type BatteryStatus = Literal["critical", "low", "good", "full"]

_LEVELS: tuple[tuple[float, BatteryStatus], ...] = ((0.10, "critical"), (0.25, "low"), (0.75, "good"))


def battery_status(level: float, *, low: bool = False) -> BatteryStatus:
    """Return Seam's class of a level (0.0 to 1.0); the device's own low flag counts as at most `low`."""
    for bound, status in _LEVELS:
        if level < bound:
            return "low" if low and status == "good" else status
    return "low" if low else "full"


class Observer:
    """Applies readings of one device within a transaction."""

    def __init__(
        self,
        view: View,
        record: DeviceRecord,
        order: tuple[str, bool] | None,
        silence: Silence = AT_ONCE,
        instant: Instant | None = None,
    ) -> None:
        """`order` is the request id and target position of an order under way on this device.

        `instant` is the time that codes go by; without it, the view's.
        """
        self._view = view
        self._device = record.device
        self._order = order
        self._silence = silence
        self._instant = instant or Instant(view.now, is_trusted=True)

    def apply(self, seen: Seen) -> None:
        """Apply one reading."""
        record = self._view.device(self._device.device_id)
        if record is None or record.removed_at is not None:
            return
        match seen:
            case ReachabilitySeen():
                hear(self._view, record, seen, self._silence)
            case LockSeen():
                self._lock(record, seen)
            case DoorSeen():
                self._door(record, seen)
            case BatterySeen():
                self._battery(record, seen)
            case DenialSeen():
                self._emit(record, LockDenied(reason=seen.reason, message=seen.message), "lock.access_denied", seen)
            case EntranceSeen(conditions=conditions):
                self._conditions(conditions, seen.occurred_at or self._view.now)
            case TamperSeen():
                self._emit(record, Tampered(), "device.tampered", seen)
            case CodeSeen() | CodeHintSeen() | ClimateSeen():
                pass  # `core.codes` and `core.climate` take these in
            case LinkSeen(link=link):
                self._view.put_telemetry(replace(record, state=replace(record.state, link=link)))

    def _conditions(self, conditions: dict[EntranceCondition, bool], at: datetime) -> None:
        for condition, is_on in conditions.items():
            record = self._view.device(self._device.device_id)
            if record is not None:
                mark(self._view, record, condition, at, is_on=is_on)

    def _emit(self, record: DeviceRecord, event: Event, public: str | None, seen: Seen) -> None:
        if public is not None and public.startswith("device."):
            public = told(record.device.description.kind, public)
        self._view.emit(
            event,
            public=public if record.is_managed else None,
            instance=self._device.instance,
            device_id=self._device.device_id,
            occurred_at=seen.occurred_at,
        )

    def _lock(self, record: DeviceRecord, seen: LockSeen) -> None:
        known = record.state
        if seen.jammed or seen.locked is None:
            if seen.jammed != known.jammed or known.locked is not None:
                self._emit(record, LockUncertain(jammed=seen.jammed), None, seen)
            return
        method, request_id = seen.method, seen.request_id
        if method in {None, "remote"} and self._order is not None and self._order[1] is seen.locked:
            method, request_id = "remote", self._order[0]
        if method == "remote" and known.locked is seen.locked:
            return  # the bolt was there already, or this move has been told
        if method is None:
            if known.locked is seen.locked:
                return
            if known.locked is None and not known.jammed:
                self._view.put_device(replace(record, state=replace(known, locked=seen.locked)))
                return
            method = "unknown"
        code = self._code_used(seen)
        event = LockChanged(
            locked=seen.locked,
            method=method,
            user_slot=seen.user_slot,
            request_id=request_id,
            code_id=None if code is None else code.code_id,
            code_is_managed=code is None or code.is_managed,
        )
        self._emit(record, event, "lock.locked" if seen.locked else "lock.unlocked", seen)
        if code is not None and not seen.locked:
            is_trusted = self._instant.is_trusted
            used_at = (seen.occurred_at if is_trusted else None) or self._instant.at
            if (misuse := misused(code, used_at, is_trusted=is_trusted)) is not None:
                tell(self._view, code, misuse)
            if code.is_one_time and code.is_managed and code.deleted_at is None:
                self._view.put_code(replace(code, deleted_at=self._view.now, deleted_by="its one use"))

    def _code_used(self, seen: LockSeen) -> CodeRecord | None:
        """Return the access code that opened or closed the lock; that of its slot at this time."""
        if seen.user_slot is None:
            return None
        placed = ((code, code.placement) for code in self._view.codes_of(self._device.device_id))
        code = next(((c, where) for c, where in placed if where is not None and where.slot == seen.user_slot), None)
        if code is None:
            return None
        late = None if seen.occurred_at is None else code[1].since - seen.occurred_at
        is_older = late is not None and CLOCKS_APART < late < BELIEVABLE and self._instant.is_trusted
        return None if is_older else code[0]  # it may be told late, of a time before this code was there

    def _door(self, record: DeviceRecord, seen: DoorSeen) -> None:
        if seen.open == record.state.door_open:
            return
        if record.state.door_open is None:
            self._view.put_device(replace(record, state=replace(record.state, door_open=seen.open)))
        else:
            self._emit(record, DoorChanged(open=seen.open), None, seen)

    def _battery(self, record: DeviceRecord, seen: BatterySeen) -> None:
        level = min(1.0, max(0.0, seen.level))
        before = record.state.battery
        measured = BatteryReading(level, seen.occurred_at or self._view.now, seen.low)
        reading = judge(before, measured, self._view.now)
        record = replace(record, state=replace(record.state, battery=reading))
        if reading.suspect_at != (None if before is None else before.suspect_at):
            self._view.put_device(record)  # a restart must not lose the suspect, else no second reading is the second
        else:
            self._view.put_telemetry(record)
        status = battery_status(reading.level, low=reading.low)
        old = None if before is None else battery_status(before.level, low=before.low)
        if old == status:
            return
        if old is not None:
            event = BatteryChanged(level=reading.level, status=status)
            self._emit(record, event, "device.battery_status_changed", seen)
        if status in {"low", "critical"} and old not in {"low", "critical"}:
            self._emit(record, BatteryLow(level=reading.level), "device.low_battery", seen)


def misused(code: CodeRecord, at: datetime, *, is_trusted: bool = True) -> CodeMisused | None:
    """Return the alarm that a use of a code at a time is worth; None if it was within its time frame.

    A time that is not trusted is a lower bound: it proves that a use was late, never that it was early.
    """
    if not code.is_managed or code.placement is None:
        return None
    is_early = is_trusted and code.starts_at is not None and at < code.starts_at
    is_late = any(end is not None and at >= end for end in (code.deleted_at, code.ends_at))
    if not is_early and not is_late:
        return None
    slot = code.placement.slot
    return CodeMisused(code_id=code.code_id, slot=slot, starts_at=code.starts_at, ends_at=code.ends_at)
