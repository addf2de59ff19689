from math import inf, nan
from typing import Any

import pytest
from hubd_drivers.virtual.thermostat import (
    AWAKE_SECONDS,
    Thermostat,
    ThermostatError,
    new_thermostat,
    running,
)
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hubd.driver.climate_checks import check_capability
from hubd.model import Climate, ClimateSetting, SetPointRange
from hubd.model.climate import setting_of
from hubd.model.degrees import fahrenheit

HVAC_MODES = st.none() | st.sampled_from(["off", "heat", "cool", "heat_cool", "eco"])
FAN_MODES = st.none() | st.sampled_from(["auto", "on", "circulate"])
POINTS = st.none() | st.floats(0.0, 40.0) | st.sampled_from([nan, inf, -inf, 5.0, 15.0, 30.0, 35.0])
SETTINGS = st.builds(ClimateSetting, HVAC_MODES, FAN_MODES, POINTS, POINTS)


def refused(thermostat: Thermostat, **members: Any) -> tuple[str, str]:
    before = thermostat.climate
    with pytest.raises(ThermostatError) as caught:
        thermostat.put(ClimateSetting(**members))
    assert thermostat.climate == before
    return caught.value.code, caught.value.message


def test_as_it_leaves_the_factory() -> None:
    celsius, american = new_thermostat(), new_thermostat("fahrenheit")
    assert (celsius.capability.scale, celsius.capability.step) == ("celsius", 0.5)
    assert (american.capability.scale, american.capability.step) == ("fahrenheit", 1.0)
    for thermostat in (celsius, american):
        check_capability("x", thermostat.capability)
        assert thermostat.is_new
        assert thermostat.climate.hvac_mode == "heat"
        assert (thermostat.climate.is_heating, thermostat.climate.is_fan_running) == (False, False)
    points = american.climate.heating_set_point_celsius, american.climate.cooling_set_point_celsius
    assert [fahrenheit(point or 0.0) for point in points] == [70.0, 77.0]


def test_only_what_is_named_is_set() -> None:
    thermostat = new_thermostat()
    thermostat.put(ClimateSetting(heating_set_point_celsius=19.0))
    expected = ClimateSetting("heat", "auto", 19.0, 25.0)
    assert setting_of(thermostat.climate) == expected
    thermostat.put(ClimateSetting(hvac_mode="off", fan_mode="on"))
    assert setting_of(thermostat.climate) == replace(expected, hvac_mode="off", fan_mode="on")
    thermostat.put(ClimateSetting())
    assert setting_of(thermostat.climate) == replace(expected, hvac_mode="off", fan_mode="on")
    assert not thermostat.is_new


def test_it_rounds_to_its_own_step() -> None:
    celsius, american = new_thermostat(), new_thermostat("fahrenheit")
    celsius.put(ClimateSetting(heating_set_point_celsius=20.3, cooling_set_point_celsius=24.2))
    points = celsius.climate.heating_set_point_celsius, celsius.climate.cooling_set_point_celsius
    assert points == (20.5, 24.0)
    american.put(ClimateSetting(heating_set_point_celsius=20.3, cooling_set_point_celsius=24.2))
    assert american.climate.heating_set_point_celsius == 20.56  # 69 °F
    assert american.climate.cooling_set_point_celsius == 24.44  # 76 °F


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"hvac_mode": "eco"}, "mode_not_supported"),
        ({"fan_mode": "circulate"}, "fan_mode_not_supported"),
        ({"heating_set_point_celsius": 4.9}, "set_point_out_of_range"),
        ({"heating_set_point_celsius": 30.1}, "set_point_out_of_range"),
        ({"cooling_set_point_celsius": 14.9}, "set_point_out_of_range"),
        ({"cooling_set_point_celsius": nan}, "set_point_out_of_range"),
        ({"heating_set_point_celsius": inf}, "set_point_out_of_range"),
        ({"hvac_mode": "heat_cool", "heating_set_point_celsius": 24.0}, "set_points_too_close"),
        ({"hvac_mode": "off", "fan_mode": "on", "cooling_set_point_celsius": 99.0}, "set_point_out_of_range"),
    ],
)
def test_what_it_has_not_got_is_refused_whole(members: dict[str, Any], code: str) -> None:
    assert refused(new_thermostat(), **members)[0] == code


def test_it_refuses_in_its_own_scale() -> None:
    message = "The thermostat takes heating set-points of {}, not {}."
    celsius = refused(new_thermostat(), heating_set_point_celsius=31.0)[1]
    assert celsius == message.format("5 °C to 30 °C", "31 °C")
    american = refused(new_thermostat("fahrenheit"), heating_set_point_celsius=35.0)[1]
    assert american == message.format("41 °F to 86 °F", "95 °F")


def test_a_set_point_that_it_has_not_got() -> None:
    heater = new_thermostat()
    heater.capability = replace(heater.capability, cooling=None)
    assert refused(heater, cooling_set_point_celsius=25.0)[0] == "set_point_out_of_range"


def test_set_points_are_kept_apart_only_where_both_are_in_use() -> None:
    thermostat = new_thermostat()
    thermostat.put(ClimateSetting(heating_set_point_celsius=24.0))
    assert refused(thermostat, hvac_mode="heat_cool")[0] == "set_points_too_close"
    thermostat.put(ClimateSetting(hvac_mode="heat_cool", heating_set_point_celsius=23.5))
    assert refused(thermostat, cooling_set_point_celsius=24.5)[0] == "set_points_too_close"


@pytest.mark.parametrize(
    ("mode", "temperature", "heats", "cools"),
    [
        ("off", 10.0, False, False),
        ("heat", 20.9, True, False),
        ("heat", 21.0, False, False),
        ("heat", 40.0, False, False),
        ("cool", 25.0, False, False),
        ("cool", 25.1, False, True),
        ("cool", 10.0, False, False),
        ("heat_cool", 20.0, True, False),
        ("heat_cool", 23.0, False, False),
        ("heat_cool", 26.0, False, True),
    ],
)
def test_what_it_does_follows_from_the_room(mode: Any, temperature: float, *, heats: bool, cools: bool) -> None:
    thermostat = new_thermostat()
    thermostat.put(ClimateSetting(hvac_mode=mode))
    thermostat.warm(temperature)
    climate = thermostat.climate
    assert (climate.is_heating, climate.is_cooling, climate.is_fan_running) == (heats, cools, heats or cools)
    thermostat.put(ClimateSetting(fan_mode="on"))
    assert thermostat.climate.is_fan_running


def test_a_room_that_is_not_known_is_not_heated() -> None:
    made = running(Climate(hvac_mode="heat_cool", heating_set_point_celsius=21.0, fan_mode="auto"))
    assert (made.is_heating, made.is_cooling, made.is_fan_running) == (False, False, False)


@pytest.mark.parametrize("celsius", [-40.1, 60.1, nan, inf])
def test_no_room_is_beyond_its_sensor(celsius: float) -> None:
    thermostat = new_thermostat()
    with pytest.raises(ThermostatError) as caught:
        thermostat.warm(celsius)
    assert (caught.value.code, caught.value.message) == (
        "temperature_out_of_range",
        "The sensor measures -40 °C to 60 °C.",
    )
    assert thermostat.climate.temperature_celsius == 21.5


def test_it_is_as_it_was_before_the_power_was_gone() -> None:
    thermostat, later = new_thermostat(), new_thermostat()
    thermostat.put(ClimateSetting("cool", "on", 17.0, 22.0))
    thermostat.warm(23.46)
    later.restore(thermostat.climate)
    assert later.climate == thermostat.climate
    american = new_thermostat("fahrenheit")
    american.restore(thermostat.climate)
    assert fahrenheit(american.climate.heating_set_point_celsius or 0.0) == pytest.approx(63.0, abs=0.01)


@pytest.mark.parametrize("changes", [{"heating_set_point_celsius": 99.0}, {"temperature_celsius": 99.0}])
def test_what_it_cannot_be_any_more_is_not_restored(changes: dict[str, Any]) -> None:
    thermostat = new_thermostat()
    before = thermostat.climate
    with pytest.raises(ThermostatError):
        thermostat.restore(replace(before, hvac_mode="off", **changes))
    assert (thermostat.climate, thermostat.is_new) == (before, True)


def test_a_valve_listens_for_a_while() -> None:
    wired, valve = new_thermostat(), new_thermostat(is_sleepy=True)
    assert [wired.is_asleep(100.0), valve.is_asleep(100.0)] == [False, True]
    valve.wake(100.0)
    assert [valve.is_asleep(100.0 + seconds) for seconds in (0.0, AWAKE_SECONDS - 0.1, AWAKE_SECONDS)] == [
        False,
        False,
        True,
    ]


@given(st.sampled_from(["celsius", "fahrenheit"]), st.lists(SETTINGS, max_size=8))
def test_whatever_is_asked_of_it_it_never_leaves_its_limits(scale: Any, settings: list[ClimateSetting]) -> None:
    thermostat = new_thermostat(scale)
    known = thermostat.capability
    for setting in settings:
        before = thermostat.climate
        try:
            thermostat.put(setting)
        except ThermostatError:
            assert thermostat.climate == before
        else:
            assert not setting.missing(thermostat.climate, known)
    now = thermostat.climate
    assert now.hvac_mode in known.hvac_modes
    assert now.fan_mode in known.fan_modes
    heating, cooling = now.heating_set_point_celsius, now.cooling_set_point_celsius
    assert heating is not None
    assert cooling is not None
    assert is_within(heating, known.heating)
    assert is_within(cooling, known.cooling)
    if now.hvac_mode == "heat_cool":
        assert heating + (known.min_delta_celsius or 0.0) <= cooling + 0.005


def is_within(value: float, bounds: SetPointRange | None) -> bool:
    assert bounds is not None
    return bounds.min_celsius <= value <= bounds.max_celsius
