from datetime import timedelta

from hubd.core.access.conditions import mark
from hubd.model.access_event import EntranceChanged
from hubd.model.event import Event
from hubd.model.state import EntranceCondition, Mark
from tests.hubd.core.access.scene import Scene
from tests.support.clock import NOON

MINUTE = timedelta(minutes=1)
ON = EntranceChanged(condition="office_mode", is_on=True)
OFF = EntranceChanged(condition="office_mode", is_on=False)


def word(scene: Scene, minutes: float, *, is_on: bool, condition: EntranceCondition = "office_mode") -> list[Event]:
    """Let a door tell something of some minutes after noon."""
    record = scene.tables.devices["Main"]
    return scene.transact(lambda view: mark(view, record, condition, NOON + minutes * MINUTE, is_on=is_on))


def known(scene: Scene) -> Mark:
    return scene.tables.devices["Main"].state.conditions["office_mode"]


def test_it_begins_and_ends_once_each() -> None:
    scene = Scene()
    scene.door()
    assert word(scene, 0, is_on=True) == [ON]
    assert word(scene, 1, is_on=True) == []
    assert known(scene) == Mark(is_on=True, since=NOON)
    assert word(scene, 2, is_on=False) == [OFF]
    assert known(scene) == Mark(is_on=False, since=NOON + 2 * MINUTE)
    assert scene.news() == ["acs_entrance.office_mode_started", "acs_entrance.office_mode_ended"]


def test_that_a_door_is_not_in_it_is_no_news_the_first_time_but_known() -> None:
    scene = Scene()
    scene.door()
    assert word(scene, 0, is_on=False) == []
    assert known(scene).is_on is False


def test_a_word_that_comes_late_is_none() -> None:
    scene = Scene()
    scene.door()
    word(scene, 10, is_on=True)
    word(scene, 20, is_on=False)
    assert word(scene, 15, is_on=True) == []
    assert known(scene) == Mark(is_on=False, since=NOON + 20 * MINUTE)
    assert word(scene, 20, is_on=True) == [ON]


def test_a_time_that_a_wrong_clock_said_does_not_hold_up_what_comes() -> None:
    scene = Scene()
    scene.door()
    word(scene, 60 * 24 * 365, is_on=True)
    assert word(scene, 1, is_on=False) == [OFF]
    assert known(scene) == Mark(is_on=False, since=NOON + MINUTE)
    assert word(scene, 0, is_on=True) == []


def test_conditions_do_not_touch_each_other() -> None:
    scene = Scene()
    scene.door()
    word(scene, 0, is_on=True)
    (event,) = word(scene, -5, is_on=True, condition="privacy_mode")
    assert event == EntranceChanged(condition="privacy_mode", is_on=True)
    assert set(scene.tables.devices["Main"].state.conditions) == {"office_mode", "privacy_mode"}


def test_of_a_door_that_is_not_managed_nobody_is_told() -> None:
    scene = Scene()
    scene.door(is_managed=False)
    assert word(scene, 0, is_on=True) == [ON]
    assert scene.news() == []
