"""What may be wished, what is refused and in which words, and that a wish twice is a wish once."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from hubd.core.codes.wishes import Change, Wish, Wishes
from hubd.model import Capabilities, KeypadCapability, LockCapability
from hubd.model.errors import InvalidInputError
from hubd.model.event import CodeConverted, CodeGone
from hubd.store.codes import CodeRecord, Constraints, Tampering, Trouble
from tests.hubd.core.codes.scene import DEVICE, OTHER, PIN, THIRD, Scene, frame
from tests.hubd.core.codes.wishing import HOUR, LATER, TICK, WINDOW, not_changed, not_made, refused, update
from tests.support.clock import NOON

# -- making


def test_a_wish_is_kept_as_it_was_made() -> None:
    scene = Scene(KeypadCapability(slots=4, has_one_time=True))
    members = WINDOW | {"name": "Cleaner", "common_code_key": "k", "is_external_modification_allowed": True}
    code = scene.wish(pin=PIN, prefers_native=False, is_one_time=True, **members)
    assert scene.code(code.code_id) == code
    assert (code.created_by, code.created_at, code.changed_at) == ("me", NOON, NOON)
    assert {name: getattr(code, name) for name in members} == members
    assert (code.is_pin_chosen, code.prefers_native, code.is_one_time, code.is_managed) == (True, False, True, True)
    assert scene.keeper.open(code) == PIN
    assert scene.public == ["access_code.created"]
    assert len(scene.history) == 1


def test_a_wish_shows_no_pin() -> None:
    assert PIN not in f"{Wish(device_id='a', pin=PIN)!r}{Change(pin=PIN)!r}"
    assert "Cleaner" in repr(Wish(device_id="a", name="Cleaner"))


def test_the_hub_chooses_a_pin_of_the_length_that_is_preferred() -> None:
    scene = Scene()
    drawn = [scene.keeper.open(scene.wish(preferred_length=length)) for length in (4, 8, None)]
    assert [len(pin or "") for pin in drawn] == [4, 8, 6]
    assert not any(code.is_pin_chosen for code in scene.codes)


def test_a_report_of_lengths_counts_from_then_on() -> None:
    scene = Scene()
    scene.wishes(lambda desk: desk.report(DEVICE, Constraints(lengths=(5,))))
    assert len(scene.keeper.open(scene.wish()) or "") == 5
    assert not_made(scene, pin=PIN).code == "invalid_input"


@pytest.mark.parametrize(
    ("members", "field", "reason"),
    [
        ({"starts_at": NOON}, "ends_at", "is needed"),
        ({"ends_at": NOON + HOUR}, "starts_at", "is needed"),
        ({"starts_at": NOON, "ends_at": NOON}, "ends_at", "later than"),
        ({"starts_at": NOON + HOUR, "ends_at": NOON}, "ends_at", "later than"),
        ({"starts_at": NOON - HOUR, "ends_at": NOON}, "ends_at", "is past"),
        ({"pin": "12a4"}, "code", "digits"),
        ({"pin": "123"}, "code", "4 to 8 digits"),
        ({"pin": "\uff11\uff12\uff13\uff14"}, "code", "digits"),
        ({"pin": ""}, "code", "4 to 8 digits"),
    ],
)
def test_what_cannot_be_is_invalid_input(members: Any, field: str, reason: str) -> None:
    error = not_made(Scene(), **members)
    assert isinstance(error, InvalidInputError)
    assert error.field == field
    assert reason in error.reason


def test_a_window_that_ends_just_after_now_may_be() -> None:
    assert Scene().wish(starts_at=NOON - HOUR, ends_at=NOON + TICK).ends_at == NOON + TICK


def test_what_is_past_goes_by_the_hubs_own_time() -> None:
    scene = Scene()
    scene.wall += timedelta(days=1)
    assert scene.wish(**WINDOW).placement is None


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"removed_at": NOON}, "device_not_found"),
        ({"is_managed": False}, "device_unmanaged"),
    ],
)
def test_a_device_that_is_gone_or_not_managed_takes_no_code(change: Any, code: str) -> None:
    scene = Scene()
    scene.put(placement=scene.on(1))
    scene.tables.put_device(replace(scene.record, **change))
    assert not_made(scene).code == code
    assert not_changed(scene, name="x").code == code


def test_a_device_without_a_keypad_names_its_flag() -> None:
    scene = Scene()
    device = scene.record.device
    bare = replace(device.description, capabilities=Capabilities(lock=LockCapability()))
    scene.tables.put_device(replace(scene.record, device=replace(device, description=bare)))
    error = not_made(scene)
    assert (error.code, error.data["flag"]) == ("not_supported", "can_program_online_access_codes")


def test_a_device_that_was_never_there() -> None:
    assert refused(Scene(), lambda desk: desk.create(Wish(device_id="b"))).code == "device_not_found"


def test_a_code_that_works_once_needs_a_lock_that_knows_it() -> None:
    assert not_made(Scene(), is_one_time=True).code == "one_time_code_not_supported"


# -- twins


@pytest.mark.parametrize(
    ("known", "wished", "is_taken"),
    [
        ({}, {}, True),
        (WINDOW, {}, True),
        ({}, LATER, True),
        (WINDOW, LATER, False),
        (LATER, WINDOW, False),
        (WINDOW, WINDOW, True),
        (WINDOW, LATER | {"starts_at": NOON + HOUR - TICK}, True),
        (WINDOW | {"is_managed": False}, LATER, True),
        (WINDOW | {"deleted_at": NOON}, WINDOW, False),
    ],
)
def test_two_codes_may_have_one_pin_at_different_times(known: Any, wished: Any, *, is_taken: bool) -> None:
    scene = Scene()
    twin = scene.put("twin", placement=scene.on(1), **known)
    if not is_taken:
        assert scene.wish(pin=PIN, **wished).code_id != "twin"
        return
    error = not_made(scene, pin=PIN, **wished)
    whose = "managed" if twin.is_managed else "unmanaged"
    assert (error.code, error.data[f"{whose}_access_code_id"]) == ("duplicate_access_code", "twin")


def test_a_code_is_no_twin_of_itself() -> None:
    scene = Scene()
    scene.put(placement=scene.on(2), **WINDOW)
    assert update(scene, pin=PIN) == scene.only
    assert update(scene, pin=PIN, **LATER).ends_at == LATER["ends_at"]


def test_a_time_that_moves_onto_a_twin_is_refused() -> None:
    scene = Scene()
    scene.put("one", **WINDOW)
    scene.put("two", **LATER)
    error = not_changed(scene, "two", starts_at=NOON)
    assert (error.code, error.data["managed_access_code_id"]) == ("duplicate_access_code", "one")


def test_the_hub_never_chooses_a_pin_that_another_code_has_at_any_time() -> None:
    scene = Scene(KeypadCapability(slots=12, min_length=1, max_length=1))
    for digit in range(9):
        scene.put(str(digit), str(digit), starts_at=NOON + timedelta(days=digit), ends_at=NOON + timedelta(days=99))
    assert scene.keeper.open(scene.wish(starts_at=NOON, ends_at=NOON + TICK)) == "9"
    assert not_made(scene).code == "no_pin_left"


def test_a_lock_that_tells_pins_apart_by_four_digits_is_asked_for_no_others() -> None:
    scene = Scene(KeypadCapability(slots=4, rules=("unique_first_four_digits",)))
    scene.wish(pin="48213077")
    error = not_made(scene, pin="482199")
    assert (error.code, error.data) == ("invalid_input", {"field": "code"})
    assert scene.wish(pin="482299").is_managed


def test_a_time_that_moves_onto_a_pin_of_the_same_first_digits_is_refused() -> None:
    scene = Scene(KeypadCapability(slots=4, rules=("unique_first_four_digits",)))
    scene.put("one", "48213077", **WINDOW)
    scene.put("two", "482199", **LATER)
    assert not_changed(scene, "two", starts_at=NOON).data == {"field": "code"}
    assert update(scene, "two", ends_at=NOON + 9 * HOUR).ends_at == NOON + 9 * HOUR


# -- room


def test_a_full_lock_says_what_it_is_full_of() -> None:
    scene = Scene(KeypadCapability(slots=3, reserved_slots=(3,)))
    scene.put("a", THIRD, name="Cleaner", placement=scene.on(1, THIRD))
    scene.put("b", OTHER, is_managed=False, placement=scene.on(2, OTHER))
    error = not_made(scene)
    assert error.code == "no_space_for_access_code_on_device"
    assert "holds 2 codes" in error.message
    assert "Cleaner, slot 2" in error.message


def test_room_is_a_matter_of_the_time() -> None:
    scene = Scene(KeypadCapability(slots=1))
    scene.put(**WINDOW)
    assert not_made(scene, starts_at=NOON + HOUR - TICK, ends_at=NOON + 2 * HOUR).code.startswith("no_space")
    later = scene.wish(**LATER)
    assert not_changed(scene, later.code_id, starts_at=NOON).code.startswith("no_space")
    assert update(scene, later.code_id, ends_at=NOON + 9 * HOUR).ends_at == NOON + 9 * HOUR


def test_a_code_that_is_being_deleted_takes_no_room() -> None:
    scene = Scene(KeypadCapability(slots=1))
    scene.put(placement=scene.on(1), deleted_at=NOON)
    assert scene.wish(pin=OTHER).placement is None


# -- changing


def test_a_change_keeps_the_code_and_its_slot() -> None:
    scene = Scene()
    trouble = Trouble("failed_to_set_on_device", "It failed.", NOON, 3, NOON + HOUR)
    scene.put(placement=scene.on(3), trouble=trouble, is_delay_told=True, **LATER)
    scene.pass_time(NOON + TICK)
    after = update(scene, starts_at=NOON, name="Guest", pin=OTHER)
    assert (after.code_id, after.placement, after.changed_at) == ("c", scene.on(3), NOON + TICK)
    assert (after.trouble, after.is_delay_told, after.is_pin_chosen) == (None, False, True)
    assert scene.keeper.open(after) == OTHER
    assert [(step.kind, step.slot) for step in scene.plan().steps] == [("set", 3)]
    assert scene.public == [
        f"access_code.{kind}" for kind in ("changed", "name_changed", "time_frame_changed", "code_changed")
    ]


def test_a_start_that_moves_into_the_future_takes_the_code_off() -> None:
    scene = Scene()
    scene.put(placement=scene.on(3), **WINDOW)
    update(scene, starts_at=NOON + HOUR / 2)
    assert [(step.kind, step.slot) for step in scene.plan().steps] == [("clear", 3)]


def test_a_code_becomes_ongoing_and_time_bound_again() -> None:
    scene = Scene()
    scene.put(**WINDOW)
    assert update(scene, starts_at=None, ends_at=None).ends_at is None
    assert not_changed(scene, ends_at=NOON + HOUR).data == {"field": "starts_at"}
    assert update(scene, **WINDOW).ends_at == NOON + HOUR


def test_a_change_that_changes_nothing_is_no_event() -> None:
    scene = Scene()
    before = scene.put(name="Guest", is_pin_chosen=True, **WINDOW)
    assert update(scene, name="Guest", pin=PIN, **WINDOW) == before
    assert scene.public == []


def test_a_code_that_has_ended_and_is_still_on_its_lock_can_be_prolonged() -> None:
    scene = Scene()
    scene.put(placement=scene.on(2), **WINDOW)
    scene.pass_time(NOON + 2 * HOUR)
    assert [step.kind for step in scene.plan().steps][:1] == ["clear"]
    update(scene, ends_at=NOON + 3 * HOUR)
    assert [step.kind for step in scene.plan().steps if step.code_id] == []


@pytest.mark.parametrize("change", [{"name": "x"}, {"pin": OTHER}])
def test_a_code_that_is_being_deleted_cannot_be_changed(change: Any) -> None:
    scene = Scene()
    scene.put(placement=scene.on(2), deleted_at=NOON)
    assert not_changed(scene, **change).code == "access_code_being_deleted"
    for other in (
        lambda desk: desk.convert("c", is_managed=False),
        lambda desk: desk.pull_backup("c"),
    ):
        assert refused(scene, other).code == "access_code_being_deleted"


def test_only_a_managed_code_is_changed_by_its_id() -> None:
    scene = Scene()
    scene.put(is_managed=False, placement=scene.on(1))
    for code_id in ("c", "gone"):
        error = not_changed(scene, code_id, name="x")
        assert (error.code, error.data) == ("access_code_not_found", {"access_code_id": code_id})
    assert refused(scene, lambda desk: desk.delete("c")).code == "access_code_not_found"


# -- deleting


def test_a_code_that_is_not_on_its_lock_is_gone_at_once() -> None:
    scene = Scene()
    scene.put()
    deleted, events = scene.transact(lambda view: Wishes(view, scene.keeper, NOON, "me").delete("c"))
    assert (deleted.deleted_at, deleted.deleted_by) == (NOON, "me")
    assert events == [CodeGone(code_id="c", reason="deleted", by="me")]
    assert scene.codes == []


def test_a_code_on_its_lock_is_taken_off_and_deleting_twice_is_once() -> None:
    scene = Scene()
    scene.put(placement=scene.on(2))
    first = scene.wishes(lambda desk: desk.delete("c"))
    scene.pass_time(NOON + HOUR)
    assert scene.wishes(lambda desk: desk.delete("c"), by="somebody else") == first
    assert scene.public == ["access_code.mutations_requested"]
    assert [(step.kind, step.slot) for step in scene.plan().steps][:1] == [("clear", 2)]


def test_a_code_can_be_deleted_of_a_device_that_is_gone() -> None:
    scene = Scene()
    scene.put(placement=scene.on(2))
    scene.tables.put_device(replace(scene.record, removed_at=NOON, is_managed=False))
    assert scene.wishes(lambda desk: desk.delete("c")).deleted_at == NOON


def test_what_was_found_on_the_lock_is_deleted_if_somebody_asks_for_it() -> None:
    scene = Scene()
    scene.put(is_managed=False, placement=scene.on(2))
    scene.wishes(lambda desk: desk.delete("c", is_managed=False))
    assert [(step.kind, step.slot) for step in scene.plan().steps][:1] == [("clear", 2)]


# -- adopting


def test_what_was_found_is_kept_from_then_on_and_twice_is_once() -> None:
    scene = Scene()
    scene.put(is_managed=False, placement=scene.on(2))

    def convert(desk: Wishes) -> CodeRecord:
        return desk.convert("c", is_managed=True, is_modification_allowed=True)

    code, events = scene.transact(lambda view: convert(Wishes(view, scene.keeper, NOON, "me")))
    assert (code.is_managed, code.is_external_modification_allowed, code.placement) == (True, True, scene.on(2))
    assert events == [CodeConverted(code_id="c", is_managed=True, by="me")]
    assert scene.plan().steps == ()
    told = len(scene.public)
    assert scene.wishes(convert) == code
    assert len(scene.public) == told


def test_what_was_found_with_a_time_frame_keeps_it() -> None:
    scene = Scene(KeypadCapability(slots=4, has_schedules=True))
    scene.put(is_managed=False, placement=scene.on(2, frame=frame(NOON, NOON + HOUR)))
    code = scene.wishes(lambda desk: desk.convert("c", is_managed=True))
    assert (code.starts_at, code.ends_at) == (NOON, NOON + HOUR)
    assert scene.plan().steps == ()
    scene.pass_time(NOON + HOUR)
    assert scene.plan().steps[0].kind == "clear"


def test_a_code_is_left_alone_from_then_on() -> None:
    scene = Scene()
    scene.put(placement=scene.on(2), tampering=Tampering("removed", NOON), **WINDOW)
    code = scene.wishes(lambda desk: desk.convert("c", is_managed=False))
    assert (code.is_managed, code.tampering, scene.public) == (False, None, [None])
    scene.pass_time(NOON + 9 * HOUR)
    assert [step.kind for step in scene.plan().steps if step.code_id] == []


def test_what_cannot_be_adopted_says_why() -> None:
    scene = Scene()
    scene.put("masked", pin=None, is_managed=False, placement=scene.on(1, None))
    scene.put("away", OTHER)
    assert refused(scene, lambda desk: desk.convert("masked", is_managed=True)).code == "code_not_known"
    assert refused(scene, lambda desk: desk.convert("away", is_managed=False)).code == "code_not_on_device"
    assert refused(scene, lambda desk: desk.convert("gone", is_managed=True)).code == "access_code_not_found"


@pytest.mark.parametrize("state", ["sent", "clearing"])
def test_a_code_that_is_just_being_changed_on_its_lock_is_not_given_up(state: str) -> None:
    """Else nothing of it might be left there, and a code of nobody be listed for ever."""
    scene = Scene()
    scene.put(placement=scene.on(1, state=state))
    error = refused(scene, lambda desk: desk.convert("c", is_managed=False))
    assert error.code == "code_not_on_device"
