"""A clock that stands still until a test moves it."""

import asyncio
import heapq
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
#: Turns of the loop that a woken task gets to act on it, before time moves on.
TURNS = 20


class ManualClock:
    """Implements `hubd.driver.clock.Clock`. Alarms ring in order of their time, then of their start."""

    def __init__(self, start: datetime = NOON) -> None:
        self._wall = start
        self._seconds = 1000.0
        self._count = 0
        self._alarms: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        """Return the wall clock."""
        return self._wall

    def monotonic(self) -> float:
        """Return the seconds that only `advance` adds to."""
        return self._seconds

    async def sleep(self, seconds: float) -> None:
        """Sleep until `advance` has passed that many seconds."""
        if seconds <= 0:
            await asyncio.sleep(0)
        else:
            await self._alarm(seconds)

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """Return a time-out that `advance` makes due."""
        return _Timeout(self, seconds)

    @property
    def asleep(self) -> int:
        """How many sleepers and time-outs wait."""
        return sum(not alarm.done() for _, _, alarm in self._alarms)

    @property
    def next_due(self) -> float | None:
        """Seconds until the next of them is due."""
        due = [due for due, _, alarm in self._alarms if not alarm.done()]
        return min(due) - self._seconds if due else None

    async def advance(self, seconds: float) -> None:
        """Let time pass, stopping at each alarm long enough for what it wakes to act."""
        end = self._seconds + seconds
        await settle()
        while self._alarms and self._alarms[0][0] <= end:
            due, _, alarm = heapq.heappop(self._alarms)
            if not alarm.done():
                self._pass_to(due)
                alarm.set_result(None)
                await settle()
        self._pass_to(end)
        await settle()

    def step(self, seconds: float) -> None:
        """Set the wall clock forward or back, as NTP or a person does; nobody is woken by it."""
        self._wall += timedelta(seconds=seconds)

    def _pass_to(self, seconds: float) -> None:
        self._wall += timedelta(seconds=max(0.0, seconds - self._seconds))
        self._seconds = max(self._seconds, seconds)

    def _alarm(self, seconds: float) -> "asyncio.Future[None]":
        self._count += 1
        alarm: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._alarms, (self._seconds + seconds, self._count, alarm))
        return alarm


class _Timeout:
    """`asyncio.timeout`, rung by a `ManualClock`."""

    def __init__(self, clock: ManualClock, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._inner = asyncio.timeout(None)
        self._alarm: asyncio.Future[None] | None = None

    async def __aenter__(self) -> Self:
        await self._inner.__aenter__()
        if self._seconds <= 0:
            self._ring()
        else:
            self._alarm = self._clock._alarm(self._seconds)  # noqa: SLF001 - one thing in two classes
            self._alarm.add_done_callback(lambda alarm: None if alarm.cancelled() else self._ring())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._alarm is not None and not self._alarm.done():
            self._alarm.cancel()
        self._alarm = None
        await self._inner.__aexit__(kind, error, trace)

    def _ring(self) -> None:
        if self._alarm is not None or self._seconds <= 0:
            self._inner.reschedule(asyncio.get_running_loop().time())


async def settle() -> None:
    """Give every task a few turns."""
    for _ in range(TURNS):
        await asyncio.sleep(0)
