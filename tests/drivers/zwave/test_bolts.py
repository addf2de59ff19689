import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from hubd_drivers.zwave.bolts import VERIFY_PAUSES, Bolts, Memory
from hubd_drivers.zwave.controller import ControllerWatch
from hubd_drivers.zwave.device import ZwaveDevice
from hubd_drivers.zwave.events import ValueReported
from hubd_drivers.zwave.facts import STATUS_ALIVE, STATUS_ASLEEP
from hubd_drivers.zwave.failures import answer_lost, command_error
from zwave_js_server.exceptions import FailedZWaveCommand

from hubd.driver.contract import RecordingPort
from hubd.model import LockSeen, OutcomeKind, Seen
from tests.drivers.zwave.fakes import CURRENT, HOME_ID, Answer, FakeLink, FastClock, lock_node, node

UNSUPERVISED = {"result": {"status": 254}}
SUPERVISED = {"result": {"status": 255}}
DROPPED = command_error(FailedZWaveCommand("", 202, "serial port is not open"))


@dataclass
class Site:
    bolts: Bolts
    link: FakeLink
    port: RecordingPort
    memory: Memory
    lock: ZwaveDevice
    tasks: asyncio.TaskGroup


@asynccontextmanager
async def site(memory: Memory | None = None, speed: float = 50.0, **answers: Answer) -> AsyncIterator[Site]:
    port, link, kept = RecordingPort(clock=FastClock(speed)), FakeLink(**answers), memory or Memory()
    lock = ZwaveDevice(lock_node(2, 0), "id", HOME_ID, None, 0.7)
    lock.first_readings(trust_bolt=True)

    async def publish(seen: list[Seen]) -> None:
        await port.publish(*seen)

    async with asyncio.TaskGroup() as tasks:
        made = Bolts(
            link=link,
            port=port,
            tasks=tasks,
            controller=ControllerWatch(link, port, 1.0),
            memory=kept,
            seconds=2.0,
            publish=publish,
        )
        yield Site(made, link, port, kept, lock, tasks)
        made.forget(lock)


async def test_an_order_is_confirmed_by_the_value_and_not_told_twice() -> None:
    async with site(set_value=SUPERVISED) as s:
        report = ValueReported(2, CURRENT, 255)
        asyncio.get_running_loop().call_later(0.002, s.bolts.note, report, 1)
        outcome = await s.bolts.move(s.lock, target=True)
        assert outcome.kind is OutcomeKind.DONE
        assert s.lock.value(report, 0.0, 1) == []
        assert s.lock.value(ValueReported(2, CURRENT, 255), 0.1, 2) == []
        assert not s.memory.unproven


async def test_what_has_no_bolt_sleeps_or_is_cut_off_gets_nothing() -> None:
    async with site() as s:
        thermostat = ZwaveDevice(node(4), "other", HOME_ID, None, 0.7)
        assert (await s.bolts.move(thermostat, target=True)).kind is OutcomeKind.UNSUPPORTED
        s.lock.status(STATUS_ASLEEP)
        assert (await s.bolts.move(s.lock, target=True)).code == "device_asleep"
        s.lock.status(4)
        s.link.answers["is_failed_node"] = DROPPED
        await s.bolts._controller.check()  # noqa: SLF001 - as its task would
        outcome = await s.bolts.move(s.lock, target=True)
        assert (outcome.kind, outcome.code) == (OutcomeKind.UNREACHABLE, "controller_lost")
        assert s.link.count("set_value") == 0


@pytest.mark.parametrize(("probe", "code"), [(DROPPED, "controller_lost"), ({"failed": False}, "device_unreachable")])
async def test_a_dropped_command_is_the_stick_s_fault_only_if_the_stick_is_gone(probe: Answer, code: str) -> None:
    async with site(set_value=DROPPED, is_failed_node=probe) as s:
        outcome = await s.bolts.move(s.lock, target=True)
        assert (outcome.kind, outcome.code) == (OutcomeKind.UNREACHABLE, code)
        assert bool(s.port.lost_hops) is (code == "controller_lost")


async def test_after_an_order_without_proof_the_lock_is_asked_until_it_answers() -> None:
    answers: list[object] = [{}, {}, {}, {}, {}, {"value": 255}]
    async with site(set_value=UNSUPERVISED, poll_value=answers) as s:
        outcome = await s.bolts.move(s.lock, target=True)
        assert outcome.kind is OutcomeKind.SENT_UNCONFIRMED
        assert s.memory.unproven == {"id"}
        assert s.lock.value(ValueReported(2, CURRENT, 255), 0.0, 9) == [], "zwave-js expects it; that proves nothing"
        seen = await s.port.wait_for(lambda one: isinstance(one, LockSeen))
        assert seen == LockSeen(native_id="id", locked=True, method="remote")
        await asyncio.sleep(0.01)
        assert not s.memory.unproven
        assert not s.lock.tracker.is_busy


async def test_a_lock_that_never_answers_is_left_alone_in_the_end() -> None:
    async with site(speed=1000.0, set_value=UNSUPERVISED, poll_value={}) as s:
        await s.bolts.move(s.lock, target=True)
        await asyncio.sleep(sum(VERIFY_PAUSES) / 1000 + 0.05)
        assert not s.lock.tracker.is_busy
        assert not s.port.seen


async def test_a_new_order_ends_the_questions_about_the_last() -> None:
    answers: list[object] = [answer_lost(), SUPERVISED]
    async with site(set_value=answers, poll_value={"value": 255}) as s:
        assert (await s.bolts.move(s.lock, target=True)).code == "server_lost"
        assert s.lock.tracker.is_busy
        assert (await s.bolts.move(s.lock, target=True)).kind is OutcomeKind.DONE
        assert not s.lock.tracker.is_busy


async def test_a_cancelled_order_is_verified() -> None:
    async with site() as s:
        task = asyncio.create_task(s.bolts.move(s.lock, target=True))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert s.memory.unproven == {"id"}
        s.link.answers["poll_value"] = {"value": 255}
        await s.port.wait_for(lambda one: one == LockSeen(native_id="id", locked=True, method="remote"))


async def test_doubt_outlives_the_connection() -> None:
    memory = Memory()
    memory.unproven.add("id")
    async with site(memory, poll_value={"value": 255}) as s:
        s.bolts.verify(s.lock)
        seen = await s.port.wait_for(lambda one: isinstance(one, LockSeen))
        assert seen == LockSeen(native_id="id", locked=True)


async def test_locks_are_asked_at_the_start_and_when_the_stick_is_back_but_not_at_every_reconnect() -> None:
    memory = Memory()
    async with site(memory, poll_value={"value": 0}) as s:
        task = s.tasks.create_task(s.bolts.keep_fresh(lambda: [s.lock]))
        await asyncio.sleep(0.01)
        assert s.link.count("poll_value") == 1
        task.cancel()
    async with site(memory, poll_value={"value": 0}) as s:
        task = s.tasks.create_task(s.bolts.keep_fresh(lambda: [s.lock]))
        await asyncio.sleep(0.01)
        assert s.link.count("poll_value") == 0
        s.bolts._controller.recovered.set()  # noqa: SLF001 - as its task would
        await asyncio.sleep(0.01)
        assert s.link.count("poll_value") == 1
        s.bolts.ask_soon(s.lock)
        await asyncio.sleep(0.01)
        assert s.link.count("poll_value") == 2
        task.cancel()


def test_locks_are_asked_out_of_turn_after_zwave_js_was_deaf_but_not_by_a_server_that_ends_again_and_again() -> None:
    memory, asked = Memory(), []
    for now in (0.0, 20.0, 40.0, 60.0, 700.0):
        memory.asked_at["id"] = now
        for code in ("connection_closed", "connection_refused", "connection_refused"):
            memory.lost(code)
        memory.back(now)
        asked.append(not memory.asked_at)
    assert asked == [True, True, True, False, True]
    memory.asked_at["id"] = 800.0
    memory.lost("connection_closed")
    memory.back(801.0)
    assert memory.asked_at, "zwave-js went on listening"


async def test_a_lock_that_was_not_tried_yet_is_asked_once_it_answers() -> None:
    async with site(poll_value={"value": 0}) as s:
        s.lock.status(0)
        task = s.tasks.create_task(s.bolts.keep_fresh(lambda: [s.lock]))
        await asyncio.sleep(0.01)
        assert s.link.count("poll_value") == 0
        s.lock.status(STATUS_ALIVE)
        for _ in range(2):
            s.bolts.refresh_soon(s.lock)
            await asyncio.sleep(0.01)
        assert s.link.count("poll_value") == 1
        task.cancel()


def test_a_value_that_contradicts_what_was_told_is_doubted() -> None:
    memory = Memory()
    memory.positions = {"id": True, "other": None}
    assert not memory.doubts("id", True)  # noqa: FBT003 - positions
    memory.positions = {"id": True}
    assert memory.doubts("id", False)  # noqa: FBT003
    assert memory.doubts("id", False), "until the lock was asked"  # noqa: FBT003
    assert not memory.doubts("other", False)  # noqa: FBT003
    assert not memory.doubts("new", False)  # noqa: FBT003
