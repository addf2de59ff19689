"""Events of access control systems in the journal: read back as what they were, and no place in them for a name."""

from typing import get_args

import msgspec
import pytest

from hubd.model.access_event import (
    AccessEditAccepted,
    AccessEditEnded,
    AccessEvent,
    AccessSystemFound,
    AcsGroupChanged,
    AcsUserChanged,
    CredentialChanged,
    CredentialFate,
    EntranceAudited,
    EntranceChanged,
)
from hubd.model.event import Event

EVENTS: list[AccessEvent] = [
    AccessSystemFound(),
    EntranceChanged(condition="privacy_mode", is_on=True),
    EntranceAudited(trail_id="7", operation=17, name="Door opened: key"),
    EntranceAudited(
        trail_id="8",
        operation=81,
        name="Door not opened: expired",
        passage="refused",
        method="card",
        reason="unknown_code",
        user_id="u",
        is_exit=True,
        request_id="r",
    ),
    AcsUserChanged(user_id="u", change="updated", members=("card", "groups")),
    AcsGroupChanged(group_id="g", change="deleted"),
    *(CredentialChanged(credential_id="c", change=fate) for fate in get_args(CredentialFate.__value__)),
    AccessEditAccepted(edit_id="e", what="edit_user", subject_id="u", by="k"),
    AccessEditEnded(edit_id="e", what="edit_user", subject_id="u", error_code="x", message="No."),
]


def test_an_event_is_read_back_from_the_journal_as_what_it_was() -> None:
    assert {type(event) for event in EVENTS} == set(get_args(AccessEvent.__value__))
    for event in EVENTS:
        assert msgspec.json.decode(msgspec.json.encode(event), type=Event) == event


def test_no_event_of_a_person_has_a_place_for_their_name() -> None:
    for kind in (AcsUserChanged, CredentialChanged, AccessEditAccepted, AccessEditEnded):
        assert not {"name", "full_name", "phone_number", "user", "card"} & {
            one.name for one in msgspec.structs.fields(kind)
        }


def test_a_fate_or_condition_that_nobody_knows_is_refused() -> None:
    for body in (
        b'{"type":"credential.changed","credential_id":"c","change":"eaten"}',
        b'{"type":"entrance.changed","condition":"haunted","is_on":true}',
    ):
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(body, type=Event)
