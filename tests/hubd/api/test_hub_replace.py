from pathlib import Path
from typing import Any

from hubd.model.seen import ReachabilitySeen
from tests.hubd.api.harness import Api, instance, running_api

OLD, NEW = "Room 101", "Room 102"


async def ids(api: Api) -> tuple[str, str]:
    """Return the ids of two locks, of which the first does not answer."""
    found = await api.device_id(OLD), await api.device_id(NEW)
    await api.see(ReachabilitySeen(native_id="lock-1", online=False, reason="No answer."))
    return found


async def test_a_new_lock_takes_over(api: Api) -> None:
    old, new = await ids(api)
    await api.ok("/devices/update", {"device_id": old, "name": "Suite"})
    body = {"device_id": old.upper(), "replacement_device_id": new}
    device = (await api.ok("/hub/devices/replace", body))["device"]
    assert (device["device_id"], device["name"], device["own_name"]) == (old, "Suite", NEW)
    assert (device["native_id"], device["online"]) == ("lock-2", True)
    assert (await api.ok("/locks/lock_door", {"device_id": old}))["action_attempt"]["status"] == "success"
    (removed,) = (await api.ok("/hub/devices/removed"))["devices"]
    assert (removed["device_id"], removed["name"], removed["kind"]) == (new, OLD, "lock")
    assert "Suite" in removed["reason"]
    assert (await api.refused("/hub/devices/replace", body))["type"] == "device_not_found"
    (renamed,) = (await api.ok("/events/list", {"event_type": "device.removed"}))["events"]
    assert renamed["device_id"] == new


async def test_the_name_that_integrators_see_stays(api: Api) -> None:
    old, new = await ids(api)
    await api.ok("/hub/devices/replace", {"device_id": old, "replacement_device_id": new})
    device = (await api.ok("/devices/get", {"device_id": old}))["device"]
    assert (device["display_name"], device["nickname"]) == (OLD, OLD)
    assert (await api.ok("/events/list", {"event_type": "device.name_changed"}))["events"] == []


async def test_what_cannot_be_is_refused_with_its_reason(api: Api) -> None:
    old, new = await ids(api)

    async def refused(**changes: Any) -> str:
        body = {"device_id": old, "replacement_device_id": new} | changes
        error = await api.refused("/hub/devices/replace", body)
        assert error["status"] in {400, 404}
        return str(error["type"])

    assert await refused(device_id=new, replacement_device_id=old) == "replacement_unreachable"
    assert await refused(replacement_device_id=await api.device_id("Climate 101")) == "replacement_of_other_kind"
    assert await refused(replacement_device_id=old) == "invalid_input"
    await api.see(ReachabilitySeen(native_id="lock-1", online=True))
    assert await refused() == "device_still_answers"
    await api.ok("/hub/devices/replace", {"device_id": old, "replacement_device_id": new, "is_old_present_ok": True})


async def test_only_an_owner_may(api: Api) -> None:
    old, new = await ids(api)
    body = {"device_id": old, "replacement_device_id": new}
    error = await api.refused("/hub/devices/replace", body, token=await api.as_role("operator"))
    assert error["status"] == 403
    await api.ok("/hub/devices/removed", token=await api.as_role("viewer"))


async def test_a_repeat_with_its_key_is_one_replacement(api: Api) -> None:
    old, new = await ids(api)
    body = {"device_id": old, "replacement_device_id": new}
    headers = {"idempotency-key": "k"}
    first = await api.ok("/hub/devices/replace", body, headers=headers)
    assert await api.ok("/hub/devices/replace", body, headers=headers) == first


async def test_it_outlives_a_restart(tmp_path: Path) -> None:
    async with running_api(tmp_path, instance("site", locks=2, thermostats=0)) as api:
        old, new = await ids(api)
        await api.ok("/hub/devices/replace", {"device_id": old, "replacement_device_id": new})
    async with running_api(tmp_path, instance("site", locks=2, thermostats=0)) as api:
        # The virtual site has the first lock still, which so comes back as a device of its own.
        found = {device["native_id"]: device["device_id"] for device in (await api.ok("/hub/devices/list"))["devices"]}
        assert found == {"lock-2": old, "lock-1": new}
