from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from hubd.api.code_attempts import LIFE, find, prune
from hubd.store.codes import Trouble
from tests.hubd.api.codes import OTHER, PIN, from_now, make
from tests.hubd.api.harness import Api


async def create(api: Api, **members: Any) -> tuple[str, str]:
    """Make a code, and return its id with that of the attempt."""
    body = {"device_id": await api.device_id(), "code": PIN, **members}
    answer = await api.ok("/access_codes/create", body)
    return answer["access_code"]["access_code_id"], answer["action_attempt"]["action_attempt_id"]


async def attempt(api: Api, attempt_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await api.ok("/action_attempts/get", {"action_attempt_id": attempt_id}))["action_attempt"]
    return found


async def trouble(api: Api, code_id: str, code: str) -> None:
    now = api.clock.now()
    known = api.hub.codes.get(code_id)
    after = replace(known, trouble=Trouble(code, "It refused.", now, 1, now + timedelta(hours=1)))
    await api.hub.journal.transact(lambda view: view.put_code(after))


async def test_it_stands_as_its_code_does(api: Api) -> None:
    await api.ok("/devices/simulate/disconnect", {"device_id": await api.device_id()})
    code_id, attempt_id = await create(api)
    shown = await attempt(api, attempt_id)
    assert (shown["action_type"], shown["status"]) == ("CREATE_ACCESS_CODE", "pending")
    assert (shown["result"], shown["error"]) == (None, None)
    await trouble(api, code_id, "conflicting_external_modification")
    assert (await attempt(api, attempt_id))["status"] == "pending"
    await trouble(api, code_id, "failed_to_set_on_device")
    shown = await attempt(api, attempt_id)
    assert (shown["status"], shown["error"]) == (
        "error",
        {"type": "failed_to_set_on_device", "message": "It refused."},
    )
    mended = replace(api.hub.codes.get(code_id), trouble=None)
    await api.hub.journal.transact(lambda view: view.put_code(mended))
    await api.ok("/devices/simulate/connect", {"device_id": await api.device_id()})
    await api.hub.codes.settle(code_id, 5)
    shown = await attempt(api, attempt_id)
    assert (shown["status"], shown["result"]["access_code"]["status"]) == ("success", "set")


async def test_what_is_not_due_is_a_success(api: Api) -> None:
    _, attempt_id = await create(api, starts_at=from_now(api, days=1), ends_at=from_now(api, days=2))
    shown = await attempt(api, attempt_id)
    assert (shown["status"], shown["result"]["access_code"]["status"]) == ("success", "unset")


async def test_a_code_that_is_gone(api: Api) -> None:
    code = await make(api, code=PIN)
    rows = (await api.ok("/action_attempts/list"))["action_attempts"]
    await api.ok("/access_codes/delete", {"access_code_id": code["access_code_id"], "sync": True})
    shown = await attempt(api, rows[0]["action_attempt_id"])
    assert (shown["status"], shown["result"]) == ("success", {})
    await api.ok("/devices/simulate/disconnect", {"device_id": code["device_id"]})
    code_id, attempt_id = await create(api)
    await api.ok("/access_codes/delete", {"access_code_id": code_id})
    shown = await attempt(api, attempt_id)
    assert (shown["status"], shown["error"]["type"]) == ("error", "access_code_gone")


async def test_a_removal_that_fails(api: Api) -> None:
    code = await make(api, code=PIN)
    await api.ok("/devices/simulate/disconnect", {"device_id": code["device_id"]})
    body = {"access_code_id": code["access_code_id"]}
    found = (await api.ok("/access_codes/delete", body))["action_attempt"]
    assert found["status"] == "pending"
    await trouble(api, code["access_code_id"], "failed_to_remove_from_device")
    shown = await attempt(api, found["action_attempt_id"])
    assert (shown["status"], shown["error"]["type"]) == ("error", "failed_to_remove_from_device")


async def test_they_are_listed_among_orders_in_order(api: Api) -> None:
    device_id = await api.device_id()
    await api.ok("/locks/lock_door", {"device_id": device_id})
    code = await make(api, code=PIN)
    await api.ok("/locks/unlock_door", {"device_id": device_id})
    await api.ok("/access_codes/delete", {"access_code_id": code["access_code_id"], "sync": True})
    expected = ["LOCK_DOOR", "CREATE_ACCESS_CODE", "UNLOCK_DOOR", "DELETE_ACCESS_CODE"]
    whole = (await api.ok("/action_attempts/list", {"device_id": device_id}))["action_attempts"]
    assert [one["action_type"] for one in whole] == expected
    walked: list[dict[str, Any]] = []
    cursor = None
    for _ in expected:
        page = await api.ok("/action_attempts/list", {"limit": 1, "page_cursor": cursor})
        walked += page["action_attempts"]
        cursor = page["pagination"]["next_page_cursor"]
    assert (walked, cursor) == (whole, None)
    ids = [whole[1]["action_attempt_id"], whole[2]["action_attempt_id"].upper()]
    some = (await api.ok("/action_attempts/list", {"action_attempt_ids": ids}))["action_attempts"]
    assert [one["action_type"] for one in some] == expected[1:3]
    other = {"device_id": await api.device_id("Room 102")}
    assert (await api.ok("/action_attempts/list", other))["action_attempts"] == []


async def test_what_the_sandbox_does_is_no_attempt_of_seams(api: Api) -> None:
    body = {"device_id": await api.device_id()}
    await api.ok("/devices/simulate/disconnect", body)
    await api.ok("/devices/simulate/connect", body)
    await api.ok("/access_codes/simulate/create_unmanaged_access_code", body | {"code": "4286", "name": "x"})
    assert (await api.ok("/action_attempts/list"))["action_attempts"] == []


async def test_old_ones_are_dropped(api: Api) -> None:
    _, attempt_id = await create(api)
    await api.hub.journal.transact(prune)
    assert await find(api.hub, attempt_id) is not None
    api.clock.ahead += LIFE + timedelta(seconds=1)
    await api.hub.journal.transact(prune)
    assert await find(api.hub, attempt_id) is not None  # without a young one, the clock may be what is wrong
    _, young = await create(api, code=OTHER)
    await api.hub.journal.transact(prune)
    assert await find(api.hub, attempt_id) is None
    assert await find(api.hub, young) is not None
    error = await api.refused("/action_attempts/get", {"action_attempt_id": attempt_id})
    assert error["type"] == "action_attempt_not_found"
