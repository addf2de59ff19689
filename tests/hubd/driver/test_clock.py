import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from hubd.driver import Clock, SystemClock


def test_the_wall_clock_is_aware_and_in_utc() -> None:
    clock: Clock = SystemClock()
    assert clock.now().tzinfo is UTC
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=1)
    assert abs(clock.monotonic() - time.monotonic()) < 1


@pytest.mark.parametrize(("seconds", "least"), [(0.02, 0.02), (0, 0), (-5, 0)])
async def test_sleep(seconds: float, least: float) -> None:
    clock = SystemClock()
    start = clock.monotonic()
    await clock.sleep(seconds)
    assert least <= clock.monotonic() - start < least + 1


@pytest.mark.parametrize("seconds", [0.02, 0, -5])
async def test_timeout(seconds: float) -> None:
    with pytest.raises(TimeoutError):
        async with SystemClock().timeout(seconds):
            await asyncio.sleep(5)


async def test_timeout_of_what_ends_in_time() -> None:
    ended = False
    async with SystemClock().timeout(5):
        await asyncio.sleep(0)
        ended = True
    assert ended
