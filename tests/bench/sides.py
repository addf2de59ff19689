"""The two sides of every comparison: the hub as a process, and its floor as a process."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec
import psutil

from tests.bench import floor
from tests.bench.load import Job, Result, apart
from tests.support.process import START_SECONDS, DaemonProcess, daemon_process

HTTP = "port = 0\nrequests_per_second = 1000000"
_LOOK_AGAIN = 0.001


class Side(msgspec.Struct):
    """A running server and the orders that it takes."""

    url: str
    pid: int
    token: str
    paths: tuple[str, str]
    devices: tuple[str, ...]
    ordered: int = 0

    async def order(self, orders: int, connections: int) -> Result:
        """Send so many orders, going on where the last ones ended."""
        port = urlsplit(self.url).port or 0
        job = Job(port, self.token, self.paths, self.devices, self.ordered, orders, connections)
        self.ordered += orders
        return await apart(job)

    @property
    def rss_mb(self) -> float:
        """Resident memory of the process, in MB of 2**20 bytes."""
        return float(psutil.Process(self.pid).memory_info().rss) / 2**20


def new_folder(path: Path) -> Path:
    """Make a folder and return it."""
    path.mkdir()
    return path


def virtual_site(locks: int) -> str:
    """Return a driver table: so many locks that answer at once."""
    return f'[drivers.site]\ntype = "virtual"\nlocks = {locks}\nthermostats = 0\nlatency_ms = 0\n'


@contextlib.asynccontextmanager
async def hub(folder: Path, drivers: str) -> AsyncIterator[Side]:
    """Run the hub in `folder`; enters once its driver is connected."""
    async with daemon_process(new_folder(folder), drivers, HTTP) as daemon:
        devices = await locks_of(daemon)
        yield Side(daemon.url, daemon.pid, daemon.token, ("/locks/unlock_door", "/locks/lock_door"), devices)


async def locks_of(daemon: DaemonProcess) -> tuple[str, ...]:
    """Wait until every driver is connected, then return the ids of the managed locks."""
    async with asyncio.timeout(START_SECONDS):
        while not (await call(daemon, "/health"))["ok"]:  # noqa: ASYNC110 - another process cannot set an event
            await asyncio.sleep(0.01)
    return tuple(lock["device_id"] for lock in (await call(daemon, "/locks/list"))["locks"])


async def call(daemon: DaemonProcess, path: str) -> dict[str, Any]:
    """Ask a hub."""
    headers = {"authorization": f"Bearer {daemon.token}"}
    async with aiohttp.ClientSession(headers=headers) as session, session.get(daemon.url + path) as response:
        return dict(await response.json())


@contextlib.asynccontextmanager
async def floor_process(folder: Path, devices: int, path: str = floor.TWICE) -> AsyncIterator[Side]:
    """Run the floor in `folder`."""
    names = tuple(f"00000000-0000-4000-8000-{number:012}" for number in range(devices))
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.bench.floor", str(new_folder(folder)))
    try:
        url = await announced(folder / "url", process)
        yield Side(url, process.pid, "", (path, path), names)
    finally:
        process.kill()
        await process.wait()


async def announced(path: Path, process: asyncio.subprocess.Process) -> str:
    """Wait for the file in which a server says where it listens."""
    deadline = perf_counter() + START_SECONDS
    while not (url := _read(path)):
        assert process.returncode is None, "the server ended before it was ready"
        assert perf_counter() < deadline, "the server was not ready in time"
        await asyncio.sleep(_LOOK_AGAIN)
    return url


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip() if path.exists() else ""
