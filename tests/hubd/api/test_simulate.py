import asyncio
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from hubd.api import simulate
from hubd.model.device import DeviceDescription
from hubd.model.state import Climate
from tests.hubd.api.harness import Api, instance, running_api
from tests.support.site import eventually

PATHS = [
    "/devices/simulate/connect",
    "/devices/simulate/disconnect",
    "/devices/simulate/connect_to_hub",
    "/devices/simulate/disconnect_from_hub",
    "/devices/simulate/remove",
    "/locks/simulate/manual_lock_via_keypad",
]


async def test_a_device_leaves_its_network_and_returns(api: Api) -> None:
    body = {"device_id": await api.device_id()}
    for _ in range(2):
        await api.ok("/devices/simulate/disconnect", body)
    shape = await api.device()
    assert shape["properties"]["online"] is False
    assert [error["error_code"] for error in shape["errors"]] == ["device_disconnected"]
    assert not {"locked", "door_open", "battery", "battery_level"} & shape["properties"].keys()
    failed = (await api.ok("/locks/unlock_door", body))["action_attempt"]
    assert failed["error"]["type"] == "device_unreachable"
    await api.ok("/devices/simulate/connect", body)
    shape = await api.device()
    assert (shape["properties"]["online"], shape["errors"]) == (True, [])


async def test_a_hop_is_lost_and_returns(api: Api) -> None:
    body = {"device_id": await api.device_id()}
    await api.ok("/devices/simulate/disconnect_from_hub", body)
    await eventually(lambda: not api.hub.health["site"].is_connected)
    for name in ("Room 101", "Climate 101"):
        (problem,) = (await api.device(name))["errors"]
        assert problem["error_code"] == "hub_disconnected"
    await api.ok("/devices/simulate/connect_to_hub", body)
    await eventually(lambda: api.hub.health["site"].is_connected)
    assert (await api.device())["errors"] == []


async def test_a_device_is_removed(api: Api) -> None:
    body = {"device_id": await api.device_id()}
    await api.ok("/devices/simulate/remove", body)
    assert (await api.refused("/devices/get", body))["type"] == "device_not_found"
    assert (await api.refused("/devices/simulate/remove", body))["status"] == 404
    event = (await api.ok("/events/get", {"event_type": "device.removed"}))["event"]
    assert event["device_id"] == body["device_id"]


async def test_people_at_the_lock(api: Api) -> None:
    body = {"device_id": await api.device_id()}
    await api.ok("/locks/unlock_door", body)
    attempt = (await api.ok("/locks/simulate/manual_lock_via_keypad", body))["action_attempt"]
    assert (attempt["status"], attempt["action_type"]) == ("success", "SIMULATE_MANUAL_LOCK_VIA_KEYPAD")
    assert (await api.ok("/events/get", {"event_type": "lock.locked"}))["event"]["method"] == "manual"
    attempt = (await api.ok("/locks/simulate/keypad_code_entry", {**body, "code": "4711"}))["action_attempt"]
    assert (attempt["status"], attempt["action_type"]) == ("success", "SIMULATE_KEYPAD_CODE_ENTRY")
    denied = (await api.ok("/events/get", {"event_type": "lock.access_denied"}))["event"]
    assert denied["reason"]["reason_code"] == "unknown_code"


async def test_the_pin_is_kept_nowhere(api: Api, tmp_path: Path) -> None:
    body = {"device_id": await api.device_id(), "code": "83649275"}
    await api.ok("/locks/simulate/keypad_code_entry", body, headers={"idempotency-key": "k-1"})
    again = await api.ok("/locks/simulate/keypad_code_entry", body, headers={"idempotency-key": "k-1"})
    assert again["action_attempt"]["status"] == "success"
    rows = (await api.ok("/hub/journal", {"limit": 1000}))["rows"]
    assert "83649275" not in str(rows)
    kept = await asyncio.to_thread(
        lambda: [file.read_bytes() for file in (tmp_path / "data").rglob("*") if file.is_file()]
    )
    assert all(b"83649275" not in content for content in kept)


NO_PINS: list[Any] = ["", "12a4", " 1234", "1" * 21, None, 1234]


async def test_what_is_no_pin(api: Api) -> None:
    for code in NO_PINS:
        await api.wrong("code", "/locks/simulate/keypad_code_entry", {"device_id": await api.device_id(), "code": code})


async def test_a_real_device_is_not_simulated(api: Api) -> None:
    device_id = await api.hub.found("site", DeviceDescription("r-1", "lock", "virtual_lock", "Real"), ())
    for path in PATHS:
        error = await api.refused(path, {"device_id": device_id})
        assert (error["status"], error["type"]) == (400, "not_a_sandbox_device")


async def test_a_thermostat_has_no_keypad(api: Api) -> None:
    body = {"device_id": await api.device_id("Climate 101")}
    attempt = (await api.ok("/locks/simulate/manual_lock_via_keypad", body))["action_attempt"]
    assert (attempt["status"], attempt["error"]["type"]) == ("error", "not_supported")


async def test_a_simulation_that_fails_is_an_error_also_when_repeated(api: Api) -> None:
    body = {"device_id": await api.device_id()}
    await api.ok("/devices/simulate/disconnect_from_hub", body)
    await eventually(lambda: not api.hub.health["site"].is_connected)
    for _ in range(2):
        error = await api.refused("/devices/simulate/disconnect", body, headers={"idempotency-key": "k-1"})
        assert (error["status"], error["type"]) == (400, "hub_disconnected")


async def test_an_account_is_cut_off(api: Api) -> None:
    account = {"connected_account_id": (await api.device())["connected_account_id"]}
    for _ in range(2):
        await api.ok("/connected_accounts/simulate/disconnect", account, headers={"idempotency-key": "k-1"})
    await eventually(lambda: not api.hub.health["site"].is_connected)
    await api.ok("/connected_accounts/simulate/disconnect", account)


async def test_only_the_account_of_a_simulator_is_cut_off(tmp_path: Path) -> None:
    real = instance("site", locks=1)
    real = replace(real, manifest=replace(real.manifest, is_simulator=False))
    empty = instance("empty", locks=0, thermostats=0)
    async with running_api(tmp_path / "data", real, empty) as api:
        accounts = {a["display_name"]: a for a in (await api.ok("/connected_accounts/list"))["connected_accounts"]}
        for name, code in (("site", "not_a_sandbox_account"), ("empty", "account_has_no_devices")):
            body = {"connected_account_id": accounts[name]["connected_account_id"]}
            error = await api.refused("/connected_accounts/simulate/disconnect", body)
            assert (error["status"], error["type"]) == (400, code)


ADJUST, REACH = "/thermostats/simulate/hvac_mode_adjusted", "/thermostats/simulate/temperature_reached"


async def test_somebody_turns_the_knob(api: Api) -> None:
    device_id = await api.device_id("Climate 101")
    body = {"device_id": device_id, "hvac_mode": "heat_cool"}
    points = {"heating_set_point_celsius": 19.5, "cooling_set_point_fahrenheit": 80.6}
    assert await api.ok(ADJUST, body | points) == {"ok": True}
    await eventually(lambda: climate(api, device_id).hvac_mode == "heat_cool")
    now = climate(api, device_id)
    assert (now.heating_set_point_celsius, now.cooling_set_point_celsius) == (19.5, 27.0)
    event = (await api.ok("/events/get", {"event_type": "thermostat.manually_adjusted"}))["event"]
    assert (event["method"], event["hvac_mode_setting"]) == ("external", "heat_cool")
    await api.ok(ADJUST, {"device_id": device_id, "hvac_mode": "off"}, headers={"idempotency-key": "k-1"})
    await api.ok(ADJUST, {"device_id": device_id, "hvac_mode": "off"}, headers={"idempotency-key": "k-1"})
    await eventually(lambda: climate(api, device_id).hvac_mode == "off")
    assert (await api.ok("/action_attempts/list"))["action_attempts"] == []


async def test_the_room_gets_warmer(api: Api) -> None:
    device_id = await api.device_id("Climate 101")
    for body, reached in (({"temperature_celsius": 26.5}, 26.5), ({"temperature_fahrenheit": 50}, 10.0)):
        assert await api.ok(REACH, {"device_id": device_id, **body}) == {"ok": True}
        await eventually(lambda reached=reached: climate(api, device_id).temperature_celsius == reached)
        shown = (await api.device("Climate 101"))["properties"]
        assert shown["temperature_celsius"] == reached
    assert (await api.ok("/action_attempts/list"))["action_attempts"] == []


async def test_what_no_knob_can_be_turned_to(api: Api) -> None:
    device_id = await api.device_id("Climate 101")
    before = climate(api, device_id)
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("hvac_mode", {}),
        ("hvac_mode", {"hvac_mode": "eco"}),
        ("heating_set_point_celsius", {"hvac_mode": "cool", "heating_set_point_celsius": 20}),
        ("cooling_set_point_fahrenheit", {"hvac_mode": "off", "cooling_set_point_fahrenheit": 70}),
        ("heating_set_point_celsius", {"hvac_mode": "heat", "heating_set_point_celsius": "warm"}),
        (
            "heating_set_point_celsius",
            {"hvac_mode": "heat", "heating_set_point_celsius": 20, "heating_set_point_fahrenheit": 70},
        ),
    ]
    for field, body in wrong:
        await api.wrong(field, ADJUST, {"device_id": device_id, **body})
    for field, body in (("temperature_celsius", {}), ("temperature_celsius", {"temperature_celsius": 10**6})):
        await api.wrong(field, REACH, {"device_id": device_id, **body})
    hot = {"device_id": device_id, "hvac_mode": "heat", "heating_set_point_celsius": 60}
    error = await api.refused(ADJUST, hot)
    assert (error["status"], error["type"]) == (400, "set_point_out_of_range")
    assert climate(api, device_id) == before


async def test_only_a_simulated_thermostat_has_a_knob_here(api: Api) -> None:
    real = await api.hub.found("site", DeviceDescription("r-2", "thermostat", "virtual_thermostat", "Real"), ())
    calls: list[tuple[str, dict[str, Any]]] = [(ADJUST, {"hvac_mode": "off"}), (REACH, {"temperature_celsius": 20})]
    for path, more in calls:
        for device_id, code in ((await api.device_id(), "device_type_not_supported"), (real, "not_a_sandbox_device")):
            error = await api.refused(path, {"device_id": device_id, **more})
            assert (error["status"], error["type"]) == (400, code)
        viewer = await api.as_role("viewer")
        assert (await api.refused(path, {"device_id": real, **more}, token=viewer))["status"] == 403


def climate(api: Api, device_id: str) -> Climate:
    """Return how a thermostat stands, as far as the hub knows."""
    found = api.hub.devices[device_id].state.climate
    assert found is not None
    return found


PUT_IN = "/access_codes/simulate/create_unmanaged_access_code"


async def test_a_code_is_put_in_at_the_lock_and_found_there(api: Api) -> None:
    device_id = await api.device_id()
    body = {"device_id": device_id, "code": "83649275", "name": "Cleaner"}
    found = [(await api.ok(PUT_IN, body, headers={"idempotency-key": "k-1"}))["access_code"] for _ in range(2)]
    assert found[0] == found[1]
    shape = found[0]
    assert (shape["code"], shape["name"], shape["device_id"]) == ("83649275", "Cleaner", device_id)
    assert (shape["is_managed"], shape["status"], shape["type"]) == (False, "set", "ongoing")
    (record,) = api.hub.codes.of(device_id)
    assert (record.code_id, record.name, record.is_managed) == (shape["access_code_id"], "Cleaner", False)
    error = await api.refused(PUT_IN, body)
    assert (error["status"], error["type"]) == (400, "duplicate_code")
    await api.ok("/locks/simulate/keypad_code_entry", {"device_id": device_id, "code": "83649275"})
    opened = (await api.ok("/events/get", {"event_type": "lock.unlocked"}))["event"]
    assert opened["method"] == "keycode"


async def test_a_code_is_found_on_a_lock_that_tells_no_pins(tmp_path: Path) -> None:
    async with running_api(tmp_path / "data", instance(masked=True)) as api:
        body = {"device_id": await api.device_id(), "code": "8364", "name": "Cleaner"}
        shape = (await api.ok(PUT_IN, body))["access_code"]
        assert (shape["code"], shape["name"], shape["status"]) == (None, "Cleaner", "set")


async def test_a_code_that_is_not_found_in_time_is_told(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulate, "READ_BACK_SECONDS", 0.05)
    api.driver().fault = "silent"
    error = await api.refused(PUT_IN, {"device_id": await api.device_id(), "code": "8364", "name": "Cleaner"})
    assert (error["status"], error["type"]) == (400, "code_not_read")
    assert "8364" not in str(error)


async def test_the_codes_of_simulated_locks_are_there_after_a_restart_and_nowhere_readable(tmp_path: Path) -> None:
    async with running_api(tmp_path / "data") as api:
        device_id = await api.device_id()
        await api.ok(PUT_IN, {"device_id": device_id, "code": "83649275", "name": "Cleaner"})
    kept = await asyncio.to_thread(
        lambda: {file.name: file.read_bytes() for file in (tmp_path / "data").rglob("*") if file.is_file()}
    )
    assert "site.json" in kept
    assert [name for name, content in kept.items() if b"83649275" in content] == []
    async with running_api(tmp_path / "data") as api:
        await api.ok("/locks/simulate/keypad_code_entry", {"device_id": device_id, "code": "83649275"})
        opened = (await api.ok("/events/get", {"event_type": "lock.unlocked"}))["event"]
        assert opened["method"] == "keycode"
