"""The texts that elements hold, as values: moments, switches, numbers, ids and enumerations.

Nothing here raises for what a server sent: what is missing, misshapen or out of range is None. The numbers of the
enumerations were compared between several public integrations. Pure.
"""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from enum import IntEnum
from typing import Final

FIRST_YEAR: Final = 1901
"""The first year that a date means; 1900-01-01 stands for a date that is not used."""
MOST_DIGITS: Final = 24
"""Event ids of 20 digits were seen, which is more than 64 bits hold."""
LONGEST_ID: Final = 250
LONGEST_TEXT: Final = 500

_ALSO_INITIALIZING: Final = 99
_SPACE: Final = " \t\r\n"
_DAY: Final = timedelta(days=1)
_MOMENT: Final = re.compile(
    r"(\d{4})-(\d\d?)-(\d\d?)(?:[T ](\d\d?):(\d\d?)(?::(\d\d?))?(?:[.,](\d{1,9}))?)?(Z|[+-]\d\d:\d\d)?", re.ASCII
)


class DoorType(IntEnum):
    """How an online door is connected. UNKNOWN is also what every offline door answers."""

    UNKNOWN = -1
    CONTROL_UNIT = 0
    WIRELESS = 1


class CommState(IntEnum):
    """Whether the server and an online door hear each other."""

    UNKNOWN = -1
    LOST = 0
    OK = 1


class DoorState(IntEnum):
    """How an online door stands. Whether OPENED is the leaf or the lock depends on the installation."""

    UNKNOWN = -1
    OPENED = 0
    CLOSED = 1
    LEFT_OPENED = 2
    INTRUSION = 3
    EMERGENCY_OPEN = 4
    EMERGENCY_CLOSE = 5
    INITIALIZING = 6
    """Public sources give 6 or 99 for it; `door_state` takes both."""


class BatteryState(IntEnum):
    """The battery of an online door."""

    UNKNOWN = -1
    NORMAL = 0
    LOW = 1
    VERY_LOW = 2


class TamperState(IntEnum):
    """The tamper contact of an online door."""

    UNKNOWN = -1
    NORMAL = 0
    ALARMED = 1


class KeyStatus(IntEnum):
    """How a user's key stands to what Space wishes it to be."""

    NOT_AVAILABLE = 0
    CURRENT = 1
    UPDATE_RECOMMENDED = 2
    UPDATE_REQUIRED = 3
    RE_EDITION_REQUIRED = 4
    EXPIRED = 5


class MobileApp(IntEnum):
    """The app that a user's mobile key is for."""

    NONE = 0
    JUSTIN_MSVN = 1
    JUSTIN_MOBILE = 2
    THIRD_PARTY = 3


class OpeningMode(IntEnum):
    """How a door is set to open."""

    STANDARD = 0
    OFFICE = 1
    TIMED_OFFICE = 2
    AUTOMATIC_OPENING = 3
    TOGGLE = 4
    TIMED_TOGGLE = 5
    KEYPAD_ONLY = 6
    TIMED_KEYPAD = 7
    KEY_AND_PIN = 8
    TIMED_KEY_AND_PIN = 9
    AUTOMATIC_OPENING_AND_OFFICE = 10
    AUTOMATIC_OPENING_AND_TOGGLE = 11
    AUTOMATIC_CHANGES = 12
    EXIT_LEAVES_OPEN = 13
    TOGGLE_AND_EXIT_LEAVES_OPEN = 14
    KEYPAD_AND_EXIT_LEAVES_OPEN = 15


class SubjectType(IntEnum):
    """Who an audit event is about."""

    CARDHOLDER = 0
    DOOR = 1
    OPERATOR = 2
    """An operator, or the software itself."""


class DoorIdAs(IntEnum):
    """What an audit event names its door by."""

    NAME = 0
    EXT_ID = 1


class UserIdAs(IntEnum):
    """What an audit event names its user by."""

    NAME = 0
    EXT_ID = 1
    CARD_SERIAL = 2


class PictureResult(IntEnum):
    """What became of a picture that was sent along with a user."""

    OK = 0
    NOT_GIVEN = 1
    NO_ACCESS = 2
    TOO_BIG = 3
    NOT_SUPPORTED = 4
    FAILED = 5


def moment(text: str, zone: tzinfo | None, *, first_year: int = 1) -> datetime | None:
    """Return the instant that a wall clock in `zone` shows, in UTC; without a zone, what it shows, naive.

    Parts need not be padded; `24:00:00` is the next midnight; a date alone is its first instant; an offset in the text
    outranks `zone`. A time that the clocks show twice is its first passing; one that they skip is moved on by what they
    skip. A year before `first_year` (FIRST_YEAR where a sentinel may stand) is None.
    """
    found = _MOMENT.fullmatch(text.strip(_SPACE))
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, offset = found.groups()
    if int(year) < first_year:
        return None
    hours, minutes, seconds = int(hour or 0), int(minute or 0), int(second or 0)
    is_midnight = hours == 24 and minutes == seconds == 0  # noqa: PLR2004 - the hour at the end of a day
    try:
        wall = datetime(  # noqa: DTZ001 - the wall's
            int(year), int(month), int(day), 0 if is_midnight else hours, minutes, seconds, _microseconds(fraction)
        )
        if is_midnight:
            wall += _DAY
        if offset is not None:
            return datetime.fromisoformat(wall.isoformat() + offset).astimezone(UTC)
        return wall if zone is None else wall.replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _microseconds(fraction: str | None) -> int:
    return 0 if fraction is None else int(fraction[:6].ljust(6, "0"))


def local(at: datetime, zone: tzinfo) -> str:
    """Return an instant as a server in `zone` writes it, cut to whole seconds; ValueError for a time without zone.

    In the hour that the clocks show twice the text does not say which passing is meant.
    """
    if at.tzinfo is None:
        raise ValueError("a time without zone is no instant")
    try:
        wall = at.astimezone(zone)
    except OverflowError:  # the first or last hours that there are
        wall = at
    return wall.replace(tzinfo=None, microsecond=0).isoformat()


def flag(text: str) -> bool | None:
    """Return a switch: 0, 1, true or false."""
    match text.strip(_SPACE).lower():
        case "1" | "true":
            return True
        case "0" | "false":
            return False
        case _:
            return None


def number(text: str, low: int = -(2**31), high: int = 2**31 - 1) -> int | None:
    """Return a whole decimal number within bounds."""
    digits = text.strip(_SPACE)
    unsigned = digits.removeprefix("-")
    if not (unsigned.isascii() and unsigned.isdigit()) or len(unsigned) > MOST_DIGITS:
        return None
    value = int(digits)
    return value if low <= value <= high else None


def member[E: IntEnum](kind: type[E], value: int | None) -> E | None:
    """Return the member of an enumeration, None for a number that it does not know."""
    return kind._value2member_map_.get(value)  # type: ignore[return-value]  # it maps to members of `kind`


def door_state(value: int | None) -> DoorState | None:
    """Return how a door stands."""
    return DoorState.INITIALIZING if value == _ALSO_INITIALIZING else member(DoorState, value)


def identifier(text: str) -> str | None:
    """Return an ext id, None for one that is empty or longer than any. It is matched exactly, so it is never cut."""
    found = text.strip(_SPACE)
    return found if 0 < len(found) <= LONGEST_ID else None


def words(text: str) -> str:
    """Return a name or description, trimmed and cut."""
    return text.strip(_SPACE)[:LONGEST_TEXT]


def digit(value: bool) -> str:  # noqa: FBT001 - it writes a switch
    """Return a switch as it is sent."""
    return "1" if value else "0"
