from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hubd.store.codes import CodeRecord
from tests.hubd.api.codes import OTHER, PIN, event_types, from_now, get, make, moment, on_lock, put_in
from tests.hubd.api.harness import Api, instance, running_api
from tests.support.site import eventually


async def test_a_code_is_made_and_set(api: Api) -> None:
    code = await make(api, name="Anna", code=PIN)
    assert (code["name"], code["code"], code["type"], code["status"]) == ("Anna", PIN, "ongoing", "set")
    assert (code["pending_mutations"], code["errors"], code["warnings"]) == ([], [], [])
    assert on_lock(api) == {PIN}
    assert await get(api, code) == code
    by_pin = await api.ok("/access_codes/get", {"device_id": code["device_id"], "code": PIN})
    assert by_pin["access_code"] == code
    assert await event_types(api, code) == ["access_code.created", "access_code.set_on_device"]


async def test_without_sync_it_answers_at_once(tmp_path: Path) -> None:
    async with running_api(tmp_path / "data", instance(latency_ms=300)) as api:
        code = await make(api, sync=False, code=PIN)
        assert code["status"] == "setting"
        (mutation,) = code["pending_mutations"]
        assert mutation["mutation_code"] == "creating"
        assert "Expected in about" in mutation["message"]
        await api.hub.codes.settle(code["access_code_id"], 5)
        assert (await get(api, code))["status"] == "set"


async def test_the_hub_chooses_a_pin(api: Api) -> None:
    code = await make(api, preferred_code_length=5)
    assert len(code["code"]) == 5
    assert on_lock(api) == {code["code"]}


async def test_a_later_code_waits_for_its_start(api: Api) -> None:
    starts_at = from_now(api, days=4)
    code = await make(api, starts_at=starts_at, ends_at=from_now(api, days=5))
    assert (code["status"], code["type"]) == ("unset", "time_bound")
    (mutation,) = code["pending_mutations"]
    assert mutation["mutation_code"] == "deferring_creation"
    assert moment(mutation["scheduled_at"]) == moment(code["starts_at"]) == moment(starts_at)
    assert on_lock(api) == set()


def is_set(code: CodeRecord) -> bool:
    return code.placement is not None and code.placement.state == "set"


async def test_a_lock_that_keeps_to_times_gets_it_early(tmp_path: Path) -> None:
    async with running_api(tmp_path / "data", instance(schedules=True)) as api:
        near = await make(api, starts_at=from_now(api, days=2), ends_at=from_now(api, days=3), sync=False)
        await eventually(lambda: on_lock(api) == {near["code"]})
        known = api.hub.journal.tables.codes
        await eventually(lambda: is_set(known[near["access_code_id"]]))  # the hub has it from the lock a moment later
        shown = await get(api, near)
        assert (shown["status"], shown["is_scheduled_on_device"]) == ("unset", True)
        far = await make(api, starts_at=from_now(api, days=9), ends_at=from_now(api, days=10))
        early = moment(far["starts_at"]) - moment(far["pending_mutations"][0]["scheduled_at"])
        assert early == timedelta(hours=72)
        plain: dict[str, Any] = {"starts_at": from_now(api, days=2), "ends_at": from_now(api, days=3)}
        late = await make(api, prefer_native_scheduling=False, **plain)
        assert late["pending_mutations"][0]["scheduled_at"] == late["starts_at"]


@pytest.mark.parametrize("offset", ["Z", "+00:00", "+02:00", "-0930"])
async def test_times_have_an_offset_and_come_back_in_utc(api: Api, offset: str) -> None:
    starts_at = f"2031-05-04T10:00:00{offset}"
    code = await make(api, starts_at=starts_at, ends_at=f"2031-05-05T10:00:00{offset}")
    assert code["starts_at"].endswith("Z")
    assert moment(code["starts_at"]) == datetime.fromisoformat(starts_at).astimezone(UTC)


FRAME = {"starts_at": "2031-05-04T10:00:00Z", "ends_at": "2031-05-05T10:00:00Z"}
WRONG: list[tuple[str, dict[str, Any]]] = [
    ("starts_at", FRAME | {"starts_at": "2031-05-04T10:00:00"}),
    ("ends_at", FRAME | {"ends_at": "tomorrow"}),
    ("ends_at", FRAME | {"ends_at": "9999-12-31T23:59:59-12:00"}),
    ("ends_at", {"starts_at": FRAME["starts_at"]}),
    ("starts_at", {"ends_at": FRAME["ends_at"]}),
    ("ends_at", {"starts_at": FRAME["ends_at"], "ends_at": FRAME["starts_at"]}),
    ("ends_at", {"starts_at": "2020-01-01T00:00:00Z", "ends_at": "2020-01-02T00:00:00Z"}),
    ("code", {"code": "12a4"}),
    ("code", {"code": "123"}),
    ("code", {"code": "1234567890123"}),
    ("code", {"code": "123456789"}),
    ("name", {"name": "two\nlines"}),
    ("name", {"name": "x" * 256}),
    ("max_time_rounding", {"max_time_rounding": "2h"}),
    ("allow_external_modification", {"allow_external_modification": True, "is_external_modification_allowed": False}),
    ("color", {"color": "red"}),
]


@pytest.mark.parametrize(("field", "members"), WRONG)
async def test_what_is_wrong_is_named(api: Api, field: str, members: dict[str, Any]) -> None:
    body = {"device_id": await api.device_id(), **members}
    sentence = await api.wrong(field, "/access_codes/create", body)
    assert str(members.get("code", "no PIN")) not in sentence
    assert api.hub.journal.tables.codes == {}


async def test_what_this_hub_or_lock_cannot_do_is_refused(api: Api) -> None:
    device_id = await api.device_id()
    for flag in ("is_offline_access_code", "use_offline_access_code"):
        error = await api.refused("/access_codes/create", {"device_id": device_id, flag: True})
        assert (error["status"], error["type"]) == (400, "not_supported")
        assert error["data"]["flag"] == "can_program_offline_access_codes"
    error = await api.refused("/access_codes/create", {"device_id": device_id, "is_one_time_use": True})
    assert (error["status"], error["type"]) == (400, "one_time_code_not_supported")
    body = {"device_id": await api.device_id("Climate 101")}
    error = await api.refused("/access_codes/create", body)
    assert error["data"]["flag"] == "can_program_online_access_codes"
    await api.ok("/access_codes/create", {"device_id": device_id, "max_time_rounding": "1d", "is_one_time_use": False})


async def test_a_device_that_is_not_there_or_not_managed(api: Api) -> None:
    nobody = "00000000-0000-4000-8000-000000000000"
    assert (await api.refused("/access_codes/create", {"device_id": nobody}))["type"] == "device_not_found"
    device_id = await api.device_id()
    await api.ok("/devices/update", {"device_id": device_id, "is_managed": False})
    assert (await api.refused("/access_codes/create", {"device_id": device_id}))["type"] == "device_unmanaged"


async def test_an_offline_device_is_waited_for_unless_told_otherwise(api: Api) -> None:
    device_id = await api.device_id()
    await api.ok("/devices/simulate/disconnect", {"device_id": device_id})
    error = await api.refused("/access_codes/create", {"device_id": device_id, "attempt_for_offline_device": False})
    assert (error["status"], error["type"], error["data"]) == (400, "device_offline", {"device_id": device_id})
    assert api.hub.journal.tables.codes == {}
    code = (await api.ok("/access_codes/create", {"device_id": device_id, "code": PIN}))["access_code"]
    assert [problem["error_code"] for problem in code["errors"]] == ["device_disconnected"]
    change = {"access_code_id": code["access_code_id"], "name": "Anna", "attempt_for_offline_device": False}
    assert (await api.refused("/access_codes/update", change))["type"] == "device_offline"
    await api.ok("/devices/simulate/connect", {"device_id": device_id})
    await eventually(lambda: on_lock(api) == {PIN})


async def test_a_duplicate_is_a_conflict_that_names_the_other_code(api: Api) -> None:
    code = await make(api, code=PIN)
    error = await api.refused("/access_codes/create", {"device_id": code["device_id"], "code": PIN})
    assert (error["status"], error["type"]) == (409, "duplicate_access_code")
    assert error["data"]["managed_access_code_id"] == code["access_code_id"]
    found = await put_in(api, "5829")
    error = await api.refused("/access_codes/create", {"device_id": code["device_id"], "code": "5829"})
    assert error["data"]["unmanaged_access_code_id"] == found["access_code_id"]
    assert PIN not in str(error)


async def test_a_full_lock_says_what_occupies_it(tmp_path: Path) -> None:
    async with running_api(tmp_path / "data", instance(code_slots=2)) as api:
        codes = [await make(api, name=name) for name in ("Anna", "Ben")]
        error = await api.refused("/access_codes/create", {"device_id": codes[0]["device_id"]})
        assert (error["status"], error["type"]) == (409, "no_space_for_access_code_on_device")
        assert "Anna" in error["message"]
        assert error["data"]["access_code_ids_on_device"] == [code["access_code_id"] for code in codes]


async def test_an_update_keeps_the_id_and_the_slot(api: Api) -> None:
    code = await make(api, code=PIN, name="Anna")
    slot = api.hub.codes.get(code["access_code_id"]).placement
    change = {"access_code_id": code["access_code_id"], "name": "Anna B.", "code": OTHER, "sync": True}
    for verb in ("PATCH", "PUT", "POST"):
        attempt = (await api.ok("/access_codes/update", change, method=verb))["action_attempt"]
        assert (attempt["action_type"], attempt["status"]) == ("UPDATE_ACCESS_CODE", "success")
    shown = await get(api, code)
    assert (shown["name"], shown["code"], shown["status"]) == ("Anna B.", OTHER, "set")
    assert on_lock(api) == {OTHER}
    now = api.hub.codes.get(code["access_code_id"]).placement
    assert slot is not None
    assert now is not None
    assert now.slot == slot.slot


async def test_earlier_later_and_for_ever(api: Api) -> None:
    code = await make(api, code=PIN, starts_at=from_now(api, days=1), ends_at=from_now(api, days=2))
    change = {"access_code_id": code["access_code_id"], "sync": True}
    await api.ok("/access_codes/update", change | {"starts_at": from_now(api, hours=-1)})
    assert on_lock(api) == {PIN}
    await api.ok("/access_codes/update", change | {"starts_at": from_now(api, hours=5)})
    shown = await get(api, code)
    assert (shown["status"], shown["pending_mutations"][0]["mutation_code"]) == ("unset", "deferring_creation")
    assert on_lock(api) == set()
    await api.ok("/access_codes/update", change | {"type": "ongoing"})
    shown = await get(api, code)
    assert (shown["type"], shown["starts_at"], shown["ends_at"], shown["status"]) == ("ongoing", None, None, "set")
    assert on_lock(api) == {PIN}


async def test_updates_that_cannot_be(api: Api) -> None:
    code = await make(api, code=PIN)
    body = {"access_code_id": code["access_code_id"]}
    path = "/access_codes/update"
    await api.wrong("starts_at", path, body | {"ends_at": from_now(api, days=1)})
    await api.wrong("ends_at", path, body | {"type": "ongoing", "ends_at": from_now(api, days=1)})
    await api.wrong("type", path, body | {"type": "time_bound", "starts_at": None, "ends_at": None})
    await api.wrong("is_one_time_use", path, body | {"is_one_time_use": True})
    await api.wrong("is_managed", path, body | {"is_managed": False, "name": "x"})
    other = await api.device_id("Room 102")
    assert (await api.refused(path, body | {"device_id": other}))["type"] == "access_code_not_found"
    assert await get(api, code) == code


async def test_a_code_can_be_left_alone(api: Api) -> None:
    code = await make(api, code=PIN)
    body = {"access_code_id": code["access_code_id"], "is_managed": False}
    attempt = (await api.ok("/access_codes/update", body))["action_attempt"]
    assert (attempt["status"], attempt["result"]["access_code"]["is_managed"]) == ("success", False)
    assert (await api.refused("/access_codes/get", {"access_code_id": code["access_code_id"]}))["status"] == 404
    assert on_lock(api) == {PIN}


async def test_deleting(api: Api) -> None:
    code = await make(api, code=PIN)
    query = {"access_code_id": code["access_code_id"], "sync": "true"}
    attempt = (await api.ok("/access_codes/delete", method="DELETE", query=query))["action_attempt"]
    assert (attempt["action_type"], attempt["status"]) == ("DELETE_ACCESS_CODE", "success")
    assert on_lock(api) == set()
    error = await api.refused("/access_codes/delete", method="DELETE", query=query)
    assert (error["status"], error["type"]) == (404, "access_code_not_found")
    assert (await event_types(api, code))[-3:] == [
        "access_code.mutations_requested",
        "access_code.removed_from_device",
        "access_code.deleted",
    ]


async def test_a_code_that_goes_slowly_is_shown_until_it_is_gone(tmp_path: Path) -> None:
    async with running_api(tmp_path / "data", instance(latency_ms=200)) as api:
        code = await make(api, code=PIN)
        body = {"access_code_id": code["access_code_id"]}
        first = (await api.ok("/access_codes/delete", body))["action_attempt"]
        assert first["status"] == "pending"
        again = (await api.ok("/access_codes/delete", body))["action_attempt"]
        assert again["status"] == "pending"
        shown = await get(api, code)
        assert shown["status"] == "removing"
        assert [mutation["mutation_code"] for mutation in shown["pending_mutations"]] == ["deleting"]
        assert [warning["warning_code"] for warning in shown["warnings"]] == ["being_deleted"]
        error = await api.refused("/access_codes/update", body | {"name": "x"})
        assert error["type"] == "access_code_being_deleted"
        await eventually(lambda: code["access_code_id"] not in api.hub.journal.tables.codes)
        for attempt in (first, again):
            found = await api.ok("/action_attempts/get", {"action_attempt_id": attempt["action_attempt_id"]})
            assert found["action_attempt"]["status"] == "success"


async def test_lists(api: Api) -> None:
    codes = [
        await make(api, name="Anna", code="428613"),
        await make(api, name="Ben", code="771328", lock="Room 102"),
        await make(api, name="Annabel", code="904428", lock="Room 102"),
    ]
    ids = [code["access_code_id"] for code in codes]

    async def listed(**filters: Any) -> list[str]:
        found = (await api.ok("/access_codes/list", filters))["access_codes"]
        return [code["access_code_id"] for code in found]

    assert await listed() == ids
    assert await listed(device_id=codes[1]["device_id"]) == ids[1:]
    assert await listed(access_code_ids=[ids[2], ids[0].upper()]) == [ids[0], ids[2]]
    assert await listed(access_code_ids=[]) == []
    assert await listed(search="anna") == [ids[0], ids[2]]
    assert await listed(search="428") == [ids[0], ids[2]]
    assert await listed(search=ids[1][:12]) == [ids[1]]
    for elsewhere in ("customer_key", "user_identifier_key", "access_grant_key"):
        assert await listed(**{elsewhere: "x"}) == []
    first = await api.ok("/access_codes/list", {"limit": 2})
    rest = await api.ok("/access_codes/list", {"limit": 2, "page_cursor": first["pagination"]["next_page_cursor"]})
    shown = [*first["access_codes"], *rest["access_codes"]]
    assert [code["access_code_id"] for code in shown] == ids
    assert rest["pagination"]["has_next_page"] is False


async def test_generating_keeps_nothing(api: Api) -> None:
    device_id = await api.device_id()
    found = (await api.ok("/access_codes/generate_code", method="GET", query={"device_id": device_id}))[
        "generated_code"
    ]
    assert (found["device_id"], found["status"], len(found["code"])) == (device_id, "unset", 6)
    assert api.hub.journal.tables.codes == {}
    await api.ok("/access_codes/create", {"device_id": device_id, "code": found["code"], "sync": True})
    body = {"device_id": await api.device_id("Climate 101")}
    assert (await api.refused("/access_codes/generate_code", body))["type"] == "not_supported"


async def test_a_backup_is_there_and_pulled_once(api: Api) -> None:
    frame: dict[str, Any] = {"starts_at": from_now(api, hours=-1), "ends_at": from_now(api, days=2)}
    code = await make(api, name="Anna", use_backup_access_code_pool=True, **frame)
    await eventually(lambda: len(on_lock(api)) == 3)
    assert (await get(api, code))["is_backup_access_code_available"] is True
    body = {"access_code_id": code["access_code_id"]}
    answer = await api.ok("/access_codes/pull_backup_access_code", body)
    backup = answer["backup_access_code"]
    assert answer["access_code"] == backup
    assert (backup["is_backup"], backup["ends_at"], backup["status"]) == (True, code["ends_at"], "set")
    again = (await api.ok("/access_codes/pull_backup_access_code", body))["backup_access_code"]
    assert (again["access_code_id"], again["code"]) == (backup["access_code_id"], backup["code"])
    shown = await get(api, code)
    assert shown["pulled_backup_access_code_id"] == backup["access_code_id"]
    assert [warning["warning_code"] for warning in shown["warnings"]] == ["using_backup_access_code"]
    await eventually(lambda: len(on_lock(api)) == 4)


async def test_backups_that_there_are_not(api: Api) -> None:
    path = "/access_codes/pull_backup_access_code"
    ongoing = await make(api)
    error = await api.refused(path, {"access_code_id": ongoing["access_code_id"]})
    assert error["type"] == "backup_for_ongoing_code"
    bound = await make(api, starts_at=from_now(api, hours=-1), ends_at=from_now(api, days=2))
    error = await api.refused(path, {"access_code_id": bound["access_code_id"]})
    assert error["type"] == "no_backup_access_code_available"


async def test_reported_constraints_hold_from_then_on(api: Api) -> None:
    device_id = await api.device_id()
    path = "/access_codes/report_device_constraints"
    await api.ok(path, {"device_id": device_id, "min_code_length": 7})
    assert (await api.device())["properties"]["supported_code_lengths"] == [7, 8]
    await api.wrong("code", "/access_codes/create", {"device_id": device_id, "code": PIN})
    assert len((await make(api))["code"]) == 7
    await api.ok(path, {"device_id": device_id, "supported_code_lengths": [8, 4, 4]})
    assert (await api.device())["properties"]["supported_code_lengths"] == [4, 8]
    await api.wrong("supported_code_lengths", path, {"device_id": device_id})
    await api.wrong("supported_code_lengths", path, {"device_id": device_id, "supported_code_lengths": [12]})
    both = {"device_id": device_id, "supported_code_lengths": [4], "min_code_length": 4}
    await api.wrong("supported_code_lengths", path, both)
    await api.wrong("min_code_length", path, {"device_id": device_id, "min_code_length": 6, "max_code_length": 5})
    assert (await api.device())["properties"]["supported_code_lengths"] == [4, 8]


async def test_a_viewer_sees_codes_without_their_pins(api: Api) -> None:
    code = await make(api, name="Anna", code=PIN)
    viewer = await api.as_role("viewer")
    shown = (await api.ok("/access_codes/get", {"access_code_id": code["access_code_id"]}, token=viewer))["access_code"]
    assert shown == code | {"code": None}
    query = {"device_id": code["device_id"], "code": PIN}
    assert (await api.refused("/access_codes/get", query, token=viewer))["type"] == "forbidden"
    assert (await api.ok("/access_codes/list", {"search": PIN}, token=viewer))["access_codes"] == []
    attempts = await api.ok("/action_attempts/list", token=viewer)
    assert PIN not in str(attempts)
    for path in ("create", "generate_code"):
        error = await api.refused(f"/access_codes/{path}", {"device_id": code["device_id"]}, token=viewer)
        assert error["type"] == "forbidden"
