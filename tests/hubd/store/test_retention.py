from datetime import timedelta
from pathlib import Path

import pytest

from hubd.model import LockDoor, done
from hubd.model.event import CommandAccepted, CommandSettled, HubStarted
from hubd.store import retention
from hubd.store.database import Statement
from hubd.store.journal import Journal
from hubd.store.retention import verify
from tests.support.clock import NOON, ManualClock
from tests.support.store import open_journal, statement, tell

DAY = 86_400
TAMPERED: dict[str, tuple[list[Statement], int, str]] = {
    "body": (
        [statement("UPDATE journal SET body = ? WHERE seq = 4", b'{"type":"hub.started","version":"forged"}')],
        4,
        "its body was changed",
    ),
    "body and its hash": (
        [statement("UPDATE journal SET body = ?, body_hash = ? WHERE seq = 4", b"{}", bytes(32))],
        4,
        "its body was changed",
    ),
    "hash": ([statement("UPDATE journal SET body_hash = ? WHERE seq = 4", bytes(32))], 4, "its body was changed"),
    "hash of an erased body": (
        [statement("UPDATE journal SET body = NULL, body_hash = ? WHERE seq = 4", bytes(32))],
        4,
        "its header or place was changed",
    ),
    "type": ([statement("UPDATE journal SET type = 'x' WHERE seq = 4")], 4, "its header or place was changed"),
    "time": ([statement("UPDATE journal SET created_at = 0 WHERE seq = 4")], 4, "its header or place was changed"),
    "device": ([statement("UPDATE journal SET device_id = '' WHERE seq = 4")], 4, "its header or place was changed"),
    "link": (
        [statement("UPDATE journal SET chain = ? WHERE seq = 4", bytes(32))],
        4,
        "its header or place was changed",
    ),
    "deleted": ([statement("DELETE FROM journal WHERE seq = 4")], 5, "row 4 is missing"),
    "first deleted": ([statement("DELETE FROM journal WHERE seq = 1")], 2, "row 1 is missing"),
    "swapped": (
        [
            statement("UPDATE journal SET seq = 99 WHERE seq = 4"),
            statement("UPDATE journal SET seq = 4 WHERE seq = 5"),
            statement("UPDATE journal SET seq = 5 WHERE seq = 99"),
        ],
        4,
        "its header or place was changed",
    ),
    "moved": ([statement("UPDATE journal SET seq = 99 WHERE seq = 4")], 5, "row 4 is missing"),
    "cut without right": (
        [
            statement(
                "INSERT INTO meta(name, value) VALUES('cut_seq', ?), ('cut_chain', ?)", (3).to_bytes(8), bytes(32)
            ),
            statement("DELETE FROM journal WHERE seq <= 3"),
        ],
        4,
        "its header or place was changed",
    ),
}


async def write(journal: Journal, count: int) -> None:
    for number in range(count):
        await tell(journal, HubStarted(version=str(number)))


@pytest.mark.parametrize("how", TAMPERED)
async def test_tampering_is_seen(tmp_path: Path, how: str) -> None:
    statements, row, reason = TAMPERED[how]
    async with open_journal(tmp_path / "x.sqlite") as journal:
        await write(journal, 7)
        assert (await verify(journal.database)).broken_at is None
        await journal.database.transact(statements)
        verdict = await verify(journal.database)
        assert (verdict.broken_at, verdict.reason) == (row, reason)


async def test_a_row_that_was_added_by_hand_is_seen(tmp_path: Path) -> None:
    async with open_journal(tmp_path / "x.sqlite") as journal:
        await write(journal, 3)
        copy = (
            "INSERT INTO journal SELECT 4, type, public, instance, device_id, occurred_at, created_at, body, body_hash,"
            " chain FROM journal WHERE seq = 3"
        )
        await journal.database.transact([statement(copy)])
        assert (await verify(journal.database)).broken_at == 4


async def test_an_erased_body_still_verifies(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    async with open_journal(path) as journal:
        await write(journal, 3)
        await journal.database.transact([statement("UPDATE journal SET body = NULL WHERE seq IN (1, 3)")])
    async with open_journal(path) as again:
        assert [row.event for row in await again.rows(0)] == [None, HubStarted(version="1"), None]
        await write(again, 1)
        verdict = await verify(again.database)
        assert (verdict.rows, verdict.erased, verdict.broken_at) == (4, 2, None)


async def test_an_empty_journal_is_whole(tmp_path: Path) -> None:
    async with open_journal(tmp_path / "x.sqlite") as journal:
        verdict = await verify(journal.database)
        assert (verdict.rows, verdict.first, verdict.last, verdict.broken_at) == (0, 1, 0, None)


async def test_verifying_goes_on_over_many_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_PAGE", 3)
    async with open_journal(tmp_path / "x.sqlite") as journal:
        await write(journal, 10)
        assert (await verify(journal.database)).rows == 10
        await journal.database.transact([statement("DELETE FROM journal WHERE seq = 7")])
        assert (await verify(journal.database)).broken_at == 8


async def test_a_cut_takes_the_old_end_and_the_chain_goes_on(tmp_path: Path) -> None:
    path, clock = tmp_path / "x.sqlite", ManualClock()
    async with open_journal(path, clock) as journal:
        for _ in range(10):
            await write(journal, 1)
            await clock.advance(DAY)
        assert await journal.cut(clock.now() - timedelta(days=4)) == 6
        assert await journal.cut(clock.now() - timedelta(days=4)) == 0
        assert [row.seq for row in await journal.select("seq > ?", (0,))] == [7, 8, 9, 10]
        assert journal.head == 10
        verdict = await verify(journal.database)
        assert (verdict.rows, verdict.first, verdict.last, verdict.broken_at) == (4, 7, 10, None)
    async with open_journal(path, clock) as again:
        assert again.head == 10
        await write(again, 1)
        assert await again.cut(clock.now() - timedelta(days=2.5)) == 2
        verdict = await verify(again.database)
        assert (verdict.rows, verdict.first, verdict.last, verdict.broken_at) == (3, 9, 11, None)
        await again.database.transact([statement("DELETE FROM journal WHERE seq = 9")])
        assert (await verify(again.database)).reason == "row 9 is missing"


async def test_the_newest_row_always_stays(tmp_path: Path) -> None:
    path, clock = tmp_path / "x.sqlite", ManualClock()
    async with open_journal(path, clock) as journal:
        await write(journal, 3)
        await clock.advance(1000 * DAY)
        assert await journal.cut(clock.now()) == 2
        assert await journal.cut(clock.now()) == 0
    async with open_journal(path, clock) as again:
        assert again.head == 3
        await write(again, 1)
        assert (await verify(again.database)).last == 4


async def test_settled_commands_go_with_their_rows_and_open_ones_stay(tmp_path: Path) -> None:
    clock = ManualClock()
    async with open_journal(tmp_path / "x.sqlite", clock) as journal:
        order = LockDoor(device_id="a", native_id="a")
        for name in ("open", "old"):
            await tell(journal, CommandAccepted(request_id=name, command=order, deadline=NOON, by="me"))
        await tell(journal, CommandSettled(request_id="old", outcome=done()))
        await clock.advance(10 * DAY)
        await tell(
            journal,
            CommandAccepted(request_id="new", command=order, deadline=NOON, by="me"),
            CommandSettled(request_id="new", outcome=done()),
        )
        await journal.cut(clock.now() - timedelta(days=5))
        kept = await journal.database.read("SELECT request_id FROM commands ORDER BY request_id")
        assert kept == [("new",), ("open",)]


async def test_a_clock_that_stood_in_the_past_costs_no_history(tmp_path: Path) -> None:
    """A box without a battery for its clock starts in 1970 until it is told the time."""
    path = tmp_path / "x.sqlite"
    async with open_journal(path, ManualClock()) as journal:
        await write(journal, 5)
    clock = ManualClock(NOON.replace(year=1970))
    async with open_journal(path, clock) as journal:
        await write(journal, 2)
        clock.step((NOON - clock.now()).total_seconds() + 60)
        await write(journal, 1)
        assert await journal.cut(clock.now() - timedelta(days=400)) == 0
        verdict = await verify(journal.database)
        assert (verdict.rows, verdict.broken_at) == (8, None)


async def test_a_clock_that_was_ahead_holds_nothing_up(tmp_path: Path) -> None:
    clock = ManualClock(NOON)
    async with open_journal(tmp_path / "x.sqlite", clock) as journal:
        await write(journal, 2)
        clock.step(50 * 365 * DAY)
        await write(journal, 1)
        clock.step(-49 * 365 * DAY)
        await write(journal, 2)
        assert await journal.cut(clock.now() - timedelta(days=1)) == 3


async def test_verifying_while_a_running_hub_cuts_raises_no_false_alarm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_PAGE", 2)
    clock = ManualClock()
    async with open_journal(tmp_path / "x.sqlite", clock) as journal:
        await write(journal, 8)
        await clock.advance(10 * DAY)
        await write(journal, 2)
        database, pages = journal.database, 0
        read = database.read

        async def read_and_cut(sql: str, parameters: tuple[int, ...] = ()) -> list[tuple[object, ...]]:
            nonlocal pages
            if sql.startswith("SELECT seq, type"):
                pages += 1
                if pages == 3:
                    monkeypatch.undo()
                    await journal.cut(clock.now() - timedelta(days=1))
            return await read(sql, parameters)

        monkeypatch.setattr(database, "read", read_and_cut)
        verdict = await verify(database)
        assert (verdict.first, verdict.last, verdict.broken_at) == (9, 10, None)
