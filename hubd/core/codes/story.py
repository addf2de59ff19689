"""Telling what becomes of a code: a row of the journal, and one of the code's own history, in one transaction."""

from datetime import timedelta
from typing import Final

import msgspec

from hubd.model.event import (
    BackupPulled,
    CodeConverted,
    CodeCreated,
    CodeDelayed,
    CodeEdited,
    CodeFailed,
    CodeGone,
    CodeMisused,
    CodePlaced,
    CodeTakenOff,
    CodeTampered,
    Edit,
)
from hubd.store.codes import CodeRecord
from hubd.store.records import micros
from hubd.store.retention import AHEAD
from hubd.store.tables import View

HISTORY: Final = timedelta(days=366)
"""How long the history of a code is kept, whatever becomes of the code."""
MISUSED: Final = "access_code.used_outside_time_frame"
"""The one event type of codes that Seam's list does not have."""

type CodeEvent = (
    CodeCreated
    | CodeEdited
    | CodePlaced
    | CodeTakenOff
    | CodeGone
    | CodeFailed
    | CodeDelayed
    | CodeTampered
    | CodeConverted
    | BackupPulled
    | CodeMisused
)

_INSERT = "INSERT INTO code_history(code_id, device_id, at, type, body) VALUES(?, ?, ?, ?, ?)"
_PRUNE = (
    "DELETE FROM code_history WHERE id < (SELECT id FROM code_history WHERE +at BETWEEN ? AND ? ORDER BY id LIMIT 1)"
)
_SPECIAL: Final = {
    "name": "access_code.name_changed",
    "code": "access_code.code_changed",
    "starts_at": "access_code.time_frame_changed",
    "ends_at": "access_code.time_frame_changed",
}

_encode = msgspec.json.Encoder().encode


def tell(view: View, code: CodeRecord, event: CodeEvent) -> None:
    """Write down an event of a code. It is public, under Seam's type for it, if its device is managed."""
    device = view.device(code.device_id)
    instance = None if device is None else device.device.instance
    is_public = device is not None and device.is_managed
    for public, body in rows(event):
        view.emit(body, public=public if is_public else None, instance=instance, device_id=code.device_id)
    kind = str(event.__struct_config__.tag)
    view.execute(_INSERT, code.code_id, code.device_id, micros(view.now), kind, _encode(event))


def prune(view: View) -> None:
    """Drop histories that are older than they are kept: from the start on, up to the first young row.

    So a row that was written while the clock stood in the past, or far ahead, goes with its neighbours; as long as no
    young one is there, nothing goes. To be called only while the time is trusted.
    """
    view.execute(_PRUNE, micros(view.now - HISTORY), micros(view.now + AHEAD))


def rows(event: CodeEvent) -> list[tuple[str | None, CodeEvent]]:
    """Return the public events that one of a code is, each with its type; None: there is none for it."""
    if not isinstance(event, CodeEdited):
        return [(public_type(event), event)]
    if not event.edits:
        return [("access_code.mutations_requested", event)]
    found: list[tuple[str | None, CodeEvent]] = [("access_code.changed", event)]
    for public in dict.fromkeys(_SPECIAL[edit.property] for edit in event.edits if edit.property in _SPECIAL):
        edits = tuple(edit for edit in event.edits if _SPECIAL.get(edit.property) == public)
        found.append((public, CodeEdited(code_id=event.code_id, edits=edits, by=event.by)))
    return found


def public_type(event: CodeEvent) -> str | None:
    """Return the Seam `event_type` of an event; None where Seam has none for it."""
    match event:
        case CodeCreated(is_managed=is_managed):
            return "access_code.created" if is_managed else "access_code.unmanaged.created"
        case CodeEdited(edits=edits):
            return "access_code.changed" if edits else "access_code.mutations_requested"
        case CodePlaced(is_early=is_early):
            return "access_code.scheduled_on_device" if is_early else "access_code.set_on_device"
        case CodeTakenOff():
            return "access_code.removed_from_device"
        case CodeGone(is_managed=is_managed):
            return "access_code.deleted" if is_managed else "access_code.unmanaged.removed"
        case CodeFailed(error_code=code):
            is_removal = code == "failed_to_remove_from_device"
            return "access_code.failed_to_remove_from_device" if is_removal else "access_code.failed_to_set_on_device"
        case CodeDelayed(doing=doing):
            return f"access_code.delay_in_{doing}_{'on' if doing == 'setting' else 'from'}_device"
        case CodeTampered(change=change):
            kinds = {"removed": "access_code.deleted_external_to_seam"}
            return kinds.get(change, "access_code.modified_external_to_seam")
        case CodeConverted(is_managed=is_managed):
            return "access_code.unmanaged.converted_to_managed" if is_managed else None
        case BackupPulled():
            return "access_code.backup_access_code_pulled"
        case CodeMisused():
            return MISUSED


def edits_of(before: CodeRecord, after: CodeRecord) -> tuple[Edit, ...]:
    """Return what differs between two wishes, in the API's words. Of a PIN only that it does, of a frame both ends."""
    is_moved = (before.starts_at, before.ends_at) != (after.starts_at, after.ends_at)
    edits = []
    for name in ("name", "starts_at", "ends_at", "is_external_modification_allowed"):
        old, new = getattr(before, name), getattr(after, name)
        if old != new or (is_moved and name in {"starts_at", "ends_at"}):
            edits.append(Edit(name, _words(old), _words(new)))
    if before.pin != after.pin and (before.pin is None or after.pin is None or before.pin.mark != after.pin.mark):
        edits.append(Edit("code"))
    return tuple(edits)


def _words(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode().strip('"')
