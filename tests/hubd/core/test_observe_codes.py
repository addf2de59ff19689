"""Uses of a lock by a code: whose it was, and the alarm for one outside its time."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from msgspec.structs import replace

from hubd.core.observe import Observer, misused
from hubd.core.sense import Instant
from hubd.model import CodeHintSeen, LockSeen, Seen
from hubd.model.event import CodeMisused, Event, LockChanged
from hubd.store.tables import View
from tests.hubd.core.codes.scene import DEVICE, Scene, kinds
from tests.support.clock import NOON

HOUR = timedelta(hours=1)
TICK = timedelta(microseconds=1)
WINDOW: dict[str, Any] = {"starts_at": NOON, "ends_at": NOON + HOUR}


def use(scene: Scene, slot: int | None = 2, *, locked: bool = False, **members: Any) -> list[Event]:
    seen = LockSeen(native_id=DEVICE, locked=locked, method="keycode", user_slot=slot, **members)
    return scene.transact(lambda view: Observer(view, scene.record, None).apply(seen))[1]


def used(slot: int | None, code_id: str | None, **members: Any) -> LockChanged:
    return LockChanged(locked=False, method="keycode", user_slot=slot, code_id=code_id, **members)


def test_a_use_carries_the_code_of_its_slot() -> None:
    scene = Scene()
    scene.put("other", placement=scene.on(1))
    scene.put("c", placement=scene.on(2))
    scene.put("later")
    assert use(scene) == [used(2, "c")]
    assert use(scene, 3) == [used(3, None)]
    assert use(scene, None) == [used(None, None)]
    assert scene.public == ["lock.unlocked"] * 3


def test_a_code_that_nobody_wished_is_told_as_such() -> None:
    scene = Scene()
    scene.put(placement=scene.on(2), is_managed=False, **WINDOW)
    scene.pass_time(NOON + 9 * HOUR)
    assert use(scene) == [used(2, "c", code_is_managed=False)]


@pytest.mark.parametrize(
    ("at", "is_misuse"),
    [(NOON - TICK, True), (NOON, False), (NOON + HOUR - TICK, False), (NOON + HOUR, True)],
)
def test_a_use_outside_its_time_is_an_alarm_once_for_each_use(at: Any, *, is_misuse: bool) -> None:
    scene = Scene()
    scene.put(placement=scene.on(2), **WINDOW)
    scene.pass_time(at)
    alarm = CodeMisused(code_id="c", slot=2, **WINDOW)
    assert use(scene) == [used(2, "c"), *([alarm] if is_misuse else [])]
    assert use(scene).count(alarm) == is_misuse
    assert scene.public.count("access_code.used_outside_time_frame") == 2 * is_misuse
    assert len(scene.history) == 2 * is_misuse


def test_when_it_happened_is_by_the_lock_if_it_says_so() -> None:
    scene = Scene()
    scene.put(placement=scene.on(2), **WINDOW)
    scene.pass_time(NOON + 2 * HOUR)
    assert use(scene, occurred_at=NOON + TICK) == [used(2, "c")]
    scene.pass_time(NOON + TICK)
    assert len(use(scene, occurred_at=NOON - TICK)) == 2


def test_to_lock_a_door_is_no_misuse() -> None:
    scene = Scene()
    scene.put(placement=scene.on(2), **WINDOW)
    scene.pass_time(NOON + 2 * HOUR)
    assert [type(event) for event in use(scene, locked=True)] == [LockChanged]


def test_a_device_that_is_not_managed_raises_no_public_alarm() -> None:
    scene = Scene(is_managed=False)
    scene.put(placement=scene.on(2), **WINDOW)
    scene.pass_time(NOON + 2 * HOUR)
    use(scene)
    assert scene.public == [None, None]


def test_only_a_code_on_the_lock_that_the_hub_keeps_can_be_misused() -> None:
    scene = Scene()
    late = NOON + 2 * HOUR
    assert misused(scene.made(placement=scene.on(2), **WINDOW), late) == CodeMisused(code_id="c", slot=2, **WINDOW)
    assert misused(scene.made(**WINDOW), late) is None
    assert misused(scene.made(placement=scene.on(2), is_managed=False, **WINDOW), late) is None
    assert misused(scene.made(placement=scene.on(2)), late) is None


def look(view: View, seen: Seen, scene: Scene) -> None:
    Observer(view, scene.record, None).apply(seen)


def test_readings_of_slots_are_left_to_those_who_keep_codes() -> None:
    scene = Scene()
    for seen in (scene.reading(2, "48213077"), CodeHintSeen(native_id=DEVICE, change="changed", slot=2)):
        assert scene.transact(partial(look, seen=seen, scene=scene))[1] == []
    assert (scene.codes, scene.book.hints) == ([], ())


def test_a_use_before_its_deletion_that_is_told_afterwards_is_no_misuse() -> None:
    code = Scene().made(deleted_at=NOON)
    code = replace(code, placement=Scene().on(2))
    assert misused(code, NOON - TICK) is None
    assert misused(code, NOON) is not None


@pytest.mark.parametrize(("at", "is_misuse"), [(NOON - 9 * HOUR, False), (NOON + HOUR, True)])
def test_by_a_clock_that_is_not_trusted_nobody_is_too_early(at: datetime, *, is_misuse: bool) -> None:
    """What it shows is a lower bound, whatever the wall clock and the device say."""
    scene = Scene()
    scene.put(placement=scene.on(2), **WINDOW)
    scene.pass_time(datetime(1970, 1, 1, tzinfo=UTC))
    seen = LockSeen(native_id=DEVICE, locked=False, method="keycode", user_slot=2, occurred_at=scene.wall)
    instant = Instant(at, is_trusted=False)
    _, events = scene.transact(lambda view: Observer(view, scene.record, None, instant=instant).apply(seen))
    assert ("code.misused" in kinds(events)) is is_misuse


@pytest.mark.parametrize(("late", "is_named"), [(0, True), (0.01, True), (3, False), (24 * 3000, True)])
def test_a_use_from_before_the_code_was_there_is_not_held_against_it(late: float, *, is_named: bool) -> None:
    """A lock may tell late of a use; one that tells of ages ago has lost its clock."""
    scene = Scene()
    code = scene.put(placement=scene.on(2))
    seen = LockSeen(native_id=DEVICE, locked=False, method="keycode", user_slot=2, occurred_at=scene.wall - late * HOUR)
    _, events = scene.transact(lambda view: Observer(view, scene.record, None).apply(seen))
    (event,) = [one for one in events if isinstance(one, LockChanged)]
    assert event.code_id == (code.code_id if is_named else None)
