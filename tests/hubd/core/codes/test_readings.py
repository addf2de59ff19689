"""What a reading of one slot changes: whom it is believed of, and what somebody else did to the lock."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from hubd.core.codes.readings import DAY, bury, is_to_be_buried, place, take_off
from hubd.model import CodeChange, KeypadCapability
from hubd.model.event import (
    CodeCreated,
    CodeEdited,
    CodeGone,
    CodePlaced,
    CodeTakenOff,
    CodeTampered,
    Edit,
)
from hubd.store.codes import CodeBook, Doubt, Tampering, Trouble
from tests.hubd.core.codes.scene import DEVICE, OTHER, PIN, THIRD, Scene, frame, kinds
from tests.support.clock import NOON

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
MASKED = KeypadCapability(slots=4, tells_pins=False)


def later(scene: Scene, seconds: float = 3) -> None:
    scene.pass_time(scene.at + timedelta(seconds=seconds))


def twice(scene: Scene, slot: int, pin: str | None = None, **members: Any) -> list[Any]:
    """Read the same thing twice, far enough apart; return the events of both."""
    first = scene.read(slot, pin, **members)
    later(scene)
    return first + scene.read(slot, pin, **members)


# -- slots of which nothing was known


def test_the_first_reading_of_a_slot_is_believed() -> None:
    scene = Scene(is_read=False)
    events = scene.read(2, PIN)
    code = scene.only
    assert events == [CodeCreated(code_id=code.code_id, is_managed=False, slot=2)]
    assert (code.is_managed, scene.keeper.open(code)) == (False, PIN)
    assert scene.placed(code.code_id) == replace(scene.on(2), since=NOON)
    assert scene.book == CodeBook(DEVICE, unread=(1, 3, 4))
    assert scene.public == ["access_code.unmanaged.created"]


def test_an_empty_slot_is_known_and_no_event() -> None:
    scene = Scene(is_read=False)
    for slot in (1, 2, 3, 4):
        assert scene.read(slot) == []
    assert (scene.book.unread, scene.codes) == ((), [])


def test_a_pin_that_is_not_told_makes_a_code_without_one() -> None:
    scene = Scene(MASKED, is_read=False)
    scene.read(2, is_masked=True)
    code = scene.only
    assert (code.pin, scene.placed(code.code_id).mark, scene.placed(code.code_id).is_verified) == (None, None, False)


@pytest.mark.parametrize("slot", [0, 5, 99, 3])
def test_what_is_said_of_a_slot_that_is_not_the_hubs_changes_nothing(slot: int) -> None:
    scene = Scene(KeypadCapability(slots=4, reserved_slots=(3,)), is_read=False)
    assert twice(scene, slot, PIN) == []
    scene.hint("changed", slot)
    assert (scene.codes, scene.book) == ([], CodeBook(DEVICE))


def test_a_cache_says_where_to_look_first_and_where_there_is_no_hurry() -> None:
    scene = Scene(is_read=False)
    assert twice(scene, 2, PIN, is_cached=True) == []
    assert twice(scene, 3, is_cached=True) == []
    assert (scene.book.hints, scene.book.hearsay) == ((2,), (3,))
    assert not scene.book.is_known(2)
    assert kinds(scene.read(2, PIN)) == ["code.created"]
    scene.read(3)
    assert (scene.book.hints, scene.book.hearsay) == ((), ())


@pytest.mark.parametrize("pin", [None, OTHER])
def test_a_cache_that_differs_only_hints(pin: str | None) -> None:
    scene = Scene()
    scene.put(placement=scene.on(2))
    assert twice(scene, 2, pin, is_cached=True) == []
    assert (scene.book.hints, scene.book.doubts, scene.only.placement) == ((2,), (), scene.on(2))
    assert scene.read(2, PIN) == []
    assert scene.book.hints == ()


def test_a_cache_decides_no_command() -> None:
    scene = Scene()
    sent = scene.put(placement=scene.on(2, state="sent"))
    assert scene.read(2, is_cached=True) == []
    assert scene.only == sent


# -- two readings that agree


@pytest.mark.parametrize(
    ("pin", "kind"),
    [(None, "removed"), (OTHER, "changed")],
)
def test_a_change_is_believed_when_two_readings_agree(pin: str | None, kind: CodeChange) -> None:
    scene = Scene()
    scene.put(placement=scene.on(2))
    assert scene.read(2, pin) == []
    assert scene.only.placement == scene.on(2)
    assert [(doubt.slot, doubt.is_used) for doubt in scene.book.doubts] == [(2, pin is not None)]
    later(scene)
    assert scene.read(2, pin) == [CodeTampered(code_id="c", change=kind, slot=2)]
    assert scene.book.doubts == ()


def test_a_code_that_appears_is_believed_at_the_second_reading_too() -> None:
    scene = Scene()
    assert scene.read(3, PIN) == []
    assert scene.codes == []
    later(scene)
    assert kinds(scene.read(3, PIN)) == ["code.created"]


def test_two_readings_in_one_breath_are_one() -> None:
    scene = Scene()
    scene.put(placement=scene.on(2))
    for _ in range(5):
        assert scene.read(2) == []
    assert len(scene.book.doubts) == 1
    later(scene, 0.9)
    assert scene.read(2) == []
    later(scene, 1)
    assert kinds(scene.read(2)) == ["code.tampered"]


def test_readings_that_disagree_begin_anew() -> None:
    scene = Scene()
    scene.put(placement=scene.on(2))
    for pin in (OTHER, THIRD, None, OTHER):
        assert scene.read(2, pin) == []
        later(scene)
    assert len(scene.book.doubts) == 1
    assert kinds(scene.read(2, OTHER)) == ["code.tampered"]


def test_a_reading_as_it_should_be_ends_the_doubt() -> None:
    scene = Scene()
    scene.put(placement=scene.on(2))
    for pin in (OTHER, PIN, OTHER):
        assert scene.read(2, pin) == []
        later(scene)
    assert [doubt.mark for doubt in scene.book.doubts] == [scene.mark(OTHER)]


def test_the_pause_between_two_readings_goes_by_the_hubs_own_time() -> None:
    """Somebody sets the clock back between them; the hub counts on by itself."""
    scene = Scene()
    scene.put(placement=scene.on(2))
    scene.read(2)
    scene.at += 3 * SECOND
    scene.wall -= timedelta(days=1)
    assert kinds(scene.read(2)) == ["code.tampered"]


# -- hints


def test_of_a_slot_that_the_lock_hinted_at_one_reading_is_enough() -> None:
    scene = Scene()
    scene.put(placement=scene.on(2))
    scene.hint("removed", 2)
    assert kinds(scene.read(2)) == ["code.tampered"]
    assert (scene.book.hints, scene.book.doubts) == ((), ())


@pytest.mark.parametrize(("change", "slots"), [("removed", (2,)), ("added", (1, 4)), ("changed", (1, 2, 4))])
def test_a_hint_without_a_slot_is_at_all_that_it_may_mean(change: CodeChange, slots: tuple[int, ...]) -> None:
    scene = Scene(KeypadCapability(slots=4, reserved_slots=(3,)))
    scene.put(placement=scene.on(2))
    scene.hint(change)
    assert scene.book.hints == slots
    book = scene.book
    scene.hint(change, slots[0])
    assert scene.book is book


# -- commands whose end was not known


def test_a_reading_says_that_what_was_sent_is_there() -> None:
    scene = Scene()
    trouble = Trouble("failed_to_set_on_device", "It failed.", NOON, 2, NOON)
    scene.put(placement=scene.on(2, state="sent"), trouble=trouble, is_delay_told=True)
    assert scene.read(2, PIN) == [CodePlaced(code_id="c", slot=2)]
    assert (scene.placed("c").state, scene.only.trouble, scene.only.is_delay_told) == ("set", None, False)


def test_a_reading_says_that_what_was_sent_is_not_there() -> None:
    scene = Scene()
    scene.put(placement=scene.on(2, state="sent"))
    assert scene.read(2) == []
    assert scene.only.placement is None


def test_somebody_else_was_faster() -> None:
    """The slot was empty when the hub chose it. What is in it now is theirs, and the code goes elsewhere."""
    scene = Scene()
    scene.put(placement=scene.on(2, state="sent"))
    assert kinds(scene.read(2, OTHER)) == ["code.created"]
    ours, theirs = scene.codes if scene.codes[0].is_managed else reversed(scene.codes)
    assert (ours.placement, theirs.is_managed, scene.keeper.open(theirs)) == (None, False, OTHER)
    assert (scene.plan().steps[0].kind, scene.plan().steps[0].slot) == ("set", 1)


def test_what_was_sent_over_another_pin_did_not_arrive() -> None:
    scene = Scene()
    scene.put(placement=scene.on(2, state="sent", is_over=True))
    assert scene.read(2, OTHER) == []
    assert scene.placed("c") == scene.on(2, OTHER)
    assert (scene.plan().steps[0].kind, scene.plan().steps[0].slot) == ("set", 2)


def test_a_lock_that_does_not_tell_pins_says_that_something_is_there() -> None:
    scene = Scene(MASKED)
    scene.put(placement=scene.on(2, state="sent"))
    assert scene.read(2, is_masked=True) == [CodePlaced(code_id="c", slot=2, is_verified=False)]
    assert scene.plan().steps == ()
    assert twice(scene, 2, is_masked=True) == []


def test_a_lock_that_does_not_tell_pins_leaves_it_open_which_of_two_is_there() -> None:
    scene = Scene(MASKED)
    scene.put(placement=scene.on(2, state="sent", is_over=True))
    assert scene.read(2, is_masked=True) == []
    assert (scene.placed("c").state, scene.placed("c").mark) == ("set", None)
    assert scene.plan().steps[0].kind == "set"


@pytest.mark.parametrize("pin", [PIN, OTHER])
def test_a_slot_that_was_to_be_emptied_is_not(pin: str) -> None:
    scene = Scene()
    scene.put(placement=scene.on(2, state="clearing"), deleted_at=NOON)
    assert scene.read(2, pin) == []
    assert scene.placed("c") == scene.on(2, pin)
    assert (scene.plan().steps[0].kind, scene.plan().steps[0].slot) == ("clear", 2)


def test_a_slot_that_was_to_be_emptied_is_empty() -> None:
    scene = Scene()
    scene.put(placement=scene.on(2, state="clearing"), deleted_at=NOON, deleted_by="me")
    assert scene.read(2) == [
        CodeTakenOff(code_id="c", slot=2, reason="deleted"),
        CodeGone(code_id="c", reason="deleted", by="me"),
    ]
    assert scene.codes == []


def test_a_pin_that_the_lock_holds_and_does_not_open_for_is_not_set() -> None:
    scene = Scene()
    scene.put(placement=scene.on(2, state="sent"))
    assert scene.read(2, PIN, is_enabled=False) == []
    assert scene.plan().steps[0].kind == "set"


# -- what nobody wished of the hub


def test_a_foreign_code_changes_and_goes() -> None:
    scene = Scene()
    scene.put(placement=scene.on(2), is_managed=False)
    assert twice(scene, 2, OTHER) == [CodeEdited(code_id="c", edits=(Edit("code"),))] * 2
    assert scene.public == ["access_code.changed", "access_code.code_changed"]
    assert scene.keeper.open(scene.only) == OTHER
    assert twice(scene, 2) == [CodeGone(code_id="c", reason="removed_externally", is_managed=False)]
    assert scene.codes == []
    assert scene.public[-1] == "access_code.unmanaged.removed"


def test_a_foreign_code_that_is_switched_off_is_only_noted() -> None:
    scene = Scene()
    scene.put(placement=scene.on(2), is_managed=False)
    assert twice(scene, 2, PIN, is_enabled=False) == []
    assert scene.placed("c").is_enabled is False
    assert scene.plan().steps == ()


# -- changes of what the hub had set


@pytest.mark.parametrize("pin", [None, OTHER])
def test_what_somebody_changes_is_put_back(pin: str | None) -> None:
    scene = Scene()
    scene.put(placement=scene.on(2))
    twice(scene, 2, pin)
    code = scene.only
    assert code.placement == (None if pin is None else replace(scene.on(2, OTHER), since=scene.at))
    assert code.tampering == Tampering("removed" if pin is None else "modified", scene.at)
    assert (code.trouble, scene.book.foreign_changes) == (None, (scene.at,))
    assert scene.plan().steps[0].kind == "set"
    assert scene.keeper.open(code) == PIN


def test_what_is_changed_again_and_again_is_put_back_ever_later() -> None:
    scene = Scene()
    scene.put(placement=scene.on(2))
    rests = []
    for _ in range(6):
        twice(scene, 2)
        code = scene.only
        rests.append(0 if code.trouble is None else (code.trouble.retry_at - scene.at).total_seconds())
        scene.tables.put_code("c", replace(code, placement=scene.on(2), trouble=None))
    assert rests[0] == 0
    assert all(15 * 0.9 <= rest <= 1800 * 1.1 for rest in rests[1:])
    assert [round(rest, -1) for rest in rests] == sorted(round(rest, -1) for rest in rests)
    scene.tables.put_code("c", replace(scene.only, placement=scene.on(2), trouble=None))
    scene.pass_time(scene.at + DAY)
    twice(scene, 2)
    assert (scene.only.trouble, scene.only.tampering) == (None, Tampering("removed", scene.at))


def test_only_the_last_changes_of_a_day_are_remembered() -> None:
    scene = Scene()
    scene.put(placement=scene.on(2))
    for _ in range(14):
        twice(scene, 2)
        scene.tables.put_code("c", replace(scene.only, placement=scene.on(2)))
    assert len(scene.book.foreign_changes) == 10


def test_a_change_that_is_allowed_is_the_new_wish() -> None:
    scene = Scene()
    scene.put(placement=scene.on(2), is_external_modification_allowed=True)
    events = twice(scene, 2, OTHER)
    assert events == [
        CodeTampered(code_id="c", change="changed", slot=2, is_allowed=True),
        *[CodeEdited(code_id="c", edits=(Edit("code"),))] * 2,
    ]
    assert scene.keeper.open(scene.only) == OTHER
    assert scene.plan().steps == ()


def test_a_removal_that_is_allowed_is_the_end_of_the_code() -> None:
    scene = Scene()
    scene.put(placement=scene.on(2), is_external_modification_allowed=True)
    assert twice(scene, 2) == [
        CodeTampered(code_id="c", change="removed", slot=2, is_allowed=True),
        CodeGone(code_id="c", reason="removed_externally"),
    ]
    assert scene.codes == []


def test_a_code_that_is_switched_off_where_that_is_allowed_is_not_said_to_be_removed() -> None:
    """`CodeEdited` without edits stands for a removal that was asked for."""
    scene = Scene()
    scene.put(placement=scene.on(2), is_external_modification_allowed=True)
    events = twice(scene, 2, PIN, is_enabled=False)
    assert "access_code.mutations_requested" not in scene.public
    assert events == [CodeTampered(code_id="c", change="changed", slot=2, is_allowed=True)]


def test_a_change_to_what_nobody_can_read_is_put_back_even_if_changes_are_allowed() -> None:
    scene = Scene()
    scene.put(placement=scene.on(2, frame=frame(NOON, NOON + HOUR)), is_external_modification_allowed=True)
    twice(scene, 2, is_masked=True, frame=frame(NOON, NOON + 2 * HOUR))
    assert scene.only.tampering is not None
    assert scene.keeper.open(scene.only) == PIN


def test_a_code_that_works_once_and_was_used_is_over() -> None:
    """The lock drops it by itself; to set it again would let the guest in twice."""
    scene = Scene(KeypadCapability(slots=4, has_one_time=True))
    scene.put(placement=scene.on(2), is_one_time=True)
    assert twice(scene, 2) == [CodeGone(code_id="c", reason="ended")]
    assert scene.codes == []


# -- the ends


def test_what_is_not_there_cannot_be_placed_or_taken_off() -> None:
    scene = Scene()
    code = scene.put()
    for done in (
        lambda view: place(view, code, scene.keypad, NOON, is_verified=True),
        lambda view: take_off(view, code, NOON),
    ):
        assert scene.transact(done)[1] == []
    assert scene.only == code


def test_a_code_that_was_changed_while_it_was_sent_is_not_said_to_be_set() -> None:
    scene = Scene()
    code = scene.put(pin=OTHER, placement=scene.on(2, PIN, state="sent"))
    _, events = scene.transact(lambda view: place(view, code, scene.keypad, NOON, is_verified=True))
    assert (events, scene.placed("c").state) == ([], "set")
    assert scene.plan().steps[0].kind == "set"


@pytest.mark.parametrize(
    ("members", "at", "reason"),
    [
        ({"deleted_at": NOON}, NOON, "deleted"),
        ({"starts_at": NOON, "ends_at": NOON + HOUR}, NOON + HOUR, "ended"),
        ({"starts_at": NOON + HOUR, "ends_at": NOON + 2 * HOUR}, NOON, "not_begun"),
        ({}, NOON, "changed"),
    ],
)
def test_why_a_code_was_taken_off(members: Any, at: Any, reason: str) -> None:
    scene = Scene()
    code = scene.put(placement=scene.on(2), **members)
    _, events = scene.transact(lambda view: take_off(view, code, at))
    assert isinstance(events[0], CodeTakenOff)
    assert events[0].reason == reason
    gone = [event.reason for event in events if isinstance(event, CodeGone)]
    assert gone == ([reason] if reason in {"deleted", "ended"} else [])


def test_an_end_by_a_clock_that_is_in_doubt_buries_nobody() -> None:
    scene = Scene()
    over = scene.put(starts_at=NOON - HOUR, ends_at=NOON)
    assert not is_to_be_buried(over, NOON, is_trusted=False)
    assert scene.transact(lambda view: bury(view, over, NOON, is_trusted=False)) == (False, [])
    assert is_to_be_buried(replace(over, deleted_at=NOON), NOON, is_trusted=False)
    assert scene.transact(lambda view: bury(view, over, NOON)) == (True, [CodeGone(code_id="c", reason="ended")])


def test_an_end_that_nobody_is_to_hear_of_is_in_no_public_row() -> None:
    scene = Scene(is_managed=False)
    over = scene.put(deleted_at=NOON)
    assert kinds(scene.transact(lambda view: bury(view, over, NOON))[1]) == ["code.gone"]
    assert scene.public == [None]


def test_a_doubt_holds_no_pin() -> None:
    scene = Scene()
    scene.read(2, PIN)
    assert scene.book.doubts == (Doubt(2, True, NOON, scene.mark(PIN)),)  # noqa: FBT003 - as the record has it
    assert PIN not in repr(scene.book)


def test_readings_that_all_differ_are_counted_until_two_agree() -> None:
    scene = Scene()
    scene.put(placement=scene.on(1))
    for times, pin in enumerate((OTHER, THIRD, OTHER, THIRD), 1):
        assert scene.read(1, pin) == []
        assert [doubt.times for doubt in scene.book.doubts] == [times]
        scene.pass_time(scene.at + HOUR)
    assert kinds(scene.read(1, THIRD)) == ["code.tampered"]
    assert scene.book.doubts == ()


@pytest.mark.parametrize("pin", [None, PIN])
def test_a_code_in_a_slot_that_has_become_reserved_still_comes_off_its_lock(pin: str | None) -> None:
    scene = Scene(KeypadCapability(slots=4, reserved_slots=(3,)))
    scene.put(placement=scene.on(3, state="sent"), deleted_at=NOON)
    scene.read(3, pin)
    steps = [(step.kind, step.slot) for step in scene.plan().steps if step.code_id is not None]
    assert steps == ([] if pin is None else [("clear", 3)])
    if pin is None:
        assert scene.only.placement is None
