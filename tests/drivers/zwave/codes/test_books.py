from typing import Any

import pytest
from hubd_drivers.zwave.codes.books import Credentials, UserCodes, Word, open_book
from hubd_drivers.zwave.codes.held import EMPTY, Held
from hubd_drivers.zwave.codes.keypads import Keypad
from hubd_drivers.zwave.failures import CommandError

from hubd.model import KeypadCapability
from tests.drivers.zwave.fakes import Answer, FakeLink, value

PIN = "47110815"
NOBODY: dict[str, Any] = {"credential": {"userId": 0, "type": 1, "slot": 7, "data": ""}}
SOMEBODY: dict[str, Any] = {"credential": {"userId": 4, "type": 1, "slot": 7, "data": "0000"}}
ACTIVE = {"user": {"userId": 7, "active": True}}
ALONE: dict[str, Answer] = {
    "get_user_capabilities_cached": {"capabilities": {"maxUsers": 20}},
    "get_users_cached": {"users": []},
    "get_all_credentials_cached": {"credentials": []},
}
"""Nobody else is known at the lock."""


def sent(link: FakeLink) -> list[str]:
    return [name.rpartition(".")[2] for name, _ in link.sent]


def radio(link: FakeLink) -> list[str]:
    return [name for name in sent(link) if not name.endswith("_cached")]


def test_the_book_is_that_of_the_command_class() -> None:
    assert isinstance(open_book(FakeLink(), 2, Keypad(KeypadCapability(1))), UserCodes)
    assert isinstance(open_book(FakeLink(), 2, Keypad(KeypadCapability(1), has_credentials=True)), Credentials)


@pytest.mark.parametrize(
    ("response", "word"),
    [
        ({"response": {"status": 255}}, Word.STORED),
        ({"response": {"status": 2}}, Word.REFUSED),
        ({"response": {"status": 1}}, Word.NOTHING),
        ({}, Word.NOTHING),
        ({"response": "?"}, Word.NOTHING),
    ],
)
async def test_what_a_lock_says_to_a_user_code(response: Any, word: Word) -> None:
    link = FakeLink(invoke_cc_api=response)
    book = UserCodes(link, 2)
    assert await book.put(7, PIN) is word
    assert await book.empty(7) is word
    (_, put), (_, empty) = link.sent
    assert (put["methodName"], put["args"]) == ("set", [7, 1, PIN])
    assert (empty["methodName"], empty["args"]) == ("clear", [7])


async def test_slot_zero_is_never_cleared_for_it_means_all() -> None:
    link = FakeLink(invoke_cc_api={})
    await UserCodes(link, 2).empty(0)
    assert link.sent[0][1]["args"] == [1]


async def test_silence_is_not_an_empty_slot() -> None:
    assert await UserCodes(FakeLink(invoke_cc_api={}), 2).read(7) is None
    told = {"response": {"userIdStatus": 0, "userCode": ""}}
    assert await UserCodes(FakeLink(invoke_cc_api=told), 2).read(7) == EMPTY
    assert await Credentials(FakeLink(get_credential={}), 3).read(7) is None
    assert await Credentials(FakeLink(get_credential=NOBODY), 3).read(7) == EMPTY


async def test_user_codes_are_known_from_the_nodes_values() -> None:
    state = {"state": {"values": [value(99, "userIdStatus", 1, key=7), value(99, "userCode", PIN, key=7)]}}
    assert await UserCodes(FakeLink(get_state=state), 2).cached() == {7: Held(is_used=True, pin=PIN)}
    assert await UserCodes(FakeLink(get_state={}), 2).cached() == {}


@pytest.mark.parametrize(
    ("result", "word"),
    [
        (0, Word.STORED),
        (3, Word.DUPLICATE),
        (5, Word.DUPLICATE),
        (4, Word.RULES),
        (255, Word.NOTHING),
        (None, Word.NOTHING),
    ],
)
async def test_what_a_lock_says_to_a_credential(result: int | None, word: Word) -> None:
    answers: dict[str, Answer] = {"get_user_cached": ACTIVE, "set_credential": {"result": result}, **ALONE}
    link = FakeLink(get_credential_cached={}, **answers)
    assert await Credentials(link, 3).put(7, PIN) is word
    assert radio(link) == ["set_credential"]
    assert link.sent[-1][1]["userId"] == 7


async def test_a_user_is_made_who_is_missing_and_let_in_who_is_not_active() -> None:
    for known in ({}, {"user": {"userId": 7, "active": False}}):
        answers: dict[str, Answer] = {"set_user": {"result": 0}, "set_credential": {"result": 0}, **ALONE}
        link = FakeLink(get_credential_cached={}, get_user_cached=known, **answers)
        assert await Credentials(link, 3).put(7, PIN) is Word.STORED
        assert radio(link) == ["set_user", "set_credential"]


async def test_a_pin_is_written_over_that_of_its_owner() -> None:
    answers: dict[str, Answer] = {"get_user_cached": ACTIVE, "set_credential": {"result": 0}}
    link = FakeLink(get_credential_cached=SOMEBODY, **answers)
    assert await Credentials(link, 3).put(7, PIN) is Word.STORED
    assert link.sent[-1][1]["userId"] == 4


@pytest.mark.parametrize(
    ("stale", "now", "owner", "made"), [(1, SOMEBODY, 4, []), (2, NOBODY, 7, ["set_user"]), (6, {}, 7, ["set_user"])]
)
async def test_a_lock_that_holds_something_else_than_zwave_js_believed(
    stale: int, now: dict[str, Any], owner: int, made: list[str]
) -> None:
    link = FakeLink(
        get_credential_cached={},
        get_user_cached=ACTIVE,
        set_credential=[{"result": stale}, {"result": 0}],
        get_credential=now,
        set_user={"result": 0},
        **ALONE,
    )
    assert await Credentials(link, 3).put(7, PIN) is Word.STORED
    assert radio(link) == ["set_credential", "get_credential", *made, "set_credential"]
    assert link.sent[-1][1]["userId"] == owner


async def test_a_user_who_is_somebody_gets_no_pin() -> None:
    answers: dict[str, Answer] = {"set_user": [{"result": 1}, {"result": 0}], "set_credential": {"result": 0}, **ALONE}
    link = FakeLink(get_credential_cached={}, get_user_cached={}, **answers)
    assert await Credentials(link, 3).put(7, PIN) is Word.STORED
    assert [told["userId"] for name, told in link.sent if name.endswith((".set_user", ".set_credential"))] == [
        7,
        20,
        20,
    ]
    answers["get_users_cached"] = {"users": [{"userId": number, "userType": 3} for number in range(1, 21)]}
    link = FakeLink(get_credential_cached={}, **answers)
    with pytest.raises(CommandError, match="needs one of its own"):
        await Credentials(link, 3).put(7, PIN)
    assert radio(link) == []


async def test_a_lock_that_goes_on_refusing() -> None:
    answers: dict[str, Answer] = {"get_user_cached": ACTIVE, "set_credential": {"result": 1}, **ALONE}
    link = FakeLink(get_credential_cached={}, get_credential=SOMEBODY, **answers)
    assert await Credentials(link, 3).put(7, PIN) is Word.REFUSED
    assert radio(link).count("set_credential") == 2


async def test_a_credential_is_deleted_by_its_owner() -> None:
    link = FakeLink(get_credential_cached=SOMEBODY, delete_credential={"result": 0})
    assert await Credentials(link, 3).empty(7) is Word.STORED
    assert radio(link) == ["delete_credential"]
    assert link.sent[-1][1]["userId"] == 4
    link = FakeLink(get_credential_cached=SOMEBODY, delete_credential={"result": 255})
    assert await Credentials(link, 3).empty(7) is Word.NOTHING


@pytest.mark.parametrize(
    ("now", "word", "on_the_radio"),
    [
        (NOBODY, Word.STORED, ["get_credential"]),
        ({}, Word.NOTHING, ["get_credential"]),
        (SOMEBODY, Word.STORED, ["get_credential", "delete_credential"]),
    ],
)
async def test_a_slot_that_zwave_js_holds_to_be_empty_is_looked_at(
    now: dict[str, Any], word: Word, on_the_radio: list[str]
) -> None:
    answers: dict[str, Answer] = {"get_user_cached": {}, "delete_credential": {"result": 0}}
    link = FakeLink(get_credential_cached={}, get_credential=now, **answers)
    assert await Credentials(link, 3).empty(7) is word
    assert radio(link) == on_the_radio


async def test_a_code_of_a_user_who_is_not_active_does_not_open() -> None:
    inactive = {"user": {"userId": 4, "active": False}}
    held = await Credentials(FakeLink(get_credential=SOMEBODY, get_user_cached=inactive), 3).read(7)
    assert held == Held(is_used=True, pin="0000", is_enabled=False, owner=4)
    link = FakeLink(
        get_users_cached={"users": [{"userId": 4, "active": False}, {"userId": 5, "active": True}]},
        get_all_credentials_cached={"credentials": [SOMEBODY["credential"]]},
    )
    assert await Credentials(link, 3).cached() == {7: held}
