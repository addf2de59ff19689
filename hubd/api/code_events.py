"""Events of access codes in Seam's payloads. No PIN is ever in one: events go to webhooks, logs and streams."""

from typing import Any, Final

from hubd.api import project
from hubd.api.code_project import Projector
from hubd.core.codes.story import CodeEvent
from hubd.core.hub import Hub
from hubd.model.event import (
    BackupPulled,
    CodeDelayed,
    CodeEdited,
    CodeFailed,
    CodeGone,
    CodeMisused,
    CodePlaced,
    Edit,
)
from hubd.store.records import Row

MASKED: Final = "****"
"""Stands for the PIN where Seam's schema demands one."""

_WORDS: Final = {
    "access_code.name_changed": "The access code was renamed.",
    "access_code.code_changed": "The access code has another PIN.",
    "access_code.time_frame_changed": "The access code is valid at other times.",
}


def payload(hub: Hub, row: Row, public: str, event: CodeEvent) -> dict[str, Any]:
    """Return the members that an event has besides those of every event."""
    found: dict[str, Any] = {"access_code_id": event.code_id}
    match event:
        case CodeEdited():
            found |= _edited(public, event)
        case CodePlaced():
            found["code"] = MASKED
        case CodeGone() if public == "access_code.deleted":
            found["code"] = None
        case CodeFailed(error_code=code, message=message):
            found |= _problems(hub, row, [{"error_code": code, "message": message}], [])
        case CodeDelayed(doing=doing, reason=reason):
            where = "setting_on_device" if doing == "setting" else "removing_from_device"
            found |= _problems(hub, row, [], [{"warning_code": f"delay_in_{where}", "message": reason}])
        case BackupPulled(backup_id=backup_id):
            found["backup_access_code_id"] = backup_id
        case CodeMisused(starts_at=starts_at, ends_at=ends_at):
            found["starts_at"] = None if starts_at is None else project.when(starts_at)
            found["ends_at"] = None if ends_at is None else project.when(ends_at)
        case _:
            pass
    return found


def _edited(public: str, event: CodeEdited) -> dict[str, Any]:
    edits = {edit.property: edit for edit in event.edits}
    if public == "access_code.mutations_requested":
        return {"requested_mutations": [{"mutation_code": "deleting"}]}
    if public not in _WORDS:
        changed = [edit for edit in event.edits if edit.property == "code" or edit.before != edit.after]
        shown = [{"property": edit.property, "from": edit.before, "to": edit.after} for edit in changed]
        return {"changed_properties": shown}
    names = {
        "access_code.name_changed": ("name",),
        "access_code.code_changed": ("code",),
        "access_code.time_frame_changed": ("starts_at", "ends_at"),
    }[public]
    chosen = [edits.get(name, Edit(name)) for name in names]
    return {
        "description": _WORDS[public],
        "from": {edit.property: edit.before for edit in chosen},
        "to": {edit.property: edit.after for edit in chosen},
    }


def _problems(
    hub: Hub, row: Row, errors: list[dict[str, str]], warnings: list[dict[str, str]]
) -> dict[str, list[dict[str, str]]]:
    """Return what was wrong with the code then, and what is wrong with its device now."""
    at = project.when(row.occurred_at)
    device = [] if row.device_id is None else Projector(hub, shows_pins=False).of_device(row.device_id)
    told = [
        {"error_code": p.error_code, "message": p.message, "created_at": project.when(p.created_at)} for p in device
    ]
    return {
        "access_code_errors": [{**error, "created_at": at} for error in errors],
        "access_code_warnings": [{**warning, "created_at": at} for warning in warnings],
        "device_errors": told,
        "device_warnings": [],
        "connected_account_errors": [],
        "connected_account_warnings": [],
    }
