"""Events of codes as they stand in the journal: read back as what they were, and no place in them for a PIN."""

from typing import get_args

import msgspec

from hubd.model import access_event
from hubd.model import event as events
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
    Event,
)
from hubd.model.event_base import EventBase
from tests.support.clock import NOON

UNION: set[type[EventBase]] = {
    kind for member in get_args(Event.__value__) for kind in get_args(getattr(member, "__value__", None)) or (member,)
}

OF_CODES: list[Event] = [
    CodeCreated(code_id="c", name="Zoë", starts_at=NOON, ends_at=NOON, slot=3, is_backup=True, by="me"),
    CodeEdited(code_id="c", edits=(Edit("name", "A", None), Edit("code"))),
    CodeEdited(code_id="c", edits=()),
    CodePlaced(code_id="c", slot=1, is_early=True, is_verified=False),
    *(CodeTakenOff(code_id="c", slot=1, reason=reason) for reason in ("ended", "deleted", "not_begun", "changed")),
    CodeGone(code_id="c", reason="removed_externally", is_managed=False),
    CodeFailed(code_id="c", error_code="failed_to_set_on_device", message="No."),
    CodeDelayed(code_id="c", doing="removing", reason="It sleeps."),
    CodeTampered(code_id="c", change="changed", slot=2, is_allowed=True),
    CodeConverted(code_id="c", is_managed=False, by="me"),
    BackupPulled(code_id="c", backup_id="d"),
    CodeMisused(code_id="c", slot=1, starts_at=NOON, ends_at=NOON),
]


def test_an_event_of_a_code_is_read_back_as_what_it_was() -> None:
    for event in OF_CODES:
        assert msgspec.json.decode(msgspec.json.encode(event), type=Event) == event


def test_no_event_of_codes_is_left_out() -> None:
    kinds = {kind for kind in UNION if str(kind.__struct_config__.tag).startswith("code.")}
    assert {type(event) for event in OF_CODES} == kinds


def test_every_event_that_is_made_is_in_the_union() -> None:
    rooms = (*vars(events).values(), *vars(access_event).values())
    made = {kind for kind in rooms if isinstance(kind, type) and issubclass(kind, EventBase)}
    assert made - {EventBase} == UNION


def test_no_event_has_a_place_for_a_pin() -> None:
    names = {name for event in OF_CODES for name in event.__struct_fields__}
    assert not {"code", "pin", "pin_ref"} & names
