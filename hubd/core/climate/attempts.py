"""The calls that asked a thermostat for something: each ends once, when the device is as asked or will not be."""

from datetime import timedelta
from typing import Final

import msgspec

from hubd.core.climate.rules import Attempts
from hubd.model import ids
from hubd.store.climate import AttemptAction
from hubd.store.database import Database
from hubd.store.records import micros
from hubd.store.retention import AHEAD
from hubd.store.tables import View

LIFE: Final = timedelta(days=90)
"""How long an attempt can be asked for."""

_INSERT = "INSERT INTO thermostat_attempts(attempt_id, device_id, action, at, ended_at) VALUES(?, ?, ?, ?, ?)"
_END = "UPDATE thermostat_attempts SET ended_at = ?, error = ?, message = ? WHERE attempt_id = ? AND ended_at IS NULL"
_SELECT = (
    "SELECT attempt_id, device_id, action, at, ended_at, error, message FROM thermostat_attempts WHERE attempt_id = ?"
)
_PRUNE = (
    "DELETE FROM thermostat_attempts WHERE rowid <"
    " (SELECT rowid FROM thermostat_attempts WHERE +at BETWEEN ? AND ? ORDER BY rowid LIMIT 1)"
)


class Attempt(msgspec.Struct, frozen=True):
    """One call. Times in microseconds; `ended_at` None: the device has yet to be as asked; `error` None: it is."""

    attempt_id: str
    device_id: str
    action: AttemptAction
    at: int
    ended_at: int | None = None
    error: str | None = None
    message: str | None = None


def write(view: View, device_id: str, action: AttemptAction, attempt_id: str, *, is_over: bool = False) -> None:
    """Keep a call, in the transaction of its wish. `is_over`: it is fulfilled with that."""
    now = micros(view.now)
    view.execute(_INSERT, attempt_id, device_id, action, now, now if is_over else None)


def end(view: View, attempts: Attempts) -> None:
    """Write down how calls ended."""
    for attempt_id, error, message in attempts:
        view.execute(_END, micros(view.now), error, None if error is None else message, attempt_id)


async def find(database: Database, attempt_id: str) -> Attempt | None:
    """Return a call by its id. Raises `StoreError`."""
    rows = await database.read(_SELECT, (attempt_id,))
    return Attempt(*rows[0]) if rows else None


def prune(view: View) -> None:
    """Drop the calls that are too old to be asked for, as histories of codes are dropped."""
    view.execute(_PRUNE, micros(view.now - LIFE), micros(view.now + AHEAD))


def draw() -> str:
    """Draw the id of an attempt."""
    return ids.new_id()
