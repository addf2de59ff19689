import asyncio
import gc
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from hubd.model import LockDoor, done
from hubd.model.errors import StoreError
from hubd.model.event import (
    CommandAccepted,
    CommandSettled,
    DeviceConnected,
    DeviceEdited,
    DeviceFound,
    HubStarted,
    LockChanged,
    LockDenied,
)
from hubd.model.state import BatteryReading
from hubd.store import journal as journal_module
from hubd.store.journal import Journal
from hubd.store.retention import verify
from hubd.store.tables import View
from tests.support.clock import NOON
from tests.support.store import (
    device,
    fill_disk,
    free_disk,
    open_database,
    open_journal,
    refuse_writes,
    slow_disk,
    snapshot,
    take_writes,
    tell,
)

FOUND = DeviceFound(device=device("a"), is_managed=True)


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    async with open_journal(tmp_path / "x.sqlite") as journal:
        yield journal


async def types(journal: Journal) -> list[str]:
    return [row.type for row in await journal.rows(0)]


def problem(journal: Journal) -> str | None:
    return None if journal.problem is None else journal.problem.code


def locked(journal: Journal, device_id: str = "a") -> bool | None:
    return journal.tables.devices[device_id].state.locked


class OopsError(Exception):
    """A transaction's own error."""


def oops(view: View) -> None:
    view.emit(HubStarted(version="never"))
    view.execute("DELETE FROM journal")
    record = view.device("a")
    assert record is not None
    view.put_device(replace(record, nickname="never"))
    raise OopsError


async def test_a_transaction_returns_what_its_function_does(journal: Journal) -> None:
    assert await journal.transact(lambda view: view.now) == NOON
    assert journal.head == 0
    await tell(journal, FOUND)
    assert journal.head == 1


async def test_functions_run_in_order_and_see_what_went_before(journal: Journal) -> None:
    """All of these are one batch, and each decides on what the one before it did."""
    await tell(journal, FOUND)

    def turn(view: View) -> bool:
        record = view.device("a")
        assert record is not None
        now = not record.state.locked
        view.emit(LockChanged(locked=now, method="manual"), device_id="a")
        return now

    async with slow_disk(journal):
        turns = [asyncio.create_task(journal.transact(turn)) for _ in range(5)]
        await asyncio.sleep(0)
    assert await asyncio.gather(*turns) == [True, False, True, False, True]
    moved = [row.event.locked for row in await journal.rows(1) if isinstance(row.event, LockChanged)]
    assert moved == [True, False, True, False, True]
    assert locked(journal) is True


async def test_a_raising_transaction_keeps_nothing_and_its_neighbours_everything(journal: Journal) -> None:
    await tell(journal, FOUND)
    before = DeviceEdited(nickname="before")
    after = LockDenied(reason="unknown_code", message="No.")
    results = await asyncio.gather(
        tell(journal, before, device_id="a"),
        journal.transact(oops),
        tell(journal, after, device_id="a"),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [type(None), OopsError, type(None)]
    assert await types(journal) == ["device.found", "device.edited", "lock.denied"]
    assert journal.tables.devices["a"].nickname == "before"
    assert journal.problem is None
    assert (await verify(journal.database)).rows == 3


async def test_an_event_that_cannot_be_written_is_its_own_transactions_error(journal: Journal) -> None:
    results = await asyncio.gather(
        tell(journal, HubStarted(version="1")),
        tell(journal, HubStarted(version="\ud800")),
        tell(journal, HubStarted(version="2")),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [type(None), UnicodeEncodeError, type(None)]
    assert [row.event for row in await journal.rows(0)] == [HubStarted(version="1"), HubStarted(version="2")]


async def test_a_statement_that_sqlite_refuses_fails_its_own_transaction_alone(journal: Journal) -> None:
    def insert(key: str, value: Any) -> Any:
        def write(view: View) -> None:
            view.emit(HubStarted(version=key))
            view.execute("INSERT INTO meta(name, value) VALUES(?, ?)", key, value)

        return journal.transact(write)

    async with slow_disk(journal):
        batch = [
            asyncio.create_task(insert(*pair)) for pair in (("a", b"1"), ("a", b"2"), ("b", "\udcff"), ("c", b"3"))
        ]
        await asyncio.sleep(0)
    results = await asyncio.gather(*batch, return_exceptions=True)
    assert [type(result) for result in results] == [type(None), StoreError, StoreError, type(None)]
    assert await types(journal) == ["hub.started", "hub.started"]
    kept = await journal.database.read("SELECT name FROM meta WHERE name <> 'epoch' ORDER BY name")
    assert kept == [("a",), ("c",)]
    assert (await verify(journal.database)).broken_at is None


async def test_readers_see_nothing_that_is_not_on_the_disk(journal: Journal) -> None:
    await tell(journal, FOUND)
    async with slow_disk(journal):
        writing = asyncio.create_task(tell(journal, LockChanged(locked=True, method="manual"), device_id="a"))
        beyond = asyncio.create_task(journal.wait_beyond(1))
        await asyncio.sleep(0.02)
        assert (journal.head, locked(journal), await types(journal)) == (1, None, ["device.found"])
        assert not writing.done()
        assert not beyond.done()
    await writing
    await beyond
    assert (journal.head, locked(journal)) == (2, True)


async def test_full_disk_is_everybodys_error_and_leaves_memory_as_it_was(journal: Journal) -> None:
    await tell(journal, FOUND)
    before = snapshot(journal.tables)
    await fill_disk(journal.database)
    big = LockDenied(reason="unknown_code", message="x" * 100_000)
    async with slow_disk(journal):
        one = asyncio.create_task(tell(journal, DeviceEdited(nickname="lost"), device_id="a"))
        other = asyncio.create_task(tell(journal, big, device_id="a"))
        await asyncio.sleep(0)
    errors = await asyncio.gather(one, other, return_exceptions=True)
    assert [error.code for error in errors if isinstance(error, StoreError)] == ["disk_full", "disk_full"]
    assert errors[0] is not errors[1]
    assert (snapshot(journal.tables), journal.head, await types(journal)) == (before, 1, ["device.found"])
    assert problem(journal) == "disk_full"

    await free_disk(journal.database)
    await tell(journal, DeviceEdited(nickname="kept"), device_id="a")
    assert problem(journal) is None
    assert journal.tables.devices["a"].nickname == "kept"
    verdict = await verify(journal.database)
    assert (verdict.rows, verdict.broken_at) == (2, None)


async def test_read_only_file_system_is_said(journal: Journal) -> None:
    await refuse_writes(journal.database)
    with pytest.raises(StoreError) as caught:
        await tell(journal, FOUND)
    assert caught.value.code == "read_only"
    assert journal.tables.devices == {}


async def test_a_caller_who_leaves_takes_nothing_back(journal: Journal) -> None:
    async with slow_disk(journal):
        leaving = asyncio.create_task(tell(journal, FOUND))
        await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.wait({leaving})
    await journal.wait_beyond(0)
    assert journal.tables.devices.keys() == {"a"}


async def test_an_error_that_nobody_waits_for_is_no_noise(journal: Journal, caplog: pytest.LogCaptureFixture) -> None:
    async with slow_disk(journal):
        leaving = asyncio.create_task(journal.transact(oops))
        failing = asyncio.create_task(tell(journal, HubStarted(version="\ud800")))
        await asyncio.sleep(0)
        leaving.cancel()
        failing.cancel()
        await asyncio.wait({leaving, failing})
    await journal.transact(lambda _: None)
    del leaving, failing
    gc.collect()
    await asyncio.sleep(0)
    assert caplog.records == []


async def test_so_many_transactions_wait_and_no_more(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "MAX_PENDING", 20)
    monkeypatch.setattr(journal_module, "MAX_BATCH", 8)
    most = 0

    def watched(view: View) -> int:
        nonlocal most
        most = max(most, len(journal._pending))  # noqa: SLF001
        view.emit(HubStarted(version="x"))
        return len(journal._pending)  # noqa: SLF001

    async with slow_disk(journal):
        crowd = [asyncio.create_task(journal.transact(watched)) for _ in range(100)]
        await asyncio.sleep(0.02)
        assert len(journal._pending) <= 20  # noqa: SLF001
    await asyncio.gather(*crowd)
    assert most <= 20
    assert journal.head == 100


async def test_stopping_in_the_middle_of_a_write_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    async with open_database(path) as database:
        journal = Journal(database, _FixedClock())
        await journal.load()
        writer = asyncio.create_task(journal.run())
        async with slow_disk(journal):
            first = asyncio.create_task(tell(journal, FOUND))
            await asyncio.sleep(0.01)  # its batch is on the way to the disk
            second = asyncio.create_task(tell(journal, LockChanged(locked=True, method="manual"), device_id="a"))
            await asyncio.sleep(0)
            writer.cancel()
            await asyncio.sleep(0.01)
        async with asyncio.timeout(5):
            await asyncio.gather(first, second)
            await asyncio.wait({writer})
        assert writer.cancelled()
        assert await types(journal) == ["device.found", "lock.changed"]
        with pytest.raises(StoreError) as caught:
            await journal.transact(lambda _: None)
        assert caught.value.code == "stopping"
    async with open_journal(path) as again:
        assert locked(again) is True
        assert (await verify(again.database)).rows == 2


async def test_stopping_tells_those_who_wait_for_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "MAX_PENDING", 2)
    async with open_database(tmp_path / "x.sqlite") as database:
        journal = Journal(database, _FixedClock())
        await journal.load()
        writer = asyncio.create_task(journal.run())
        async with slow_disk(journal):
            crowd = [asyncio.create_task(tell(journal, HubStarted(version=str(n)))) for n in range(12)]
            await asyncio.sleep(0.01)
            writer.cancel()
        async with asyncio.timeout(5):
            results = await asyncio.gather(*crowd, return_exceptions=True)
            await asyncio.wait({writer})
        kept = sum(result is None for result in results)
        assert kept == journal.head
        assert 2 <= kept < 12
        assert {error.code for error in results if isinstance(error, StoreError)} == {"stopping"}


class _FixedClock:
    """Enough of a clock for a journal alone."""

    def now(self) -> datetime:
        return NOON

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def timeout(self, seconds: float) -> asyncio.Timeout:
        return asyncio.timeout(seconds)


async def test_rows_are_the_same_from_memory_and_from_the_disk(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = timezone(timedelta(hours=5, minutes=30))
    when = datetime(2026, 2, 1, 3, 4, 5, 678, tzinfo=there)
    await tell(journal, FOUND, instance="front", public="device.added")
    await tell(journal, DeviceConnected(), device_id="a", occurred_at=when)
    recent = await journal.rows(0)
    monkeypatch.setattr(journal, "_ring", type(journal._ring)())  # noqa: SLF001 - as after a restart
    assert await journal.rows(0) == recent == await journal.select("seq > ?", (0,))
    assert recent[0].public == "device.added"
    assert recent[0].instance == "front"
    assert recent[1].occurred_at == when
    assert recent[1].occurred_at.tzinfo is UTC
    assert recent[1].created_at == NOON


async def test_pages_of_rows_are_in_order_and_whole(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a page lies in memory, on the disk, or where the two meet."""
    ring = type(journal._ring)(maxlen=7)  # noqa: SLF001
    monkeypatch.setattr(journal, "_ring", ring)
    for number in range(20):
        await tell(journal, HubStarted(version=str(number)))
    for size in (1, 3, 20, 50):
        seen: list[int] = []
        while page := await journal.rows(seen[-1] if seen else 0, size):
            assert len(page) <= size
            seen += [row.seq for row in page]
        assert seen == list(range(1, 21))
    assert await journal.rows(20) == await journal.rows(99) == []


async def test_telemetry_is_seen_at_once_and_on_the_disk_after_a_flush(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    async with open_journal(path) as journal:
        await tell(journal, FOUND)
        await journal.transact(battery(0.5))
        assert level(journal) == 0.5
        assert journal.head == 1
        await journal.flush()
        await journal.transact(battery(0.4))
        assert level(journal) == 0.4
    async with open_journal(path) as again:  # the last reading was not flushed
        assert level(again) == 0.5
        await again.flush()


def battery(value: float) -> Any:
    def write(view: View) -> None:
        record = view.device("a")
        assert record is not None
        reading = BatteryReading(value, view.now)
        view.put_telemetry(replace(record, state=replace(record.state, battery=reading)))

    return write


def level(journal: Journal) -> float | None:
    reading = journal.tables.devices["a"].state.battery
    return None if reading is None else reading.level


async def test_a_flush_never_undoes_what_is_written_beside_it(tmp_path: Path) -> None:
    """What is known at the flush is older than the change on its way to the disk; the disk must keep the change."""
    path = tmp_path / "x.sqlite"
    async with open_journal(path) as journal:
        await tell(journal, FOUND)
        await journal.transact(battery(0.5))
        async with slow_disk(journal):
            change = asyncio.create_task(tell(journal, DeviceEdited(nickname="Suite"), device_id="a"))
            await asyncio.sleep(0.01)  # under way, and not seen by readers yet
            flush = asyncio.create_task(journal.flush())
            await asyncio.sleep(0.01)
        await asyncio.gather(change, flush)
    async with open_journal(path) as again:
        assert again.tables.devices["a"].nickname == "Suite"
        assert level(again) == 0.5


async def test_a_flush_that_fails_is_made_up_for(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    async with open_journal(path) as journal:
        await tell(journal, FOUND)
        await journal.transact(battery(0.5))
        await refuse_writes(journal.database)
        with pytest.raises(StoreError):
            await journal.flush()
        assert level(journal) == 0.5
        await take_writes(journal.database)
        await journal.flush()
    async with open_journal(path) as again:
        assert level(again) == 0.5


async def test_a_restart_finds_everything(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    accepted = [
        CommandAccepted(request_id=name, command=LockDoor(device_id="a", native_id="a"), deadline=NOON, by="me")
        for name in ("open", "ended")
    ]
    async with open_journal(path) as journal:
        await tell(journal, FOUND, *accepted, CommandSettled(request_id="ended", outcome=done()))
        epoch, before = journal.epoch, snapshot(journal.tables)
        ended = await journal.command("ended")
    async with open_journal(path) as again:
        assert (again.epoch, again.head, snapshot(again.tables)) == (epoch, 4, before)
        assert again.tables.open_commands.keys() == {"open"}
        assert again.tables.command("ended") is None
        assert await again.command("ended") == ended
        assert await again.command("never") is None
        await tell(again, HubStarted(version="2"))
        assert (await verify(again.database)).rows == 5


async def test_another_database_is_another_epoch(tmp_path: Path) -> None:
    async with open_journal(tmp_path / "a.sqlite") as one, open_journal(tmp_path / "b.sqlite") as other:
        assert one.epoch != other.epoch


@pytest.mark.parametrize("body", [b"{", b'{"device": 3}', b"\xff"])
async def test_a_row_that_cannot_be_read_is_a_damaged_database(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "x.sqlite"
    async with open_journal(path) as journal:
        await tell(journal, FOUND)
        await journal.database.transact([("UPDATE devices SET body = ?", [(body,)])])
    with pytest.raises(StoreError) as caught:
        async with open_journal(path):
            pass
    assert caught.value.code == "damaged"
    assert "restore a backup" in caught.value.message
