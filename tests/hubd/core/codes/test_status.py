"""How a code stands, as a table."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from hubd.core.codes.plan import Hold
from hubd.core.codes.status import CodeError, errors, is_scheduled, status
from hubd.model import KeypadCapability
from hubd.store.codes import Tampering, Trouble
from tests.hubd.core.codes.scene import OTHER, Scene, frame
from tests.support.clock import NOON

HOUR = timedelta(hours=1)
TICK = timedelta(microseconds=1)
WINDOW: dict[str, Any] = {"starts_at": NOON, "ends_at": NOON + HOUR}
BEFORE, WITHIN, AFTER = NOON - TICK, NOON, NOON + HOUR
PLAIN = KeypadCapability(slots=4)
NATIVE = KeypadCapability(slots=4, has_schedules=True)
SCENE = Scene()
ON = SCENE.on(1)
KEPT = SCENE.on(1, frame=frame(NOON, NOON + HOUR))


@pytest.mark.parametrize(
    ("members", "keypad", "at", "expected"),
    [
        ({}, PLAIN, NOON, "setting"),
        ({"placement": ON}, PLAIN, NOON, "set"),
        ({"placement": SCENE.on(1, is_verified=False)}, PLAIN, NOON, "set"),
        ({"placement": SCENE.on(1, OTHER)}, PLAIN, NOON, "setting"),
        ({"placement": SCENE.on(1, state="sent")}, PLAIN, NOON, "setting"),
        ({"placement": SCENE.on(1, is_enabled=False)}, PLAIN, NOON, "setting"),
        ({"placement": ON}, None, NOON, "unknown"),
        (WINDOW, PLAIN, BEFORE, "unset"),
        (WINDOW, PLAIN, WITHIN, "setting"),
        (WINDOW | {"placement": ON}, PLAIN, WITHIN, "set"),
        (WINDOW | {"placement": ON}, PLAIN, BEFORE, "removing"),
        (WINDOW | {"placement": ON}, PLAIN, AFTER, "removing"),
        (WINDOW, PLAIN, AFTER, "unset"),
        (WINDOW | {"placement": KEPT}, NATIVE, BEFORE, "unset"),
        (WINDOW | {"placement": KEPT}, NATIVE, WITHIN, "set"),
        (WINDOW | {"placement": ON}, NATIVE, WITHIN, "setting"),
        ({"placement": ON, "deleted_at": NOON}, PLAIN, NOON, "removing"),
        ({"placement": SCENE.on(1, state="clearing"), "deleted_at": NOON}, PLAIN, NOON, "removing"),
        ({"is_managed": False, "placement": ON}, PLAIN, NOON, "set"),
        ({"is_managed": False, "placement": SCENE.on(1, state="sent")}, PLAIN, NOON, "unset"),
        ({"is_managed": False, "placement": ON, "deleted_at": NOON}, PLAIN, NOON, "removing"),
        (WINDOW | {"is_managed": False, "placement": ON}, PLAIN, AFTER, "set"),
    ],
)
def test_status(members: Any, keypad: KeypadCapability | None, at: datetime, expected: str) -> None:
    assert status(SCENE.made(**members), keypad, at) == expected


@pytest.mark.parametrize(
    ("members", "at", "expected"),
    [
        (WINDOW, WITHIN, "setting"),
        (WINDOW | {"placement": ON}, WITHIN, "set"),
        (WINDOW | {"placement": ON}, AFTER, "removing"),
        ({}, NOON, "setting"),
    ],
)
def test_status_while_the_time_is_in_doubt(members: Any, at: datetime, expected: str) -> None:
    assert status(SCENE.made(**members), PLAIN, at, is_trusted=False) == expected


@pytest.mark.parametrize(
    ("members", "keypad", "at", "expected"),
    [
        (WINDOW | {"placement": KEPT}, NATIVE, BEFORE, True),
        (WINDOW | {"placement": KEPT}, NATIVE, WITHIN, False),
        (WINDOW | {"placement": ON}, NATIVE, BEFORE, False),
        (WINDOW, NATIVE, BEFORE, False),
        (WINDOW | {"placement": KEPT}, None, BEFORE, False),
        ({"placement": ON}, NATIVE, NOON, False),
    ],
)
def test_a_code_is_scheduled_while_the_lock_keeps_it(
    members: Any, keypad: KeypadCapability | None, at: datetime, *, expected: bool
) -> None:
    assert is_scheduled(SCENE.made(**members), keypad, at) is expected


def wrong(members: Any, at: datetime = NOON, hold: Hold | None = None) -> list[CodeError]:
    return errors(SCENE.made(**members), PLAIN, at, hold)


@pytest.mark.parametrize(
    "members", [{}, {"placement": ON}, WINDOW, {"placement": ON, "tampering": Tampering("removed", NOON)}]
)
def test_what_is_as_it_should_be_or_only_under_way_is_no_error(members: Any) -> None:
    assert wrong(members) == []


def test_a_failure_is_an_error_with_its_beginning() -> None:
    trouble = Trouble("duplicate_code_on_device", "The lock has it.", NOON - HOUR, 3, NOON, "twin")
    expected = CodeError("duplicate_code_on_device", "The lock has it.", NOON - HOUR, "twin")
    assert wrong({"trouble": trouble}) == [expected]
    hold = Hold("duplicate", conflict_id="other")
    assert wrong({"trouble": trouble}, hold=hold) == [expected], "it is said once"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("duplicate", "duplicate_code_on_device"),
        ("no_space", "no_space_for_access_code_on_device"),
        ("not_begun", None),
        ("clock_not_trusted", None),
        ("retry_later", None),
        ("unknown_slots", None),
    ],
)
def test_a_reason_to_wait_is_an_error_if_somebody_can_do_something_about_it(code: Any, expected: str | None) -> None:
    found = wrong({}, hold=Hold(code, conflict_id="twin" if code == "duplicate" else None))
    assert [(error.code, error.conflict_id) for error in found] == (
        [] if expected is None else [(expected, "twin" if code == "duplicate" else None)]
    )


@pytest.mark.parametrize(("change", "word"), [("removed", "removed from"), ("modified", "changed on")])
def test_what_somebody_else_did_is_an_error_until_it_is_put_back(change: Any, word: str) -> None:
    tampering = Tampering(change, NOON - HOUR, 2)
    trouble = Trouble("conflicting_external_modification", "Twice within a day.", NOON, 2, NOON + HOUR)
    for members in ({"tampering": tampering}, {"tampering": tampering, "trouble": trouble}):
        (error,) = wrong(members)
        assert (error.code, error.change, error.since) == ("conflicting_external_modification", change, NOON - HOUR)
        assert word in error.message
    assert wrong({"tampering": tampering, "placement": ON}) == []
    assert wrong({"tampering": tampering, **WINDOW}, at=AFTER) == []


def test_what_was_found_and_does_not_open_is_told() -> None:
    off = {"is_managed": False, "placement": SCENE.on(1, is_enabled=False)}
    assert [error.code for error in wrong(off)] == ["access_code_inactive"]
    assert wrong(off | {"is_managed": True}) == []


def test_of_a_device_without_a_keypad_nothing_is_said() -> None:
    trouble = Trouble("failed_to_set_on_device", "No.", NOON, 1, NOON)
    assert errors(SCENE.made(trouble=trouble), None, NOON, Hold("no_space")) == []
