"""How long to rest after a failure: longer each time, never for good."""

import random
from datetime import timedelta
from typing import Final

PAUSES: Final = (5.0, 15.0, 60.0, 300.0, 900.0, 1800.0)
"""Seconds after the first failure in a row, the second, …; the last one from then on."""
_JITTER: Final = 0.2


def pause(attempts: int) -> timedelta:
    """Return how long to rest after so many failures in a row (1: the first), give or take a tenth."""
    seconds = PAUSES[min(max(attempts, 1), len(PAUSES)) - 1]
    spread = random.uniform(1 - _JITTER / 2, 1 + _JITTER / 2)  # noqa: S311 - jitter, not a secret
    return timedelta(seconds=seconds * spread)
