"""Work on the store of a hub that is not running, under its lock."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from hubd.box import Box
from hubd.core.keys import Keys
from hubd.driver.clock import SystemClock
from hubd.store.database import Database
from hubd.store.journal import Journal


@asynccontextmanager
async def with_keys(data_dir: Path) -> AsyncIterator[Keys]:
    """Open the keys of a stopped hub. Raises `BoxError` when it runs after all.

    No task group: what the block raises leaves as it is, not in an exception group.
    """
    box = await asyncio.to_thread(Box, data_dir)
    try:
        database = await Database.open(box.database)
        try:
            journal = Journal(database, SystemClock())
            await journal.load()
            writer = asyncio.create_task(journal.run(), name="journal")
            try:
                keys = Keys(journal)
                await keys.load()
                yield keys
            finally:
                writer.cancel()
                await asyncio.wait({writer})
        finally:
            await database.close()
    finally:
        box.close()
