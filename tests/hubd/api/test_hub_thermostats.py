from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from hubd.store.codes import Trouble
from tests.hubd.api.climate import NAME, heats_to, schedule, with_presets
from tests.hubd.api.codes import from_now, moment
from tests.hubd.api.harness import Api
from tests.support.site import eventually


async def standing(api: Api, **options: Any) -> dict[str, Any]:
    """Return how the thermostat stands."""
    body = {"device_id": await api.device_id(NAME)}
    found: dict[str, Any] = (await api.ok("/hub/thermostats/get", body, **options))["thermostat"]
    return found


async def test_without_a_plan(api: Api) -> None:
    found = await standing(api, token=await api.as_role("viewer"))
    assert (found["device_name"], found["is_managed"], found["is_applied"]) == (NAME, True, True)
    assert found["plan"] == {
        "kind": "none",
        "plan_id": None,
        "name": None,
        "climate_preset_key": None,
        "since": None,
        "setting": {},
        "is_override_allowed": True,
        "max_override_period_minutes": None,
    }
    assert (found["override"], found["why"], found["plan_looked_at_again_at"]) == (None, None, None)
    assert (found["is_plan_applied"], found["is_time_trusted"], found["pending_calls"]) == (False, True, 0)


async def test_a_plan_and_who_overrides_it(api: Api) -> None:
    device_id = await with_presets(api)
    made = await schedule(api, device_id, name="Away", max_override_period_minutes=30)
    await heats_to(api, device_id, 16.0)
    found = await standing(api)
    plan = found["plan"]
    assert (plan["kind"], plan["plan_id"], plan["name"]) == ("schedule", made["thermostat_schedule_id"], "Away")
    assert (plan["climate_preset_key"], plan["max_override_period_minutes"]) == ("away", 30)
    assert moment(plan["since"]) == moment(made["starts_at"])
    assert plan["setting"] == {
        "hvac_mode_setting": "heat",
        "heating_set_point_celsius": 16.0,
        "heating_set_point_fahrenheit": 60.8,
    }
    assert (found["is_applied"], found["is_plan_applied"]) == (True, True)
    assert moment(found["plan_looked_at_again_at"]) == moment(made["ends_at"])
    await api.ok("/thermostats/activate_climate_preset", {"device_id": device_id, "climate_preset_key": "night"})
    override = (await standing(api))["override"]
    assert (override["source"], override["by_name"], override["climate_preset_key"]) == ("api", "owner", "night")
    assert moment(override["until"]) - moment(override["since"]) == timedelta(minutes=30)
    body = {"device_id": device_id, "hvac_mode": "heat", "heating_set_point_celsius": 24}
    await api.ok("/thermostats/simulate/hvac_mode_adjusted", body)
    override = (await standing(api))["override"]
    assert (override["by"], override["by_name"], override["climate_preset_key"]) == ("", None, None)
    assert override["source"] in {"manual", "unknown"}  # on a quarter of an hour it may be a program's
    assert override["setting"]["heating_set_point_celsius"] == 24.0
    body = {"device_id": device_id}
    ended = (await api.ok("/hub/thermostats/cancel_override", body, token=await api.as_role("operator")))["thermostat"]
    assert (ended["override"], ended["plan"]["kind"]) == (None, "schedule")
    await heats_to(api, device_id, 16.0)


async def test_a_daily_program_by_name(api: Api) -> None:
    device_id = await with_presets(api)
    periods = [{"starts_at_time": "00:00:00", "climate_preset_key": "night"}]
    body = {"device_id": device_id, "name": "Day", "periods": periods}
    program = (await api.ok("/thermostats/daily_programs/create", body))["thermostat_daily_program"]
    days = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    week = {f"{day}_program_id": program["thermostat_daily_program_id"] for day in days}
    await api.ok("/thermostats/update_weekly_program", {"device_id": device_id, **week})
    await heats_to(api, device_id, 18.0)
    found = await standing(api)
    assert (found["plan"]["kind"], found["plan"]["name"]) == ("program", "Day")
    assert timedelta() < moment(found["plan_looked_at_again_at"]) - api.clock.now() <= timedelta(hours=25)


async def test_why_it_is_not_so(api: Api) -> None:
    device_id = await with_presets(api)
    await api.ok("/devices/simulate/disconnect", {"device_id": device_id})
    await schedule(api, device_id, starts_at=from_now(api, hours=-2))
    await eventually(lambda: api.hub.thermostats.get(device_id).base.kind == "schedule")
    found = await standing(api)
    assert (found["is_applied"], found["is_plan_applied"], found["why"]) == (False, False, None)
    await api.ok("/thermostats/heat", {"device_id": device_id, "heating_set_point_celsius": 17})
    assert (await standing(api))["pending_calls"] == 1
    now = api.clock.now()
    trouble = Trouble("no_answer", "It did not answer.", now, 3, now + timedelta(hours=1))
    known = api.hub.thermostats.get(device_id)
    await api.hub.journal.transact(lambda view: view.put_thermostat(replace(known, trouble=trouble)))
    why = (await standing(api))["why"]
    assert (why["code"], why["message"], why["attempts"]) == ("no_answer", "It did not answer.", 3)
    assert (moment(why["since"]), moment(why["retry_at"])) == (trouble.since, trouble.retry_at)


async def test_cancelling_what_is_not_there_does_nothing(api: Api) -> None:
    device_id = await api.device_id(NAME)
    before = api.hub.thermostats.get(device_id)
    await api.ok("/hub/thermostats/cancel_override", {"device_id": device_id})
    assert await api.hub.journal.select("type LIKE 'thermostat.%'", ()) == []
    assert api.hub.thermostats.get(device_id) == before


async def test_a_call_that_waits_ends_with_it(api: Api) -> None:
    device_id = await api.device_id(NAME)
    await api.ok("/devices/simulate/disconnect", {"device_id": device_id})
    body = {"device_id": device_id, "heating_set_point_celsius": 17}
    attempt = (await api.ok("/thermostats/heat", body))["action_attempt"]
    await api.ok("/hub/thermostats/cancel_override", {"device_id": device_id})
    query = {"action_attempt_id": attempt["action_attempt_id"]}
    ended = (await api.ok("/action_attempts/get", query))["action_attempt"]
    assert (ended["status"], ended["error"]["type"]) == ("error", "superseded")
    assert (await standing(api))["pending_calls"] == 0


@pytest.mark.parametrize("path", ["get", "cancel_override"])
async def test_only_thermostats_and_only_by_who_may(api: Api, path: str) -> None:
    error = await api.refused(f"/hub/thermostats/{path}", {"device_id": await api.device_id("Room 101")})
    assert (error["status"], error["type"]) == (400, "device_type_not_supported")
    if path == "cancel_override":
        body = {"device_id": await api.device_id(NAME)}
        error = await api.refused(f"/hub/thermostats/{path}", body, token=await api.as_role("viewer"))
        assert (error["status"], error["type"]) == (403, "forbidden")
