"""Why the time is not relied on, in words for a technician."""

from datetime import datetime, timedelta
from typing import Final

import msgspec

TOLERANCE: Final = timedelta(seconds=60)
"""How far the hub's time may be off before a code is on its lock outside its window."""
PLAUSIBLE: Final = timedelta(days=366)
"""How long a box may have been without power; a clock that claims more without proof is broken."""

_WAITS: Final = "Codes that are due to begin wait; those that are over are removed."


class Doubt(msgspec.Struct, frozen=True):
    """`code` is stable: "clock_unproven" (by nothing since the boot), "clock_set" (nobody stands behind a step)."""

    code: str
    message: str
    remedy: str

    @property
    def sentence(self) -> str:
        """What is wrong, what waits, what to do."""
        return f"{self.message} {_WAITS} {self.remedy}"


def unproven(bound: datetime, rtcs: tuple[datetime, ...]) -> Doubt:
    """Say that nothing proved the clock since the boot. `bound` surely passed; `rtcs`: what hardware clocks show."""
    if not rtcs:
        rtc = "it has no hardware clock (RTC) that can be read"
    elif all(time - bound < -TOLERANCE for time in rtcs):
        rtc = "its hardware clock (RTC) shows less than was recorded last; its battery may be empty"
    elif all(time - bound > PLAUSIBLE for time in rtcs):
        rtc = "its hardware clock (RTC) is more than a year ahead of what was recorded last"
    else:
        rtc = "its hardware clock (RTC) and its system clock do not agree"
    return Doubt(
        "clock_unproven",
        f"Nothing has proved since this box was started that its clock is right: no time server answered, and {rtc}.",
        "Let the box reach a time server (NTP), or set its clock and confirm it (hubd clock confirm). A hardware clock"
        " with a good battery avoids this.",
    )


def stepped(gap: timedelta) -> Doubt:
    """Say that somebody set the clock. `gap`: how far it is ahead of the hub's own count."""
    is_forward = gap > timedelta(0)
    remedy = "If that was a mistake, set it right (timedatectl set-time); else let the box reach a time server (NTP),"
    remedy += " or confirm it (hubd clock confirm)."
    if is_forward and gap <= PLAUSIBLE:
        remedy += " A time that nobody takes back counts after ten minutes."
    return Doubt(
        "clock_set",
        f"The clock of this box was set {'forward' if is_forward else 'back'} by {span(abs(gap.total_seconds()))}, and"
        " no time server stands behind that; the hub goes on counting by itself.",
        remedy,
    )


def span(seconds: float) -> str:
    """Write a time span roughly: "90 s", "12 min", "3 h", "2 days"."""
    for unit, size, most in (("s", 1, 120), ("min", 60, 7200), ("h", 3600, 172_800)):
        if seconds < most:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds / 86400:.0f} days"
