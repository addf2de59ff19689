"""Doors of access control systems at the command line."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest_asyncio

from hubd.box import URL_FILE
from tests.house.tree import ROOT
from tests.support.access import AccessDriver, furnished, instance
from tests.support.site import LiveSite, eventually, running_site


@dataclass
class Desk:
    """A hub in this process, its access control system, and a command line."""

    site: LiveSite
    driver: AccessDriver
    config: Path

    async def run(self, *arguments: str) -> tuple[int | None, str, str]:
        """Run a command as a process; returns its status and what it printed."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "hubd", *arguments, "--config", str(self.config)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=ROOT,
        )
        out, err = await process.communicate()
        return process.returncode, out.decode(), err.decode()


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    data, config = tmp_path / "data", tmp_path / "hubd.toml"
    driver = AccessDriver(furnished())
    async with running_site(data) as site:
        await asyncio.to_thread(config.write_text, f'[hub]\ndata_dir = "{data}"\n')
        await asyncio.to_thread((data / URL_FILE).write_text, site.url + "\n")
        site.hub.add(instance(driver))
        await eventually(lambda: site.hub.health["space"].is_connected)
        yield Desk(site, driver, config)


async def test_a_door_is_unlocked_by_name_and_by_id(desk: Desk) -> None:
    assert await desk.run("unlock", "Lobby") == (0, "done: the lock confirmed it\n", "")
    (door,) = [d for d, r in desk.site.hub.devices.items() if r.device.description.native_id == "door-pool"]
    status, out, _ = await desk.run("unlock", door.upper(), "--json")
    told: dict[str, Any] = json.loads(out)
    assert (status, told["status"], told["action_type"]) == (0, "success", "UNLOCK_DOOR")
    assert desk.driver.system.openings == ["door-lobby", "door-pool"]


async def test_what_is_no_door_to_open(desk: Desk) -> None:
    status, _, err = await desk.run("unlock", "Shed")
    assert status == 1
    assert "not wired" in err
    status, _, err = await desk.run("lock", "Lobby")
    assert (status, err) == (1, "hubd: no managed lock is called 'Lobby'; see `hubd devices`\n")
    status, _, err = await desk.run("unlock", "Room 101")
    assert status == 1
    assert err.startswith("hubd: 2 locks are called 'Room 101'; say which: ")
    assert desk.driver.system.openings == []


async def test_doors_and_encoders_are_among_the_devices(desk: Desk) -> None:
    _, out, _ = await desk.run("devices")
    assert {"Lobby", "Shed", "Reception"} <= {line.split("  ")[1].strip() for line in out.splitlines()}
    desk.driver.caution("licence_missing", "Events are not licensed.", "Buy option 0018.")
    await desk.driver.lose("door-pool", "The door does not answer.")
    _, out, _ = await desk.run("devices")
    assert out.endswith("look at: space: Events are not licensed. Buy option 0018.\n")
    (line,) = [line for line in out.splitlines() if "  Pool " in line]
    assert line.endswith("The door does not answer.")
    _, out, _ = await desk.run("devices", "--json")
    found = {one["display_name"]: one for one in json.loads(out)}
    assert found["Pool"]["properties"]["online"] is False
    assert found["Lobby"]["device_type"] == "salto_space_entrance"
