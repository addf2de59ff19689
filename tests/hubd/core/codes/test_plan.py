"""What is planned, by cases and by chance: random codes, keypads and instants, planned and carried out in memory."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from hubd.core.codes.plan import (
    DOUBT_PAUSE,
    FIRST_SWEEP,
    LONGEST_RETRY,
    PRELOAD,
    Hold,
    Pace,
    Want,
    frame_for,
    has_begun,
    is_in_place,
    is_over,
    plan,
    retry_at,
    want,
)
from hubd.core.lanes import Priority
from hubd.model import KeypadCapability, TimeFrame
from hubd.store.codes import CodeBook, CodeRecord, Doubt, Placement, Trouble
from tests.hubd.core.codes.obedient import apply
from tests.hubd.core.codes.plans import HOUR, NATIVE, PLAIN, READ, TICK, WINDOW, bound, code, on, steps, trouble
from tests.support.clock import NOON

# -- what is wanted, at the instant


@pytest.mark.parametrize(
    ("at", "wanted"),
    [
        (WINDOW[0] - TICK, Want.OFF),
        (WINDOW[0], Want.ON),
        (WINDOW[1] - TICK, Want.ON),
        (WINDOW[1], Want.OFF),
    ],
)
def test_a_code_is_wanted_from_its_first_instant_to_the_last_before_its_end(at: datetime, wanted: Want) -> None:
    assert want(bound(), PLAIN, at, is_trusted=True) is wanted
    assert is_over(bound(), at) is (at >= WINDOW[1])
    assert has_begun(bound(), at) is (at >= WINDOW[0])


@pytest.mark.parametrize(
    ("made", "keypad", "early", "wanted"),
    [
        (bound(), NATIVE, PRELOAD, Want.ON),
        (bound(), NATIVE, PRELOAD + TICK, Want.OFF),
        (bound(), PLAIN, PRELOAD, Want.OFF),
        (bound(prefers_native=False), NATIVE, PRELOAD, Want.OFF),
        (bound(prefers_native=False), NATIVE, timedelta(0), Want.ON),
    ],
)
def test_a_lock_of_its_own_schedules_has_a_code_exactly_so_long_before(
    made: CodeRecord, keypad: KeypadCapability, early: timedelta, wanted: Want
) -> None:
    assert want(made, keypad, NOON - early, is_trusted=True) is wanted


def test_what_nobody_wished_is_left_alone_until_somebody_has_it_removed() -> None:
    foreign = bound(is_managed=False, placement=on())
    for at in (WINDOW[0] - HOUR, WINDOW[0], WINDOW[1] + HOUR):
        assert want(foreign, PLAIN, at, is_trusted=True) is Want.KEEP
        assert not is_over(foreign, at)
    assert want(replace(foreign, deleted_at=NOON), PLAIN, NOON, is_trusted=False) is Want.OFF


@pytest.mark.parametrize(
    ("made", "at", "wanted"),
    [
        (bound(), WINDOW[0] + TICK, Want.KEEP),
        (bound(), WINDOW[1], Want.OFF),
        (bound(deleted_at=NOON), WINDOW[0] + TICK, Want.OFF),
        (code(), NOON, Want.ON),
        (code(ends_at=NOON), NOON, Want.OFF),
        (code(ends_at=NOON + TICK), NOON, Want.ON),
    ],
)
def test_while_the_time_is_in_doubt_nothing_begins_and_ends_happen(
    made: CodeRecord, at: datetime, wanted: Want
) -> None:
    assert want(made, PLAIN, at, is_trusted=False) is wanted


def test_while_the_time_is_in_doubt_nothing_is_loaded_ahead() -> None:
    assert want(bound(), NATIVE, NOON - HOUR, is_trusted=False) is Want.KEEP


def test_only_a_window_on_a_lock_that_keeps_it_is_given_to_the_lock() -> None:
    assert frame_for(bound(), NATIVE) == TimeFrame(*WINDOW)
    assert frame_for(bound(), PLAIN) is None
    assert frame_for(bound(prefers_native=False), NATIVE) is None
    assert frame_for(code(), NATIVE) is None
    assert frame_for(code(ends_at=NOON), NATIVE) is None


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (timedelta(), timedelta(), (NOON, NOON + HOUR)),
        (timedelta(seconds=59), timedelta(seconds=1), (NOON, NOON + HOUR + timedelta(minutes=1))),
        (timedelta(minutes=3, microseconds=1), TICK, (NOON + timedelta(minutes=3), NOON + HOUR + timedelta(minutes=1))),
    ],
)
def test_a_lock_is_given_whole_minutes_that_hold_all_that_is_wished(
    start: timedelta, end: timedelta, expected: tuple[datetime, datetime]
) -> None:
    made = code(starts_at=NOON + start, ends_at=NOON + HOUR + end)
    assert frame_for(made, NATIVE) == TimeFrame(*expected)
    assert is_in_place(replace(made, placement=on(frame=TimeFrame(*expected))), NATIVE)


def test_a_window_that_ends_after_the_years_of_locks_is_kept_by_the_hub() -> None:
    assert frame_for(code(starts_at=NOON, ends_at=datetime(2098, 12, 31, 23, 59, tzinfo=UTC)), NATIVE) is not None
    assert frame_for(code(starts_at=NOON, ends_at=datetime(2099, 1, 1, tzinfo=UTC)), NATIVE) is None


@pytest.mark.parametrize(
    ("placed", "fits"),
    [
        (None, False),
        (on(), True),
        (on(state="sent"), False),
        (on(state="clearing"), False),
        (on(mark=b"B"), False),
        (on(mark=None), False),
        (on(is_enabled=False), False),
        (on(frame=TimeFrame(*WINDOW)), False),
        (on(is_verified=False), True),
    ],
)
def test_a_slot_holds_exactly_what_is_wished_or_it_does_not(placed: Placement | None, *, fits: bool) -> None:
    assert is_in_place(code(placement=placed), PLAIN) is fits


def test_a_code_whose_pin_nobody_knows_is_in_place_by_being_there() -> None:
    assert is_in_place(replace(code(placement=on(mark=None)), pin=None), PLAIN)


def test_a_time_frame_that_the_lock_keeps_wrongly_is_not_in_place() -> None:
    right, wrong = TimeFrame(*WINDOW), TimeFrame(WINDOW[0], WINDOW[1] + TICK)
    assert is_in_place(bound(placement=on(frame=right)), NATIVE)
    assert not is_in_place(bound(placement=on(frame=wrong)), NATIVE)
    assert not is_in_place(bound(placement=on()), NATIVE)


@pytest.mark.parametrize(
    ("retry", "rests"),
    [
        (NOON - HOUR, False),
        (NOON, False),
        (NOON + TICK, True),
        (NOON + LONGEST_RETRY, True),
        (NOON + LONGEST_RETRY + TICK, False),
        (NOON + timedelta(days=365), False),
    ],
)
def test_a_rest_ends_on_time_and_a_clock_set_back_makes_none_longer(retry: datetime, *, rests: bool) -> None:
    assert retry_at(code(trouble=trouble(retry)), NOON) == (retry if rests else None)
    assert retry_at(code(), NOON) is None


# -- plans, by cases


def test_ends_go_first_then_starts_then_preloads_then_looking() -> None:
    later = {"starts_at": NOON + 2 * HOUR, "ends_at": NOON + 3 * HOUR}
    over = bound("over", b"C", placement=on(3, b"C"))
    late = bound("late", b"D", placement=on(4, b"D"))
    codes = [code("early", b"A", **later), code("due", b"B"), over, replace(late, ends_at=NOON + 2 * TICK)]
    keypad = replace(NATIVE, slots=6)
    made = plan(codes, replace(READ, hints=(6,), swept_at=WINDOW[1]), keypad, WINDOW[1])
    assert steps(made) == [
        ("clear", 4, "late"),
        ("clear", 3, "over"),
        ("set", 1, "due"),
        ("set", 2, "early"),
        ("read", 6, None),
    ]
    ranks = [step.rank for step in made.steps]
    assert ranks == [Priority.END, Priority.END, Priority.START, Priority.PRELOAD, Priority.SWEEP]


def test_who_was_due_first_has_the_last_free_slot() -> None:
    one = bound("one", b"A", changed_at=NOON - 2 * HOUR)
    two = code("two", b"B", changed_at=NOON - HOUR)
    made = plan([one, two], READ, KeypadCapability(slots=1), NOON)
    assert steps(made) == [("set", 1, "two")]
    assert made.holds == {"one": Hold("no_space")}


def test_an_unconfirmed_slot_is_read_before_anything_else_is_done_to_it() -> None:
    for state in ("sent", "clearing"):
        due = plan([code(placement=on(2, state=state))], READ, PLAIN, NOON)
        assert steps(due)[0] == ("read", 2, "c")
        assert due.steps[0].rank is Priority.START
        over = plan([bound(placement=on(2, state=state))], READ, PLAIN, WINDOW[1])
        assert (steps(over)[0], over.steps[0].rank) == (("read", 2, "c"), Priority.END)


def test_a_changed_pin_goes_over_the_old_one_in_its_own_slot() -> None:
    made = plan([code(placement=on(3, b"old"))], READ, PLAIN, NOON)
    assert steps(made)[0] == ("set", 3, "c")


def test_a_twin_on_the_lock_holds_a_code_back_and_is_named() -> None:
    foreign = code("f", b"A", is_managed=False, placement=on(2))
    made = plan([code(), foreign], READ, PLAIN, NOON)
    assert made.holds == {"c": Hold("duplicate", conflict_id="f")}
    assert [step for step in made.steps if step.kind == "set"] == []


@pytest.mark.parametrize("has_twin", [True, False])
def test_a_pin_that_was_changed_does_not_go_on_opening_because_the_new_one_has_to_wait(*, has_twin: bool) -> None:
    """Another slot holds the new one, as the hub knows, or as the lock says of a slot that it does not tell."""
    foreign = code("f", b"A", is_managed=False, placement=on(2))
    refused = Trouble("duplicate_code_on_device", "The lock has it.", NOON, 1, NOON + HOUR)
    changed = code(placement=on(3, b"old"), trouble=None if has_twin else refused)
    made = plan([changed, foreign] if has_twin else [changed], READ, PLAIN, NOON)
    assert steps(made)[0] == ("clear", 3, "c")
    assert (made.steps[0].rank, made.steps[0].takes_off) == (Priority.END, True)
    off = replace(changed, placement=None)
    assert plan([off, foreign] if has_twin else [off], READ, PLAIN, NOON).steps == ()


def test_a_twin_does_not_take_a_code_off_whose_pin_is_there_as_wished() -> None:
    foreign = code("f", b"A", is_managed=False, placement=on(2))
    made = plan([code(placement=on(3, is_enabled=False)), foreign], READ, PLAIN, NOON)
    assert made.steps == ()


def test_a_twin_that_goes_makes_way() -> None:
    old = code("old", b"A", deleted_at=NOON, placement=on(2))
    made = plan([code(), old], READ, PLAIN, NOON)
    assert steps(made)[0] == ("clear", 2, "old")
    assert made.holds == {"c": Hold("duplicate", conflict_id="old")}
    assert steps(plan([code()], READ, PLAIN, NOON))[0] == ("set", 1, "c")


@pytest.mark.parametrize("size", [2, 3])
def test_codes_that_change_pins_with_each_other_do_not_wait_for_each_other_for_ever(size: int) -> None:
    """On a lock that was away meanwhile, each wants the PIN that another one still has there."""
    marks = [bytes([65 + number]) for number in range(size)]
    codes = [
        code(str(number), marks[(number + 1) % size], placement=on(number + 1, mark))
        for number, mark in enumerate(marks)
    ]
    records, book = {each.code_id: each for each in codes}, READ
    for _ in range(3 * size):
        made = plan(list(records.values()), book, PLAIN, NOON)
        if not made.steps:
            break
        book = apply(made.steps[0], records, book, PLAIN, NOON)
    assert [is_in_place(each, PLAIN) for each in records.values()] == [True] * size


def test_a_slot_of_which_nothing_is_known_is_read_before_a_code_that_needs_it() -> None:
    made = plan([code()], CodeBook("a"), PLAIN, NOON)
    assert steps(made) == [("read", 1, None)]
    assert made.steps[0].rank is Priority.START
    assert made.holds == {"c": Hold("unknown_slots")}
    silent = CodeBook("a", swept_slot=1, swept_at=NOON)
    waiting = plan([code()], silent, PLAIN, NOON)
    assert steps(waiting) == [("read", 2, None)], "somebody waits: the next one at once"
    assert waiting.holds == {"c": Hold("unknown_slots")}


def test_the_first_round_is_quick_and_what_stays_untold_is_asked_slowly() -> None:
    pace = Pace(timedelta(hours=4))
    first = plan([], CodeBook("a", swept_slot=2, swept_at=NOON), PLAIN, NOON, pace=pace)
    assert (steps(first), first.wake_at) == ([], NOON + FIRST_SWEEP)
    untold = CodeBook("a", unread=(2,), swept_slot=4, swept_at=NOON)
    assert plan([], untold, PLAIN, NOON, pace=pace).wake_at == NOON + HOUR
    assert steps(plan([], untold, PLAIN, NOON + HOUR, pace=pace)) == [("read", 2, None)]


def test_a_round_takes_every_slot_in_turn_and_leaves_the_reserved_ones_out() -> None:
    keypad, book, read = replace(PLAIN, reserved_slots=(2,)), replace(READ, swept_at=NOON), []
    at = NOON
    for _ in range(4):
        wake = plan([], book, keypad, at).wake_at
        assert wake is not None
        at = wake
        (step,) = plan([], book, keypad, at).steps
        read.append(step.slot)
        book = replace(book, swept_slot=step.slot, swept_at=at)
    assert read == [1, 3, 4, 1]
    assert at == NOON + timedelta(hours=24)


def test_a_doubt_is_looked_into_after_a_pause_and_a_hint_at_once() -> None:
    doubt = Doubt(3, True, NOON, b"X")  # noqa: FBT003 - as the record has it
    book = replace(READ, swept_at=NOON, doubts=(doubt,))
    assert (plan([], book, PLAIN, NOON).steps, plan([], book, PLAIN, NOON).wake_at) == ((), NOON + DOUBT_PAUSE)
    assert steps(plan([], book, PLAIN, NOON + DOUBT_PAUSE)) == [("read", 3, None)]
    assert steps(plan([], replace(book, hints=(2,)), PLAIN, NOON)) == [("read", 2, None)]


def test_a_clock_set_back_by_years_does_not_stop_the_looking() -> None:
    book = replace(READ, swept_at=NOON, swept_slot=1, doubts=(Doubt(3, True, NOON),))  # noqa: FBT003 - see above
    made = plan([], book, PLAIN, NOON - timedelta(days=2000))
    assert {step.slot for step in made.steps} == {2, 3}


def test_a_failure_holds_its_code_and_no_other() -> None:
    failed = code("failed", b"A", trouble=trouble(NOON + HOUR / 2))
    made = plan([failed, code("other", b"B")], READ, PLAIN, NOON)
    assert made.holds == {"failed": Hold("retry_later", NOON + HOUR / 2)}
    assert [step.code_id for step in made.steps if step.kind == "set"] == ["other"]
    assert made.wake_at == NOON + HOUR / 2


def test_every_code_that_waits_says_why() -> None:
    made = plan([bound()], READ, PLAIN, NOON - HOUR)
    assert made.holds == {"c": Hold("not_begun", NOON)}
    assert made.wake_at == NOON
    assert plan([bound()], READ, PLAIN, NOON, is_trusted=False).holds == {"c": Hold("clock_not_trusted")}
    assert plan([bound(deleted_at=NOON)], READ, PLAIN, NOON).holds == {}


def test_a_slot_that_is_not_the_hubs_any_more_is_not_read_for_ever() -> None:
    book = replace(
        READ, swept_at=NOON, hints=(3, 9), doubts=tuple(Doubt(slot, is_used=True, at=NOON - HOUR) for slot in (3, 9))
    )
    shrunk = KeypadCapability(slots=4, reserved_slots=(3,))
    assert plan([], book, shrunk, NOON).steps == ()


def test_a_slot_that_tells_another_thing_each_time_is_asked_ever_more_seldom() -> None:
    doubts = [Doubt(1, is_used=True, at=NOON, mark=b"B", times=times) for times in (1, 2, 99)]
    wakes = [plan([], replace(READ, swept_at=NOON, doubts=(doubt,)), PLAIN, NOON).wake_at for doubt in doubts]
    assert wakes == [NOON + DOUBT_PAUSE, NOON + 4 * DOUBT_PAUSE, NOON + 1024 * DOUBT_PAUSE]


def test_a_keypad_without_slots_has_nothing_to_be_done() -> None:
    assert plan([code()], READ, KeypadCapability(slots=0), NOON).steps == ()


def test_with_a_step_goes_what_the_lock_may_still_open_for_though_it_is_over() -> None:
    codes = [
        code("new", b"A"),
        code("changed", b"B", placement=on(2, b"C")),
        code("gone", b"D", placement=on(3, b"D"), deleted_at=NOON),
    ]
    found = {step.code_id: step.takes_off for step in plan(codes, READ, PLAIN, NOON).steps if step.code_id}
    assert found == {"new": False, "changed": True, "gone": True}


def test_a_code_that_rests_without_a_slot_keeps_none_from_the_next_one() -> None:
    refused = code("refused", b"A", trouble=trouble(NOON + HOUR))
    found = plan([refused, code("next", b"B")], READ, KeypadCapability(slots=1), NOON)
    assert [step for step in steps(found) if step[2]] == [("set", 1, "next")]
    assert found.holds["refused"].code == "retry_later"
