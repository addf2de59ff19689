"""How a code stands, for whoever asks: Seam's status, what is wrong, and why it waits. Pure."""

from datetime import datetime
from typing import Literal

import msgspec

from hubd.core.codes.plan import Hold, Want, has_begun, is_in_place, want
from hubd.model.capability import KeypadCapability
from hubd.store.codes import CodeRecord

type Status = Literal["unset", "setting", "set", "removing", "unknown"]
type ErrorCode = Literal[
    "failed_to_set_on_device",
    "failed_to_remove_from_device",
    "duplicate_code_on_device",
    "no_space_for_access_code_on_device",
    "conflicting_external_modification",
    "access_code_inactive",
]


class CodeError(msgspec.Struct, frozen=True):
    """Why a code is not as it should be."""

    code: ErrorCode
    message: str
    since: datetime
    conflict_id: str | None = None
    change: Literal["modified", "removed"] | None = None


def status(code: CodeRecord, keypad: KeypadCapability | None, at: datetime, *, is_trusted: bool = True) -> Status:
    """Return how a code stands on its lock."""
    placed = code.placement
    if keypad is None:
        return "unknown"
    if not code.is_managed and code.deleted_at is None:
        return "set" if placed is not None and placed.state == "set" else "unset"
    wanted = want(code, keypad, at, is_trusted=is_trusted)
    if wanted is Want.OFF:
        return "unset" if placed is None else "removing"
    if not has_begun(code, at):  # early, on a lock that keeps to the time frame itself
        return "unset"
    return "set" if is_in_place(code, keypad) else "setting"


def is_scheduled(code: CodeRecord, keypad: KeypadCapability | None, at: datetime) -> bool:
    """Whether the lock has the code and keeps it inactive until it starts."""
    return keypad is not None and not has_begun(code, at) and is_in_place(code, keypad)


def errors(
    code: CodeRecord, keypad: KeypadCapability | None, at: datetime, hold: Hold | None, *, is_trusted: bool = True
) -> list[CodeError]:
    """Return what is wrong with a code. Nothing is, once it is on its lock as it should be."""
    found: list[CodeError] = []
    if keypad is None:
        return found
    is_wanted = want(code, keypad, at, is_trusted=is_trusted) is Want.ON
    placed, tampering, trouble = code.placement, code.tampering, code.trouble
    if tampering is not None and is_wanted and not is_in_place(code, keypad):
        words = "removed from" if tampering.change == "removed" else "changed on"
        message = f"Somebody else {words} the lock what the hub had set there. It is being set again."
        error = CodeError("conflicting_external_modification", message, tampering.at, change=tampering.change)
        found.append(error)
    if trouble is not None and trouble.code != "conflicting_external_modification":
        found.append(CodeError(trouble.code, trouble.message, trouble.since, trouble.conflict_id))  # type: ignore[arg-type]
    elif hold is not None and hold.code == "duplicate":
        message = "Another code with this PIN is on the lock; this one waits until that is gone."
        found.append(CodeError("duplicate_code_on_device", message, code.changed_at, hold.conflict_id))
    elif hold is not None and hold.code == "no_space":
        message = "Every slot of the lock is taken; this code waits until one is free."
        found.append(CodeError("no_space_for_access_code_on_device", message, code.changed_at))
    if placed is not None and not placed.is_enabled and not code.is_managed:
        message = "The lock holds this code and does not open for it."
        found.append(CodeError("access_code_inactive", message, placed.since))
    return found
