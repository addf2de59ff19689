"""S33, bad input: whatever is wrong, the answer is a 4xx that names the field, and nothing is half done."""

import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from hubd.api.router import ROUTES
from tests.hubd.api.caller import HttpCaller
from tests.scenarios.client import client_of_process
from tests.support.process import daemon_process

pytestmark = pytest.mark.scenario

SITE = '[drivers.site]\ntype = "virtual"\nlocks = 2\nthermostats = 1\nlatency_ms = 0\n'
HTTP = "port = 0\nrequests_per_second = 100000"
UNKNOWN = str(uuid.UUID(int=0x4 << 76 | 0x8 << 60))
SKIPPED = {"/hub/journal/stream", "/openapi.json"}
WRONG: list[Any] = [7, 7.5, True, None, "", "x", [], [7], {}, {"a": {}}, "x" * 5000, -1, 10**40]
"""Values of every kind; each member of each route refuses some of them."""


@pytest_asyncio.fixture
async def client(tmp_path: Path) -> AsyncIterator[HttpCaller]:
    async with daemon_process(tmp_path, SITE, HTTP) as daemon, client_of_process(daemon) as running:
        yield running


async def head(client: HttpCaller) -> int:
    """Return the number of the last journal row: what was half done would be there."""
    found: int = (await client.ok("/hub/site"))["journal_head"]
    return found


async def test_every_member_of_every_route_refuses_what_it_cannot_mean(client: HttpCaller) -> None:
    """The judge of the client refuses a 500; here the refusals must name the member, and leave no trace."""
    named = 0
    for route in ROUTES:
        if "POST" not in route.verbs or route.path in SKIPPED:
            continue
        required = dict.fromkeys(("device_id", "connected_account_id", "action_attempt_id"), UNKNOWN)
        base = {name: value for name, value in required.items() if name in route.params.__struct_fields__}
        for member in route.params.__struct_fields__:
            refused = 0
            for value in WRONG:
                before = await head(client)
                answer = await client.call(route.path, {**base, member: value})
                if answer.status == 400 and answer.error["type"] == "invalid_input":
                    assert await head(client) == before
                    if member in answer.error["validation_errors"]:
                        assert answer.error["message"].startswith(member)
                        refused += 1
            assert refused >= 3, (route.path, member)
            named += refused
    assert named > 500


async def test_what_is_missing_is_named(client: HttpCaller) -> None:
    for path, member in (
        ("/devices/get", "device_id"),
        ("/devices/update", "device_id"),
        ("/devices/delete", "device_id"),
        ("/locks/lock_door", "device_id"),
        ("/locks/simulate/keypad_code_entry", "device_id"),
        ("/action_attempts/get", "action_attempt_id"),
        ("/events/get", "event_id"),
        ("/connected_accounts/get", "connected_account_id"),
        ("/webhooks/create", "url"),
        ("/webhooks/get", "webhook_id"),
        ("/hub/keys/create", "name"),
        ("/hub/keys/revoke", "key_id"),
    ):
        for raw in (b"", b"{}"):
            assert "is required" in await client.wrong(member, path, raw=raw)


async def test_what_is_not_there_is_typed(client: HttpCaller) -> None:
    before = await head(client)
    for path, body, code in (
        ("/devices/get", {"device_id": UNKNOWN}, "device_not_found"),
        ("/devices/update", {"device_id": UNKNOWN, "name": "x"}, "device_not_found"),
        ("/devices/delete", {"device_id": UNKNOWN}, "device_not_found"),
        ("/devices/unmanaged/update", {"device_id": UNKNOWN, "is_managed": True}, "device_not_found"),
        ("/devices/simulate/disconnect", {"device_id": UNKNOWN}, "device_not_found"),
        ("/locks/unlock_door", {"device_id": UNKNOWN}, "device_not_found"),
        ("/action_attempts/get", {"action_attempt_id": UNKNOWN}, "action_attempt_not_found"),
        ("/events/get", {"event_id": UNKNOWN}, "event_not_found"),
        ("/connected_accounts/get", {"connected_account_id": UNKNOWN}, "connected_account_not_found"),
        ("/webhooks/get", {"webhook_id": UNKNOWN}, "webhook_not_found"),
        ("/hub/keys/revoke", {"key_id": "0000"}, "key_not_found"),
    ):
        error = await client.refused(path, body)
        assert (error["status"], error["type"]) == (404, code)
    assert await head(client) == before


async def test_an_edit_is_done_whole_or_not_at_all(client: HttpCaller) -> None:
    device = await client.device()
    edits: list[tuple[dict[str, Any], str]] = [
        ({"name": "Anna", "custom_metadata": {"k": "v" * 501}}, "custom_metadata"),
        ({"name": "Anna", "is_managed": "no"}, "is_managed"),
        ({"custom_metadata": {"k": "v"}, "name": ""}, "name"),
        ({"name": "Anna", "unknown": 1}, "unknown"),
    ]
    before = await head(client)
    for edit, field in edits:
        await client.wrong(field, "/devices/update", {"device_id": device["device_id"], **edit})
    assert await client.device() == device
    assert await head(client) == before


async def test_empty_lists_and_empty_values(client: HttpCaller) -> None:
    for name in ("device_ids", "device_types", "connected_account_ids"):
        assert (await client.ok("/devices/list", {name: []}))["devices"] == []
        assert (await client.ok("/devices/list", method="GET", query={name: ""}))["devices"] == []
    assert (await client.ok("/events/list", {"event_types": []}))["events"] == []
    await client.wrong("event_types", "/webhooks/create", {"url": "http://127.0.0.1:9/", "event_types": []})
    await client.wrong("between", "/events/list", {"between": []})


async def test_windows_that_cannot_be(client: HttpCaller) -> None:
    for between in (["2026-01-02", "2026-01-01"], ["2026-01-01"], ["x", "2026-01-01"], ["2026-13-01", "2026-01-01"]):
        await client.wrong("between", "/events/list", {"between": between})
    await client.wrong("since", "/events/list", {"since": "tomorrow"})
    assert (await client.ok("/events/list", {"since": "2999-01-01"}))["events"] == []
    assert (await client.ok("/events/list", {"between": ["1999-01-01", "1999-01-02"]}))["events"] == []
    await client.wrong("created_before", "/devices/list", {"created_before": "soon"})


async def test_bodies_that_are_none(client: HttpCaller) -> None:
    for raw in (b"{", b"[]", b"null", b"\xff", b"limit=1", b"[" * 100_000, b'{"limit": ' + b"9" * 100_000 + b"}"):
        error = await client.refused("/devices/list", raw=raw)
        assert (error["status"], error["type"]) == (400, "invalid_input")
    too_large = await client.refused("/devices/list", raw=b" " * (1024 * 1024 + 1))
    assert (too_large["status"], too_large["type"]) == (413, "body_too_large")


async def test_strangers(client: HttpCaller) -> None:
    stranger = await client.refused("/devices/list", headers={"host": "hub.evil.example"})
    assert (stranger["status"], stranger["type"]) == (421, "unknown_host")
    nobody = await client.refused("/devices/list", token="")
    assert (nobody["status"], nobody["type"]) == (401, "unauthorized")
