"""A slot holds a PIN that the hub knows only as a wish: its own of before, or somebody else's."""

from datetime import timedelta

import pytest

from hubd.model.event import CodePlaced
from hubd.store.codes import Trouble
from tests.hubd.core.codes.scene import PIN, Scene, kinds
from tests.support.clock import NOON

HOUR = timedelta(hours=1)


def test_a_wish_that_is_on_the_lock_already_is_known_again() -> None:
    """After a restored backup: the database knows the wish, and the lock has had it for long."""
    scene = Scene(is_read=False)
    trouble = Trouble("duplicate_code_on_device", "The lock has this PIN.", NOON, 1, NOON + HOUR)
    scene.put(trouble=trouble)
    assert scene.read(3, PIN) == [CodePlaced(code_id="c", slot=3)]
    assert scene.placed("c") == scene.on(3)
    assert scene.only.trouble is None


@pytest.mark.parametrize(("starts_in", "is_trusted", "is_known"), [(1, True, False), (1, False, True), (0, True, True)])
def test_the_pin_of_a_wish_that_has_not_begun_is_there_by_somebodys_hand(
    starts_in: int, *, is_trusted: bool, is_known: bool
) -> None:
    """Nobody but they had a reason to put it there: it is left alone, and whoever lets a guest in early may do so."""
    scene = Scene()
    scene.hint("added", 3)
    starts_at = NOON + starts_in * HOUR
    scene.put(starts_at=starts_at, ends_at=starts_at + HOUR)
    scene.read(3, PIN, is_trusted=is_trusted)
    assert (scene.code("c").placement is not None) is is_known
    assert [code.is_managed for code in scene.codes if code.code_id != "c"] == ([] if is_known else [False])
    assert [step for step in scene.plan(is_trusted=is_trusted).steps if step.kind != "read"] == []
    scene.pass_time(starts_at)
    assert [step for step in scene.plan().steps if step.kind != "read"] == [], "the PIN opens; no slot is written"
    hold = scene.plan().holds.get("c")
    assert (None if hold is None else hold.code) == (None if is_known else "duplicate")


def test_a_wish_that_another_slot_has_already_is_not_had_twice() -> None:
    scene = Scene(is_read=False)
    scene.put(placement=scene.on(1))
    events = scene.read(3, PIN)
    assert kinds(events) == ["code.created"]
    assert sorted(code.is_managed for code in scene.codes) == [False, True]
