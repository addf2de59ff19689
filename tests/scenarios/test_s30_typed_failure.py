"""S30, typed failure: every failed attempt says what it was, why, what the driver knows, and when each stage was."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from hubd.model.command import UnlockDoor
from hubd.model.outcome import OutcomeKind
from tests.hubd.api.caller import HttpCaller
from tests.scenarios.client import client_of, devices, settled, until
from tests.sims.zwave.harness import ZwaveNetwork
from tests.support.site import LiveSite, eventually, running_site

pytestmark = pytest.mark.scenario

VIRTUAL = "\n".join(
    f'[drivers.{name}]\ntype = "virtual"\nlocks = 1\nthermostats = 0\n{keys}'
    for name, keys in {
        "refusing": 'latency_ms = 0\nfault = "refuse"',
        "jamming": 'latency_ms = 0\nfault = "jam"',
        "silent": 'latency_ms = 0\nfault = "silent"',
        "slow": "latency_ms = 60000",
        "fine": "latency_ms = 0",
    }.items()
)
STAGES = ["accepted_at", "started_at", "settled_at"]


@asynccontextmanager
async def virtual_site(folder: Path) -> AsyncIterator[tuple[LiveSite, HttpCaller, dict[str, str]]]:
    """Run a daemon with one virtual site for each fault; gives the id of each site's lock by the site's name."""
    async with running_site(folder, VIRTUAL) as site:
        client = client_of(site)
        accounts = (await client.ok("/connected_accounts/list"))["connected_accounts"]
        names = {account["connected_account_id"]: account["display_name"] for account in accounts}
        locks = (await client.ok("/locks/list"))["locks"]
        yield site, client, {names[lock["connected_account_id"]]: lock["device_id"] for lock in locks}


async def fails(client: HttpCaller, attempt: dict[str, Any], code: str, outcome: OutcomeKind, words: str) -> None:
    """Check a failed attempt: type, sentence, detail and stages, the same wherever it is read."""
    attempt_id = attempt["action_attempt_id"]
    assert attempt == (await client.ok("/action_attempts/get", {"action_attempt_id": attempt_id}))["action_attempt"]
    assert (attempt["status"], attempt["result"]) == ("error", None)
    error = attempt["error"]
    assert (error["type"], error["detail"]["outcome"]) == (code, outcome.value)
    assert re.fullmatch(r"[A-Z].*\.", error["message"]), error["message"]
    assert words in error["message"]
    assert "unknown error" not in error["message"].lower()
    times = [datetime.fromisoformat(attempt["stages"][stage]) for stage in STAGES if attempt["stages"][stage]]
    assert times == sorted(times)
    assert attempt["stages"]["settled_at"] is not None
    was_sent = outcome in {OutcomeKind.REJECTED, OutcomeKind.SENT_UNCONFIRMED}
    assert not (was_sent and attempt["stages"]["started_at"] is None)
    events = (await client.ok("/events/list", {"event_type": "action_attempt.unlock_door.failed"}))["events"]
    assert attempt_id in [event["action_attempt_id"] for event in events]


async def unlock(client: HttpCaller, device_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await client.ok("/locks/unlock_door", {"device_id": device_id}))["action_attempt"]
    return found


async def test_each_kind_of_failure_on_a_virtual_site(tmp_path: Path) -> None:
    async with virtual_site(tmp_path) as (site, client, locks):
        refused = await unlock(client, locks["refusing"])
        await fails(client, refused, "device_refused", OutcomeKind.REJECTED, "refused")
        jammed = await unlock(client, locks["jamming"])
        await fails(client, jammed, "lock_jammed", OutcomeKind.REJECTED, "jammed")
        silent = await unlock(client, locks["silent"])
        await fails(client, silent, "sent_unconfirmed", OutcomeKind.SENT_UNCONFIRMED, "did not answer")
        shown = {lock["device_id"]: lock for lock in (await client.ok("/locks/list"))["locks"]}
        assert "jammed" in shown[locks["jamming"]]["warnings"][0]["message"]
        assert "locked" not in shown[locks["jamming"]]["properties"]

        body = {"device_id": locks["fine"]}
        await client.ok("/devices/simulate/disconnect", body)
        gone = await unlock(client, locks["fine"])
        await fails(client, gone, "device_unreachable", OutcomeKind.UNREACHABLE, "does not answer")
        await client.ok("/devices/simulate/connect", body)
        await client.ok("/devices/simulate/disconnect_from_hub", body)
        await eventually(lambda: not site.hub.health["fine"].is_connected)
        cut_off = await unlock(client, locks["fine"])
        await fails(
            client, cut_off, "hub_disconnected", OutcomeKind.UNREACHABLE, "site of Virtual site is not reachable"
        )
        assert cut_off["error"]["detail"]["hop"] == "site"
        assert cut_off["stages"]["started_at"] is None


async def test_an_order_whose_time_has_passed(tmp_path: Path) -> None:
    async with virtual_site(tmp_path) as (site, client, locks):
        order = UnlockDoor(device_id=locks["slow"], native_id="lock-1")
        first = await site.hub.submit(order, "test", deadline_seconds=0.3)
        second = await site.hub.submit(order, "test", deadline_seconds=0.15)
        late = await settled(client, second)
        await fails(client, late, "deadline_exceeded", OutcomeKind.EXPIRED, "nothing was sent")
        assert late["stages"]["started_at"] is None
        unsure = await settled(client, first)
        await fails(client, unsure, "sent_unconfirmed", OutcomeKind.SENT_UNCONFIRMED, "No confirmation came")


async def test_each_refusal_is_typed_and_makes_no_attempt(tmp_path: Path) -> None:
    async with virtual_site(tmp_path) as (_, client, locks):
        device_id = locks["fine"]
        await client.ok("/devices/update", {"device_id": device_id, "is_managed": False})
        error = await client.refused("/locks/unlock_door", {"device_id": device_id})
        assert error["type"] == "device_unmanaged"
        assert (await client.ok("/action_attempts/list"))["action_attempts"] == []


@pytest.mark.node
async def test_each_kind_of_failure_on_a_zwave_network(zwave_network: ZwaveNetwork, tmp_path: Path) -> None:
    keys = "controller_check_seconds = 0.3\ncommand_timeout = 2.0\nattribution_ms = 250"
    drivers = f'[drivers.radio]\ntype = "zwave"\nurl = "{zwave_network.url}"\n{keys}\n'
    async with running_site(tmp_path, drivers) as site:
        client = client_of(site)
        lock = (await devices(client))["Door lock 7e570001-2"]["device_id"]
        await zwave_network.op("set_state", node=2, key="DoorLock_currentMode", value=255)
        assert (await client.ok("/locks/lock_door", {"device_id": lock}))["action_attempt"]["status"] == "success"

        await zwave_network.op("faults", node=2, rejectSets=True)
        await fails(client, await unlock(client, lock), "device_refused", OutcomeKind.REJECTED, "refused")
        await zwave_network.op("faults", node=2, ignoreCCs=[98])
        silent = await unlock(client, lock)
        await fails(client, silent, silent["error"]["type"], OutcomeKind.SENT_UNCONFIRMED, "")
        await zwave_network.op("faults", node=2, jamOnSet=True)
        await fails(client, await unlock(client, lock), "lock_jammed", OutcomeKind.REJECTED, "jammed")
        await zwave_network.op("faults", node=2)
        await zwave_network.op("dead", node=2)
        dead = await unlock(client, lock)
        await fails(client, dead, "device_unreachable", OutcomeKind(dead["error"]["detail"]["outcome"]), "")

        async def is_offline() -> bool:
            return (await devices(client))["Door lock 7e570001-2"]["properties"]["online"] is False

        await until(is_offline)
        await zwave_network.kill_server()
        await eventually(lambda: not site.hub.health["radio"].is_connected, 10.0)
        cut_off = await unlock(client, lock)
        await fails(client, cut_off, "hub_disconnected", OutcomeKind.UNREACHABLE, "server")
        assert cut_off["error"]["detail"]["hop"] == "server"
