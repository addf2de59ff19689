"""A lock does not take the PIN that a code was changed to: the one before, which is over, goes off it all the same."""

from hubd.core.lanes import Priority
from hubd.model import KeypadCapability, done, rejected, sent_unconfirmed
from hubd.model.event import CodeTakenOff
from hubd.store.codes import Trouble
from tests.hubd.core.codes.scene import OTHER, PIN, Scene, kinds

MASKED = KeypadCapability(slots=4, tells_pins=False)
DUPLICATE = rejected("duplicate_code", "The lock has this PIN in another slot.")
REFUSED = rejected("device_refused", "No.")


def changed() -> Scene:
    """Build a lock that has the new PIN in a slot that somebody else wrote, and that it does not tell."""
    scene = Scene(MASKED)
    scene.put(placement=scene.on(1, OTHER), is_pin_chosen=True)
    assert kinds(scene.do(DUPLICATE)) == ["code.failed"]
    return scene


def trouble(scene: Scene) -> Trouble:
    assert scene.only.trouble is not None
    return scene.only.trouble


def kinds_of_steps(scene: Scene) -> list[str]:
    return [step.kind for step in scene.plan().steps if step.code_id is not None]


def test_the_one_before_goes_at_once_and_the_new_one_is_tried_as_often_as_any_other() -> None:
    scene = changed()
    refused = trouble(scene)
    (step,) = scene.plan().steps
    assert (step.kind, step.slot, step.rank) == ("clear", 1, Priority.END)
    assert scene.do(done()) == [CodeTakenOff(code_id="c", slot=1, reason="changed")]
    assert (scene.only.placement, trouble(scene), kinds_of_steps(scene)) == (None, refused, [])
    for attempts in range(2, 5):
        scene.pass_time(trouble(scene).retry_at)
        assert kinds_of_steps(scene) == ["set"]
        assert scene.do(DUPLICATE) == [], "told once"
        assert (trouble(scene).attempts, kinds_of_steps(scene)) == (attempts, [])
    scene.pass_time(trouble(scene).retry_at)
    assert kinds(scene.do(done())) == ["code.placed"]
    assert (scene.placed("c").mark, scene.only.trouble) == (scene.mark(PIN), None)


def test_a_lock_that_does_not_give_it_up_either_is_asked_with_pauses_and_for_that_alone() -> None:
    scene = changed()
    pauses = []
    for attempts in range(1, 8):
        assert kinds_of_steps(scene) == ["clear"]
        scene.do(REFUSED)
        failed = trouble(scene)
        assert (failed.code, failed.attempts) == ("failed_to_remove_from_device", attempts)
        pauses.append((failed.retry_at - scene.at).total_seconds())
        assert kinds_of_steps(scene) == []
        scene.pass_time(failed.retry_at)
    assert 40 < pauses[-1] < 60
    scene.do(done())
    assert kinds_of_steps(scene) == ["set"]


def test_when_nobody_knows_whether_it_is_gone_the_slot_is_read_first() -> None:
    scene = changed()
    scene.do(sent_unconfirmed("The lock did not answer."))
    scene.pass_time(trouble(scene).retry_at)
    assert kinds_of_steps(scene) == ["read"]
    scene.read(1, is_masked=True)
    assert kinds_of_steps(scene) == ["clear"]
    scene.do(done())
    assert scene.only.placement is None
