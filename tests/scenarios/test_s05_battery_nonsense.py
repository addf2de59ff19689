"""S05, battery nonsense: an old level is stale, and a drop that cannot be true waits for a second reading."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.hubd.api.caller import HttpCaller
from tests.scenarios.client import client_of, until
from tests.sims.zwave.fixtures import CacheFor
from tests.sims.zwave.harness import FAST, ZwaveNetwork
from tests.support.site import running_site

pytestmark = [pytest.mark.scenario, pytest.mark.node]

HUB = "battery_report_hours = 0.0003"
"""A report is due about every second, so that one older than 3.2 s is stale."""
PATIENCE = 20.0


async def lock(client: HttpCaller) -> dict[str, Any]:
    """Return the one lock."""
    (found,) = (await client.ok("/devices/list"))["devices"]
    return dict(found)


async def battery(client: HttpCaller) -> dict[str, Any]:
    """Return its battery; nothing while it is offline."""
    return dict((await lock(client))["properties"].get("battery", {}))


async def becomes(client: HttpCaller, **expected: Any) -> dict[str, Any]:
    """Wait until the battery is so, and return it."""

    async def is_so() -> bool:
        return expected.items() <= (await battery(client)).items()

    await until(is_so, PATIENCE)
    return await battery(client)


async def is_offline(client: HttpCaller) -> bool:
    """Tell whether the lock does not answer any more."""
    return (await lock(client))["properties"]["online"] is False


async def told(client: HttpCaller) -> list[tuple[str, float]]:
    """Return the events about the battery, oldest first."""
    events = (await client.ok("/events/list"))["events"]
    return [(one["event_type"], one["battery_level"]) for one in events if "battery" in one["event_type"]]


async def test_a_lock_whose_battery_says_what_cannot_be(zwave_cache: CacheFor, tmp_path: Path) -> None:
    cache = await asyncio.to_thread(zwave_cache, (2,))
    async with ZwaveNetwork(nodes=(2,), cache=cache, directory=tmp_path / "zwave", pace=FAST) as network:
        await network.wait_ready()
        drivers = f'[drivers.radio]\ntype = "zwave"\nurl = "{network.url}"\n'
        async with running_site(tmp_path / "data", drivers, hub=HUB) as site:
            client = client_of(site)
            await network.op("battery", node=2, level=84)
            before = await becomes(client, level=0.84)
            await network.op("battery", node=2, level=20)
            shown = await becomes(client, unconfirmed_level=0.2)
            assert (shown["level"], shown["status"], shown["measured_at"]) == (0.84, "full", before["measured_at"])
            assert await told(client) == []
        async with running_site(tmp_path / "data", drivers, hub=HUB) as site:
            client = client_of(site)
            # What the driver announces at its start is the same measurement out of zwave-js's memory.
            assert (await battery(client))["level"] == 0.84
            assert (await battery(client))["unconfirmed_level"] == 0.2
            assert await told(client) == []
            await network.op("battery", node=2, level=18)
            shown = await becomes(client, level=0.18, status="low")
            assert "unconfirmed_level" not in shown
            assert await told(client) == [("device.battery_status_changed", 0.18), ("device.low_battery", 0.18)]

            await becomes(client, is_stale=True, level=0.18)
            (warning,) = (await lock(client))["warnings"]
            assert warning["hub_code"] == "battery_stale"
            (known,) = (await client.ok("/hub/devices/list"))["devices"]
            assert known["battery"]["is_stale"] is True
            await network.op("battery", node=2, level=100)
            fresh = await becomes(client, level=1.0, is_stale=False)
            assert fresh["measured_at"] > shown["measured_at"]

            await network.op("dead", node=2)
            await client.ok("/locks/lock_door", {"device_id": (await lock(client))["device_id"]})
            await until(lambda: is_offline(client), PATIENCE)
            device = await lock(client)
            assert not {"battery", "battery_level"} & device["properties"].keys()
            assert device["warnings"] == []
