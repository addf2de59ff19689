"""S01, wrongly removed: only proof removes a device, once; what comes back is what it was."""

import asyncio
import logging
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.hubd.api.caller import HttpCaller
from tests.scenarios.client import client_of, healthy, until
from tests.sims.zwave.fixtures import CacheFor
from tests.sims.zwave.harness import FAST, ZwaveNetwork
from tests.support.site import LiveSite, running_site

pytestmark = [pytest.mark.scenario, pytest.mark.node]

NODES = (2, 3)
HUB = "removal_minutes = 0.03\noffline_grace_seconds = 0"
"""Without a grace, every word about presence is told: there is none that a grace might hide."""
SCANS = "scan_minutes = 0.01\ncontroller_check_seconds = 0.5"
ENOUGH = 6
"""Scans, at 0.6 s: twice as many as remove a device, and longer than it takes."""


def drivers(network: ZwaveNetwork) -> str:
    return f'[drivers.radio]\ntype = "zwave"\nurl = "{network.url}"\n{SCANS}\n'


async def known(client: HttpCaller) -> dict[str, str]:
    """Return the ids of the devices by the node they are."""
    found = (await client.ok("/devices/list"))["devices"]
    return {device["properties"]["appearance"]["name"][-1]: device["device_id"] for device in found}


async def told(client: HttpCaller, *types: str) -> list[str]:
    events = (await client.ok("/events/list", {"event_types": list(types), "limit": 1000}))["events"]
    return [event["event_type"] for event in events]


def scans_without_proof(caplog: pytest.LogCaptureFixture) -> int:
    return sum("proves nothing" in record.getMessage() for record in caplog.records)


async def nothing_is_removed(client: HttpCaller, devices: dict[str, str]) -> None:
    assert await known(client) == devices
    assert await told(client, "device.removed", "device.added") == ["device.added"] * len(NODES)


async def test_no_failure_of_the_way_there_removes_a_device(
    zwave_cache: CacheFor, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The server dies, the stick goes, hubd is started again, and the server forgets what it knew of its nodes."""
    caplog.set_level(logging.DEBUG, "hubd.driver.radio")
    cache = await asyncio.to_thread(zwave_cache, NODES)
    pace = replace(FAST, open_attempts=20)
    async with ZwaveNetwork(nodes=NODES, cache=cache, directory=tmp_path / "zwave", pace=pace) as network:
        await network.wait_ready()
        async with running_site(tmp_path / "data", drivers(network), hub=HUB) as site:
            client = client_of(site)
            devices = await known(client)
            assert set(devices) == {"2", "3"}
            await network.unplug()
            await until(lambda: is_lost(site), 10.0)
            await network.plug()
            await until(lambda: healthy(client), 30.0)
            await network.stop_server()
            await until(lambda: is_lost(site), 10.0)
            await nothing_is_removed(client, devices)
        await network.op("dead", node=3)
        await asyncio.to_thread(shutil.rmtree, network.directory / "cache")
        await network.start_server()
        async with running_site(tmp_path / "data", drivers(network), hub=HUB) as site:
            client = client_of(site)
            await until(lambda: scanned(caplog), 30.0)
            await nothing_is_removed(client, devices)


async def is_lost(site: LiveSite) -> bool:
    return not site.hub.health["radio"].is_connected


async def scanned(caplog: pytest.LogCaptureFixture) -> bool:
    return scans_without_proof(caplog) >= ENOUGH


async def shown(client: HttpCaller, device_id: str) -> dict[str, Any]:
    device = (await client.ok("/devices/get", {"device_id": device_id}))["device"]
    return {key: device[key] for key in ("device_id", "display_name", "nickname", "custom_metadata", "is_managed")}


async def test_a_node_that_is_gone_is_removed_once_and_is_itself_when_it_is_back(
    zwave_cache: CacheFor, tmp_path: Path
) -> None:
    """Nobody is told that the stick has lost it: it is missing from what the server lists, and that is all."""
    cache = await asyncio.to_thread(zwave_cache, NODES)
    async with ZwaveNetwork(nodes=NODES, cache=cache, directory=tmp_path / "zwave", pace=FAST) as network:
        await network.wait_ready()
        async with running_site(tmp_path / "data", drivers(network), hub=HUB) as site:
            client = client_of(site)
            device_id = (await known(client))["3"]
            edit = {"device_id": device_id, "name": "Suite 3", "custom_metadata": {"floor": "3"}}
            await client.ok("/devices/update", edit)
            before = await shown(client, device_id)

            await network.op("vanish", node=3)
            await restart(network)
            await until(lambda: is_removed(client, 1), 30.0)
            assert (await client.refused("/devices/get", {"device_id": device_id}))["type"] == "device_not_found"
            assert list(await known(client)) == ["2"]

            await network.op("appear", node=3)
            await restart(network)
            await until(lambda: is_back(client, device_id), 40.0)
            assert await shown(client, device_id) == before
            assert await told(client, "device.removed", "device.added") == [
                "device.added",
                "device.added",
                "device.removed",
                "device.added",
            ]


async def restart(network: ZwaveNetwork) -> None:
    """Have zwave-js read the stick's list of nodes, which it does at its start alone."""
    await network.stop_server()
    await network.start_server()


async def is_removed(client: HttpCaller, count: int) -> bool:
    return (await told(client, "device.removed")).count("device.removed") == count


async def is_back(client: HttpCaller, device_id: str) -> bool:
    return device_id in (await known(client)).values()
