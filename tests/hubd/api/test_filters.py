from datetime import timedelta
from typing import Any

from hubd.model.device import DeviceDescription
from tests.hubd.api.harness import Api

ALL = {"Room 101", "Room 102", "Room 103", "Climate 101"}
UNKNOWN = "11111111-1111-4111-8111-111111111111"


async def names(api: Api, path: str = "/devices/list", **filters: Any) -> set[str]:
    """Return the names of the devices that fit, asked for in both dialects."""
    devices = (await api.ok(path, filters))["devices"]
    pairs: list[tuple[str, Any]] = []
    for name, value in filters.items():
        if isinstance(value, dict):
            pairs += [(f"{name}.{key}", str(inner).lower()) for key, inner in value.items()]
        elif isinstance(value, list):
            pairs += [(name, item) for item in value] or [(name, "")]
        else:
            pairs.append((name, "" if value is None else value))
    again = (await api.ok(path, method="GET", query=[*pairs, ("_strict", "true")]))["devices"]
    assert again == devices
    return {device["display_name"] for device in devices}


async def test_by_id(api: Api) -> None:
    first, second = await api.device_id("Room 101"), await api.device_id("Room 102")
    assert await names(api, device_ids=[first, second.upper(), UNKNOWN]) == {"Room 101", "Room 102"}
    assert await names(api, device_ids=[]) == set()
    assert len((await api.ok("/devices/list", {"device_ids": None}))["devices"]) == len(ALL)


async def test_by_account(api: Api) -> None:
    account = (await api.device())["connected_account_id"]
    assert await names(api, connected_account_id=account) == ALL
    assert await names(api, connected_account_ids=[UNKNOWN, account]) == ALL
    assert await names(api, connected_account_id=UNKNOWN) == set()
    assert await names(api, connected_account_ids=[]) == set()


async def test_by_type(api: Api) -> None:
    assert await names(api, device_type="virtual_thermostat") == {"Climate 101"}
    assert await names(api, device_types=["virtual_thermostat", "yale_lock"]) == {"Climate 101"}
    assert await names(api, device_type="yale_lock") == set()
    assert await names(api, device_types=[]) == set()
    assert await names(api, device_type="virtual_lock", device_types=["virtual_thermostat"]) == set()


async def test_by_manufacturer(api: Api) -> None:
    yale = DeviceDescription("y-1", "other", "yale_lock", "Front", "Yale")
    nobody = DeviceDescription("n-1", "other", "zwave_device", "Box")
    await api.hub.found("site", yale, ())
    await api.hub.found("site", nobody, ())
    ids = [record.device.device_id for record in api.hub.devices.values() if not record.is_managed]
    for device_id in ids:
        await api.ok("/devices/unmanaged/update", {"device_id": device_id, "is_managed": True})
    assert await names(api, manufacturer="hubd") == ALL
    assert await names(api, manufacturer="yale") == {"Front"}
    assert await names(api, manufacturer="unknown") == {"Box"}
    assert await names(api, manufacturer="schlage") == set()


async def test_by_flags(api: Api) -> None:
    assert await names(api, include_if=["can_remotely_lock"]) == ALL - {"Climate 101"}
    assert await names(api, include_if=["can_remotely_lock", "can_simulate_removal"]) == ALL - {"Climate 101"}
    assert await names(api, exclude_if=["can_remotely_lock"]) == {"Climate 101"}
    assert await names(api, include_if=["can_hvac_heat"], exclude_if=["can_hvac_cool"]) == set()
    assert await names(api, include_if=["can_unlock_with_code"]) == ALL - {"Climate 101"}
    assert await names(api, include_if=["can_fly"]) == set()
    assert await names(api, exclude_if=["can_fly"]) == ALL
    assert await names(api, include_if=[], exclude_if=[]) == ALL


async def test_by_words(api: Api) -> None:
    await api.ok("/devices/update", {"device_id": await api.device_id(), "name": "Anna"})
    assert await names(api, search="anna") == {"Anna"}
    assert await names(api, search="ROOM 10") == {"Anna", "Room 102", "Room 103"}
    assert await names(api, search="virtual thermostat") == {"Climate 101"}
    assert await names(api, search="%") == set()


async def test_by_metadata(api: Api) -> None:
    pairs = {"room": "101", "staff": True, "text": "true", "empty": ""}
    await api.ok("/devices/update", {"device_id": await api.device_id(), "custom_metadata": pairs})
    for wanted in ({"room": "101"}, {"staff": True}, {"text": "true", "room": "101"}, {"empty": ""}):
        assert await names(api, custom_metadata_has=wanted) == {"Room 101"}
    for wanted in ({"room": "102"}, {"staff": False}, {"room": "101", "other": ""}, {"none": "x"}):
        assert await names(api, custom_metadata_has=wanted) == set()
    assert await names(api, custom_metadata_has={}) == ALL


async def test_by_age(api: Api) -> None:
    now = api.clock.now()
    for bound in (now + timedelta(days=1), (now + timedelta(days=1)).replace(tzinfo=None)):
        assert await names(api, created_before=bound.isoformat()) == ALL
    assert await names(api, created_before=(now - timedelta(days=1)).isoformat()) == set()


ABSENT: list[tuple[Any, Any]] = [
    ("connect_webview_id", UNKNOWN),
    ("customer_key", "c-1"),
    ("customer_key", ""),
    ("space_id", UNKNOWN),
    ("unstable_location_id", UNKNOWN),
    ("user_identifier_key", "u-1"),
]


async def test_what_a_hub_does_not_have_matches_nothing(api: Api) -> None:
    for name, value in ABSENT:
        for path in ("/devices/list", "/devices/unmanaged/list", "/locks/list"):
            assert (await api.ok(path, {name: value}))["devices"] == []


async def test_a_removed_device_is_in_no_list(api: Api) -> None:
    await api.ok("/devices/simulate/remove", {"device_id": await api.device_id()})
    assert await names(api) == ALL - {"Room 101"}
    assert await names(api, "/devices/unmanaged/list") == set()
