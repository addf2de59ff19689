"""A hub that lives on a recording, without zwave-js; the recording is one of the emulated stick, by `hubd record`."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hubd_drivers.zwave.facts import ValueId
from hubd_drivers.zwave.failures import CommandError
from hubd_drivers.zwave.link import Link, connected
from hubd_drivers.zwave.recording.replay import replay, sessions

from hubd.core.hub import Hub
from hubd.driver import DriverError, Frame, Header, Recording, RecordingError, SystemClock
from hubd.model import LockDoor, OutcomeKind
from hubd.tapes import QuickClock, read_file
from tests.drivers.zwave.fake_server import VERSION, dumped
from tests.drivers.zwave.fakes import CURRENT, FastClock, lock_dump, value
from tests.house.tree import ROOT
from tests.support.replay import living_on, story
from tests.support.site import eventually

TAPE = ROOT / "tests" / "fixtures" / "traffic" / "zwave-two-locks.jsonl"
PLAIN, S2, THERMOSTAT = (f"7e570001-node-{node}-ffff.ffff.fffe" for node in (2, 3, 4))
WIRE = {"commandClass": 98, "endpoint": 0, "property": "currentMode"}


@pytest.fixture
def tape() -> Recording:
    return read_file(TAPE)


async def test_a_hub_sees_and_does_what_the_recorded_one_did(tape: Recording, tmp_path: Path) -> None:
    async with living_on(tape, tmp_path / "data", speed=2.0) as hub:

        def last() -> bool:
            climates = [record.state.climate for record in hub.devices.values()]
            return any(climate is not None and climate.hvac_mode == "cool" for climate in climates)

        await eventually(last, 30)
        known = {record.device.description.native_id: record for record in hub.devices.values()}
        assert [(native_id, record.device.description.name) for native_id, record in known.items()] == [
            (PLAIN, "Room 12"),
            (S2, "Door lock 7e570001-3"),
            (THERMOSTAT, "Thermostat 7e570001-4"),
        ]
        pins = [record.device.description.capabilities.keypad for record in known.values()]
        assert [keypad and keypad.slots for keypad in pins] == [30, 20, None]
        told = [one for one in await story(hub) if one[0] in {"lock.changed", "thermostat.adjusted"}]
        assert told == [
            ("lock.changed", "lock.locked", PLAIN, {"locked": True, "method": "keycode", "user_slot": 4}),
            ("lock.changed", "lock.locked", S2, {"locked": True, "method": "manual"}),
            ("lock.changed", "lock.unlocked", PLAIN, {"locked": False, "method": "remote"}),
            ("lock.changed", "lock.unlocked", S2, {"locked": False, "method": "keycode", "user_slot": 1}),
            ("thermostat.adjusted", None, THERMOSTAT, {"hvac_mode": "cool"}),
        ]
        battery = known[PLAIN].state.battery
        assert battery is not None
        assert battery.level == 0.8
        rows = [row.type for row in await hub.journal.rows(0, 1000)]
        assert rows.count("command.settled") == rows.count("command.accepted") == 1
        await not_on_the_tape(hub, known[S2].device.device_id)


async def not_on_the_tape(hub: Hub, device_id: str) -> None:
    """What nobody did then cannot be done now, and the hub does not pretend that it was."""
    outcome = await hub.instances["zwave"].driver.execute(LockDoor(device_id=device_id, native_id=S2))
    assert outcome.kind is OutcomeKind.SENT_UNCONFIRMED
    assert "The recording has no answer" in outcome.message


def made(*passed: tuple[float, str, Any], state: Any = None, age: float = 0.0) -> Recording:
    """A recording of one lock: version, dump, then what passed."""
    dump = {"type": "result", "success": True, "messageId": "m1", "result": {"state": state or dumped(lock_dump(2, 0))}}
    begin: list[tuple[float, str, Any]] = [
        (0.0, "in", {"type": "version", **VERSION}),
        (0.0, "out", {"command": "start_listening", "messageId": "m1"}),
        (0.0, "in", dump),
    ]
    frames = tuple(Frame(t=t, way=way, data=data) for t, way, data in [*begin, *passed])  # type: ignore[arg-type]
    header = Header(driver="zwave", recorded_at=datetime.now(UTC) - timedelta(seconds=age))
    return Recording(header=header, frames=frames)


def moved(mode: int) -> dict[str, Any]:
    args = {**WIRE, "newValue": mode}
    return {"type": "event", "event": {"source": "node", "event": "value updated", "nodeId": 2, "args": args}}


def asked(number: int, command: str, answer: Any, **arguments: Any) -> list[tuple[float, str, Any]]:
    """A command and its answer (an error number, or a result), a second apart from the one before."""
    message_id, at = f"q{number}", float(number)
    result = {"success": False, "errorCode": "zwave_error", "zwaveErrorCode": answer, "zwaveErrorMessage": "no"}
    if not isinstance(answer, int):
        result = {"success": True, "result": answer}
    return [
        (at, "out", {"command": command, "messageId": message_id, **arguments}),
        (at, "in", {"type": "result", "messageId": message_id, **result}),
    ]


async def _no_orders(_: Mapping[str, object]) -> None:
    raise AssertionError("there is no order on this tape")


@asynccontextmanager
async def playing(recording: Recording, speed: float = 20.0) -> AsyncIterator[tuple[Link, asyncio.Task[None]]]:
    async with replay(recording, FastClock(speed), _no_orders) as config, linked(config.url) as link:
        yield link


@asynccontextmanager
async def linked(url: str) -> AsyncIterator[tuple[Link, asyncio.Task[None]]]:
    async with connected(url, 5.0, SystemClock()) as link:
        task = asyncio.create_task(link.listen())
        await link.started()
        try:
            yield link, task
        finally:
            task.cancel()
            await asyncio.wait({task})


async def polled_until(link: Link, expected: object) -> None:
    async with asyncio.timeout(10):
        while await link.poll(2, CURRENT) != expected:  # noqa: ASYNC110 - what is asked is the server
            await asyncio.sleep(0.01)


async def test_a_value_is_where_the_tape_has_it() -> None:
    async with playing(made((5.0, "in", moved(255)))) as (link, _):
        assert [facts.get(CURRENT) for facts in await link.nodes()] == [0]
        assert await link.poll(2, CURRENT) == 0
        await polled_until(link, 255)
        with pytest.raises(CommandError) as caught:
            await link.poll(3, CURRENT)
        assert "The recording has no answer to this command." in caught.value.message


async def test_a_lock_that_did_not_answer_does_not_answer() -> None:
    poll = asked(1, "node.poll_value", 204, nodeId=2, valueId=WIRE)
    async with playing(made(*poll)) as (link, _):
        with pytest.raises(CommandError) as caught:
            await polled_until(link, "no such value")
        assert caught.value.code == "device_unreachable"


async def test_questions_are_answered_as_they_were_and_what_changes_something_is_not() -> None:
    failed = asked(1, "controller.is_failed_node", {"failed": False}, nodeId=1)
    async with playing(made(*failed)) as (link, _):
        for _ in range(3):
            assert await link.command("controller.is_failed_node", nodeId=1) == {"failed": False}
        with pytest.raises(CommandError):
            await link.command("controller.is_failed_node", nodeId=2)
        with pytest.raises(CommandError):
            await link.set_value(2, ValueId(98, 0, "targetMode"), 255)


async def test_what_was_measured_an_hour_before_was_measured_an_hour_ago() -> None:
    then = datetime.now(UTC) - timedelta(days=400)
    milliseconds = int((then - timedelta(hours=1)).timestamp() * 1000)
    stamp = asked(1, "node.get_value_timestamp", {"timestamp": milliseconds}, nodeId=2, valueId=WIRE)
    async with playing(made(*stamp, age=400 * 86400)) as (link, _):
        at = await link.measured_at(2, CURRENT)
        assert at is not None
        assert at == pytest.approx(datetime.now(UTC).timestamp() - 3600, abs=60)


@pytest.mark.parametrize(
    ("code", "reason"), [(1013, "controller_not_ready"), (1006, "connection_closed"), (None, "connection_closed")]
)
async def test_a_connection_that_was_lost_is_lost(code: object, reason: str) -> None:
    async with playing(made((1.0, "in", {"type": "closed", "code": code}))) as (_, task):
        await asyncio.wait({task}, timeout=10)
        error = task.exception()
        assert isinstance(error, DriverError)
        assert error.code == reason


async def test_each_connection_gets_the_next_session_and_none_comes_twice() -> None:
    first = made((1.0, "in", {"type": "closed", "code": 1013}))
    second = made(state=dumped(lock_dump(2, 255)))
    later = tuple(Frame(t=9.0, way=frame.way, data=frame.data) for frame in second.frames)
    both = Recording(header=first.header, frames=first.frames + later)
    assert len(sessions(both)) == 2
    async with replay(both, QuickClock(20), _no_orders) as config:
        async with linked(config.url) as (link, task):
            assert [facts.get(CURRENT) for facts in await link.nodes()] == [0]
            await asyncio.wait({task}, timeout=10)
        async with linked(config.url) as (link, _):
            assert [facts.get(CURRENT) for facts in await link.nodes()] == [255]
        with pytest.raises(DriverError) as caught:
            async with connected(config.url, 5.0, SystemClock()):
                pass
        assert caught.value.code == "connection_closed"


async def test_cause_stays_before_effect() -> None:
    """The tape waits for the command that an order causes; its answer and its effect follow as recorded."""
    given: list[Mapping[str, object]] = []
    target = {"commandClass": 98, "endpoint": 0, "property": "targetMode"}
    order = {"type": "LOCK_DOOR", "native_id": "x"}
    set_value = asked(2, "node.set_value", {"result": {"status": 255}}, nodeId=2, valueId=target, value=255)
    recording = made((1.0, "order", order), *set_value, (2.0, "in", moved(255)))

    async def give(data: Mapping[str, object]) -> None:
        given.append(data)

    async with replay(recording, FastClock(20), give) as config, linked(config.url) as (link, _):
        await eventually(lambda: given == [order])
        await asyncio.sleep(0.1)  # two seconds of the tape
        assert await link.poll(2, CURRENT) == 0
        assert await link.set_value(2, ValueId(98, 0, "targetMode"), 255) == {"status": 255}
        await polled_until(link, 255)


async def test_an_order_whose_command_never_comes_does_not_stop_the_tape() -> None:
    set_value = asked(2, "node.set_value", {"result": {"status": 255}}, nodeId=2, value=255)
    recording = made((1.0, "order", {}), *set_value, (2.0, "in", moved(255)))

    given = 0

    async def give(_: Mapping[str, object]) -> None:
        nonlocal given
        given += 1

    async with replay(recording, FastClock(50), give) as config, linked(config.url) as (link, _):
        await polled_until(link, 255)
    assert given == 1


async def test_a_living_command_is_known_by_its_redacted_form() -> None:
    place = {"commandClass": 99, "endpoint": 0, "property": "userCode", "propertyKey": 3}
    state = dumped(lock_dump(2, 0, value(99, "userCode", "********", key=3)))
    command = asked(1, "node.poll_value", {"value": "********"}, nodeId=2, valueId=place)
    async with playing(made(*command, state=state)) as (link, _):
        assert await link.poll(2, ValueId(99, 0, "userCode", 3)) == "********"


@pytest.mark.parametrize("frames", [(), (Frame(t=0, way="in", data={"type": "version"}),), (Frame(t=0, way="in"),)])
def test_without_a_state_there_is_nothing_to_play(frames: tuple[Frame, ...]) -> None:
    header = Header(driver="zwave", recorded_at=datetime.now(UTC))
    with pytest.raises(RecordingError) as caught:
        sessions(Recording(header=header, frames=frames))
    assert caught.value.code == "recording_empty"
