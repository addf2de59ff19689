"""Plans of random codes, keypads and instants: safe, complete, and done once they are carried out."""

from datetime import datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hubd.core.codes.plan import (
    PRELOAD,
    Hold,
    Want,
    frame_for,
    is_in_place,
    is_over,
    plan,
    retry_at,
    want,
)
from hubd.model import KeypadCapability
from hubd.store.codes import CodeBook, CodeRecord, Doubt, Placement
from tests.hubd.core.codes.obedient import apply
from tests.hubd.core.codes.plans import NATIVE, TICK, code, trouble
from tests.support.clock import NOON

OFFSETS = [timedelta(hours=h) for h in (-100, -73, -1, 1, 2, 71, 73, 100)]
INSTANTS = st.sampled_from([NOON + offset for offset in (*OFFSETS, timedelta(0), PRELOAD, -TICK, TICK)])
MARKS = st.sampled_from([b"A", b"B", b"C", b"D", b"E", b"F"])


@st.composite
def keypads(draw: st.DrawFn) -> KeypadCapability:
    slots = draw(st.integers(1, 6))
    reserved = draw(st.sets(st.integers(1, slots), max_size=2))
    return KeypadCapability(slots=slots, reserved_slots=tuple(sorted(reserved)), has_schedules=draw(st.booleans()))


@st.composite
def records(draw: st.DrawFn, number: int, slot: int | None) -> CodeRecord:
    mark, is_managed = draw(MARKS), draw(st.booleans()) if slot is not None else True
    made = code(str(number), mark, is_managed=is_managed, changed_at=draw(INSTANTS))
    if draw(st.booleans()):
        start, end = sorted(draw(st.sets(INSTANTS, min_size=2, max_size=2)))
        made = replace(made, starts_at=start, ends_at=end, prefers_native=draw(st.booleans()))
    if draw(st.integers(0, 3)) == 0:
        made = replace(made, deleted_at=draw(INSTANTS))
    if is_managed and draw(st.integers(0, 3)) == 0:
        made = replace(made, trouble=trouble(draw(INSTANTS)))
    if slot is None:
        return made
    frame = draw(st.sampled_from([None, frame_for(made, NATIVE)]))
    is_open = is_managed or made.deleted_at is not None
    state: Any = draw(st.sampled_from(["set", "sent", "clearing"])) if is_open else "set"
    there = draw(st.sampled_from([mark, None])) if not is_managed else draw(st.sampled_from([mark, draw(MARKS)]))
    enabled = draw(st.integers(0, 5)) > 0
    return replace(made, placement=Placement(slot, state, NOON, there, frame, is_enabled=enabled))


class Case:
    """What one plan is made of."""

    def __init__(self, codes: list[CodeRecord], book: CodeBook, keypad: KeypadCapability) -> None:
        self.codes = codes
        self.book = book
        self.keypad = keypad

    def __repr__(self) -> str:
        return f"Case({self.codes!r}, {self.book!r}, {self.keypad!r})"


@st.composite
def cases(draw: st.DrawFn) -> Case:
    keypad = draw(keypads())
    usable = [slot for slot in range(1, keypad.slots + 1) if slot not in keypad.reserved_slots]
    taken = draw(st.lists(st.sampled_from(usable), unique=True, max_size=len(usable))) if usable else []
    slots: list[int | None] = [*taken, *([None] * draw(st.integers(0, 3)))]
    codes = [draw(records(number, slot)) for number, slot in enumerate(slots)]
    left = [slot for slot in usable if slot not in taken]
    some = st.lists(st.sampled_from(usable), unique=True, max_size=2) if usable else st.just([])
    unread = draw(st.lists(st.sampled_from(left), unique=True)) if left else []
    doubts = tuple(Doubt(slot, draw(st.booleans()), draw(INSTANTS)) for slot in draw(some))
    book = CodeBook(
        "a",
        unread=None if draw(st.integers(0, 5)) == 0 and not taken else tuple(sorted(unread)),
        doubts=doubts,
        hints=tuple(sorted(draw(some))),
        swept_slot=draw(st.integers(0, keypad.slots)),
        swept_at=draw(st.none() | INSTANTS),
    )
    return Case(codes, book, keypad)


@given(cases(), INSTANTS, st.booleans())
def test_a_plan_is_safe_whatever_it_is_made_of(case: Case, at: datetime, is_trusted: bool) -> None:  # noqa: FBT001 - drawn
    made = plan(case.codes, case.book, case.keypad, at, is_trusted=is_trusted)
    assert made == plan(case.codes, case.book, case.keypad, at, is_trusted=is_trusted), "by chance"
    other_way = plan(list(reversed(case.codes)), case.book, case.keypad, at, is_trusted=is_trusted)
    assert (made.steps, made.holds.keys(), made.wake_at) == (other_way.steps, other_way.holds.keys(), other_way.wake_at)
    assert list(made.steps) == sorted(made.steps, key=lambda step: (step.rank, step.due))
    slots = [step.slot for step in made.steps]
    assert len(slots) == len(set(slots)), "two steps for one slot"
    known, placed = {c.code_id: c for c in case.codes}, {c.placement.slot: c for c in case.codes if c.placement}
    doubted = {doubt.slot for doubt in case.book.doubts if doubt.is_used}
    for step in made.steps:
        assert 1 <= step.slot <= case.keypad.slots
        assert step.slot not in case.keypad.reserved_slots
        assert step.due <= at
        if step.kind == "read":
            continue
        about = known[step.code_id or ""]
        holder = placed.get(step.slot)
        assert holder is None or holder is about, "another code's slot"
        wanted = want(about, case.keypad, at, is_trusted=is_trusted)
        if step.kind == "clear":
            assert holder is about
            assert about.is_managed or about.deleted_at is not None, "what nobody wished"
            assert wanted is Want.OFF or about.placement is not None
        else:
            assert wanted is Want.ON
            assert about.is_managed
            assert is_trusted or about.starts_at is None, "somebody let in by a time that is in doubt"
        if step.kind == "set" and holder is None:
            assert case.book.is_known(step.slot)
            assert step.slot not in {*doubted, *case.book.hints}


@given(cases(), INSTANTS, st.booleans(), st.floats(0, 1, exclude_max=True))
def test_nothing_is_missed_by_sleeping_until_the_wake(
    case: Case,
    at: datetime,
    is_trusted: bool,  # noqa: FBT001 - drawn
    share: float,
) -> None:
    made = plan(case.codes, case.book, case.keypad, at, is_trusted=is_trusted)
    edges = [c.starts_at for c in case.codes if c.is_managed and not c.deleted_at and c.starts_at]
    edges += [c.ends_at for c in case.codes if c.is_managed and not c.deleted_at and c.ends_at]
    edges += [
        c.starts_at - PRELOAD
        for c in case.codes
        if c.is_managed and not c.deleted_at and c.starts_at and frame_for(c, case.keypad)
    ]
    ahead = [edge for edge in edges if edge > at]
    assert made.wake_at is None or made.wake_at > at
    assert not ahead or (made.wake_at is not None and made.wake_at <= min(ahead))
    if not made.steps:
        until = made.wake_at or at + timedelta(days=1000)
        meanwhile = at + (until - at) * share
        assert plan(case.codes, case.book, case.keypad, meanwhile, is_trusted=is_trusted).steps == ()


@given(cases(), INSTANTS, st.booleans())
def test_planning_twice_is_planning_once(case: Case, at: datetime, is_trusted: bool) -> None:  # noqa: FBT001 - drawn
    """Step by step, everything that can be done is done, and then nothing more."""
    codes, book = {c.code_id: c for c in case.codes if c.placement or not is_over(c, at)}, case.book
    most = 4 * (case.keypad.slots + len(codes))
    for _ in range(most):
        made = plan(list(codes.values()), book, case.keypad, at, is_trusted=is_trusted)
        if not made.steps:
            break
        book = apply(made.steps[0], codes, book, case.keypad, at)
    made = plan(list(codes.values()), book, case.keypad, at, is_trusted=is_trusted)
    assert made.steps == (), f"not done after {most} steps"
    free = set(range(1, case.keypad.slots + 1)) - set(case.keypad.reserved_slots)
    free -= {c.placement.slot for c in codes.values() if c.placement}
    free -= {doubt.slot for doubt in book.doubts if doubt.is_used}
    for each in codes.values():
        wanted, hold = want(each, case.keypad, at, is_trusted=is_trusted), made.holds.get(each.code_id)
        if hold is not None and hold.code == "duplicate":
            chain = [each.code_id]
            while hold is not None and hold.code == "duplicate":
                assert hold.conflict_id not in chain, "they wait for each other"
                chain.append(hold.conflict_id or "")
                hold = made.holds.get(chain[-1])
            first = codes[chain[-1]]
            is_free = want(first, case.keypad, at, is_trusted=is_trusted) is Want.ON
            assert hold is not None or not is_free or is_in_place(first, case.keypad), "it waits for what can be done"
        elif hold is not None and hold.code == "no_space":
            assert not free or book.unread
        elif wanted is Want.ON:
            assert is_in_place(each, case.keypad) or hold is not None
        elif wanted is Want.OFF:
            assert each.placement is None or hold == Hold("retry_later", retry_at(each, at))
