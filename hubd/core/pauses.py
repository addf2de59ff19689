"""How long to rest after a failure: longer each time, never for good."""

import random
from datetime import timedelta
from typing import Final

PAUSES: Final = (5.0, 15.0, 60.0, 300.0, 900.0, 1800.0)
"""Seconds after the first failure in a row, the second, …; the last one from then on."""
END_PAUSES: Final = (5.0, 15.0, *(50.0,) * 70, 300.0)
"""Likewise, for what must not be on a lock any more: each minute for an hour, whatever that costs the radio."""
_JITTER: Final = 0.2


def pause(attempts: int, *, is_end: bool = False) -> timedelta:
    """Return how long to rest after so many failures in a row (1: the first), give or take a tenth."""
    pauses = END_PAUSES if is_end else PAUSES
    seconds = pauses[min(max(attempts, 1), len(pauses)) - 1]
    spread = random.uniform(1 - _JITTER / 2, 1 + _JITTER / 2)  # noqa: S311 - jitter, not a secret
    return timedelta(seconds=seconds * spread)
