"""The durable command path over HTTP: one order at a time, and 32 at once."""

from collections.abc import Callable
from operator import methodcaller
from pathlib import Path

import msgspec

from tests.bench import floor
from tests.bench.load import Result
from tests.bench.rounds import Scale, compare
from tests.bench.sides import Side, floor_process, hub, virtual_site
from tests.bench.table import Line, Target

SITES = (100, 1000)
CONCURRENT = 32
_WARM_UP = 300

type Figure = Callable[[Result], float]

_P50: Figure = methodcaller("quantile", 0.5)
_P99: Figure = methodcaller("quantile", 0.99)


def _per_second(result: Result) -> float:
    return result.per_second


async def measure(folder: Path, scale: Scale) -> list[Line]:
    """Return the lines of every site."""
    lines: list[Line] = []
    for locks in SITES:
        async with (
            hub(folder / f"hub-{locks}", virtual_site(locks)) as ours,
            floor_process(folder / f"floor-{locks}", locks) as twice,
        ):
            once = msgspec.structs.replace(twice, paths=(floor.ONCE, floor.ONCE))
            lines += await _site(f"{locks} locks", scale, {"hub": ours, "twice": twice, "once": once})
    return lines


async def _site(name: str, scale: Scale, sides: dict[str, Side]) -> list[Line]:
    sequential: dict[str, list[Result]] = {side: [] for side in sides}
    concurrent: dict[str, list[Result]] = {side: [] for side in sides}
    for side in sides.values():
        await side.order(_WARM_UP, CONCURRENT)
    for number in range(scale.rounds):
        order = list(sides.items())
        for label, side in order if number % 2 else reversed(order):
            sequential[label].append(await side.order(scale.sequential, 1))
            concurrent[label].append(await side.order(scale.concurrent, CONCURRENT))

    def line(words: str, unit: str, results: dict[str, list[Result]], figure: Figure, target: Target | None) -> Line:
        ours, theirs = ([figure(result) for result in results[label]] for label in ("hub", "twice"))
        return compare(f"command, {name}, {words}", unit, ours, theirs, target)

    def once(words: str, unit: str, results: dict[str, list[Result]], figure: Figure) -> Line:
        ours, theirs = ([figure(result) for result in results[label]] for label in ("hub", "once"))
        return compare(f"  beside one commit: {words}", unit, ours, theirs)

    return [
        line("sequential p50", "ms", sequential, _P50, Target("≤", 1.4, "ratio")),
        line("sequential p99", "ms", sequential, _P99, None),
        line(f"{CONCURRENT} concurrent", "/s", concurrent, _per_second, Target("≥", 0.65, "ratio")),
        line(f"{CONCURRENT} concurrent p50", "ms", concurrent, _P50, None),
        line(f"{CONCURRENT} concurrent p99", "ms", concurrent, _P99, Target("≤", 30, "hub")),
        once("sequential p50", "ms", sequential, _P50),
        once(f"{CONCURRENT} concurrent", "/s", concurrent, _per_second),
    ]
