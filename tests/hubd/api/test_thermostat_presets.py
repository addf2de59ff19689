from typing import Any

import pytest

from hubd.core.climate.desk import MAX_PRESETS
from hubd.model.climate import ClimateSetting
from hubd.store.climate import Preset
from tests.hubd.api.climate import NAME, heats_to, schedule
from tests.hubd.api.harness import Api
from tests.support.site import eventually


async def presets(api: Api) -> list[dict[str, Any]]:
    """Return the presets as the device shows them."""
    found: list[dict[str, Any]] = (await api.device(NAME))["properties"]["available_climate_presets"]
    return found


async def make(api: Api, key: str = "night", **members: Any) -> str:
    """Make a preset, and return the id of the thermostat."""
    device_id = await api.device_id(NAME)
    setting = members or {"hvac_mode_setting": "heat", "heating_set_point_celsius": 18}
    await api.ok("/thermostats/create_climate_preset", {"device_id": device_id, "climate_preset_key": key, **setting})
    return device_id


async def test_a_preset_is_made_changed_and_dropped(api: Api) -> None:
    device_id = await make(
        api,
        name="By night",
        climate_preset_mode="sleep",
        hvac_mode_setting="heat_cool",
        fan_mode_setting="auto",
        heating_set_point_fahrenheit=64.4,
        cooling_set_point_celsius=26.1,
        manual_override_allowed=False,
    )
    common = {"can_edit": True, "can_delete": True, "can_use_with_thermostat_daily_programs": True}
    expected = {
        "climate_preset_key": "night",
        "name": "By night",
        "display_name": "By night",
        "climate_preset_mode": "sleep",
        "hvac_mode_setting": "heat_cool",
        "fan_mode_setting": "auto",
        "heating_set_point_celsius": 18.0,
        "heating_set_point_fahrenheit": 64.4,
        "cooling_set_point_celsius": 26.0,  # as the device rounds
        "cooling_set_point_fahrenheit": 78.8,
        "manual_override_allowed": False,
        **common,
    }
    assert await presets(api) == [expected]
    one = {"device_id": device_id, "climate_preset_key": "night"}
    change = {"heating_set_point_celsius": 17, "manual_override_allowed": True}
    await api.ok("/thermostats/update_climate_preset", one | change, method="PATCH")
    await api.ok("/thermostats/update_climate_preset", one | {"name": None})
    expected |= {"heating_set_point_celsius": 17.0, "heating_set_point_fahrenheit": 62.6}
    expected |= {"manual_override_allowed": True, "name": None, "display_name": "night"}
    assert await presets(api) == [expected]
    await api.ok("/thermostats/delete_climate_preset", method="DELETE", query=one)
    assert await presets(api) == []
    error = await api.refused("/thermostats/delete_climate_preset", one)
    assert (error["status"], error["type"]) == (404, "climate_preset_not_found")


async def test_of_a_preset_that_sets_little(api: Api) -> None:
    await make(api, "still", fan_mode_setting="on")
    (shown,) = await presets(api)
    assert shown.keys() & {"hvac_mode_setting", "heating_set_point_celsius", "climate_preset_mode"} == set()
    assert (shown["fan_mode_setting"], shown["manual_override_allowed"]) == ("on", True)
    device_id = await api.device_id(NAME)
    body: dict[str, Any] = {"device_id": device_id, "climate_preset_key": "nothing"}
    await api.wrong("hvac_mode_setting", "/thermostats/create_climate_preset", body)
    body |= {"hvac_mode_setting": "off", "ecobee_metadata": {"owner": "user"}}
    await api.wrong("ecobee_metadata", "/thermostats/create_climate_preset", body)
    body |= {"ecobee_metadata": None}
    for key in ("", "ni\nght", "\x00", "\u202enight"):
        odd = body | {"climate_preset_key": key}
        await api.wrong("climate_preset_key", "/thermostats/create_climate_preset", odd)


async def test_what_cannot_be_kept(api: Api) -> None:
    device_id = await make(api)
    body: dict[str, Any] = {"device_id": device_id, "climate_preset_key": "night", "hvac_mode_setting": "off"}
    error = await api.refused("/thermostats/create_climate_preset", body)
    assert (error["status"], error["type"]) == (409, "climate_preset_exists")
    body |= {"climate_preset_key": "odd", "heating_set_point_celsius": 50}
    assert (await api.refused("/thermostats/create_climate_preset", body))["type"] == "set_point_out_of_range"
    body = {"device_id": device_id, "climate_preset_key": "night", "hvac_mode_setting": "eco"}
    assert (await api.refused("/thermostats/update_climate_preset", body))["type"] == "mode_not_supported"
    for number in range(MAX_PRESETS - 1):
        await api.hub.thermostats.create_preset(device_id, Preset(f"p{number}", ClimateSetting("off")), "test")
    body = {"device_id": device_id, "climate_preset_key": "last", "hvac_mode_setting": "off"}
    error = await api.refused("/thermostats/create_climate_preset", body)
    assert (error["status"], error["type"]) == (400, "too_many")


async def test_a_preset_that_is_needed_stays(api: Api) -> None:
    device_id = await make(api)
    one = {"device_id": device_id, "climate_preset_key": "night"}
    made = await schedule(api, device_id, "night", name="Tonight")
    error = await api.refused("/thermostats/delete_climate_preset", one)
    assert (error["status"], error["type"]) == (409, "climate_preset_in_use")
    assert "Tonight" in error["message"]
    await api.ok("/thermostats/schedules/delete", {"thermostat_schedule_id": made["thermostat_schedule_id"]})
    await api.ok("/thermostats/set_fallback_climate_preset", one)
    await api.ok("/thermostats/delete_climate_preset", one)
    known = (await api.ok("/thermostats/get", {"device_id": device_id}))["thermostat"]["properties"]
    assert (known["available_climate_presets"], known["fallback_climate_preset_key"]) == ([], None)


async def test_activating_one(api: Api) -> None:
    device_id = await make(api)
    one = {"device_id": device_id, "climate_preset_key": "night"}
    attempt = (await api.ok("/thermostats/activate_climate_preset", one))["action_attempt"]
    assert (attempt["action_type"], attempt["status"]) == ("ACTIVATE_CLIMATE_PRESET", "success")
    assert api.driver().devices["thermostat-1"].thermostat.climate.heating_set_point_celsius == 18.0
    assert (await api.device(NAME))["properties"]["current_climate_setting"]["climate_preset_key"] == "night"
    error = await api.refused("/thermostats/activate_climate_preset", one | {"climate_preset_key": "noon"})
    assert (error["status"], error["type"], error["data"]) == (
        404,
        "climate_preset_not_found",
        {"climate_preset_key": "noon"},
    )
    assert "night" in error["message"]


async def test_the_fallback_is_in_force_where_nothing_else_is(api: Api) -> None:
    device_id = await make(api)
    assert (await api.device(NAME))["properties"]["fallback_climate_preset_key"] is None
    one = {"device_id": device_id, "climate_preset_key": "night"}
    await api.ok("/thermostats/set_fallback_climate_preset", one)
    await heats_to(api, device_id, 18.0)
    shown = (await api.device(NAME))["properties"]
    assert shown["fallback_climate_preset_key"] == "night"
    assert shown["default_climate_setting"] == shown["available_climate_presets"][0]
    assert shown["current_climate_setting"]["climate_preset_key"] == "night"
    await api.ok("/thermostats/update_climate_preset", one | {"heating_set_point_celsius": 16.5})
    await heats_to(api, device_id, 16.5)
    error = await api.refused("/thermostats/set_fallback_climate_preset", one | {"climate_preset_key": "x"})
    assert error["status"] == 404


PATHS = [
    "create_climate_preset",
    "update_climate_preset",
    "delete_climate_preset",
    "activate_climate_preset",
    "set_fallback_climate_preset",
]


@pytest.mark.parametrize("path", PATHS)
async def test_who_may_and_on_what(api: Api, path: str) -> None:
    body = {"device_id": await api.device_id("Room 101"), "climate_preset_key": "night"}
    error = await api.refused(f"/thermostats/{path}", body, token=await api.as_role("viewer"))
    assert (error["status"], error["type"]) == (403, "forbidden")
    error = await api.refused(f"/thermostats/{path}", body, token=await api.as_role("operator"))
    assert (error["status"], error["type"]) == (400, "device_type_not_supported")
    body["device_id"] = await api.device_id(NAME)
    await api.ok("/devices/update", {"device_id": body["device_id"], "is_managed": False})
    assert (await api.refused(f"/thermostats/{path}", body))["type"] == "device_unmanaged"


async def test_a_repeated_call_is_one_change(api: Api) -> None:
    device_id = await api.device_id(NAME)
    body = {"device_id": device_id, "climate_preset_key": "night", "hvac_mode_setting": "off"}
    for _ in range(2):
        await api.ok("/thermostats/create_climate_preset", body, headers={"idempotency-key": "make"})
    one = {"device_id": device_id, "climate_preset_key": "night"}
    first, again = [
        (await api.ok("/thermostats/activate_climate_preset", one, headers={"idempotency-key": "go"})) for _ in range(2)
    ]
    assert again["action_attempt"]["action_attempt_id"] == first["action_attempt"]["action_attempt_id"]
    for _ in range(2):
        await api.ok("/thermostats/delete_climate_preset", one, headers={"idempotency-key": "drop"})
    assert await presets(api) == []


async def test_a_device_taken_under_management_follows_its_plan(api: Api) -> None:
    device_id = await make(api)
    await api.ok("/devices/update", {"device_id": device_id, "is_managed": False})
    await api.hub.thermostats.set_fallback(device_id, "night", "test")
    await api.ok("/devices/update", {"device_id": device_id, "is_managed": True})
    await eventually(lambda: api.hub.thermostats.get(device_id).base.kind == "fallback")
    await heats_to(api, device_id, 18.0)
