from pathlib import Path
from typing import Any

import pytest

from tests.hubd.api.climate import NAME, heating, heats_to, schedule, with_presets
from tests.hubd.api.harness import Api, instance, running_api
from tests.support.site import eventually


def device_of(api: Api) -> Any:
    """Return the simulated thermostat itself."""
    return api.driver().devices["thermostat-1"].thermostat


async def ask(api: Api, call: str, **members: Any) -> dict[str, Any]:
    """Set the thermostat, and return the attempt."""
    body = {"device_id": await api.device_id(NAME), **members}
    found: dict[str, Any] = (await api.ok(f"/thermostats/{call}", body))["action_attempt"]
    return found


async def test_get_and_list(api: Api) -> None:
    device_id = await api.device_id(NAME)
    token = await api.as_role("viewer")
    shown = (await api.ok("/thermostats/get", {"device_id": device_id}, token=token))["thermostat"]
    assert shown == (await api.ok("/thermostats/get", method="GET", query={"name": NAME}))["thermostat"]
    assert shown == await api.device(NAME)
    listed = await api.ok("/thermostats/list", token=token)
    assert [one["device_id"] for one in listed["thermostats"]] == [device_id]
    assert listed["devices"] == listed["thermostats"]
    assert listed["pagination"]["has_next_page"] is False
    flags = {"include_if": ["can_run_thermostat_programs", "can_hvac_heat_cool"]}
    assert (await api.ok("/thermostats/list", flags))["thermostats"] == listed["thermostats"]
    assert (await api.ok("/thermostats/list", {"search": "Room"}))["thermostats"] == []
    error = await api.refused("/thermostats/get", {"name": "Room 101"})
    assert (error["status"], error["type"]) == (404, "device_not_found")
    await api.ok("/devices/update", {"device_id": device_id, "is_managed": False})
    assert (await api.ok("/thermostats/list"))["devices"] == []
    assert (await api.refused("/thermostats/get", {"device_id": device_id}))["type"] == "device_unmanaged"


async def test_pages_where_a_limit_is_given(tmp_path: Path) -> None:
    async with running_api(tmp_path / "data", instance(thermostats=3)) as api:
        first = await api.ok("/thermostats/list", {"limit": 2})
        assert (len(first["thermostats"]), first["pagination"]["has_next_page"]) == (2, True)
        rest = await api.ok("/thermostats/list", {"limit": 2, "page_cursor": first["pagination"]["next_page_cursor"]})
        names = [one["display_name"] for one in (*first["thermostats"], *rest["thermostats"])]
        assert names == ["Climate 101", "Climate 102", "Climate 103"]


CALLS: list[tuple[str, dict[str, Any], tuple[Any, ...]]] = [
    ("heat", {"heating_set_point_celsius": 19.5}, ("heat", "auto", 19.5, 25.0)),
    ("heat", {}, ("heat", "auto", 21.0, 25.0)),
    ("heat", {"heating_set_point_fahrenheit": 68, "sync": True}, ("heat", "auto", 20.0, 25.0)),
    ("cool", {"cooling_set_point_celsius": 24}, ("cool", "auto", 21.0, 24.0)),
    ("cool", {"cooling_set_point_fahrenheit": 77.0, "cooling_set_point_celsius": 25}, ("cool", "auto", 21.0, 25.0)),
    (
        "heat_cool",
        {"heating_set_point_celsius": 18, "cooling_set_point_fahrenheit": 75.2},
        ("heat_cool", "auto", 18.0, 24.0),
    ),
    ("off", {}, ("off", "auto", 21.0, 25.0)),
    ("set_hvac_mode", {"hvac_mode_setting": "off"}, ("off", "auto", 21.0, 25.0)),
    (
        "set_hvac_mode",
        {"hvac_mode_setting": "cool", "cooling_set_point_celsius": 22},
        ("cool", "auto", 21.0, 22.0),
    ),
    (
        "set_hvac_mode",
        {"hvac_mode_setting": "heat_cool", "heating_set_point_fahrenheit": 64.4, "cooling_set_point_celsius": 22},
        ("heat_cool", "auto", 18.0, 22.0),
    ),
    ("set_fan_mode", {"fan_mode_setting": "on"}, ("heat", "on", 21.0, 25.0)),
    ("set_fan_mode", {"fan_mode": "on", "fan_mode_setting": "on", "sync": True}, ("heat", "on", 21.0, 25.0)),
    ("set_fan_mode", {"fan_mode": "on"}, ("heat", "on", 21.0, 25.0)),
]


@pytest.mark.parametrize(("call", "members", "expected"), CALLS)
async def test_a_call_ends_once_the_device_was_read_back(
    api: Api, call: str, members: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    attempt = await ask(api, call, **members)
    assert attempt["action_type"] == ("SET_FAN_MODE" if call == "set_fan_mode" else "SET_HVAC_MODE")
    assert (attempt["status"], attempt["result"], attempt["error"]) == ("success", {}, None)
    now = device_of(api).climate
    held = (now.hvac_mode, now.fan_mode, now.heating_set_point_celsius, now.cooling_set_point_celsius)
    assert held == expected
    setting = (await api.device(NAME))["properties"]["current_climate_setting"]
    assert (setting["hvac_mode_setting"], setting["fan_mode_setting"]) == expected[:2]


async def test_a_device_that_counts_in_fahrenheit(tmp_path: Path) -> None:
    async with running_api(tmp_path / "data", instance(thermostat_scale="fahrenheit")) as api:
        for degrees in (66, 67, 69, 70, 71):
            attempt = await ask(api, "heat", heating_set_point_fahrenheit=degrees)
            assert attempt["status"] == "success"
            setting = (await api.device(NAME))["properties"]["current_climate_setting"]
            assert setting["heating_set_point_fahrenheit"] == degrees
            assert setting["heating_set_point_celsius"] == round((degrees - 32) * 5 / 9, 2)
        await ask(api, "heat", heating_set_point_celsius=20.3)  # 68.54 °F
        setting = (await api.device(NAME))["properties"]["current_climate_setting"]
        assert setting["heating_set_point_fahrenheit"] == 69.0


async def test_of_two_words_for_one_temperature_both_must_be_true(api: Api) -> None:
    device_id = await api.device_id(NAME)
    body = {"device_id": device_id, "heating_set_point_celsius": 20, "heating_set_point_fahrenheit": 70}
    for call in ("heat", "heat_cool"):
        await api.wrong("heating_set_point_celsius", f"/thermostats/{call}", body)
    body = {"device_id": device_id, "upper_limit_celsius": 20, "upper_limit_fahrenheit": 70}
    await api.wrong("upper_limit_celsius", "/thermostats/set_temperature_threshold", body)
    assert device_of(api).climate.heating_set_point_celsius == 21.0
    assert (await api.ok("/action_attempts/list"))["action_attempts"] == []


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("heat", {"heating_set_point_celsius": 1e9}, "heating_set_point_celsius"),
    ("heat", {"heating_set_point_celsius": "warm"}, "heating_set_point_celsius"),
    ("heat", {"cooling_set_point_celsius": 20}, "cooling_set_point_celsius"),
    ("set_hvac_mode", {}, "hvac_mode_setting"),
    ("set_hvac_mode", {"hvac_mode_setting": "dry"}, "hvac_mode_setting"),
    ("set_hvac_mode", {"hvac_mode_setting": "off", "heating_set_point_celsius": 20}, "heating_set_point_celsius"),
    ("set_hvac_mode", {"hvac_mode_setting": "eco", "cooling_set_point_celsius": 20}, "cooling_set_point_celsius"),
    (
        "set_hvac_mode",
        {"hvac_mode_setting": "heat", "cooling_set_point_fahrenheit": 70},
        "cooling_set_point_fahrenheit",
    ),
    ("set_fan_mode", {}, "fan_mode_setting"),
    ("set_fan_mode", {"fan_mode": "auto", "fan_mode_setting": "on"}, "fan_mode"),
    ("set_temperature_threshold", {"lower_limit_celsius": 25, "upper_limit_celsius": 20}, "lower_limit_celsius"),
]


async def test_what_cannot_mean_anything(api: Api) -> None:
    device_id = await api.device_id(NAME)
    for call, members, field in WRONG:
        await api.wrong(field, f"/thermostats/{call}", {"device_id": device_id, **members})


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("set_hvac_mode", {"hvac_mode_setting": "eco"}, "mode_not_supported"),
    ("set_fan_mode", {"fan_mode_setting": "circulate"}, "fan_mode_not_supported"),
    ("heat", {"heating_set_point_celsius": 4.9}, "set_point_out_of_range"),
    ("cool", {"cooling_set_point_fahrenheit": 95.1}, "set_point_out_of_range"),
]


async def test_what_the_device_cannot_do_is_refused_before_the_radio(api: Api) -> None:
    device_id, orders = await api.device_id(NAME), api.driver().devices["thermostat-1"].orders
    for call, members, code in REFUSED:
        error = await api.refused(f"/thermostats/{call}", {"device_id": device_id, **members})
        assert (error["status"], error["type"]) == (400, code)
    body = {"device_id": device_id, "heating_set_point_celsius": 24, "cooling_set_point_celsius": 25}
    error = await api.refused("/thermostats/heat_cool", body)
    assert error["status"] == 400
    assert "at least 1.5 °C above" in error["message"]
    assert api.driver().devices["thermostat-1"].orders == orders


ACTS = ["heat", "cool", "heat_cool", "off", "set_hvac_mode", "set_fan_mode", "set_temperature_threshold"]


@pytest.mark.parametrize("call", ACTS)
async def test_who_may_and_what_it_is_done_to(api: Api, call: str) -> None:
    members = {"set_hvac_mode": {"hvac_mode_setting": "off"}, "set_fan_mode": {"fan_mode": "on"}}.get(call, {})
    body = {"device_id": await api.device_id(NAME), **members}
    error = await api.refused(f"/thermostats/{call}", body, token=await api.as_role("viewer"))
    assert (error["status"], error["type"]) == (403, "forbidden")
    lock = body | {"device_id": await api.device_id("Room 101")}
    error = await api.refused(f"/thermostats/{call}", lock)
    assert (error["status"], error["type"]) == (400, "device_type_not_supported")
    assert error["data"]["flag"] == "capabilities_supported.thermostat"
    await api.ok("/devices/update", {"device_id": body["device_id"], "is_managed": False})
    assert (await api.refused(f"/thermostats/{call}", body))["type"] == "device_unmanaged"
    await api.ok("/devices/update", {"device_id": body["device_id"], "is_managed": True})
    await api.ok(f"/thermostats/{call}", body, token=await api.as_role("operator"))


async def test_a_device_that_cannot_be_reached_is_not_waited_for(tmp_path: Path) -> None:
    async with running_api(tmp_path / "data", hold_seconds=60.0) as api:  # were it held, the test would not end
        device_id = await api.device_id(NAME)
        await api.ok("/devices/simulate/disconnect", {"device_id": device_id})
        attempt = await ask(api, "heat", heating_set_point_celsius=18)
        assert (attempt["status"], attempt["stages"]["settled_at"]) == ("pending", None)
        assert device_of(api).climate.heating_set_point_celsius == 21.0
        await api.ok("/devices/simulate/connect", {"device_id": device_id})
        await eventually(lambda: heating(api, device_id) == 18.0)
        body = {"action_attempt_id": attempt["action_attempt_id"]}
        assert (await api.ok("/action_attempts/get", body))["action_attempt"]["status"] == "success"


async def test_a_valve_that_sleeps_answers_later(tmp_path: Path) -> None:
    async with running_api(tmp_path / "data", instance(thermostats_asleep=True), hold_seconds=0.05) as api:
        attempts = [await ask(api, "heat", heating_set_point_celsius=degrees) for degrees in (17, 18, 19)]
        assert [attempt["status"] for attempt in attempts] == ["pending"] * 3
        await api.ok("/devices/simulate/connect", {"device_id": await api.device_id(NAME)})
        await heats_to(api, await api.device_id(NAME), 19.0)
        body = {"action_attempt_ids": [attempt["action_attempt_id"] for attempt in attempts]}
        ended = (await api.ok("/action_attempts/list", body))["action_attempts"]
        assert [one["error"] and one["error"]["type"] for one in ended] == ["superseded", "superseded", None]
        assert api.driver().devices["thermostat-1"].orders == 1


async def test_a_repeated_call_is_one_attempt(api: Api) -> None:
    device_id = await api.device_id(NAME)
    calls: list[tuple[str, dict[str, Any]]] = [
        ("/thermostats/heat", {"heating_set_point_celsius": 18}),
        ("/thermostats/set_fan_mode", {"fan_mode_setting": "on"}),
    ]
    for path, members in calls:
        first, again = [
            (await api.ok(path, {"device_id": device_id, **members}, headers={"idempotency-key": path}))
            for _ in range(2)
        ]
        assert again["action_attempt"]["action_attempt_id"] == first["action_attempt"]["action_attempt_id"]
    assert len((await api.ok("/action_attempts/list"))["action_attempts"]) == 2
    limits = {"device_id": device_id, "lower_limit_celsius": 15}
    for _ in range(2):
        await api.ok("/thermostats/set_temperature_threshold", limits, headers={"idempotency-key": "limits"})
    rows = await api.hub.journal.select("type = 'thermostat.edited'", ())
    assert len(rows) == 1


async def test_too_many_calls_that_wait(api: Api) -> None:
    device_id = await api.device_id(NAME)
    await api.ok("/devices/simulate/disconnect", {"device_id": device_id})
    for _ in range(16):
        assert (await ask(api, "heat", heating_set_point_celsius=18))["status"] == "pending"
    error = await api.refused("/thermostats/off", {"device_id": device_id})
    assert (error["status"], error["type"]) == (429, "device_queue_full")


async def test_a_plan_that_allows_no_override(api: Api) -> None:
    device_id = await with_presets(api)
    await schedule(api, device_id, is_override_allowed=False)
    await eventually(lambda: heating(api, device_id) == 16.0)
    error = await api.refused("/thermostats/heat", {"device_id": device_id, "heating_set_point_celsius": 24})
    assert (error["status"], error["type"]) == (409, "manual_override_not_allowed")
    assert device_of(api).climate.heating_set_point_celsius == 16.0


async def test_thresholds(api: Api) -> None:
    device_id = await api.device_id(NAME)

    async def shown() -> list[Any]:
        limits = (await api.device(NAME))["properties"]["temperature_threshold"]
        return [limits[f"{end}_limit_{unit}"] for end in ("lower", "upper") for unit in ("celsius", "fahrenheit")]

    assert await shown() == [None] * 4
    body = {"device_id": device_id, "lower_limit_fahrenheit": 60, "upper_limit_celsius": 24.5}
    await api.ok("/thermostats/set_temperature_threshold", body, method="PATCH")
    assert await shown() == [15.56, 60.0, 24.5, 76.1]
    await api.ok("/thermostats/set_temperature_threshold", {"device_id": device_id, "upper_limit_celsius": 26})
    assert await shown() == [None, None, 26.0, 78.8]
    body = {"device_id": device_id, "lower_limit_celsius": None, "upper_limit_fahrenheit": None}
    await api.ok("/thermostats/set_temperature_threshold", body)
    assert await shown() == [None] * 4
