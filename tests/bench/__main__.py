"""`python -m tests.bench`: measure the hub beside its floor and print the table."""

import argparse
import asyncio
import os
import platform
import sqlite3
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp

from tests.bench import commands, events, memory, space, stall, start
from tests.bench.rounds import FULL, QUICK, Scale
from tests.bench.table import Line, as_json, render

ROOT = Path(__file__).parents[2]
PARTS: dict[str, Callable[[Path, Scale], Awaitable[list[Line]]]] = {
    "commands": commands.measure,
    "events": events.measure,
    "start": start.measure,
    "memory": memory.measure,
    "stall": stall.measure,
    "space": space.measure,
}


def _machine() -> dict[str, object]:
    return {
        "cpus": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "aiohttp": aiohttp.__version__,
    }


async def _measure(folder: Path, scale: Scale, parts: list[str]) -> list[Line]:
    lines: list[Line] = []
    for part in parts:
        print(f"measuring {part} …", file=sys.stderr, flush=True)
        lines += await PARTS[part](folder, scale)
    return lines


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)} (default: all)")
    arguments = parser.parse_args()
    parts = arguments.parts or list(PARTS)
    if unknown := set(parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    # Beside the sources, not in the machine's folder for temporary files: that one may be memory, where nothing syncs.
    home = ROOT / "artifacts"
    home.mkdir(exist_ok=True)
    machine = _machine()
    with tempfile.TemporaryDirectory(dir=home, prefix="bench-") as folder:
        lines = asyncio.run(_measure(Path(folder), QUICK if arguments.quick else FULL, parts))
    if arguments.json:
        print(as_json(lines, machine))
    else:
        print(render(lines))
        print(
            "\nmedians over rounds in which hub and floor take turns; "
            + ", ".join(f"{k} {v}" for k, v in machine.items())
        )


if __name__ == "__main__":
    main()
