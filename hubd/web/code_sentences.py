"""What became of access codes, as sentences for a technician. Pure; closed over the events of codes."""

from datetime import datetime
from typing import assert_never

from hubd.core.codes.story import CodeEvent
from hubd.model import event as ev
from hubd.web import words
from hubd.web.scene import Scene, by, first_upper
from hubd.web.words import Tone, plain

_PROPERTIES = {
    "name": "name",
    "code": "PIN",
    "starts_at": "start",
    "ends_at": "end",
    "is_external_modification_allowed": "permission to change it at the lock",
}
_TAKEN_OFF = {
    "ended": "its time is over",
    "deleted": "it was deleted",
    "not_begun": "it has not begun",
    "changed": "its PIN changes",
}


def code_name(name: str | None, *, is_managed: bool = True, is_backup: bool = False) -> str:
    """Return how a code is called within a sentence."""
    if name:
        return f"the code “{words.within(words.name(name))}”"
    if is_backup:
        return "a spare code"
    return "a code without a name" if is_managed else "a code that was set at the lock"


def code_sentence(event: CodeEvent, scene: Scene) -> str:
    """Say what happened."""
    match event:
        case ev.CodeCreated() | ev.CodeEdited() | ev.CodeConverted() | ev.BackupPulled() | ev.CodeGone():
            return _of_wish(event, scene)
        case ev.CodePlaced() | ev.CodeTakenOff() | ev.CodeFailed() | ev.CodeDelayed():
            return _of_lock(event, scene)
        case ev.CodeTampered() | ev.CodeMisused():
            return _of_others(event, scene)
        case _:
            assert_never(event)


def code_tone(event: CodeEvent) -> Tone:
    """Return how loud an event is shown."""
    match event:
        case ev.CodeFailed() | ev.CodeMisused():
            return "bad"
        case ev.CodeDelayed() | ev.CodeTampered(is_allowed=False):
            return "warn"
        case _:
            return "quiet"


def _of_wish(
    event: ev.CodeCreated | ev.CodeEdited | ev.CodeConverted | ev.BackupPulled | ev.CodeGone, scene: Scene
) -> str:
    code, lock = scene.code(event.code_id), scene.device
    match event:
        case ev.CodeCreated(is_managed=False, slot=slot):
            return f"{lock} holds a code that the hub did not set{_slot(slot)}."
        case ev.CodeCreated(name=name, is_backup=is_backup):
            what = code_name(name, is_backup=is_backup)
            return f"{first_upper(what)} was made for {lock}{_frame(event, scene)}{by(event.by, scene)}."
        case ev.CodeEdited(edits=()):
            return f"{first_upper(code)} of {lock} is to be removed{by(event.by, scene)}."
        case ev.CodeEdited(edits=edits):
            changes = "; ".join(_edit(edit, scene) for edit in edits)
            return f"{first_upper(code)} of {lock} was changed{by(event.by, scene)}: {changes}."
        case ev.CodeConverted(is_managed=is_managed):
            what = "is now kept by the hub" if is_managed else "is left alone by the hub from now on"
            return f"{first_upper(code)} of {lock} {what}{by(event.by, scene)}."
        case ev.BackupPulled(backup_id=backup_id):
            return f"On {lock}, {scene.code(backup_id)} is used in place of {code}{by(event.by, scene)}."
        case ev.CodeGone(reason="ended"):
            return f"{first_upper(code)} of {lock} is over."
        case ev.CodeGone(reason="deleted"):
            return f"{first_upper(code)} of {lock} was deleted{by(event.by, scene)}."
        case ev.CodeGone():
            return f"Somebody removed {code} at {lock}."
        case _:
            assert_never(event)


def _of_lock(event: ev.CodePlaced | ev.CodeTakenOff | ev.CodeFailed | ev.CodeDelayed, scene: Scene) -> str:
    code, lock = first_upper(scene.code(event.code_id)), scene.device
    match event:
        case ev.CodePlaced(is_early=True, slot=slot):
            return f"{code} is on {lock}{_slot(slot)}, which keeps it closed until it starts."
        case ev.CodePlaced(slot=slot, is_verified=is_verified):
            proof = "" if is_verified else "; the lock confirmed it, but does not tell PINs"
            return f"{code} is set on {lock}{_slot(slot)}{proof}."
        case ev.CodeTakenOff(slot=slot, reason=reason):
            return f"{code} was taken off {lock}{_slot(slot)}: {_TAKEN_OFF[reason]}."
        case ev.CodeFailed(message=message, error_code=error):
            doing = "removed from" if error == "failed_to_remove_from_device" else "set on"
            return f"{code} cannot be {doing} {lock}: {plain(message)}"
        case ev.CodeDelayed(doing=doing, reason=reason):
            if doing == "setting":
                return f"{code} is due and not on {lock} yet: {plain(reason)}"
            return f"{code} should be gone and is still on {lock}: {plain(reason)}"
        case _:
            assert_never(event)


def _of_others(event: ev.CodeTampered | ev.CodeMisused, scene: Scene) -> str:
    code, lock = scene.code(event.code_id), scene.device
    match event:
        case ev.CodeTampered(change=change, slot=slot, is_allowed=is_allowed):
            done = "removed" if change == "removed" else "changed"
            end = "the hub goes by it" if is_allowed else "the hub puts it back"
            return f"Somebody {done} {code} at {lock}{_slot(slot)}; {end}."
        case ev.CodeMisused(slot=slot):
            return f"{lock} opened for {code}{_slot(slot)} outside its time{_frame(event, scene)}."
        case _:
            assert_never(event)


def _slot(slot: int | None) -> str:
    return "" if slot is None else f" (slot {slot})"


def _frame(event: ev.CodeCreated | ev.CodeMisused, scene: Scene) -> str:
    parts = []
    if event.starts_at is not None:
        parts.append(f"from {scene.moment(event.starts_at)}")
    if event.ends_at is not None:
        parts.append(f"to {scene.moment(event.ends_at)}")
    return f", {' '.join(parts)}" if parts else ""


def _edit(edit: ev.Edit, scene: Scene) -> str:
    what = _PROPERTIES.get(edit.property, plain(edit.property, 40))
    if edit.property == "code":
        return f"another {what}"
    after, before = (_value(edit.property, value, scene) for value in (edit.after, edit.before))
    return f"{what} {after} instead of {before}"


def _value(name: str, value: str | None, scene: Scene) -> str:
    if value is None:
        return "none"
    if name in {"starts_at", "ends_at"}:
        return scene.moment(datetime.fromisoformat(value))
    return {"true": "given", "false": "not given"}.get(value, f"“{words.within(words.name(value))}”")
