import asyncio
import uuid
from pathlib import Path
from typing import Any

from hubd.core.policy import Policy
from hubd.model.device import DeviceDescription
from tests.hubd.api.harness import Api, instance, running_api
from tests.support.site import eventually


async def types(api: Api, device_id: str) -> list[str]:
    """Return the public events of a device after its first two: added, connected."""
    events = (await api.ok("/events/list", {"device_id": device_id}))["events"]
    return [event["event_type"] for event in events][2:]


async def test_get_by_id_or_name(api: Api) -> None:
    device = await api.device("Room 102")
    device_id = device["device_id"]
    for query in ({"device_id": device_id}, {"device_id": device_id.upper()}, {"name": "Room 102"}):
        assert (await api.ok("/devices/get", query))["device"] == device
        assert (await api.ok("/devices/get", method="GET", query=query))["device"] == device
    assert (await api.ok("/devices/get", {"device_id": device_id, "name": "Room 102"}))["device"] == device


async def test_id_and_name_must_both_fit(api: Api) -> None:
    error = await api.refused("/devices/get", {"device_id": await api.device_id(), "name": "Room 102"})
    assert (error["status"], error["type"]) == (404, "device_not_found")


NOT_WHICH: list[tuple[Any, Any]] = [
    ({}, "device_id"),
    ({"device_id": None, "name": None}, "device_id"),
    ({"device_id": "Room 101"}, "device_id"),
    ({"device_id": 7}, "device_id"),
    ({"device_id": []}, "device_id"),
    ({"name": ["Room 101"]}, "name"),
    ({"serial": "1"}, "serial"),
]


async def test_get_needs_to_know_which(api: Api) -> None:
    for body, field in NOT_WHICH:
        await api.wrong(field, "/devices/get", body)
        await api.wrong(field, "/devices/unmanaged/get", body)


async def test_a_device_that_is_not_there(api: Api) -> None:
    unknown = str(uuid.uuid4())
    for path in ("/devices/get", "/devices/unmanaged/get", "/locks/get", "/locks/lock_door", "/devices/delete"):
        error = await api.refused(path, {"device_id": unknown})
        assert (error["status"], error["type"]) == (404, "device_not_found")
        assert error["data"] == {"device_id": unknown}
    error = await api.refused("/devices/get", {"name": "Room 999"})
    assert error["data"] == {"name": "Room 999"}


async def test_a_name_that_two_devices_have(api: Api) -> None:
    await api.ok("/devices/update", {"device_id": await api.device_id(), "name": "Room 102"})
    sentence = await api.wrong("name", "/devices/get", {"name": "Room 102"})
    assert "2 devices" in sentence


async def test_nickname_and_back(api: Api) -> None:
    device_id = await api.device_id()
    await api.ok("/devices/update", {"device_id": device_id, "name": "Anna"}, method="PATCH")
    named = await api.device("Anna")
    assert (named["display_name"], named["nickname"], named["properties"]["name"]) == ("Anna",) * 3
    assert named["properties"]["appearance"]["name"] == "Room 101"
    await api.ok("/devices/update", {"device_id": device_id, "properties": {"name": "Berta"}})
    await api.ok("/devices/update", {"device_id": device_id, "name": "Berta", "properties": {"name": "Berta"}})
    await api.ok("/devices/update", {"device_id": device_id, "name": None})
    await api.ok("/devices/update", {"device_id": device_id, "properties": {"name": None}})
    own = await api.device("Room 101")
    assert "nickname" not in own
    assert await types(api, device_id) == ["device.name_changed"] * 3


async def test_an_edit_that_changes_nothing_is_no_event(api: Api) -> None:
    device_id = await api.device_id()
    head = api.hub.journal.head
    edits: list[dict[str, Any]] = [
        {},
        {"name": None},
        {"is_managed": True},
        {"custom_metadata": {}},
        {"custom_metadata": {"x": None}},
    ]
    for body in edits:
        await api.ok("/devices/update", {"device_id": device_id, **body})
    assert api.hub.journal.head == head


WRONG_EDITS: list[tuple[Any, Any]] = [
    ({"name": ""}, "name"),
    ({"name": "   "}, "name"),
    ({"name": "x" * 256}, "name"),
    ({"name": "two\nlines"}, "name"),
    ({"name": "nul\x00"}, "name"),
    ({"name": 5}, "name"),
    ({"name": "a", "properties": {"name": "b"}}, "properties.name"),
    ({"properties": {"nickname": "b"}}, "properties.nickname"),
    ({"properties": None}, "properties"),
    ({"is_managed": None}, "is_managed"),
    ({"is_managed": "false"}, "is_managed"),
    ({"custom_metadata": []}, "custom_metadata"),
    ({"custom_metadata": {"k": 1}}, "custom_metadata"),
    ({"custom_metadata": {"k": {}}}, "custom_metadata"),
    ({"custom_metadata": {"": "v"}}, "custom_metadata"),
    ({"custom_metadata": {"k" * 41: "v"}}, "custom_metadata"),
    ({"custom_metadata": {"k": "v" * 501}}, "custom_metadata"),
    ({"custom_metadata": {f"k{n}": "v" for n in range(51)}}, "custom_metadata"),
    ({"nickname": "x"}, "nickname"),
    ({"backup_access_code_pool_enabled": "yes"}, "backup_access_code_pool_enabled"),
]


async def test_wrong_edits_change_nothing(api: Api) -> None:
    for body, field in WRONG_EDITS:
        device_id = await api.device_id()
        head = api.hub.journal.head
        await api.wrong(field, "/devices/update", {"device_id": device_id, **body})
        assert api.hub.journal.head == head


async def test_emoji_and_accents_are_a_name(api: Api) -> None:
    await api.ok("/devices/update", {"device_id": await api.device_id(), "name": "Küche 👩‍🍳"})
    assert (await api.device("Küche 👩‍🍳"))["nickname"] == "Küche 👩‍🍳"


async def test_metadata_is_merged_and_null_takes_away(api: Api) -> None:
    device_id = await api.device_id()
    full = {f"k{n}": "v" * 500 for n in range(49)} | {"staff": True}
    await api.ok("/devices/update", {"device_id": device_id, "custom_metadata": full})
    await api.ok("/devices/update", {"device_id": device_id, "custom_metadata": {"k0": None, "new": False}})
    metadata = (await api.device())["custom_metadata"]
    assert "k0" not in metadata
    assert (len(metadata), metadata["new"], metadata["staff"]) == (50, False, True)
    await api.wrong("custom_metadata", "/devices/update", {"device_id": device_id, "custom_metadata": {"k0": "x"}})


async def test_edits_at_once_cannot_pass_the_bound_together(api: Api) -> None:
    device_id = await api.device_id()
    parts = [{f"{half}{n}": "v" for n in range(30)} for half in "ab"]
    calls = [api.call("/devices/update", {"device_id": device_id, "custom_metadata": part}) for part in parts]
    answers = await asyncio.gather(*calls)
    assert sorted(answer.status for answer in answers) == [200, 400]
    assert len((await api.device())["custom_metadata"]) == 30


async def test_a_pool_of_backup_codes_is_turned_on_and_off(api: Api) -> None:
    body = {"device_id": await api.device_id(), "backup_access_code_pool_enabled": True}
    for is_on, held in ((True, 2), (False, 0)):
        await api.ok("/devices/update", body | {"backup_access_code_pool_enabled": is_on})
        await eventually(lambda held=held: len(api.driver().devices["lock-1"].keypad.codes) == held)
        assert (await api.device())["properties"]["backup_access_code_pool_enabled"] is is_on


async def test_a_pool_that_cannot_be_changes_nothing_else(api: Api) -> None:
    body = {"backup_access_code_pool_enabled": True, "name": "Not done"}
    thermostat = await api.device_id("Climate 101")
    error = await api.refused("/devices/update", body | {"device_id": thermostat})
    assert (error["type"], error["data"]["flag"]) == ("not_supported", "properties.supports_backup_access_code_pool")
    device_id = await api.device_id()
    error = await api.refused("/devices/update", body | {"device_id": device_id, "is_managed": False})
    assert error["type"] == "device_managed"
    await api.ok("/devices/update", {"device_id": device_id, "is_managed": False})
    assert (await api.refused("/devices/update", body | {"device_id": device_id}))["type"] == "device_unmanaged"
    names = [d["display_name"] for d in (await api.ok("/devices/list"))["devices"]]
    assert "Not done" not in names
    await api.ok(
        "/devices/update", {"device_id": device_id, "is_managed": True, "backup_access_code_pool_enabled": True}
    )
    await api.ok("/devices/update", {"device_id": thermostat, "backup_access_code_pool_enabled": False})


async def test_managed_and_unmanaged_are_two_lists(api: Api) -> None:
    device_id = await api.device_id()
    await api.ok("/devices/update", {"device_id": device_id, "is_managed": False})
    await api.ok("/devices/update", {"device_id": device_id, "is_managed": False})
    managed = (await api.ok("/devices/list"))["devices"]
    unmanaged = (await api.ok("/devices/unmanaged/list"))["devices"]
    assert (len(managed), [device["device_id"] for device in unmanaged]) == (3, [device_id])
    assert unmanaged[0]["is_managed"] is False
    assert (await api.ok("/devices/unmanaged/get", {"name": "Room 101"}))["device"] == unmanaged[0]
    assert (await api.refused("/devices/get", {"device_id": device_id}))["type"] == "device_unmanaged"
    await api.ok("/devices/unmanaged/update", {"device_id": device_id, "custom_metadata": {"room": "101"}})
    for _ in range(2):
        await api.ok("/devices/unmanaged/update", {"device_id": device_id, "is_managed": True}, method="PATCH")
    assert (await api.refused("/devices/unmanaged/get", {"device_id": device_id}))["type"] == "device_managed"
    assert (await api.device())["custom_metadata"] == {"room": "101"}
    expected = ["device.converted_to_unmanaged", "device.unmanaged.converted_to_managed"]
    assert await types(api, device_id) == expected


async def test_an_unmanaged_device_can_only_be_taken_on(api: Api) -> None:
    await api.wrong(
        "is_managed", "/devices/unmanaged/update", {"device_id": await api.device_id(), "is_managed": False}
    )


async def test_a_device_that_the_config_excludes_stays_so(tmp_path: Path) -> None:
    policy = Policy(("lock",), exclude_ids=("lock-1",))
    async with running_api(tmp_path / "data", instance(policy=policy)) as api:
        unmanaged = (await api.ok("/devices/unmanaged/list"))["devices"]
        excluded = {device["display_name"]: device["device_id"] for device in unmanaged}
        assert excluded.keys() == {"Room 101", "Climate 101"}
        await api.ok("/devices/unmanaged/update", {"device_id": excluded["Climate 101"], "is_managed": True})
        for path in ("/devices/update", "/devices/unmanaged/update"):
            error = await api.refused(path, {"device_id": excluded["Room 101"], "is_managed": True})
            assert (error["status"], error["type"]) == (400, "device_excluded_by_config")
            assert "exclude_ids" in error["message"]


async def test_delete_forgets_until_its_network_shows_it_again(api: Api) -> None:
    device_id = await api.device_id()
    await api.ok("/devices/update", {"device_id": device_id, "name": "Anna"})
    await api.ok("/devices/delete", method="DELETE", query={"device_id": device_id})
    assert (await api.refused("/devices/delete", {"device_id": device_id}))["status"] == 404
    assert len((await api.ok("/devices/list"))["devices"]) == 3
    event = (await api.ok("/events/get", {"device_id": device_id}))["event"]
    assert (event["event_type"], event["device_name"]) == ("device.deleted", "Anna")
    description: DeviceDescription = api.driver().devices["lock-1"].description
    await api.hub.found("site", description, ())
    assert (await api.device("Anna"))["device_id"] == device_id


async def test_a_device_deleted_while_unmanaged_is_no_public_event(api: Api) -> None:
    device_id = await api.device_id()
    await api.ok("/devices/update", {"device_id": device_id, "is_managed": False})
    await api.ok("/devices/delete", {"device_id": device_id})
    assert await types(api, device_id) == ["device.converted_to_unmanaged"]


async def test_only_an_owner_deletes(api: Api) -> None:
    for role in ("viewer", "operator"):
        token = await api.as_role(role)
        error = await api.refused("/devices/delete", {"device_id": await api.device_id()}, token=token)
        assert (error["status"], error["type"]) == (403, "forbidden")


async def test_providers_are_the_brands_on_the_site(api: Api) -> None:
    assert (await api.ok("/devices/list_device_providers"))["device_providers"] == []
    lock: DeviceDescription = api.driver().devices["lock-1"].description
    yale = DeviceDescription("y-1", "lock", "yale_lock", "Yale", "Yale", capabilities=lock.capabilities)
    await api.hub.found("site", yale, ())
    (provider,) = (await api.ok("/devices/list_device_providers"))["device_providers"]
    assert provider["device_provider_name"] == "yale"
    assert provider["can_remotely_lock"] is provider["can_remotely_unlock"] is True
    for category, count in (("stable", 1), ("cameras", 0)):
        query = {"provider_category": category}
        answer = await api.ok("/devices/list_device_providers", method="GET", query=query)
        assert len(answer["device_providers"]) == count
