import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from hubd.core.watch import LOOK_SECONDS, Watch
from tests.support.clock import ManualClock, settle


class House:
    """Devices with the times at which they are due, and who was looked at."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.watch = Watch(self.clock)
        self.due: dict[str, float] = {}
        self.seen: list[str] = []

    async def consider(self, device_id: str) -> None:
        self.seen.append(device_id)
        self.due.pop(device_id, None)

    def waits(self) -> list[tuple[str, float]]:
        return [(device_id, at - self.clock.monotonic()) for device_id, at in self.due.items()]

    def looked_at(self) -> list[str]:
        seen, self.seen = sorted(self.seen), []
        return seen


@pytest.fixture
async def house() -> AsyncIterator[House]:
    made = House()
    task = asyncio.create_task(made.watch.run(made.consider, made.waits))
    await settle()
    yield made
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_what_was_touched_is_looked_at_once(house: House) -> None:
    house.watch.touch("a", "b")
    house.watch.touch("a")
    await settle()
    assert house.looked_at() == ["a", "b"]
    await house.clock.advance(5 * LOOK_SECONDS)
    assert house.looked_at() == []


async def test_what_is_due_is_looked_at_then(house: House) -> None:
    house.due = {"a": house.clock.monotonic() + 3, "b": house.clock.monotonic() + 30}
    house.watch.touch()
    await house.clock.advance(2.9)
    assert house.looked_at() == []
    await house.clock.advance(0.2)
    assert house.looked_at() == ["a"]
    await house.clock.advance(27)
    assert house.looked_at() == ["b"]


async def test_a_due_time_that_came_nearer_unseen_is_noticed_within_the_longest_sleep(house: House) -> None:
    house.due = {"a": house.clock.monotonic() + 1000}
    house.watch.touch()
    await house.clock.advance(1)
    house.due = {"a": house.clock.monotonic()}
    await house.clock.advance(LOOK_SECONDS)
    assert house.looked_at() == ["a"]


async def test_with_nobody_to_look_after_nobody_is_woken(house: House) -> None:
    assert house.clock.asleep == 0
    house.watch.touch("a")
    await settle()
    assert (house.looked_at(), house.clock.asleep) == (["a"], 0)
