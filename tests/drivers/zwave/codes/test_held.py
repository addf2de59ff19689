from typing import Any

import pytest
from hubd_drivers.zwave.codes.held import (
    EMPTY,
    Held,
    of_credential,
    of_credentials,
    of_user_code,
    of_values,
    pin_of,
)
from hypothesis import given

from tests.drivers.zwave.fakes import value
from tests.drivers.zwave.strategies import JSON


@pytest.mark.parametrize(
    ("code", "pin"),
    [
        ("4711", "4711"),
        ("4711\0\0", "4711"),
        ("12AB", "12AB"),
        ({"type": "Buffer", "data": [52, 55, 49, 49]}, "4711"),
        ({"type": "Buffer", "data": [52, 55, 49, 49, 0, 0, 255]}, "4711"),
        ("****", None),
        ("**11", None),
        ("", None),
        (None, None),
        (4711, None),
        ({"type": "Buffer", "data": [1, 2, 200, "x"]}, None),
        ({"type": "Buffer", "data": []}, None),
        ("4" * 65, None),
    ],
)
def test_what_is_typed_at_the_keypad(code: Any, pin: str | None) -> None:
    assert pin_of(code) == pin


@pytest.mark.parametrize(
    ("status", "code", "held"),
    [
        (0, "", EMPTY),
        (0, "4711", EMPTY),
        (1, "4711", Held(is_used=True, pin="4711")),
        (1, "****", Held(is_used=True)),
        (2, "4711", Held(is_used=True, pin="4711", is_enabled=False)),
        (3, "4711", Held(is_used=True, pin="4711", is_enabled=False)),
        (4, "4711", Held(is_used=True, pin="4711")),
        (254, None, None),
        (None, None, None),
        ("1", "4711", None),
    ],
)
def test_user_codes(status: Any, code: Any, held: Held | None) -> None:
    assert of_user_code(status, code) == held


@pytest.mark.parametrize(
    ("credential", "held"),
    [
        ({"userId": 3, "type": 1, "slot": 3, "data": "4711"}, Held(is_used=True, pin="4711", owner=3)),
        ({"userId": 3, "type": 1, "slot": 3}, Held(is_used=True, owner=3)),
        ({"userId": 0, "type": 1, "slot": 3, "data": ""}, EMPTY),
        ({"userId": 3, "type": 1, "slot": 3, "data": ""}, EMPTY),
        ({}, EMPTY),
        (None, EMPTY),
    ],
)
def test_credentials(credential: Any, held: Held) -> None:
    assert of_credential(credential) == held


def test_a_held_pin_is_in_no_repr() -> None:
    held = Held(is_used=True, pin="47110815")
    assert "47110815" not in f"{held} {held!r} {[held]}"
    assert held.is_masked is False
    assert Held(is_used=True).is_masked
    assert not EMPTY.is_masked


def test_a_dump_gives_the_slots_of_which_something_is_known() -> None:
    values = [
        value(99, "userIdStatus", 1, key=1),
        value(99, "userCode", "4711", key=1),
        value(99, "userIdStatus", 0, key=2),
        value(99, "userCode", "", key=2),
        value(99, "userIdStatus", None, key=3),
        value(99, "userCode", "0815", key=4),
        value(99, "adminCode", "9999"),
        value(98, "userIdStatus", 1, key=5),
        {**value(99, "userIdStatus", 1, key=6), "endpoint": 1},
    ]
    assert of_values(values) == {1: Held(is_used=True, pin="4711"), 2: EMPTY}


def test_a_list_of_credentials_gives_those_of_one_kind() -> None:
    listed = [
        {"userId": 1, "type": 1, "slot": 1, "data": "4711"},
        {"userId": 2, "type": 1, "slot": 2, "data": "0815"},
        {"userId": 0, "type": 1, "slot": 3, "data": ""},
        {"userId": 2, "type": 3, "slot": 4, "data": "card"},
    ]
    assert of_credentials(listed, 1, {2: True}) == {
        1: Held(is_used=True, pin="4711", owner=1),
        2: Held(is_used=True, pin="0815", is_enabled=False, owner=2),
        3: EMPTY,
    }


@given(JSON)
def test_nothing_is_too_odd(data: Any) -> None:
    pin_of(data)
    of_credential(data)
    of_user_code(data, data)
    of_values([data])
    of_credentials([data], 1, {})
