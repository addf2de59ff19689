"""What the passing of time alone does to codes: no exchange with the lock, a transaction."""

from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from hubd.core.codes.plan import Want, has_begun, is_in_place, is_over, want
from hubd.core.codes.readings import bury, is_to_be_buried
from hubd.core.codes.story import tell
from hubd.model.capability import KeypadCapability
from hubd.model.event import CodeDelayed, CodePlaced
from hubd.store.codes import CodeRecord
from hubd.store.tables import View

DELAY: Final = timedelta(minutes=5)
"""How late a code may be before that is an event."""


def due_at(code: CodeRecord, keypad: KeypadCapability, at: datetime, *, is_trusted: bool) -> datetime | None:
    """Return since when a code should be, or should not be, on its lock; None if it is as it should be."""
    wanted = want(code, keypad, at, is_trusted=is_trusted)
    if wanted is Want.ON and has_begun(code, at) and not is_in_place(code, keypad):
        return max(code.changed_at, code.starts_at or code.changed_at)
    if wanted is Want.OFF and code.placement is not None:
        ended = code.ends_at if code.ends_at is not None and code.ends_at <= at else code.changed_at
        return max(code.deleted_at or ended, code.created_at)
    return None


def next_tick(code: CodeRecord, keypad: KeypadCapability, at: datetime, *, is_trusted: bool) -> datetime | None:
    """Return when `tick` has to be done for a code; a time that is past: now. None: not as things are."""
    if is_to_be_buried(code, at, is_trusted=is_trusted):
        return at
    placed = code.placement
    if (
        placed is not None
        and placed.is_early
        and placed.state == "set"
        and has_begun(code, at)
        and not is_over(code, at)
    ):
        return at
    since = due_at(code, keypad, at, is_trusted=is_trusted)
    return None if since is None or code.is_delay_told else since + DELAY


def tick(
    view: View, code: CodeRecord, keypad: KeypadCapability, at: datetime, reason: str, *, is_trusted: bool
) -> None:
    """Write down what time has done; `reason` is why a code that is late has not been seen to."""
    if bury(view, code, at, is_trusted=is_trusted):
        return
    placed = code.placement
    if placed is not None and placed.is_early and placed.state == "set" and has_begun(code, at):
        code = replace(code, placement=replace(placed, is_early=False))
        view.put_code(code)
        if not is_over(code, at) and is_in_place(code, keypad):
            event = CodePlaced(code_id=code.code_id, slot=placed.slot, is_verified=placed.is_verified)
            tell(view, code, event)
    since = due_at(code, keypad, at, is_trusted=is_trusted)
    if since is not None and not code.is_delay_told and since + DELAY <= at:
        view.put_code(replace(code, is_delay_told=True))
        is_wanted = want(code, keypad, at, is_trusted=is_trusted) is Want.ON
        delayed = CodeDelayed(code_id=code.code_id, doing="setting" if is_wanted else "removing", reason=reason)
        tell(view, code, delayed)
