"""S40: modes, fan modes, ranges and delta are what the device says, always there, and both scales agree."""

from pathlib import Path

import pytest

from tests.scenarios.rooms import room

pytestmark = pytest.mark.scenario


async def test_a_new_thermostat_is_described_in_full(tmp_path: Path) -> None:
    async with room(tmp_path) as there:
        found = await there.properties()
        assert found["available_hvac_mode_settings"] == ["off", "heat", "cool", "heat_cool"]
        assert found["available_fan_mode_settings"] == ["auto", "on"]
        assert (found["min_heating_set_point_celsius"], found["max_heating_set_point_celsius"]) == (5.0, 30.0)
        assert (found["min_heating_set_point_fahrenheit"], found["max_heating_set_point_fahrenheit"]) == (41.0, 86.0)
        assert (found["min_cooling_set_point_celsius"], found["max_cooling_set_point_fahrenheit"]) == (15.0, 95.0)
        assert found["min_heating_cooling_delta_celsius"] == 1.5
        assert found["min_heating_cooling_delta_fahrenheit"] == 2.7
        assert (found["available_climate_presets"], found["thermostat_daily_programs"]) == ([], [])
        assert (found["fallback_climate_preset_key"], found["active_thermostat_schedule_id"]) == (None, None)
        assert found["is_temporary_manual_override_active"] is False
        assert (found["temperature_celsius"], found["temperature_fahrenheit"]) == (21.5, 70.7)
        assert found["current_climate_setting"]["hvac_mode_setting"] == "heat"


async def test_what_is_said_in_fahrenheit_is_shown_so_again(tmp_path: Path) -> None:
    async with room(tmp_path, thermostat_scale="fahrenheit") as there:
        for degrees in (68, 71, 72, 75):
            await there.post("heat", heating_set_point_fahrenheit=degrees)
            current = (await there.properties())["current_climate_setting"]
            assert current["heating_set_point_fahrenheit"] == degrees
            assert current["heating_set_point_celsius"] == round((degrees - 32) / 1.8, 2)


async def test_a_set_point_is_shown_as_the_device_rounds_it(tmp_path: Path) -> None:
    async with room(tmp_path) as there:
        await there.post("heat", heating_set_point_celsius=21.2)
        assert await there.setting() == ("heat", 21.0)
        await there.post("heat", heating_set_point_fahrenheit=70)
        assert await there.setting() == ("heat", 21.0)


async def test_what_the_device_cannot_do_is_refused_before_it_is_asked(tmp_path: Path) -> None:
    async with room(tmp_path) as there:
        assert await there.refused("heat", heating_set_point_celsius=31) == "set_point_out_of_range"
        assert await there.refused("heat", heating_set_point_fahrenheit=21) == "set_point_out_of_range"
        assert await there.refused("set_hvac_mode", hvac_mode_setting="eco") == "mode_not_supported"
        assert await there.refused("set_fan_mode", fan_mode_setting="circulate") == "fan_mode_not_supported"
        points = {"heating_set_point_celsius": 22, "cooling_set_point_celsius": 23}
        assert await there.refused("heat_cool", **points) == "set_points_too_close"
        assert await there.setting() == ("heat", 21.0)
