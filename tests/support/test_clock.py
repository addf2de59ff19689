import asyncio
from datetime import timedelta

import pytest

from tests.support.clock import NOON, ManualClock


async def test_time_stands_still_until_it_is_moved() -> None:
    clock = ManualClock()
    await asyncio.sleep(0.01)
    assert (clock.now(), clock.monotonic()) == (NOON, 1000.0)
    await clock.advance(2.5)
    assert (clock.now(), clock.monotonic()) == (NOON + timedelta(seconds=2.5), 1002.5)
    clock.step(-60)
    assert (clock.now(), clock.monotonic()) == (NOON - timedelta(seconds=57.5), 1002.5)


async def test_sleepers_wake_in_order_and_see_their_own_time() -> None:
    clock, woken = ManualClock(), list[tuple[str, float]]()

    async def sleeper(name: str, *naps: float) -> None:
        for nap in naps:
            await clock.sleep(nap)
            woken.append((name, clock.monotonic() - 1000))

    async with asyncio.TaskGroup() as group:
        group.create_task(sleeper("a", 3, 1))
        group.create_task(sleeper("b", 2, 2.5))
        group.create_task(sleeper("c", 0, -1))
        await clock.advance(3.5)
        assert woken == [("c", 0), ("c", 0), ("b", 2), ("a", 3)]
        assert clock.asleep == 2
        assert clock.next_due == 0.5
        await clock.advance(10)
    assert woken[4:] == [("a", 4), ("b", 4.5)]
    assert clock.next_due is None


async def test_timeout_falls_due() -> None:
    clock = ManualClock()

    async def wait() -> None:
        async with clock.timeout(5):
            await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await clock.advance(4.9)
    assert not task.done()
    await clock.advance(0.1)
    with pytest.raises(TimeoutError):
        await task


async def test_timeout_of_what_ended_in_time_is_forgotten() -> None:
    clock = ManualClock()
    async with clock.timeout(5):
        await clock.sleep(0)
    assert clock.asleep == 0
    await clock.advance(10)
    with pytest.raises(ValueError, match="its own"):
        async with clock.timeout(5):
            raise ValueError("its own")


async def test_timeout_of_nothing_is_due_at_once() -> None:
    with pytest.raises(TimeoutError):
        async with ManualClock().timeout(0):
            await asyncio.Event().wait()


async def test_cancelled_sleeper_is_forgotten() -> None:
    clock = ManualClock()
    task = asyncio.create_task(clock.sleep(5))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})
    assert clock.asleep == 0
    await clock.advance(10)
