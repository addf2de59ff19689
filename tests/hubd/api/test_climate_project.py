from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hubd.api import climate_project
from hubd.model import degrees
from hubd.model.capability import SetPointRange, ThermostatCapability
from hubd.model.climate import ClimateSetting
from hubd.model.device import DeviceDescription
from hubd.model.seen import ClimateSeen, ReachabilitySeen
from hubd.model.state import Climate
from hubd.store.climate import Override
from hubd.store.codes import Trouble
from tests.hubd.api.climate import NAME, heats_to, schedule, with_presets
from tests.hubd.api.codes import from_now
from tests.hubd.api.harness import Api
from tests.support.site import eventually

THERMOSTAT = "thermostat-1"
FAHRENHEIT = ThermostatCapability(scale="fahrenheit", step=1.0)
LIVE = {"current_climate_setting", "is_temporary_manual_override_active", "temperature_celsius"}


async def properties(api: Api) -> dict[str, Any]:
    found: dict[str, Any] = (await api.device(NAME))["properties"]
    return found


async def setting(api: Api) -> dict[str, Any]:
    found: dict[str, Any] = (await properties(api))["current_climate_setting"]
    return found


async def climate(api: Api, **members: Any) -> dict[str, Any]:
    """Let the thermostat be so, and return its properties."""
    await api.see(ClimateSeen(native_id=THERMOSTAT, climate=Climate(**members)))
    return await properties(api)


async def notices(api: Api) -> list[dict[str, Any]]:
    """Return the warnings without their times."""
    found = (await api.device(NAME))["warnings"]
    return [{key: value for key, value in one.items() if key != "created_at"} for one in found]


async def turn(api: Api, mode: str = "heat", **members: Any) -> None:
    """Have somebody turn the knob."""
    body = {"device_id": await api.device_id(NAME), "hvac_mode": mode, **members}
    await api.ok("/thermostats/simulate/hvac_mode_adjusted", body)


# -- degrees -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shown", [40, 61, 66, 68, 69, 70, 71, 73, 90])
def test_set_points_of_a_device_that_counts_in_fahrenheit(shown: int) -> None:
    kept = degrees.snapped(degrees.celsius(shown), "fahrenheit", 1.0)
    assert climate_project.fahrenheit(kept, FAHRENHEIT) == shown
    unsteady = ThermostatCapability(scale="fahrenheit")
    assert climate_project.fahrenheit(round(degrees.celsius(shown + 0.5), 2), unsteady) == shown + 0.5


@given(st.floats(-60, 120))
def test_both_scales_tell_one_temperature(celsius: float) -> None:
    for capability in (None, ThermostatCapability(), FAHRENHEIT):
        told = climate_project.both("x", celsius, capability)
        assert abs(degrees.celsius(told["x_fahrenheit"]) - celsius) < 0.03
        assert abs(told["x_celsius"] - celsius) <= 0.005 + 1e-9
    assert climate_project.both("x", None) == {}


# -- what was read back ------------------------------------------------------------------------------------------------


IN_FORCE: list[tuple[Any, set[str]]] = [
    ("heat", {"heating"}),
    ("cool", {"cooling"}),
    ("heat_cool", {"heating", "cooling"}),
    ("eco", {"heating", "cooling"}),
    ("off", set()),
    (None, {"heating", "cooling"}),
]


async def test_the_climate_setting_holds_what_is_in_force(api: Api) -> None:
    for mode, set_points in IN_FORCE:
        found = await climate(
            api, hvac_mode=mode, fan_mode="auto", heating_set_point_celsius=20.5, cooling_set_point_celsius=25.0
        )
        now = found["current_climate_setting"]
        assert now.get("hvac_mode_setting") == mode
        assert now["fan_mode_setting"] == found["fan_mode_setting"] == "auto"
        values = {"heating": (20.5, 68.9), "cooling": (25.0, 77.0)}
        expected = {
            f"{name}_set_point_{unit}": value
            for name in set_points
            for unit, value in zip(("celsius", "fahrenheit"), values[name], strict=True)
        }
        assert {key: value for key, value in now.items() if "set_point" in key} == expected
        assert now["manual_override_allowed"] is True
        assert not {"climate_preset_key", "display_name"} & now.keys()


async def test_a_thermostat_that_tells_nothing_still_says_what_it_can(api: Api) -> None:
    found = await climate(api)
    assert not LIVE & found.keys()
    assert found["available_hvac_mode_settings"] == ["off", "heat", "cool", "heat_cool"]
    assert (found["min_heating_set_point_celsius"], found["max_cooling_set_point_fahrenheit"]) == (5.0, 95.0)


async def test_an_offline_thermostat_tells_no_setting_and_keeps_what_is_planned(api: Api) -> None:
    device_id = await with_presets(api)
    made = await schedule(api, device_id)
    await heats_to(api, device_id, 16.0)
    await api.see(ReachabilitySeen(native_id=THERMOSTAT, online=False))
    found = await properties(api)
    assert not LIVE & found.keys()
    assert found["available_fan_mode_settings"] == ["auto", "on"]
    assert found["active_thermostat_schedule_id"] == made["thermostat_schedule_id"]


@given(
    st.builds(
        Climate,
        temperature_celsius=st.none() | st.floats(-60, 120),
        relative_humidity=st.none() | st.floats(0, 1),
        hvac_mode=st.sampled_from([None, "off", "heat", "cool", "heat_cool", "eco"]),
        fan_mode=st.sampled_from([None, "auto", "on", "circulate"]),
        heating_set_point_celsius=st.none() | st.floats(-60, 120),
        cooling_set_point_celsius=st.none() | st.floats(-60, 120),
        is_heating=st.none() | st.booleans(),
    )
)
def test_any_climate_has_a_setting_or_none(value: Climate) -> None:
    found = climate_project.climate_setting(value, None)
    assert ("hvac_mode_setting" in found) is (value.hvac_mode is not None)
    for name in ("heating", "cooling"):
        celsius = getattr(value, f"{name}_set_point_celsius")
        if f"{name}_set_point_celsius" in found:
            assert found[f"{name}_set_point_celsius"] == round(celsius, 2)
            assert found[f"{name}_set_point_fahrenheit"] == degrees.fahrenheit(celsius)
        else:
            assert celsius is None or value.hvac_mode not in {name.removesuffix("ing"), "heat_cool", "eco", None}


# -- what the device can do, and what the hub keeps --------------------------------------------------------------------

ALWAYS = {
    "available_hvac_mode_settings": [],
    "available_fan_mode_settings": [],
    "available_climate_presets": [],
    "available_climate_preset_modes": ["home", "away", "wake", "sleep", "occupied", "unoccupied"],
    "thermostat_daily_programs": [],
    "thermostat_weekly_program": None,
    "fallback_climate_preset_key": None,
    "active_thermostat_schedule": None,
    "active_thermostat_schedule_id": None,
    "max_thermostat_daily_program_periods_per_day": 24,
    "max_unique_climate_presets_per_thermostat_weekly_program": 40,
    "thermostat_daily_program_period_precision_minutes": 1,
}
PROGRAMS = {
    "can_run_thermostat_programs",
    "can_program_thermostat_programs_as_different_each_day",
    "can_program_thermostat_programs_as_same_each_day",
    "can_program_thermostat_programs_as_weekday_weekend",
}


async def shown(api: Api, capability: ThermostatCapability) -> dict[str, Any]:
    """Return a thermostat of a maker that does not tell how it stands."""
    capabilities = replace(api.hub.present(await api.device_id(NAME)).device.description.capabilities)
    capabilities = replace(capabilities, thermostat=capability, simulated=False)
    description = DeviceDescription("t-9", "thermostat", "zwave_thermostat", "Attic", capabilities=capabilities)
    await api.hub.found("site", description, ())
    return await api.device("Attic")


async def test_lists_are_empty_and_never_missing(api: Api) -> None:
    found = await shown(api, ThermostatCapability())
    assert found["properties"].items() >= ALWAYS.items()
    assert not {key for key in found if key.startswith("can_")}
    assert not {key for key in found["properties"] if key.startswith(("min_", "max_h", "max_c", "default_"))}


async def test_what_a_device_says_of_itself(api: Api) -> None:
    cooler = ThermostatCapability(("off", "cool"), ("circulate",), None, SetPointRange(16.0, 30.0), 1.5)
    found = await shown(api, cooler)
    assert {key for key in found if key.startswith("can_")} == PROGRAMS | {"can_hvac_cool", "can_turn_off_hvac"}
    told = found["properties"]
    assert (told["available_hvac_mode_settings"], told["available_fan_mode_settings"]) == (
        ["off", "cool"],
        ["circulate"],
    )
    assert (told["min_cooling_set_point_celsius"], told["max_cooling_set_point_fahrenheit"]) == (16.0, 86.0)
    assert (told["min_heating_cooling_delta_celsius"], told["min_heating_cooling_delta_fahrenheit"]) == (1.5, 2.7)
    assert "min_heating_set_point_celsius" not in told


async def test_what_a_device_says_of_itself_in_fahrenheit(api: Api) -> None:
    bounds = SetPointRange(4.44, 32.22)
    found = (await shown(api, replace(FAHRENHEIT, heating=bounds, min_delta_celsius=1.67)))["properties"]
    assert (found["min_heating_set_point_fahrenheit"], found["max_heating_set_point_fahrenheit"]) == (40.0, 90.0)
    assert found["min_heating_cooling_delta_fahrenheit"] == 3.0


async def test_programs_are_shown(api: Api) -> None:
    device_id = await with_presets(api)
    body = {
        "device_id": device_id,
        "name": "Work",
        "periods": [{"starts_at_time": "08:00:00", "climate_preset_key": "away"}],
    }
    program = (await api.ok("/thermostats/daily_programs/create", body))["thermostat_daily_program"]
    found = await properties(api)
    assert found["thermostat_daily_programs"] == [program]
    assert found["thermostat_weekly_program"] is None
    week = {"device_id": device_id, "monday_program_id": program["thermostat_daily_program_id"]}
    await api.ok("/thermostats/update_weekly_program", week)
    first = (await properties(api))["thermostat_weekly_program"]
    assert first["monday_program_id"] == program["thermostat_daily_program_id"]
    assert [first[f"{day}_program_id"] for day in ("tuesday", "sunday")] == [None, None]
    assert first["created_at"] > program["created_at"]
    await api.ok("/thermostats/update_weekly_program", {**week, "sunday_program_id": week["monday_program_id"]})
    assert (await properties(api))["thermostat_weekly_program"]["created_at"] == first["created_at"]


# -- the plan ----------------------------------------------------------------------------------------------------------


async def test_a_schedule_is_active_once_the_device_was_read_back(api: Api) -> None:
    device_id = await with_presets(api)
    await api.ok("/devices/simulate/disconnect", {"device_id": device_id})
    made = await schedule(api, device_id, name="Away")
    await eventually(lambda: api.hub.thermostats.get(device_id).base.kind == "schedule")
    found = await properties(api)
    assert (found["active_thermostat_schedule"], found["active_thermostat_schedule_id"]) == (None, None)
    await api.ok("/devices/simulate/connect", {"device_id": device_id})
    await heats_to(api, device_id, 16.0)
    found = await properties(api)
    assert found["active_thermostat_schedule_id"] == made["thermostat_schedule_id"]
    assert found["active_thermostat_schedule"] == made | {"errors": []}
    now = found["current_climate_setting"]
    assert (now["climate_preset_key"], now["display_name"], now["can_delete"]) == ("away", "away", True)
    assert found["is_temporary_manual_override_active"] is False
    await api.ok("/thermostats/schedules/delete", {"thermostat_schedule_id": made["thermostat_schedule_id"]})
    assert (await properties(api))["active_thermostat_schedule_id"] is None


async def test_an_override_is_shown_while_it_stands(api: Api) -> None:
    device_id = await with_presets(api)
    await turn(api, heating_set_point_celsius=19)
    found = await properties(api)
    assert found["is_temporary_manual_override_active"] is False  # nothing is planned that it could override
    made = await schedule(api, device_id, ends_at=from_now(api, hours=5), max_override_period_minutes=60)
    await heats_to(api, device_id, 16.0)
    await turn(api, heating_set_point_celsius=23)
    found = await properties(api)
    assert found["is_temporary_manual_override_active"] is True
    assert found["active_thermostat_schedule_id"] == made["thermostat_schedule_id"]
    assert found["current_climate_setting"]["heating_set_point_celsius"] == 23.0
    assert "climate_preset_key" not in found["current_climate_setting"]
    await turn(api, heating_set_point_celsius=16)
    found = await properties(api)
    assert found["is_temporary_manual_override_active"] is False
    assert found["current_climate_setting"]["climate_preset_key"] == "away"
    await api.ok("/thermostats/activate_climate_preset", {"device_id": device_id, "climate_preset_key": "night"})
    found = await properties(api)
    assert found["is_temporary_manual_override_active"] is True
    assert found["current_climate_setting"]["climate_preset_key"] == "night"


async def test_a_call_that_waits_is_not_shown_as_if_it_were_done(api: Api) -> None:
    device_id = await with_presets(api)
    await schedule(api, device_id)
    await heats_to(api, device_id, 16.0)
    kept = api.hub.thermostats.get(device_id)
    waiting = replace(kept, is_applied=False)
    await api.hub.journal.transact(lambda view: view.put_thermostat(waiting))
    now = await setting(api)
    assert "climate_preset_key" not in now
    assert now["heating_set_point_celsius"] == 16.0


async def test_a_preset_that_was_changed_is_not_what_the_device_is_set_to(api: Api) -> None:
    device_id = await with_presets(api)
    one = {"device_id": device_id, "climate_preset_key": "night"}
    await api.ok("/thermostats/activate_climate_preset", one)
    assert (await setting(api))["climate_preset_key"] == "night"
    await api.ok("/thermostats/update_climate_preset", one | {"heating_set_point_celsius": 12})
    assert "climate_preset_key" not in await setting(api)


async def test_whether_somebody_may_override(api: Api) -> None:
    device_id = await with_presets(api)
    await schedule(api, device_id, is_override_allowed=False)
    await heats_to(api, device_id, 16.0)
    assert (await setting(api))["manual_override_allowed"] is False


# -- warnings ----------------------------------------------------------------------------------------------------------

EXCEEDED: list[tuple[dict[str, float], float, str]] = [
    ({"lower_limit_celsius": 18}, 15, "The room has 15 °C (59 °F); it is to have at least 18 °C (64.4 °F)."),
    ({"upper_limit_celsius": 24.5}, 30, "The room has 30 °C (86 °F); it is to have at most 24.5 °C (76.1 °F)."),
    (
        {"lower_limit_fahrenheit": 60, "upper_limit_celsius": 25},
        30,
        "The room has 30 °C (86 °F); it is to have 15.6 °C (60 °F) to 25 °C (77 °F).",
    ),
]


@pytest.mark.parametrize(("limits", "celsius", "message"), EXCEEDED)
async def test_a_room_outside_its_limits(api: Api, limits: dict[str, float], celsius: float, message: str) -> None:
    device_id = await api.device_id(NAME)
    await api.ok("/thermostats/set_temperature_threshold", {"device_id": device_id, **limits})
    assert await notices(api) == []
    body = {"device_id": device_id, "temperature_celsius": celsius}
    await api.ok("/thermostats/simulate/temperature_reached", body)
    expected = {"warning_code": "temperature_threshold_exceeded", "message": message}
    assert await notices(api) == [expected]
    await api.see(ReachabilitySeen(native_id=THERMOSTAT, online=False))
    (told,) = await notices(api)
    assert told["message"].startswith("The room was outside its limits when it was last measured;")
    await api.see(ReachabilitySeen(native_id=THERMOSTAT, online=True))
    await api.ok("/thermostats/simulate/temperature_reached", body | {"temperature_celsius": 21})
    assert await notices(api) == []


async def fail(api: Api, device_id: str) -> None:
    """Have the last try have failed, and none be made."""
    now = api.clock.now()
    trouble = Trouble("no_answer", "It did not answer.", now, 3, now + timedelta(hours=1))
    known = api.hub.thermostats.get(device_id)
    await api.hub.journal.transact(lambda view: view.put_thermostat(replace(known, trouble=trouble)))


async def test_a_plan_that_is_not_applied(api: Api) -> None:
    device_id = await with_presets(api)
    await api.see(ReachabilitySeen(native_id=THERMOSTAT, online=False))
    await api.ok("/thermostats/set_fallback_climate_preset", {"device_id": device_id, "climate_preset_key": "night"})
    await eventually(lambda: api.hub.thermostats.get(device_id).base.kind == "fallback")
    assert await notices(api) == []
    whose: list[tuple[str, str]] = [("fallback", "its fallback preset (climate preset “night”) wants")]

    async def told() -> str:
        await fail(api, device_id)
        (found,) = await notices(api)
        assert (found["warning_code"], found["hub_code"]) == ("provider_issue", "setting_not_applied")
        return str(found["message"])

    assert await told() == f"The thermostat is not set as {whose[0][1]} it to be. It did not answer."
    await schedule(api, device_id, name="Winter")
    await eventually(lambda: api.hub.thermostats.get(device_id).base.kind == "schedule")
    assert "as its schedule “Winter” (climate preset “away”) wants" in await told()
    await api.ok("/thermostats/heat", {"device_id": device_id})
    assert "as somebody's call wants" in await told()
    await api.ok("/devices/update", {"device_id": device_id, "is_managed": False})
    assert (await api.ok("/devices/unmanaged/get", {"device_id": device_id}))["device"]["warnings"] == []


async def test_what_a_person_at_the_device_wanted_is_nobodys_call(api: Api) -> None:
    device_id = await with_presets(api)
    await api.see(ReachabilitySeen(native_id=THERMOSTAT, online=False))
    now = api.clock.now()
    override = Override(ClimateSetting("heat", heating_set_point_celsius=23.0), "manual", now)
    known = replace(api.hub.thermostats.get(device_id), override=override, is_applied=False)
    known = replace(known, trouble=Trouble("no_answer", "It did not answer.", now, 1, now))
    api.hub.journal.tables.put_thermostat(known)  # looked at before the hub looks at it again
    (found,) = climate_project.warnings(api.hub, api.hub.devices[device_id])
    assert found.message == "The thermostat is not set as somebody at the device wanted it to be. It did not answer."


async def test_a_daily_program_that_is_not_applied(api: Api) -> None:
    device_id = await with_presets(api)
    await api.see(ReachabilitySeen(native_id=THERMOSTAT, online=False))
    periods = [{"starts_at_time": "00:00:00", "climate_preset_key": "night"}]
    body = {"device_id": device_id, "name": "Day", "periods": periods}
    program = (await api.ok("/thermostats/daily_programs/create", body))["thermostat_daily_program"]
    days = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    week = {f"{day}_program_id": program["thermostat_daily_program_id"] for day in days}
    await api.ok("/thermostats/update_weekly_program", {"device_id": device_id, **week})
    await eventually(lambda: api.hub.thermostats.get(device_id).base.kind == "program")
    await fail(api, device_id)
    (found,) = await notices(api)
    assert "as its program “Day” (climate preset “night”) wants" in found["message"]


async def test_a_plan_that_the_device_cannot_follow_any_more(api: Api) -> None:
    device_id = await with_presets(api)
    await api.see(ReachabilitySeen(native_id=THERMOSTAT, online=False))
    one = {"device_id": device_id, "climate_preset_key": "night"}
    await api.ok("/thermostats/set_fallback_climate_preset", one)
    await eventually(lambda: api.hub.thermostats.get(device_id).base.kind == "fallback")
    record = api.hub.present(device_id)
    capability = record.device.description.capabilities.thermostat
    assert capability is not None
    warmer = replace(capability, heating=SetPointRange(20.0, 30.0))
    capabilities = replace(record.device.description.capabilities, thermostat=warmer)
    await api.hub.found("site", replace(record.device.description, capabilities=capabilities), ())
    (found,) = await notices(api)
    assert found["hub_code"] == "setting_not_applied"
    assert found["message"] == (
        "The thermostat is not set as its fallback preset (climate preset “night”) wants it to be."
        " The heating set-point must be between 20 °C (68 °F) and 30 °C (86 °F), not 18 °C (64.4 °F)."
    )


def test_a_setting_in_seams_words() -> None:
    whole = ClimateSetting("heat_cool", "on", 20.0, 25.0)
    assert climate_project.setting_members(whole, None) == {
        "hvac_mode_setting": "heat_cool",
        "fan_mode_setting": "on",
        "heating_set_point_celsius": 20.0,
        "heating_set_point_fahrenheit": 68.0,
        "cooling_set_point_celsius": 25.0,
        "cooling_set_point_fahrenheit": 77.0,
    }
    assert climate_project.setting_members(ClimateSetting(), None) == {}
