"""Who changed a thermostat, most likely. Pure.

A driver sometimes knows (zwave-js tells when another program sent the command). Else the clock tells: a device's own
program changes settings at the same time of day, on the quarter of an hour; people do not.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Final

from hubd.model.climate import ClimateSource

QUARTER: Final = 15
ON_TIME: Final = timedelta(seconds=75)
"""By how much a device's clock, and its radio, may be off a quarter of an hour."""
KEPT: Final = 14
"""How many changes of a device are remembered."""


def guess(told: ClimateSource | None, at: datetime, before: Sequence[datetime], zone: tzinfo) -> ClimateSource:
    """Return who made a change at an instant. `before`: when the device was changed by somebody else lately.

    `program`: on the quarter of an hour, and at the same time of day on an earlier day.
    """
    if told is not None:
        return told
    if not _is_on_quarter(at, zone):
        return "manual"
    return "program" if any(_is_repeated(at, earlier, zone) for earlier in before) else "unknown"


def _is_on_quarter(at: datetime, zone: tzinfo) -> bool:
    local = at.astimezone(zone)
    past = timedelta(minutes=local.minute % QUARTER, seconds=local.second, microseconds=local.microsecond)
    return past <= ON_TIME or timedelta(minutes=QUARTER) - past <= ON_TIME


def _is_repeated(at: datetime, earlier: datetime, zone: tzinfo) -> bool:
    one, other = at.astimezone(zone), earlier.astimezone(zone)
    if one.date() == other.date():
        return False
    apart = abs((one.hour * 60 + one.minute) - (other.hour * 60 + other.minute))
    return min(apart, 24 * 60 - apart) <= 2 * ON_TIME.total_seconds() / 60
