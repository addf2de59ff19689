"""Many codes on many locks: counted in exchanges and in turns of the loop, so that it holds on any machine."""

import logging
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from blockbuster import BlockBuster

from hubd.core.codes.wishes import Wish
from hubd.model import KeypadCapability, UnlockDoor
from hubd.store.codes import CodeRecord
from tests.sims.locks import SimLock
from tests.support.virtual import allow_blocking, run_on_virtual_time
from tests.support.year import Year

HOUR = 3600


@pytest.fixture(scope="module", autouse=True)
def _no_time_passes(nothing_blocks: BlockBuster) -> None:
    allow_blocking(nothing_blocks)


def on_a_site_of(locks: int, main: Callable[[Year], Awaitable[None]], slots: int = 10) -> None:
    async def run(folder: Path) -> None:
        keypad = KeypadCapability(slots=slots)
        year = Year(folder / "year.db", [SimLock(str(101 + number), keypad) for number in range(locks)])
        await year.start()
        try:
            await main(year)
        finally:
            await year.stop()

    with tempfile.TemporaryDirectory() as folder:
        run_on_virtual_time(lambda: run(Path(folder)))


async def wish(year: Year, starts_in: float | None = None, lasts: float = HOUR) -> Sequence[CodeRecord]:
    """Wish a code on every lock."""
    hub = year.hub
    assert hub is not None
    start = None if starts_in is None else year.whole(starts_in)
    end = None if start is None else start + timedelta(seconds=lasts)
    return await hub.codes.create([Wish(device_id=d, starts_at=start, ends_at=end) for d in hub.devices], "test")


def set_now(year: Year) -> int:
    return sum(bool(lock.slots) for lock in year.locks)


def test_two_hundred_codes_take_two_hundred_exchanges() -> None:
    async def main(year: Year) -> None:
        await year.wait(200 * 10 + 600)
        assert year.network.exchanges == 2000, "each slot was read once"
        began = year.loop.time()
        await wish(year)
        assert year.loop.time() == began, "accepted without waiting for a lock"
        await year.wait(199)
        assert set_now(year) < 200
        await year.wait(20)
        assert set_now(year) == 200
        assert (sum(lock.sets for lock in year.locks), sum(lock.clears for lock in year.locks)) == (200, 0)
        assert year.network.exchanges - 2000 <= 200 + 20, "one exchange for each, and the sweep"

    on_a_site_of(200, main)


def test_two_hundred_check_outs_take_one_exchange_each_and_hold_no_order_up() -> None:
    async def main(year: Year) -> None:
        hub = year.hub
        assert hub is not None
        await year.wait(200 * 10 + 600)
        codes = await wish(year)
        await year.wait(240)
        assert set_now(year) == 200
        before = year.network.exchanges
        for code in codes:
            await hub.codes.delete(code.code_id, "test")
            await year.wait(60 / 200)
        assert hub.codes.backlog("radio").steps > 100
        waited = await _order(year)
        assert waited <= 2 * year.network.latency, "an order waits for the exchange under way at most"
        await year.wait(160)
        assert set_now(year) == 0
        assert sum(lock.clears for lock in year.locks) == 200
        assert year.network.exchanges - before <= 200 + 1 + 20

    on_a_site_of(200, main)


def test_a_sweep_holds_no_order_up() -> None:
    async def main(year: Year) -> None:
        await year.wait(5)
        for _ in range(10):
            assert await _order(year) <= 2 * year.network.latency
            await year.wait(0.7)
        assert year.locks[0].reads < 30, "it was reading all the while"

    on_a_site_of(1, main, slots=30)


async def _order(year: Year) -> float:
    """Unlock the last lock, which the network here does not do, and return how long that took."""
    hub = year.hub
    assert hub is not None
    device_id, record = list(hub.devices.items())[-1]
    order = UnlockDoor(device_id=device_id, native_id=record.device.description.native_id)
    began = year.loop.time()
    await hub.submit(order, "test", wait_seconds=15)
    return year.loop.time() - began


def test_stored_codes_cost_nothing_while_nothing_is_due(caplog: pytest.LogCaptureFixture) -> None:
    async def main(year: Year) -> None:
        hub = year.hub
        assert hub is not None
        await year.wait(50 * 40 + 600)
        for _ in range(30):
            await wish(year, 30 * 86_400)
        before, turns = year.network.exchanges, year.loop.jumps
        await year.wait(HOUR)
        assert year.network.exchanges - before <= 50 * 40 / 24 + 2, "nothing but the sweep"
        assert year.loop.jumps - turns < 4 * (HOUR / 5 + HOUR / 10) + 20 * 50 * 40 / 24, (
            "a look now and then, and the sweep"
        )

    caplog.set_level(logging.WARNING)
    on_a_site_of(50, main, slots=40)
