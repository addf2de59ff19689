"""When the trail is read."""

import asyncio

import pytest
from hubd_drivers.salto_space.nudge import AFTER_SECONDS, HINT_SECONDS, Nudge

from tests.support.clock import ManualClock, settle

TURN = 10.0


class Reader:
    """Notes when it reads."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.nudge = Nudge(self.clock)
        self.began = self.clock.monotonic()
        self.reads: list[float] = []

    async def run(self) -> None:
        while True:
            await self.nudge.wait(TURN)
            self.reads.append(round(self.clock.monotonic() - self.began, 3))


@pytest.fixture
async def reader() -> Reader:
    return Reader()


async def pass_time(reader: Reader, seconds: float, steps: int = 1) -> None:
    for _ in range(steps):
        await reader.clock.advance(seconds / steps)


async def test_in_turn(reader: Reader) -> None:
    task = asyncio.create_task(reader.run())
    await pass_time(reader, 30)
    assert reader.reads == [10, 20, 30]
    task.cancel()


async def test_at_once_after_an_order_and_once_more(reader: Reader) -> None:
    task = asyncio.create_task(reader.run())
    await pass_time(reader, 3)
    reader.nudge.ordered()
    await settle()
    await pass_time(reader, 9)
    assert reader.reads == [3, 3 + AFTER_SECONDS]
    task.cancel()


async def test_a_flood_of_hints_is_one_reading_per_second(reader: Reader) -> None:
    task = asyncio.create_task(reader.run())
    await settle()
    for _ in range(100):
        reader.nudge.hint()
        await pass_time(reader, 0.05)
    assert len(reader.reads) <= 5 / HINT_SECONDS + 1
    assert reader.reads[0] == 0, "the first one at once"
    before = len(reader.reads)
    reader.nudge.hint()
    await pass_time(reader, HINT_SECONDS)
    assert len(reader.reads) > before, "and the last one is not lost"
    task.cancel()


async def test_what_came_while_the_trail_was_read_counts(reader: Reader) -> None:
    reader.nudge.ordered()
    async with asyncio.timeout(1):
        await reader.nudge.wait(TURN)
