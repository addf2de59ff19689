"""What an exchange leaves behind: each end of each step, with and without a reading; and, by chance, all of them."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from hubd.core.codes.exchange import TOLD_AFTER, Exchange, begin, end, is_answered
from hubd.core.codes.plan import Step
from hubd.core.lanes import Priority
from hubd.model import (
    ClearCode,
    CodeHintSeen,
    CodeSeen,
    KeypadCapability,
    Outcome,
    OutcomeKind,
    ReadCode,
    SetCode,
    done,
    expired,
    rejected,
    sent_unconfirmed,
    unreachable,
    unsupported,
)
from hubd.model.event import CodeFailed, CodePlaced
from hubd.store.codes import Placement, Trouble
from tests.hubd.core.codes.scene import DEVICE, OTHER, PIN, THIRD, Scene, frame, kinds
from tests.support.clock import NOON

HOUR = timedelta(hours=1)
MASKED = KeypadCapability(slots=4, tells_pins=False)
NATIVE = KeypadCapability(slots=4, has_schedules=True, has_one_time=True)

OUTCOMES = {
    OutcomeKind.DONE: done(),
    OutcomeKind.SENT_UNCONFIRMED: sent_unconfirmed("The lock did not answer."),
    OutcomeKind.REJECTED: rejected("device_refused", "The lock refused it."),
    OutcomeKind.UNSUPPORTED: unsupported("The lock does not know that."),
    OutcomeKind.UNREACHABLE: unreachable("gone", "It cannot be reached."),
    OutcomeKind.EXPIRED: expired("It was too late."),
}
FAILURES = [kind for kind in OUTCOMES if kind is not OutcomeKind.DONE]
UNSENT = {OutcomeKind.UNREACHABLE, OutcomeKind.EXPIRED}


def saying(outcome: Outcome, *seen: CodeSeen | CodeHintSeen) -> Outcome:
    return replace(outcome, seen=seen)


# -- what is asked


def test_a_set_carries_all_that_the_lock_needs_and_no_pin() -> None:
    scene = Scene(NATIVE)
    window = frame(NOON, NOON + HOUR)
    scene.put(name="Cleaner", starts_at=NOON, ends_at=NOON + HOUR, is_one_time=True)
    exchange = scene.begin()
    where = {"device_id": DEVICE, "native_id": DEVICE}
    assert exchange.command("pin_7") == SetCode(
        **where, slot=1, pin_ref="pin_7", name="Cleaner", frame=window, is_one_time=True
    )
    assert PIN not in repr(exchange)


def test_a_lock_is_not_asked_for_what_it_does_not_know() -> None:
    scene = Scene()
    scene.put(starts_at=NOON, ends_at=NOON + HOUR, is_one_time=True)
    command = scene.begin().command("pin_7")
    assert isinstance(command, SetCode)
    assert (command.frame, command.is_one_time) == (None, False)


def test_a_clear_and_a_read_name_their_slot() -> None:
    scene = Scene()
    scene.put(placement=scene.on(3), deleted_at=NOON)
    assert scene.begin().command("") == ClearCode(device_id=DEVICE, native_id=DEVICE, slot=3)
    look = scene.begin(Step(Priority.SWEEP, NOON, "read", 2))
    assert look.command("") == ReadCode(device_id=DEVICE, native_id=DEVICE, slot=2)


# -- what is durable before anything is sent


def test_a_set_is_written_down_before_it_is_sent() -> None:
    scene = Scene()
    scene.put()
    scene.begin()
    assert scene.placed("c") == Placement(1, "sent", NOON, scene.mark(PIN))
    assert scene.plan().steps[0].kind == "read"


def test_a_set_over_an_old_pin_is_written_down_as_such() -> None:
    scene = Scene()
    scene.put(placement=scene.on(2, OTHER))
    scene.begin()
    assert scene.placed("c") == Placement(2, "sent", NOON, scene.mark(PIN), is_over=True)


def test_a_clear_is_written_down_with_what_was_there() -> None:
    scene = Scene()
    scene.put(placement=scene.on(2), deleted_at=NOON)
    scene.begin()
    assert scene.placed("c") == scene.on(2, state="clearing")


def test_a_look_writes_nothing() -> None:
    scene = Scene()
    scene.begin(Step(Priority.SWEEP, NOON, "read", 2))
    assert scene.codes == []


def test_a_step_about_a_code_that_is_gone_is_none() -> None:
    scene = Scene()
    step = Step(Priority.START, NOON, "set", 1, "gone")
    assert scene.transact(lambda view: begin(view, step, scene.record, scene.keypad)) == (None, [])


# -- set


def setting(**members: Any) -> tuple[Scene, Exchange]:
    scene = Scene()
    scene.put(**members)
    return scene, scene.begin()


def test_a_set_that_was_read_back_is_set_and_verified() -> None:
    scene, exchange = setting()
    assert scene.end(exchange, saying(done(), scene.reading(1, PIN))) == [CodePlaced(code_id="c", slot=1)]
    assert scene.plan().steps == ()


def test_a_set_that_the_lock_itself_confirmed_is_set_and_not_verified() -> None:
    scene, exchange = setting()
    assert scene.end(exchange, done()) == [CodePlaced(code_id="c", slot=1, is_verified=False)]
    assert scene.plan().steps == ()


@pytest.mark.parametrize("kind", FAILURES)
@pytest.mark.parametrize("old", [None, OTHER])
def test_a_set_that_failed_leaves_the_slot_as_it_was_or_in_doubt(kind: OutcomeKind, old: str | None) -> None:
    scene = Scene()
    before = None if old is None else scene.on(2, old)
    scene.put(placement=before)
    events = scene.do(OUTCOMES[kind])
    code = scene.only
    if kind is OutcomeKind.SENT_UNCONFIRMED:
        assert code.placement is not None
        assert (code.placement.state, code.placement.is_over) == ("sent", old is not None)
        assert events == [], "chance: it is tried again before anybody is told"
    else:
        assert code.placement == before
        assert events == (
            []
            if kind in UNSENT
            else [CodeFailed(code_id="c", error_code="failed_to_set_on_device", message=OUTCOMES[kind].message)]
        )
    assert (code.trouble is None) is (kind in UNSENT)
    assert {step.kind for step in scene.plan().steps} <= ({"set"} if kind in UNSENT else set())


@pytest.mark.parametrize("kind", FAILURES)
def test_a_set_that_is_read_back_is_set_whatever_was_said(kind: OutcomeKind) -> None:
    """Some locks answer with an error and store the PIN all the same."""
    scene, exchange = setting()
    assert scene.end(exchange, saying(OUTCOMES[kind], scene.reading(1, PIN))) == [CodePlaced(code_id="c", slot=1)]
    assert (scene.placed("c").state, scene.only.trouble) == ("set", None)


@pytest.mark.parametrize("kind", FAILURES)
def test_a_set_that_is_read_back_as_not_there_failed(kind: OutcomeKind) -> None:
    scene, exchange = setting()
    scene.end(exchange, saying(OUTCOMES[kind], scene.reading(1)))
    assert scene.only.placement is None
    assert (scene.only.trouble is None) is (kind in UNSENT)


@pytest.mark.parametrize("held", [None, OTHER])
@pytest.mark.parametrize("old", [None, THIRD])
def test_a_lock_that_says_done_and_holds_something_else_is_given_time(held: str | None, old: str | None) -> None:
    """It is neither asked again at once for ever, nor given the PIN in one slot after the other."""
    scene = Scene()
    scene.put(placement=None if old is None else scene.on(1, old))
    for attempt in range(1, 6):
        (step,) = scene.plan().steps
        assert (step.kind, step.slot) == ("set", 1)
        scene.do(saying(done(), scene.reading(1, held)))
        assert scene.only.trouble is not None
        assert scene.only.trouble.attempts == attempt
        assert scene.plan().steps == (), "it is asked again without a pause"
        scene.pass_time(scene.only.trouble.retry_at)
    assert [code.is_managed for code in scene.codes] == [True]
    scene.wishes(lambda desk: desk.delete("c"))
    assert [step.kind for step in scene.plan().steps] == ([] if held is None else ["clear"])


def test_a_lock_that_says_done_and_does_not_open_for_it_is_given_time() -> None:
    scene, exchange = setting()
    scene.end(exchange, saying(done(), scene.reading(1, PIN, is_enabled=False)))
    assert scene.only.trouble is not None
    assert scene.plan().steps == ()


@pytest.mark.parametrize("old", [None, OTHER])
def test_a_lock_that_answers_with_stars_is_believed_and_not_asked_in_a_loop(old: str | None) -> None:
    scene = Scene(MASKED)
    scene.put(placement=None if old is None else scene.on(1, old))
    events = scene.do(saying(done(), scene.reading(1, is_masked=True)))
    assert events == [CodePlaced(code_id="c", slot=1, is_verified=False)]
    assert (scene.only.trouble, scene.plan().steps) == (None, ())


# -- clear


@pytest.mark.parametrize("seen", [True, False])
def test_a_cleared_slot_is_empty_and_the_code_gone(*, seen: bool) -> None:
    scene = Scene()
    scene.put(placement=scene.on(2), deleted_at=NOON)
    outcome = saying(done(), scene.reading(2)) if seen else done()
    assert kinds(scene.do(outcome)) == ["code.taken_off", "code.gone"]
    assert scene.codes == []


@pytest.mark.parametrize("kind", FAILURES)
def test_a_clear_that_failed_leaves_the_slot_as_it_was_or_in_doubt(kind: OutcomeKind) -> None:
    scene = Scene()
    scene.put(placement=scene.on(2), starts_at=NOON - HOUR, ends_at=NOON)
    scene.do(OUTCOMES[kind])
    is_open = kind is OutcomeKind.SENT_UNCONFIRMED
    assert scene.placed("c") == scene.on(2, state="clearing" if is_open else "set")
    trouble = scene.only.trouble
    assert (None if trouble is None else trouble.code) == (None if kind in UNSENT else "failed_to_remove_from_device")


@pytest.mark.parametrize("kind", FAILURES)
def test_a_slot_that_is_read_as_empty_is_cleared_whatever_was_said(kind: OutcomeKind) -> None:
    scene = Scene()
    scene.put(placement=scene.on(2), starts_at=NOON + HOUR, ends_at=NOON + 2 * HOUR)
    scene.do(saying(OUTCOMES[kind], scene.reading(2)))
    assert (scene.only.placement, scene.only.trouble) == (None, None)


def test_a_lock_that_says_done_and_keeps_the_code_is_given_time() -> None:
    scene = Scene()
    scene.put(placement=scene.on(2), starts_at=NOON - HOUR, ends_at=NOON)
    scene.do(saying(done(), scene.reading(2, PIN)))
    trouble = scene.only.trouble
    assert trouble is not None
    assert trouble.code == "failed_to_remove_from_device"
    assert scene.plan().steps == ()
    scene.pass_time(trouble.retry_at)
    assert [step.kind for step in scene.plan().steps] == ["clear"]


# -- read


@pytest.mark.parametrize("state", ["sent", "clearing"])
@pytest.mark.parametrize("kind", OUTCOMES)
def test_a_reading_that_tells_nothing_leaves_it_open_and_is_asked_for_later(state: Any, kind: OutcomeKind) -> None:
    scene = Scene()
    open_ = scene.on(2, state=state)
    scene.put(placement=open_, deleted_at=NOON if state == "clearing" else None)
    scene.do(OUTCOMES[kind])
    assert scene.placed("c") == open_
    assert (scene.only.trouble is None) is (kind in UNSENT)
    assert len(scene.plan().steps) == (1 if kind in UNSENT else 0)


@pytest.mark.parametrize("kind", OUTCOMES)
def test_a_reading_that_tells_it_decides_whatever_was_said(kind: OutcomeKind) -> None:
    scene = Scene()
    scene.put(placement=scene.on(2, state="sent"))
    scene.do(saying(OUTCOMES[kind], scene.reading(2, PIN)))
    assert (scene.placed("c").state, scene.only.trouble) == ("set", None)


def test_what_is_told_of_other_slots_counts_too() -> None:
    scene = Scene(is_read=False)
    step = Step(Priority.SWEEP, NOON, "read", 2)
    hint = CodeHintSeen(native_id=DEVICE, change="changed", slot=4)
    scene.end(scene.begin(step), saying(done(), scene.reading(2), scene.reading(3, PIN), hint))
    assert (scene.book.unread, scene.book.hints) == ((1, 4), (4,))
    assert [code.placement and code.placement.slot for code in scene.codes] == [3]


@pytest.mark.parametrize("kind", OUTCOMES)
def test_the_round_goes_on_where_the_lock_answered(kind: OutcomeKind) -> None:
    scene = Scene(is_read=False)
    scene.end(scene.begin(), OUTCOMES[kind])
    is_answer = kind in {OutcomeKind.DONE, OutcomeKind.REJECTED}
    assert (scene.book.swept_slot, scene.book.swept_at) == ((1, NOON) if is_answer else (0, None))


def test_the_round_goes_by_the_hubs_own_time() -> None:
    """Somebody sets the clock back by a day: the locks are not read without a pause until the hub catches up."""
    scene = Scene(is_read=False)
    scene.wall -= timedelta(days=1)
    scene.do(done())
    assert scene.plan().steps == ()
    scene.wall += timedelta(days=2)
    scene.at += timedelta(seconds=2)
    scene.do(done())
    assert scene.plan().wake_at == scene.at + timedelta(seconds=2)


@pytest.mark.parametrize("days", [-1, 1, -0.01, 0.01])
def test_rests_go_by_the_hubs_own_time(days: float) -> None:
    scene, exchange = setting()
    scene.wall += timedelta(days=days)
    scene.end(exchange, rejected("device_refused", "No."))
    assert scene.plan().steps == ()
    scene.at += timedelta(seconds=6)
    assert [step.kind for step in scene.plan().steps] == ["set"]


@pytest.mark.parametrize(
    ("kind", "seen", "answered"),
    [("read", 2, True), ("read", 3, False), ("read", None, False), ("set", None, True), ("clear", None, True)],
)
def test_a_lock_has_answered_a_question_if_it_says_what_the_slot_holds(
    kind: Any, seen: int | None, *, answered: bool
) -> None:
    scene = Scene()
    exchange = Exchange(Step(Priority.SWEEP, NOON, kind, 2), scene.record, scene.keypad)
    said = () if seen is None else (scene.reading(seen),)
    assert is_answered(exchange, saying(done(), *said)) is answered


# -- duplicates


DUPLICATE = rejected("duplicate_code", "The lock has this PIN in another slot.")


def test_a_pin_that_the_hub_chose_is_drawn_anew_and_tried_at_once() -> None:
    scene = Scene()
    scene.put(is_pin_chosen=False)
    scene.do(DUPLICATE)
    assert scene.keeper.open(scene.only) != PIN
    assert scene.only.placement is None
    assert [step.kind for step in scene.plan().steps] == ["set"]
    drawn = scene.keeper.open(scene.only)
    scene.do(saying(done(), scene.reading(1, drawn)))
    assert scene.only.trouble is None


def test_a_lock_that_calls_every_pin_a_duplicate_is_given_time() -> None:
    scene = Scene()
    scene.put(is_pin_chosen=False)
    told: list[str] = []
    for attempt in range(1, 5):
        told += [kind for kind in kinds(scene.do(DUPLICATE)) if kind == "code.failed"]
        assert scene.only.trouble is not None
        assert scene.only.trouble.attempts == attempt
        assert bool(scene.plan().steps) is (attempt == 1)
        scene.pass_time(scene.only.trouble.retry_at)
    assert told == ["code.failed"]


def test_without_a_pin_that_is_left_it_is_a_duplicate_like_any_other() -> None:
    scene = Scene(KeypadCapability(slots=12, min_length=1, max_length=1))
    for digit in range(10):
        scene.put(str(digit), str(digit), placement=scene.on(digit + 1, str(digit)), is_managed=False)
    scene.put(pin="5", is_pin_chosen=False)
    exchange = scene.begin(Step(Priority.START, NOON, "set", 11, "c"))
    scene.end(exchange, DUPLICATE)
    code = scene.code("c")
    assert code.trouble is not None
    assert (code.trouble.code, code.trouble.conflict_id) == ("duplicate_code_on_device", "5")


def test_a_pin_that_somebody_chose_stays_and_the_twin_is_named() -> None:
    scene = Scene()
    scene.put(is_pin_chosen=True)
    exchange = scene.begin()
    twin = scene.put("twin", placement=scene.on(3), is_managed=False)
    events = scene.end(exchange, DUPLICATE)
    assert [event.error_code for event in events if isinstance(event, CodeFailed)] == ["duplicate_code_on_device"]
    code = scene.code("c")
    assert (scene.keeper.open(code), code.placement) == (PIN, None)
    assert code.trouble is not None
    assert code.trouble.conflict_id == twin.code_id


def test_a_full_lock_is_told_as_such() -> None:
    scene, exchange = setting()
    scene.end(exchange, rejected("no_space", "The lock is full."))
    assert scene.only.trouble is not None
    assert scene.only.trouble.code == "no_space_for_access_code_on_device"


def test_what_may_be_chance_is_told_after_some_failures_and_once() -> None:
    scene = Scene()
    scene.put()
    told = []
    for _ in range(TOLD_AFTER + 3):
        told.append(kinds(scene.do(sent_unconfirmed("No answer."))))
        assert scene.only.trouble is not None
        assert scene.only.trouble.since == NOON
        scene.pass_time(scene.only.trouble.retry_at)
    assert told == [[]] * (TOLD_AFTER - 1) + [["code.failed"]] + [[]] * 3


def test_a_lock_that_gives_another_reason_each_time_rests_as_long_as_any_other() -> None:
    scene = Scene()
    scene.put()
    tries = 0
    while scene.at < NOON + HOUR:
        made = scene.plan()
        if not made.steps:
            assert made.wake_at is not None
            scene.pass_time(made.wake_at)
            continue
        tries += 1
        scene.do(rejected("no_space" if tries % 2 else "device_refused", "No."))
    assert tries < 10


def test_a_failure_to_set_says_nothing_of_failures_to_remove() -> None:
    scene = Scene()
    scene.put(placement=scene.on(1), trouble=Trouble("duplicate_code_on_device", "x", NOON - HOUR, 7, NOON))
    scene.put(placement=scene.on(1), trouble=scene.only.trouble, deleted_at=NOON)
    scene.do(rejected("device_refused", "No."))
    assert scene.only.trouble is not None
    assert (scene.only.trouble.attempts, scene.only.trouble.since) == (1, NOON)


def test_a_refusal_is_told_also_after_a_failure_that_may_have_been_chance() -> None:
    scene = Scene()
    scene.put()
    assert scene.do(sent_unconfirmed("The lock did not answer.")) == []
    scene.pass_time(NOON + HOUR)
    assert scene.do(saying(done(), scene.reading(1))) == []
    assert kinds(scene.do(rejected("device_refused", "No."))) == ["code.failed"]
    scene.pass_time(NOON + 2 * HOUR)
    assert scene.do(rejected("device_refused", "No.")) == []


@pytest.mark.parametrize("code", ["no_space", "duplicate_code"])
def test_a_lock_that_refuses_a_removal_with_the_words_for_a_setting_is_not_asked_without_a_pause(code: str) -> None:
    scene = Scene()
    scene.put(placement=scene.on(1), deleted_at=NOON)
    scene.do(rejected(code, "No."))
    assert scene.only.trouble is not None
    assert scene.only.trouble.code == "failed_to_remove_from_device"
    assert [step for step in scene.plan().steps if step.kind == "clear"] == []


# -- what changes while an exchange is under way


def test_a_wish_that_changes_meanwhile_is_seen_to_next() -> None:
    scene, exchange = setting()
    scene.put(pin=OTHER, placement=scene.placed("c"))
    scene.end(exchange, saying(done(), scene.reading(1, PIN)))
    assert scene.only.trouble is None
    assert [(step.kind, step.slot) for step in scene.plan().steps] == [("set", 1)]


def test_a_code_that_is_deleted_meanwhile_is_taken_off_next() -> None:
    scene, exchange = setting()
    scene.wishes(lambda desk: desk.delete("c"))
    scene.end(exchange, saying(done(), scene.reading(1, PIN)))
    assert scene.plan().steps[0].kind == "clear"
    scene.do(done())
    assert scene.codes == []


def test_what_a_lock_says_whose_place_was_taken_is_of_no_use() -> None:
    scene, exchange = setting()
    device = scene.record.device
    moved = replace(device, description=replace(device.description, native_id="new"))
    scene.tables.put_device(replace(scene.record, device=moved))
    assert scene.end(exchange, saying(done(), scene.reading(1, PIN))) == []
    assert scene.placed("c").state == "sent"


def test_a_code_that_vanished_meanwhile_is_no_matter() -> None:
    scene, exchange = setting()
    scene.tables.put_code("c", None)
    assert scene.end(exchange, sent_unconfirmed("No answer.")) == []
    outcome = done()
    end_of = scene.transact(lambda view: end(view, exchange, outcome, scene.keeper, NOON))
    assert end_of == (None, [])
