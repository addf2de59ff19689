"""`/events/*`: the public rows of the journal, oldest first."""

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec

from hubd.api import acs_events, acs_filters, shapes
from hubd.api.params import Params, Text, Uuid, Uuids, Word, Words
from hubd.api.route import READ, Call, route
from hubd.api.seam_events import seam_event
from hubd.core.hub import Hub
from hubd.model import ids
from hubd.model.errors import InvalidInputError, NotFoundError
from hubd.store.records import micros

MAX_EVENTS = 10_000

_MAX_OFFSET = 10_000_000
#: Filters on things that a hub does not have yet: given, they match nothing.
_ABSENT = (
    "access_grant_id",
    "access_grant_ids",
    "access_method_id",
    "access_method_ids",
    "connect_webview_id",
    "customer_key",
    "space_id",
    "space_ids",
    "user_identity_id",
)


class GetEvent(Params, frozen=True, kw_only=True):
    """By id, or the last one of a type and device; all given ones must fit."""

    event_id: Uuid | None = None
    event_type: Word | None = None
    device_id: Uuid | None = None


class ListEvents(Params, frozen=True, kw_only=True):
    """Seam's event filters; all given ones must fit. Times are those at which the hub wrote the event."""

    access_code_id: Uuid | None = None
    access_code_ids: Uuids | None = None
    access_grant_id: Uuid | None = None
    access_grant_ids: Uuids | None = None
    access_method_id: Uuid | None = None
    access_method_ids: Uuids | None = None
    acs_access_group_id: Uuid | None = None
    acs_credential_id: Uuid | None = None
    acs_encoder_id: Uuid | None = None
    acs_entrance_id: Uuid | None = None
    acs_system_id: Uuid | None = None
    acs_system_ids: Uuids | None = None
    acs_user_id: Uuid | None = None
    between: tuple[Text, ...] | None = None
    connect_webview_id: Uuid | None = None
    connected_account_id: Uuid | None = None
    customer_key: Text | None = None
    device_id: Uuid | None = None
    device_ids: Uuids | None = None
    event_ids: Uuids | None = None
    event_type: Word | None = None
    event_types: Words | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_EVENTS)] = 500
    since: Text | None = None
    space_id: Uuid | None = None
    space_ids: Uuids | None = None
    unstable_offset: Annotated[int, msgspec.Meta(ge=0, le=_MAX_OFFSET)] = 0
    user_identity_id: Uuid | None = None


def instant(field: str, text: str) -> int:
    """Return microseconds of an ISO 8601 time; without an offset it is UTC. Raises `InvalidInputError`."""
    try:
        value = datetime.fromisoformat(text)
        return micros(value if value.tzinfo is not None else value.replace(tzinfo=UTC))
    except (ValueError, OverflowError) as error:
        raise InvalidInputError(field, "is not an ISO 8601 time, such as 2026-01-31T16:00:00Z") from error


async def get(call: Call, params: GetEvent) -> shapes.EventAnswer:
    """Return one event."""
    if params.event_id is None and params.event_type is None and params.device_id is None:
        raise InvalidInputError("event_id", "is required (or event_type, or device_id)")
    event_ids = None if params.event_id is None else (params.event_id,)
    wanted = ListEvents(event_ids=event_ids, event_type=params.event_type, device_id=params.device_id)
    where, values = _where(call.hub, wanted)
    rows = await call.hub.journal.select(where, values, order="seq DESC", limit=1)
    event = seam_event(call.hub, rows[0]) if rows else None
    if event is None:
        raise NotFoundError("event_not_found", "There is no such event on this hub.")
    return shapes.EventAnswer(event=event)


async def list_events(call: Call, params: ListEvents) -> shapes.EventListAnswer:
    """Return events, oldest first."""
    if any(getattr(params, name) is not None for name in _ABSENT):
        return shapes.EventListAnswer(events=[])
    where, values = _where(call.hub, params)
    for code_ids in (None if params.access_code_id is None else (params.access_code_id,), params.access_code_ids):
        if code_ids is not None:
            part, chosen = await _of_codes(call.hub, code_ids)
            where, values = f"{where} AND {part}", [*values, *chosen]
    order = "created_at, seq"
    rows = await call.hub.journal.select(where, values, order, limit=params.limit, offset=params.unstable_offset)
    events = (seam_event(call.hub, row) for row in rows)
    return shapes.EventListAnswer(events=[event for event in events if event is not None])


def _where(hub: Hub, params: ListEvents) -> tuple[str, list[Any]]:
    parts, values = ["public IS NOT NULL"], list[Any]()
    if params.since is not None:
        parts.append("created_at >= ?")
        values.append(instant("since", params.since))
    if params.between is not None:
        parts.append("created_at BETWEEN ? AND ?")
        values += _between(params.between)
    account = params.connected_account_id
    sets: list[tuple[str, tuple[Any, ...] | None]] = [
        ("public", None if params.event_type is None else (params.event_type,)),
        ("public", params.event_types),
        ("device_id", _plain(hub, None if params.device_id is None else (params.device_id,))),
        ("device_id", _plain(hub, params.device_ids)),
        *acs_filters.sets(hub, params),
        ("instance", None if account is None else (_instance(hub, account),)),
        ("seq", _seqs(hub, params.event_ids)),
    ]
    for column, wanted in sets:
        if wanted is not None:
            parts.append(f"{column} IN ({', '.join('?' * len(wanted))})")
            values += wanted
    return " AND ".join(parts), values


async def _of_codes(hub: Hub, code_ids: tuple[str, ...]) -> tuple[str, list[Any]]:
    """Return the condition that a row is about one of some codes. Their devices, which are indexed, are looked up."""
    ids_ = [code_id.lower() for code_id in code_ids]
    marks = ", ".join("?" * len(ids_))
    sql = f"SELECT DISTINCT device_id FROM code_history WHERE code_id IN ({marks})"  # noqa: S608 - constant text
    devices = [device_id for (device_id,) in await hub.journal.database.read(sql, tuple(ids_))]
    on = f"device_id IN ({', '.join('?' * len(devices))})"
    return f"{on} AND json_extract(CAST(body AS TEXT), '$.code_id') IN ({marks})", [*devices, *ids_]


def _plain(hub: Hub, device_ids: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """Return ids of devices, without those that Seam has under `/acs`."""
    if device_ids is None:
        return None
    return tuple(one.lower() for one in device_ids if not acs_events.is_access_device(hub.devices.get(one.lower())))


def _between(times: tuple[str, ...]) -> tuple[int, int]:
    if len(times) != 2:  # noqa: PLR2004 - from, to
        raise InvalidInputError("between", "needs two times: from and to")
    start, end = (instant("between", text) for text in times)
    if start > end:
        raise InvalidInputError("between", "the first time must not be after the second")
    return start, end


def _instance(hub: Hub, account_id: str) -> str | None:
    """Return the name of an instance, also of one that is configured no more: its events are still there."""
    names = hub.journal.tables.instances.keys() | hub.instances.keys()
    return next((name for name in names if hub.account_id(name) == account_id.lower()), None)


def _seqs(hub: Hub, event_ids: tuple[str, ...] | None) -> tuple[int | None, ...] | None:
    return None if event_ids is None else tuple(ids.event_seq(hub.journal.epoch, event_id) for event_id in event_ids)


ROUTES = [
    route("/events/get", READ, get, shapes.EventAnswer, GetEvent),
    route("/events/list", READ, list_events, shapes.EventListAnswer, ListEvents),
]
