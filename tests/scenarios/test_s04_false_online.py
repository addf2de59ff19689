"""S04, false online: when a hop is lost, every device behind it is offline and says which hop is dead."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.hubd.api.caller import HttpCaller
from tests.scenarios.client import client_of_process, devices, healthy, until
from tests.sims.zwave.fixtures import CacheFor
from tests.sims.zwave.harness import FAST, ZwaveNetwork
from tests.support.process import daemon_process

pytestmark = pytest.mark.scenario

VIRTUAL = """
[drivers.house]
type = "virtual"
locks = 3
thermostats = 2
latency_ms = 500
[drivers.annex]
type = "virtual"
locks = 1
thermostats = 0
latency_ms = 0
"""
NOTICED = 10.0
"""Seconds within which a dead hop must show."""
AT_ONCE = 1.0
"""Seconds that an order to a device behind a dead hop may take to fail; a slow test machine, not a radio."""


async def everything(client: HttpCaller) -> list[dict[str, Any]]:
    """Return all devices, unmanaged ones too: what is shown of those must be true as well."""
    found = [(await client.ok(path))["devices"] for path in ("/devices/list", "/devices/unmanaged/list")]
    return [device for devices in found for device in devices]


def is_cut_off(device: dict[str, Any]) -> bool:
    codes = [error["error_code"] for error in device["errors"]]
    return device["properties"]["online"] is False and codes == ["hub_disconnected"]


async def all_cut_off(client: HttpCaller, account_id: str) -> bool:
    found = await everything(client)
    return all(is_cut_off(device) for device in found if device["connected_account_id"] == account_id)


async def fails_at_once(client: HttpCaller, device_id: str, hop: str) -> None:
    """Order something of a device behind a dead hop."""
    before = time.monotonic()
    attempt = (await client.ok("/locks/unlock_door", {"device_id": device_id}))["action_attempt"]
    assert time.monotonic() - before < AT_ONCE
    assert (attempt["status"], attempt["error"]["type"]) == ("error", "hub_disconnected")
    assert attempt["error"]["detail"]["hop"] == hop
    assert f"The {hop} of " in attempt["error"]["message"]
    assert attempt["stages"]["started_at"] is None


async def test_a_virtual_site_that_is_cut_off(tmp_path: Path) -> None:
    """Without a grace, so that nothing more is to come when the events are counted."""
    hub = "offline_grace_seconds = 0"
    async with daemon_process(tmp_path, VIRTUAL, hub=hub) as daemon, client_of_process(daemon) as client:
        accounts = (await client.ok("/connected_accounts/list"))["connected_accounts"]
        house, annex = [
            next(a["connected_account_id"] for a in accounts if a["display_name"] == name)
            for name in ("house", "annex")
        ]
        locks = (await client.ok("/locks/list", {"connected_account_id": house}))["locks"]
        await client.ok("/connected_accounts/simulate/disconnect", {"connected_account_id": house})
        await until(lambda: all_cut_off(client, house), NOTICED)
        for device in await everything(client):
            if device["connected_account_id"] == annex:
                assert device["errors"] == []
                continue
            assert (
                not {"locked", "battery", "temperature_celsius", "current_climate_setting"}
                & device["properties"].keys()
            )
            assert "Virtual site" in device["errors"][0]["message"]
        await fails_at_once(client, locks[0]["device_id"], "site")
        (other,) = (await client.ok("/locks/list", {"connected_account_id": annex}))["locks"]
        attempt = (await client.ok("/locks/unlock_door", {"device_id": other["device_id"]}))["action_attempt"]
        assert attempt["status"] == "success"

        events = (await client.ok("/events/list"))["events"]
        lost = [event for event in events if "disconnected" in event["event_type"]]
        assert [event["event_type"] for event in lost] == ["connected_account.disconnected"]
        assert lost[0]["connected_account_id"] == house

        await client.ok("/devices/simulate/connect_to_hub", {"device_id": locks[0]["device_id"]})
        await until(lambda: healthy(client))
        assert all(device["errors"] == [] for device in await everything(client))
        again = (await client.ok("/locks/unlock_door", {"device_id": locks[0]["device_id"]}))["action_attempt"]
        assert again["status"] == "success"


@pytest.mark.node
async def test_a_zwave_network_whose_server_dies_and_whose_stick_is_pulled(
    zwave_cache: CacheFor, tmp_path: Path
) -> None:
    """With the driver's own intervals: nothing is shortened here. It heals by itself each time."""
    cache = await asyncio.to_thread(zwave_cache, (2, 3))
    pace = replace(FAST, open_attempts=20)  # zwave-js's own patience with a missing stick is about this long
    async with ZwaveNetwork(nodes=(2, 3), cache=cache, directory=tmp_path / "zwave", pace=pace) as network:
        await network.wait_ready()
        drivers = f'[drivers.radio]\ntype = "zwave"\nurl = "{network.url}"\n'
        async with daemon_process(tmp_path, drivers) as daemon, client_of_process(daemon) as client:
            found = await devices(client)
            lock = found["Door lock 7e570001-2"]
            await network.kill_server()
            await until(lambda: all_cut_off(client, lock["connected_account_id"]), NOTICED)
            await fails_at_once(client, lock["device_id"], "server")
            await network.start_server()
            await heals(client, found)
            await network.unplug()
            await until(lambda: all_cut_off(client, lock["connected_account_id"]), NOTICED)
            await fails_at_once(client, lock["device_id"], "controller")
            await network.plug()
            await heals(client, found)
            types = ["device.disconnected", "device.removed", "device.added"]
            events = (await client.ok("/events/list", {"event_types": types}))["events"]
            assert [event["event_type"] for event in events] == ["device.added"] * len(found)


async def heals(client: HttpCaller, found: dict[str, dict[str, Any]]) -> None:
    """Wait until everything works again: the same devices, and they obey."""
    await until(lambda: healthy(client), 30.0)
    again = await devices(client)
    assert {name: device["device_id"] for name, device in again.items()} == {
        name: device["device_id"] for name, device in found.items()
    }
    for device in again.values():
        assert device["errors"] == []
        attempt = (await client.ok("/locks/lock_door", {"device_id": device["device_id"]}))["action_attempt"]
        assert attempt["status"] == "success"
