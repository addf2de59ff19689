"""The audit trail: what happened at the doors, in the order in which Space came to know of it. Pure."""

from bisect import bisect_left
from collections.abc import Callable
from datetime import UTC, datetime
from enum import IntEnum
from random import Random
from typing import NamedTuple

SOFTWARE = "_SALTO"
"""Who acts when the software does."""
FIRST_ID = 1_000
MOST = 200_000
"""Events that are kept; when there are more, the oldest tenth is forgotten."""


class Operation(IntEnum):
    """The operations of the audit trail that this simulator makes; there are many more."""

    OPENED_FROM_INSIDE = 16
    OPENED_WITH_KEY = 17
    OPENED_WITH_MECHANICAL_KEY = 22
    OPENED_BY_PIN = 26
    OPENED_ONLINE = 28
    CLOSED_WITH_KEY = 33
    PRIVACY_BEGUN = 40
    PRIVACY_ENDED = 41
    OFFICE_BEGUN = 49
    OFFICE_ENDED = 50
    FORCED_OPEN_BEGUN = 56
    FORCED_OPEN_ENDED = 57
    FORCED_CLOSE_BEGUN = 58
    FORCED_CLOSE_ENDED = 59
    INTRUSION = 60
    TAMPER = 61
    LEFT_OPEN = 62
    LEFT_OPEN_ENDED = 63
    INTRUSION_ENDED = 64
    OFFICE_BEGUN_ONLINE = 65
    OFFICE_ENDED_ONLINE = 66
    TAMPER_ENDED = 67
    KEY_UPDATED = 76
    NOT_ACTIVATED = 81
    EXPIRED = 82
    OUT_OF_DATE = 83
    NOT_ALLOWED = 84
    PRIVACY = 87
    INVALID_PIN = 93
    EMERGENCY = 95
    KEY_CANCELLED = 96
    LOW_BATTERY = 115
    DOOR_BACK = 1000
    DOOR_LOST = 1001


class SubjectType(IntEnum):
    """Who did it."""

    CARDHOLDER = 0
    DOOR = 1
    SOFTWARE = 2


class Subject(NamedTuple):
    """Who did it: id, name and card of that time."""

    type: SubjectType
    id: str = ""
    name: str = ""
    card: str = ""


class Happening(NamedTuple):
    """What a lock saw, before Space knows of it. `at` is aware."""

    at: datetime
    operation: int
    door_id: str
    door_name: str
    subject: Subject
    is_exit: bool = False


class AuditEvent(NamedTuple):
    """What Space knows, under the number that it was given when it came in."""

    id: int
    what: Happening


class Trail:
    """Numbers rise, with gaps; times need not: offline locks tell late."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self.next_id = FIRST_ID
        """May be set higher, also beyond 64 bits."""
        self.events: list[AuditEvent] = []
        self.listeners: list[Callable[[AuditEvent], None]] = []

    def __len__(self) -> int:
        return len(self.events)

    @property
    def last_id(self) -> int:
        """The highest number given; 0: none."""
        return self.events[-1].id if self.events else 0

    def add(self, what: Happening) -> AuditEvent:
        """Take in what has happened."""
        event = AuditEvent(self.next_id, what._replace(at=what.at.astimezone(UTC)))
        self.next_id += 1 if self._chance.random() < 0.8 else self._chance.randint(2, 9)  # noqa: PLR2004 - most follow closely
        self.events.append(event)
        if len(self.events) > MOST:
            del self.events[: MOST // 10]
        for listener in self.listeners:
            listener(event)
        return event

    def since(self, event_id: int) -> list[AuditEvent]:
        """Return the events with this number or a higher one."""
        return self.events[bisect_left(self.events, event_id, key=lambda event: event.id) :]

    def until(self, event_id: int) -> list[AuditEvent]:
        """Return the events with this number or a lower one, the newest first."""
        return (
            self.events[bisect_left(self.events, event_id + 1, key=lambda event: event.id) - 1 :: -1]
            if (self.events and event_id >= self.events[0].id)
            else []
        )

    def purge(self, before: int) -> None:
        """Forget the events below this number, as an operator does."""
        self.events = self.since(before)
