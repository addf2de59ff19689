from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from hubd.core.codes.wishes import Wish
from hubd.model import CodeHintSeen, CodeSeen
from tests.hubd.api.harness import Api
from tests.support.site import eventually

PIN = "73519264"


async def make(api: Api, name: str | None, **wish: Any) -> str:
    """Have a code on Room 101, and wait until it is as it should be."""
    device_id = await api.device_id()
    (code,) = await api.hub.codes.create([Wish(device_id=device_id, name=name, **wish)], "test")
    await api.hub.codes.settle(code.code_id, 5)
    return code.code_id


async def test_how_codes_stand_without_their_pins(api: Api) -> None:
    code_id = await make(api, "Guest", pin=PIN)
    now = api.clock.now()
    later = await make(api, "Later", starts_at=now + timedelta(days=1), ends_at=now + timedelta(days=2))
    answer = await api.ok("/hub/codes/list", method="GET")
    codes = {code["access_code_id"]: code for code in answer["codes"]}
    device_id = await api.device_id()
    assert codes[code_id] | {"created_at": ""} == {
        "access_code_id": code_id,
        "device_id": device_id,
        "device_name": "Room 101",
        "name": "Guest",
        "is_managed": True,
        "is_backup": False,
        "is_being_deleted": False,
        "status": "set",
        "is_scheduled_on_device": False,
        "slot": 1,
        "is_verified": True,
        "starts_at": None,
        "ends_at": None,
        "why": None,
        "wait_seconds": None,
        "errors": [],
        "created_at": "",
    }
    assert codes[later]["status"] == "unset"
    assert codes[later]["why"].startswith("It is put on the lock when it starts, ")
    assert (await api.ok("/hub/codes/list", {"device_id": device_id.upper()})) == answer
    other = await api.device_id("Room 102")
    assert (await api.ok("/hub/codes/list", {"device_id": other}))["codes"] == []
    assert (await api.ok("/hub/codes/get", {"access_code_id": later}))["code"] == codes[later]
    assert PIN not in str(answer)


async def test_a_pin_of_which_nobody_knows_whether_it_is_there_is_not_verified(api: Api) -> None:
    code_id = await make(api, "Guest", pin=PIN)
    known = api.hub.codes.get(code_id)
    assert known.placement is not None
    sent = replace(known, placement=replace(known.placement, state="sent"))
    await api.hub.journal.transact(lambda view: view.put_code(sent))
    assert (await api.ok("/hub/codes/get", {"access_code_id": code_id}))["code"]["is_verified"] is None


async def test_a_call_that_waits_is_answered_once_the_lock_has_the_code(api: Api) -> None:
    device_id = await api.device_id()
    (code,) = await api.hub.codes.create([Wish(device_id=device_id)], "test")
    answer = await api.ok("/hub/codes/get", {"access_code_id": code.code_id, "wait": True})
    assert answer["code"]["status"] == "set"


async def test_why_a_code_waits_for_a_lock_that_is_away(api: Api) -> None:
    device_id = await api.device_id()
    await api.ok("/devices/simulate/disconnect", {"device_id": device_id})
    (code,) = await api.hub.codes.create([Wish(device_id=device_id)], "test")
    standing = (await api.ok("/hub/codes/get", {"access_code_id": code.code_id}))["code"]
    assert (standing["status"], standing["why"], standing["wait_seconds"]) == (
        "setting",
        "The simulated device was taken off its network.",
        None,
    )


async def test_slots_and_who_occupies_them(api: Api) -> None:
    code_id = await make(api, "Guest", pin=PIN)
    await api.see(CodeSeen(native_id="lock-1", slot=9, is_used=True))
    body = {"device_id": await api.device_id()}
    answer = await api.ok("/hub/codes/slots", body)
    slots = {slot["slot"]: slot for slot in answer["slots"]}
    assert len(slots) == answer["filling"]["total"]
    assert (slots[1]["holding"], slots[1]["access_code_id"], slots[1]["name"]) == ("managed", code_id, "Guest")
    assert (slots[9]["holding"], slots[9]["doubted_at"] is None) == ("free", False)
    assert (answer["filling"]["managed"], answer["filling"]["free"]) == (1, len(slots) - 1)
    assert (answer["waiting_changes"], answer["waiting_seconds"]) == (0, 0.0)
    await api.see(CodeHintSeen(native_id="lock-1", change="added", slot=7))
    await eventually(lambda: not api.hub.codes.book(body["device_id"]).hints)
    assert (await api.ok("/hub/codes/slots", body))["last_read_slot"] == 7
    error = await api.refused("/hub/codes/slots", {"device_id": await api.device_id("Climate 101")})
    assert error["type"] == "not_supported"


async def test_what_became_of_codes(api: Api) -> None:
    code_id = await make(api, "Guest", pin=PIN)
    key = await api.ok("/hub/keys/create", {"name": "Front desk", "role": "operator"})
    await api.hub.codes.delete(code_id, key["key"]["key_id"])
    await eventually(lambda: code_id not in api.hub.journal.tables.codes)
    told = (await api.ok("/hub/codes/history", {"access_code_id": code_id}))["history"]
    assert [one["body"]["type"] for one in told] == [
        "code.gone",
        "code.taken_off",
        "code.edited",
        "code.placed",
        "code.created",
    ]
    assert [one["by_name"] for one in told] == ["Front desk", None, "Front desk", None, None]
    assert {(one["access_code_id"], one["access_code_name"], one["device_name"]) for one in told} == {
        (code_id, "Guest", "Room 101")
    }
    body = {"device_id": await api.device_id(), "limit": 2}
    assert (await api.ok("/hub/codes/history", body))["history"] == told[:2]
    assert PIN not in str(told)


async def test_what_is_asked_for_must_be_there_and_be_clear(api: Api) -> None:
    unknown = "00000000-0000-4000-8000-000000000000"
    for path, body, kind in (
        ("/hub/codes/history", {}, "invalid_input"),
        ("/hub/codes/history", {"device_id": unknown, "access_code_id": unknown}, "invalid_input"),
        ("/hub/codes/history", {"device_id": unknown}, "device_not_found"),
        ("/hub/codes/history", {"access_code_id": unknown}, "access_code_not_found"),
        ("/hub/codes/get", {"access_code_id": unknown}, "access_code_not_found"),
        ("/hub/codes/slots", {"device_id": unknown}, "device_not_found"),
        ("/hub/codes/list", {"device_id": unknown}, "device_not_found"),
    ):
        assert (await api.refused(path, body))["type"] == kind
