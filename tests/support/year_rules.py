"""The safety rules of access codes, held against what locks hold at every instant, not against what the hub believes.

They are told in docs/access-codes.md. Time counts only while the hub runs, its disk takes writes, its radio is
connected, and the lock answers.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from hubd.core.codes.reconciler import STORE_PAUSE
from hubd.core.hub import Hub
from hubd.core.pauses import END_PAUSES, PAUSES
from hubd.store.codes import CodeRecord
from tests.sims.locks import Held, Moved, SimLock

if TYPE_CHECKING:
    from tests.support.year import Year

PROMPT: Final = 60.0
"""Seconds, besides the backlog, within which the hub does what is due on a lock that answers."""
REST: Final = PAUSES[-1] * 1.1 + 2 * STORE_PAUSE
"""The longest pause after failures."""
END_REST: Final = END_PAUSES[-1] * 1.1 + 2 * STORE_PAUSE
"""The longest one of a code that is to go."""
ROUND: Final = 86_400 * 1.4
"""Within which an edit that nobody told of is found: a round of the sweep, and some."""
EVER: Final = 1e18
RECENT: Final = 2.0

type Span = tuple[float, float]


@dataclass
class Count:
    """For how long something has been wrong."""

    awake: float = 0.0
    resting: float = 0.0
    """While the hub rested after a failure."""
    backlog: float = 0.0
    """The longest that was shown meanwhile."""


@dataclass
class Wished:
    """A wish as its maker knows it."""

    code_id: str
    lock: SimLock
    window: Span
    pin: str
    mark: bytes
    is_open: bool
    is_chosen: bool
    is_backup: bool = False
    over_at: float = EVER
    missing: Count = field(default_factory=Count)
    blind: Count = field(default_factory=Count)

    @property
    def span(self) -> Span:
        """From when to when it should be on its lock."""
        return self.window[0], min(self.window[1], self.over_at)


@dataclass
class Slot:
    """What the hub may know of a slot of a lock."""

    author: str = ""
    """Who wrote it last: "hub" or "person"; "": nobody."""
    is_owned: bool = False
    """The hub may write it though somebody else did: what the hub had there was changed."""
    reads: int = 0
    """How often the hub was told what it holds, since a person wrote it."""
    is_told: bool = False
    """The lock has hinted at that."""
    is_told_late: bool = False
    """It did so when a command of the hub was under way to it, or not answered: the next one waits for a reading."""
    spared_until: float = 0.0
    """A command of before a conversion may be under way until then."""
    outside: Count = field(default_factory=Count)


class Rules:
    """Implements `tests.sims.locks.Witness`."""

    def __init__(self, year: "Year") -> None:
        self._year = year
        self._wished: dict[str, Wished] = {}
        self._pins: set[str] = set(year.pins)
        self._slots = {lock.native_id: {s: Slot() for s in range(1, lock.keypad.slots + 1)} for lock in year.locks}
        self._recent: list[tuple[float, Slot, str]] = []
        self._has_failed: set[str] = set()
        self._is_unsure = False
        self._broken: str | None = None
        for lock in year.locks:
            lock.witness = self

    def check(self) -> None:
        """Raise `AssertionError` if a rule was broken."""
        if self._broken is not None:
            raise AssertionError(self._broken)

    def _break(self, rule: str, words: str) -> None:
        if self._broken is None:
            self._broken = f"{rule} at {self._year.clock.true():%m-%d %H:%M:%S}: {words}"

    # -- what is wished ------------------------------------------------------------------------------------------------

    def wishes(self) -> list[CodeRecord]:
        """Return the wishes that are not over, oldest first."""
        hub = self._year.hub
        assert hub is not None
        records = (hub.journal.tables.codes.get(code_id) for code_id in self._wished)
        return [record for record in records if record is not None and record.deleted_at is None]

    def found(self) -> list[CodeRecord]:
        """Return what the hub found on the locks, in order."""
        hub = self._year.hub
        assert hub is not None
        codes = [c for c in hub.journal.tables.codes.values() if not c.is_managed and c.deleted_at is None]
        return sorted(codes, key=lambda c: (c.created_at, c.placement.slot if c.placement else 0, c.code_id))

    def pins(self) -> set[str]:
        """Return every PIN that the hub has to do with."""
        return self._pins

    def has_edge_within(self, before: float, after: float) -> bool:
        """Whether a wish begins or ends, or a lock may be told of it ahead of time, from then to then."""
        now = self._year.clock.true().timestamp()
        edges = [edge for w in self._wished.values() for edge in (*w.span, w.span[0] - 72 * 3600)]
        return any(now + before <= edge <= now + after for edge in edges)

    def is_settled(self, lock: SimLock, number: int) -> bool:
        """Whether the hub has a code in a slot, and knows that it is there."""
        hub = self._year.hub
        if hub is None or number not in lock.slots or self._slots[lock.native_id][number].is_told:
            return False
        codes = (c for c in hub.journal.tables.codes.values() if self._lock_of(hub, c) is lock)
        placed = (c.placement for c in codes if c.placement is not None)
        return any(p.slot == number and p.state == "set" for p in placed)

    def unsure(self) -> None:
        """Go by the hub's books from its next start on: it died while something was wished."""
        self._is_unsure = True

    def adopt(self, code_id: str | None, *, has_ended_backups: bool = False) -> None:
        """Take in what was wished just now, of one code or (None) of whichever, and of spare codes with it."""
        hub = self._year.hub
        if hub is None:
            self._is_unsure = True
            return
        codes = hub.journal.tables.codes
        for record in codes.values():
            is_new = record.is_managed and record.code_id not in self._wished
            if is_new or code_id in {None, record.code_id} or record.is_backup:
                self._take(hub, record)
        for wished in self._wished.values():
            is_meant = code_id in {None, wished.code_id} or (has_ended_backups and wished.is_backup)
            if wished.code_id not in codes and is_meant and wished.over_at == EVER:
                wished.over_at = self._year.clock.true().timestamp()

    def _take(self, hub: Hub, record: CodeRecord) -> None:
        now = self._year.clock.true().timestamp()
        lock = self._lock_of(hub, record)
        placed = record.placement
        slot = None if placed is None else self._slots[lock.native_id][placed.slot]
        if not record.is_managed:
            if self._wished.pop(record.code_id, None) is not None and slot is not None:
                slot.author, slot.is_owned, slot.spared_until = "person", False, now + 20
            if record.deleted_at is not None and slot is not None:
                slot.author, slot.is_owned = "hub", True
            return
        pin = hub.codes.pin(record)
        assert pin is not None
        assert record.pin is not None
        self._pins.add(pin)
        window = (
            record.starts_at.timestamp() if record.starts_at else -EVER,
            record.ends_at.timestamp() if record.ends_at else EVER,
        )
        known = self._wished.get(record.code_id)
        if known is None and slot is not None and placed is not None:
            slot.is_owned, held = True, lock.slots.get(placed.slot)
            if held is not None and held.pin == pin:  # else somebody changed it since it was read, and told nobody
                slot.author = "hub"
        over_at = EVER if record.deleted_at is None else now if known is None else min(known.over_at, now)
        is_open, mark = record.is_external_modification_allowed, record.pin.mark
        self._wished[record.code_id] = Wished(
            record.code_id, lock, window, pin, mark, is_open, record.is_pin_chosen, record.is_backup, over_at
        )

    def _lock_of(self, hub: Hub, record: CodeRecord) -> SimLock:
        return self._year.network.locks[hub.devices[record.device_id].device.description.native_id]

    # -- what happens to slots -----------------------------------------------------------------------------------------

    def wrote(self, lock: SimLock, moved: Moved, before: Held | None) -> None:
        """See `Witness`."""
        slot = self._slots[lock.native_id][moved.slot]
        slot.outside = Count()
        if moved.by == "person":
            slot.author, slot.reads, slot.is_told = "person", 0, False
            return
        where = f"slot {moved.slot} of {lock.native_id}"
        if moved.slot in lock.keypad.reserved_slots:
            self._break("R4", f"{where} is reserved, and the hub wrote it")
        is_foreign = before is not None and slot.author == "person" and not slot.is_owned
        is_known = slot.reads > 0 or (slot.is_told and not slot.is_told_late)
        if is_foreign and is_known and slot.spared_until < self._year.clock.true().timestamp():
            self._break("R4", f"{where} is not the hub's, who could know that, and the hub wrote it")
        if moved.held is not None:
            self._check_twins(lock, moved, moved.held)
        if slot.spared_until < self._year.clock.true().timestamp():
            slot.author, slot.is_owned, slot.is_told = "hub", moved.held is not None, False

    def _check_twins(self, lock: SimLock, moved: Moved, held: Held) -> None:
        for number, other in lock.slots.items():
            theirs = self._slots[lock.native_id][number]
            is_unknown = theirs.author == "person" and (not lock.keypad.tells_pins or theirs.reads <= 2)
            if number != moved.slot and other.pin == held.pin and not is_unknown:
                self._break("R3", f"one PIN in the slots {number} and {moved.slot} of {lock.native_id}")

    def read(self, lock: SimLock, number: int) -> None:
        """See `Witness`."""
        slot = self._slots[lock.native_id][number]
        slot.reads += 1
        self._recent = [entry for entry in self._recent if entry[0] > self._year.loop.time() - RECENT]
        self._recent.append((self._year.loop.time(), slot, "reads"))
        if number in lock.keypad.reserved_slots:
            self._break("R4", f"slot {number} of {lock.native_id} is reserved, and the hub read it")
        held = lock.slots.get(number)
        if held is None:
            slot.is_owned = False
        elif self._passes_for_the_hubs(lock, number, held):
            slot.is_owned = True

    def _passes_for_the_hubs(self, lock: SimLock, number: int, held: Held) -> bool:
        """Whether nobody could tell what is in a slot from the hub's own, whoever wrote it.

        It is what the hub sent there without an answer, as far as the lock tells; or it is there though the hub has
        told the slot to be empty, likewise; or it is a wish that has begun, and that the hub has in no other slot.
        """
        hub = self._year.hub
        if hub is None:
            return False
        instant = hub.sense.now()
        for record in hub.journal.tables.codes.values():
            if self._lock_of(hub, record) is not lock:
                continue
            is_same, placed = lock.keypad.tells_pins and hub.codes.pin(record) == held.pin, record.placement
            if placed is not None and placed.slot == number:
                is_sent = placed.state == "sent" and (is_same or not lock.keypad.tells_pins)
                return is_sent or placed.state == "clearing"
            wished = self._wished.get(record.code_id)
            if placed is None and is_same and wished is not None:
                has_begun = wished.span[0] <= instant.at.timestamp()
                if has_begun or not instant.is_trusted:
                    return True
        return False

    def told(self, lock: SimLock, number: int) -> None:
        """Take in that a lock hinted at a change."""
        slot = self._slots[lock.native_id][number]
        slot.is_told, slot.is_told_late = True, self._is_under_way(lock, number)
        self._recent.append((self._year.loop.time(), slot, "told"))

    def _is_under_way(self, lock: SimLock, number: int) -> bool:
        hub = self._year.hub
        records = [] if hub is None else [r for r in hub.journal.tables.codes.values() if self._lock_of(hub, r) is lock]
        placed = (record.placement for record in records if record.placement is not None)
        return any(p.slot == number and p.state != "set" for p in placed)

    def failed(self, lock: SimLock) -> None:
        """See `Witness`."""
        self._has_failed.add(lock.native_id)

    def forget_last_readings(self) -> None:
        """Take in that the hub died: what it was told last may not be on its disk."""
        for at, slot, what in self._recent:
            if at > self._year.loop.time() - RECENT:
                slot.reads, slot.is_told = (0, slot.is_told) if what == "reads" else (slot.reads, False)
        self._recent.clear()

    # -- time ----------------------------------------------------------------------------------------------------------

    def pass_time(self, seconds: float) -> None:
        """Take in that nothing will change for so long."""
        hub = self._year.hub
        if hub is None or self._broken is not None:
            return
        if self._is_unsure:
            self._is_unsure = False
            self.adopt(None)
        self._check_books(hub)
        start = self._year.clock.true().timestamp()
        span = (start, start + seconds)
        is_late = self._year.loop.time() < self._year.lagging_until
        is_sure = self._year.loop.time() >= self._year.unsure_until
        for lock in self._year.locks:
            is_reached = self._is_reached(hub, lock)
            if is_reached and not is_late:
                self._look_for_strays(hub, lock, span)
            mine = [w for w in self._wished.values() if w.lock is lock]
            for wished in mine:
                self._look_for(hub, wished, span, is_counted=is_reached and is_sure)

    def _is_reached(self, hub: Hub, lock: SimLock) -> bool:
        is_radio_there = hub.health["radio"].is_connected and not self._year.network.is_gone
        return is_radio_there and lock.is_online and lock.fault == "none" and not self._year.is_disk_full

    def _check_books(self, hub: Hub) -> None:
        """No wish is lost or changed but by its maker, whatever crashes."""
        now = self._year.clock.true().timestamp()
        codes = hub.journal.tables.codes
        for wished in list(self._wished.values()):
            record = codes.get(wished.code_id)
            is_over = wished.span[1] <= now + PROMPT + abs(self._year.clock.offset)
            if record is None:
                if is_over or wished.is_open:
                    wished.over_at = min(wished.over_at, now)
                else:
                    self._break("R6", f"the wish {wished.code_id[:8]} on {wished.lock.native_id} is lost")
            elif record.pin is not None and record.pin.mark != wished.mark:
                if wished.is_open or not wished.is_chosen:
                    self._take(hub, record)
                else:
                    self._break("R6", f"the wish {wished.code_id[:8]} has another PIN than was chosen")
        strays = [c for c in codes.values() if c.is_managed and c.code_id not in self._wished]
        if strays and not self._year.is_wishing:
            self._break("R6", f"nobody wished {strays[0].code_id[:8]}")

    def _slack(self, count: Count) -> float:
        """How long something may take."""
        return PROMPT + self._year.clock_slack + count.backlog

    def _add(self, hub: Hub, count: Count, seconds: float, *, is_resting: bool) -> None:
        if is_resting:
            count.resting += seconds
        else:
            count.awake += seconds
        count.backlog = max(count.backlog, hub.codes.backlog("radio").seconds)

    def _look_for_strays(self, hub: Hub, lock: SimLock, span: Span) -> None:
        """R1: what the hub has put on a lock opens within its window only."""
        for number, held in lock.slots.items():
            slot = self._slots[lock.native_id][number]
            if slot.author != "hub" or not held.is_enabled:
                continue
            opens = span if held.frame is None else _cut(span, _frame(held))
            wanted = [w.span for w in self._wished.values() if w.lock is lock and w.pin == held.pin]
            outside = _length(opens) - _covered(opens, wanted)
            if outside <= 0:
                slot.outside = Count()
                continue
            self._add(hub, slot.outside, outside, is_resting=self._is_resting(hub, lock, number))
            if slot.outside.awake > self._slack(slot.outside) or slot.outside.resting > END_REST:
                self._break("R1", f"the PIN in slot {number} of {lock.native_id} opens outside its window")

    def _look_for(self, hub: Hub, wished: Wished, span: Span, *, is_counted: bool) -> None:
        """R2: a wished code opens; R7: one that is shown as set does."""
        lock = wished.lock
        wanted = _cut(span, wished.span)
        missing = _length(wanted)
        if missing > 0:
            slots = [held for held in lock.slots.values() if held.pin == wished.pin and held.is_enabled]
            missing -= _covered(wanted, [span if h.frame is None else _frame(h) for h in slots])
        if missing <= 0:
            if _length(wanted) > 0:
                wished.missing, wished.blind = Count(), Count()
            return
        record = hub.journal.tables.codes.get(wished.code_id)
        if record is None:
            return
        if wanted[0] == span[0] and hub.codes.status(record) == "set":
            self._look_blind(hub, wished, record, missing, is_counted=is_counted)
        elif is_counted and not self._is_excused(hub, wished, record):
            number = record.placement.slot if record.placement is not None else None
            is_resting = self._is_resting(hub, lock, number, record)
            self._add(hub, wished.missing, missing, is_resting=is_resting)
            if wished.missing.awake > self._slack(wished.missing) or wished.missing.resting > REST:
                self._break("R2", f"the wish {wished.code_id[:8]} is not on {lock.native_id}, {wished.missing}")

    def _look_blind(self, hub: Hub, wished: Wished, record: CodeRecord, missing: float, *, is_counted: bool) -> None:
        lock = wished.lock
        assert record.placement is not None
        number = record.placement.slot
        slot, held = self._slots[lock.native_id][number], lock.slots.get(number)
        if slot.author != "person":
            self._break("R7", f"the wish {wished.code_id[:8]} is shown as set, and not on {lock.native_id}")
        elif is_counted and not (held is not None and not lock.keypad.tells_pins):
            is_resting = self._is_resting(hub, lock, number)
            self._add(hub, wished.blind, missing, is_resting=is_resting)
            limit = self._slack(wished.blind) if slot.is_told else ROUND
            if wished.blind.awake > limit or wished.blind.resting > ROUND:
                self._break("R7", f"the wish {wished.code_id[:8]} on {lock.native_id} is still shown as set")

    def _is_excused(self, hub: Hub, wished: Wished, record: CodeRecord) -> bool:
        """Whether a code has no place: every slot is taken, or its PIN is there by somebody else's hand."""
        lock = wished.lock
        if any(held.pin == wished.pin for held in lock.slots.values()):
            return True
        usable = set(range(1, lock.keypad.slots + 1)) - set(lock.keypad.reserved_slots)
        facts = self._slots[lock.native_id]
        unread = {n for n in usable if facts[n].author == "person" and facts[n].reads <= 2}
        is_full = record.placement is None and usable <= {*lock.slots, *unread}
        plan = hub.codes.plan(record.device_id)
        hold = None if plan is None else plan.holds.get(record.code_id)
        # A person may have put the same PIN there and taken it away again, which nobody has looked for yet.
        return is_full or (hold is not None and hold.code == "duplicate" and bool(unread))

    def _is_resting(self, hub: Hub, lock: SimLock, number: int | None, record: CodeRecord | None = None) -> bool:
        """Whether the hub has a reason to pause, and does."""
        (device_id,) = [d for d, r in hub.devices.items() if r.device.description.native_id == lock.native_id]
        codes = hub.journal.tables.codes_of(device_id)
        if record is None:
            record = next((c for c in codes if c.placement is not None and c.placement.slot == number), None)
        at = hub.sense.now().at
        is_code_resting = record is not None and record.trouble is not None and record.trouble.retry_at > at
        served = hub.codes.reconciler._locks.get(device_id)  # noqa: SLF001 - shown as a reason, not as a time
        now = self._year.loop.time()
        is_lock_resting = served is not None and max(served.rests_until, served.silent_until) > now
        is_reasonable = lock.native_id in self._has_failed or any(m.by == "person" for m in lock.log)
        return is_lock_resting or (is_code_resting and is_reasonable)


def _frame(held: Held) -> Span:
    assert held.frame is not None
    return held.frame.starts_at.timestamp(), held.frame.ends_at.timestamp()


def _cut(one: Span, other: Span) -> Span:
    return max(one[0], other[0]), min(one[1], other[1])


def _length(span: Span) -> float:
    return max(0.0, span[1] - span[0])


def _covered(span: Span, by: Iterable[Span]) -> float:
    """Return how much of a span others cover."""
    total, reached = 0.0, span[0]
    for start, end in sorted(by):
        part = _cut((reached, span[1]), (start, end))
        if _length(part) > 0:
            total += _length(part)
            reached = part[1]
    return total
