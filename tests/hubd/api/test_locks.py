import asyncio
from pathlib import Path

import pytest

from hubd.model.capability import Capabilities, LockCapability
from hubd.model.device import DeviceDescription
from tests.hubd.api.harness import Api, instance, running_api
from tests.support.site import eventually


async def test_get_and_list_only_locks(api: Api) -> None:
    answer = await api.ok("/locks/list")
    assert answer["locks"] == answer["devices"]
    assert [lock["display_name"] for lock in answer["locks"]] == ["Room 101", "Room 102", "Room 103"]
    one = await api.ok("/locks/get", {"name": "Room 101"})
    assert one["lock"] == one["device"] == answer["locks"][0]
    thermostat = await api.device_id("Climate 101")
    assert (await api.refused("/locks/get", {"device_id": thermostat}))["type"] == "device_not_found"


async def test_unlock_and_lock(api: Api) -> None:
    device_id = await api.device_id()
    for path, kind, locked in (("unlock_door", "UNLOCK_DOOR", False), ("lock_door", "LOCK_DOOR", True)):
        attempt = (await api.ok(f"/locks/{path}", {"device_id": device_id, "sync": True}))["action_attempt"]
        assert (attempt["status"], attempt["action_type"]) == ("success", kind)
        assert attempt["result"] == {"was_confirmed_by_device": True}
        assert (await api.device())["properties"]["locked"] is locked
        stages = attempt["stages"]
        assert stages["accepted_at"] <= stages["started_at"] <= stages["settled_at"] < stages["deadline"]
    assert api.driver().devices["lock-1"].orders == 2


async def test_a_slow_order_is_held_and_then_pending(tmp_path: Path) -> None:
    async with running_api(tmp_path / "data", instance(latency_ms=400), hold_seconds=0.05) as api:
        device_id = await api.device_id()
        attempt = (await api.ok("/locks/unlock_door", {"device_id": device_id}))["action_attempt"]
        assert (attempt["status"], attempt["result"], attempt["error"]) == ("pending", None, None)
        assert attempt["stages"]["settled_at"] is None
        await eventually(lambda: not api.hub.journal.tables.open_commands)
        query = {"action_attempt_id": attempt["action_attempt_id"]}
        settled = (await api.ok("/action_attempts/get", query))["action_attempt"]
        assert settled["status"] == "success"


async def test_what_is_no_lock_is_refused_naming_the_flag(api: Api) -> None:
    error = await api.refused("/locks/lock_door", {"device_id": await api.device_id("Climate 101")})
    assert error["type"] == "device_type_not_supported"
    assert error["data"]["flag"] == "capabilities_supported.lock"
    assert api.hub.journal.tables.open_commands == {}


@pytest.mark.parametrize(("can_lock", "can_unlock"), [(True, False), (False, True)])
async def test_what_the_bolt_cannot_do_is_refused(api: Api, *, can_lock: bool, can_unlock: bool) -> None:
    capabilities = Capabilities(lock=LockCapability(can_lock=can_lock, can_unlock=can_unlock))
    opener = DeviceDescription("o-1", "lock", "virtual_lock", "Opener", capabilities=capabilities)
    device_id = await api.hub.found("site", opener, ())
    shape = await api.device("Opener")
    flags = {"can_remotely_lock": can_lock, "can_remotely_unlock": can_unlock}
    assert {flag: shape.get(flag, False) for flag in flags} == flags
    path, flag = (
        ("/locks/unlock_door", "can_remotely_unlock") if can_lock else ("/locks/lock_door", "can_remotely_lock")
    )
    error = await api.refused(path, {"device_id": device_id})
    assert (error["status"], error["type"], error["data"]["flag"]) == (400, "not_supported", flag)


async def test_an_unmanaged_lock_takes_no_orders(api: Api) -> None:
    device_id = await api.device_id()
    await api.ok("/devices/update", {"device_id": device_id, "is_managed": False})
    error = await api.refused("/locks/unlock_door", {"device_id": device_id})
    assert (error["status"], error["type"]) == (400, "device_unmanaged")
    assert api.driver().devices["lock-1"].orders == 0


async def test_a_viewer_opens_nothing(api: Api) -> None:
    body = {"device_id": await api.device_id()}
    error = await api.refused("/locks/unlock_door", body, token=await api.as_role("viewer"))
    assert (error["status"], error["type"]) == (403, "forbidden")
    await api.ok("/locks/unlock_door", body, token=await api.as_role("operator"))


async def test_a_full_queue_is_said_and_nothing_is_kept(tmp_path: Path) -> None:
    async with running_api(tmp_path / "data", instance(latency_ms=150), hold_seconds=30.0) as api:
        body = {"device_id": await api.device_id()}
        answers = await asyncio.gather(*(api.call("/locks/lock_door", body) for _ in range(18)))
        statuses = [answer.status for answer in answers]
        assert (statuses.count(200), statuses.count(429)) == (17, 1)
        assert answers[-1].error["type"] == "device_queue_full"
        attempts = (await api.ok("/action_attempts/list", {"device_id": body["device_id"]}))["action_attempts"]
        assert [attempt["status"] for attempt in attempts] == ["success"] * 17
        assert api.driver().devices["lock-1"].orders == 17


async def test_the_list_is_whole_unless_a_limit_is_given(api: Api) -> None:
    answer = await api.ok("/locks/list", method="GET", query={"limit": 2})
    assert len(answer["locks"]) == 2
    assert answer["pagination"]["has_next_page"] is True
    rest = await api.ok("/locks/list", {"limit": 2, "page_cursor": answer["pagination"]["next_page_cursor"]})
    assert [lock["display_name"] for lock in rest["locks"]] == ["Room 103"]
