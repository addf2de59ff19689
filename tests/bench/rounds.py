"""How often a thing is measured, and how the rounds become one number."""

from collections.abc import Sequence
from statistics import median

import msgspec

from tests.bench.table import Line, Target


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """How much is done: many short rounds tell more than one long one on a machine that others use too."""

    rounds: int
    sequential: int
    concurrent: int
    events: int
    starts: int
    settle_seconds: float


FULL = Scale(rounds=9, sequential=400, concurrent=3000, events=20_000, starts=7, settle_seconds=2.0)
QUICK = Scale(rounds=3, sequential=200, concurrent=1500, events=8_000, starts=3, settle_seconds=1.0)


def compare(metric: str, unit: str, hub: Sequence[float], floor: Sequence[float], target: Target | None = None) -> Line:
    """Build the line of a metric that was measured on both sides, round by round."""
    ratio = median(ours / theirs for ours, theirs in zip(hub, floor, strict=True))
    return Line(metric=metric, unit=unit, hub=median(hub), floor=median(floor), ratio=ratio, target=target)
