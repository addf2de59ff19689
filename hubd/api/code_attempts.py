"""The attempts to change a code on its lock: one for each call, as the code stands when somebody asks.

A code is brought to its lock by the reconciler, for as long as it takes; so an attempt has no end of its own. It is
pending while the lock is being changed, a success once the lock is as wished or nothing is due on it yet, and an error
while the last try has failed, which a later one may turn into a success.
"""

from collections.abc import Collection
from datetime import timedelta
from typing import Any, Final, Literal

import msgspec

from hubd.api.code_project import Projector
from hubd.api.shapes import ActionAttempt, AttemptError, Stages
from hubd.core.hub import Hub
from hubd.model import ids
from hubd.store.codes import CodeRecord
from hubd.store.records import micros, moment
from hubd.store.retention import AHEAD
from hubd.store.tables import View

LIFE: Final = timedelta(days=90)
"""How long an attempt can be asked for."""

type Action = Literal["CREATE_ACCESS_CODE", "UPDATE_ACCESS_CODE", "DELETE_ACCESS_CODE"]

_INSERT = "INSERT INTO code_attempts(attempt_id, code_id, device_id, action, at) VALUES(?, ?, ?, ?, ?)"
_SELECT = "SELECT attempt_id, code_id, device_id, action, at FROM code_attempts WHERE attempt_id = ?"
_PRUNE = (
    "DELETE FROM code_attempts WHERE rowid <"
    " (SELECT rowid FROM code_attempts WHERE +at BETWEEN ? AND ? ORDER BY rowid LIMIT 1)"
)
_PASSING: Final = {"conflicting_external_modification", "access_code_inactive"}
"""Errors of a code that are no end of an attempt: the hub is mending it, or nobody asked for more."""


class CodeAttempt(msgspec.Struct, frozen=True):
    """One call that changed a code. `at` in microseconds."""

    attempt_id: str
    code_id: str
    device_id: str
    action: Action
    at: int


def draw() -> str:
    """Draw the id of an attempt."""
    return ids.new_id()


def write(view: View, attempt_id: str, action: Action, code: CodeRecord) -> CodeAttempt:
    """Keep an attempt, in the transaction of its wish."""
    attempt = CodeAttempt(attempt_id, code.code_id, code.device_id, action, micros(view.now))
    view.execute(_INSERT, attempt_id, code.code_id, code.device_id, action, attempt.at)
    return attempt


def prune(view: View) -> None:
    """Drop the attempts that are too old to be asked for, as histories are dropped (`core.codes.story.prune`)."""
    view.execute(_PRUNE, micros(view.now - LIFE), micros(view.now + AHEAD))


async def find(hub: Hub, attempt_id: str) -> CodeAttempt | None:
    """Return an attempt by its id; None if it is not one of a code. Raises `StoreError`."""
    rows = await hub.journal.database.read(_SELECT, (attempt_id,))
    return CodeAttempt(*rows[0]) if rows else None


async def shapes(hub: Hub, attempts: Collection[CodeAttempt], projector: Projector) -> list[ActionAttempt]:
    """Build the shapes of attempts as their codes stand now. Raises `StoreError`."""
    codes = {attempt.code_id: hub.journal.tables.codes.get(attempt.code_id) for attempt in attempts}
    placed = await _ever_placed(hub, [code_id for code_id, code in codes.items() if code is None])
    return [shape(hub, a, codes[a.code_id], projector, was_placed=a.code_id in placed) for a in attempts]


def shape(
    hub: Hub, attempt: CodeAttempt, code: CodeRecord | None, projector: Projector, *, was_placed: bool = False
) -> ActionAttempt:
    """Build `action_attempt`; `code` is None once it is gone, and `was_placed` says whether its lock ever had it."""
    error = _error(attempt, code, projector, was_placed=was_placed)
    is_pending = error is None and code is not None and _is_moving(hub, attempt, code)
    result: dict[str, Any] | None = None
    if error is None and not is_pending:
        is_shown = code is not None and attempt.action != "DELETE_ACCESS_CODE"
        result = {"access_code": projector.any(code)} if code is not None and is_shown else {}
    return ActionAttempt(
        action_attempt_id=attempt.attempt_id,
        action_type=attempt.action,
        status="pending" if is_pending else "success" if error is None else "error",
        result=result,
        error=error,
        stages=Stages(accepted_at=moment(attempt.at), deadline=None),
    )


def _is_moving(hub: Hub, attempt: CodeAttempt, code: CodeRecord) -> bool:
    return attempt.action == "DELETE_ACCESS_CODE" or hub.codes.status(code) in {"setting", "removing", "unknown"}


def _error(
    attempt: CodeAttempt, code: CodeRecord | None, projector: Projector, *, was_placed: bool
) -> AttemptError | None:
    if attempt.action == "DELETE_ACCESS_CODE":
        trouble = None if code is None else code.trouble
        return None if trouble is None else AttemptError(type=trouble.code, message=trouble.message)
    if code is None or code.deleted_at is not None:
        if was_placed or (code is not None and code.placement is not None):
            return None
        message = "The access code ended, or was deleted, before it was on the lock."
        return AttemptError(type="access_code_gone", message=message)
    lasting = [error for error in projector.own_errors(code) if error.error_code not in _PASSING]
    return AttemptError(type=lasting[0].error_code, message=lasting[0].message) if lasting else None


async def _ever_placed(hub: Hub, code_ids: list[str]) -> set[str]:
    if not code_ids:
        return set()
    marks = ", ".join("?" * len(code_ids))
    sql = f"SELECT DISTINCT code_id FROM code_history WHERE type = 'code.placed' AND code_id IN ({marks})"  # noqa: S608
    return {code_id for (code_id,) in await hub.journal.database.read(sql, tuple(code_ids))}
