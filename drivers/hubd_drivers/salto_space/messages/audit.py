"""The audit trail: what happened at doors and by whom, read from a cursor on."""

from datetime import datetime, tzinfo

import msgspec

from hubd_drivers.salto_space.document import Element
from hubd_drivers.salto_space.fields import (
    FIRST_YEAR,
    MOST_DIGITS,
    DoorIdAs,
    SubjectType,
    UserIdAs,
    digit,
    flag,
    identifier,
    member,
    moment,
    number,
)
from hubd_drivers.salto_space.messages.envelope import Page, Request, call, read_page, texts

_LAST_ID = 10**MOST_DIGITS - 1


class AuditEvent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One entry of the trail. None is not known."""

    id: int
    """Rises with gaps, in the order of arrival, not of `at`. It may exceed 64 bits: store it as text."""
    at: datetime | None = None
    operation: int | None = None
    """What happened; numbers that are not known are kept."""
    is_exit: bool | None = None
    door: str = ""
    """The door's ext id, if the events were asked for so."""
    subject_type: SubjectType | None = None
    subject_type_number: int | None = None
    subject: str = ""
    """The user's ext id, or of an operator what it is called; `_SALTO` for the software itself."""


def list_events(
    count: int,
    start: int | None = None,
    *,
    utc: bool = True,
    descending: bool = False,
    where: str = "",
    users_as: UserIdAs = UserIdAs.EXT_ID,
) -> Request:
    """Return the request for at most `count` events from the id `start` on, itself included.

    Whether a server heeds `utc`, or `descending` together with `start`, is not public: compare before you rely on it.
    `where` is a filter in Space's own words, such as `Operation = 17`.
    """
    if count < 1:
        raise ValueError("a page has at least one record")
    params = [Element("MaxCount", str(count))]
    if start is not None:
        params.append(Element("StartingFromEventID", str(start)))
    if where:
        params.append(Element("FilterExpression", where))
    params += [
        Element("ShowDoorIDAs", str(int(DoorIdAs.EXT_ID))),
        Element("ShowUserIDAs", str(int(users_as))),
        Element("DescendingOrder", digit(descending)),
        Element("ShowTimeInUTC", digit(utc)),
    ]
    return call("SaltoDBAuditTrail.Read", *params)


def read_events(params: Element, zone: tzinfo) -> Page[AuditEvent]:
    """Read a page; times are the wall clock's in `zone`: UTC if it was asked for and the server heeds that."""
    return read_page(params, "SaltoDBAuditTrail", "SaltoDBAuditTrailEvent", lambda record: read_event(record, zone))


def read_event(record: Element, zone: tzinfo) -> AuditEvent | None:
    """Read one event; None without a usable id."""
    get = texts(record).get
    found = number(get("EventID", ""), 0, _LAST_ID)
    if found is None:
        return None
    kind = number(get("SubjectType", ""))
    return AuditEvent(
        id=found,
        at=moment(get("EventDateTime", ""), zone, first_year=FIRST_YEAR),
        operation=number(get("Operation", "")),
        is_exit=flag(get("IsExit", "")),
        door=identifier(get("DoorID", "")) or "",
        subject_type=member(SubjectType, kind),
        subject_type_number=kind,
        subject=identifier(get("SubjectID", "")) or "",
    )
