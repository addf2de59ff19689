"""How often a lock that does not answer is asked again, by what it may still open for."""

import pytest

from hubd.model import KeypadCapability, sent_unconfirmed
from tests.hubd.core.codes.scene import OTHER, Scene

MASKED = KeypadCapability(slots=4, tells_pins=False)


@pytest.mark.parametrize(("before", "longest"), [(None, 2000.0), (OTHER, 60.0)])
def test_a_pin_that_was_changed_is_tried_as_often_as_one_that_is_to_go(before: str | None, longest: float) -> None:
    """The lock may still open for the one before, which is over."""
    scene = Scene(MASKED)
    scene.put(placement=None if before is None else scene.on(1, before))
    pauses = []
    for _ in range(12):
        scene.do(sent_unconfirmed("The lock did not answer."))
        trouble = scene.codes[0].trouble
        assert trouble is not None
        pauses.append((trouble.retry_at - scene.at).total_seconds())
        scene.at = trouble.retry_at
    assert longest / 2 < pauses[-1] < longest
