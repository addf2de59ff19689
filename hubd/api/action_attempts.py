"""`/action_attempts/*`: commands, however old."""

from typing import Any

import msgspec

from hubd.api import project, shapes
from hubd.api.paging import pagination, start_of
from hubd.api.params import Limit, Params, Text, Uuid, Uuids
from hubd.api.route import READ, Call, route
from hubd.model.errors import NotFoundError
from hubd.store.records import CommandRecord, micros

_decode = msgspec.json.Decoder(CommandRecord).decode


class GetAttempt(Params, frozen=True, kw_only=True):
    """Which attempt."""

    action_attempt_id: Uuid


class ListAttempts(Params, frozen=True, kw_only=True):
    """By ids or by device."""

    action_attempt_ids: Uuids | None = None
    device_id: Uuid | None = None
    limit: Limit = 500
    page_cursor: Text | None = None


async def get(call: Call, params: GetAttempt) -> shapes.AttemptAnswer:
    """Return one attempt."""
    record = await call.hub.journal.command(params.action_attempt_id.lower())
    if record is None:
        message = "There is no such action attempt on this hub."
        raise NotFoundError("action_attempt_not_found", message, action_attempt_id=params.action_attempt_id)
    return shapes.AttemptAnswer(action_attempt=project.attempt(record))


async def list_attempts(call: Call, params: ListAttempts) -> shapes.AttemptListAnswer:
    """Return a page of attempts, oldest first."""
    where = ["(accepted_at, request_id) > (?, ?)"]
    values: list[Any] = [*(start_of(params) or (-1, ""))]
    if params.device_id is not None:
        where.append("device_id = ?")
        values.append(params.device_id.lower())
    if params.action_attempt_ids is not None:
        ids = [i.lower() for i in params.action_attempt_ids]
        where.append(f"request_id IN ({', '.join('?' * len(ids))})")
        values += ids
    order = "ORDER BY accepted_at, request_id LIMIT ?"
    sql = f"SELECT body FROM commands WHERE {' AND '.join(where)} {order}"  # noqa: S608 - constant text
    found = [_decode(body) for (body,) in await call.hub.journal.database.read(sql, (*values, params.limit + 1))]
    cut = found[: params.limit]
    last = (micros(cut[-1].accepted_at), cut[-1].request_id) if len(found) > len(cut) else None
    attempts = [project.attempt(record) for record in cut]
    return shapes.AttemptListAnswer(action_attempts=attempts, pagination=pagination(params, call.request, last))


ROUTES = [
    route("/action_attempts/get", READ, get, shapes.AttemptAnswer, GetAttempt),
    route("/action_attempts/list", READ, list_attempts, shapes.AttemptListAnswer, ListAttempts),
]
