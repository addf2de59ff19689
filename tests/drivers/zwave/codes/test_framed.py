"""Time frames on the real zwave-js-server and two emulated locks that have schedules."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio

from hubd.driver import code_checks
from hubd.model import ClearCode, CodeSeen, Outcome, OutcomeKind, TimeFrame
from tests.drivers.zwave.codes.locks import NATIVE, Site, site
from tests.drivers.zwave.conftest import TIMED, SharedNetwork
from tests.support.site import eventually

pytestmark = pytest.mark.node

PIN, OTHER = "47110815", "90210333"
BERLIN = ZoneInfo("Europe/Berlin")
FRAME = TimeFrame(datetime(2027, 3, 27, 14, 0, tzinfo=UTC), datetime(2027, 3, 29, 9, 0, tzinfo=UTC))
"""Over the beginning of summer time."""
WALL = "2027-03-27 15:00/2027-03-29 11:00"
timed_locks = pytest.mark.parametrize("node", TIMED, ids=["supervised", "unsupervised"])


@pytest_asyncio.fixture
async def h(timed_network: SharedNetwork) -> AsyncIterator[Site]:
    async with site(timed_network, zone=BERLIN, schedules=True) as made:
        await eventually(lambda: all(made.is_timed(node) for node in TIMED), 30)
        for node in TIMED:
            await made.frames(node)
        yield made


async def disabled(h: Site, node: int) -> list[int]:
    found: list[int] = await h.network.op("disabled", node=node)
    return found


@timed_locks
async def test_a_code_gets_its_frame_by_the_clock_on_the_wall(h: Site, node: int) -> None:
    outcome = await h.put(node, 3, PIN, frame=FRAME)
    assert (outcome.kind, h.holds(outcome), h.frame(outcome)) == (OutcomeKind.DONE, (True, PIN), FRAME)
    assert (await h.pins(node), await h.schedules(node), await disabled(h, node)) == ({"3": PIN}, {"3": WALL}, [])
    outcome = await h.read(node, 3)
    assert (h.holds(outcome), h.frame(outcome)) == ((True, PIN), FRAME)
    outcome = await h.clear(node, 3)
    assert (outcome.kind, h.holds(outcome)) == (OutcomeKind.DONE, (False, None))
    assert await h.hints(node) == [], "its own commands are no news"


async def test_what_it_costs(h: Site) -> None:
    for node, looks in ((7, 1), (8, 2)):
        schedule = {"ScheduleEntryLockCCYearDayScheduleSet": 1, "ScheduleEntryLockCCYearDayScheduleGet": looks}
        await h.put(node, 3, PIN, frame=FRAME)
        first = await h.frames(node)
        assert first == {"UserCodeCCSet": 2, "UserCodeCCGet": 2, **schedule}, "the lock had to show that it hides"
        await h.put(node, 4, OTHER, frame=FRAME)
        assert await h.frames(node) == {"UserCodeCCSet": 2, "UserCodeCCGet": 1, **schedule}
        await h.read(node, 4)
        assert await h.frames(node) == {"UserCodeCCGet": 1, "ScheduleEntryLockCCYearDayScheduleGet": 1}
        await h.read(node, 5)
        assert await h.frames(node) == {"UserCodeCCGet": 1}, "an empty slot needs no schedule"
        await h.clear(node, 4)
        assert await h.frames(node) == {"UserCodeCCSet": 1, "UserCodeCCGet": 1}


@timed_locks
async def test_a_window_is_moved_and_taken_away(h: Site, node: int) -> None:
    await h.put(node, 3, PIN, frame=FRAME)
    later = TimeFrame(FRAME.starts_at, FRAME.ends_at + timedelta(hours=2))
    outcome = await h.put(node, 3, PIN, frame=later)
    assert (outcome.kind, h.frame(outcome)) == (OutcomeKind.DONE, later)
    assert await h.schedules(node) == {"3": "2027-03-27 15:00/2027-03-29 13:00"}
    await h.frames(node)
    outcome = await h.put(node, 3, PIN)
    assert (outcome.kind, h.holds(outcome), h.frame(outcome)) == (OutcomeKind.DONE, (True, PIN), None)
    assert await h.schedules(node) == {}
    proof = {} if node == 7 else {"ScheduleEntryLockCCYearDayScheduleGet": 1}
    expected = {"UserCodeCCSet": 1, "UserCodeCCGet": 1, "ScheduleEntryLockCCYearDayScheduleSet": 1, **proof}
    assert await h.frames(node) == expected
    await h.put(node, 3, OTHER)
    assert await h.frames(node) == {"UserCodeCCSet": 1, "UserCodeCCGet": 1}, "it is known to have no schedule"


@timed_locks
async def test_a_schedule_that_was_left_in_a_free_slot_does_not_bind_the_next_code(h: Site, node: int) -> None:
    await h.put(node, 3, PIN, frame=FRAME)
    await h.clear(node, 3)
    assert await h.schedules(node) == {"3": WALL}, "a lock need not erase it with the code"
    assert (await h.put(node, 3, OTHER)).kind is OutcomeKind.DONE
    assert await h.schedules(node) == {}


async def test_nor_when_the_driver_has_been_told_to_leave_schedules_alone(timed_network: SharedNetwork) -> None:
    async with site(timed_network, zone=BERLIN, schedules=True) as h:
        await eventually(lambda: h.is_timed(7), 30)
        await h.put(7, 3, PIN, frame=FRAME)
        await h.clear(7, 3)
    async with site(timed_network, zone=BERLIN) as h:
        assert not h.is_timed(7)
        assert (await h.put(7, 3, PIN, frame=FRAME)).kind is OutcomeKind.UNSUPPORTED
        assert (await h.put(7, 3, OTHER)).kind is OutcomeKind.DONE
        assert await h.schedules(7) == {}
        await h.frames(7)
        assert (await h.put(7, 3, PIN)).kind is OutcomeKind.DONE
        assert await h.frames(7) == {"UserCodeCCSet": 1, "UserCodeCCGet": 1}


def fails(h: Site, node: int, outcome: Outcome) -> None:
    """It is refused, nothing is left, and the hub is told to set codes in time."""
    assert (outcome.kind, outcome.code) == (OutcomeKind.REJECTED, "schedule_refused")
    assert h.holds(outcome) == (False, None)
    assert not h.is_timed(node)
    assert PIN not in repr(outcome)


@timed_locks
@pytest.mark.parametrize("fault", ["rejectSchedules", "claimsSchedules", "forgetsSchedules", "opensDisabled"])
async def test_a_lock_that_does_not_keep_a_schedule(
    h: Site, node: int, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    await h.network.op("faults", node=node, **{fault: True})
    fails(h, node, await h.put(node, 3, PIN, frame=FRAME))
    assert await h.pins(node) == {}
    assert [record.message for record in caplog.records if "time frames" in record.message], "it is said why"
    assert (await h.put(node, 3, PIN, frame=FRAME)).kind is OutcomeKind.UNSUPPORTED
    assert (await h.put(node, 3, PIN)).kind is (OutcomeKind.DONE)
    assert await h.pins(node) == {"3": PIN}


@timed_locks
async def test_a_lock_that_is_silent_about_schedules(h: Site, node: int) -> None:
    await h.network.op("faults", node=node, ignoreSchedules=True)
    fails(h, node, await h.put(node, 3, PIN, frame=FRAME))
    assert await h.pins(node) == {}


async def test_a_read_that_tells_no_schedule_is_no_answer(h: Site) -> None:
    await h.put(7, 3, PIN, frame=FRAME)
    await h.network.op("faults", node=7, ignoreSchedules=True)
    outcome = await h.read(7, 3)
    assert (outcome.kind, outcome.seen) == (OutcomeKind.SENT_UNCONFIRMED, ())
    assert not h.is_timed(7)


async def test_a_schedule_that_was_erased_at_the_lock_is_told_as_none(h: Site) -> None:
    await h.put(7, 3, PIN, frame=FRAME)
    await h.network.op("local_erase", node=7, slot=3)
    outcome = await h.read(7, 3)
    assert (outcome.kind, h.holds(outcome), h.frame(outcome)) == (OutcomeKind.DONE, (True, PIN), None)


@timed_locks
async def test_an_attempt_that_broke_off_leaves_a_code_that_opens_no_door(h: Site, node: int) -> None:
    await h.network.op("faults", node=node, rejectSchedules=True, ignoreCCs=[])
    await h.network.op("dead", node=node)
    outcome = await h.put(node, 3, PIN, frame=FRAME)
    assert outcome.kind in {OutcomeKind.SENT_UNCONFIRMED, OutcomeKind.UNREACHABLE}
    assert await h.pins(node) == {}
    assert h.is_timed(node), "out of reach proves nothing of its schedules"


async def test_the_second_attempt_goes_on_where_the_first_broke_off(h: Site) -> None:
    await h.put(7, 4, OTHER, frame=FRAME)
    await h.network.op("set_state", node=7, key="UserCode_userIdStatus_3", value=2)
    await h.network.op("set_state", node=7, key="UserCode_userCode_3", value=PIN)
    seen = (await h.read(7, 3)).seen[0]
    assert isinstance(seen, CodeSeen)
    assert not seen.is_enabled
    await h.frames(7)
    assert (await h.put(7, 3, PIN, frame=FRAME)).kind is OutcomeKind.DONE
    assert (await h.frames(7))["UserCodeCCSet"] == 1
    assert (await h.schedules(7))["3"] == WALL


async def test_a_duplicate_is_a_duplicate_with_a_frame_too(h: Site) -> None:
    await h.put(7, 3, PIN, frame=FRAME)
    outcome = await h.put(7, 4, PIN, frame=FRAME)
    assert (outcome.kind, outcome.code, outcome.detail["other_slot"]) == (OutcomeKind.REJECTED, "duplicate_code", 3)
    assert h.is_timed(7)


async def test_a_frame_that_no_calendar_of_a_lock_knows(h: Site) -> None:
    frame = TimeFrame(FRAME.starts_at, datetime(2100, 1, 1, tzinfo=UTC))
    outcome = await h.put(7, 3, PIN, frame=frame)
    assert (outcome.kind, outcome.code) == (OutcomeKind.REJECTED, "frame_not_possible")
    assert await h.frames(7) == {}


async def test_what_the_hub_knows_of_a_lock_holds_until_its_clock_was_looked_at(timed_network: SharedNetwork) -> None:
    async with site(timed_network, zone=BERLIN, schedules=True) as h:
        await eventually(lambda: h.is_timed(7), 30)
        known = dict(h.port.devices)
    async with site(timed_network, zone=BERLIN, schedules=True, known=known) as h:
        mine = [one for one in h.port.announced if one.native_id == NATIVE[7]]
        assert all(one.capabilities.keypad is not None and one.capabilities.keypad.has_schedules for one in mine)


async def test_the_contract_of_drivers_for_time_frames(h: Site) -> None:
    """As `DriverContract` has it, which is over before the clocks of these locks are known to be right."""

    async def do(order: type[Any], native_id: str, **members: Any) -> Outcome:
        return await h.driver.execute(order(device_id="d", native_id=native_id, **members))

    for node in TIMED:
        keypad = h.port.devices[NATIVE[node]].capabilities.keypad
        assert keypad is not None
        bench = code_checks.Bench(NATIVE[node], keypad, h.port.secrets, h.port.clock, do)
        bench.slots = (7, 8)
        await code_checks.a_time_frame_is_taken(bench)
        await bench.execute(ClearCode, 7)
        await code_checks.codes_are_set_and_cleared(bench)
        await code_checks.a_duplicate_is_refused(bench)
