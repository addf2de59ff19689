"""`SaltoDBAuditTrail.Read`.

The start is inclusive (three public code bases agree). That `DescendingOrder` counts down from the start, what a name
is for a user, and that a filter compares what is shown, is inferred.
"""

from collections.abc import Iterable
from datetime import UTC
from typing import Final

from hubd_drivers.salto_space.document import Element
from hubd_drivers.salto_space.sim import filters
from hubd_drivers.salto_space.sim.lists import number, only, switch
from hubd_drivers.salto_space.sim.quirks import Quirks
from hubd_drivers.salto_space.sim.replies import RefusalError, fragment, leaf, node
from hubd_drivers.salto_space.sim.state import Site
from hubd_drivers.salto_space.sim.trail import AuditEvent, Subject, SubjectType

REQUEST: Final = "SaltoDBAuditTrail.Read"
MOST: Final = 10_000
_PARAMS: Final = (
    "MaxCount",
    "StartingFromEventID",
    "FilterExpression",
    "ShowDoorIDAs",
    "ShowUserIDAs",
    "DescendingOrder",
    "ShowTimeInUTC",
)
_UTC_FORMAT: Final = "%Y-%m-%dT%H:%M:%S"


def read(site: Site, quirks: Quirks, params: Element) -> list[bytes]:
    """Return the `Params` of one piece of the trail."""
    only(params, _PARAMS, quirks)
    count = number(params, "MaxCount", MOST)
    doors, users = number(params, "ShowDoorIDAs", 0), number(params, "ShowUserIDAs", 0)
    if count < 0 or doors not in {0, 1} or users not in {0, 1, 2}:
        raise RefusalError(12)
    in_utc = switch(params, "ShowTimeInUTC") and not quirks.utc_ignored
    count = min(count or MOST, quirks.page_cap or MOST, MOST)
    passes = filters.compiled(params.value("FilterExpression"))
    rows: list[Element] = []
    is_more = False
    for event in _from(site, quirks, params):
        shown = _shown(site, event, doors, users)
        compared = _time(site, event, in_utc=quirks.filter_times == "utc")
        if not passes(shown | {"EventDateTime": compared}):
            continue
        if len(rows) == count:
            is_more = True
            break
        rows.append(_row(event, shown, _time(site, event, in_utc=in_utc)))
    eof = [fragment(leaf("EOF", int(not is_more)), quirks.text)] if quirks.audit_eof else []
    return [fragment(node("SaltoDBAuditTrail", rows), quirks.text), *eof]


def _from(site: Site, quirks: Quirks, params: Element) -> Iterable[AuditEvent]:
    start = number(params, "StartingFromEventID", 0)
    if not switch(params, "DescendingOrder") or quirks.descending == "ignored":
        return site.trail.since(start)
    if quirks.descending == "start_is_floor" or start == 0:
        return reversed(site.trail.since(start))
    return site.trail.until(start)


def _time(site: Site, event: AuditEvent, *, in_utc: bool) -> str:
    return event.what.at.astimezone(UTC).strftime(_UTC_FORMAT) if in_utc else site.local(event.what.at)


def _shown(site: Site, event: AuditEvent, doors: int, users: int) -> dict[str, int | str]:
    what = event.what
    place = site.place(what.door_id)
    name = place.name if place is not None else what.door_name
    return {
        "EventID": event.id,
        "Operation": what.operation,
        "DoorID": what.door_id if doors else name,
        "SubjectType": what.subject.type,
        "SubjectID": _subject(site, what.subject, doors, users),
    }


def _subject(site: Site, who: Subject, doors: int, users: int) -> str:
    match who.type:
        case SubjectType.SOFTWARE:
            return who.name
        case SubjectType.DOOR:
            return who.id if doors else who.name
        case SubjectType.CARDHOLDER:
            user = site.users.get(who.id)
            return (user.name if user is not None else who.name, who.id, who.card)[users]


def _row(event: AuditEvent, shown: dict[str, int | str], time: str) -> Element:
    inner = (
        leaf("EventID", event.id),
        leaf("EventDateTime", time),
        leaf("Operation", int(shown["Operation"])),
        leaf("IsExit", int(event.what.is_exit)),
        leaf("DoorID", shown["DoorID"]),
        leaf("SubjectType", int(shown["SubjectType"])),
        leaf("SubjectID", shown["SubjectID"]),
    )
    return node("SaltoDBAuditTrailEvent", inner)
