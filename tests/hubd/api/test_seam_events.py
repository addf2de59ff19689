from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from hubd.api.seam_events import seam_event
from hubd.model.device import DeviceDescription
from hubd.model.event import CommandResolved, ThermostatAdjusted
from hubd.model.seen import BatterySeen, ClimateSeen, DenialSeen, LockSeen, ReachabilitySeen, TamperSeen
from tests.hubd.api.harness import Api
from tests.support.seam_schema import validate_event
from tests.support.site import eventually

LOCK = "lock-1"


def lock_id(api: Api) -> str:
    return next(i for i, record in api.hub.devices.items() if record.device.description.native_id == LOCK)


async def last(api: Api, **filters: Any) -> dict[str, Any]:
    filters.setdefault("device_id", lock_id(api))
    event: dict[str, Any] = (await api.ok("/events/get", filters))["event"]
    return event


async def test_uses_of_a_lock(api: Api) -> None:
    earlier = api.clock.now() - timedelta(minutes=5)
    await api.see(LockSeen(native_id=LOCK, locked=False, method="keycode", user_slot=3, occurred_at=earlier))
    event = await last(api)
    assert (event["event_type"], event["method"]) == ("lock.unlocked", "keycode")
    assert event["occurred_at"] < event["created_at"]
    assert "action_attempt_id" not in event
    await api.see(LockSeen(native_id=LOCK, locked=True))
    event = await last(api)
    assert (event["event_type"], event["method"]) == ("lock.locked", "unknown")


async def test_an_order_is_remote_and_carries_its_attempt(api: Api) -> None:
    attempt = (await api.ok("/locks/unlock_door", {"device_id": await api.device_id()}))["action_attempt"]
    use = await last(api, event_type="lock.unlocked")
    assert (use["method"], use["action_attempt_id"]) == ("remote", attempt["action_attempt_id"])
    end = await last(api)
    assert end["event_type"] == "action_attempt.unlock_door.succeeded"
    assert (end["action_type"], end["status"]) == ("UNLOCK_DOOR", "success")


async def test_a_failed_order(api: Api) -> None:
    body = {"device_id": await api.device_id()}
    await api.ok("/devices/simulate/disconnect", body)
    await api.ok("/locks/lock_door", body)
    end = await last(api)
    assert end["event_type"] == "action_attempt.lock_door.failed"
    assert (end["action_type"], end["status"]) == ("LOCK_DOOR", "error")


async def test_an_order_that_the_device_decides_later(api: Api) -> None:
    attempt = (await api.ok("/locks/unlock_door", {"device_id": await api.device_id()}))["action_attempt"]
    resolved = CommandResolved(request_id=attempt["action_attempt_id"], reached=True, message="It is unlocked.")
    public = "action_attempt.unlock_door.succeeded"

    def apply(view: Any) -> None:
        view.emit(resolved, public=public, instance="site", device_id=record.device.device_id)

    record = api.hub.present(await api.device_id())
    await api.hub.journal.transact(apply)
    assert (await last(api))["status"] == "success"


async def test_batteries(api: Api) -> None:
    api.clock.ahead += timedelta(days=1)
    await api.see(BatterySeen(native_id=LOCK, level=0.2))
    low = await last(api)
    assert (low["event_type"], low["battery_level"]) == ("device.low_battery", 0.2)
    changed = await last(api, event_type="device.battery_status_changed")
    assert (changed["battery_level"], changed["battery_status"]) == (0.2, "low")


async def test_denial_and_tampering(api: Api) -> None:
    await api.see(DenialSeen(native_id=LOCK, reason="too_many_attempts", message="Three wrong codes."))
    denied = await last(api)
    assert denied["reason"] == {"reason_code": "too_many_attempts", "message": "Three wrong codes."}
    await api.see(TamperSeen(native_id=LOCK))
    assert (await last(api))["event_type"] == "device.tampered"


async def test_a_device_that_stops_answering(api: Api) -> None:
    await api.see(ReachabilitySeen(native_id=LOCK, online=False, reason="No radio contact."))
    event = await last(api)
    assert (event["event_type"], event["error_code"]) == ("device.disconnected", "device_disconnected")
    (problem,) = event["device_errors"]
    assert problem["message"] == "No radio contact."
    await api.see(ReachabilitySeen(native_id=LOCK, online=True))
    assert (await last(api))["event_type"] == "device.connected"


async def test_a_device_that_is_lost_again_and_again(api: Api) -> None:
    for _ in range(3):
        await api.see(ReachabilitySeen(native_id=LOCK, online=False), ReachabilitySeen(native_id=LOCK, online=True))
    events = (await api.ok("/events/list", {"event_type": "device.disconnected"}))["events"]
    assert [event["device_warnings"] for event in events][:2] == [[], []]
    (warning,) = events[2]["device_warnings"]
    assert (warning["warning_code"], warning["created_at"]) == ("device_has_flaky_connection", events[2]["created_at"])


async def test_unmanaged_devices_only_come_and_go(api: Api) -> None:
    device_id = await api.device_id()
    await api.ok("/devices/update", {"device_id": device_id, "is_managed": False})
    await api.see(ReachabilitySeen(native_id=LOCK, online=False))
    await api.see(ReachabilitySeen(native_id=LOCK, online=True))
    await api.see(
        LockSeen(native_id=LOCK, locked=False, method="manual"), BatterySeen(native_id=LOCK, level=0.9, low=True)
    )
    events = (await api.ok("/events/list", {"device_id": device_id}))["events"]
    types = ["device.converted_to_unmanaged", "device.unmanaged.disconnected", "device.unmanaged.connected"]
    assert [event["event_type"] for event in events][2:] == types


async def test_a_thermostat_that_somebody_turned(api: Api) -> None:
    device_id = await api.device_id("Climate 101")
    climate = api.hub.present(device_id).state.climate
    assert climate is not None
    turned = replace(climate, hvac_mode="cool", fan_mode="on", cooling_set_point_celsius=22.5)
    await api.see(ClimateSeen(native_id="thermostat-1", climate=turned))
    event = (await api.ok("/events/get", {"device_id": device_id}))["event"]
    assert (event["event_type"], event["method"]) == ("thermostat.manually_adjusted", "external")
    assert (event["hvac_mode_setting"], event["fan_mode_setting"]) == ("cool", "on")
    assert (event["cooling_set_point_celsius"], event["cooling_set_point_fahrenheit"]) == (22.5, 72.5)
    assert event["heating_set_point_celsius"] == 21.0
    row = (await api.hub.journal.select("public IS NOT NULL", (), order="seq DESC", limit=1))[0]
    bare = seam_event(api.hub, replace(row, event=ThermostatAdjusted()))
    assert bare is not None
    assert bare.keys() - {"method"} == (await last(api)).keys()
    assert validate_event(bare) == []


async def test_names(api: Api) -> None:
    device_id = await api.device_id()
    await api.ok("/devices/update", {"device_id": device_id, "name": "Anna"})
    assert (await last(api, device_id=device_id))["device_name"] == "Anna"
    await api.ok("/devices/update", {"device_id": device_id, "name": None})
    description: DeviceDescription = api.hub.present(device_id).device.description
    await api.hub.found("site", replace(description, name="Suite"), ())
    event = await last(api, device_id=device_id)
    assert (event["event_type"], event["device_name"]) == ("device.name_changed", "Suite")


async def test_a_lost_hop_is_one_event_of_the_account(api: Api) -> None:
    body = {"device_id": await api.device_id()}
    await api.ok("/devices/simulate/disconnect_from_hub", body)
    await eventually(lambda: not api.hub.journal.tables.instances["site"].is_connected)
    event = (await api.ok("/events/get", {"event_type": "connected_account.disconnected"}))["event"]
    (problem,) = event["connected_account_errors"]
    assert problem["error_code"] == "account_disconnected"
    assert "device_id" not in event
    assert len((await api.ok("/events/list", {"event_type": "device.disconnected"}))["events"]) == 0


async def test_the_callers_pairs_are_told(api: Api) -> None:
    device_id = await api.device_id()
    await api.ok("/devices/update", {"device_id": device_id, "custom_metadata": {"room": "101", "staff": True}})
    assert (await last(api))["device_custom_metadata"] == {"room": "101", "staff": True}


async def test_an_erased_body_is_no_event(api: Api) -> None:
    row = (await api.hub.journal.select("public IS NOT NULL", (), limit=1))[0]
    event = seam_event(api.hub, row)
    assert validate_event(event) == []
    assert seam_event(api.hub, replace(row, event=None)) is None
    assert seam_event(api.hub, replace(row, public=None)) is None
    sql = "UPDATE journal SET body = NULL WHERE seq = ?"
    await api.hub.journal.transact(lambda view: view.execute(sql, row.seq))
    assert event is not None
    assert (await api.refused("/events/get", {"event_id": event["event_id"]}))["type"] == "event_not_found"
    listed = (await api.ok("/events/list"))["events"]
    assert event["event_id"] not in {one["event_id"] for one in listed}


async def test_events_outlive_the_command_they_tell_of(api: Api) -> None:
    await api.ok("/locks/unlock_door", {"device_id": await api.device_id()})
    rows = await api.hub.journal.select("type = 'command.settled'", (), limit=1)
    event = replace(rows[0].event, request_id="33333333-3333-4333-8333-333333333333")  # type: ignore[type-var]
    told = seam_event(api.hub, replace(rows[0], event=event))
    assert told is not None
    assert (told["status"], told["action_type"]) == ("success", "UNLOCK_DOOR")
