"""Durable events through the door for facts, beside rows of the same bodies through the floor's writer."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import perf_counter

import msgspec

from hubd.core.hub import Hub
from hubd.model import LockSeen
from hubd.model.event import LockChanged
from tests.bench.floor import Row, Writer
from tests.bench.rounds import Scale, compare
from tests.bench.sides import new_folder, virtual_site
from tests.bench.table import Line, Target
from tests.support.site import running_site

LOCKS = 100
PUBLISHERS = 256
BATCH = 50
INSTANCE = "site"

type Publish = Callable[[int, int], Awaitable[None]]
"""Makes so many events durable, from this number on."""


async def measure(folder: Path, scale: Scale) -> list[Line]:
    """Return the lines for single events and for batches."""
    lines: list[Line] = []
    for name, publishers, batch, target in (
        (f"events, {PUBLISHERS} publishers, one each", PUBLISHERS, 1, Target("≥", 10_000, "hub")),
        (f"events, 8 publishers, {BATCH} each", 8, BATCH, None),
    ):
        ours: list[float] = []
        theirs: list[float] = []
        data = new_folder(folder / f"events-{batch}")
        async with running_site(data, virtual_site(LOCKS)) as site:
            writer = Writer(data / "floor.sqlite")
            try:
                sides = [(_through_the_door(site.hub), ours), (_through_the_floor(writer), theirs)]
                for number in range(scale.rounds):
                    for publish, rates in sides if number % 2 else reversed(sides):
                        rates.append(await _rate(publish, publishers, batch, scale.events))
            finally:
                await writer.close()
            assert site.hub.journal.head >= scale.rounds * scale.events, "not every reading became an event"
        lines.append(compare(name, "/s", ours, theirs, target))
    return lines


async def _rate(publish: Publish, publishers: int, batch: int, events: int) -> float:
    turns = math.ceil(events / (publishers * batch))

    async def publisher(place: int) -> None:
        for turn in range(turns):
            await publish((turn * publishers + place) * batch, batch)

    started = perf_counter()
    async with asyncio.TaskGroup() as group:
        for place in range(publishers):
            group.create_task(publisher(place))
    return publishers * batch * turns / (perf_counter() - started)


def _through_the_door(hub: Hub) -> Publish:
    """Somebody turns the locks by hand, one after the other: each reading is news."""

    async def publish(first: int, count: int) -> None:
        seen = tuple(
            LockSeen(native_id=f"lock-{number % LOCKS + 1}", locked=number // LOCKS % 2 == 0, method="manual")
            for number in range(first, first + count)
        )
        await hub.publish(INSTANCE, seen)

    return publish


def _through_the_floor(writer: Writer) -> Publish:
    body = msgspec.json.encode(LockChanged(locked=True, method="manual"))
    device = "00000000-0000-4000-8000-000000000000"

    async def publish(first: int, count: int) -> None:
        rows: list[Row] = [("lock.changed", device, number, body) for number in range(first, first + count)]
        await writer.write(rows)

    return publish
