"""`/access_codes/get_timeline`: what became of a code, also of one that is gone, for a year."""

from datetime import UTC, datetime
from typing import Annotated, Final

import msgspec
from msgspec import UNSET

from hubd.api.code_shapes import Actor, Related, TimelineAnswer, TimelineEntry, TimelinePages
from hubd.api.params import Params, Text, Uuid, Words
from hubd.api.project import when
from hubd.api.route import READ, Call, route
from hubd.core.codes import history
from hubd.core.codes.history import Told
from hubd.core.codes.story import CodeEvent, rows
from hubd.model import ids
from hubd.model.errors import InvalidInputError
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
)

MOST: Final = 20_000
"""Entries of one code that are looked through; a year of being tampered with every half hour."""

_REASONS: Final = {
    "ended": "its time was over",
    "deleted": "it was deleted",
    "not_begun": "it was moved to a later time",
    "changed": "what was wished of it has changed",
    "device_replaced": "another device took the place of its lock",
    "removed_externally": "somebody else removed it from the lock",
}


class GetTimeline(Params, frozen=True, kw_only=True):
    """Which code, and which of its entries; the times bound them, themselves left out."""

    access_code_id: Uuid
    after: Text | None = None
    before: Text | None = None
    event_types: Words | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50


async def get_timeline(call: Call, params: GetTimeline) -> TimelineAnswer:
    """Return what became of a code, newest first."""
    code_id = params.access_code_id.lower()
    after, before = _instant("after", params.after), _instant("before", params.before)
    told = await history.of_code(call.hub.journal, code_id, MOST)
    if not told:
        call.hub.codes.get(code_id)
    within = [one for one in told if (after is None or one.at > after) and (before is None or one.at < before)]
    names = {key.key_id: key.name for key in call.keys.list()}
    found = [entry for one in within for entry in _entries(call, one, names)]
    if params.event_types is not None:
        found = [entry for entry in found if entry.event_type in params.event_types]
    cut = _whole_instants(found, params.limit)
    pages = TimelinePages(
        has_more=len(cut) < len(found),
        next_cursor=when(cut[-1].occurred_at) if len(cut) < len(found) else None,
        prev_cursor=when(cut[0].occurred_at) if cut else None,
    )
    return TimelineAnswer(timeline_events=cut, pagination=pages)


def _instant(field: str, text: str | None) -> datetime | None:
    """Return a time; without an offset it is UTC, as in every filter. Raises `InvalidInputError`."""
    if text is None:
        return None
    try:
        value = datetime.fromisoformat(text)
        return value.astimezone(UTC) if value.tzinfo is not None else value.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidInputError(field, "is not an ISO 8601 time, such as 2026-01-31T16:00:00Z") from error


def _whole_instants(entries: list[TimelineEntry], limit: int) -> list[TimelineEntry]:
    """Cut a page that ends between two times, since a time is where the next one begins. At least one time is whole."""
    if len(entries) <= limit:
        return entries
    end = limit
    while end and entries[end - 1].occurred_at == entries[end].occurred_at:
        end -= 1
    if end:
        return entries[:end]
    return [entry for entry in entries if entry.occurred_at == entries[0].occurred_at]


def _entries(call: Call, told: Told, names: dict[str, str]) -> list[TimelineEntry]:
    record = call.hub.devices.get(told.device_id)
    account = UNSET if record is None else call.hub.account_id(record.device.instance)
    entries = []
    for public, event in rows(told.event):
        kind = public or "access_code.changed"
        place = (told.code_id, told.at.isoformat(), str(event.__struct_config__.tag), kind)
        entries.append(
            TimelineEntry(
                timeline_event_id=ids.derive(call.hub.workspace_id, *place),
                event_type=kind,
                occurred_at=told.at,
                description=_sentence(event, kind),
                actor=_actor(event, names),
                related_resource_ids=Related(device_id=told.device_id, connected_account_id=account),
            )
        )
    return entries


def _actor(event: CodeEvent, names: dict[str, str]) -> Actor:
    by = getattr(event, "by", "")
    if by in names:
        return Actor(type="api_key", id=by, display_name=names[by])
    is_foreign = isinstance(event, CodeTampered | CodeMisused)
    is_foreign |= isinstance(event, CodeCreated) and not event.is_managed
    is_foreign |= isinstance(event, CodeGone) and event.reason == "removed_externally"
    return Actor(type="external" if is_foreign else "system")


def _sentence(event: CodeEvent, kind: str) -> str:
    match event:
        case CodeCreated(is_managed=is_managed):
            return "It was made." if is_managed else f"It was found on the lock, in slot {event.slot}."
        case CodeEdited(edits=()):
            return "It is to be removed."
        case CodeEdited(edits=edits):
            changed = [edit.property for edit in edits if edit.property == "code" or edit.before != edit.after]
            return f"Its {' and '.join(changed)} changed." if kind == "access_code.changed" else _edited(event)
        case CodePlaced(slot=slot, is_early=is_early, is_verified=is_verified):
            when_ = ", ahead of its start" if is_early else ""
            how = "" if is_verified else "; the lock does not tell PINs, so that nobody can compare"
            return f"The lock has it in slot {slot}{when_}{how}."
        case CodeTakenOff(slot=slot, reason=reason):
            return f"It was removed from slot {slot}: {_REASONS[reason]}."
        case CodeGone(reason=reason):
            return f"It is no more: {_REASONS[reason]}."
        case CodeFailed(message=message):
            return message
        case CodeDelayed(doing=doing, reason=reason):
            return f"{doing.capitalize()} it is late: {reason}"
        case CodeTampered(change=change, is_allowed=is_allowed):
            words = "removed it from" if change == "removed" else "changed it on"
            return f"Somebody else {words} the lock" + ("." if is_allowed else "; it is put back.")
        case CodeConverted(is_managed=is_managed):
            return "The hub keeps it from now on." if is_managed else "The hub leaves it alone from now on."
        case BackupPulled(backup_id=backup_id):
            return f"The backup code {backup_id} is used in its place."
        case CodeMisused():
            return "The lock opened for it outside its time frame."


def _edited(event: CodeEdited) -> str:
    parts = [f"{edit.property} from {edit.before or 'none'} to {edit.after or 'none'}" for edit in event.edits]
    return "It has another PIN." if event.edits[0].property == "code" else f"Changed: {', '.join(parts)}."


ROUTES = [route("/access_codes/get_timeline", READ, get_timeline, TimelineAnswer, GetTimeline)]
"""Seam's schema knows no cursor as a parameter here; `next_cursor` is a time to give as `before`."""
