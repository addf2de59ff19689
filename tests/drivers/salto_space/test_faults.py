"""Refusals of Space: each public number has a name, a kind and a remedy; others stay numbers."""

import re

import pytest
from hubd_drivers.salto_space.faults import MEANINGS, NO_CODE, Fault, FaultKind, clean

PUBLIC = [1, 4, 5, 6, 7, 10, 11, 12, 13, 14, *range(100, 103), *range(200, 207), *range(300, 307), *range(400, 408)]


def test_every_public_number_is_in_the_table() -> None:
    assert sorted(MEANINGS) == [*PUBLIC, 500, 501, 502, 503, 600, 601]


def test_names_are_stable_words_and_each_its_own() -> None:
    names = [meaning.name for meaning in MEANINGS.values()]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", name) for name in names)


@pytest.mark.parametrize("code", sorted(MEANINGS))
def test_each_says_what_is_wrong_and_what_to_do(code: int) -> None:
    meaning = MEANINGS[code]
    assert meaning.sentence.endswith(".")
    assert meaning.remedy.endswith(".")
    assert "unknown error" not in f"{meaning.sentence} {meaning.remedy}".lower()


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (1, FaultKind.TEMPORARY),
        (10, FaultKind.CONFLICT),
        (11, FaultKind.NOT_FOUND),
        (13, FaultKind.LICENCE),
        (14, FaultKind.LICENCE),
        (101, FaultKind.LOCKED),
        (201, FaultKind.LOCKED),
        (202, FaultKind.CONFLICT),
        (305, FaultKind.CONFLICT),
        (400, FaultKind.ENCODER_UNKNOWN),
        (402, FaultKind.ENCODER_BUSY),
        (403, FaultKind.ENCODER_NO_CARD),
        (500, FaultKind.OURS),
        (501, FaultKind.OURS),
        (502, FaultKind.UNSUPPORTED),
        (503, FaultKind.OURS),
    ],
)
def test_kinds_by_which_the_driver_goes_on(code: int, kind: FaultKind) -> None:
    assert Fault(code, "GetInfo").kind is kind


def test_a_fault_tells_request_meaning_number_and_words_of_the_server() -> None:
    fault = Fault(201, "SaltoDBUser.Update", " The user is\r\nbeing edited ")
    assert (fault.code, fault.name, fault.request) == (201, "user_locked", "SaltoDBUser.Update")
    assert fault.message == "The user is being edited"
    assert str(fault) == (
        "SaltoDBUser.Update: The user's record is being edited by somebody else. "
        "(Space error 201: The user is being edited)"
    )


def test_a_number_that_is_not_known_is_kept() -> None:
    fault = Fault(4242, "GetInfo", "Strange")
    assert (fault.code, fault.name, fault.kind) == (4242, "space_error_4242", FaultKind.PERMANENT)
    assert "4242" in fault.sentence
    assert "Strange" in str(fault)


def test_a_refusal_without_number_says_so() -> None:
    fault = Fault(NO_CODE, "GetInfo")
    assert "no number" in fault.sentence
    assert str(fault).endswith("(Space error)")


def test_messages_are_cleaned_and_cut() -> None:
    assert clean("a\x00b\x1b[2J\u2028c\r\n") == "a b [2J c"
    assert len(clean("x " * 5_000_000)) == 200


@pytest.mark.parametrize("message", ["PIN 471199 is taken", "Wiegand 471199", "Wrong code: 471199", "password 471199"])
def test_what_may_be_a_pin_is_not_kept(message: str) -> None:
    assert "471199" not in clean(message)
    assert "4711" not in str(Fault(7, "SaltoDBDoor.Update", message))


def test_of_a_users_record_no_number_is_kept() -> None:
    assert "4711" not in str(Fault(7, "SaltoDBUser.Update", "4711 is not allowed"))
    assert "1204" in str(Fault(100, "OnlineDoor.Open", "Room 1204 does not exist"))
