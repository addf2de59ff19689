import asyncio
import json
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from hubd.core.message import Request
from hubd.driver import registry
from hubd.driver.fields import fields
from hubd.model.event import Role
from tests.hubd.api.harness import Api, instance, running_api
from tests.support.site import eventually

INCLUDE = {"instance": "site", "action": "include"}


async def start(api: Api, body: dict[str, Any], **options: Any) -> dict[str, Any]:
    """Start an action; return its run."""
    return dict((await api.ok("/hub/actions/start", body, **options))["run"])


async def follow(api: Api, run: dict[str, Any], *states: str) -> dict[str, Any]:
    """Follow a run by long polls until it is in one of these states."""
    while run["state"] not in states:
        body = {"run_id": run["run_id"], "after_version": run["version"]}
        run = (await api.ok("/hub/actions/get", body))["run"]
    return run


async def done(api: Api, body: dict[str, Any]) -> dict[str, Any]:
    return await follow(api, await start(api, body), "done", "failed", "cancelled")


async def test_the_catalogue(api: Api) -> None:
    actions = (await api.ok("/hub/actions/list", method="GET"))["actions"]
    assert [action["name"] for action in actions] == ["include", "exclude", "ping", "backup"]
    include, exclude, ping, backup = actions
    assert include["instance"] == "site"
    seconds, security = include["arguments"]
    assert (seconds["type"], seconds["minimum"], seconds["maximum"], seconds["default"]) == ("integer", 5, 240, 60)
    assert (security["type"], security["choices"], security["required"]) == ("choice", ["none", "pin"], False)
    assert (exclude["on_device"], bool(exclude["warning"])) == (True, True)
    assert (ping["role"], ping["exclusive"]) == ("viewer", False)
    assert (backup["role"], backup["arguments"]) == ("owner", [])
    of_device = await api.ok("/hub/actions/list", {"device_id": await api.device_id()})
    assert [action["name"] for action in of_device["actions"]] == ["exclude", "ping"]
    assert (await api.ok("/hub/actions/list", {"instance": "site"}))["actions"] == actions
    assert (await api.refused("/hub/actions/list", {"instance": "x"}))["type"] == "driver_not_configured"


@pytest.mark.parametrize("name", registry.types())
def test_the_actions_of_every_installed_driver_can_be_shown(name: str) -> None:
    actions = registry.load(name).actions
    assert len({action.name for action in actions}) == len(actions)
    for action in actions:
        assert action.name.isidentifier()
        assert action.description.endswith(".")
        assert action.warning.endswith(".") or not action.warning
        assert action.seconds > 0
        fields(action.arguments)


async def test_a_lock_is_added_with_its_pin(api: Api) -> None:
    run = await start(api, INCLUDE | {"arguments": {"seconds": 30}})
    assert (run["instance"], run["action"], run["title"], run["device_id"]) == ("site", "include", "Add a lock", None)
    run = await follow(api, run, "asking")
    assert run["question"]["hint"] == "5 digits"
    for wrong in ("83649275", "8364", "x" * 5):
        body = {"run_id": run["run_id"], "answer": wrong}
        assert await api.wrong("answer", "/hub/actions/answer", body) == "answer: must be 5 digits"
    body = {"run_id": run["run_id"], "answer": "83649"}
    for _ in range(2):
        await api.ok("/hub/actions/answer", body, headers={"idempotency-key": "k-1"})
    assert (await api.refused("/hub/actions/answer", body))["type"] == "nothing_asked"
    run = await follow(api, run, "done")
    assert run["result"] == {
        "message": "Room 104 was added.",
        "facts": {"native_id": "lock-4", "name": "Room 104", "security": "pin"},
        "table": [],
        "has_file": False,
        "file_name": None,
        "has_faults": False,
    }
    said = [message["text"] for message in run["messages"]]
    assert said == ["Press the button on the new lock.", "A lock asks to join.", "The lock is being read."]
    assert (run["until"], run["failure"], run["ended_at"] is None) == (None, None, False)
    assert (await api.device("Room 104"))["properties"]["online"] is True
    rows = (await api.ok("/hub/journal", {"limit": 1000}))["rows"]
    ends = [row["body"] for row in rows if row["type"] == "action.ended"]
    assert [(end["state"], end["message"]) for end in ends] == [("done", "Room 104 was added.")]
    (kept,) = await api.hub.journal.database.read("SELECT request_hash, body FROM idempotency")
    assert all(b"83649" not in sealed for sealed in kept)


async def test_a_device_that_is_not_managed_is_cared_for_too(api: Api) -> None:
    device_id = await api.device_id()
    await api.ok("/devices/update", {"device_id": device_id, "is_managed": False})
    run = await done(api, {"action": "ping", "device_id": device_id.upper()})
    assert (run["state"], run["device_id"], run["instance"]) == ("done", device_id, "site")
    assert len(run["result"]["table"]) == 3
    assert (await api.ok("/hub/devices/get", {"device_id": device_id}))["device"]["link"]["signal_dbm"] == -62.0


async def test_a_device_is_taken_out(api: Api) -> None:
    body = {"action": "exclude", "device_id": await api.device_id()}
    assert (await done(api, body))["result"]["message"] == "Room 101 was taken out."
    assert (await api.refused("/hub/actions/start", body))["type"] == "device_not_found"


async def test_what_fails_says_what_to_do(api: Api) -> None:
    body = {"device_id": await api.device_id()}
    await api.ok("/devices/simulate/disconnect", body)
    run = await done(api, body | {"action": "ping"})
    assert (run["state"], run["result"]) == ("failed", None)
    assert run["failure"] == {
        "code": "device_unreachable",
        "message": "Room 101 does not answer.",
        "remedy": "Look at its power, and at the way to it.",
    }


async def test_one_that_is_given_up(api: Api) -> None:
    run = await follow(api, await start(api, INCLUDE), "asking")
    busy = await api.refused("/hub/actions/start", INCLUDE)
    assert (busy["status"], busy["type"], busy["data"]) == (429, "action_under_way", {"run_id": run["run_id"]})
    body = {"run_id": run["run_id"]}
    await api.ok("/hub/actions/cancel", body)
    assert (await follow(api, run, "cancelled"))["failure"] is None
    assert (await api.ok("/hub/actions/cancel", body))["run"]["state"] == "cancelled"


WRONG_STARTS: list[tuple[dict[str, Any], str]] = [
    ({"action": "include"}, "instance"),
    ({"instance": "site"}, "action"),
    (INCLUDE | {"arguments": {"seconds": 4}}, "arguments.seconds"),
    (INCLUDE | {"arguments": {"seconds": "30"}}, "arguments.seconds"),
    (INCLUDE | {"arguments": {"security": "s2"}}, "arguments.security"),
    (INCLUDE | {"arguments": {"pin": "12345"}}, "arguments.pin"),
    (INCLUDE | {"arguments": {"seconds": [30]}}, "arguments"),
    ({"instance": "site", "action": "ping"}, "device_id"),
]


async def test_wrong_starts(api: Api) -> None:
    for body, field in WRONG_STARTS:
        await api.wrong(field, "/hub/actions/start", body)
    device = {"device_id": await api.device_id()}
    await api.wrong("device_id", "/hub/actions/start", INCLUDE | device)
    await api.wrong("instance", "/hub/actions/start", {"instance": "x", "action": "ping"} | device)
    for body, code in (({"instance": "x", "action": "y"}, "driver_not_configured"), (device, "action_not_found")):
        error = await api.refused("/hub/actions/start", {"action": "fly"} | body)
        assert (error["status"], error["type"]) == (404, code)
    assert (await api.ok("/hub/actions/runs"))["runs"] == []


ROLES: list[tuple[Role, str, bool]] = [
    ("viewer", "ping", True),
    ("viewer", "include", False),
    ("operator", "include", True),
    ("operator", "backup", False),
    ("owner", "backup", True),
]


async def test_each_action_needs_its_own_role(api: Api) -> None:
    for role, action, may in ROLES:
        token = await api.as_role(role)
        body = {"action": action} | ({"device_id": await api.device_id()} if action == "ping" else {"instance": "site"})
        if may:
            run = await start(api, body, token=token)
            run = await follow(api, run, "asking", "done")
            await api.ok("/hub/actions/cancel", {"run_id": run["run_id"]}, token=token)
            await follow(api, run, "done", "cancelled")
        else:
            error = await api.refused("/hub/actions/start", body, token=token)
            assert (error["status"], error["type"]) == (403, "forbidden")


async def test_who_may_not_start_it_sees_that_it_runs_and_no_more(api: Api) -> None:
    viewer = await api.as_role("viewer")
    run = await follow(api, await start(api, INCLUDE), "asking")
    body = {"run_id": run["run_id"]}
    seen = (await api.ok("/hub/actions/get", body, token=viewer))["run"]
    assert (seen["state"], seen["question"]) == ("asking", None)
    for path, more in (("answer", {"answer": "12345"}), ("cancel", {})):
        assert (await api.refused(f"/hub/actions/{path}", body | more, token=viewer))["type"] == "forbidden"
    await api.ok("/hub/actions/answer", body | {"answer": "12345"})
    run = await follow(api, run, "done")
    (seen,) = (await api.ok("/hub/actions/runs", token=viewer))["runs"]
    assert seen["result"] == run["result"] | {"facts": {}}


async def test_runs_are_told_newest_first(api: Api) -> None:
    device_id = await api.device_id()
    first = await done(api, {"action": "ping", "device_id": device_id})
    second = await done(api, {"instance": "site", "action": "backup"})
    runs = (await api.ok("/hub/actions/runs", method="GET"))["runs"]
    assert [run["run_id"] for run in runs] == [second["run_id"], first["run_id"]]
    assert (await api.ok("/hub/actions/runs", {"device_id": device_id}))["runs"] == [first]
    assert (await api.ok("/hub/actions/runs", {"instance": "site"}))["runs"] == runs
    assert (await api.ok("/hub/actions/runs", {"instance": "x"}))["runs"] == []


async def test_a_poll_is_held_until_something_changes_or_its_time_is_over(tmp_path: Path) -> None:
    async with running_api(tmp_path / "data", instance(), hold_seconds=0.05) as api:
        run = await follow(api, await start(api, INCLUDE), "asking")
        body = {"run_id": run["run_id"], "after_version": run["version"]}
        assert (await api.ok("/hub/actions/get", body))["run"] == run
    async with running_api(tmp_path / "data", instance()) as api:
        run = await follow(api, await start(api, INCLUDE), "asking")
        body = {"run_id": run["run_id"], "after_version": run["version"]}
        poll = asyncio.create_task(api.ok("/hub/actions/get", body))
        await asyncio.sleep(0.01)
        assert not poll.done()
        await api.ok("/hub/actions/answer", {"run_id": run["run_id"], "answer": "12345"})
        assert (await poll)["run"]["version"] > run["version"]
        run = await follow(api, run, "done")
        body = {"run_id": run["run_id"], "after_version": run["version"] + 5}
        assert (await api.ok("/hub/actions/get", body))["run"] == run


async def test_a_run_that_is_not_known(api: Api) -> None:
    body = {"run_id": await api.device_id()}
    for path, more in (("get", {}), ("answer", {"answer": "x"}), ("cancel", {})):
        assert (await api.refused(f"/hub/actions/{path}", body | more))["type"] == "run_not_found"
    error = await api.refused("/hub/actions/file", method="GET", query=body)
    assert (error["status"], error["type"]) == (404, "run_not_found")


async def test_the_file_of_a_run_is_the_owners(api: Api) -> None:
    run = await done(api, {"instance": "site", "action": "backup"})
    assert (run["result"]["has_file"], run["result"]["file_name"]) == (True, "backup.json")
    request = Request(
        method="GET",
        path="/hub/actions/file",
        query=(("run_id", run["run_id"]),),
        headers={"authorization": f"Bearer {api.token}"},
    )
    response = await api.router.handle(request)
    assert response.headers["content-type"] == "application/octet-stream"
    assert response.stream is not None
    async with aclosing(response.stream) as chunks:
        content = b"".join([chunk async for chunk in chunks])
    assert len(content) == int(response.headers["content-length"]) == run["result"]["facts"]["bytes"]
    assert {one["native_id"] for one in json.loads(content)} == set(api.driver().devices)
    query = {"run_id": run["run_id"]}
    operator = await api.as_role("operator")
    assert (await api.refused("/hub/actions/file", method="GET", query=query, token=operator))["type"] == "forbidden"
    ping = await done(api, {"action": "ping", "device_id": await api.device_id()})
    query = {"run_id": ping["run_id"]}
    assert (await api.refused("/hub/actions/file", method="GET", query=query))["type"] == "file_not_found"


async def test_while_the_site_is_lost_an_action_fails_with_the_hop(api: Api) -> None:
    await api.ok("/devices/simulate/disconnect_from_hub", {"device_id": await api.device_id()})
    await eventually(lambda: not api.hub.health["site"].is_connected)
    run = await done(api, INCLUDE)
    assert (run["state"], run["failure"]["code"]) == ("failed", "hub_disconnected")


async def test_a_start_that_is_repeated_is_one_run(api: Api) -> None:
    runs = [await start(api, INCLUDE, headers={"idempotency-key": "k-1"}) for _ in range(2)]
    assert runs[0]["run_id"] == runs[1]["run_id"]
    assert len((await api.ok("/hub/actions/runs"))["runs"]) == 1
