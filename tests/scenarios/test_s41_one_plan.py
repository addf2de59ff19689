"""S41: exactly one plan is in force; what changes by itself is told with its source; what is shown was read back."""

from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.rooms import Room, berlin, room

pytestmark = pytest.mark.scenario

HOME: dict[str, Any] = {"hvac_mode_setting": "heat", "heating_set_point_celsius": 21}
NIGHT: dict[str, Any] = {"hvac_mode_setting": "heat", "heating_set_point_celsius": 17}
GUEST: dict[str, Any] = {"hvac_mode_setting": "heat", "heating_set_point_celsius": 23}


async def planned(there: Room) -> None:
    """Have a weekly program, a fallback and a schedule from eight to ten in the evening."""
    for key, setting in {"home": HOME, "night": NIGHT, "guest": GUEST}.items():
        await there.preset(key, **setting)
    await there.post("set_fallback_climate_preset", climate_preset_key="night")
    await there.wait(seconds=2)
    periods = [
        {"starts_at_time": "07:00:00", "climate_preset_key": "home"},
        {"starts_at_time": "23:00:00", "climate_preset_key": "night"},
    ]
    made = await there.post("daily_programs/create", name="Day", periods=periods)
    program = made["thermostat_daily_program"]["thermostat_daily_program_id"]
    days = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    await there.post("update_weekly_program", **{f"{day}_program_id": program for day in days})
    await there.schedule("guest", "2026-02-03T20:00:00+01:00", "2026-02-03T22:00:00+01:00", name="Dinner")


async def test_each_plan_is_in_force_in_its_time_and_no_other(tmp_path: Path) -> None:
    async with room(tmp_path) as there:
        await planned(there)
        seen = []
        for clock in ("09:10", "19:59", "20:01", "21:59", "22:01", "23:01"):
            await there.until(berlin(f"2026-02-03 {clock}"))
            shown = await there.properties()
            seen.append((await there.setting(), shown["current_climate_setting"]["climate_preset_key"]))
            is_dinner = "20:00" < clock < "22:00"
            schedule = shown["active_thermostat_schedule"]
            assert (schedule["name"] if is_dinner else schedule) == ("Dinner" if is_dinner else None)
            assert shown["is_temporary_manual_override_active"] is False
        home, guest, night = (("heat", 21.0), "home"), (("heat", 23.0), "guest"), (("heat", 17.0), "night")
        assert seen == [home, home, guest, guest, home, night]
        activated = await there.told("climate_preset_activated")
        assert [event["climate_preset_key"] for event in activated] == ["night", "home", "guest", "home", "night"]
        assert [event["is_fallback_climate_preset"] for event in activated] == [True] + [False] * 4
        assert await there.told("manually_adjusted") == []


async def test_what_the_devices_own_program_does_at_night_is_told_as_such_and_set_back(tmp_path: Path) -> None:
    async with room(tmp_path, berlin("2026-02-02 22:30")) as there:
        await planned(there)
        await there.until(berlin("2026-02-03 02:00"))
        await there.turn("heat", heating_set_point_celsius=26)
        await there.until(berlin("2026-02-03 06:59"))  # it may have been a person
        assert await there.setting() == ("heat", 26.0)
        assert (await there.properties())["is_temporary_manual_override_active"] is True
        await there.until(berlin("2026-02-03 07:01"))
        assert await there.setting() == ("heat", 21.0)
        await there.until(berlin("2026-02-04 02:00"))
        await there.turn("heat", heating_set_point_celsius=26)
        await there.wait(seconds=5)
        assert await there.setting() == ("heat", 17.0)
        assert (await there.properties())["is_temporary_manual_override_active"] is False
        told = await there.told("manually_adjusted")
        assert [(event["method"], event["hub_source"]) for event in told] == [
            ("external", "unknown"),
            ("external", "program"),
        ]


async def test_what_is_shown_is_what_was_read_back_and_not_what_is_wished(tmp_path: Path) -> None:
    async with room(tmp_path, fault="refuse") as there:
        await there.preset("guest", **GUEST)
        stay = await there.schedule("guest", there.at(minutes=1), there.at(hours=2))
        await there.wait(minutes=3)
        shown = await there.properties()
        assert (await there.setting(), shown["active_thermostat_schedule_id"]) == (("heat", 21.0), None)
        assert "climate_preset_key" not in shown["current_climate_setting"]
        assert await there.told("climate_preset_activated") == []
        which = {"thermostat_schedule_id": stay["thermostat_schedule_id"]}
        found = await there.client.ok("/thermostats/schedules/get", which)
        assert [error["error_code"] for error in found["thermostat_schedule"]["errors"]] == ["device_refused"]
        answer = await there.client.ok("/devices/get", {"device_id": there.device_id})
        assert "The thermostat refused the order." in str(answer["device"]["warnings"] + answer["device"]["errors"])
