"""Space's records in the hub's words."""

from datetime import UTC, datetime

import pytest
from hubd_drivers.salto_space import mapping
from hubd_drivers.salto_space.fields import KeyStatus
from hubd_drivers.salto_space.mapping import Name, full_name, split_name
from hubd_drivers.salto_space.messages import DoorKind, SpaceDoor, SpaceGroup, SpaceUser, SpaceZone
from hubd_drivers.salto_space.messages import Permission as SpacePermission
from hypothesis import given
from hypothesis import strategies as st

from hubd.driver.contract import check_description
from hubd.model import AcsUser, Card, Permission

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)
LATER = datetime(2026, 6, 1, 12, tzinfo=UTC)


@given(st.text(), st.one_of(st.none(), st.builds(Name, st.text(), st.text(), st.text())))
def test_a_name_goes_into_three_parts_and_comes_back(full: str, before: Name | None) -> None:
    assert full_name(split_name(full, before)) == " ".join(full.split())


def test_a_title_stays_with_the_name_that_has_it() -> None:
    before = Name("Dr.", "Ana", "García")
    assert split_name("Dr. Ana García López", before) == Name("Dr.", "Ana", "García López")
    assert split_name("Ana García", before) == Name("", "Ana", "García")
    assert split_name("Cher") == Name("", "Cher", "")


def test_a_user() -> None:
    space = SpaceUser(
        id="u1",
        title="Dr.",
        first_name="Ana",
        last_name="García",
        starts_at=AT,
        ends_at=LATER,
        is_banned=True,
        audits_openings=True,
        phone="+34600",
        has_key=True,
        card_serial="04AB",
        key_starts_at=AT,
        key_status=KeyStatus.UPDATE_REQUIRED,
        groups=("b", "a"),
        doors=(SpacePermission(target="d2"), SpacePermission(target="d1", starts_at=AT, ends_at=LATER)),
        zones=(SpacePermission(target="z"),),
    )
    assert mapping.user(space) == AcsUser(
        "u1",
        "Dr. Ana García",
        phone_number="+34600",
        starts_at=AT,
        ends_at=LATER,
        is_suspended=True,
        audits_openings=True,
        groups=("a", "b"),
        entrances=(Permission("d1", AT, LATER), Permission("d2")),
        zones=(Permission("z"),),
        card=Card("04AB", AT, None, "update_required"),
    )
    assert len({hash(mapping.user(space)) for _ in range(3)}) == 1


def test_what_space_does_not_say_of_a_user_is_not_known() -> None:
    bare = mapping.user(SpaceUser(id="u1", starts_at=datetime(2000, 1, 1, tzinfo=UTC)))
    assert bare == AcsUser("u1", "u1"), "2000 stands for ever since, and who has no name is called by the id"
    assert mapping.user(SpaceUser(id="u", has_key=True)).card == Card(None, None, None, "unknown")
    assert mapping.user(SpaceUser(id="u", has_key=False, card_serial="04")).card is None


def test_groups_and_zones() -> None:
    group = mapping.group(SpaceGroup(id="g", name="Guests", description="All", doors=(SpacePermission(target="d"),)))
    assert (group.name, group.description, group.entrances) == ("Guests", "All", (Permission("d"),))
    assert mapping.group(SpaceGroup(id="g")).name == "g"
    zone = mapping.zone(SpaceZone(id="z", name="Pool", doors=("b", "a")))
    assert (zone.name, zone.entrances) == ("Pool", ("a", "b"))


@given(st.one_of(st.text(min_size=1), st.sampled_from(["encoder:a", "door:a", "door:encoder:a", "door:door:"])))
def test_ids_of_doors_and_encoders_never_meet(ext_id: str) -> None:
    native = mapping.door_id(ext_id)
    assert mapping.ext_door_id(native) == ext_id
    assert mapping.encoder_name(native) is None
    assert mapping.encoder_name(mapping.encoder_id(ext_id)) == ext_id


@given(st.lists(st.sampled_from(["a", "door:a", "encoder:a", "door:door:a"]), unique=True))
def test_two_doors_have_two_ids(ext_ids: list[str]) -> None:
    assert len({mapping.door_id(one) for one in ext_ids}) == len(ext_ids)


def test_rights_name_doors_as_the_hub_does() -> None:
    user = mapping.user(SpaceUser(id="u", doors=(SpacePermission(target="encoder:x"),)))
    assert user.entrances == (Permission("door:encoder:x"),)


@pytest.mark.parametrize(
    ("kind", "word"),
    [(DoorKind.DOOR, "door"), (DoorKind.ROOM, "room"), (DoorKind.SUITE, "suite"), (DoorKind.LOCKER, "locker")],
)
def test_a_door(kind: DoorKind, word: str) -> None:
    space = SpaceDoor(id="d", kind=kind, name="Gate", description="Left", battery_percent=50, audits_on_keys=True)
    found = mapping.door(space, is_online=True)
    check_description(found)
    entrance, lock = found.capabilities.entrance, found.capabilities.lock
    assert entrance is not None
    assert lock is not None
    assert (entrance.type, entrance.is_standalone, entrance.description) == (word, False, "Left")
    assert (entrance.audits_on_keys, lock.can_lock, lock.can_unlock) == (True, False, True)
    assert (found.kind, found.name, found.capabilities.battery) == ("entrance", "Gate", True)


def test_a_door_that_cannot_be_opened_from_here() -> None:
    space = SpaceDoor(id="d", kind=DoorKind.DOOR)
    for found in (mapping.door(space, is_online=False), mapping.door(space, is_online=True, is_shared=True)):
        assert found.name == "d"
        assert found.capabilities.lock is not None
        assert not found.capabilities.lock.can_unlock
        assert not found.capabilities.battery


def test_an_encoder() -> None:
    found = mapping.encoder("Encoder#1")
    check_description(found)
    assert (found.native_id, found.kind, found.name) == ("encoder:Encoder#1", "encoder", "Encoder#1")
    assert found.capabilities.encoder is not None
