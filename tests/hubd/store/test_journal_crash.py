"""A crash at any byte that is written.

What a crash leaves of the files is made here: the log cut off anywhere, and a checkpoint stopped anywhere. Whatever is
left must open as a prefix of history, with a whole chain and the tables of just that moment, and hold all that somebody
was told to be durable.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hubd.model import LockDoor, done
from hubd.model.event import CommandAccepted, CommandSettled, CommandStarted, DeviceEdited, DeviceFound, LockChanged
from hubd.store.journal import Journal
from hubd.store.retention import verify
from tests.support.clock import NOON
from tests.support.store import device, open_journal, snapshot, tell

LOCKS = tuple("abcd")
GROUPS = 24
LOG_HEADER, FRAME_HEADER, PAGE = 32, 24, 4096
FRAME = FRAME_HEADER + PAGE


@dataclass
class History:
    """The files, and what was durable when."""

    before: bytes = b""
    """The database before the log was begun."""
    after: bytes = b""
    """The database when all of the log was taken over into it."""
    log: bytes = b""
    told: list[tuple[int, int]] = field(default_factory=list)
    """How long the log was when this row was told to be durable."""
    tables: dict[int, dict[str, object]] = field(default_factory=dict)
    """What readers saw, by the last row."""

    async def note(self, journal: Journal) -> None:
        """Keep what is durable now."""
        log = journal.database.path.with_name("x.sqlite-wal")
        self.told.append(((await asyncio.to_thread(log.stat)).st_size, journal.head))
        self.tables[journal.head] = snapshot(journal.tables)


async def live(journal: Journal, number: int, history: History) -> None:
    """Let several things happen at once, and then one more."""
    lock = LOCKS[number % len(LOCKS)]
    request_id = f"r{number}"
    command = LockDoor(device_id=lock, native_id=lock)
    accepted = CommandAccepted(request_id=request_id, command=command, deadline=NOON, by="k")
    await asyncio.gather(
        tell(journal, accepted, CommandStarted(request_id=request_id), device_id=lock),
        tell(journal, LockChanged(locked=number % 2 == 0, method="manual"), device_id=lock, public="lock.locked"),
        tell(journal, DeviceEdited(nickname=f"Room {number}" * 40), device_id=lock),
    )
    await history.note(journal)
    if number % 3:
        await tell(journal, CommandSettled(request_id=request_id, outcome=done()), device_id=lock)
        await history.note(journal)


@pytest.fixture
async def history(tmp_path: Path) -> History:
    path = tmp_path / "x.sqlite"
    history = History()
    async with open_journal(path) as journal:
        await tell(journal, *(DeviceFound(device=device(name), is_managed=True) for name in LOCKS))
    history.before = await asyncio.to_thread(path.read_bytes)
    async with open_journal(path) as journal:
        await history.note(journal)
        for number in range(GROUPS):
            await live(journal, number, history)
        history.log = await asyncio.to_thread(path.with_name("x.sqlite-wal").read_bytes)
        assert await asyncio.to_thread(path.read_bytes) == history.before  # no checkpoint yet: the log holds it all
    history.after = await asyncio.to_thread(path.read_bytes)
    return history


@asynccontextmanager
async def reopened(path: Path, database: bytes, log: bytes) -> AsyncIterator[Journal]:
    """Start on what a crash left."""

    def leave() -> None:
        for name in ("x.sqlite-shm", "x.sqlite-wal"):
            path.with_name(name).unlink(missing_ok=True)
        path.write_bytes(database)
        path.with_name("x.sqlite-wal").write_bytes(log)

    await asyncio.to_thread(leave)
    async with open_journal(path) as journal:
        yield journal


async def check(journal: Journal, history: History) -> bool:
    """What is there is whole. Returns whether readers once saw just this moment; then the tables are those of it."""
    verdict = await verify(journal.database)
    assert verdict.broken_at is None, verdict
    assert verdict.last == journal.head
    if journal.head not in history.tables:
        return False
    assert snapshot(journal.tables) == history.tables[journal.head]
    return True


def cuts(length: int, chance: random.Random) -> Iterator[int]:
    """Where to cut the log: at frames, beside them and anywhere."""
    frames = (length - LOG_HEADER) // FRAME
    for _ in range(20):
        boundary = LOG_HEADER + chance.randint(0, frames) * FRAME
        yield min(length, max(0, boundary + chance.choice((-1, 0, 1, FRAME_HEADER))))
        yield chance.randint(0, length)
    yield from (0, LOG_HEADER, length)


async def test_a_log_cut_off_anywhere_is_a_prefix_of_history(history: History, tmp_path: Path) -> None:
    chance = random.Random(70)
    seen: set[int] = set()
    for cut in cuts(len(history.log), chance):
        # What comes after the cut: nothing, a file that grew before it was written, or a torn sector.
        tail = chance.choice((b"", bytes(chance.randint(1, 2 * FRAME)), chance.randbytes(chance.randint(1, 2 * FRAME))))
        async with reopened(tmp_path / "x.sqlite", history.before, history.log[:cut] + tail) as journal:
            if await check(journal, history):
                seen.add(journal.head)
            told = max((row for size, row in history.told if size <= cut), default=len(LOCKS))
            assert journal.head >= told
            await tell(journal, LockChanged(locked=True, method="manual"), device_id="a")
            assert (await verify(journal.database)).broken_at is None
    assert len(seen) > GROUPS / 2  # the cuts were at many moments


async def test_a_checkpoint_stopped_anywhere_loses_nothing(history: History, tmp_path: Path) -> None:
    chance = random.Random(71)
    head = history.told[-1][1]
    for share in (0.0, 0.1, 0.5, 0.9, 1.0):
        database = bytearray(history.before)
        for start in range(0, len(history.after), PAGE):
            if chance.random() < share:
                database.extend(bytes(max(0, start - len(database))))
                database[start : start + PAGE] = history.after[start : start + PAGE]
        async with reopened(tmp_path / "x.sqlite", bytes(database), history.log) as journal:
            assert journal.head == head
            assert await check(journal, history)
