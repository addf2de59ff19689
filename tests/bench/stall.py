"""How long the loop of the daemon is held up under load: the longest gap between two turns of a ticker on it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from time import perf_counter
from urllib.parse import urlsplit

from tests.bench import floor
from tests.bench.load import Job, apart
from tests.bench.rounds import Scale, compare
from tests.bench.sides import new_folder, virtual_site
from tests.bench.table import Line, Target
from tests.support.site import running_site

LOCKS = 100
CONCURRENT = 32
_TICK = 0.001


class Ticker:
    """Sleeps a millisecond again and again, and keeps the longest time by which it overslept."""

    def __init__(self) -> None:
        self.longest_ms = 0.0

    async def run(self) -> None:
        """Tick until cancelled."""
        last = perf_counter()
        while True:
            await asyncio.sleep(_TICK)
            now = perf_counter()
            self.longest_ms = max(self.longest_ms, (now - last - _TICK) * 1000)
            last = now


@contextlib.asynccontextmanager
async def _ticking() -> AsyncIterator[Ticker]:
    ticker = Ticker()
    task = asyncio.create_task(ticker.run())
    try:
        yield ticker
    finally:
        task.cancel()
        await asyncio.wait({task})


async def measure(folder: Path, scale: Scale) -> list[Line]:
    """Return one line. Hub and floor run in this process, one after the other; the load is a process of its own."""
    data = new_folder(folder / "stall")
    ours: list[float] = []
    theirs: list[float] = []
    async with (
        running_site(data, virtual_site(LOCKS), "requests_per_second = 1000000") as site,
        floor.serving(data) as bare,
    ):
        devices = tuple(site.hub.devices)
        for number in range(scale.rounds + 1):
            first = number * scale.concurrent
            paths = ("/locks/unlock_door", "/locks/lock_door")
            hub = Job(_port(site.url), site.token, paths, devices, first, scale.concurrent, CONCURRENT)
            twice = Job(_port(bare), "", (floor.TWICE, floor.TWICE), devices, first, scale.concurrent, CONCURRENT)
            for job, longest in ((hub, ours), (twice, theirs)):
                async with _ticking() as ticker:
                    await apart(job)
                longest.append(ticker.longest_ms)
    target = Target("≤", 20, "hub")
    return [compare(f"longest stall of the loop, {CONCURRENT} concurrent", "ms", ours[1:], theirs[1:], target)]


def _port(url: str) -> int:
    return urlsplit(url).port or 0
