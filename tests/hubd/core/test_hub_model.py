"""A hub under chance: whatever drivers see and callers order, the journal alone says all that is known."""

import asyncio
import tempfile
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from hubd.core.replace import replace as replace_device
from hubd.model import (
    BatterySeen,
    Climate,
    ClimateSeen,
    Command,
    DenialSeen,
    DoorSeen,
    LockSeen,
    Outcome,
    ReachabilitySeen,
    Seen,
    TamperSeen,
    done,
    rejected,
    sent_unconfirmed,
)
from hubd.model.errors import NotFoundError, RefusedError
from hubd.store.fold import fold
from hubd.store.records import CommandRecord, DeviceRecord, InstanceRecord
from hubd.store.retention import verify
from tests.support.clock import NOON
from tests.support.hub import LiveHub, ScriptedDriver, live_hub, lock, lost, until

NAMES = st.sampled_from("ab")
TIMES = st.none() | st.integers(-100_000, 100).map(lambda seconds: NOON + timedelta(seconds=seconds))
METHODS = st.sampled_from([None, "remote", "manual", "keycode", "automatic", "unknown"])


def seen(name: str) -> st.SearchStrategy[Seen]:
    common: dict[str, Any] = {"native_id": st.just(name), "occurred_at": TIMES}
    return st.one_of(
        st.builds(LockSeen, **common, locked=st.none() | st.booleans(), method=METHODS, jammed=st.booleans()),
        st.builds(DoorSeen, **common, open=st.none() | st.booleans()),
        st.builds(ReachabilitySeen, **common, online=st.booleans(), reason=st.none() | st.sampled_from("xy")),
        st.builds(BatterySeen, **common, level=st.floats(0, 1), low=st.booleans()),
        st.builds(
            ClimateSeen,
            **common,
            climate=st.builds(
                Climate, hvac_mode=st.sampled_from([None, "heat", "off"]), temperature_celsius=st.floats(0, 40)
            ),
        ),
        st.builds(DenialSeen, **common, reason=st.just("unknown_code"), message=st.just("No.")),
        st.builds(TamperSeen, **common),
    )


READINGS = st.lists(NAMES.flatmap(seen), min_size=1, max_size=4)
GRACES = st.sampled_from([0.0, 30.0])
OUTCOMES = st.sampled_from(["done", "silent", "jammed", "raises"])
ACTIONS = st.one_of(
    st.tuples(st.just("publish"), READINGS),
    st.tuples(st.just("found"), NAMES, READINGS),
    st.tuples(st.just("removed"), NAMES),
    st.tuples(st.just("replace"), st.permutations("ab")),
    st.tuples(st.just("order"), NAMES, st.booleans(), OUTCOMES),
    st.tuples(st.just("hop"), st.booleans()),
    st.tuples(st.just("wait"), st.integers(1, 5000)),
)


class Folded:
    """The tables as a fold over the journal makes them."""

    def __init__(self) -> None:
        self.devices: dict[str, DeviceRecord] = {}
        self.instances: dict[str, InstanceRecord] = {}
        self.commands: dict[str, CommandRecord] = {}
        self.device = self.devices.get
        self.instance = self.instances.get
        self.command = self.commands.get

    def put_device(self, record: DeviceRecord) -> None:
        self.devices[record.device.device_id] = record

    def put_instance(self, record: InstanceRecord) -> None:
        self.instances[record.instance] = record

    def put_command(self, record: CommandRecord) -> None:
        self.commands[record.request_id] = record


async def act(live: LiveHub, action: tuple[Any, ...]) -> None:
    port = live.driver.living_port
    match action:
        case ("publish", readings):
            await port.publish(*readings)
        case ("found", name, readings):
            await port.found(lock(name), *(one for one in readings if one.native_id == name))
        case ("removed", name):
            await port.removed(name, "It was excluded.")
        case ("replace", (old, new)):
            with suppress(RefusedError, NotFoundError):  # the new one does not answer, or was removed
                await replace_device(live.hub, live.id_of(old), live.id_of(new), "me", is_old_present_ok=True)
        case ("order", name, locked, how):
            live.driver.on_execute = lambda command: execute(command, how)
            if live.hub.devices[live.id_of(name)].removed_at is None:
                await live.hub.submit((live.lock if locked else live.unlock)(name), "me", wait_seconds=5)
        case ("hop", True):
            port.hop_back("controller")
        case ("hop", False):
            port.hop_lost(lost("controller"))
        case (_, seconds):
            await live.clock.advance(seconds)
        case _:
            raise AssertionError(action)


async def execute(command: Command, how: str) -> Outcome:
    locked = "Unlock" not in type(command).__name__
    match how:
        case "done":
            return done(seen=(LockSeen(native_id=command.native_id, locked=locked, method="remote"),))
        case "silent":
            return sent_unconfirmed("No answer came.")
        case "jammed":
            jam = LockSeen(native_id=command.native_id, locked=None, jammed=True)
            return rejected("lock_jammed", "The bolt is jammed.", seen=(jam,))
        case _:
            raise lost("controller")


def without_telemetry(record: DeviceRecord) -> DeviceRecord:
    """Leave out what is measured, what was learnt at first sight, and losses that are not told (yet): none is news."""
    is_online = record.state.online or record.untold_since is not None
    state = replace(record.state, battery=None, climate=None, offline_reason=None, locked=None, door_open=None)
    return replace(record, state=replace(state, online=is_online, changed_at=None), untold_since=None)


async def check(live: LiveHub) -> None:
    folded = Folded()
    rows = await live.rows()
    for row in rows:
        assert row.event is not None
        fold(folded, row.event, row.instance, row.device_id, row.created_at)
    tables = live.hub.journal.tables
    assert {k: without_telemetry(v) for k, v in tables.devices.items()} == {
        k: without_telemetry(v) for k, v in folded.devices.items()
    }
    for device_id, record in tables.devices.items():
        told = folded.devices[device_id].state
        assert told.locked in {None, record.state.locked}, "the journal says another position than the page"
        assert told.door_open in {None, record.state.door_open}
    assert {k: replace(v, untold_loss=None) for k, v in tables.instances.items()} == folded.instances
    assert tables.open_commands == {}
    for request_id, command in folded.commands.items():
        assert await live.hub.journal.command(request_id) == command
        assert command.outcome is not None
        kinds = [row.type for row in rows if getattr(row.event, "request_id", None) == request_id]
        assert kinds.count("command.settled") == 1
        assert kinds.count("command.resolved") <= 1
        assert kinds.count("lock.changed") <= 1, "one order, one move"
    assert (await verify(live.hub.journal.database)).broken_at is None
    times = [row.created_at for row in rows]
    assert times == sorted(times)


async def run(path: Path, actions: list[tuple[Any, ...]], grace: float) -> None:
    async with live_hub(path, ScriptedDriver(lock("a"), lock("b")), grace=grace) as live:
        for action in actions:
            await act(live, action)
        await until(lambda: live.hub.dispatcher.under_way == 0)
        await check(live)
        await live.hub.journal.flush()
        before = dict(live.hub.devices)
    async with live_hub(path, ScriptedDriver(), grace=grace) as again:
        assert dict(again.hub.devices) == before


def run_through(actions: list[tuple[Any, ...]], grace: float) -> None:
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner:
        runner.run(run(Path(folder) / "x.sqlite", actions, grace))


@settings(max_examples=40)
@given(st.lists(ACTIONS, max_size=25), GRACES)
def test_the_journal_says_all(actions: list[tuple[Any, ...]], grace: float) -> None:
    run_through(actions, grace)


@pytest.mark.soak
@given(st.lists(ACTIONS, max_size=100), GRACES)
def test_the_journal_says_all_for_long(actions: list[tuple[Any, ...]], grace: float) -> None:
    run_through(actions, grace)
