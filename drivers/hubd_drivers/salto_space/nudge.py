"""When the audit trail is read: in turn, at once after an order, and soon after a hint from outside."""

import asyncio
from contextlib import suppress
from typing import Final

from hubd.driver import Clock

HINT_SECONDS: Final = 1.0
"""At most one reading per this many seconds comes of hints: anybody on the network could send them."""
AFTER_SECONDS: Final = 2.0
"""An order is looked for a second time after this long: a server may write its line after it has answered."""


class Nudge:
    """For one reader. Neither call waits."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._woken = asyncio.Event()
        self._is_ordered = False
        self._again_at: float | None = None
        self._hinted_at: float | None = None
        self._is_hinted = False

    def ordered(self) -> None:
        """Say that an order went out of which the trail will tell."""
        self._is_ordered = True
        self._woken.set()

    def hint(self) -> None:
        """Pass on that something may have happened."""
        self._is_hinted = True
        self._woken.set()

    async def wait(self, seconds: float) -> None:
        """Wait for the next reading, that long at most."""
        clock = self._clock
        until = clock.monotonic() + seconds
        if self._again_at is not None:
            until, self._again_at = min(until, self._again_at), None
        while not self._is_due():
            self._woken.clear()
            left = min(until, self._hint_due(until)) - clock.monotonic()
            if left <= 0:
                break
            with suppress(TimeoutError):
                async with clock.timeout(left):
                    await self._woken.wait()
        if self._is_ordered:
            self._again_at = clock.monotonic() + AFTER_SECONDS
        if self._is_hinted:
            self._hinted_at = clock.monotonic()
        self._is_ordered = self._is_hinted = False

    def _is_due(self) -> bool:
        return self._is_ordered or (self._is_hinted and self._hint_due(0.0) <= self._clock.monotonic())

    def _hint_due(self, otherwise: float) -> float:
        """Return when a hint that came may be followed; `otherwise`, if none came."""
        if not self._is_hinted:
            return otherwise
        return self._clock.monotonic() if self._hinted_at is None else self._hinted_at + HINT_SECONDS
