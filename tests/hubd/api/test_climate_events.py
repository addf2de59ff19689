from typing import Any

from msgspec.structs import replace

from hubd.api.seam_events import seam_event
from hubd.model.event import ThermostatAdjusted, ThresholdCleared
from hubd.model.seen import ClimateSeen
from tests.hubd.api.climate import NAME, heats_to, schedule, with_presets
from tests.hubd.api.harness import Api
from tests.support.seam_schema import validate_event

COMMON = {
    "event_id",
    "event_type",
    "workspace_id",
    "created_at",
    "occurred_at",
    "connected_account_id",
    "device_id",
}


async def told(api: Api, event_type: str) -> list[dict[str, Any]]:
    """Return what the events of a type have besides what all have; each is as in Seam's schema."""
    events = (await api.ok("/events/list", {"event_type": f"thermostat.{event_type}"}))["events"]
    assert [fault for event in events for fault in validate_event(event)] == []
    return [{key: value for key, value in event.items() if key not in COMMON} for event in events]


async def get_warm(api: Api, device_id: str, celsius: float) -> None:
    body = {"device_id": device_id, "temperature_celsius": celsius}
    await api.ok("/thermostats/simulate/temperature_reached", body)


async def test_who_set_the_thermostat(api: Api) -> None:
    device_id = await api.device_id(NAME)
    await api.ok("/thermostats/heat", {"device_id": device_id, "heating_set_point_celsius": 19})
    climate = api.hub.present(device_id).state.climate
    assert climate is not None
    turned = replace(climate, hvac_mode="cool", fan_mode="on", cooling_set_point_celsius=22.5)
    await api.see(ClimateSeen(native_id="thermostat-1", climate=turned, source="controller"))
    setting = {"hvac_mode_setting": "heat", "fan_mode_setting": "auto"}
    setting |= {"heating_set_point_celsius": 19.0, "heating_set_point_fahrenheit": 66.2}  # type: ignore[dict-item]
    cooling = {"cooling_set_point_celsius": 25.0, "cooling_set_point_fahrenheit": 77.0}
    changed = {"cooling_set_point_celsius": 22.5, "cooling_set_point_fahrenheit": 72.5}
    by_call = {"method": "seam", **setting, **cooling}
    by_other = {"method": "external", "hub_source": "controller", **setting, **changed}
    by_other |= {"hvac_mode_setting": "cool", "fan_mode_setting": "on"}
    assert await told(api, "manually_adjusted") == [by_call, by_other]


async def test_a_preset_that_came_in_force(api: Api) -> None:
    device_id = await with_presets(api)
    made = await schedule(api, device_id)
    await heats_to(api, device_id, 16.0)
    await api.ok("/thermostats/activate_climate_preset", {"device_id": device_id, "climate_preset_key": "night"})
    await api.ok("/thermostats/schedules/delete", {"thermostat_schedule_id": made["thermostat_schedule_id"]})
    one = {"device_id": device_id, "climate_preset_key": "occupied"}
    await api.ok("/thermostats/set_fallback_climate_preset", one)
    await heats_to(api, device_id, 21.5)
    found = await told(api, "climate_preset_activated")
    names = ("climate_preset_key", "thermostat_schedule_id", "is_fallback_climate_preset")
    assert [tuple(event[name] for name in names) for event in found] == [
        ("away", made["thermostat_schedule_id"], False),
        ("night", None, False),
        ("occupied", None, True),
    ]


async def test_temperatures(api: Api) -> None:
    device_id = await api.device_id(NAME)
    limits = {"device_id": device_id, "upper_limit_fahrenheit": 77}
    await api.ok("/thermostats/set_temperature_threshold", limits)
    for celsius in (21.6, 26, 26.2, 21):
        await get_warm(api, device_id, celsius)
    bounds = {
        "lower_limit_celsius": None,
        "lower_limit_fahrenheit": None,
        "upper_limit_celsius": 25.0,
        "upper_limit_fahrenheit": 77.0,
    }
    warm = {"temperature_celsius": 26.0, "temperature_fahrenheit": 78.8}
    back = {"temperature_celsius": 21.0, "temperature_fahrenheit": 69.8}
    assert await told(api, "temperature_changed") == [warm, back]
    assert await told(api, "temperature_threshold_exceeded") == [warm | bounds]
    assert await told(api, "temperature_threshold_no_longer_exceeded") == [back | bounds]


async def test_a_room_that_got_as_warm_as_was_asked(api: Api) -> None:
    device_id = await api.device_id(NAME)
    await get_warm(api, device_id, 17)
    await api.ok("/thermostats/heat", {"device_id": device_id, "heating_set_point_celsius": 20})
    await get_warm(api, device_id, 20.2)
    (event,) = await told(api, "temperature_reached_set_point")
    assert event == {
        "temperature_celsius": 20.2,
        "temperature_fahrenheit": 68.36,
        "desired_temperature_celsius": 20.0,
        "desired_temperature_fahrenheit": 68.0,
    }


async def test_an_event_of_a_device_of_which_nothing_is_known(api: Api) -> None:
    await api.ok("/thermostats/off", {"device_id": await api.device_id(NAME)})
    (row,) = await api.hub.journal.select("public = 'thermostat.manually_adjusted'", ())
    bare = seam_event(api.hub, replace(row, event=ThermostatAdjusted()))
    assert bare is not None
    assert (bare.keys() - COMMON, validate_event(bare)) == ({"method"}, [])
    public = "thermostat.temperature_threshold_no_longer_exceeded"
    gone = replace(row, event=ThresholdCleared(temperature_celsius=20.0), public=public, device_id="gone")
    event = seam_event(api.hub, gone)
    assert event is not None
    assert (event["temperature_fahrenheit"], event["upper_limit_celsius"]) == (68.0, None)


async def test_the_hubs_own_rows_are_no_events(api: Api) -> None:
    device_id = await with_presets(api)
    made = await schedule(api, device_id)
    await heats_to(api, device_id, 16.0)
    await api.ok("/thermostats/schedules/delete", {"thermostat_schedule_id": made["thermostat_schedule_id"]})
    rows = await api.hub.journal.select("type LIKE 'thermostat.%' AND public IS NULL", ())
    kinds = {"thermostat.edited", "thermostat.plan_changed"}
    assert {row.type for row in rows} >= kinds
    assert [seam_event(api.hub, row) for row in rows] == [None] * len(rows)
