"""Virtual time: an event loop that jumps to its next timer whenever nothing is left to do. A year takes seconds.

Nothing of it runs in a thread, so that a run is the same each time: the database works inside the loop, and what goes
to an executor is done on the spot.
"""

import asyncio
import selectors
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import Executor
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from blockbuster import BlockBuster

from hubd.model.errors import StoreError
from hubd.store import database
from hubd.store.database import Database, Statement, Value

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
_FIRST = 1000.0


class _Selector(selectors.DefaultSelector):
    """Instead of waiting, passes the time."""

    loop: "VirtualLoop"

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and (timeout is None or timeout > 0):
            self.loop.pass_time(timeout)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """`on_idle` is called whenever time is about to pass, with the seconds that will."""

    def __init__(self) -> None:
        self._now = _FIRST
        self.on_idle: Callable[[float], None] | None = None
        self.jumps = 0
        """How often time has passed: how often somebody was woken."""
        selector = _Selector()
        selector.loop = self
        super().__init__(selector)
        self._clock_resolution = 1e-6

    def time(self) -> float:
        """Return the virtual monotonic time."""
        return self._now

    def pass_time(self, seconds: float | None) -> None:
        """Jump. Raises `RuntimeError` if nobody waits for anything that will happen."""
        if seconds is None:
            raise RuntimeError("everybody waits, and nothing will ever happen")
        if self.on_idle is not None:
            self.on_idle(seconds)
        self.jumps += 1
        self._now += seconds

    def run_in_executor[T](  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """Do it at once."""
        assert executor is None
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - it belongs to the one who asked
            future.set_exception(error)
        return future


class VirtualClock:
    """Implements `hubd.driver.Clock` on a `VirtualLoop`, with a wall clock that somebody may set."""

    def __init__(self, start: datetime = START) -> None:
        self._start = start
        self.offset = 0.0
        """Seconds that the wall clock is ahead of the true time."""

    def true(self) -> datetime:
        """Return what a right clock would show."""
        return self._start + timedelta(seconds=self.monotonic() - _FIRST)

    def now(self) -> datetime:
        """Return the wall clock."""
        return self.true() + timedelta(seconds=self.offset)

    def monotonic(self) -> float:
        """Return the time of the loop."""
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        """Sleep on the loop."""
        await asyncio.sleep(max(0.0, seconds))

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """Return `asyncio.timeout`."""
        return asyncio.timeout(max(0.0, seconds))


type Gate = Callable[[], Awaitable[None]]


async def _open_gate() -> None:
    """Let a commit pass."""


class InlineDatabase(Database):
    """A real SQLite file, worked on inside the loop. `before` and `after` a commit may raise instead of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.is_dead = False
        """The process was killed: nothing is written any more."""
        self.before: Gate = _open_gate
        self.after: Gate = _open_gate
        self._connection = _connect(path)

    async def close(self) -> None:
        """Close it."""
        _inline(self._connection.close)

    async def transact(self, statements: Iterable[Statement]) -> None:
        """Execute the statements in one transaction."""
        batch = list(statements)
        await asyncio.sleep(0)
        await self.before()
        if self.is_dead:
            raise StoreError("stopping", "The process is dead.")
        try:
            _inline(lambda: _write(self._connection, batch))
        except sqlite3.Error as error:
            raise database._translate(error, self.path) from error  # noqa: SLF001 - as the real one does
        await self.after()

    async def read(self, sql: str, parameters: Sequence[Value] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a query."""
        await asyncio.sleep(0)
        return _inline(lambda: self._connection.execute(sql, parameters).fetchall())


def allow_blocking(guard: BlockBuster) -> None:
    """Tell the watch over blocking calls that here nobody waits for the loop: time stands still meanwhile."""
    for function in guard.functions.values():
        function.can_block_in("/tests/support/virtual.py", {"_inline", "run_in_executor"})


def _inline[T](function: Callable[[], T]) -> T:
    return function()


def _connect(path: Path) -> sqlite3.Connection:
    def connect() -> sqlite3.Connection:
        connection = database._connector(path, read_only=False)()  # noqa: SLF001 - the real one's schema and pragmas
        # A crash of the process loses nothing that was committed, and the machine does not crash here.
        connection.execute("PRAGMA synchronous=OFF")
        database._migrate(connection)  # noqa: SLF001
        return connection

    return _inline(connect)


def _write(connection: sqlite3.Connection, batch: list[Statement]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for sql, rows in batch:
            connection.executemany(sql, rows)
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def run_on_virtual_time[T](main: Callable[[], Awaitable[T]]) -> T:
    """Run a coroutine on a loop of its own, from a test that is not a coroutine itself."""

    async def call() -> T:
        return await main()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(call())
