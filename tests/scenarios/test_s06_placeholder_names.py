"""S06, placeholder names: a device is announced once it is known; until then it waits, with the reason."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.hubd.api.caller import HttpCaller
from tests.scenarios.client import client_of, devices, until
from tests.sims.zwave.fixtures import CacheFor
from tests.sims.zwave.harness import FAST, ZwaveNetwork
from tests.support.site import running_site

pytestmark = [pytest.mark.scenario, pytest.mark.node]

LOCK, SENSOR = 2, 6
"""The sensor sleeps, so nobody can ask it what it is before somebody wakes it."""
PATIENCE = 30.0


async def waiting(client: HttpCaller) -> list[dict[str, Any]]:
    """Return what cannot be announced yet."""
    (instance,) = (await client.ok("/hub/site"))["instances"]
    return list(instance["waiting"])


async def test_a_node_that_was_never_interviewed(zwave_cache: CacheFor, tmp_path: Path) -> None:
    cache = await asyncio.to_thread(zwave_cache, (LOCK,))
    async with ZwaveNetwork(nodes=(LOCK, SENSOR), cache=cache, directory=tmp_path / "zwave", pace=FAST) as network:
        drivers = f'[drivers.radio]\ntype = "zwave"\nurl = "{network.url}"\ninclude_kinds = ["lock", "other"]\n'
        async with running_site(tmp_path / "data", drivers) as site:
            client = client_of(site)

            async def is_told() -> bool:
                return any("wake it" in one["reason"] for one in await waiting(client))

            await until(is_told, PATIENCE)
            (one,) = await waiting(client)
            assert one["name"] == f"Node {SENSOR}"
            assert [name.rpartition("-")[2] for name in await devices(client)] == [str(LOCK)]
            assert (await client.ok("/devices/unmanaged/list"))["devices"] == []
            added = (await client.ok("/events/list", {"event_type": "device.added"}))["events"]
            assert len(added) == 1

            async def is_known() -> bool:
                await network.op("wake", node=SENSOR)
                await asyncio.sleep(0.2)  # it hears for a while before it must be woken again
                return not await waiting(client)

            await until(is_known, PATIENCE)
            found = await devices(client)
            (sensor,) = [device for name, device in found.items() if name.endswith(f"-{SENSOR}")]
            assert sensor["properties"]["name"] == sensor["properties"]["appearance"]["name"]
            assert sensor["properties"]["model"]["display_name"]
            assert "battery" in sensor["capabilities_supported"]
            named = (await client.ok("/events/list", {"event_types": ["device.added", "device.name_changed"]}))[
                "events"
            ]
            assert [event["event_type"] for event in named] == ["device.added", "device.added"]
