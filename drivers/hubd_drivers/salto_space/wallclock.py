"""Whether the server's clock shows the time of the zone that the config names. Pure."""

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

ZONE_WRONG: Final = "time_zone_wrong"
CLOCK_OFF: Final = "clock_off"
TOLERANCE: Final = timedelta(minutes=2)
_STEP: Final = timedelta(minutes=15)
"""What offsets of zones are multiples of."""
_WIDEST: Final = timedelta(hours=26)


class Complaint(NamedTuple):
    """What is wrong with the server's clock."""

    code: str
    message: str
    remedy: str
    offset: timedelta | None = None
    """Of a wrong zone: how far the clock is ahead of UTC."""


def complaint(wall: datetime, zone: ZoneInfo, now: datetime) -> Complaint | None:
    """Compare what the server's clock shows (naive) with the hub's `now`; None if they agree in `zone`.

    An hour that the clocks show twice is taken either way.
    """
    instants = [wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
    apart = min((instant - now for instant in instants), key=abs)
    if abs(apart) <= TOLERANCE:
        return None
    steps = round(apart / _STEP)
    word = "ahead" if apart > timedelta(0) else "behind"
    shown = f"The clock of the Space computer shows {wall:%H:%M}, which is {_span(apart)} {word} in {zone.key}"
    if steps and abs(apart - steps * _STEP) <= TOLERANCE and abs(apart) <= _WIDEST:
        offset = _STEP * round((wall.replace(tzinfo=UTC) - now) / _STEP)
        message = f"{shown}: it seems to be set to another time zone ({_offset(offset)})."
        remedy = (
            "Set time_zone in the driver's table to that of the Space computer (Windows: Settings > Time & language)."
            " Until then all times of validity and of events are read and written wrongly."
        )
        return Complaint(ZONE_WRONG, message, remedy, offset)
    message = f"{shown}."
    remedy = "Have the Space computer set its clock by a time server; doors keep to its time."
    return Complaint(CLOCK_OFF, message, remedy)


def _span(apart: timedelta) -> str:
    minutes = round(abs(apart) / timedelta(minutes=1))
    hours, rest = divmod(minutes, 60)
    parts = [f"{hours} h"] if hours else []
    if rest or not hours:
        parts.append(f"{rest} min")
    return " ".join(parts)


def _offset(offset: timedelta) -> str:
    minutes = offset // timedelta(minutes=1)
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "")
