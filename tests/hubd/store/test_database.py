import asyncio
import sqlite3
import stat
from pathlib import Path

import pytest

from hubd.model.errors import StoreError
from hubd.store.database import Database
from hubd.store.migrations import MIGRATIONS
from tests.support.store import fill_disk, free_disk, open_database, statement

PUT = "INSERT INTO meta(name, value) VALUES(?, ?)"


async def refused(path: Path) -> StoreError:
    with pytest.raises(StoreError) as caught:
        await Database.open(path)
    return caught.value


async def prepare(path: Path, sql: str) -> None:
    def run() -> None:
        connection = sqlite3.connect(path)
        connection.executescript(sql)
        connection.close()

    await asyncio.to_thread(run)


async def test_durable_as_promised(tmp_path: Path) -> None:
    async with open_database(tmp_path / "x.sqlite") as database:
        assert await database.read("PRAGMA journal_mode") == [("wal",)]
        assert await database.read("PRAGMA synchronous") == [(2,)]
        await database.transact([statement(PUT, "a", b"1")])
        assert await database.read("SELECT name, value FROM meta") == [("a", b"1")]
    async with open_database(tmp_path / "x.sqlite") as again:
        assert await again.read("SELECT name FROM meta") == [("a",)]
        assert await again.read("PRAGMA user_version") == [(len(MIGRATIONS),)]


@pytest.mark.parametrize("was", [None, 0o644])
async def test_no_file_of_it_can_be_read_by_others(tmp_path: Path, was: int | None) -> None:
    path = tmp_path / "x.sqlite"
    if was is not None:
        await prepare(path, "CREATE TABLE before(x)")
        await asyncio.to_thread(path.chmod, was)
    async with open_database(path) as database:
        await database.transact([statement(PUT, "a", b"1")])
        modes = await asyncio.to_thread(_modes, tmp_path)
    assert modes == {"x.sqlite": 0o600, "x.sqlite-wal": 0o600, "x.sqlite-shm": 0o600}


def _modes(folder: Path) -> dict[str, int]:
    return {one.name: stat.S_IMODE(one.stat().st_mode) for one in folder.iterdir()}


async def test_all_statements_or_none(tmp_path: Path) -> None:
    async with open_database(tmp_path / "x.sqlite") as database:
        with pytest.raises(StoreError) as caught:
            await database.transact([statement(PUT, "a", b"1"), (PUT, [("b", b"2"), ("a", b"3")])])
        assert caught.value.code == "database_error"
        assert await database.read("SELECT * FROM meta") == []
        await database.transact([(PUT, [("b", b"2"), ("c", b"3")])])
        assert await database.read("SELECT name FROM meta ORDER BY name") == [("b",), ("c",)]


async def test_readers_cannot_write(tmp_path: Path) -> None:
    async with open_database(tmp_path / "x.sqlite") as database:
        with pytest.raises(StoreError) as caught:
            await database.read("DELETE FROM meta")
        assert caught.value.code == "read_only"


@pytest.mark.parametrize("value", [2**63, "\udcff"], ids=["too large", "no text"])
async def test_a_value_that_sqlite_cannot_hold_is_an_error_like_any_other(tmp_path: Path, value: object) -> None:
    async with open_database(tmp_path / "x.sqlite") as database:
        with pytest.raises(StoreError) as caught:
            await database.transact([statement(PUT, "a", b"1"), statement(PUT, "b", value)])
        assert caught.value.code == "database_error"
        with pytest.raises(StoreError):
            await database.read("SELECT ?", (value,))  # type: ignore[arg-type]  # as a defect would
        assert await database.read("SELECT * FROM meta") == []


async def test_full_disk_is_said_and_heals(tmp_path: Path) -> None:
    async with open_database(tmp_path / "x.sqlite") as database:
        await fill_disk(database)
        with pytest.raises(StoreError) as caught:
            await database.transact([statement(PUT, "a", bytes(100_000))])
        assert caught.value.code == "disk_full"
        assert caught.value.data == {"sqlite": "SQLITE_FULL"}
        assert "free some space" in caught.value.message
        await free_disk(database)
        await database.transact([statement(PUT, "a", b"1")])


async def test_newer_schema_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    await prepare(path, f"CREATE TABLE future(x); PRAGMA user_version = {len(MIGRATIONS) + 1}")
    error = await refused(path)
    assert error.code == "database_newer"
    assert f"schema {len(MIGRATIONS) + 1}" in error.message
    assert await asyncio.to_thread(_tables, path) == ["future"]


def _tables(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    connection.close()
    return names


async def test_interrupted_migration_leaves_the_old_schema(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    await prepare(path, "CREATE TABLE cursors(x)")  # the last table of the first migration is in the way
    assert (await refused(path)).code == "database_error"
    assert await asyncio.to_thread(_tables, path) == ["cursors"]


async def test_what_is_no_database_is_said(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    await asyncio.to_thread(path.write_bytes, b"no database at all, but long enough to look at" * 50)
    error = await refused(path)
    assert error.code == "damaged"
    assert error.message.startswith("x.sqlite: the file is not a database; restore a backup")


@pytest.mark.parametrize("name", ["missing/x.sqlite", "folder"])
async def test_what_cannot_be_opened_is_said(tmp_path: Path, name: str) -> None:
    await asyncio.to_thread((tmp_path / "folder").mkdir)
    error = await refused(tmp_path / name)
    assert error.code == "cannot_open"
    assert "check owner and rights of data_dir" in error.message


async def test_a_second_writer_is_noticed(tmp_path: Path) -> None:
    async with open_database(tmp_path / "x.sqlite") as database:
        other = await asyncio.to_thread(_hold, tmp_path / "x.sqlite")
        await database._writer.call(lambda connection: connection.execute("PRAGMA busy_timeout = 20"))  # noqa: SLF001
        with pytest.raises(StoreError) as caught:
            await database.transact([statement(PUT, "a", b"1")])
        assert caught.value.code == "locked"
        assert "is a second hubd running?" in caught.value.message
        await asyncio.to_thread(other.close)
        await database.transact([statement(PUT, "a", b"1")])


def _hold(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("BEGIN IMMEDIATE")
    return connection
