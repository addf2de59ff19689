"""S51, the server reboots: the hub reconnects by itself, reads again what changed, and says how long it was away."""

import asyncio
import shutil
import time
from pathlib import Path

import pytest

from tests.hubd.api.caller import HttpCaller
from tests.scenarios.client import client_of_process, devices, healthy, until
from tests.sims.zwave.fixtures import CacheFor
from tests.sims.zwave.harness import FAST, ZwaveNetwork
from tests.sims.zwave.launcher import Launcher
from tests.support.process import daemon_process

pytestmark = [pytest.mark.scenario, pytest.mark.node, pytest.mark.timeout(120)]

PLAIN, S2 = "Door lock 7e570001-2", "Door lock 7e570001-3"
NOTICED = 10.0


async def test_zwave_js_server_is_killed_and_started_again_by_its_unit(zwave_cache: CacheFor, tmp_path: Path) -> None:
    cache, unit = await asyncio.to_thread(zwave_cache, (2, 3)), tmp_path / "unit"
    await asyncio.to_thread(shutil.copytree, cache, unit / "state" / "cache")
    async with (
        ZwaveNetwork(nodes=(2, 3), directory=tmp_path / "zwave", pace=FAST, serve=False) as network,
        Launcher(network, unit) as launcher,
    ):
        await launcher.wait_listening()
        drivers = f'[drivers.radio]\ntype = "zwave"\nurl = "{network.url}"\n'
        async with (
            daemon_process(tmp_path, drivers, hub="offline_grace_seconds = 0") as daemon,
            client_of_process(daemon) as client,
        ):
            found = await devices(client)
            assert {name: found[name]["properties"]["locked"] for name in (PLAIN, S2)} == {PLAIN: False, S2: False}

            killed = time.monotonic()
            launcher.kill()
            await network.op("keypad", node=2, locked=True, user=3)  # nobody hears it
            await until(lambda: is_cut_off(client), NOTICED)
            attempt = (await client.ok("/locks/lock_door", {"device_id": found[S2]["device_id"]}))["action_attempt"]
            assert attempt["error"]["detail"]["hop"] == "server"

            await until(lambda: healthy(client), 40.0)
            away = time.monotonic() - killed

            async def is_read_again() -> bool:
                return (await devices(client))[PLAIN]["properties"].get("locked") is True

            await until(is_read_again, 10.0)
            again = await devices(client)
            assert {name: one["device_id"] for name, one in again.items()} == {
                name: one["device_id"] for name, one in found.items()
            }
            assert again[S2]["properties"]["locked"] is False
            attempt = (await client.ok("/locks/lock_door", {"device_id": found[S2]["device_id"]}))["action_attempt"]
            assert attempt["status"] == "success"

            rows = (await client.ok("/hub/journal", {"limit": 1000}))["rows"]
            hops = [row for row in rows if row["type"] in {"hop.lost", "hop.back"}]
            assert [row["type"] for row in hops[-2:]] == ["hop.lost", "hop.back"]
            assert 0 < hops[-1]["body"]["away_seconds"] <= away
            events = (await client.ok("/events/list", {"event_type": "lock.locked"}))["events"]
            assert [event["device_id"] for event in events] == [found[PLAIN]["device_id"], found[S2]["device_id"]]
    assert "Beginning interview" not in await launcher.text()


async def is_cut_off(client: HttpCaller) -> bool:
    return all(
        [error["error_code"] for error in device["errors"]] == ["hub_disconnected"]
        for device in (await devices(client)).values()
    )
