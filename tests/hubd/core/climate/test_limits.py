from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hubd.core.climate.limits import USUAL, problem, range_of, rounded
from hubd.model import Climate, ClimateSetting, SetPointRange, ThermostatCapability
from tests.sims.thermostats import FAHRENHEIT, NEW, PLAIN

POINTS = st.none() | st.floats(-20, 60)


def code(capability: ThermostatCapability = PLAIN, climate: Climate | None = None, **members: Any) -> str | None:
    found = problem(ClimateSetting(**members), capability, climate)
    return None if found is None else found[0]


def test_what_the_device_does_not_have_is_not_sent() -> None:
    assert code(hvac_mode="eco") == "mode_not_supported"
    assert code(fan_mode="circulate") == "fan_mode_not_supported"
    assert code(FAHRENHEIT, hvac_mode="heat_cool") == "mode_not_supported"
    assert code(hvac_mode="heat", fan_mode="on", heating_set_point_celsius=21.0) is None


@pytest.mark.parametrize(
    ("degrees", "expected"),
    [(6.9, "set_point_out_of_range"), (7.0, None), (30.0, None), (30.1, "set_point_out_of_range")],
)
def test_set_points_are_within_the_range_of_the_device(degrees: float, expected: str | None) -> None:
    assert code(heating_set_point_celsius=degrees) == expected


def test_the_range_is_told_in_both_scales() -> None:
    found = problem(ClimateSetting(heating_set_point_celsius=40.0), PLAIN)
    assert found is not None
    assert found[1] == ("The heating set-point must be between 7 °C (44.6 °F) and 30 °C (86 °F), not 40 °C (104 °F).")


def test_a_device_without_a_range_gets_what_any_room_thermostat_takes() -> None:
    silent = ThermostatCapability(hvac_modes=("heat",))
    assert range_of(silent, "heating") == USUAL
    assert code(silent, heating_set_point_celsius=60.0) == "set_point_out_of_range"


def test_a_set_point_that_the_device_does_not_have_is_not_sent() -> None:
    valve = ThermostatCapability(hvac_modes=("off", "heat"), heating=SetPointRange(5.0, 30.0))
    assert code(valve, cooling_set_point_celsius=25.0) == "set_point_out_of_range"
    assert code(ThermostatCapability(heating=SetPointRange(5.0, 30.0)), cooling_set_point_celsius=25.0) is not None
    assert code(ThermostatCapability(), cooling_set_point_celsius=25.0) is None
    assert code(ThermostatCapability(hvac_modes=("heat_cool",)), heating_set_point_celsius=20.0) is None


def test_the_delta_counts_in_heat_cool_also_against_what_is_set_already() -> None:
    both: dict[str, Any] = {"heating_set_point_celsius": 22.0, "cooling_set_point_celsius": 23.0}
    assert code(hvac_mode="heat_cool", **both) == "set_points_too_close"
    assert code(hvac_mode="heat", **both) is None
    assert code(hvac_mode="heat_cool", heating_set_point_celsius=25.0, climate=NEW) == "set_points_too_close"
    assert code(hvac_mode="heat_cool", heating_set_point_celsius=24.5, climate=NEW) is None
    assert code(hvac_mode="heat_cool", climate=Climate()) is None
    close = Climate(hvac_mode="heat", heating_set_point_celsius=22.0, cooling_set_point_celsius=23.0)
    assert code(hvac_mode="heat_cool", climate=close) == "set_points_too_close"
    assert code(fan_mode="on", climate=replace(close, hvac_mode="heat_cool")) is None


def test_rounding_stays_within_the_range() -> None:
    narrow = ThermostatCapability(heating=SetPointRange(5.2, 29.8), step=0.5)
    for degrees, expected in ((5.2, 5.2), (29.8, 29.8), (20.3, 20.5), (40.0, 40.0)):
        assert rounded(ClimateSetting(heating_set_point_celsius=degrees), narrow).heating_set_point_celsius == expected


@given(POINTS, POINTS, st.sampled_from([PLAIN, FAHRENHEIT]))
def test_what_may_be_sent_may_be_sent_rounded(
    heating: float | None, cooling: float | None, capability: ThermostatCapability
) -> None:
    setting = ClimateSetting("heat", None, heating, cooling)
    once = rounded(setting, capability)
    assert rounded(once, capability) == once
    if problem(setting, capability) is None:
        assert problem(once, capability) is None
    for kind in ("heating", "cooling"):
        value, bounds = getattr(once, f"{kind}_set_point_celsius"), range_of(capability, kind)
        if problem(once, capability) is None and value is not None:
            assert bounds.min_celsius - 0.01 <= value <= bounds.max_celsius + 0.01
