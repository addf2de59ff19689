"""A code's time frame as a lock keeps it: whole minutes of the wall clock at the site, which goes back once a year.

Where the clock goes back, an hour of the wall clock passes twice, and no lock can tell the two apart. A code is then
never let in early: one that begins in the second passing begins an hour late unless it has begun already. And it is
not shut out at its end: one that ends in that hour is left to the hub to remove in time. What was shifted so is not
told when it is read back, for it is not what was asked. Pure.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final, NamedTuple

from hubd.model import TimeFrame
from hubd_drivers.zwave.facts import integer

FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 2099
_HOUR: Final = timedelta(hours=1)
_AROUND: Final = timedelta(hours=4)
"""On both sides of a change of the clocks; no change is larger than two hours."""
_BEFORE: Final = timedelta(hours=3)
_QUARTER: Final = timedelta(days=91)
_FIELDS: Final = ("Year", "Month", "Day", "Hour", "Minute")


class WallFrame(NamedTuple):
    """From when to when, by the clock on the wall; without a zone."""

    start: datetime
    stop: datetime


class Offsets(NamedTuple):
    """How far a clock is ahead of UTC, in minutes, without and with daylight saving time."""

    standard: int
    summer: int


def minutes(zone: tzinfo, at: datetime) -> int:
    """Return how far a zone is ahead of UTC."""
    return round((at.astimezone(zone).utcoffset() or timedelta()).total_seconds() / 60)


def wall_of(frame: TimeFrame, zone: tzinfo, now: datetime) -> WallFrame | None:
    """Return what a lock is told; None for a time that it has no number for."""
    start, stop = frame.starts_at.astimezone(zone), frame.ends_at.astimezone(zone)
    if _comes_twice(start):
        if frame.starts_at <= now:
            start = (frame.starts_at - _BEFORE).astimezone(zone)
        elif start.fold:
            start = (frame.starts_at + _HOUR).astimezone(zone)
    if _comes_twice(stop):
        stop = (frame.ends_at + (1 if stop.fold else 2) * _HOUR).astimezone(zone)
    wall = WallFrame(*(one.replace(tzinfo=None, fold=0, second=0, microsecond=0) for one in (start, stop)))
    is_known = wall.start.year >= FIRST_YEAR and wall.stop.year <= LAST_YEAR
    return wall if is_known and wall.start < wall.stop else None


def frame_of(wall: WallFrame, zone: tzinfo) -> TimeFrame | None:
    """Return the time frame that a lock keeps to; None where the clocks change around one of its ends."""
    ends = [one.replace(tzinfo=zone) for one in wall]
    if any(_is_near_change(one, zone) for one in ends) or wall.start >= wall.stop:
        return None
    return TimeFrame(*(one.astimezone(UTC) for one in ends))


def to_wire(wall: WallFrame) -> dict[str, int]:
    """Return a year-day schedule as zwave-js takes it; years are counted from 2000."""
    return {**_side("start", wall.start), **_side("stop", wall.stop)}


def _side(name: str, at: datetime) -> dict[str, int]:
    parts = (at.year - FIRST_YEAR, at.month, at.day, at.hour, at.minute)
    return {name + field: part for field, part in zip(_FIELDS, parts, strict=True)}


def of_wire(schedule: Mapping[str, object]) -> WallFrame | None:
    """Read a year-day schedule; None if it is none that a calendar knows."""
    start, stop = _moment("start", schedule), _moment("stop", schedule)
    return None if start is None or stop is None else WallFrame(start, stop)


def _moment(name: str, schedule: Mapping[str, object]) -> datetime | None:
    parts = [integer(schedule.get(name + field), high=99) for field in _FIELDS]
    if any(part is None for part in parts):
        return None
    year, month, day, hour, minute = (part or 0 for part in parts)
    try:
        return datetime(FIRST_YEAR + year, month, day, hour, minute)  # noqa: DTZ001 - the wall's
    except ValueError:
        return None


def offsets_of(zone: tzinfo, now: datetime) -> Offsets:
    """Return the offsets of a zone over a year, as zwave-js in most months tells those of the zone that it runs in."""
    found = [minutes(zone, now + quarter * _QUARTER) for quarter in range(4)]
    return Offsets(min(found), max(found))


def _comes_twice(at: datetime) -> bool:
    return at.replace(fold=0).utcoffset() != at.replace(fold=1).utcoffset()


def _is_near_change(at: datetime, zone: tzinfo) -> bool:
    instant = at.astimezone(UTC)
    return minutes(zone, instant - _AROUND) != minutes(zone, instant + _AROUND)
