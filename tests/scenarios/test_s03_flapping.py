"""S03, flapping: a blip is no event; three losses in an hour are a warning that goes by itself and hinders nothing."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from tests.hubd.api.caller import HttpCaller
from tests.hubd.api.harness import ShiftedClock
from tests.scenarios.client import client_of, healthy, until
from tests.sims.zwave.fixtures import CacheFor
from tests.sims.zwave.harness import FAST, ZwaveNetwork
from tests.support.site import LiveSite, running_site

pytestmark = [pytest.mark.scenario, pytest.mark.node]

LONG = "offline_grace_seconds = 45"
"""Longer than any blip here takes, even for the machine that tests; nothing waits for its end."""
QUIET = 1.0
"""Seconds until a lock that is heard again has been read back."""
BLIP = 1.0
"""Seconds for which the stick is out."""
SHORT = "offline_grace_seconds = 0.5"


async def problems(client: HttpCaller, device_id: str, kind: str = "error") -> list[str]:
    device = (await client.ok("/devices/get", {"device_id": device_id}))["device"]
    return [one[f"{kind}_code"] for one in device[f"{kind}s"]]


async def told(client: HttpCaller) -> list[str]:
    """Return the types of all events about who is there."""
    events = (await client.ok("/events/list", {"limit": 1000}))["events"]
    return [one["event_type"] for one in events if "connected" in one["event_type"] or "removed" in one["event_type"]]


async def lose(client: HttpCaller, network: ZwaveNetwork, device_id: str) -> None:
    """Take node 2 off the air; that shows with the next order."""
    await network.op("dead", node=2)
    attempt = (await client.ok("/locks/lock_door", {"device_id": device_id}))["action_attempt"]
    assert (attempt["status"], attempt["error"]["type"]) == ("error", "device_unreachable")
    await until(lambda: has(client, device_id, ["device_disconnected"]))


async def regain(client: HttpCaller, network: ZwaveNetwork, device_id: str) -> None:
    """Put it back on the air; it is heard as somebody turns its bolt."""
    await network.op("dead", node=2, on=False)
    await network.op("manual", node=2, locked=False)
    await until(lambda: has(client, device_id, []))


async def has(client: HttpCaller, device_id: str, codes: list[str]) -> bool:
    return await problems(client, device_id) == codes


async def blips(site: LiveSite, network: ZwaveNetwork, device_id: str) -> None:
    client = client_of(site)
    await until(lambda: nothing_pends(site))
    before = await told(client)
    for _ in range(3):
        await lose(client, network, device_id)
        await regain(client, network, device_id)
    await asyncio.sleep(QUIET)
    await network.unplug()
    await asyncio.sleep(BLIP)
    await network.plug()
    await until(lambda: healthy(client), 30.0)
    await network.kill_server()
    await until(lambda: has(client, device_id, ["hub_disconnected"]), 15.0)
    await network.start_server()
    await until(lambda: healthy(client), 30.0)
    await until(lambda: has(client, device_id, []), 30.0)
    await until(lambda: nothing_pends(site))
    assert await told(client) == before
    assert await problems(client, device_id, "warning") == []


async def nothing_pends(site: LiveSite) -> bool:
    """Tell whether all are there and no loss waits to be told, so that no event can follow."""
    tables = site.hub.journal.tables
    radio = tables.instances.get("radio")
    is_settled = radio is not None and radio.is_connected and radio.untold_loss is None
    return is_settled and all(one.untold_since is None for one in tables.devices.values())


async def drops(site: LiveSite, network: ZwaveNetwork, device_id: str, clock: ShiftedClock) -> None:
    client = client_of(site)
    for count in range(1, 4):
        assert await problems(client, device_id, "warning") == []
        await lose(client, network, device_id)
        await until(partial(count_of, client, "device.disconnected", count))
        await regain(client, network, device_id)
    assert await problems(client, device_id, "warning") == ["device_has_flaky_connection"]
    assert (await told(client))[-6:] == ["device.disconnected", "device.connected"] * 3
    attempt = (await client.ok("/locks/lock_door", {"device_id": device_id}))["action_attempt"]
    assert attempt["status"] == "success", "a flaky connection hinders nothing"
    clock.ahead += timedelta(minutes=58)
    assert await problems(client, device_id, "warning") == ["device_has_flaky_connection"]
    clock.ahead += timedelta(minutes=2)
    assert await problems(client, device_id, "warning") == []


async def count_of(client: HttpCaller, event_type: str, count: int) -> bool:
    return (await told(client)).count(event_type) == count


async def test_a_lock_that_flaps(zwave_cache: CacheFor, tmp_path: Path) -> None:
    """First with blips of every hop and of the lock, then, with a short grace, with real losses."""
    cache = await asyncio.to_thread(zwave_cache, (2,))
    pace = replace(FAST, open_attempts=20)
    async with ZwaveNetwork(nodes=(2,), cache=cache, directory=tmp_path / "zwave", pace=pace) as network:
        await network.wait_ready()
        drivers = f'[drivers.radio]\ntype = "zwave"\nurl = "{network.url}"\ncontroller_check_seconds = 0.5\n'
        async with running_site(tmp_path / "data", drivers, hub=LONG) as site:
            (device_id,) = site.hub.devices
            await blips(site, network, device_id)
        clock = ShiftedClock()
        async with running_site(tmp_path / "data", drivers, hub=SHORT, clock=clock) as site:
            await drops(site, network, device_id, clock)
