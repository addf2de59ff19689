"""Codes, slots and troubles around noon, for those who plan."""

from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from hubd.core.codes.plan import Plan
from hubd.model import KeypadCapability
from hubd.store.codes import CodeBook, CodeRecord, Placement, SealedPin, Trouble
from tests.support.clock import NOON

PLAIN = KeypadCapability(slots=4)
NATIVE = KeypadCapability(slots=4, has_schedules=True)
READ = CodeBook("a", unread=())
TICK = timedelta(microseconds=1)
HOUR = timedelta(hours=1)
WINDOW = (NOON, NOON + HOUR)


def code(code_id: str = "c", mark: bytes = b"A", **members: Any) -> CodeRecord:
    return replace(CodeRecord(code_id, "a", NOON, NOON, pin=SealedPin(b"", mark)), **members)


def bound(code_id: str = "c", mark: bytes = b"A", **members: Any) -> CodeRecord:
    """Build a code that is to be on the lock within `WINDOW`."""
    return code(code_id, mark, starts_at=WINDOW[0], ends_at=WINDOW[1], **members)


def on(slot: int = 1, mark: bytes | None = b"A", state: Any = "set", **members: Any) -> Placement:
    return replace(Placement(slot, state, NOON, mark), **members)


def trouble(retry: datetime) -> Trouble:
    return Trouble("failed_to_set_on_device", "It failed.", NOON, 1, retry)


def steps(made: Plan) -> list[tuple[str, int, str | None]]:
    return [(step.kind, step.slot, step.code_id) for step in made.steps]
