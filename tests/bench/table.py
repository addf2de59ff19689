"""What was measured, and how it prints."""

import json
from typing import Literal

import msgspec


class Target(msgspec.Struct, frozen=True):
    """What a metric should be: at most or at least so much, in its own unit or as a ratio to the floor."""

    sign: Literal["≤", "≥"]
    bound: float
    of: Literal["hub", "ratio"]

    def holds(self, line: "Line") -> bool | None:
        """Tell whether a line meets it; None where the line has no ratio."""
        value = line.hub if self.of == "hub" else line.ratio
        if value is None:
            return None
        return value <= self.bound if self.sign == "≤" else value >= self.bound

    def __str__(self) -> str:
        return f"{self.sign} {self.bound:g}" + (" x floor" if self.of == "ratio" else "")


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One metric: medians over the rounds.

    The ratio is the median of the rounds' ratios, so that a slow spell of the machine, which both sides of a round
    meet, does not move it.
    """

    metric: str
    unit: str
    hub: float
    floor: float | None = None
    ratio: float | None = None
    target: Target | None = None

    @property
    def verdict(self) -> str:
        """`ok`, `MISSED`, or nothing where there is no target."""
        holds = None if self.target is None else self.target.holds(self)
        return {None: "", True: "ok", False: "MISSED"}[holds]

    def cells(self) -> tuple[str, ...]:
        """Return the line as texts."""
        return (
            self.metric,
            _number(self.hub, self.unit),
            "" if self.floor is None else _number(self.floor, self.unit),
            "" if self.ratio is None else f"{self.ratio:.2f}",
            "" if self.target is None else str(self.target),
            self.verdict,
        )


def _number(value: float, unit: str) -> str:
    text = f"{value:,.0f}" if value >= 100 else f"{value:.2f}" if value < 10 else f"{value:.1f}"
    return f"{text} {unit}"


def render(lines: list[Line]) -> str:
    """Return the table as text."""
    rows = [("metric", "hub", "floor", "ratio", "target", "verdict"), *(line.cells() for line in lines)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, tuple("-" * width for width in widths))
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place in {0, 4, 5} else cell.rjust(width) for place, (cell, width) in enumerate(row)
        ).rstrip()
        for row in (tuple(zip(cells, widths, strict=True)) for cells in rows)
    )


def as_json(lines: list[Line], machine: dict[str, object]) -> str:
    """Return everything as one JSON object."""
    found = [msgspec.to_builtins(line) | {"target": str(line.target or ""), "verdict": line.verdict} for line in lines]
    return json.dumps({"machine": machine, "lines": found}, indent=2)
