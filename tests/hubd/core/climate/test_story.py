from hubd.core.climate.rules import Turn
from hubd.core.climate.story import take, tell
from hubd.model.event import OverrideEnded, PlanChanged, TemperatureChanged, ThermostatAdjusted
from hubd.store.tables import View
from tests.hubd.core.climate.plans import kept
from tests.hubd.core.climate.scene import Scene


def test_what_the_public_has_a_word_for_is_public_and_the_rest_is_the_hubs_own() -> None:
    scene = Scene()

    def write(view: View) -> None:
        for event in (TemperatureChanged(temperature_celsius=20.0), PlanChanged(kind="none"), ThermostatAdjusted()):
            tell(view, scene.device, event)

    scene.transact(write)
    assert scene.public == ["thermostat.temperature_changed", None, "thermostat.manually_adjusted"]


def test_a_step_is_written_down_as_a_whole_and_one_that_changes_nothing_is_not() -> None:
    scene = Scene()
    turn = Turn(kept(), (OverrideEnded(reason="cancelled"),), (("w", "superseded", "Later."),))
    assert scene.transact(lambda view: take(view, scene.device, turn)) == [OverrideEnded(reason="cancelled")]
    assert scene.record == kept()
    assert [parameters[1:] for _, parameters in scene.statements] == [("superseded", "Later.", "w")]

    def is_quiet(view: View) -> None:
        take(view, scene.device, Turn(scene.record))
        assert not view.own.thermostats

    assert scene.transact(is_quiet) == []
