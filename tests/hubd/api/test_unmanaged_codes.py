from pathlib import Path
from typing import Any

from tests.hubd.api.codes import OTHER, edit_slot, event_types, get, make, on_lock, put_in, slot_of
from tests.hubd.api.harness import Api, instance, running_api
from tests.support.site import eventually

PATH = "/access_codes/unmanaged"
PIN = "4286"


async def listed(api: Api, **filters: Any) -> list[dict[str, Any]]:
    body = {"device_id": await api.device_id(), **filters}
    found: list[dict[str, Any]] = (await api.ok(f"{PATH}/list", body))["access_codes"]
    return found


async def test_what_is_found_on_a_lock_is_shown(api: Api) -> None:
    found = await put_in(api, PIN, "Cleaner")
    (shown,) = await listed(api)
    assert (shown["access_code_id"], shown["name"], shown["code"]) == (found["access_code_id"], "Cleaner", PIN)
    assert (shown["is_managed"], shown["status"], shown["type"]) == (False, "set", "ongoing")
    one = await api.ok(f"{PATH}/get", {"access_code_id": shown["access_code_id"]})
    assert one["access_code"] == shown
    by_pin = await api.ok(f"{PATH}/get", method="GET", query={"device_id": shown["device_id"], "code": PIN})
    assert by_pin["access_code"] == shown
    assert (await api.refused("/access_codes/get", {"access_code_id": shown["access_code_id"]}))["status"] == 404
    assert (await api.ok("/access_codes/list"))["access_codes"] == []
    assert await event_types(api, shown) == ["access_code.unmanaged.created"]
    assert await listed(api, search="clean") == [shown]
    assert await listed(api, search="nobody") == []
    assert await listed(api, user_identifier_key="x") == []


async def test_taking_it_on_twice_is_once(api: Api) -> None:
    found = await put_in(api, PIN)
    body = {"access_code_id": found["access_code_id"], "is_external_modification_allowed": True, "force": True}
    for _ in range(2):
        await api.ok(f"{PATH}/convert_to_managed", body, method="PATCH")
    code = await get(api, found)
    assert (code["code"], code["status"], code["is_external_modification_allowed"]) == (PIN, "set", True)
    assert on_lock(api) == {PIN}
    assert (await event_types(api, found)).count("access_code.unmanaged.converted_to_managed") == 1
    assert await listed(api) == []
    assert (await api.refused(f"{PATH}/get", {"access_code_id": found["access_code_id"]}))["status"] == 404


async def test_updating(api: Api) -> None:
    found = await put_in(api, PIN)
    body = {"access_code_id": found["access_code_id"]}
    await api.ok(f"{PATH}/update", body | {"is_managed": False, "allow_external_modification": True})
    assert len(await listed(api)) == 1
    await api.wrong("is_managed", f"{PATH}/update", body)
    await api.ok(f"{PATH}/update", body | {"is_managed": True}, method="PATCH")
    assert (await get(api, found))["is_external_modification_allowed"] is True
    assert (await api.refused(f"{PATH}/update", body | {"is_managed": False}))["type"] == "access_code_not_found"


async def test_deleting_it_takes_it_off_the_lock(api: Api) -> None:
    found = await put_in(api, PIN)
    body = {"access_code_id": found["access_code_id"], "sync": True}
    assert (await api.refused("/access_codes/delete", body))["type"] == "access_code_not_found"
    attempt = (await api.ok(f"{PATH}/delete", body))["action_attempt"]
    assert (attempt["action_type"], attempt["status"]) == ("DELETE_ACCESS_CODE", "success")
    assert on_lock(api) == set()
    assert (await event_types(api, found))[-1] == "access_code.unmanaged.removed"
    code = await make(api)
    assert (await api.refused(f"{PATH}/delete", {"access_code_id": code["access_code_id"]}))["status"] == 404


async def test_while_it_goes_it_is_said(tmp_path: Path) -> None:
    async with running_api(tmp_path / "data", instance(latency_ms=200)) as api:
        found = await put_in(api, PIN)
        await api.ok(f"{PATH}/delete", {"access_code_id": found["access_code_id"]})
        (shown,) = await listed(api)
        assert [warning["warning_code"] for warning in shown["warnings"]] == ["being_deleted"]
        await eventually(lambda: not on_lock(api))


async def test_what_goes_at_the_keypad_is_gone(api: Api) -> None:
    found = await put_in(api, PIN)
    await edit_slot(api, slot_of(api, found), None)
    await eventually(lambda: found["access_code_id"] not in api.hub.journal.tables.codes)
    assert (await event_types(api, found))[-1] == "access_code.unmanaged.removed"


async def test_a_pin_that_the_lock_does_not_tell_cannot_be_taken_on(tmp_path: Path) -> None:
    async with running_api(tmp_path / "data", instance(masked=True)) as api:
        await edit_slot(api, 3, OTHER)
        device_id = await api.device_id()
        await eventually(lambda: api.hub.codes.of(device_id))
        (shown,) = await listed(api)
        assert (shown["code"], shown["cannot_be_managed"], shown["status"]) == (None, True, "set")
        body = {"access_code_id": shown["access_code_id"]}
        error = await api.refused(f"{PATH}/convert_to_managed", body)
        assert (error["status"], error["type"]) == (400, "code_not_known")


async def test_a_viewer_is_not_told_its_pin(api: Api) -> None:
    await put_in(api, PIN)
    viewer = await api.as_role("viewer")
    body = {"device_id": await api.device_id()}
    (shown,) = (await api.ok(f"{PATH}/list", body, token=viewer))["access_codes"]
    assert shown["code"] is None
