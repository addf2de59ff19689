from typing import Any

import pytest
from hubd_drivers.zwave.codes.keypads import Keypad, find_keypad
from hubd_drivers.zwave.failures import CommandError, Kind

from hubd.model import KeypadCapability
from tests.drivers.zwave.fakes import FakeLink, lock_node

REFUSED = CommandError(Kind.UNSUPPORTED, "not_supported", "No.")


def pins(key: str = "1", slots: int = 30) -> dict[str, Any]:
    told = {"numberOfCredentialSlots": slots, "minCredentialLength": 4, "maxCredentialLength": 10}
    return {"capabilities": {"supportedCredentialTypes": {key: told}}}


def users(most: int, *, alone: bool = True) -> dict[str, Any]:
    return {"capabilities": {"maxUsers": most, "supportsUsersWithoutCredentials": alone}}


def schlage(*classes: int) -> Any:
    return lock_node(
        2, 0, classes=dict.fromkeys((98, *classes), 1), manufacturerId=0x3B, productType=1, productId=0x469
    )


async def test_a_lock_without_codes_is_not_asked_about() -> None:
    link = FakeLink()
    assert await find_keypad(link, lock_node(2, 0)) is None
    assert link.sent == []


@pytest.mark.parametrize("key", ["1", "2"])
async def test_a_lock_that_just_has_codes_of_digits_or_letters(key: str) -> None:
    link = FakeLink(get_credential_capabilities_cached=pins(key))
    found = await find_keypad(link, lock_node(2, 0, classes={98: 4, 99: 2}))
    assert found == Keypad(KeypadCapability(30, 4, 10))


@pytest.mark.parametrize(
    ("classes", "told", "expected"),
    [
        ({131: 1}, users(20), Keypad(KeypadCapability(20, 4, 10), has_credentials=True)),
        ({131: 1}, users(0), Keypad(KeypadCapability(30, 4, 10), has_credentials=True)),
        ({131: 1}, REFUSED, Keypad(KeypadCapability(30, 4, 10), has_credentials=True)),
        ({131: 1, 99: 1}, users(50), Keypad(KeypadCapability(30, 4, 10), has_credentials=True)),
        ({131: 1, 99: 1}, users(30, alone=False), Keypad(KeypadCapability(30, 4, 10))),
        ({131: 1, 99: 1}, REFUSED, Keypad(KeypadCapability(30, 4, 10))),
    ],
)
async def test_which_command_class_manages_the_codes(classes: dict[int, int], told: Any, expected: Keypad) -> None:
    link = FakeLink(get_credential_capabilities_cached=pins(), get_user_capabilities_cached=told)
    assert await find_keypad(link, lock_node(2, 0, classes={98: 4, **classes})) == expected


@pytest.mark.parametrize(
    ("answer", "lengths"),
    [({"value": 6}, (6,)), ({}, (4, 5, 6, 7, 8)), ({"value": "6"}, (4, 5, 6, 7, 8)), (REFUSED, (4, 5, 6, 7, 8))],
)
async def test_the_one_length_that_a_schlage_is_set_to(answer: Any, lengths: tuple[int, ...]) -> None:
    link = FakeLink(get_credential_capabilities_cached=pins(), get_value=answer)
    found = await find_keypad(link, schlage(99, 112))
    assert found is not None
    assert found.capability.code_lengths == lengths
    asked = dict(link.sent)["node.get_value"]
    assert asked["valueId"] == {"commandClass": 112, "endpoint": 0, "property": 16}


async def test_a_schlage_without_parameters_is_not_asked_for_one() -> None:
    link = FakeLink(get_credential_capabilities_cached=pins())
    found = await find_keypad(link, schlage(99))
    assert found is not None
    assert found.capability.code_lengths == (4, 5, 6, 7, 8)


def test_slots_that_the_hub_may_touch() -> None:
    keypad = Keypad(KeypadCapability(10, reserved_slots=(1, 5)))
    assert [slot for slot in range(-1, 13) if keypad.takes(slot)] == [2, 3, 4, 6, 7, 8, 9, 10]
    assert keypad.capability.tells_pins
    assert not keypad.masked().capability.tells_pins
