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


def timed(version: int = 3, maker: int = 0xFFFF, **more: int) -> Any:
    classes = {98: 4, 99: 1, 78: version, 139: 1} | {int(name[1:]): number for name, number in more.items()}
    return lock_node(2, 0, classes={cc: at for cc, at in classes.items() if at}, manufacturerId=maker)


@pytest.mark.parametrize(
    ("facts", "slots", "expected"),
    [
        (timed(), {"value": 1}, (True, True)),
        (timed(), {"value": 0}, (False, False)),
        (timed(), {}, (False, False)),
        (timed(), REFUSED, (False, False)),
        (timed(version=1), {"value": 4}, (True, False)),
        (timed(c139=0), {"value": 1}, (True, False)),
        (timed(maker=0x90), {"value": 1}, (True, False)),
        (timed(version=0), {"value": 1}, (False, False)),
    ],
    ids=["", "no slots", "not interviewed", "refused", "no zone", "no clock", "Kwikset", "no schedules"],
)
async def test_a_lock_whose_codes_may_have_schedules(facts: Any, slots: Any, expected: tuple[bool, bool]) -> None:
    link = FakeLink(get_credential_capabilities_cached=pins(), get_value=slots)
    found = await find_keypad(link, facts)
    assert found is not None
    assert (found.has_year_days, found.can_schedule) == expected
    assert not found.capability.has_schedules, "not before its clock is known to be right"
    assert found.timed(is_right=True).capability.has_schedules is found.can_schedule
    assert not found.timed(is_right=True).timed(is_right=False).capability.has_schedules
    assert found.timed(is_right=True).masked().capability.has_schedules is found.can_schedule


async def test_credentials_of_users_have_none_that_zwave_js_could_set() -> None:
    link = FakeLink(get_credential_capabilities_cached=pins(), get_user_capabilities_cached=users(20))
    found = await find_keypad(link, lock_node(2, 0, classes={98: 4, 131: 1, 78: 3, 139: 1}))
    assert found is not None
    assert (found.has_credentials, found.has_year_days, found.can_schedule) == (True, False, False)
