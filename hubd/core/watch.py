"""Looking after devices: when something about one has changed, when one is due, and now and then for the clock."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Final

from hubd.driver.clock import Clock

LOOK_SECONDS: Final = 10.0
"""The longest sleep: a step of the wall clock is noticed within it."""


class Watch:
    """The loop that reconcilers share. Whoever owns it runs it in a task."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._dirty: set[str] = set()
        self._woken = asyncio.Event()

    def touch(self, *device_ids: str) -> None:
        """Have devices be looked at."""
        self._dirty.update(device_ids)
        self._woken.set()

    async def run(
        self, consider: Callable[[str], Awaitable[None]], waits: Callable[[], Iterable[tuple[str, float]]]
    ) -> None:
        """Look at what was touched or is due, one device at a time, until cancelled.

        `waits` gives the devices that are being looked after, with the seconds until each is due: infinite for one that
        is being served.
        """
        while True:
            dirty, self._dirty = self._dirty, set()
            self._woken.clear()
            for device_id in dirty:
                await consider(device_id)
                await asyncio.sleep(0)
            await self._sleep(min((seconds for _, seconds in waits()), default=None))
            self._dirty.update(device_id for device_id, seconds in waits() if seconds <= 0)

    async def _sleep(self, seconds: float | None) -> None:
        if seconds is None:  # there is nobody to look after
            await self._woken.wait()
            return
        with suppress(TimeoutError):
            async with self._clock.timeout(min(LOOK_SECONDS, max(0.0, seconds))):
                await self._woken.wait()
