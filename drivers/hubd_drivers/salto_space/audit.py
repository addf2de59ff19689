"""Lines of Space's audit trail in the hub's words, and how far they were told. Pure."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final, NamedTuple

import msgspec

from hubd.model import AuditEntry
from hubd_drivers.salto_space.fields import SubjectType
from hubd_drivers.salto_space.messages import AuditEvent
from hubd_drivers.salto_space.operations import ONLINE_COMMAND, meaning

BY_TRAIL: Final = frozenset({"office_mode", "privacy_mode"})
"""What an online status does not show; it comes from the trail for every door."""
REMEMBERED: Final = 48
"""How many of the last lines are recognised again after Space was restored from a backup."""
_UNKNOWN_OPERATION: Final = -1
_LATEST: Final = timedelta(days=1)
"""How far ahead of the hub's clock a line may be and still keep its own time."""


class Place(NamedTuple):
    """The door of a line, as far as it is known."""

    native_id: str
    name: str
    is_online: bool


type Find = Callable[[str], Place | None]
"""Finds a door by its ext id."""


def is_utc(asked_as_utc: datetime, asked_as_local: datetime, zone: tzinfo) -> bool | None:
    """Tell whether a server heeds the wish for times in UTC, from one line that was asked for in both ways.

    Each is the instant that its text means if the server heeds the wish. None: the line does not show it, as where the
    zone is UTC at that time; either reading is right then.
    """
    if asked_as_utc == asked_as_local:
        return None if asked_as_utc.astimezone(zone).utcoffset() == timedelta(0) else True
    return False if taken_as_local(asked_as_utc, zone) == asked_as_local else None


def taken_as_local(at: datetime, zone: tzinfo) -> datetime:
    """Return the instant of a line whose wall clock was read as UTC and is that of the server's zone."""
    return at.astimezone(UTC).replace(tzinfo=zone).astimezone(UTC)


def entry(event: AuditEvent, find: Find, now: datetime, *, is_time_trusted: bool = True) -> AuditEntry:
    """Return a line for the hub. One without a time that can be is given `now`; late ones keep theirs.

    While the hub does not trust its own clock (`is_time_trusted`), no time of the server is measured by it.

    What an online door is in comes from its status, which is newer than any line, but for what no status shows.
    """
    what = meaning(event.operation)
    place = find(event.door) if event.door else None
    condition = what.condition
    if condition is not None and place is not None and place.is_online and condition[0] not in BY_TRAIL:
        condition = None
    is_person = event.subject_type is SubjectType.CARDHOLDER and bool(event.subject)
    at = event.at
    return AuditEntry(
        event_id=str(event.id),
        at=now if at is None or (is_time_trusted and at > now + _LATEST) else at,
        operation=_UNKNOWN_OPERATION if event.operation is None else event.operation,
        name=what.name,
        entrance=None if place is None else place.native_id,
        entrance_name=event.door if place is None else place.name,
        passage=what.passage,
        method=what.method,
        reason=what.reason,
        user=event.subject if is_person else None,
        subject=event.subject if event.subject_type is not SubjectType.DOOR and not is_person else "",
        is_exit=bool(event.is_exit),
        is_remote=event.operation == ONLINE_COMMAND,
        condition=condition,
    )


# -- how far the trail was told ----------------------------------------------------------------------------------------


class Mark(msgspec.Struct, frozen=True, omit_defaults=True):
    """The last line that was told, and what it takes to recognise it. Written as the bookmark of the hub."""

    id: int = 0
    """0: the trail was empty; all that appears in it is new."""
    sign: str = ""
    told: tuple[tuple[int, str], ...] = ()
    """The last lines before it, oldest first, each with its sign."""
    first: str = ""
    """The sign of the trail's first line, which tells the same trail from one that was begun anew."""
    latest: datetime | None = None
    """The latest time of a line that was told."""
    skip_to: int = 0
    """Up to this id, lines that are not later than `skip_at` were told before the trail was set back."""
    skip_at: datetime | None = None

    def after(self, *events: AuditEvent) -> "Mark":
        """Return the mark when these lines, in order of id, are told too."""
        if not events:
            return self
        last = events[-1]
        signs = [(one.id, sign(one)) for one in events[-REMEMBERED - 1 :]]
        times = [one.at for one in events if one.at is not None]
        told = [*self.told, *([(self.id, self.sign)] if self.id else []), *signs[:-1]][-REMEMBERED:]
        return msgspec.structs.replace(
            self,
            id=last.id,
            sign=signs[-1][1],
            told=tuple(told),
            latest=max([*times, *([self.latest] if self.latest is not None else [])], default=None),
            skip_to=0 if last.id >= self.skip_to else self.skip_to,
            skip_at=None if last.id >= self.skip_to else self.skip_at,
        )

    def is_told(self, event: AuditEvent) -> bool:
        """Tell whether a line behind the mark was told before the trail was set back."""
        if self.skip_at is None or event.id > self.skip_to:
            return False
        return event.at is not None and event.at <= self.skip_at

    def write(self) -> str:
        """Return it as a text."""
        return msgspec.json.encode(self).decode()


def read_mark(text: str | None) -> Mark | None:
    """Return the mark of a bookmark; None without one, or for one that is none."""
    if not text:
        return None
    try:
        return msgspec.json.decode(text, type=Mark)
    except msgspec.DecodeError:
        return None


def sign(event: AuditEvent) -> str:
    """Return what tells a line, with its true time, from another one of the same id.

    Door and subject are not in it: the same line may name them otherwise once they are renamed or deleted in Space.
    """
    at = "" if event.at is None else event.at.astimezone(UTC).isoformat()
    words = f"{event.id}|{at}|{event.operation}"
    return hashlib.blake2b(words.encode(), digest_size=6).hexdigest()
