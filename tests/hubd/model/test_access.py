"""What an access control system holds, as it stands in the store and on the wire to drivers."""

from datetime import datetime
from typing import get_args

import msgspec
import pytest
from msgspec import UNSET

from hubd.model.access import (
    AccessChange,
    AcsGone,
    AcsGroup,
    AcsUser,
    AcsZone,
    AuditEntry,
    Card,
    CreateUser,
    DeleteGroup,
    DeleteUser,
    EditUser,
    Noted,
    Permission,
    PermitEntrance,
    RevokeAll,
    SetMembership,
)
from tests.support.clock import NOON

ANNA = AcsUser(
    "anna",
    "Anna Berger",
    phone_number="+49 171 5550199",
    starts_at=NOON,
    groups=("staff",),
    entrances=(Permission("main", NOON, NOON),),
    zones=(Permission("floor"),),
    card=Card(number="04A1B2", ends_at=NOON, state="current"),
)
NOTED: list[Noted] = [
    ANNA,
    AcsUser("ben", "Ben"),
    AcsGroup("staff", "Staff", entrances=(Permission("main"),)),
    AcsZone("floor", "Floor", entrances=("r1", "r2")),
    *(AcsGone(kind, "x") for kind in ("user", "group", "zone")),
    AuditEntry(event_id="7", at=NOON, operation=17, name="Door opened: key", condition=("left_open", True)),
    AuditEntry(event_id="8", at=NOON, operation=999, name="?", entrance="main", passage="refused", user="anna"),
]
CHANGES: list[AccessChange] = [
    CreateUser(subject="anna", user=ANNA),
    EditUser(subject="anna", full_name="A", ends_at=None),
    DeleteUser(subject="anna"),
    SetMembership(subject="anna", group="staff", is_member=False),
    PermitEntrance(subject="anna", entrance="main"),
    RevokeAll(subject="anna"),
    DeleteGroup(subject="staff"),
]


def test_what_is_noted_is_read_back_as_what_it_was() -> None:
    assert {type(one) for one in NOTED} == set(get_args(Noted.__value__))
    for one in NOTED:
        assert msgspec.json.decode(msgspec.json.encode(one), type=Noted) == one


def test_a_change_is_read_back_as_what_it_was_and_leaves_alone_what_it_does_not_name() -> None:
    assert {type(one) for one in CHANGES} == set(get_args(AccessChange.__value__))
    for one in CHANGES:
        assert msgspec.json.decode(msgspec.json.encode(one), type=AccessChange) == one
    edit = msgspec.json.decode(msgspec.json.encode(CHANGES[1]), type=AccessChange)
    assert isinstance(edit, EditUser)
    assert (edit.full_name, edit.ends_at, edit.phone_number, edit.is_suspended) == ("A", None, UNSET, UNSET)


def test_people_and_their_keys_are_in_no_repr() -> None:
    shown = " ".join(map(repr, (ANNA, ANNA.card, *CHANGES)))
    for secret in ("Berger", "5550199", "04A1B2"):
        assert secret not in shown
    assert "'anna'" in repr(ANNA)
    assert repr(ANNA.card) == "Card(state='current')"


@pytest.mark.parametrize(
    "body",
    [
        b'{"type":"audit","event_id":"7","at":"2026-03-01T12:00:00","operation":1,"name":"x"}',
        b'{"type":"user","native_id":"a","full_name":"A","card":{"state":"melted"}}',
        b'{"type":"gone","kind":"door","native_id":"a"}',
        b'{"type":"audit","event_id":"7","at":"2026-03-01T12:00:00Z","operation":1,"name":"x","passage":"maybe"}',
    ],
)
def test_a_time_without_a_zone_and_a_word_that_is_in_no_list_are_refused(body: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(body, type=Noted)


def test_times_keep_their_instant() -> None:
    again = msgspec.json.decode(msgspec.json.encode(ANNA), type=AcsUser)
    assert isinstance(again.starts_at, datetime)
    assert again.starts_at == NOON
