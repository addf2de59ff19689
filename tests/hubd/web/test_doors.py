from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from hubd.model import Capabilities, DeviceState, LockCapability
from hubd.model.capability import EncoderCapability, EntranceCapability, EntranceType
from hubd.model.state import EntranceCondition, Mark
from hubd.web import doors

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)


def capabilities(*, can_unlock: bool = True, **entrance: object) -> Capabilities:
    return Capabilities(
        lock=LockCapability(can_lock=False, can_unlock=can_unlock),
        entrance=EntranceCapability(**entrance),  # type: ignore[arg-type]
    )


def test_what_a_door_is_in_stands_worst_first_with_its_own_times() -> None:
    state = DeviceState(
        online=True,
        conditions={
            "office_mode": Mark(is_on=True, since=NOON),
            "low_battery": Mark(is_on=False, since=NOON),
            "intrusion": Mark(is_on=True, since=LATER),
        },
    )
    assert [(one.condition, one.words.tone, one.since) for one in doors.in_force(state)] == [
        ("intrusion", "bad", LATER),
        ("office_mode", "warn", NOON),
    ]
    assert doors.known(state) == [
        ("Opened by force", "yes", LATER),
        ("Low battery", "no", NOON),
        ("Office mode", "yes: anybody may pass", NOON),
    ]


def test_a_trouble_leads_back_to_its_condition() -> None:
    assert doors.label_of(doors.CONDITIONS["left_open"].trouble) == "Left open"
    assert (doors.label_of("the battery is low (20 %)."), doors.label_of("")) == ("", "")


def test_a_door_that_told_nothing_is_in_nothing() -> None:
    assert (doors.in_force(DeviceState()), doors.known(DeviceState())) == ([], [])


def test_every_condition_has_words_of_its_own_and_what_people_wish_is_no_trouble() -> None:
    assert set(doors.CONDITIONS) == set(get_args(EntranceCondition.__value__))
    assert len({words.label for words in doors.CONDITIONS.values()}) == len(doors.CONDITIONS)
    wished = {condition for condition, words in doors.CONDITIONS.items() if not words.trouble}
    assert wished == {"office_mode", "privacy_mode"}


@pytest.mark.parametrize("kind", get_args(EntranceType.__value__))
def test_types(kind: EntranceType) -> None:
    assert doors.type_words(capabilities(type=kind)) == kind.capitalize()


def test_what_is_no_door() -> None:
    lock = Capabilities(lock=LockCapability())
    assert (doors.type_words(lock), doors.is_standalone(lock), doors.cannot(lock), doors.abilities(lock)) == (
        "",
        False,
        "",
        [],
    )


def test_what_cannot_be_done_and_why() -> None:
    assert doors.cannot(capabilities()) == ""
    assert doors.cannot(capabilities(can_unlock=False, is_standalone=True)).startswith("It is neither wired nor")
    assert doors.cannot(capabilities(can_unlock=False)) == (
        "The access control system does not let it be opened from here."
    )


def test_abilities() -> None:
    found = dict(doors.abilities(capabilities(description="Second\u202e floor", audits_on_keys=True, type="room")))
    assert found == {
        "Type": "Room",
        "Description": "Second floor",
        "Opening": "opens on order; it locks itself again",
        "Openings": "kept on the keys too",
    }
    standalone = dict(doors.abilities(capabilities(can_unlock=False, is_standalone=True)))
    assert standalone["Opening"] == "not on order: it is not wired"
    assert dict(doors.abilities(capabilities(can_unlock=False)))["Opening"].startswith("not on order: the system")
    assert "Description" not in standalone
    assert doors.abilities(Capabilities(encoder=EncoderCapability())) == [("Encoder", "writes cards, one at a time")]
