"""A site of 5,000 people and 800 doors behind ProAccess Space: reading it, keeping up with it, opening a door of it.

The server is the simulated one, in this process. The floor of a reading is a bare client that asks for the same pages,
parses them with the standard library, and keeps nothing; that of the parser is the standard library's.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any
from xml.etree import ElementTree as ET

import psutil
from hubd_drivers.salto_space import document
from hubd_drivers.salto_space import messages as ship
from hubd_drivers.salto_space.codec import FrameReader, encode
from hubd_drivers.salto_space.people import GROUP_LISTS, USER_LISTS
from hubd_drivers.salto_space.sim import Space, Stp, big_site, demo_site
from hubd_drivers.salto_space.sim.schema import ENTITIES

from hubd.model.command import UnlockDoor
from tests.bench.rounds import Scale, compare
from tests.bench.sides import HTTP, new_folder
from tests.bench.table import Line, Target
from tests.scenarios.client import client_of_process, settled
from tests.scenarios.space import INSTANCE, premises, served, table
from tests.support.process import DaemonProcess, daemon_process

USERS, DOORS = 5000, 800
FIELD: dict[str, Any] = {"poll_seconds": 5.0, "audit_seconds": 10.0, "sync_seconds": 300.0, "timeout": 10.0}
"""What a site has that sets nothing."""
HASTE = 20.0
"""By how much time is pressed where the requests of a quiet site are counted."""
POLLS = 40
ROUNDS = 3
OPEN = "OnlineDoor.Open"
_PAGE = 500

type Ask = Callable[[str], ship.Request]


async def measure(folder: Path, scale: Scale) -> list[Line]:
    """Return a line for each target."""
    site = await asyncio.to_thread(big_site, USERS, DOORS)
    async with served(Stp(), site) as space:
        lines = await _reading(folder, space, scale)
        lines += await _parsing(space.port)
    return [*lines, await _quiet(folder / "quiet"), *await _opening(folder / "opening", scale)]


# -- the first reading -------------------------------------------------------------------------------------------------


async def _reading(folder: Path, space: Space, scale: Scale) -> list[Line]:
    """Time from the process being ready until all is read and durable, and what it weighs afterwards."""
    drivers = await table(space, Stp(), folder, **FIELD)
    async with daemon_process(new_folder(folder / "space-none"), "", HTTP) as daemon:
        await asyncio.sleep(scale.settle_seconds)
        without = _rss_mb(daemon)
    async with served(Stp(), await asyncio.to_thread(demo_site)) as small:
        one = await table(small, Stp(), folder, **FIELD)
        async with _first_start(folder / "space-small", one) as (daemon, _):
            await asyncio.sleep(scale.settle_seconds)
            driver = _rss_mb(daemon) - without
    ours, theirs, weights = [], [], []
    for number in range(ROUNDS):
        async with _first_start(folder / f"space-{number}", drivers, USERS) as (daemon, seconds):
            ours.append(seconds)
            await asyncio.sleep(scale.settle_seconds)
            weights.append(_rss_mb(daemon) - without - driver)
        started = perf_counter()
        await _bare(space.port)
        theirs.append(perf_counter() - started)
    return [
        compare(f"first reading, {USERS:,} users, {DOORS} doors", "s", ours, theirs, Target("≤", 10.0, "hub")),
        Line(metric="memory, Salto driver besides", unit="MB", hub=driver),
        Line(metric="memory, that site besides", unit="MB", hub=median(weights), target=Target("≤", 25, "hub")),
    ]


@asynccontextmanager
async def _first_start(
    folder: Path, drivers: str, users: int | None = None
) -> AsyncIterator[tuple[DaemonProcess, float]]:
    async with daemon_process(new_folder(folder), drivers, HTTP) as daemon:
        started = perf_counter()
        async with client_of_process(daemon) as client:
            seconds = perf_counter() - started
            (system,) = (await client.ok("/acs/systems/list"))["acs_systems"]
            assert users in {None, system["acs_user_count"]}
        yield daemon, seconds


def _rss_mb(daemon: DaemonProcess) -> float:
    return float(psutil.Process(daemon.pid).memory_info().rss) / 2**20


async def _bare(port: int) -> list[bytes]:
    """Ask for the pages of every list in turn, and parse them; returns them."""
    asks: list[Ask] = [
        lambda start: ship.list_users(_PAGE, start, USER_LISTS),
        lambda start: ship.list_groups(_PAGE, start, GROUP_LISTS),
        lambda start: ship.list_zones(_PAGE, start, doors=True),
        lambda start: ship.list_doors(ship.DoorKind.DOOR, _PAGE, start),
        lambda start: ship.list_doors(ship.DoorKind.ROOM, _PAGE, start),
        lambda start: ship.list_doors(ship.DoorKind.SUITE, _PAGE, start),
        lambda start: ship.list_doors(ship.DoorKind.LOCKER, _PAGE, start),
    ]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    pages = []
    try:
        for ask in asks:
            start: str | None = ""
            while start is not None:
                pages.append(await _asked(reader, writer, ask(start)))
                start = _next(ET.fromstring(pages[-1]))  # noqa: S314 - our own server
    finally:
        writer.close()
        await writer.wait_closed()
    return pages


def _next(root: ET.Element) -> str | None:
    """Return the id that a list goes on from."""
    records = root.find("Params/*")
    if records is None or root.findtext("Params/EOF") == "1":
        return None
    return records[-1].findtext(ENTITIES[records.tag.removeprefix("SaltoDB").removesuffix("List")].id)


async def _asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: ship.Request) -> bytes:
    writer.write(encode(request.body, "00"))
    frames = FrameReader()
    while (frame := frames.next()) is None:
        frames.feed(await reader.read(2**16))
    return frame.body


async def _parsing(port: int) -> list[Line]:
    """How fast those pages become elements, in MB (10**6 bytes) per second."""
    pages = await _bare(port)
    size = sum(map(len, pages)) / 10**6
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(2 * ROUNDS):
        ours.append(size / _seconds(document.parse, pages))
        theirs.append(size / _seconds(ET.fromstring, pages))
    return [compare(f"parser, {size:.0f} MB of pages", "MB/s", ours, theirs, Target("≥", 5, "hub"))]


def _seconds(parse: Callable[[bytes], object], pages: list[bytes]) -> float:
    started = perf_counter()
    for page in pages:
        parse(page)
    return perf_counter() - started


# -- keeping up --------------------------------------------------------------------------------------------------------


async def _quiet(folder: Path) -> Line:
    """Count the requests of a quiet site for each poll of its doors, with time pressed together."""
    site = await asyncio.to_thread(big_site, USERS, DOORS)
    pace = {name: seconds / HASTE for name, seconds in FIELD.items() if name.endswith("_seconds")}
    async with premises(folder, Stp(), site=site, **pace) as home:
        counters = home.space.counters
        await asyncio.sleep(1.0)
        counters.clear()
        await asyncio.sleep(POLLS * pace["poll_seconds"])
        polls = counters.requests["OnlineDoor.GetOnlineStatusList"]
        found = counters.total / polls
    return Line(metric="requests of a quiet site per poll", unit="", hub=found, target=Target("≤", 3, "hub"))


# -- a door ------------------------------------------------------------------------------------------------------------


async def _opening(folder: Path, scale: Scale) -> list[Line]:
    """Time until the server has the request: from the driver's `execute`, and from an order to the hub."""
    by_driver, by_hub = [], []
    async with premises(folder, Stp(), **FIELD) as home:
        site, hub = home.floor, home.live.hub
        door_id = site.door_id("Main entrance")
        order = UnlockDoor(device_id=(await home.entrance("Main entrance"))["acs_entrance_id"], native_id=door_id)
        driver = hub.instances[INSTANCE].driver
        for _ in range(10 * scale.rounds):
            hold, started = home.space.faults.hold(OPEN), perf_counter()
            under_way = asyncio.create_task(driver.execute(order))
            await hold.reached.wait()
            by_driver.append(1000 * (perf_counter() - started))
            hold.release()
            await under_way
            hold, started = home.space.faults.hold(OPEN), perf_counter()
            request_id = await hub.submit(order, "bench")
            await hold.reached.wait()
            by_hub.append(1000 * (perf_counter() - started))
            hold.release()
            await settled(home.client, request_id)
    target = Target("≤", 5, "hub")
    return [
        Line(metric="order at the driver to its request", unit="ms", hub=median(by_driver), target=target),
        Line(metric="order at the hub, durable, to its request", unit="ms", hub=median(by_hub)),
    ]
