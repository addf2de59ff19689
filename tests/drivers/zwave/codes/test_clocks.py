"""Clocks of locks on the real zwave-js-server and two emulated locks that have schedules."""

import asyncio
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hubd_drivers.zwave.codes import clocks

from hubd.driver.contract import RecordingPort, running
from tests.drivers.zwave.codes.locks import NATIVE, Site, site
from tests.drivers.zwave.conftest import TIMED, SharedNetwork
from tests.hubd.api.harness import ShiftedClock
from tests.scenarios.client import until
from tests.support.site import eventually

pytestmark = pytest.mark.node

BERLIN, ST_JOHNS = ZoneInfo("Europe/Berlin"), ZoneInfo("America/St_Johns")
WINTER, SUMMER = datetime(2027, 1, 15, 12, tzinfo=UTC), datetime(2027, 7, 15, 12, tzinfo=UTC)
READ = {"TimeParametersCCGet": 1, "ScheduleEntryLockCCTimeOffsetGet": 1}


class Day(ShiftedClock):
    """A clock that a test puts to a day."""

    def put(self, at: datetime) -> None:
        self.ahead = at - datetime.now(UTC)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clocks, "LOOK", 0.05)


async def shows(h: Site, node: int, zone: ZoneInfo = BERLIN) -> float:
    """By how many seconds the lock's clock is off that on the wall, counting in the zone that it was told."""
    told = await h.network.op("clock", node=node)
    wall = h.port.clock.now().astimezone(zone).replace(tzinfo=UTC)
    ahead = timedelta(minutes=told["standard"])
    assert told["standard"] == told["summer"]
    return abs((datetime.fromisoformat(told["shows"]) + ahead - wall).total_seconds())


async def cost(h: Site, node: int) -> dict[str, int]:
    counts: dict[str, int] = await h.network.op("clock_frames", node=node, reset=True)
    return counts


async def test_a_lock_is_given_the_sites_time_whatever_zone_zwave_js_runs_in(timed_network: SharedNetwork) -> None:
    for zone in (BERLIN, ST_JOHNS):
        async with site(timed_network, zone=zone, schedules=True) as h:
            await eventually(lambda: all(h.is_timed(node) for node in TIMED), 20)
            for node in TIMED:
                assert await shows(h, node, zone) < 5


async def test_a_clock_that_is_right_is_read_and_left_alone(timed_network: SharedNetwork) -> None:
    clock = Day()
    async with site(timed_network, zone=BERLIN, clock=clock, schedules=True) as h:
        await eventually(lambda: all(h.is_timed(node) for node in TIMED), 20)
        for node in TIMED:
            await cost(h, node)
        clock.ahead += timedelta(seconds=40)

        async def is_read() -> bool:
            return all([await h.network.op("clock_frames", node=node) == READ for node in TIMED])

        await until(is_read)
        assert 35 < await shows(h, 8) < 45, "a minute is near enough"
        clock.ahead += timedelta(seconds=40)

        async def is_set() -> bool:
            return await shows(h, 8) < 5

        await until(is_set)


async def test_the_clocks_change_at_the_site(timed_network: SharedNetwork) -> None:
    clock = Day()
    clock.put(WINTER)
    async with site(timed_network, zone=BERLIN, clock=clock, schedules=True) as h:
        await eventually(lambda: all(h.is_timed(node) for node in TIMED), 20)
        assert await shows(h, 7) < 5
        before = (await h.network.op("clock", node=7))["shows"]
        clock.put(SUMMER)

        async def follow() -> bool:
            return all([await shows(h, node) < 5 for node in TIMED])

        await until(follow)
        assert datetime.fromisoformat(before).hour == 13
        assert datetime.fromisoformat((await h.network.op("clock", node=7))["shows"]).hour == 14


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"stuckClock": True}, "its clock is wrong after it was set."),
        ({"ignoreClock": True}, "it does not say what time it has."),
        ({"stuckZone": True}, "its time zone could not be set."),
    ],
)
async def test_a_lock_whose_clock_is_not_right_is_given_no_time_frames(
    timed_network: SharedNetwork, caplog: pytest.LogCaptureFixture, fault: dict[str, bool], reason: str
) -> None:
    clock = Day()
    async with site(timed_network, zone=BERLIN, clock=clock, schedules=True) as h:
        await eventually(lambda: all(h.is_timed(node) for node in TIMED), 20)
        await h.network.op("drift", node=7, seconds=7200)
        await h.network.op("set_state", node=7, key="ScheduleEntryLock_dstOffset", value=60)
        await h.network.op("faults", node=7, **fault)
        clock.ahead += timedelta(minutes=2)  # the hub's clock was set: all of them are looked at
        await eventually(lambda: not h.is_timed(7), 20)
        said = [record.getMessage() for record in caplog.records if "is given no time frames" in record.getMessage()]
        assert len(said) == 1
        assert said[0].endswith(reason)
        assert h.is_timed(8)
        await h.network.op("faults", node=7)
        clock.ahead += timedelta(minutes=2)
        await eventually(lambda: h.is_timed(7), 20)


async def test_no_clock_is_set_by_a_time_that_the_hub_does_not_rely_on(
    timed_network: SharedNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clocks, "AGAIN", 0.2)
    clock = Day()
    async with site(timed_network, zone=BERLIN, clock=clock, schedules=True) as h:
        await eventually(lambda: all(h.is_timed(node) for node in TIMED), 20)
        h.port.is_time_trusted = False
        right = await h.network.op("clock", node=7)
        await cost(h, 7)
        clock.ahead -= timedelta(days=400)

        async def is_long_ago() -> bool:
            return await shows(h, 7) < 5

        with pytest.raises(TimeoutError):
            await until(is_long_ago, 1.0)
        assert await cost(h, 7) == {}
        assert h.is_timed(7)
        assert (await h.network.op("clock", node=7))["shows"][:10] == right["shows"][:10]
        h.port.is_time_trusted = True
        await until(is_long_ago)


async def test_a_lock_that_is_back_is_asked_at_once(timed_network: SharedNetwork) -> None:
    async with site(timed_network, zone=BERLIN, schedules=True) as h:
        await eventually(lambda: all(h.is_timed(node) for node in TIMED), 20)
        await h.network.op("dead", node=7)
        await h.read(7, 3)
        await h.network.op("drift", node=7, seconds=-3600)
        await h.network.op("dead", node=7, on=False)
        await h.network.op("manual", node=7, locked=False)

        async def is_set() -> bool:
            return await shows(h, 7) < 5

        await until(is_set)


async def test_without_the_key_no_clock_is_touched(timed_network: SharedNetwork) -> None:
    async with site(timed_network, zone=BERLIN) as h:
        await h.network.op("drift", node=7, seconds=-3600)
        await cost(h, 7)
        await h.read(7, 3)
        assert await cost(h, 7) == {}
        assert not h.is_timed(7)


async def test_a_link_that_comes_and_goes_does_not_have_them_asked_each_time(timed_network: SharedNetwork) -> None:
    async with site(timed_network, zone=BERLIN, schedules=True) as h:
        await eventually(lambda: all(h.is_timed(node) for node in TIMED), 20)
        known = dict(h.port.devices)
    port = RecordingPort(zone=BERLIN)
    port.known = known
    for node in TIMED:
        await timed_network.op("clock_frames", node=node, reset=True)
    async with running(h.driver, port):
        await asyncio.sleep(0.5)
        assert [await timed_network.op("clock_frames", node=node) for node in TIMED] == [{}, {}]
        assert port.devices[NATIVE[7]] == known[NATIVE[7]]
