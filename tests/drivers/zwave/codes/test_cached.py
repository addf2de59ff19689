from typing import Any

from hubd_drivers.zwave.codes.cached import cached_codes
from hubd_drivers.zwave.codes.keypads import Keypad
from hubd_drivers.zwave.failures import CommandError, Kind

from hubd.driver.contract import RecordingPort
from hubd.model import KeypadCapability
from tests.drivers.zwave.fakes import FakeLink, value


def slot(number: int, status: int, code: object) -> list[dict[str, Any]]:
    return [value(99, "userIdStatus", status, key=number), value(99, "userCode", code, key=number)]


async def test_each_slot_that_was_ever_read() -> None:
    values = [*slot(1, 1, "4711"), *slot(2, 0, ""), *slot(4, 1, "0815"), *slot(9, 1, "1234")]
    link, port = FakeLink(get_state={"state": {"values": values}}), RecordingPort()
    keypad = Keypad(KeypadCapability(5, reserved_slots=(4,)))
    found = await cached_codes(link, port.secrets, 2, "id", keypad)
    assert [(one.slot, one.is_used, one.is_cached) for one in found.seen] == [(1, True, True), (2, False, True)]
    assert found.seen[0].pin_ref is not None
    assert port.reveal(found.seen[0].pin_ref) == "4711"
    assert found.keypad == keypad


async def test_stars_say_that_the_lock_tells_no_pins() -> None:
    values = [*slot(1, 1, "****"), *slot(2, 1, "4711")]
    link, port = FakeLink(get_state={"state": {"values": values}}), RecordingPort()
    found = await cached_codes(link, port.secrets, 2, "id", Keypad(KeypadCapability(5)))
    assert not found.keypad.capability.tells_pins
    assert [(one.slot, one.is_used, one.pin_ref) for one in found.seen] == [(1, True, None), (2, True, None)]


async def test_credentials_are_all_that_there_are() -> None:
    link = FakeLink(
        get_users_cached={"users": [{"userId": 2, "active": True}]},
        get_all_credentials_cached={"credentials": [{"userId": 2, "type": 1, "slot": 2, "data": "4711"}]},
    )
    found = await cached_codes(
        link, RecordingPort().secrets, 3, "id", Keypad(KeypadCapability(3), has_credentials=True)
    )
    assert [(one.slot, one.is_used) for one in found.seen] == [(1, False), (2, True), (3, False)]


async def test_a_server_that_does_not_say() -> None:
    keypad = Keypad(KeypadCapability(3))
    link = FakeLink(get_state=CommandError(Kind.UNSUPPORTED, "not_supported", "No."))
    assert await cached_codes(link, RecordingPort().secrets, 2, "id", keypad) == (keypad, ())
