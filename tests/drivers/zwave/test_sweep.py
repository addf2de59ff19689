import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from hubd_drivers.zwave.bolts import Bolts, Memory
from hubd_drivers.zwave.controller import ControllerWatch
from hubd_drivers.zwave.device import ZwaveDevice
from hubd_drivers.zwave.facts import STATUS_DEAD
from hubd_drivers.zwave.sweep import BUSY_SECONDS, Sweep

from hubd.driver.contract import RecordingPort
from hubd.model import Seen
from tests.drivers.zwave.fakes import HOME_ID, FakeLink, lock_node
from tests.support.clock import ManualClock

SCHLAGE = {"manufacturerId": 0x3B, "productType": 1, "productId": 0x469}
INTERVAL = 60.0


def lock(node_id: int, **more: object) -> ZwaveDevice:
    return ZwaveDevice(lock_node(node_id, 0, **{**SCHLAGE, **more}), f"lock-{node_id}", HOME_ID, None, 0.7)


@dataclass
class Site:
    sweep: Sweep
    bolts: Bolts
    link: FakeLink
    memory: Memory
    clock: ManualClock

    @property
    def asked(self) -> list[object]:
        return [told["nodeId"] for name, told in self.link.sent if name == "node.poll_value"]


@asynccontextmanager
async def sweeping(*locks: ZwaveDevice, seconds: float = INTERVAL) -> AsyncIterator[Site]:
    clock = ManualClock()
    port, link, memory = RecordingPort(clock=clock), FakeLink(poll_value={"value": 0}), Memory()

    async def publish(seen: list[Seen]) -> None:
        await port.publish(*seen)

    async with asyncio.TaskGroup() as tasks:
        watch = ControllerWatch(link, port, 1.0)
        bolts = Bolts(link=link, port=port, tasks=tasks, controller=watch, memory=memory, seconds=60.0, publish=publish)
        sweep = Sweep(port, bolts, memory, seconds)
        task = tasks.create_task(sweep.run(lambda: locks))
        yield Site(sweep, bolts, link, memory, clock)
        task.cancel()


async def test_each_lock_is_asked_once_in_an_interval_and_not_all_at_once() -> None:
    async with sweeping(lock(2), lock(3), lock(4)) as site:
        await site.clock.advance(INTERVAL - 1)
        assert site.asked == []
        for count in (1, 2, 3):
            await site.clock.advance(INTERVAL / 3)
            assert len(site.asked) == count
        assert set(site.asked) == {2, 3, 4}
        await site.clock.advance(INTERVAL)
        assert len(site.asked) == 6


async def test_a_lock_that_was_heard_is_left_alone() -> None:
    heard = lock(2)
    async with sweeping(heard, lock(3)) as site:
        for _ in range(12):
            await site.clock.advance(INTERVAL / 4)
            site.sweep.heard(heard)
        assert set(site.asked) == {3}


async def test_locks_that_report_are_not_asked() -> None:
    reporting, other = lock(3), lock(4, productId=1)
    dead = lock(5, status=STATUS_DEAD)
    async with sweeping(lock(2), reporting, other, dead) as site:
        site.memory.talkative.add(reporting.native_id)
        await site.clock.advance(3 * INTERVAL)
        assert site.asked == [2, 2, 2]


async def test_an_order_goes_first() -> None:
    async with sweeping(lock(2)) as site:
        await site.clock.advance(INTERVAL - 1)
        order = asyncio.create_task(site.bolts.move(lock(3), target=True))
        await site.clock.advance(2 * BUSY_SECONDS)
        assert site.bolts.is_busy
        assert site.asked == []
        order.cancel()
        await asyncio.wait({order})
        site.bolts.forget(lock(3))
        await site.clock.advance(BUSY_SECONDS)
        assert site.asked == [2]


async def test_none_is_asked_where_the_site_wants_none() -> None:
    async with sweeping(lock(2), seconds=0) as site:
        await site.clock.advance(10 * INTERVAL)
        assert site.asked == []
