"""S32, idempotent: the same key from the same caller is one command and one answer, also across a restart."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.hubd.api.caller import HttpCaller
from tests.scenarios.client import client_of_process, until
from tests.sims.zwave.harness import ZwaveNetwork
from tests.support.process import daemon_process

pytestmark = pytest.mark.scenario

VIRTUAL = '[drivers.site]\ntype = "virtual"\nlocks = 4\nthermostats = 0\nlatency_ms = 250\n'
UNLOCK = "/locks/unlock_door"


def key(name: str) -> dict[str, str]:
    return {"idempotency-key": name}


async def _is_longer(client: HttpCaller, count: int) -> bool:
    return len(await accepted(client)) > count


async def accepted(client: HttpCaller) -> list[str]:
    """Return the ids of all commands that were ever accepted."""
    attempts = (await client.ok("/action_attempts/list"))["action_attempts"]
    return [attempt["action_attempt_id"] for attempt in attempts]


async def test_one_key_is_one_command_also_across_crashes(tmp_path: Path) -> None:
    body: dict[str, Any] = {}
    async with daemon_process(tmp_path, VIRTUAL) as daemon:
        async with client_of_process(daemon) as client:
            body["device_id"] = await client.device_id()
            at_once = await asyncio.gather(*(client.ok(UNLOCK, body, headers=key("a")) for _ in range(6)))
            assert all(answer == at_once[0] for answer in at_once)
            assert len(await accepted(client)) == 1
            other = {"name": "other program", "role": "operator"}
            token = (await client.ok("/hub/keys/create", other, headers=key("b")))["token"]
            assert (await client.ok("/hub/keys/create", other, headers=key("b")))["token"] == token
            theirs = await client.ok(UNLOCK, body, headers=key("a"), token=token)
            assert theirs != at_once[0]
            reused = await client.refused("/locks/lock_door", body, headers=key("a"))
            assert reused["type"] == "idempotency_key_reused"

            before = await accepted(client)
            cut_off = asyncio.create_task(client.call(UNLOCK, body, headers=key("c")))
            await until(partial(_is_longer, client, len(before)))
            await daemon.kill()
            with pytest.raises(aiohttp.ClientError):
                await cut_off
        await daemon.start()
        async with client_of_process(daemon) as client:
            assert await client.ok(UNLOCK, body, headers=key("a")) == at_once[0]
            assert await client.ok(UNLOCK, body, headers=key("a"), token=token) == theirs
            assert (await client.ok("/hub/keys/create", other, headers=key("b")))["token"] == token
            repeated = (await client.ok(UNLOCK, body, headers=key("c")))["action_attempt"]
            assert repeated["action_attempt_id"] == (await accepted(client))[-1]
            assert repeated["error"] is None or repeated["error"]["type"] == "hub_restarted"
            assert len(await accepted(client)) == len(before) + 1
        assert await daemon.stop() == 0


async def test_repeated_puts_and_deletes_change_nothing(tmp_path: Path) -> None:
    async with daemon_process(tmp_path, VIRTUAL) as daemon, client_of_process(daemon) as client:
        hook = {"url": "http://127.0.0.1:9/hook", "event_types": ["lock.unlocked"]}
        made = [await client.ok("/webhooks/create", hook, headers=key("a")) for _ in range(3)]
        assert made[0] == made[1] == made[2]
        webhook_id = made[0]["webhook"]["webhook_id"]
        update = {"webhook_id": webhook_id, "event_types": ["device.added"]}
        for _ in range(2):
            await client.ok("/webhooks/update", update, method="PUT")
            (webhook,) = (await client.ok("/webhooks/list"))["webhooks"]
            assert webhook["event_types"] == ["device.added"]
        await client.ok("/webhooks/delete", method="DELETE", query={"webhook_id": webhook_id})
        again = await client.refused("/webhooks/delete", method="DELETE", query={"webhook_id": webhook_id})
        assert (again["status"], again["type"]) == (404, "webhook_not_found")

        edit = {"device_id": await client.device_id(), "name": "Anna", "custom_metadata": {"room": "1"}}
        for _ in range(3):
            await client.ok("/devices/update", edit, method="PATCH")
        named = (await client.ok("/events/list", {"event_type": "device.name_changed"}))["events"]
        assert len(named) == 1


@pytest.mark.node
async def test_one_key_is_one_command_on_the_radio(zwave_network: ZwaveNetwork, tmp_path: Path) -> None:
    drivers = f'[drivers.radio]\ntype = "zwave"\nurl = "{zwave_network.url}"\n'
    async with daemon_process(tmp_path, drivers) as daemon, client_of_process(daemon) as client:
        lock = await client.device("Door lock 7e570001-2")
        path = UNLOCK if lock["properties"]["locked"] else "/locks/lock_door"
        await zwave_network.op("lock_sets", node=2, reset=True)
        body = {"device_id": lock["device_id"]}
        answers = await asyncio.gather(*(client.ok(path, body, headers=key("a")) for _ in range(5)))
        assert all(answer == answers[0] for answer in answers)
        assert answers[0]["action_attempt"]["status"] == "success"
        assert await zwave_network.op("lock_sets", node=2) == 1
