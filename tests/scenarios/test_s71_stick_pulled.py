"""S71, the radio stick is pulled: the hub says so, names the hop, and all heals when the stick is back.

The stick is a serial device under a name that lasts, as udev gives one; the kernel's own name for it changes.
"""

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.hubd.api.caller import HttpCaller
from tests.scenarios.client import client_of_process, devices, healthy, until
from tests.sims.zwave.fixtures import CacheFor
from tests.sims.zwave.harness import FAST, ZwaveNetwork
from tests.sims.zwave.launcher import Launcher, serial_stick
from tests.support.process import daemon_process

pytestmark = [pytest.mark.scenario, pytest.mark.node, pytest.mark.timeout(150)]

LOCK = "Door lock 7e570001-2"
NOTICED = 10.0
"""Seconds within which a dead hop must show."""
GRACE = 8
"""Seconds; longer than a blip with the two questions to the stick around it, shorter than zwave-js's own patience."""
BLIP = 1.0


async def test_a_stick_that_blips_and_one_that_comes_back_under_another_number(
    zwave_cache: CacheFor, tmp_path: Path
) -> None:
    cache, unit = await asyncio.to_thread(zwave_cache, (2, 3)), tmp_path / "unit"
    await asyncio.to_thread(shutil.copytree, cache, unit / "state" / "cache")
    async with (
        ZwaveNetwork(nodes=(2, 3), directory=tmp_path / "zwave", pace=FAST, serve=False) as network,
        serial_stick(network, tmp_path / "usb-Maker_Stick-if00") as stick,
        Launcher(network, unit, str(stick.name)) as launcher,
    ):
        await launcher.wait_listening()
        drivers = f'[drivers.radio]\ntype = "zwave"\nurl = "{network.url}"\n'
        async with (
            daemon_process(tmp_path, drivers, hub=f"offline_grace_seconds = {GRACE}") as daemon,
            client_of_process(daemon) as client,
        ):
            found = await devices(client)
            before = await asyncio.to_thread(stick.name.resolve)
            await stick.pull()
            await asyncio.sleep(BLIP)
            await stick.plug()
            await launcher.wait_said("Serial port reopened")
            await until(lambda: obeys(client, found, locked=True), 30.0)
            assert launcher.ended == [], "the server held out"
            assert await hops(client) == []

            pulled = time.monotonic()
            await stick.pull()
            await until(lambda: is_cut_off(client), NOTICED)
            assert time.monotonic() - pulled < NOTICED
            await network.op("manual", node=2, locked=False)
            await launcher.wait_said(f"waiting for the Z-Wave stick: nothing is plugged in as {stick.name}")
            assert launcher.ended == [1]

            async with another_serial_device():
                assert await stick.plug() != str(before), "renamed by the kernel"
                await until(lambda: healthy(client), 60.0)
            await until(lambda: obeys(client, found, locked=False), 30.0)
            *lost, back = await hops(client)  # the stick, then perhaps the server that ended for want of it
            assert {row["type"] for row in lost} == {"hop.lost"}
            told = [row["event_type"] for row in (*lost, back) if row["event_type"] is not None]
            assert told == ["connected_account.disconnected", "connected_account.connected"]
            assert 0 < back["body"]["away_seconds"] < time.monotonic() - pulled
            assert launcher.ended == [1], "started again once, not in a loop"


async def is_cut_off(client: HttpCaller) -> bool:
    """Tell whether every lock is offline because of the stick, by name."""
    found = (await devices(client)).values()
    errors = [error for device in found for error in device["errors"]]
    return len(errors) == len(found) and all("stick" in error["message"] for error in errors)


async def obeys(client: HttpCaller, found: dict[str, dict[str, Any]], *, locked: bool) -> bool:
    """Tell whether the same devices are there again and the lock does what it is told."""
    assert {name: one["device_id"] for name, one in (await devices(client)).items()} == {
        name: one["device_id"] for name, one in found.items()
    }
    path = "/locks/lock_door" if locked else "/locks/unlock_door"
    attempt = (await client.ok(path, {"device_id": found[LOCK]["device_id"]}))["action_attempt"]
    return bool(attempt["status"] == "success")


async def hops(client: HttpCaller) -> list[dict[str, Any]]:
    """Return what the journal tells of hops, after the first connection."""
    rows = (await client.ok("/hub/journal", {"limit": 1000}))["rows"]
    return [row for row in rows if row["type"] in {"hop.lost", "hop.back"}][1:]


@asynccontextmanager
async def another_serial_device() -> AsyncIterator[None]:
    """Take the number that the stick had."""
    ends = await asyncio.to_thread(os.openpty)
    try:
        yield
    finally:
        for end in ends:
            os.close(end)
