import json
from pathlib import Path
from time import perf_counter
from typing import Any

from tests.hubd.api.codes import OTHER, PIN, from_now, get, make, on_lock
from tests.hubd.api.harness import Api, instance, running_api
from tests.support.site import eventually

CREATE, UPDATE = "/access_codes/create_multiple", "/access_codes/update_multiple"


async def locks(api: Api) -> list[str]:
    return [lock["device_id"] for lock in (await api.ok("/locks/list"))["locks"]]


async def create(api: Api, **members: Any) -> list[dict[str, Any]]:
    body = {"device_ids": await locks(api), **members}
    codes: list[dict[str, Any]] = (await api.ok(CREATE, body, method="PUT"))["access_codes"]
    return codes


async def test_one_pin_on_every_lock(api: Api) -> None:
    codes = await create(api, name="Anna")
    assert [code["device_id"] for code in codes] == await locks(api)
    (pin,) = {code["code"] for code in codes}
    assert len({code["common_code_key"] for code in codes}) == 1
    await eventually(lambda: all(on_lock(api, f"lock-{n}") == {pin} for n in (1, 2, 3)))


async def test_the_same_call_again_changes_nothing(api: Api) -> None:
    frame = {"starts_at": from_now(api, days=1), "ends_at": from_now(api, days=2)}
    head: set[str] = set()
    for members in ({}, {"name": "Anna"}, {"name": "Ben", "code": PIN}, {"name": "Cleo", **frame}):
        first = await create(api, **members)
        head = {*api.hub.journal.tables.codes}
        again = await create(api, **members)
        assert [code["access_code_id"] for code in again] == [code["access_code_id"] for code in first]
        assert [code["code"] for code in again] == [code["code"] for code in first]
        assert api.hub.journal.tables.codes.keys() == head
    other = await create(api, name="Anna", **frame)
    assert not {code["access_code_id"] for code in other} & head
    part = (await api.ok(CREATE, {"device_ids": (await locks(api))[:2], "name": "Anna"}))["access_codes"]
    assert not {code["access_code_id"] for code in part} & head


async def test_after_one_is_deleted_it_is_another_call(api: Api) -> None:
    first = await create(api, name="Anna")
    await api.ok("/access_codes/delete", {"access_code_id": first[0]["access_code_id"], "sync": True})
    again = await create(api, name="Anna")
    assert not {code["access_code_id"] for code in again} & {code["access_code_id"] for code in first}


async def test_all_or_nothing(api: Api) -> None:
    taken = await make(api, lock="Room 103", code=PIN)
    body = {"device_ids": await locks(api), "code": PIN}
    error = await api.refused(CREATE, body)
    assert (error["status"], error["type"]) == (409, "duplicate_access_code")
    assert error["data"]["device_id"] == taken["device_id"]
    assert len(api.hub.journal.tables.codes) == 1
    thermostat = await api.device_id("Climate 101")
    error = await api.refused(CREATE, {"device_ids": [*body["device_ids"], thermostat]})
    assert error["type"] == "not_supported"
    sentence = await api.wrong("code", CREATE, body | {"code": "123456789"})
    assert "Room 101" in sentence
    await api.wrong("device_ids", CREATE, {"device_ids": []})
    assert len(api.hub.journal.tables.codes) == 1


async def test_a_lock_that_cannot_share_may_have_its_own(api: Api) -> None:
    await make(api, lock="Room 103", code=PIN)
    codes = await create(api, code=PIN, name="Anna", behavior_when_code_cannot_be_shared="create_random_code")
    assert [code["code"] == PIN for code in codes] == [True, True, False]
    again = await create(api, code=PIN, name="Anna", behavior_when_code_cannot_be_shared="create_random_code")
    assert [code["access_code_id"] for code in again] == [code["access_code_id"] for code in codes]


async def test_locks_without_a_common_length(api: Api) -> None:
    ids = await locks(api)
    for device_id, length in zip(ids, (4, 6, 8), strict=True):
        report = {"device_id": device_id, "supported_code_lengths": [length]}
        await api.ok("/access_codes/report_device_constraints", report)
    error = await api.refused(CREATE, {"device_ids": ids})
    assert (error["status"], error["type"]) == (400, "code_cannot_be_shared")
    codes = await create(api, behavior_when_code_cannot_be_shared="create_random_code")
    assert [len(code["code"]) for code in codes] == [4, 6, 8]


async def test_a_pin_that_no_lock_has_already(api: Api) -> None:
    """With one length and all but a few PINs gone, what is chosen must be free on every lock."""
    ids = await locks(api)
    for device_id in ids:
        await api.ok("/access_codes/report_device_constraints", {"device_id": device_id, "supported_code_lengths": [4]})
    pins = [(await make(api, lock=f"Room {room}"))["code"] for room in (101, 102, 103) for _ in range(5)]
    codes = await create(api)
    assert codes[0]["code"] not in pins


async def test_changing_all_of_them(api: Api) -> None:
    codes = await create(api, name="Anna", code=PIN)
    body = {"common_code_key": codes[0]["common_code_key"], "name": "Anna B."}
    frame = {"starts_at": from_now(api, hours=-1), "ends_at": from_now(api, days=2)}
    await api.ok(UPDATE, body | frame, method="PATCH")
    for code in codes:
        shown = await get(api, code)
        assert (shown["name"], shown["type"], shown["code"]) == ("Anna B.", "time_bound", PIN)
    await api.wrong("ends_at", UPDATE, body | {"ends_at": from_now(api, days=-2)})
    error = await api.refused(UPDATE, {"common_code_key": "nobody"})
    assert (error["status"], error["type"]) == (404, "access_code_not_found")


async def test_an_idempotency_key_answers_with_the_first_answer(api: Api) -> None:
    headers = {"idempotency-key": "k-1"}
    body = {"device_ids": await locks(api), "name": "Anna"}
    first = await api.ok(CREATE, body, headers=headers)
    change = {"common_code_key": first["access_codes"][0]["common_code_key"], "name": "Ben"}
    assert await api.ok(UPDATE, change, headers={"idempotency-key": "k-2"}) == {"ok": True}
    assert await api.ok(UPDATE, change, headers={"idempotency-key": "k-2"}) == {"ok": True}
    assert await api.ok(CREATE, body, headers=headers) == first
    error = await api.refused(CREATE, body | {"code": OTHER}, headers=headers)
    assert error["type"] == "idempotency_key_reused"


async def test_two_hundred_locks_are_answered_at_once(tmp_path: Path) -> None:
    """Measured without the judge of answers, who needs longer than the hub: a second is the promise."""
    async with running_api(tmp_path / "data", instance(locks=200, latency_ms=50)) as api:
        body = json.dumps({"device_ids": await locks(api), "name": "Fair"}).encode()
        headers = {"authorization": f"Bearer {api.token}"}
        for _ in range(2):
            started = perf_counter()
            answer = await api.send("PUT", CREATE, [], headers, body)
            assert perf_counter() - started < 1
            codes = json.loads(answer.raw)["access_codes"]
            assert (len(codes), len({code["code"] for code in codes})) == (200, 1)
        assert len(api.hub.journal.tables.codes) == 200
