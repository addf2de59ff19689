"""What a battery reading is worth: whether it can be believed, and whether it is too old to say anything. Pure."""

from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from hubd.model.capability import Capabilities
from hubd.model.state import BatteryReading

STALE_AFTER: Final = 3
"""Reporting intervals without a reading after which the last one is stale. One report is lost often, three never."""
MOST_DROP: Final = 0.20
"""Batteries of locks last months: whoever loses more than this within `DROP_WINDOW` has most likely measured wrong."""
DROP_WINDOW: Final = timedelta(hours=24)
AGREEMENT: Final = 0.10
"""How near a second reading must be to a suspect one to confirm it; the same battery under load differs by less."""
USUAL_HOURS: Final = 24.0
"""Between two reports of a device that does not say; most battery devices send one a day."""
_DIGITS: Final = 6
"""Levels are compared in millionths, so that 0.84 less 0.64 is not a little more than 0.20."""


def report_hours(capabilities: Capabilities, demanded: float = 0.0) -> float:
    """Return how many hours may lie between two reports: as the site demands, else as the device promises."""
    return demanded or capabilities.battery_report_hours or USUAL_HOURS


def stale_from(reading: BatteryReading, hours: float) -> datetime:
    """Return when a reading becomes stale if no other comes."""
    return reading.measured_at + STALE_AFTER * timedelta(hours=hours)


def is_stale(reading: BatteryReading, hours: float, now: datetime) -> bool:
    """Whether a reading is older than its device should let it grow."""
    return (now - reading.measured_at).total_seconds() > STALE_AFTER * hours * 3600


def judge(before: BatteryReading | None, measured: BatteryReading, now: datetime) -> BatteryReading:
    """Return what is to be believed after a measurement. A rise is plausible whatever its size: new batteries.

    A drop that cannot be true is kept as the suspect of `before`, until a later measurement agrees with it. The
    device's own low flag counts at once.
    """
    if before is None:
        return measured
    flagged = replace(before, low=measured.low)
    if before.suspect_at is not None and measured.measured_at <= before.suspect_at <= now:
        return flagged  # the suspect itself, told once more, or what was measured before it
    if _is_plausible(before, measured) or _agrees(before, measured):
        return measured
    return replace(flagged, suspect_level=measured.level, suspect_at=measured.measured_at)


def _is_plausible(before: BatteryReading, measured: BatteryReading) -> bool:
    is_late = measured.measured_at - before.measured_at >= DROP_WINDOW
    return is_late or round(before.level - measured.level, _DIGITS) <= MOST_DROP


def _agrees(before: BatteryReading, measured: BatteryReading) -> bool:
    suspect = before.suspect_level
    return suspect is not None and round(abs(suspect - measured.level), _DIGITS) <= AGREEMENT
