from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from hubd.model import Climate, ClimateSetting
from hubd.model.event import (
    Event,
    OverrideBegan,
    SetPointReached,
    TemperatureChanged,
    ThermostatAdjusted,
    ThresholdCleared,
    ThresholdExceeded,
)
from hubd.store.climate import Base, Override, Pending, Thresholds
from tests.hubd.core.climate.plans import DEVICE, HOME, kept
from tests.hubd.core.climate.scene import Scene
from tests.support.clock import NOON

OFF = Climate(
    temperature_celsius=20.0,
    hvac_mode="off",
    fan_mode="auto",
    heating_set_point_celsius=18.0,
    cooling_set_point_celsius=26.0,
)
AT_HOME = replace(OFF, hvac_mode="heat", heating_set_point_celsius=21.0)
PLANNED = kept(base=Base("fallback", None, "home", None, HOME))
LATER = timedelta(minutes=7)
"""No quarter of an hour."""


def types(events: list[Event]) -> list[type[Event]]:
    return [type(event) for event in events]


def test_the_first_reading_is_no_news_and_a_change_is() -> None:
    scene = Scene()
    scene.at += LATER
    assert scene.see(OFF) == []
    assert scene.see(replace(OFF, hvac_mode="cool")) == [
        ThermostatAdjusted(
            hvac_mode="cool",
            fan_mode="auto",
            heating_set_point_celsius=18.0,
            cooling_set_point_celsius=26.0,
            source="manual",
        )
    ]
    assert scene.public == ["thermostat.manually_adjusted"]
    assert scene.device.state.climate == replace(OFF, hvac_mode="cool")
    assert scene.record.foreign_changes == (NOON + LATER,)


def test_a_setting_that_gets_known_or_lost_was_adjusted_by_nobody() -> None:
    scene = Scene()
    scene.see(Climate(temperature_celsius=20.0))
    assert scene.see(OFF) == []
    assert scene.see(Climate(fan_mode="auto")) == []


def test_what_the_driver_says_of_the_source_is_told() -> None:
    (event,) = Scene(climate=OFF).see(replace(OFF, fan_mode="on"), "controller")
    assert isinstance(event, ThermostatAdjusted)
    assert (event.source, event.method) == ("controller", "external")


def test_a_device_that_is_not_managed_tells_the_public_nothing() -> None:
    scene = Scene(climate=OFF, is_managed=False)
    assert types(scene.see(replace(OFF, fan_mode="on"))) == [ThermostatAdjusted]
    assert scene.public == [None]


def test_what_the_hub_sets_is_told_once_as_the_call_that_it_was() -> None:
    wish = ClimateSetting("heat", None, 21.0)
    override = Override(wish, "api", NOON, by="key")
    scene = Scene(kept(override=override, is_applied=False, pending=(Pending("w", wish),)), OFF)
    assert scene.see(replace(OFF, hvac_mode="heat"), is_busy=True, sent=wish) == []
    (event,) = scene.see(AT_HOME, is_busy=True, sent=wish)
    assert isinstance(event, ThermostatAdjusted)
    assert (event.method, event.source, event.by) == ("seam", None, "key")
    assert scene.record.is_applied
    assert [parameters[1:] for _, parameters in scene.statements] == [(None, None, "w")]


def test_a_call_that_was_not_sent_yet_is_not_fulfilled_by_what_was_known_before() -> None:
    wish = ClimateSetting("heat", None, 21.0)
    scene = Scene(kept(override=Override(wish, "api", NOON), is_applied=False, pending=(Pending("w", wish),)), AT_HOME)
    assert ThermostatAdjusted not in types(scene.see(replace(AT_HOME, temperature_celsius=20.1)))
    assert ThermostatAdjusted not in types(scene.see(replace(AT_HOME, temperature_celsius=20.2), sent=wish))
    assert not scene.record.is_applied
    assert types(scene.see(replace(AT_HOME, temperature_celsius=20.3), is_answer=True)) == [ThermostatAdjusted]
    assert scene.record.pending == ()


def test_a_device_that_may_be_set_to_something_else_is_believed_only_when_it_is_asked() -> None:
    scene = Scene(replace(PLANNED, is_applied=False), AT_HOME)
    late = ClimateSetting(None, None, 25.0)
    scene.see(replace(AT_HOME, temperature_celsius=20.1), sent=late)
    assert not scene.record.is_applied
    scene.see(replace(AT_HOME, temperature_celsius=20.2), sent=late, is_answer=True)
    assert scene.record.is_applied


def test_a_plan_that_is_set_is_nobodys_adjustment() -> None:
    scene = Scene(replace(PLANNED, is_applied=False), OFF)
    assert ThermostatAdjusted not in types(scene.see(AT_HOME))
    assert scene.record.is_applied


def test_side_effects_of_a_command_are_its_own_and_a_hand_is_not() -> None:
    scene = Scene(PLANNED, AT_HOME)
    assert scene.see(replace(AT_HOME, cooling_set_point_celsius=30.0), is_echo=True) == []
    assert types(scene.see(replace(AT_HOME, hvac_mode="off"), is_echo=True)) == [ThermostatAdjusted, OverrideBegan]


def test_thresholds_are_told_once_for_each_excursion() -> None:
    scene = Scene(kept(thresholds=Thresholds(16.0, 25.0)), OFF)
    told = []
    for degrees in (20.0, 25.0, 25.1, 26.0, 25.0, 24.9, 24.8, 20.0, 15.9, 16.1, 16.2):
        events = scene.see(replace(OFF, temperature_celsius=degrees))
        told.append([event for event in events if isinstance(event, ThresholdExceeded | ThresholdCleared)])
    limits: dict[str, Any] = {"lower_limit_celsius": 16.0, "upper_limit_celsius": 25.0}
    assert [events for events in told if events] == [
        [ThresholdExceeded(temperature_celsius=25.1, **limits)],
        [ThresholdCleared(temperature_celsius=24.8, **limits)],
        [ThresholdExceeded(temperature_celsius=15.9, **limits)],
        [ThresholdCleared(temperature_celsius=16.2, **limits)],
    ]


@pytest.mark.parametrize(("low", "high"), [(20.0, 20.1), (None, 20.0), (20.0, None)])
def test_there_is_always_a_way_back_within_the_limits(low: float | None, high: float | None) -> None:
    scene = Scene(kept(thresholds=Thresholds(low, high)), OFF)
    scene.see(replace(OFF, temperature_celsius=30.0))
    scene.see(replace(OFF, temperature_celsius=10.0))
    middle = (20.0 if low is None else low) / 2 + (20.0 if high is None else high) / 2
    inside = middle - 1 if low is None else middle + 1 if high is None else middle
    scene.see(replace(OFF, temperature_celsius=inside))
    assert scene.record.thresholds.exceeded_since is None


def test_a_temperature_is_told_each_degree() -> None:
    scene = Scene(climate=OFF)
    told = [scene.see(replace(OFF, temperature_celsius=degrees)) for degrees in (20.0, 20.9, 21.0, 20.5, 20.0)]
    assert told == [
        [],
        [],
        [TemperatureChanged(temperature_celsius=21.0)],
        [],
        [TemperatureChanged(temperature_celsius=20.0)],
    ]


def test_that_the_room_has_its_temperature_is_told_once_for_each_setting() -> None:
    scene = Scene(kept(), OFF)
    scene.see(replace(AT_HOME, heating_set_point_celsius=22.0))
    reached = [
        event
        for degrees in (20.5, 21.5, 22.0, 21.5, 22.5)
        for event in scene.see(replace(AT_HOME, heating_set_point_celsius=22.0, temperature_celsius=degrees))
        if isinstance(event, SetPointReached)
    ]
    assert reached == [SetPointReached(temperature_celsius=22.0, desired_temperature_celsius=22.0)]


def test_a_setting_that_is_taken_back_is_not_reached() -> None:
    scene = Scene(kept(), OFF)
    scene.see(replace(AT_HOME, heating_set_point_celsius=25.0))
    assert scene.record.desired_celsius == 25.0
    events = scene.see(replace(AT_HOME, hvac_mode="off", heating_set_point_celsius=25.0))
    assert SetPointReached not in types(events)
    assert scene.record.desired_celsius is None


def test_a_room_that_is_to_be_cooled_instead_has_not_reached_what_it_was_heated_to() -> None:
    scene = Scene(kept(), replace(OFF, temperature_celsius=21.5))
    heated = replace(AT_HOME, heating_set_point_celsius=23.0, temperature_celsius=21.5)
    scene.see(heated)
    assert SetPointReached not in types(scene.see(replace(heated, hvac_mode="cool")))
    assert scene.record.desired_celsius is None
    assert SetPointReached not in types(scene.see(replace(heated, heating_set_point_celsius=22.5)))


def test_a_temperature_that_is_not_known_is_told_to_nobody() -> None:
    scene = Scene(kept(thresholds=Thresholds(16.0, 25.0)), OFF)
    assert scene.see(replace(OFF, temperature_celsius=None)) == []
    assert scene.record.device_id == DEVICE
