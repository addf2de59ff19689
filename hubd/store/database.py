"""The SQLite file: one writer connection, one reader connection, numbered forward migrations.

Durability: WAL with `synchronous=FULL`, so a commit is on the disk when it returns. One transaction is one hop to the
writer's thread (`Database.transact`), whatever it holds.
"""

import logging
import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import aiosqlite

from hubd.model.errors import StoreError
from hubd.store.migrations import MIGRATIONS

type Value = str | bytes | int | float | None
type Statement = tuple[str, Sequence[Sequence[Value]]]
"""SQL and the parameter rows it is executed with."""

REFUSALS = (sqlite3.Error, OverflowError, UnicodeError)
"""What SQLite raises for a statement, and Python's module for a value that SQLite cannot hold."""

_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "secure_delete=ON",
    "cache_size=-2048",
    "journal_size_limit=16777216",
)

# aiosqlite logs every statement with its parameters at DEBUG.
logging.getLogger("aiosqlite").setLevel(logging.WARNING)


class _Connection(aiosqlite.Connection):
    """A connection whose thread also takes whole functions, so that a transaction costs one hop."""

    async def call[T](self, function: Callable[[sqlite3.Connection], T]) -> T:
        result: T = await self._execute(function, self._conn)  # type: ignore[no-untyped-call]
        return result


def _connector(path: Path, *, read_only: bool) -> Callable[[], sqlite3.Connection]:
    def connect() -> sqlite3.Connection:
        if not read_only:
            _make_private(path)
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
        try:
            for pragma in _PRAGMAS:
                connection.execute(f"PRAGMA {pragma}")
            if read_only:
                connection.execute("PRAGMA query_only=ON")
        except BaseException:
            connection.close()
            raise
        return connection

    return connect


def _make_private(path: Path) -> None:
    """Make the file for its owner alone; SQLite gives the files beside it (WAL, shared memory) the same mode."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)


def _migrate(connection: sqlite3.Connection) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(MIGRATIONS):
        message = f"the database is of a newer hubd (schema {version}, this one knows {len(MIGRATIONS)})"
        raise StoreError("database_newer", message)
    for number in range(version, len(MIGRATIONS)):
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in MIGRATIONS[number]:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version={number + 1}")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")


def _translate(error: Exception, path: Path) -> StoreError:
    if isinstance(error, OSError):
        return StoreError("cannot_open", f"{path.name}: {error.strerror}; check owner and rights of data_dir")
    name = getattr(error, "sqlite_errorname", None) or type(error).__name__
    remedies = {
        "SQLITE_FULL": ("disk_full", "the disk is full; free some space"),
        "SQLITE_READONLY": ("read_only", "the file system is read-only"),
        "SQLITE_CANTOPEN": ("cannot_open", "the file cannot be opened; check owner and rights of data_dir"),
        "SQLITE_CORRUPT": ("damaged", "the database is damaged; restore a backup"),
        "SQLITE_NOTADB": ("damaged", "the file is not a database; restore a backup"),
        "SQLITE_BUSY": ("locked", "another process holds the database; is a second hubd running?"),
        "SQLITE_IOERR": ("io_error", "the disk reports an error"),
    }
    for key, (code, message) in remedies.items():
        if name.startswith(key):
            return StoreError(code, f"{path.name}: {message} ({name})", sqlite=name)
    return StoreError("database_error", f"{path.name}: {error} ({name})", sqlite=name)


class Database:
    """Opened by `Database.open`, closed by `close`. Every error of SQLite leaves as `StoreError`."""

    def __init__(self, path: Path, writer: _Connection, reader: _Connection) -> None:
        self.path = path
        self._writer = writer
        self._reader = reader

    @classmethod
    async def open(cls, path: Path) -> "Database":
        """Open (and create or migrate) the database. Raises `StoreError`."""
        writer = _Connection(_connector(path, read_only=False), iter_chunk_size=64)
        reader = _Connection(_connector(path, read_only=True), iter_chunk_size=64)
        try:
            await writer
            await writer.call(_migrate)
            await reader
        except (sqlite3.Error, OSError) as error:
            await _close(writer, reader)
            raise _translate(error, path) from error
        except BaseException:
            await _close(writer, reader)
            raise
        return cls(path, writer, reader)

    async def close(self) -> None:
        """Close both connections; the writer last, so that it can fold the WAL into the file."""
        await _close(self._reader, self._writer)

    async def transact(self, statements: Iterable[Statement]) -> None:
        """Execute the statements in one durable transaction: all of them or none. Raises `StoreError`."""
        batch = list(statements)

        def run(connection: sqlite3.Connection) -> None:
            connection.execute("BEGIN IMMEDIATE")
            try:
                for sql, rows in batch:
                    if len(rows) == 1:
                        connection.execute(sql, rows[0])
                    else:
                        connection.executemany(sql, rows)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

        try:
            await self._writer.call(run)
        except REFUSALS as error:
            raise _translate(error, self.path) from error

    async def read(self, sql: str, parameters: Sequence[Value] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a query on the reader connection. Raises `StoreError`."""
        try:
            return await self._reader.call(lambda connection: connection.execute(sql, parameters).fetchall())
        except REFUSALS as error:
            raise _translate(error, self.path) from error


async def _close(*connections: _Connection) -> None:
    for connection in connections:
        await connection.close()
