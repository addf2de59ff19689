"""From the start of the process to its first answer, on a data directory that knows 1,000 devices."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from time import perf_counter

import aiohttp

from tests.bench import floor
from tests.bench.rounds import Scale, compare
from tests.bench.sides import HTTP, announced, locks_of, new_folder, virtual_site
from tests.bench.table import Line, Target
from tests.support.process import daemon_process

KNOWN = 1000


async def measure(folder: Path, scale: Scale) -> list[Line]:
    """Return one line; the first start, which finds the devices, is not counted."""
    hub_folder, floor_folder = new_folder(folder / "start-hub"), new_folder(folder / "start-floor")
    async with daemon_process(hub_folder, virtual_site(KNOWN), HTTP) as daemon:
        assert len(await locks_of(daemon)) == KNOWN
        await daemon.stop()
    hub = ("hubd", "run", "--config", str(daemon.config))
    bare = ("tests.bench.floor", str(floor_folder))
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(scale.starts):
        ours.append(await _seconds(hub, daemon.data_dir / "url", "/health"))
        theirs.append(await _seconds(bare, floor_folder / "url", floor.READY))
    target = Target("≤", 0.8, "hub")
    return [compare(f"start to first answer, {KNOWN} known devices", "s", ours, theirs, target)]


async def _seconds(module: tuple[str, ...], url: Path, path: str) -> float:
    await asyncio.to_thread(url.unlink, missing_ok=True)
    started = perf_counter()
    async with _process(module) as process:
        address = await announced(url, process)
        async with aiohttp.ClientSession() as session, session.get(address + path) as answer:
            await answer.read()
        return perf_counter() - started


@contextlib.asynccontextmanager
async def _process(module: tuple[str, ...]) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *module, stderr=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
