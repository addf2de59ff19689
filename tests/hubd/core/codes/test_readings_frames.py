"""What a reading says of the time frame of a code, on a lock that keeps to frames by itself."""

from datetime import timedelta
from typing import Any

import pytest

from hubd.core.codes.plan import PRELOAD
from hubd.model import KeypadCapability
from tests.hubd.core.codes.scene import PIN, Scene, frame, kinds
from tests.support.clock import NOON

HOUR = timedelta(hours=1)
NATIVE = KeypadCapability(slots=4, has_schedules=True)


@pytest.mark.parametrize("is_told", [True, False])
def test_a_lost_answer_does_not_make_a_frame_that_the_lock_does_not_keep(*, is_told: bool) -> None:
    scene, wished = Scene(NATIVE), frame(NOON + HOUR, NOON + 2 * HOUR)
    window: dict[str, Any] = {"starts_at": wished.starts_at, "ends_at": wished.ends_at}
    scene.put(placement=scene.on(2, frame=wished, state="sent"), **window)
    scene.read(2, PIN, is_frame_told=is_told)
    assert scene.placed("c").frame == (None if is_told else wished)
    old = frame(NOON, NOON + HOUR)
    scene.put(placement=scene.on(2, frame=wished, state="sent"), **window)
    scene.read(2, PIN, frame=old)
    assert scene.placed("c").frame == old
    assert [step.kind for step in scene.plan().steps if step.code_id] == ["set"]


def test_a_frame_that_somebody_erased_is_put_back_and_the_code_is_not_in_place_until_then() -> None:
    scene, wished = Scene(NATIVE), frame(NOON + HOUR, NOON + 2 * HOUR)
    scene.put(placement=scene.on(2, frame=wished), starts_at=wished.starts_at, ends_at=wished.ends_at)
    assert twice(scene) == [], "not told"
    assert kinds(twice(scene, is_frame_told=True))[:1] == ["code.tampered"]
    assert [step.kind for step in scene.plan().steps if step.code_id] == ["set"]


@pytest.mark.parametrize(
    ("hours", "is_told", "is_known"), [(1, True, True), (None, False, True), (None, True, False), (2, True, False)]
)
def test_a_wish_is_known_again_ahead_of_time_by_its_frame(hours: int | None, *, is_told: bool, is_known: bool) -> None:
    """What somebody put in at the keypad has none, or another one, and opens already."""
    scene, wished = Scene(NATIVE, is_read=False), frame(NOON + HOUR, NOON + 2 * HOUR)
    scene.put(starts_at=wished.starts_at, ends_at=wished.ends_at)
    found = None if hours is None else frame(NOON + hours * HOUR, NOON + 2 * hours * HOUR)
    scene.read(2, PIN, frame=found, is_frame_told=is_told)
    assert (scene.code("c").placement is not None) is is_known
    assert len(scene.codes) == (1 if is_known else 2)


def test_a_wish_is_not_known_again_longer_ahead_than_its_lock_gets_it() -> None:
    scene, start = Scene(NATIVE, is_read=False), NOON + 2 * PRELOAD
    scene.put(starts_at=start, ends_at=start + HOUR)
    scene.read(2, PIN)
    assert scene.code("c").placement is None


def twice(scene: Scene, **members: Any) -> list[Any]:
    """Read the same thing twice, far enough apart; return the events of both."""
    first = scene.read(2, PIN, **members)
    scene.pass_time(scene.at + timedelta(seconds=3))
    return first + scene.read(2, PIN, **members)
