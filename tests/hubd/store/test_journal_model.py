"""A journal under chance: transactions good and bad, full disks, restarts; beside it a list and a fold."""

import asyncio
import shutil
import tempfile
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from hubd.model import LockDoor, UnlockDoor, done, sent_unconfirmed
from hubd.model.errors import StoreError
from hubd.model.event import (
    AccountEdited,
    CommandAccepted,
    CommandResolved,
    CommandSettled,
    CommandStarted,
    DeviceConnected,
    DeviceDescribed,
    DeviceDisconnected,
    DeviceEdited,
    DeviceFound,
    DeviceRemoved,
    DoorChanged,
    Event,
    HopBack,
    HopLost,
    HubStarted,
    LockChanged,
    LockUncertain,
)
from hubd.model.state import BatteryReading
from hubd.store.fold import fold
from hubd.store.journal import Journal
from hubd.store.records import CommandRecord, DeviceRecord, InstanceRecord
from hubd.store.retention import verify
from hubd.store.tables import View
from tests.support.clock import NOON, ManualClock
from tests.support.store import device, fill_disk, free_disk, open_journal, statement

DEVICES = st.sampled_from("abc")
REQUESTS = st.sampled_from(["r1", "r2", "r3"])
INSTANCES = st.sampled_from(["front", "back"])
NAMES = st.sampled_from(["Suite", "Küche", "", "x" * 300])

#: An event and where it stands: instance, device.
type Line = tuple[Event, str | None, str | None]


def about_device(device_id: str) -> st.SearchStrategy[Line]:
    events: st.SearchStrategy[Event] = st.one_of(
        st.builds(lambda managed: DeviceFound(device=device(device_id), is_managed=managed), st.booleans()),
        st.builds(lambda name: DeviceDescribed(device=device(device_id, instance=name)), NAMES),
        st.just(DeviceRemoved(reason="excluded")),
        st.just(DeviceConnected()),
        st.just(DeviceDisconnected(error_code="device_disconnected", reason="It sleeps.")),
        st.builds(lambda name: DeviceEdited(nickname=name), st.none() | NAMES),
        st.builds(
            lambda managed, value: DeviceEdited(is_managed=managed, custom_metadata={"k": value}), st.booleans(), NAMES
        ),
        st.builds(lambda locked: LockChanged(locked=locked, method="manual"), st.booleans()),
        st.builds(lambda jammed: LockUncertain(jammed=jammed), st.booleans()),
        st.builds(lambda is_open: DoorChanged(open=is_open), st.none() | st.booleans()),
    )
    return events.map(lambda event: (event, None, device_id))


def about_instance(instance: str) -> st.SearchStrategy[Line]:
    events: st.SearchStrategy[Event] = st.one_of(
        st.just(HopLost(hop="server", code="gone", reason="It is gone.")),
        st.just(HopBack(away_seconds=3.0)),
        st.builds(lambda name: AccountEdited(display_name=name, custom_metadata={}), NAMES),
    )
    return events.map(lambda event: (event, instance, None))


def about_command(request_id: str) -> st.SearchStrategy[Line]:
    orders = st.sampled_from([LockDoor, UnlockDoor])
    events: st.SearchStrategy[Event] = st.one_of(
        st.builds(
            lambda order, about: CommandAccepted(
                request_id=request_id, command=order(device_id=about, native_id=about), deadline=NOON, by="me"
            ),
            orders,
            DEVICES,
        ),
        st.just(CommandStarted(request_id=request_id)),
        st.sampled_from([done(), sent_unconfirmed("No answer came.")]).map(
            lambda outcome: CommandSettled(request_id=request_id, outcome=outcome)
        ),
        st.builds(
            lambda reached: CommandResolved(request_id=request_id, reached=reached, message="So."), st.booleans()
        ),
    )
    return events.map(lambda event: (event, None, None))


LINES = st.one_of(
    DEVICES.flatmap(about_device),
    INSTANCES.flatmap(about_instance),
    REQUESTS.flatmap(about_command),
    st.just((HubStarted(version="1"), None, None)),
)
TRANSACTIONS = st.lists(LINES, max_size=4)


class Folded:
    """The tables as a fold over a list makes them: plain dictionaries."""

    def __init__(self) -> None:
        self.devices: dict[str, DeviceRecord] = {}
        self.instances: dict[str, InstanceRecord] = {}
        self.commands: dict[str, CommandRecord] = {}

    def device(self, device_id: str) -> DeviceRecord | None:
        return self.devices.get(device_id)

    def put_device(self, record: DeviceRecord) -> None:
        self.devices[record.device.device_id] = record

    def instance(self, instance: str) -> InstanceRecord | None:
        return self.instances.get(instance)

    def put_instance(self, record: InstanceRecord) -> None:
        self.instances[record.instance] = record

    def command(self, request_id: str) -> CommandRecord | None:
        return self.commands.get(request_id)

    def put_command(self, record: CommandRecord) -> None:
        self.commands[record.request_id] = record


class OopsError(Exception):
    """A transaction's own error."""


def plain(records: Any) -> dict[str, DeviceRecord]:
    """Return devices without telemetry."""
    return {name: replace(record, state=replace(record.state, battery=None)) for name, record in records.items()}


class JournalMachine(RuleBasedStateMachine):
    """Drives one journal on one file."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.runner = asyncio.Runner()
        self.clock = ManualClock()
        self.stack = AsyncExitStack()
        self.journal: Journal
        self.lines: list[tuple[Line, datetime]] = []

    @initialize()
    def open(self) -> None:
        self.journal = self.runner.run(
            self.stack.enter_async_context(open_journal(self.folder / "x.sqlite", self.clock))
        )

    def teardown(self) -> None:
        self.runner.run(self.stack.aclose())
        self.runner.close()
        shutil.rmtree(self.folder)

    @rule(batch=st.lists(st.tuples(TRANSACTIONS, st.booleans()), min_size=1, max_size=5))
    def transact(self, batch: list[tuple[list[Line], bool]]) -> None:
        """Several at once; those told to raise leave nothing."""
        batch = [(self.possible(lines), fails) for lines, fails in batch]

        def function(lines: list[Line], *, fails: bool) -> Any:
            def write(view: View) -> int:
                for event, instance, device_id in lines:
                    view.emit(event, instance=instance, device_id=device_id)
                if fails:
                    raise OopsError
                return len(lines)

            return write

        async def run() -> list[int | BaseException]:
            calls = [self.journal.transact(function(lines, fails=fails)) for lines, fails in batch]
            results: list[int | BaseException] = await asyncio.gather(*calls, return_exceptions=True)
            return results

        results = self.runner.run(run())
        for (lines, fails), result in zip(batch, results, strict=True):
            if fails:
                assert isinstance(result, OopsError)
            else:
                assert result == len(lines)
                self.lines += [(line, self.clock.now()) for line in lines]

    def possible(self, lines: list[Line]) -> list[Line]:
        """Leave out what the hub never says: something new of a command that was settled before a restart."""
        known = {name for name in ("r1", "r2", "r3") if self.journal.tables.command(name)}
        kept: list[Line] = []
        for line in lines:
            if isinstance(line[0], CommandAccepted):
                known.add(line[0].request_id)
            if getattr(line[0], "request_id", None) in known | {None}:
                kept.append(line)
        return kept

    @rule(lines=st.lists(LINES, min_size=1, max_size=3))
    def transact_on_a_full_disk(self, lines: list[Line]) -> None:
        async def run() -> None:
            await fill_disk(self.journal.database)
            try:
                await self.journal.transact(write)
            finally:
                await free_disk(self.journal.database)

        def write(view: View) -> None:
            view.emit(HubStarted(version="x" * 100_000))
            for event, instance, device_id in lines:
                view.emit(event, instance=instance, device_id=device_id)

        try:
            self.runner.run(run())
        except StoreError as error:
            assert error.code == "disk_full"  # noqa: PT017 - it must raise, and must raise this
        else:
            raise AssertionError("the disk was full and nobody said so")

    @precondition(lambda self: self.journal.tables.devices)
    @rule(level=st.floats(0, 1))
    def measure(self, level: float) -> None:
        device_id = min(self.journal.tables.devices)

        def write(view: View) -> None:
            record = view.device(device_id)
            assert record is not None
            view.put_telemetry(replace(record, state=replace(record.state, battery=BatteryReading(level, view.now))))

        self.runner.run(self.journal.transact(write))
        battery = self.journal.tables.devices[device_id].state.battery
        assert battery is not None
        assert battery.level == level

    @rule()
    def flush(self) -> None:
        self.runner.run(self.journal.flush())

    @rule(seconds=st.integers(1, 100_000))
    def wait(self, seconds: int) -> None:
        self.runner.run(self.clock.advance(seconds))

    @rule()
    def restart(self) -> None:
        async def run() -> Journal:
            await self.stack.aclose()
            return await self.stack.enter_async_context(open_journal(self.folder / "x.sqlite", self.clock))

        self.journal = self.runner.run(run())

    @rule(data=st.data())
    def erase_a_body(self, data: st.DataObject) -> None:
        """The rows after it, and its own place in the chain, still fit. It is put back, for the model's sake."""
        if self.lines:
            seq = data.draw(st.integers(1, len(self.lines)))
            sql = "SELECT body FROM journal WHERE seq = ?"

            async def run() -> None:
                ((body,),) = await self.journal.database.read(sql, (seq,))
                change = "UPDATE journal SET body = ? WHERE seq = ?"
                await self.journal.database.transact([statement(change, None, seq)])
                verdict = await verify(self.journal.database)
                assert (verdict.broken_at, verdict.erased) == (None, 1)
                await self.journal.database.transact([statement(change, body, seq)])

            self.runner.run(run())

    @invariant()
    def the_rows_are_what_was_accepted(self) -> None:
        rows = self.runner.run(self.journal.rows(0, 100_000))
        assert self.journal.head == len(self.lines)
        assert [row.seq for row in rows] == list(range(1, len(self.lines) + 1))
        assert [(row.event, row.instance, row.device_id) for row in rows] == [line for line, _ in self.lines]
        assert [row.created_at for row in rows] == [at for _, at in self.lines]

    @invariant()
    def the_tables_are_the_fold_of_the_rows(self) -> None:
        folded = Folded()
        for row in self.runner.run(self.journal.rows(0, 100_000)):
            assert row.event is not None
            fold(folded, row.event, row.instance, row.device_id, row.created_at)
        tables = self.journal.tables
        assert plain(tables.devices) == folded.devices
        assert tables.instances == folded.instances
        still_open = {name for name, command in folded.commands.items() if command.outcome is None}
        assert tables.open_commands.keys() == still_open
        for name in ("r1", "r2", "r3"):
            assert self.runner.run(self.journal.command(name)) == folded.commands.get(name)

    @invariant()
    def the_chain_is_whole(self) -> None:
        verdict = self.runner.run(verify(self.journal.database))
        assert (verdict.broken_at, verdict.rows, verdict.erased) == (None, len(self.lines), 0)


class TestJournal(JournalMachine.TestCase):  # type: ignore[misc,valid-type]  # hypothesis makes its base at run time
    """As long as a test may take."""

    settings = settings(max_examples=30, stateful_step_count=15)


@pytest.mark.soak
class TestJournalForLong(JournalMachine.TestCase):  # type: ignore[misc,valid-type]  # likewise
    """As many examples as the profile says, and longer ones."""

    settings = settings(stateful_step_count=40)
