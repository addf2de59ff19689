import asyncio

import pytest
from hubd_drivers.salto_space.sim.encoders import Encoder, Habit
from hubd_drivers.salto_space.sim.replies import RefusalError

from tests.support.clock import ManualClock


async def refused(encoder: Encoder, clock: ManualClock) -> int:
    with pytest.raises(RefusalError) as caught:
        await encoder.card(clock)
    return caught.value.code


async def test_a_card_is_awaited_and_a_second_request_finds_it_busy() -> None:
    encoder, clock = Encoder("E"), ManualClock()
    waiting = asyncio.create_task(encoder.card(clock))
    await encoder.waits.wait()
    assert await refused(encoder, clock) == 402
    encoder.present("04AB")
    assert await waiting == "04AB"
    assert not encoder.waits.is_set()
    assert await encoder.card(clock) == "04AB", "it still lies there"


async def test_nobody_comes() -> None:
    encoder, clock = Encoder("E", seconds=15), ManualClock()
    waiting = asyncio.create_task(refused(encoder, clock))
    await clock.advance(14.9)
    assert not waiting.done()
    await clock.advance(0.1)
    assert await waiting == 403


async def test_it_is_aborted_offline_or_broken() -> None:
    encoder, clock = Encoder("E"), ManualClock()
    waiting = asyncio.create_task(refused(encoder, clock))
    await encoder.waits.wait()
    encoder.abort()
    assert await waiting == 405
    encoder.abort()
    encoder.is_online = False
    assert await refused(encoder, clock) == 401
    encoder.is_online, encoder.is_broken = True, True
    encoder.present("04AB")
    assert await refused(encoder, clock) == 404
    encoder.take_away()


async def test_a_habit_brings_another_card_each_time() -> None:
    encoder, clock = Encoder("E", seconds=5), ManualClock()
    encoder.habit = Habit(3)
    cards = []
    for _ in range(2):
        waiting = asyncio.create_task(encoder.card(clock))
        await clock.advance(3)
        cards.append(await waiting)
    assert cards == ["04000000000001", "04000000000002"]
    encoder.habit = Habit(6, "04AB")
    waiting_in_vain = asyncio.create_task(refused(encoder, clock))
    await clock.advance(5)
    assert await waiting_in_vain == 403
