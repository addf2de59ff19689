from datetime import datetime
from typing import Any

from hubd.model.device import DeviceDescription
from hubd.model.seen import BatterySeen, LinkSeen
from hubd.model.state import LinkQuality
from tests.hubd.api.harness import Api
from tests.support.site import eventually


async def known(api: Api, name: str = "Room 101") -> dict[str, Any]:
    devices = (await api.ok("/hub/devices/list"))["devices"]
    return dict(next(device for device in devices if device["own_name"] == name))


async def test_all_devices_are_told_by_first_sight(api: Api) -> None:
    devices = (await api.ok("/hub/devices/list", method="GET"))["devices"]
    assert {device["own_name"] for device in devices} == {"Room 101", "Room 102", "Room 103", "Climate 101"}
    assert [device["found_at"] for device in devices] == sorted(device["found_at"] for device in devices)
    assert (await api.ok("/hub/devices/list", {"instance": "site"}))["devices"] == devices
    assert (await api.ok("/hub/devices/list", {"instance": "other"}))["devices"] == []


async def test_what_is_known_of_a_device(api: Api) -> None:
    await api.see(LinkSeen(native_id="lock-1", link=LinkQuality(api.clock.now(), signal_dbm=-70.0, route=("Plug",))))
    await api.see(BatterySeen(native_id="lock-1", level=0.88, low=True))
    device = await known(api)
    assert device["link"] | {"measured_at": ""} == {
        "measured_at": "",
        "signal_dbm": -70.0,
        "round_trip_ms": None,
        "route": ["Plug"],
        "lost_ratio": None,
    }
    assert (device["battery"]["level"], device["battery"]["status"], device["battery"]["low"]) == (0.88, "low", True)
    assert datetime.fromisoformat(device["battery"]["measured_at"]) <= api.clock.now()
    assert (device["instance"], device["native_id"], device["kind"]) == ("site", "lock-1", "lock")
    assert (device["manufacturer"], device["model"], device["firmware"]) == ("hubd", "Virtual deadbolt", "1.0")
    assert (device["online"], device["offline_reason"], device["absent_scans"]) == (True, None, 0)
    body = {"device_id": device["device_id"].upper()}
    assert (await api.ok("/hub/devices/get", body))["device"] == device


async def test_the_nickname_is_shown_and_the_own_name_is_kept(api: Api) -> None:
    await api.ok("/devices/update", {"device_id": await api.device_id(), "name": "Suite"})
    device = await known(api)
    assert (device["name"], device["own_name"], device["nickname"]) == ("Suite", "Room 101", "Suite")


async def test_an_unmanaged_device_is_told_too(api: Api) -> None:
    await api.hub.found("site", DeviceDescription("x", "other", "zwave_device", "Plug", hardware_ids=("mac:1",)), ())
    device = await known(api, "Plug")
    assert (device["is_managed"], device["kind"], device["hardware_ids"]) == (False, "other", ["mac:1"])
    assert (device["link"], device["battery"]) == (None, None)


async def test_why_a_device_is_not_reached(api: Api) -> None:
    body = {"device_id": await api.device_id()}
    before = await known(api)
    await api.ok("/devices/simulate/disconnect", body)
    device = await known(api)
    assert (device["online"], device["offline_reason"]) == (False, "The simulated device was taken off its network.")
    assert device["since"] > before["since"]
    assert device["battery"] is not None
    await api.ok("/devices/simulate/disconnect_from_hub", body)
    await eventually(lambda: not api.hub.health["site"].is_connected)
    assert "was disconnected" in (await known(api))["offline_reason"]


async def test_scans_that_did_not_find_it_are_counted(api: Api) -> None:
    for _ in range(2):
        await api.hub.missing("site", ("lock-1",))
    assert (await known(api))["absent_scans"] == 2


async def test_one_that_is_gone_is_told_no_more(api: Api) -> None:
    body = {"device_id": await api.device_id()}
    await api.ok("/devices/simulate/remove", body)
    assert (await api.refused("/hub/devices/get", body))["type"] == "device_not_found"
    assert len((await api.ok("/hub/devices/list"))["devices"]) == 3


async def test_what_waits_on_the_network_is_told_with_the_site(api: Api) -> None:
    api.hub.health["site"].wait_on("6", "Node 6", "It sleeps; wake it at the device.")
    (instance,) = (await api.ok("/hub/site"))["instances"]
    (waiting,) = instance["waiting"]
    assert waiting.pop("since").endswith("Z")
    assert waiting == {"key": "6", "name": "Node 6", "reason": "It sleeps; wake it at the device."}
