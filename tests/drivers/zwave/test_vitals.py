import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest
from hubd_drivers.zwave.device import ZwaveDevice
from hubd_drivers.zwave.facts import STATUS_ASLEEP, Statistics, ValueId
from hubd_drivers.zwave.failures import answer_lost
from hubd_drivers.zwave.vitals import CHECK_SECONDS, DOUBT_SECONDS, LINK_SECONDS, Vitals, lost_ratio

from hubd.driver.contract import RecordingPort
from hubd.model import BatterySeen, LinkSeen, ReachabilitySeen, Seen
from tests.drivers.zwave.fakes import HOME_ID, FakeLink, lock_node, node, value
from tests.support.clock import NOON, ManualClock

STATISTICS = Statistics(sent=8, unsent=2, unanswered=1, round_trip_ms=40.0, signal_dbm=-70.0, repeaters=(7,))


@dataclass
class Site:
    vitals: Vitals
    link: FakeLink
    port: RecordingPort
    clock: ManualClock

    def links(self) -> list[LinkSeen]:
        return [seen for seen in self.port.seen if isinstance(seen, LinkSeen)]


@asynccontextmanager
async def watching(*devices: ZwaveDevice) -> AsyncIterator[Site]:
    clock = ManualClock()
    port, link = RecordingPort(clock=clock), FakeLink(poll_value={"value": 80})

    async def publish(seen: list[Seen]) -> None:
        await port.publish(*seen)

    async with asyncio.TaskGroup() as tasks:
        vitals = Vitals(link, port, tasks, publish)
        task = tasks.create_task(vitals.run(lambda: devices))
        yield Site(vitals, link, port, clock)
        task.cancel()


def lock(*values: dict[str, object]) -> ZwaveDevice:
    made = ZwaveDevice(lock_node(2, 0, *values), "id", HOME_ID, None, 0.7)
    made.first_readings(trust_bolt=True)
    return made


def names(node_id: int) -> str:
    return f"Node {node_id}"


async def test_how_a_node_is_reached_is_told_once_a_minute_and_the_last_is_not_lost() -> None:
    device = lock()
    async with watching(device) as site:
        for trip in (40.0, 50.0, 60.0):
            await site.vitals.heard(device, Statistics(sent=1, round_trip_ms=trip), names)
        assert [seen.link.round_trip_ms for seen in site.links()] == [40.0]
        await site.clock.advance(LINK_SECONDS - 1)
        assert len(site.links()) == 1
        await site.clock.advance(CHECK_SECONDS)
        assert [seen.link.round_trip_ms for seen in site.links()] == [40.0, 60.0]


async def test_what_is_told_of_a_link() -> None:
    device = lock()
    async with watching(device) as site:
        await site.vitals.heard(device, STATISTICS, names)
        (seen,) = site.links()
        link = seen.link
        assert (link.signal_dbm, link.round_trip_ms, link.route, link.lost_ratio) == (-70.0, 40.0, ("Node 7",), 0.3)
        site.vitals.forget(device)
        await site.vitals.heard(device, Statistics(repeaters=()), names)
        link = site.links()[-1].link
        assert (link.signal_dbm, link.round_trip_ms, link.route, link.lost_ratio) == (None, None, (), None)


async def test_a_device_is_met_with_what_was_counted_before() -> None:
    known = ZwaveDevice(lock_node(2, statistics={"commandsTX": 3}), "id", HOME_ID, None, 0.7)
    async with watching(known) as site:
        await site.vitals.met(known, names)
        await site.vitals.met(lock(), names)
        assert [seen.link.lost_ratio for seen in site.links()] == [0.0]


@pytest.mark.parametrize(
    ("statistics", "expected"),
    [
        (Statistics(), None),
        (Statistics(sent=4), 0.0),
        (Statistics(unsent=4), 1.0),
        (Statistics(sent=1, unanswered=9), 1.0),
    ],
)
def test_the_share_of_lost_commands(statistics: Statistics, expected: float | None) -> None:
    assert lost_ratio(statistics) == expected


async def test_a_battery_that_lost_much_at_once_is_measured_again_once() -> None:
    device = lock(value(128, "level", 84))
    async with watching(device) as site:
        await site.vitals.met(device, names)
        for level in (0.80, 0.20, 0.19):
            site.vitals.measured(device, [BatterySeen(native_id="id", level=level)])
        await site.clock.advance(DOUBT_SECONDS - 1)
        assert site.link.sent == []
        await site.clock.advance(10 * DOUBT_SECONDS)
        level_id = {"commandClass": 128, "endpoint": 0, "property": "level"}
        assert site.link.sent == [("node.poll_value", {"nodeId": 2, "valueId": level_id})]


async def test_a_battery_that_does_not_answer_is_left_alone() -> None:
    device = lock(value(128, "level", 84))
    async with watching(device) as site:
        site.link.answers["poll_value"] = answer_lost()
        await site.vitals.met(device, names)
        site.vitals.measured(device, [BatterySeen(native_id="id", level=0.1)])
        await site.clock.advance(3 * DOUBT_SECONDS)
        assert not site.port.seen


async def test_a_sleeper_that_wakes_no_more_is_offline_and_the_reason_says_since_when() -> None:
    heard = NOON - timedelta(hours=2)
    facts = node(6, value(132, "wakeUpInterval", 3600), status=STATUS_ASLEEP, lastSeen=heard.isoformat())
    sleeper = ZwaveDevice(facts, "id", HOME_ID, None, 0.7)
    assert sleeper.overslept(NOON) == [ReachabilitySeen(native_id="id", online=True)]
    sleeper.facts = facts.with_value(ValueId(132, 0, "wakeUpInterval"), 600)
    async with watching(sleeper) as site:
        await site.clock.advance(CHECK_SECONDS)
        (seen,) = site.port.seen
        assert isinstance(seen, ReachabilitySeen)
        assert not seen.online
        assert f"last heard: {heard:%Y-%m-%d %H:%M} UTC" in str(seen.reason)
        await site.vitals.heard(sleeper, Statistics(heard_at=NOON), names)
        await site.clock.advance(CHECK_SECONDS)
        assert site.port.seen[-1] == ReachabilitySeen(native_id="id", online=True)
