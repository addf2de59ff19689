"""S42: whether somebody may set a thermostat, and for how long; the plan takes over again at the right minute."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.rooms import berlin, room

pytestmark = pytest.mark.scenario

GUEST: dict[str, Any] = {"hvac_mode_setting": "heat", "heating_set_point_celsius": 22}


async def test_an_override_lasts_as_long_as_its_schedule_allows(tmp_path: Path) -> None:
    async with room(tmp_path) as there:
        await there.preset("guest", **GUEST)
        window = there.at(minutes=1), there.at(hours=9)
        await there.schedule("guest", *window, is_override_allowed=True, max_override_period_minutes=90)
        await there.wait(minutes=40)
        await there.turn("heat", heating_set_point_celsius=25)
        turned = there.clock.now()
        await there.until(turned + timedelta(minutes=89, seconds=50))
        assert await there.setting() == ("heat", 25.0)
        shown = await there.properties()
        assert shown["is_temporary_manual_override_active"] is True
        assert shown["active_thermostat_schedule"]["climate_preset_key"] == "guest"
        await there.until(turned + timedelta(minutes=90, seconds=1))
        assert await there.setting() == ("heat", 22.0)
        assert (await there.properties())["is_temporary_manual_override_active"] is False


async def test_a_call_is_an_override_too_and_the_next_plan_ends_it(tmp_path: Path) -> None:
    async with room(tmp_path) as there:
        await there.preset("guest", **GUEST)
        await there.preset("away", hvac_mode_setting="off")
        await there.post("set_fallback_climate_preset", climate_preset_key="away")
        await there.schedule("guest", there.at(hours=1), there.at(hours=2))
        await there.quiet()
        attempt = (await there.post("cool", cooling_set_point_celsius=24))["action_attempt"]
        assert attempt["status"] == "success"
        assert await there.setting() == ("cool", 24.0)
        assert (await there.properties())["is_temporary_manual_override_active"] is True
        await there.wait(minutes=59, seconds=59)
        assert await there.setting() == ("cool", 24.0)
        await there.wait(seconds=2)
        assert await there.setting() == ("heat", 22.0)
        await there.wait(hours=1)
        assert await there.setting() == ("off",)
        told = await there.told("manually_adjusted")
        assert [event["method"] for event in told] == ["seam"]


async def test_where_it_is_not_allowed_the_plan_returns_at_once_and_calls_are_refused(tmp_path: Path) -> None:
    async with room(tmp_path) as there:
        await there.preset("guest", **GUEST)
        await there.schedule("guest", there.at(), there.at(hours=9), is_override_allowed=False)
        await there.wait(minutes=20)
        assert await there.refused("off") == "manual_override_not_allowed"
        await there.turn("heat", heating_set_point_celsius=28)
        await there.wait(seconds=3)
        assert await there.setting() == ("heat", 22.0)
        told = await there.told("manually_adjusted")
        assert [(event["method"], event["heating_set_point_celsius"]) for event in told] == [("external", 28.0)]
        assert (await there.properties())["is_temporary_manual_override_active"] is False


async def test_an_override_and_its_end_outlive_a_restart(tmp_path: Path) -> None:
    async with room(tmp_path) as there:
        await there.preset("guest", **GUEST)
        window = there.at(), there.at(hours=9)
        await there.schedule("guest", *window, max_override_period_minutes=60)
        await there.wait(minutes=7)
        await there.turn("heat", heating_set_point_celsius=25)
        clock = there.clock
    clock.step(59 * 60)
    async with room(tmp_path, clock=clock) as there:
        assert await there.setting() == ("heat", 25.0)
        await there.wait(seconds=90)
        assert await there.setting() == ("heat", 22.0)


@pytest.mark.parametrize("night", ["2026-03-28", "2026-10-24"])
async def test_an_override_lasts_its_minutes_in_the_night_in_which_the_clocks_change(
    tmp_path: Path, night: str
) -> None:
    async with room(tmp_path, berlin(f"{night} 22:07")) as there:
        await there.preset("guest", **GUEST)
        await there.schedule("guest", there.at(), there.at(hours=20), max_override_period_minutes=300)
        await there.wait(hours=3)
        await there.turn("heat", heating_set_point_celsius=25)
        await there.wait(minutes=299)
        assert await there.setting() == ("heat", 25.0)
        await there.wait(minutes=2)
        assert await there.setting() == ("heat", 22.0)
