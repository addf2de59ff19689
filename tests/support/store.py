"""A journal on a real database, running."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from hubd.driver.clock import Clock
from hubd.model import Capabilities, Device, DeviceDescription, LockCapability
from hubd.model.event import DeviceFound, Event
from hubd.store.database import Database, Statement
from hubd.store.journal import Journal
from hubd.store.tables import Tables, View
from tests.support.clock import ManualClock


@asynccontextmanager
async def open_database(path: Path) -> AsyncIterator[Database]:
    """Open a database and close it with the block."""
    database = await Database.open(path)
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def open_journal(path: Path, clock: Clock | None = None) -> AsyncIterator[Journal]:
    """Open a journal and run it. Opening it again afterwards is a restart of the daemon."""
    async with open_database(path) as database:
        journal = Journal(database, clock or ManualClock())
        await journal.load()
        writer = asyncio.create_task(journal.run(), name="journal")
        try:
            yield journal
        finally:
            writer.cancel()
            await asyncio.wait({writer})
            if not writer.cancelled():
                writer.result()


def device(name: str, *, instance: str = "front", **capabilities: Any) -> Device:
    """Build a lock whose id, native id and name are alike."""
    abilities = Capabilities(lock=LockCapability(), **capabilities)
    description = DeviceDescription(name, "lock", "virtual_lock", name, capabilities=abilities)
    return Device(name, instance, description)


async def tell(journal: Journal, *events: Event, device_id: str | None = None, **where: Any) -> None:
    """Journal events in one transaction; `DeviceFound` stands at its own device."""

    def write(view: View) -> None:
        for event in events:
            about = event.device.device_id if isinstance(event, DeviceFound) else device_id
            view.emit(event, device_id=about, **where)

    await journal.transact(write)


async def fill_disk(database: Database) -> None:
    """Let the database grow no more: from now on a write that needs a page fails with SQLITE_FULL."""
    await _pragma(database, "PRAGMA max_page_count = 1")


async def free_disk(database: Database) -> None:
    """Let it grow again."""
    await _pragma(database, "PRAGMA max_page_count = 1073741823")


async def refuse_writes(database: Database) -> None:
    """Make every write fail, as a file system that was remounted read-only does."""
    await _pragma(database, "PRAGMA query_only = ON")


async def take_writes(database: Database) -> None:
    """Let writes through again."""
    await _pragma(database, "PRAGMA query_only = OFF")


@asynccontextmanager
async def slow_disk(journal: Journal) -> AsyncIterator[None]:
    """Hold the writer's thread until the block ends: what is written meanwhile is on its way and not there yet."""
    free = threading.Event()
    held = asyncio.ensure_future(journal.database._writer.call(lambda _: free.wait(10)))  # noqa: SLF001
    await asyncio.sleep(0)
    try:
        yield
    finally:
        free.set()
        await held


async def _pragma(database: Database, sql: str) -> None:
    # Of the writer's connection, where only a statement without a transaction of its own may go.
    await database._writer.call(lambda connection: connection.execute(sql).fetchall())  # noqa: SLF001


def statement(sql: str, *parameters: Any) -> Statement:
    """Build a statement with one row of parameters."""
    return sql, [parameters]


def snapshot(tables: Tables) -> dict[str, object]:
    """Return all that readers can see of the tables."""
    return {
        "devices": dict(tables.devices),
        "instances": dict(tables.instances),
        "open": dict(tables.open_commands),
    }
