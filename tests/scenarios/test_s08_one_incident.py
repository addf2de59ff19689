"""S08, one incident, not a storm: the loss of a hop is one event on the hop, and no alarm of any device behind it."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.hubd.api.caller import HttpCaller
from tests.scenarios.client import client_of, healthy, until
from tests.sims.zwave.fixtures import CacheFor
from tests.sims.zwave.harness import FAST, NODES, ZwaveNetwork
from tests.support.site import LiveSite, running_site

pytestmark = [pytest.mark.scenario, pytest.mark.node]

NOTICED = 10.0
"""Seconds within which a dead hop must show."""
QUIET = 1.0
"""Seconds after an order until its lock has been read back."""
HUB = "offline_grace_seconds = 2"
KINDS = 'include_kinds = ["lock", "thermostat"]'


async def everything(client: HttpCaller) -> list[dict[str, Any]]:
    return list((await client.ok("/devices/list"))["devices"])


async def told(client: HttpCaller, after: str) -> list[str]:
    """Return the types of all events since a time that are about who is there."""
    events = (await client.ok("/events/list", {"since": after, "limit": 1000}))["events"]
    return [one["event_type"] for one in events if one["event_type"].startswith(("device.", "connected_account."))]


async def is_recorded(site: LiveSite) -> bool:
    record = site.hub.journal.tables.instances.get("radio")
    return record is not None and record.is_connected


async def test_a_pulled_stick_with_four_nodes_behind_it(zwave_cache: CacheFor, tmp_path: Path) -> None:
    cache = await asyncio.to_thread(zwave_cache, NODES)
    pace = replace(FAST, open_attempts=20)  # it keeps trying for as long as the stick is away here
    async with ZwaveNetwork(nodes=NODES, cache=cache, directory=tmp_path / "zwave", pace=pace) as network:
        await network.wait_ready()
        drivers = f'[drivers.radio]\ntype = "zwave"\nurl = "{network.url}"\ncontroller_check_seconds = 0.5\n{KINDS}\n'
        async with running_site(tmp_path / "data", drivers, hub=HUB) as site:
            client = client_of(site)
            found = await everything(client)
            assert len(found) == len(NODES)
            assert all(device["errors"] == [] for device in found)
            await until(lambda: is_recorded(site))
            start = site.hub.clock.now().isoformat()
            for device in found:
                if device["device_type"] != "zwave_thermostat":
                    await client.ok("/locks/lock_door", {"device_id": device["device_id"]})
            await asyncio.sleep(QUIET)
            await network.unplug()
            pulled = time.monotonic()

            async def is_cut_off() -> bool:
                codes = [[error["error_code"] for error in one["errors"]] for one in await everything(client)]
                return codes == [["hub_disconnected"]] * len(NODES)

            await until(is_cut_off, NOTICED)
            assert time.monotonic() - pulled < NOTICED

            async def is_told() -> bool:
                return bool(await told(client, start))

            await until(is_told, NOTICED)
            assert [one["properties"]["online"] for one in await everything(client)] == [False] * len(NODES)

            await network.plug()
            await until(lambda: healthy(client), 30.0)

            async def works() -> bool:
                return all(one["errors"] == [] for one in await everything(client))

            await until(works, 15.0)
            await until(lambda: is_recorded(site))
            assert not [one for one in site.hub.devices.values() if one.untold_since is not None], "no more to come"
            assert await told(client, start) == ["connected_account.disconnected", "connected_account.connected"]
            assert all(one["warnings"] == [] for one in await everything(client))
