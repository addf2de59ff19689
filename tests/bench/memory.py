"""Resident memory of the process, once it has settled."""

import asyncio
from importlib.util import find_spec
from pathlib import Path

import psutil

from tests.bench.rounds import Scale
from tests.bench.sides import HTTP, floor_process, hub, new_folder, virtual_site
from tests.bench.table import Line, Target
from tests.support.process import DaemonProcess, daemon_process

TARGETS = {16: None, 100: Target("≤", 60, "hub"), 1000: Target("≤", 75, "hub")}
#: Nobody listens on the discard port: the driver is loaded, and tries and tries.
_ZWAVE = '[drivers.radio]\ntype = "zwave"\nurl = "ws://127.0.0.1:9"\n'


async def measure(folder: Path, scale: Scale) -> list[Line]:
    """Return a line for each size of site, and one for what the Z-Wave client adds."""
    async with floor_process(folder / "memory-floor", 1) as bare:
        await asyncio.sleep(scale.settle_seconds)
        floor = bare.rss_mb
    lines: list[Line] = []
    for locks, target in TARGETS.items():
        async with hub(folder / f"memory-{locks}", virtual_site(locks)) as ours:
            await asyncio.sleep(scale.settle_seconds)
            found = ours.rss_mb
        line = Line(
            metric=f"memory, {locks} virtual locks",
            unit="MB",
            hub=found,
            floor=floor,
            ratio=found / floor,
            target=target,
        )
        lines.append(line)
    if find_spec("zwave_js_server") is not None:
        lines.append(await _zwave(folder, scale))
    return lines


async def _zwave(folder: Path, scale: Scale) -> Line:
    without = await _of_daemon(folder / "memory-none", "", scale)
    with_it = await _of_daemon(folder / "memory-zwave", _ZWAVE, scale)
    target = Target("≤", 20, "hub")
    return Line(metric="memory, Z-Wave client besides", unit="MB", hub=with_it - without, target=target)


async def _of_daemon(folder: Path, drivers: str, scale: Scale) -> float:
    async with daemon_process(new_folder(folder), drivers, HTTP) as daemon:
        await asyncio.sleep(scale.settle_seconds)
        return _rss_mb(daemon)


def _rss_mb(daemon: DaemonProcess) -> float:
    return float(psutil.Process(daemon.pid).memory_info().rss) / 2**20
