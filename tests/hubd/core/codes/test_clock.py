"""What the passing of time alone does to a code: when, and what is told of it."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from hubd.core.codes.clock import DELAY, due_at, next_tick, tick
from hubd.model import KeypadCapability
from hubd.model.event import CodeDelayed, CodeGone, CodePlaced, Event
from tests.hubd.core.codes.scene import OTHER, PIN, Scene, frame
from tests.support.clock import NOON

HOUR = timedelta(hours=1)
TICK = timedelta(microseconds=1)
NATIVE = KeypadCapability(slots=4, has_schedules=True)
WINDOW: dict[str, Any] = {"starts_at": NOON, "ends_at": NOON + HOUR}


def pass_time(scene: Scene, at: datetime, *, is_trusted: bool = True) -> list[Event]:
    """Have time do what is due."""
    scene.pass_time(at)
    events: list[Event] = []
    for code in scene.codes:
        due = next_tick(code, scene.keypad, at, is_trusted=is_trusted)
        if due is not None and due <= at:
            act = partial(tick, code=code, keypad=scene.keypad, at=at, reason="It sleeps.", is_trusted=is_trusted)
            events += scene.transact(act)[1]
    return events


@pytest.mark.parametrize(
    ("members", "at", "due"),
    [
        ({}, NOON + HOUR, NOON),
        ({"changed_at": NOON - HOUR}, NOON, NOON - HOUR),
        (WINDOW, NOON - TICK, None),
        (WINDOW, NOON, NOON),
        (WINDOW | {"changed_at": NOON + TICK}, NOON + HOUR / 2, NOON + TICK),
        (WINDOW, NOON + HOUR, None),
    ],
)
def test_a_code_is_due_from_its_start_or_from_the_wish(members: Any, at: datetime, due: datetime | None) -> None:
    scene = Scene()
    assert due_at(scene.made(**members), scene.keypad, at, is_trusted=True) == due


@pytest.mark.parametrize(
    ("members", "at", "due"),
    [
        ({}, NOON, None),
        ({"deleted_at": NOON + TICK}, NOON + HOUR, NOON + TICK),
        (WINDOW, NOON + HOUR, NOON + HOUR),
        (WINDOW | {"starts_at": NOON + TICK, "changed_at": NOON - HOUR}, NOON, NOON),
        (WINDOW | {"is_managed": False}, NOON + 9 * HOUR, None),
        (WINDOW | {"ends_at": NOON - HOUR, "starts_at": None}, NOON, NOON),
    ],
)
def test_a_removal_is_due_from_the_end_or_from_the_wish(members: Any, at: datetime, due: datetime | None) -> None:
    scene = Scene()
    assert due_at(scene.made(placement=scene.on(1), **members), scene.keypad, at, is_trusted=True) == due


def test_nothing_is_due_that_waits_for_a_clock() -> None:
    scene = Scene()
    assert due_at(scene.made(**WINDOW), scene.keypad, NOON, is_trusted=False) is None
    over = scene.made(placement=scene.on(1), **WINDOW)
    assert due_at(over, scene.keypad, NOON + HOUR, is_trusted=False) == NOON + HOUR


def test_a_code_that_never_came_to_its_lock_is_over_at_its_end() -> None:
    scene = Scene()
    scene.put(**WINDOW)
    assert pass_time(scene, NOON + HOUR - DELAY) == [
        CodeDelayed(code_id="c", doing="setting", reason="It sleeps."),
    ]
    assert pass_time(scene, NOON + HOUR - TICK) == []
    assert pass_time(scene, NOON + HOUR) == [CodeGone(code_id="c", reason="ended")]
    assert scene.codes == []


def test_a_code_that_only_a_doubtful_clock_ends_is_not_forgotten() -> None:
    scene = Scene()
    scene.put(**WINDOW)
    assert pass_time(scene, NOON + HOUR, is_trusted=False) == []
    assert scene.only.code_id == "c"


def test_a_code_that_is_on_its_lock_ends_there() -> None:
    scene = Scene()
    scene.put(placement=scene.on(1), **WINDOW)
    assert pass_time(scene, NOON + HOUR) == []
    assert scene.only.placement is not None


def test_a_lateness_is_told_once_after_a_while_and_again_for_the_removal() -> None:
    scene = Scene()
    scene.put(**WINDOW)
    assert next_tick(scene.only, scene.keypad, NOON, is_trusted=True) == NOON + DELAY
    assert pass_time(scene, NOON + DELAY - TICK) == []
    assert pass_time(scene, NOON + DELAY) == [CodeDelayed(code_id="c", doing="setting", reason="It sleeps.")]
    assert scene.public == ["access_code.delay_in_setting_on_device"]
    assert next_tick(scene.only, scene.keypad, NOON + DELAY, is_trusted=True) is None
    assert pass_time(scene, NOON + HOUR - TICK) == []
    scene.put(placement=scene.on(1), **WINDOW)
    assert pass_time(scene, NOON + HOUR + DELAY) == [CodeDelayed(code_id="c", doing="removing", reason="It sleeps.")]
    assert scene.public[-1] == "access_code.delay_in_removing_from_device"


def test_the_start_of_a_code_that_the_lock_kept_is_told_when_it_comes() -> None:
    scene = Scene(NATIVE)
    window = frame(NOON, NOON + HOUR)
    scene.put(placement=scene.on(2, frame=window, is_early=True), **WINDOW)
    assert next_tick(scene.only, NATIVE, NOON - TICK, is_trusted=True) is None
    assert scene.plan().wake_at is not None
    assert pass_time(scene, NOON) == [CodePlaced(code_id="c", slot=2)]
    assert (scene.placed("c").is_early, scene.plan().steps) == (False, ())
    assert pass_time(scene, NOON + TICK) == []


@pytest.mark.parametrize(("pin", "at"), [(OTHER, NOON), (PIN, NOON + HOUR)])
def test_a_start_is_not_told_of_what_is_not_there_or_is_over(pin: str, at: datetime) -> None:
    """The wish for another PIN has not reached the lock yet; or the hub was off all the time."""
    scene = Scene(NATIVE)
    scene.put(pin=pin, placement=scene.on(2, PIN, frame=frame(NOON, NOON + HOUR), is_early=True), **WINDOW)
    assert [event for event in pass_time(scene, at) if isinstance(event, CodePlaced)] == []


@pytest.mark.parametrize("state", ["sent", "clearing"])
def test_a_start_is_not_told_of_what_may_not_be_there(state: Any) -> None:
    scene = Scene(NATIVE)
    scene.put(placement=scene.on(2, state=state, is_early=True), **WINDOW)
    assert pass_time(scene, NOON) == []
