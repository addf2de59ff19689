"""How a room was, as a drawing: what the two plots of a chart hold, and the same in words. Pure.

A plot is drawn in a box of 1000 by 100 that is stretched to its place; labels stand beside it, so that they stay as
large as other text. A reading holds until the next one: lines go in steps, and break where nothing was known.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta, tzinfo
from math import ceil, floor
from typing import Final, Literal

import msgspec

from hubd.core.climate.recorder import HOLDS, Point
from hubd.web import words

type Span = Literal["day", "week"]

SPANS: Final[dict[Span, timedelta]] = {"day": timedelta(hours=24), "week": timedelta(days=7)}
MAX_POINTS: Final = 600
WIDTH, HEIGHT = 1000, 100
_TITLES: Final[dict[Span, str]] = {"day": "the last 24 hours", "week": "the last 7 days"}
_QUARTER: Final = timedelta(minutes=15)
_HOURS: Final = 4
_STEPS: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
_MOST_LINES: Final = 5
_ROOM: Final = 0.5
"""Degrees Celsius that are shown at least beyond the highest and the lowest."""


class Tick(msgspec.Struct, frozen=True):
    """A line of the grid; `at` is 0 to 100 per cent of the way, from left or from top."""

    at: float
    text: str


class Band(msgspec.Struct, frozen=True):
    """A time, in the box."""

    x: float
    width: float


class Plot(msgspec.Struct, frozen=True, kw_only=True):
    """One drawing. Lines are SVG path data; empty for none."""

    title: str
    levels: tuple[Tick, ...]
    line: str
    heating: str = ""
    cooling: str = ""
    heats: tuple[Band, ...] = ()
    cools: tuple[Band, ...] = ()


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. Without plots nothing was known in that time."""

    device_id: str
    span: Span
    title: str
    temperature: Plot | None
    humidity: Plot | None
    times: tuple[Tick, ...]
    gaps: tuple[Band, ...]
    summary: str


class _Piece(msgspec.Struct, frozen=True):
    """A reading, cut to the time that is shown."""

    begin: datetime
    end: datetime
    point: Point

    @property
    def seconds(self) -> float:
        return (self.end - self.begin).total_seconds()


def chart(points: Sequence[Point], until: datetime, zone: tzinfo, span: Span, device_id: str) -> Chart:
    """Draw readings, oldest first; some may be of before the time that is shown."""
    since = until - SPANS[span]
    pieces = list(_pieces(points, since, until))
    known = [piece for piece in pieces if piece.point.is_known]

    def place(moment: datetime) -> float:
        return round((moment - since) / SPANS[span] * WIDTH, 1)

    temperature, humidity = _temperature(known, place), _humidity(known, place)
    gaps = () if not known else tuple(_bands(_unknown(known, since, until), place))
    return Chart(
        device_id=device_id,
        span=span,
        title=_TITLES[span],
        temperature=temperature,
        humidity=humidity,
        times=tuple(_times(since, until, zone, span)),
        gaps=gaps,
        summary=_summary(known, until - since),
    )


def _pieces(points: Sequence[Point], since: datetime, until: datetime) -> Iterable[_Piece]:
    for number, point in enumerate(points):
        following = points[number + 1].at if number + 1 < len(points) else until
        begin, end = max(point.at, since), min(following, point.at + HOLDS, until)
        if begin < end:
            yield _Piece(begin, end, point)


# -- plots -------------------------------------------------------------------------------------------------------------


def _temperature(pieces: Sequence[_Piece], place: Callable[[datetime], float]) -> Plot | None:
    every = [
        value
        for piece in pieces
        for value in (
            piece.point.temperature_celsius,
            piece.point.heating_set_point_celsius,
            piece.point.cooling_set_point_celsius,
        )
        if value is not None
    ]
    if not every:
        return None
    low, high, levels = _scale(min(every) - _ROOM, max(every) + _ROOM, words.degrees)

    def line(value: Callable[[Point], float | None]) -> str:
        return _line(pieces, value, place, low, high)

    return Plot(
        title="Temperature",
        levels=levels,
        line=line(lambda point: point.temperature_celsius),
        heating=line(lambda point: point.heating_set_point_celsius),
        cooling=line(lambda point: point.cooling_set_point_celsius),
        heats=tuple(_bands(_runs(pieces, lambda point: point.is_heating), place)),
        cools=tuple(_bands(_runs(pieces, lambda point: point.is_cooling), place)),
    )


def _humidity(pieces: Sequence[_Piece], place: Callable[[datetime], float]) -> Plot | None:
    every = [piece.point.relative_humidity for piece in pieces if piece.point.relative_humidity is not None]
    if not every:
        return None
    low, high = max(0.0, floor(min(every) * 10 - 0.2) / 10), min(1.0, ceil(max(every) * 10 + 0.2) / 10)
    levels = (Tick(0.0, words.percent(high)), Tick(100.0, words.percent(low)))
    line = _line(pieces, lambda point: point.relative_humidity, place, low, high)
    return Plot(title="Humidity", levels=levels, line=line)


def _scale(low: float, high: float, text: Callable[[float], str]) -> tuple[float, float, tuple[Tick, ...]]:
    """Widen a range to whole steps, with a line of the grid at each, the highest first."""
    step = next((one for one in _STEPS if (high - low) / one <= _MOST_LINES), _STEPS[-1])
    first, last = floor(low / step), ceil(high / step)
    low, high = first * step, last * step
    ticks = [
        Tick(round(100 * (last - number) / (last - first), 2), text(number * step))
        for number in range(last, first - 1, -1)
    ]
    return low, high, tuple(ticks)


def _line(
    pieces: Sequence[_Piece],
    value: Callable[[Point], float | None],
    place: Callable[[datetime], float],
    low: float,
    high: float,
) -> str:
    """Draw a line in steps, which begins anew after each gap."""
    drawn: list[str] = []
    end: datetime | None = None
    for piece in pieces:
        now = value(piece.point)
        if now is None:
            continue
        y = round((high - now) / (high - low) * HEIGHT, 1)
        drawn.append(f"V{y:g}" if end == piece.begin else f"M{place(piece.begin):g} {y:g}")
        drawn.append(f"H{place(piece.end):g}")
        end = piece.end
    return "".join(drawn)


def _runs(pieces: Iterable[_Piece], runs: Callable[[Point], bool | None]) -> list[tuple[datetime, datetime]]:
    found: list[tuple[datetime, datetime]] = []
    for piece in pieces:
        if not runs(piece.point):
            continue
        if found and found[-1][1] == piece.begin:
            found[-1] = (found[-1][0], piece.end)
        else:
            found.append((piece.begin, piece.end))
    return found


def _unknown(known: Sequence[_Piece], since: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
    edges = [since, *(edge for piece in known for edge in (piece.begin, piece.end)), until]
    return [(begin, end) for begin, end in zip(edges[::2], edges[1::2], strict=True) if begin < end]


def _bands(times: Iterable[tuple[datetime, datetime]], place: Callable[[datetime], float]) -> Iterable[Band]:
    for begin, end in times:
        x = place(begin)
        yield Band(x, round(place(end) - x, 1))


def _times(since: datetime, until: datetime, zone: tzinfo, span: Span) -> Iterable[Tick]:
    """Mark midnights, or every few hours, by the clocks of the site: also where they skip just that hour."""

    def part(local: datetime) -> tuple[object, ...]:
        return (local.date(),) if span == "week" else (local.date(), local.hour // _HOURS)

    moment = since - timedelta(seconds=since.timestamp() % _QUARTER.total_seconds())
    before = part(moment.astimezone(zone))
    while (moment := moment + _QUARTER) < until:
        local = moment.astimezone(zone)
        if part(local) != before:
            text = f"{local:%a}" if span == "week" else f"{local:%H:%M}"
            yield Tick(round(100 * ((moment - since) / (until - since)), 2), text)
        before = part(local)


# -- the same in words -------------------------------------------------------------------------------------------------


def _summary(known: Sequence[_Piece], whole: timedelta) -> str:
    if not known:
        return "Nothing is known of this time."
    measured = [
        (piece.point.temperature_celsius, piece.seconds)
        for piece in known
        if piece.point.temperature_celsius is not None
    ]
    said: list[str] = []
    if measured:
        low, high = min(value for value, _ in measured), max(value for value, _ in measured)
        average = sum(value * seconds for value, seconds in measured) / sum(seconds for _, seconds in measured)
        said.append(f"{words.celsius(low)} to {words.celsius(high)}, {words.celsius(average)} on average.")
    humidity = [piece.point.relative_humidity for piece in known if piece.point.relative_humidity is not None]
    if humidity:
        said.append(f"Humidity {words.percent(min(humidity))} to {words.percent(max(humidity))}.")
    said += _ran(known)
    missing = whole.total_seconds() - sum(piece.seconds for piece in known)
    if missing >= 2 * _QUARTER.total_seconds():
        said.append(f"Nothing is known of {_long(missing)}.")
    return " ".join(said)


def _ran(known: Sequence[_Piece]) -> list[str]:
    heats = [(piece.point.is_heating, piece.seconds) for piece in known if piece.point.is_heating is not None]
    cools = sum(piece.seconds for piece in known if piece.point.is_cooling)
    said = []
    if heats:
        seconds = sum(seconds for runs, seconds in heats if runs)
        said.append(f"Heated for about {_long(seconds)}." if seconds else "Not heated.")
    return [*said, f"Cooled for about {_long(cools)}."] if cools else said


def _long(seconds: float) -> str:
    """Write a length of time to a few minutes."""
    minutes = round(seconds / 60)
    hours, rest = divmod(minutes, 60)
    if hours >= 10:  # noqa: PLR2004 - more is not known that well
        return f"{round(minutes / 60)}\u00a0h"
    return f"{hours}\u00a0h {rest}\u00a0min" if hours and rest else f"{hours}\u00a0h" if hours else f"{rest}\u00a0min"
