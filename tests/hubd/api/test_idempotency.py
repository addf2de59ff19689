import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hubd.api.idempotency import LIFE, MAX_KEY, key_of
from hubd.core.message import Request
from tests.hubd.api.caller import Answer
from tests.hubd.api.harness import Api, ShiftedClock, instance, running_api
from tests.support.site import eventually

UNLOCK = "/locks/unlock_door"


async def unlock(api: Api, key: str, name: str = "Room 101", **options: Any) -> Answer:
    body = {"device_id": await api.device_id(name)}
    return await api.call(UNLOCK, body, headers={"idempotency-key": key}, **options)


def orders(api: Api) -> int:
    return sum(device.orders for device in api.driver().devices.values())


async def test_a_repeat_is_the_same_command(api: Api) -> None:
    first = await unlock(api, "k-1")
    again = await unlock(api, "k-1")
    assert (first.status, first.body) == (200, again.body)
    assert first.headers["seam-request-id"] != again.headers["seam-request-id"]
    assert orders(api) == 1
    other = await unlock(api, "k-2")
    assert other.body["action_attempt"]["action_attempt_id"] != first.body["action_attempt"]["action_attempt_id"]
    assert orders(api) == 2


async def test_repeats_at_once_are_one_command(tmp_path: Path) -> None:
    async with running_api(tmp_path / "data", instance(latency_ms=50)) as api:
        await api.device_id()
        answers = await asyncio.gather(*(unlock(api, "k-1") for _ in range(8)))
        assert {answer.raw for answer in answers} == {answers[0].raw}
        assert answers[0].body["action_attempt"]["status"] == "success"
        assert orders(api) == 1
        assert api.router._idempotency._turns == {}  # noqa: SLF001 - no key may be left behind


async def test_a_repeat_tells_how_a_pending_command_went_on(tmp_path: Path) -> None:
    async with running_api(tmp_path / "data", instance(latency_ms=200), hold_seconds=0.01) as api:
        first = (await unlock(api, "k-1")).body["action_attempt"]
        assert first["status"] == "pending"
        await eventually(lambda: not api.hub.journal.tables.open_commands)
        again = (await unlock(api, "k-1")).body["action_attempt"]
        assert (again["status"], again["action_attempt_id"]) == ("success", first["action_attempt_id"])
        assert orders(api) == 1


async def test_across_a_restart(tmp_path: Path) -> None:
    created = "/hub/keys/create"
    body = {"name": "app", "role": "viewer"}
    async with running_api(tmp_path / "data") as api:
        token = api.token
        first = await unlock(api, "k-1")
        made = await api.call(created, body, headers={"idempotency-key": "k-2"})
    async with running_api(tmp_path / "data") as api:
        assert (await unlock(api, "k-1", token=token)).body == first.body
        assert (await api.call(created, body, headers={"idempotency-key": "k-2"}, token=token)).body == made.body
        assert orders(api) == 0
        assert [key.name for key in api.keys.list()].count("app") == 1


async def test_a_command_that_a_crash_cut_short_is_not_sent_again(tmp_path: Path) -> None:
    async with running_api(tmp_path / "data", instance(latency_ms=60_000), hold_seconds=0.01) as api:
        token = api.token
        first = (await unlock(api, "k-1")).body["action_attempt"]
        assert first["status"] == "pending"
    async with running_api(tmp_path / "data") as api:
        again = (await unlock(api, "k-1", token=token)).body["action_attempt"]
        assert again["action_attempt_id"] == first["action_attempt_id"]
        assert (again["status"], again["error"]["type"]) == ("error", "hub_restarted")
        assert orders(api) == 0


async def test_the_key_is_the_callers_own(api: Api) -> None:
    operator = await api.as_role("operator")
    first, other = await unlock(api, "k-1"), await unlock(api, "k-1", token=operator)
    assert first.body != other.body
    assert orders(api) == 2


async def test_another_request_is_refused(api: Api) -> None:
    await unlock(api, "k-1")
    device = {"device_id": await api.device_id()}
    others: list[tuple[str, dict[str, Any]]] = [
        (UNLOCK, {"body": {**device, "sync": True}}),
        (UNLOCK, {"query": device}),
        (UNLOCK, {"body": {"device_id": await api.device_id("Room 102")}}),
        ("/locks/lock_door", {"body": device}),
    ]
    for path, options in others:
        error = await api.refused(path, headers={"idempotency-key": "k-1"}, **options)
        assert (error["status"], error["type"]) == (400, "idempotency_key_reused")
    assert orders(api) == 1


async def test_after_a_day_the_key_is_free(tmp_path: Path) -> None:
    clock = ShiftedClock()
    async with running_api(tmp_path / "data", clock=clock) as api:
        first = await unlock(api, "k-1")
        hook = {"url": "http://127.0.0.1:9/hook"}
        made = await api.call("/webhooks/create", hook, headers={"idempotency-key": "k-2"})
        clock.ahead = LIFE - timedelta(minutes=1)
        assert (await unlock(api, "k-1")).body == first.body
        assert (await api.call("/webhooks/create", hook, headers={"idempotency-key": "k-2"})).body == made.body
        clock.ahead = LIFE + timedelta(minutes=1)
        assert (await unlock(api, "k-1")).body != first.body
        anew = await api.call("/webhooks/create", hook, headers={"idempotency-key": "k-2"})
        assert anew.body != made.body
        assert (await api.call("/webhooks/create", hook, headers={"idempotency-key": "k-2"})).body == anew.body
        assert (orders(api), len((await api.ok("/webhooks/list"))["webhooks"])) == (2, 2)


async def test_other_posts_are_repeatable_too(api: Api) -> None:
    made = []
    for _ in range(2):
        body = {"name": "app", "role": "viewer"}
        made.append(await api.ok("/hub/keys/create", body, headers={"idempotency-key": "k-1"}))
    assert made[0] == made[1]
    assert [key.name for key in api.keys.list()].count("app") == 1
    edit = {"device_id": await api.device_id(), "name": "Anna"}
    for _ in range(2):
        await api.ok("/devices/update", edit, headers={"idempotency-key": "k-2"})
    removal = {"device_id": await api.device_id("Room 102")}
    for _ in range(2):
        await api.ok("/devices/simulate/remove", removal, headers={"idempotency-key": "k-3"})


async def test_what_was_refused_may_be_tried_again(api: Api) -> None:
    device_id = await api.device_id()
    await api.ok("/devices/update", {"device_id": device_id, "is_managed": False})
    body, headers = {"device_id": device_id}, {"idempotency-key": "k-1"}
    assert (await api.refused(UNLOCK, body, headers=headers))["type"] == "device_unmanaged"
    await api.ok("/devices/update", {"device_id": device_id, "is_managed": True})
    assert (await api.ok(UNLOCK, body, headers=headers))["action_attempt"]["status"] == "success"


async def test_what_only_reads_is_not_remembered(api: Api) -> None:
    for path in ("/devices/list", "/health"):
        await api.ok(path, headers={"idempotency-key": "k-1"}, token=api.token if path != "/health" else "")
    await api.ok("/devices/list", {"limit": 1}, headers={"idempotency-key": "k-1"})
    assert await api.hub.journal.database.read("SELECT * FROM idempotency") == []


async def test_what_is_kept_is_sealed(api: Api) -> None:
    token = (await api.ok("/hub/keys/create", {"name": "a", "role": "viewer"}, headers={"idempotency-key": "k"}))[
        "token"
    ]
    ((digest, body),) = await api.hub.journal.database.read("SELECT request_hash, body FROM idempotency")
    assert token.encode() not in body
    assert len(digest) > 32


async def test_put_and_delete_change_nothing_when_repeated(api: Api) -> None:
    webhook_id = (await api.ok("/webhooks/create", {"url": "http://127.0.0.1:9/"}))["webhook"]["webhook_id"]
    for _ in range(2):
        await api.ok("/webhooks/update", {"webhook_id": webhook_id, "event_types": ["a"]}, method="PUT")
    await api.ok("/webhooks/delete", method="DELETE", query={"webhook_id": webhook_id})
    assert (await api.refused("/webhooks/delete", method="DELETE", query={"webhook_id": webhook_id}))["status"] == 404
    assert (await api.ok("/webhooks/list"))["webhooks"] == []


async def test_what_is_no_key(api: Api) -> None:
    body = {"device_id": await api.device_id()}
    for key in ("", "x" * (MAX_KEY + 1), "a\x00", "a\udcff", "\x7f"):
        error = await api.refused(UNLOCK, body, headers={"idempotency-key": key})
        assert (error["status"], error["type"]) == (400, "invalid_input")
        assert error["message"].startswith("Idempotency-Key: ")
    assert orders(api) == 0


@pytest.mark.parametrize(("method", "expected"), [("POST", "k-1"), ("PUT", None), ("GET", None), ("DELETE", None)])
def test_only_a_post_has_a_key(method: str, expected: str | None) -> None:
    assert key_of(Request(method=method, path="/x", headers={"idempotency-key": "k-1"})) == expected
    assert key_of(Request(method=method, path="/x")) is None
