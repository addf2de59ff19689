"""Token buckets: so many a second, a burst, and not a byte more memory than bounded."""

from collections import OrderedDict

CAPACITY = 4096
WHOLE = 1.0 - 1e-6
"""What counts as a token: one who waited as long as told is let through, whatever was lost in rounding."""


class RateLimit:
    """One bucket per name. Time is given in monotonic seconds."""

    def __init__(self, per_second: float, burst: float) -> None:
        self._rate = per_second
        self._burst = burst
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str, now: float) -> float:
        """Take one token. Returns 0.0, or the seconds after which one will be there."""
        tokens, then = self._buckets.pop(name, (self._burst, now))
        tokens = min(self._burst, tokens + (now - then) * self._rate)
        wait = 0.0 if tokens >= WHOLE else (1.0 - tokens) / self._rate
        self._buckets[name] = (max(0.0, tokens - 1.0) if wait == 0.0 else tokens, now)
        if len(self._buckets) > CAPACITY:
            self._buckets.popitem(last=False)
        return wait

    def is_empty(self, name: str, now: float) -> bool:
        """Whether the next `take` would have to wait."""
        tokens, then = self._buckets.get(name, (self._burst, now))
        return tokens + (now - then) * self._rate < WHOLE
