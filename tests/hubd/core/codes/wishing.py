"""Wishing, and being refused, in a scene."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from hubd.core.codes.wishes import Change, Wish, Wishes
from hubd.model.errors import HubError
from hubd.store.codes import CodeRecord
from tests.hubd.core.codes.scene import DEVICE, OTHER, PIN, THIRD, Scene
from tests.support.clock import NOON

HOUR = timedelta(hours=1)
TICK = timedelta(microseconds=1)
WINDOW: dict[str, Any] = {"starts_at": NOON, "ends_at": NOON + HOUR}
LATER: dict[str, Any] = {"starts_at": NOON + HOUR, "ends_at": NOON + 2 * HOUR}


def refused(scene: Scene, function: Callable[[Wishes], object]) -> HubError:
    """Wish what is refused; nothing may be kept of it."""
    before, told = scene.codes, len(scene.public)
    with pytest.raises(HubError) as caught:
        scene.wishes(function)
    assert (scene.codes, len(scene.public)) == (before, told)
    assert not [pin for pin in (PIN, OTHER, THIRD) if pin in f"{caught.value!r}{caught.value.data}"]
    return caught.value


def not_made(scene: Scene, **members: Any) -> HubError:
    return refused(scene, lambda desk: desk.create(Wish(device_id=DEVICE, **members)))


def not_changed(scene: Scene, code_id: str = "c", **members: Any) -> HubError:
    return refused(scene, lambda desk: desk.update(code_id, Change(**members)))


def update(scene: Scene, code_id: str = "c", **members: Any) -> CodeRecord:
    return scene.wishes(lambda desk: desk.update(code_id, Change(**members)))
