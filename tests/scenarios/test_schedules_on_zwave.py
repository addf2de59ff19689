"""Time frames that the lock itself keeps, on the emulated Z-Wave network, over the API of a running hub.

Nodes 7 and 8 have User Code with schedules; the site is in Berlin, zwave-js runs wherever it does.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hubd_drivers.zwave.codes import clocks

from tests.drivers.zwave.conftest import TIMED, SharedNetwork
from tests.scenarios.client import until
from tests.scenarios.doors import Code, Door, door

pytestmark = [pytest.mark.scenario, pytest.mark.node]

PIN, OTHER = "4829", "7153"
LOCKS = pytest.mark.parametrize("node", TIMED, ids=["supervised", "unsupervised"])
BERLIN = 'time_zone = "Europe/Berlin"\n'
SPRING = datetime(2027, 3, 27, 8, 0, tzinfo=UTC)
"""In the night after it, at 01:00 UTC, the clocks of the site go from 2 to 3."""
START, END = "2027-03-28T13:00:20Z", "2027-03-30T09:00:00Z"
WALL = "2027-03-28 15:00/2027-03-30 11:00"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clocks, "LOOK", 0.1)


@pytest.fixture
async def network(timed_network: SharedNetwork) -> AsyncIterator[SharedNetwork]:
    yield timed_network
    await timed_network.restore()


def site(tmp_path: Path, network: SharedNetwork, node: int, at: datetime = SPRING, **more: Any) -> Any:
    ahead = at - datetime.now(UTC)
    hub = f'trust_clock = "always"\n{BERLIN}'
    return door(tmp_path, network, node, hub=hub, driver="schedules = true\n", ahead=ahead, **more)


async def keeps_time(keypad: Door, *, does: bool = True) -> None:
    """Return when the lock is known to keep to time frames, or not to."""

    async def is_known() -> bool:
        found = keypad.site.hub.devices[keypad.device_id].device.description.capabilities.keypad
        return found is not None and found.has_schedules is does

    await until(is_known, 30)


async def is_scheduled(keypad: Door, code: Code) -> bool:
    return bool((await keypad.code(code)).get("is_scheduled_on_device"))


async def schedules(keypad: Door) -> dict[str, str]:
    found: dict[str, str] = await keypad.network.op("schedules", node=keypad.node)
    return found


async def holds_schedule(keypad: Door, wall: str) -> None:
    async def does() -> bool:
        return wall in (await schedules(keypad)).values()

    await until(does, 30)


async def wall_clock(keypad: Door) -> timedelta:
    """By how much the lock's clock is ahead of UTC."""
    shown = datetime.fromisoformat((await keypad.network.op("clock", node=keypad.node))["shows"])
    return shown - keypad.clock.now()


async def preloaded(keypad: Door) -> Code:
    """Make tomorrow's code, and return it once it is on the lock."""
    await keeps_time(keypad)
    code = await keypad.create(code=PIN, starts_at=START, ends_at=END)

    async def is_early() -> bool:
        return await is_scheduled(keypad, code)

    await until(is_early, 30)
    return code


@LOCKS
async def test_tomorrows_code_is_on_the_lock_today_and_opens_by_the_locks_own_clock(
    network: SharedNetwork, tmp_path: Path, node: int
) -> None:
    async with site(tmp_path, network, node) as keypad:
        code = await preloaded(keypad)
        assert abs(await wall_clock(keypad) - timedelta(hours=1)) < timedelta(seconds=5)
        found = await keypad.code(code)
        assert (found["status"], found["is_scheduled_on_device"]) == ("unset", True)
        assert (await keypad.pins(), await schedules(keypad)) == ({1: PIN}, {"1": WALL})
        assert await network.op("disabled", node=node) == []
    # A new hub, on the same disk, finds it as it left it.
    await network.op("code_frames", node=node, reset=True)
    async with site(tmp_path, network, node) as keypad:
        await keeps_time(keypad)
        assert await is_scheduled(keypad, code)
        await asyncio.sleep(1.0)
        frames = await network.op("code_frames", node=node)
        assert not [name for name in frames if name.endswith("Set")], "nothing is written anew"
        # The clocks change at the site.
        keypad.clock.ahead += timedelta(hours=18)

        async def follows() -> bool:
            return abs(await wall_clock(keypad) - timedelta(hours=2)) < timedelta(seconds=5)

        await until(follows, 20)
        assert await schedules(keypad) == {"1": WALL}
        # It begins; nothing has to be sent for it.
        await network.op("code_frames", node=node, reset=True)
        keypad.clock.ahead += timedelta(hours=11, minutes=1)
        await keypad.hears("access_code.set_on_device")
        frames = await network.op("code_frames", node=node)
        assert not [name for name in frames if name.endswith("Set")]


@LOCKS
async def test_a_guest_stays_longer_then_leaves_earlier(network: SharedNetwork, tmp_path: Path, node: int) -> None:
    async with site(tmp_path, network, node) as keypad:
        code = await preloaded(keypad)
        keypad.clock.ahead += timedelta(hours=29, minutes=1)
        await keypad.hears("access_code.set_on_device")
        await keypad.update(code, starts_at=START, ends_at="2027-03-30T15:30:00Z")
        await holds_schedule(keypad, "2027-03-28 15:00/2027-03-30 17:30")
        await keypad.becomes(code, "set")
        await keypad.update(code, starts_at=START, ends_at="2027-03-29T06:00:00Z")
        await holds_schedule(keypad, "2027-03-28 15:00/2027-03-29 08:00")
        await keypad.becomes(code, "set")
        assert await keypad.pins() == {1: PIN}
        keypad.clock.ahead += timedelta(hours=18)
        await keypad.becomes(code, "gone")
        assert await keypad.pins() == {}
        told = await keypad.told(code)
        assert told[:3] == ["created", "scheduled_on_device", "set_on_device"]
        assert [one for one in told if "external" in one or "failed" in one] == []
        # The next code in the slot opens at any time.
        stay = await keypad.create(code=OTHER)
        await keypad.becomes(stay, "set")
        assert (await keypad.pins(), await schedules(keypad)) == ({1: OTHER}, {})


@LOCKS
@pytest.mark.parametrize("fault", ["rejectSchedules", "opensDisabled"])
async def test_a_lock_that_refuses_gets_its_codes_in_time(
    network: SharedNetwork, tmp_path: Path, node: int, fault: str
) -> None:
    await network.op("faults", node=node, **{fault: True})
    async with site(tmp_path, network, node) as keypad:
        await keeps_time(keypad)
        code = await keypad.create(code=PIN, starts_at=START, ends_at=END)
        await keeps_time(keypad, does=False)
        await keypad.becomes(code, "unset")
        assert not await is_scheduled(keypad, code)
        assert await keypad.pins() == {}
        keypad.clock.ahead += timedelta(hours=29, minutes=1)
        await keypad.becomes(code, "set", 60)
        assert (await keypad.pins(), await schedules(keypad)) == ({1: PIN}, {})
        assert (await keypad.code(code))["errors"] == []
        keypad.clock.ahead += timedelta(hours=44)
        await keypad.becomes(code, "gone")
        assert await keypad.pins() == {}


async def test_a_lock_whose_clock_stays_wrong_loses_what_it_was_given_ahead(
    network: SharedNetwork, tmp_path: Path
) -> None:
    async with site(tmp_path, network, 7) as keypad:
        await keeps_time(keypad)
        code = await keypad.create(code=PIN, starts_at=START, ends_at=END)
        await holds_schedule(keypad, WALL)
        await network.op("faults", node=7, stuckClock=True)
        keypad.clock.ahead += timedelta(minutes=5)
        await keeps_time(keypad, does=False)
        await keypad.holds(set())
        await keypad.becomes(code, "unset")
        assert not await is_scheduled(keypad, code)
        await network.op("faults", node=7)
        keypad.clock.ahead += timedelta(minutes=5)
        await keeps_time(keypad)
        await holds_schedule(keypad, WALL)
        await keypad.holds({PIN})
