"""`/action_attempts/*`: orders to devices, however old, changes of codes, and settings of thermostats."""

from typing import Any

import msgspec

from hubd.api import acs_attempts, code_attempts, shapes, thermostat_attempts
from hubd.api.code_attempts import CodeAttempt
from hubd.api.code_lookup import projector
from hubd.api.paging import pagination, start_of
from hubd.api.params import Limit, Params, Text, Uuid, Uuids
from hubd.api.route import READ, Call, route
from hubd.core.climate.attempts import Attempt
from hubd.model.errors import NotFoundError
from hubd.store.records import CommandRecord

_decode = msgspec.json.Decoder(CommandRecord).decode
_SELECT = (
    "SELECT at, id, device_id, action, body, code_id, ended_at, error, message FROM ("
    "SELECT accepted_at AS at, request_id AS id, device_id, NULL AS action, body, NULL AS code_id, NULL AS ended_at,"
    " NULL AS error, NULL AS message FROM commands"
    " WHERE json_extract(CAST(body AS TEXT), '$.command.type') NOT IN ('SIMULATE_KEYPAD_EDIT', 'SIMULATE_CONNECTION',"
    " 'SIMULATE_HUB_CONNECTION', 'SIMULATE_REMOVAL', 'SIMULATE_HVAC_MODE_ADJUSTED', 'SIMULATE_TEMPERATURE_REACHED'))"
    " WHERE {where} UNION ALL"
    " SELECT at, id, device_id, action, body, code_id, ended_at, error, message FROM ("
    "SELECT at, attempt_id AS id, device_id, action, NULL AS body, code_id, NULL AS ended_at, NULL AS error,"
    " NULL AS message FROM code_attempts)"
    " WHERE {where} UNION ALL"
    " SELECT at, id, device_id, action, body, code_id, ended_at, error, message FROM ("
    "SELECT at, attempt_id AS id, device_id, action, NULL AS body, NULL AS code_id, ended_at, error, message"
    " FROM thermostat_attempts)"
    " WHERE {where} ORDER BY 1, 2 LIMIT ?"
)
"""All of them in one order, without the sandbox's own orders that are no attempts of Seam's."""


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
    attempt_id = params.action_attempt_id.lower()
    record = await call.hub.journal.command(attempt_id)
    if record is not None:
        return shapes.AttemptAnswer(action_attempt=acs_attempts.shown(call.hub, record))
    of_code = await code_attempts.find(call.hub, attempt_id)
    if of_code is not None:
        (shape,) = await code_attempts.shapes(call.hub, [of_code], projector(call))
        return shapes.AttemptAnswer(action_attempt=shape)
    of_climate = await call.hub.thermostats.attempt(attempt_id)
    if of_climate is not None:
        return shapes.AttemptAnswer(action_attempt=thermostat_attempts.shown(call.hub, of_climate))
    message = "There is no such action attempt on this hub."
    raise NotFoundError("action_attempt_not_found", message, action_attempt_id=params.action_attempt_id)


async def list_attempts(call: Call, params: ListAttempts) -> shapes.AttemptListAnswer:
    """Return a page of attempts, oldest first."""
    where = ["(at, id) > (?, ?)"]
    values: list[Any] = [*(start_of(params) or (-1, ""))]
    if params.device_id is not None:
        where.append("device_id = ?")
        values.append(params.device_id.lower())
    if params.action_attempt_ids is not None:
        ids = [i.lower() for i in params.action_attempt_ids]
        where.append(f"id IN ({', '.join('?' * len(ids))})")
        values += ids
    sql = _SELECT.format(where=" AND ".join(where))
    rows = await call.hub.journal.database.read(sql, (*values, *values, *values, params.limit + 1))
    cut = rows[: params.limit]
    last = (cut[-1][0], cut[-1][1]) if len(rows) > len(cut) else None
    attempts = await _built(call, cut)
    return shapes.AttemptListAnswer(action_attempts=attempts, pagination=pagination(params, call.request, last))


async def _built(call: Call, rows: list[Any]) -> list[shapes.ActionAttempt]:
    """Build commands and attempts of both kinds, in the order of the rows."""
    of_codes = [
        CodeAttempt(id_, code_id, device_id, action, at)
        for at, id_, device_id, action, _, code_id, *_ in rows
        if code_id
    ]
    built = {one.action_attempt_id: one for one in await code_attempts.shapes(call.hub, of_codes, projector(call))}
    return [built.get(row[1]) or _one(call, row) for row in rows]


def _one(call: Call, row: Any) -> shapes.ActionAttempt:
    at, id_, device_id, action, body, _, ended_at, error, message = row
    if body is not None:
        return acs_attempts.shown(call.hub, _decode(body))
    return thermostat_attempts.shown(call.hub, Attempt(id_, device_id, action, at, ended_at, error, message))


ROUTES = [
    route("/action_attempts/get", READ, get, shapes.AttemptAnswer, GetAttempt),
    route("/action_attempts/list", READ, list_attempts, shapes.AttemptListAnswer, ListAttempts),
]
