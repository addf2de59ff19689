import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from hubd_drivers.zwave.bolts import Bolts, Memory
from hubd_drivers.zwave.controller import ControllerWatch
from hubd_drivers.zwave.device import ZwaveDevice
from hubd_drivers.zwave.facts import STATUS_ALIVE, STATUS_DEAD
from hubd_drivers.zwave.failures import answer_lost
from hubd_drivers.zwave.revival import LONGEST, TICK_SECONDS, Revival

from hubd.driver.contract import RecordingPort
from hubd.model import Seen
from tests.drivers.zwave.fakes import HOME_ID, Answer, FakeLink, lock_node
from tests.support.clock import ManualClock

FIRST = 60.0


def lock(node_id: int, status: int = STATUS_DEAD) -> ZwaveDevice:
    return ZwaveDevice(lock_node(node_id, 0, status=status), f"lock-{node_id}", HOME_ID, None, 0.7)


@dataclass
class Site:
    link: FakeLink
    controller: ControllerWatch
    clock: ManualClock

    @property
    def pinged(self) -> list[object]:
        return [told["nodeId"] for name, told in self.link.sent if name == "node.ping"]


@asynccontextmanager
async def reviving(*devices: ZwaveDevice, seconds: float = FIRST, ping: Answer = None) -> AsyncIterator[Site]:
    clock = ManualClock()
    port, link = RecordingPort(clock=clock), FakeLink(ping=ping or {"responded": False}, is_failed_node={})

    async def publish(seen: list[Seen]) -> None:
        await port.publish(*seen)

    async with asyncio.TaskGroup() as tasks:
        watch = ControllerWatch(link, port, 1.0)
        bolts = Bolts(
            link=link, port=port, tasks=tasks, controller=watch, memory=Memory(), seconds=60.0, publish=publish
        )
        task = tasks.create_task(Revival(link, port, bolts, watch, seconds).run(lambda: devices))
        yield Site(link, watch, clock)
        task.cancel()


async def test_a_dead_node_is_asked_ever_more_rarely() -> None:
    async with reviving(lock(2), lock(3, STATUS_ALIVE)) as site:
        await site.clock.advance(FIRST)
        assert site.pinged == []
        await site.clock.advance(2 * TICK_SECONDS)
        assert site.pinged == [2]
        await site.clock.advance(FIRST)
        assert site.pinged == [2]
        await site.clock.advance(FIRST + 2 * TICK_SECONDS)
        assert site.pinged == [2, 2]
        await site.clock.advance(10 * LONGEST * FIRST)
        count = len(site.pinged)
        assert 10 <= count <= 16
        await site.clock.advance(LONGEST * FIRST + TICK_SECONDS)
        assert len(site.pinged) == count + 1


async def test_dead_nodes_are_asked_one_at_a_time() -> None:
    async with reviving(lock(2), lock(3), lock(4)) as site:
        await site.clock.advance(FIRST + TICK_SECONDS)
        assert len(site.pinged) == 1
        await site.clock.advance(2 * TICK_SECONDS)
        assert sorted(map(str, site.pinged)) == ["2", "3", "4"]


async def test_without_a_stick_nobody_is_asked_and_with_it_everybody_at_once() -> None:
    async with reviving(lock(2), lock(3)) as site:
        site.controller.port(is_open=False)
        await site.clock.advance(10 * FIRST)
        assert site.pinged == []
        assert await site.controller.check()
        await site.clock.advance(2 * TICK_SECONDS)
        assert sorted(map(str, site.pinged)) == ["2", "3"]


async def test_a_ping_that_fails_is_not_the_end() -> None:
    async with reviving(lock(2), ping=answer_lost()) as site:
        await site.clock.advance(5 * FIRST)
        assert len(site.pinged) >= 2


async def test_none_is_asked_where_the_site_does_not_want_it() -> None:
    async with reviving(lock(2), seconds=0) as site:
        await site.clock.advance(10 * FIRST)
        assert site.pinged == []
