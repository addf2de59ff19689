"""S31, deadline: an order is never carried out late and never repeated; a lost answer is settled by the bolt itself."""

import asyncio
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from hubd.core.hub import ORDER_DEADLINE
from hubd.model.command import LockDoor, UnlockDoor
from tests.hubd.api.caller import HttpCaller
from tests.scenarios.client import client_of, client_of_process, devices, settled, until
from tests.sims.zwave.fixtures import CacheFor
from tests.sims.zwave.harness import FAST, ZwaveNetwork
from tests.support.process import daemon_process
from tests.support.site import LiveSite, eventually, running_site

pytestmark = pytest.mark.scenario

NODE, LOCK = 3, "Door lock 7e570001-3"
"""A lock that takes its time, and says so."""


def virtual(**keys: Any) -> str:
    lines = [f"{key} = {value!r}" for key, value in {"locks": 2, "thermostats": 0, **keys}.items()]
    return "\n".join(['[drivers.site]\ntype = "virtual"', *lines, ""])


def orders(site: LiveSite, native_id: str = "lock-1") -> int:
    """Return how many orders have reached a simulated lock."""
    driver: Any = site.hub.instances["site"].driver
    count: int = driver.devices[native_id].orders
    return count


async def reconnect(site: LiveSite, client: HttpCaller, device_id: str) -> None:
    """Lose the simulated hop and find it again: every state is read anew."""
    await client.ok("/devices/simulate/disconnect_from_hub", {"device_id": device_id})
    await eventually(lambda: not site.hub.health["site"].is_connected)
    await client.ok("/devices/simulate/connect_to_hub", {"device_id": device_id})
    await eventually(lambda: site.hub.health["site"].is_connected)


async def attempt_of(client: HttpCaller, attempt_id: str) -> dict[str, Any]:
    found: dict[str, Any] = await client.ok("/action_attempts/get", {"action_attempt_id": attempt_id})
    return dict(found["action_attempt"])


async def test_an_order_is_never_carried_out_late(tmp_path: Path) -> None:
    """The lock needs 400 ms; the first order has 150 ms, the second waits behind it with 100."""
    async with running_site(tmp_path, virtual(latency_ms=400)) as site:
        client = client_of(site)
        device_id = await client.device_id()
        order = UnlockDoor(device_id=device_id, native_id="lock-1")
        started = await site.hub.submit(order, "test", deadline_seconds=0.15)
        waiting = await site.hub.submit(order, "test", deadline_seconds=0.1)
        assert (await settled(client, waiting))["error"]["type"] == "deadline_exceeded"
        assert (await settled(client, started))["error"]["type"] == "sent_unconfirmed"
        await asyncio.sleep(0.6)
        assert orders(site) == 0
        assert (await client.device())["properties"]["locked"] is True
        assert not site.hub.journal.tables.open_commands

        await reconnect(site, client, device_id)
        unsure, late = [await attempt_of(client, attempt_id) for attempt_id in (started, waiting)]
        assert (unsure["status"], unsure["error"]["type"]) == ("error", "sent_unconfirmed")
        assert "it is locked, so the order is not in effect" in unsure["error"]["message"]
        assert unsure["stages"]["resolved_at"] is not None
        assert late["stages"]["resolved_at"] is None
        assert orders(site) == 0


async def test_a_lost_answer_is_settled_by_the_devices_state(tmp_path: Path) -> None:
    async with running_site(tmp_path, virtual(latency_ms=0, fault="silent")) as site:
        client = client_of(site)
        device_id = await client.device_id()
        attempt = (await client.ok("/locks/unlock_door", {"device_id": device_id}))["action_attempt"]
        assert (attempt["status"], attempt["error"]["type"]) == ("error", "sent_unconfirmed")
        assert orders(site) == 1

        await reconnect(site, client, device_id)
        settled_later = await attempt_of(client, attempt["action_attempt_id"])
        assert (settled_later["status"], settled_later["error"]) == ("success", None)
        assert settled_later["result"] == {"was_confirmed_by_device": True}
        assert settled_later["stages"]["settled_at"] < settled_later["stages"]["resolved_at"]
        assert (await client.device())["properties"]["locked"] is False
        events = (await client.ok("/events/list", {"device_id": device_id}))["events"]
        ends = [event["event_type"] for event in events if event["event_type"].startswith("action_attempt")]
        assert ends == ["action_attempt.unlock_door.failed", "action_attempt.unlock_door.succeeded"]
        assert orders(site) == 1


async def test_orders_for_one_lock_do_not_hold_another(tmp_path: Path) -> None:
    async with running_site(tmp_path, virtual(latency_ms=300)) as site:
        client = client_of(site)
        first, second = await client.device_id("Room 101"), await client.device_id("Room 102")
        for _ in range(3):
            await site.hub.submit(LockDoor(device_id=first, native_id="lock-1"), "test", deadline_seconds=0.45)
        attempt = (await client.ok("/locks/unlock_door", {"device_id": second}))["action_attempt"]
        assert attempt["status"] == "success"
        await eventually(lambda: not site.hub.journal.tables.open_commands)
        attempts = (await client.ok("/action_attempts/list", {"device_id": first}))["action_attempts"]
        assert [one["status"] for one in attempts] == ["success", "error", "error"]
        assert orders(site) == 1


@pytest.mark.node
async def test_a_crash_under_an_order_to_a_radio_lock(zwave_cache: CacheFor, tmp_path: Path) -> None:
    """The daemon is killed while the bolt travels; the next one never repeats the order, and the bolt says its end."""
    cache = await asyncio.to_thread(zwave_cache, (NODE,))
    pace = replace(FAST, bolt_travel_ms=1500)
    async with ZwaveNetwork(nodes=(NODE,), cache=cache, directory=tmp_path / "zwave", pace=pace) as network:
        await network.wait_ready()
        async with daemon_process(tmp_path, f'[drivers.radio]\ntype = "zwave"\nurl = "{network.url}"\n') as daemon:
            async with client_of_process(daemon) as client:
                lock = (await devices(client))[LOCK]
                wanted = not lock["properties"]["locked"]
                path = "/locks/lock_door" if wanted else "/locks/unlock_door"
                call = asyncio.create_task(client.call(path, {"device_id": lock["device_id"]}))
                await until(lambda: network.op("lock_sets", node=NODE))
                await daemon.kill()
                await asyncio.wait({call})
                assert isinstance(call.exception(), aiohttp.ClientError)
            await daemon.start()
            async with client_of_process(daemon) as client:
                (attempt,) = (await client.ok("/action_attempts/list"))["action_attempts"]
                ended = partial(_is_resolved, client, attempt["action_attempt_id"])
                await until(ended)
                attempt = await attempt_of(client, attempt["action_attempt_id"])
                assert (attempt["status"], attempt["error"]) == ("success", None)
                assert attempt["stages"]["started_at"] is not None
                assert (await devices(client))[LOCK]["properties"]["locked"] is wanted
                assert await _stands(network, locked=wanted)
                assert await network.op("lock_sets", node=NODE) == 1


@pytest.mark.node
async def test_a_radio_lock_that_was_out_of_reach_is_not_moved_when_it_is_back(
    zwave_cache: CacheFor, tmp_path: Path
) -> None:
    cache = await asyncio.to_thread(zwave_cache, (NODE,))
    async with ZwaveNetwork(nodes=(NODE,), cache=cache, directory=tmp_path / "zwave", pace=FAST) as network:
        await network.wait_ready()
        drivers = f'[drivers.radio]\ntype = "zwave"\nurl = "{network.url}"\ncommand_timeout = 2.0\n'
        async with running_site(tmp_path / "data", drivers) as site:
            client = client_of(site)
            body = {"device_id": (await devices(client))[LOCK]["device_id"]}
            await network.op("dead", node=NODE)
            lost = (await client.ok("/locks/lock_door", body))["action_attempt"]
            assert (await settled(client, lost["action_attempt_id"]))["status"] == "error"
            await network.op("dead", node=NODE, on=False)
            unlocked = (await client.ok("/locks/unlock_door", body))["action_attempt"]
            assert (await settled(client, unlocked["action_attempt_id"]))["status"] == "success"
            await asyncio.sleep(1.0)
            assert await network.op("lock_sets", node=NODE) == 1, "only the second order ever reached it"
            assert await _stands(network, locked=False)
            assert (await attempt_of(client, lost["action_attempt_id"]))["status"] == "error"


async def _stands(network: ZwaveNetwork, *, locked: bool) -> bool:
    return bool(await network.op("locked", node=NODE)) is locked


async def _is_resolved(client: HttpCaller, attempt_id: str) -> bool:
    return (await attempt_of(client, attempt_id))["stages"]["resolved_at"] is not None


@pytest.mark.soak
async def test_an_order_through_the_api_with_its_real_deadline(tmp_path: Path) -> None:
    async with running_site(tmp_path, virtual(latency_ms=60_000)) as site:
        client = client_of(site)
        body = {"device_id": await client.device_id()}
        answers = await asyncio.gather(*(client.ok("/locks/unlock_door", body) for _ in range(2)))
        attempts = [answer["action_attempt"] for answer in answers]
        assert [attempt["status"] for attempt in attempts] == ["pending", "pending"]
        ends = [await settled(client, one["action_attempt_id"], ORDER_DEADLINE) for one in attempts]
        assert {end["error"]["type"] for end in ends} == {"sent_unconfirmed", "deadline_exceeded"}
        assert orders(site) == 0
