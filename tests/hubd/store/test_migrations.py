"""A database of an older hub, opened by this one: nothing of it is lost."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec

from hubd.model import DeviceState, LockDoor
from hubd.store.codes import CodeBook, CodeRecord
from hubd.store.migrations import MIGRATIONS
from hubd.store.records import CommandRecord, DeviceRecord, InstanceRecord
from tests.support.clock import NOON
from tests.support.store import device, open_database, open_journal

DEVICE = DeviceRecord(device("a"), DeviceState(online=True), is_managed=True, found_at=NOON, nickname="Suite")
INSTANCE = InstanceRecord("front", NOON, is_connected=True)
COMMAND = CommandRecord("r", LockDoor(device_id="a", native_id="a"), "me", NOON, NOON)
KEPT = {
    "journal": (7, "hub.started", None, None, None, 1, 1, b'{"type":"hub.started","version":"0.3"}', b"h", b"c"),
    "meta": ("epoch", (5).to_bytes(8)),
    "devices": ("a", msgspec.json.encode(DEVICE)),
    "instances": ("front", msgspec.json.encode(INSTANCE)),
    "commands": ("r", "a", 1, 1, msgspec.json.encode(COMMAND)),
    "keys": ("k", b"s", "Desk", "owner", 1, None),
    "idempotency": ("k", "once", b"h", "r", 1, 200, b"{}"),
    "webhooks": ("w", "https://example.org", None, b"s", 1),
    "cursors": ("w", 6),
}
"""One row of each table of schema 1."""


def make_schema_1(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in MIGRATIONS[0]:
            connection.execute(statement)
        for table, row in KEPT.items():
            marks = ", ".join("?" * len(row))
            connection.execute(f"INSERT INTO {table} VALUES({marks})", row)
        connection.execute("PRAGMA user_version = 1")
        connection.commit()


async def test_every_table_of_schema_1_has_a_row_here(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    await asyncio.to_thread(make_schema_1, path)
    async with open_database(path) as database:
        sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        tables = {name for (name,) in await database.read(sql)}
    codes = {"access_codes", "code_books", "code_history", "code_attempts"}
    climate = {"thermostats", "thermostat_schedules", "thermostat_attempts", "climate_history"}
    assert tables - set(KEPT) == codes | climate | {"access"}


async def test_a_database_of_schema_1_keeps_all_it_has(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    await asyncio.to_thread(make_schema_1, path)
    for _ in range(2):
        async with open_database(path) as database:
            assert await database.read("PRAGMA user_version") == [(len(MIGRATIONS),)]
            for table, row in KEPT.items():
                assert await database.read(f"SELECT * FROM {table}") == [row], table  # noqa: S608 - likewise


async def test_what_was_found_before_is_there_and_codes_can_be_made(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    await asyncio.to_thread(make_schema_1, path)
    async with open_journal(path) as journal:
        assert journal.tables.devices == {"a": DEVICE}
        assert journal.tables.instances == {"front": INSTANCE}
        assert journal.tables.open_commands == {"r": COMMAND}
        assert (journal.head, journal.tables.codes, journal.tables.book("a")) == (7, {}, CodeBook("a"))
        code = CodeRecord("c", "a", NOON, NOON)
        await journal.transact(lambda view: view.put_code(code))
    async with open_journal(path) as journal:
        assert journal.tables.codes == {"c": code}
