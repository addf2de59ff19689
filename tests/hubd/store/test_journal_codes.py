"""Access codes as part of what is durable."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from hubd.model.errors import StoreError
from hubd.store.codes import CodeBook, CodeRecord, Placement, SealedPin
from hubd.store.journal import Journal
from hubd.store.tables import View
from tests.support.clock import NOON, settle
from tests.support.store import open_database, open_journal, refuse_writes, slow_disk, take_writes

CODE = CodeRecord("c", "a", NOON, NOON, pin=SealedPin(b"\x00\xff", b"\x01"), placement=Placement(2, "sent", NOON))
BOOK = CodeBook("a", unread=(1,), swept_at=NOON)


class OopsError(Exception):
    """A transaction's own error."""


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    async with open_journal(tmp_path / "x.sqlite") as journal:
        yield journal


async def test_codes_and_books_survive_a_restart_until_they_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"

    def make(view: View) -> None:
        view.put_code(CODE)
        view.put_code(replace(CODE, code_id="d", device_id="b"))
        view.put_book(BOOK)

    async with open_journal(path) as journal:
        await journal.transact(make)
        assert journal.tables.codes_of("a") == [CODE]
    async with open_journal(path) as journal:
        assert journal.tables.codes == {"c": CODE, "d": replace(CODE, code_id="d", device_id="b")}
        assert (journal.tables.codes_of("a"), journal.tables.book("a")) == ([CODE], BOOK)
        await journal.transact(lambda view: view.drop_code("c"))
        assert journal.tables.codes_of("a") == []
        assert await journal.database.read("SELECT code_id FROM access_codes") == [("d",)]
    async with open_journal(path) as journal:
        assert set(journal.tables.codes) == {"d"}


async def test_a_code_is_there_once_it_is_durable_and_never_of_what_failed(journal: Journal) -> None:
    def fail(view: View) -> None:
        view.put_code(CODE)
        view.put_book(BOOK)
        raise OopsError

    with pytest.raises(OopsError):
        await journal.transact(fail)
    assert (dict(journal.tables.codes), journal.tables.book("a")) == ({}, CodeBook("a"))
    async with slow_disk(journal):
        making = asyncio.create_task(journal.transact(lambda view: view.put_code(CODE)))
        looking = asyncio.create_task(journal.transact(lambda view: view.codes_of("a")))
        await settle()
        assert dict(journal.tables.codes) == {}
    await making
    assert await looking == [CODE]
    assert journal.tables.codes == {"c": CODE}


async def test_a_code_that_the_disk_refuses_is_as_it_was(journal: Journal) -> None:
    await journal.transact(lambda view: view.put_code(CODE))
    await refuse_writes(journal.database)
    for change in (
        lambda view: view.put_code(replace(CODE, name="never")),
        lambda view: view.drop_code("c"),
    ):
        with pytest.raises(StoreError):
            await journal.transact(change)
    await take_writes(journal.database)
    assert journal.tables.codes == {"c": CODE}


@pytest.mark.parametrize("table", ["access_codes", "code_books"])
async def test_a_row_of_codes_that_cannot_be_read_is_told(tmp_path: Path, table: str) -> None:
    path = tmp_path / "x.sqlite"
    columns = "code_id, device_id, body" if table == "access_codes" else "device_id, body"
    async with open_database(path) as database:
        marks = ", ".join("?" * (columns.count(",") + 1))
        row = ("c", "a", b"{}") if table == "access_codes" else ("a", b"{}")
        await database.transact([(f"INSERT INTO {table}({columns}) VALUES({marks})", [row])])
    with pytest.raises(StoreError) as caught:
        async with open_journal(path):
            pass
    assert caught.value.code == "damaged"
