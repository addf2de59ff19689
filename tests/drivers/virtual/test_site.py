import pytest
from hubd_drivers.virtual.keypad import StoredCode
from hubd_drivers.virtual.site import VirtualDevice, build
from hypothesis import given
from hypothesis import strategies as st

from hubd.driver.contract import check_description
from hubd.model import (
    BatterySeen,
    ClimateSeen,
    DenialSeen,
    DoorSeen,
    KeypadCapability,
    LockSeen,
    ReachabilitySeen,
    TimeFrame,
)
from tests.support.clock import NOON

KEYPAD = KeypadCapability(slots=30)


def a_lock(keypad: KeypadCapability | None = KEYPAD) -> VirtualDevice:
    return build(1, 0, keypad)["lock-1"]


@given(st.integers(0, 60), st.integers(0, 60))
def test_a_site_has_what_was_asked_for_each_with_its_own_room(locks: int, thermostats: int) -> None:
    devices = build(locks, thermostats, KEYPAD)
    kinds = [device.description.kind for device in devices.values()]
    assert (kinds.count("lock"), kinds.count("thermostat")) == (locks, thermostats)
    assert len({device.description.name for device in devices.values()}) == locks + thermostats
    for native_id, device in devices.items():
        assert native_id == device.native_id
        check_description(device.description)
        assert device.description.capabilities.simulated


def test_rooms_are_numbered_by_floor() -> None:
    devices = build(21, 1, KEYPAD)
    names = [devices[f"lock-{number}"].description.name for number in (1, 2, 20, 21)]
    assert names == ["Room 101", "Room 102", "Room 120", "Room 201"]
    assert devices["thermostat-1"].description.name == "Climate 101"


def test_a_condition_is_read_whole() -> None:
    lock = a_lock()
    lock.locked, lock.door_open = False, True
    reachable, bolt, door, battery = lock.readings()
    assert reachable == ReachabilitySeen(native_id="lock-1", online=True)
    assert bolt == LockSeen(native_id="lock-1", locked=False)
    assert door == DoorSeen(native_id="lock-1", open=True)
    assert battery == BatterySeen(native_id="lock-1", level=0.9)
    online, climate = build(0, 1, KEYPAD)["thermostat-1"].readings()
    assert isinstance(online, ReachabilitySeen)
    assert isinstance(climate, ClimateSeen)
    assert climate.climate.hvac_mode == "heat"


def test_a_thermostat_that_does_not_answer_tells_no_settings() -> None:
    device = build(0, 1, None)["thermostat-1"]
    device.connect(connected=False)
    (gone,) = device.readings()
    assert isinstance(gone, ReachabilitySeen)
    assert not gone.online


def test_thermostats_are_of_their_own_each() -> None:
    first, second = build(0, 2, None, "fahrenheit", are_sleepy=True).values()
    assert first.thermostat is not None
    assert second.thermostat is not None
    assert first.description.capabilities.thermostat == first.thermostat.capability
    assert (second.thermostat.capability.scale, second.thermostat.is_sleepy) == ("fahrenheit", True)
    first.thermostat.warm(17.0)
    assert second.thermostat.climate.temperature_celsius == 21.5


@pytest.mark.parametrize("locked", [True, False])
def test_an_order_moves_the_bolt_and_is_counted(*, locked: bool) -> None:
    lock = a_lock()
    assert lock.turn(locked=locked) == LockSeen(native_id="lock-1", locked=locked, method="remote")
    assert (lock.locked, lock.orders) == (locked, 1)


def test_people_are_not_counted_as_orders() -> None:
    lock = a_lock()
    lock.locked = False
    assert lock.lock_by_keypad() == LockSeen(native_id="lock-1", locked=True, method="manual")
    denied = lock.enter_code("4711", NOON)
    assert isinstance(denied, DenialSeen)
    assert (denied.reason, lock.locked, lock.orders) == ("unknown_code", True, 0)


def test_a_code_that_the_lock_holds_opens_it_whatever_its_bolt_did() -> None:
    lock = a_lock()
    assert lock.keypad is not None
    lock.keypad.put(4, StoredCode("4711"))
    lock.jam()
    assert lock.enter_code("4711", NOON) == LockSeen(native_id="lock-1", locked=False, method="keycode", user_slot=4)
    assert (lock.locked, lock.jammed) == (False, False)


def test_a_code_out_of_its_time_is_known_and_does_not_open() -> None:
    lock = a_lock()
    assert lock.keypad is not None
    lock.keypad.put(4, StoredCode("47110815", TimeFrame(NOON.replace(hour=13), NOON.replace(hour=14))))
    denied = lock.enter_code("47110815", NOON)
    assert isinstance(denied, DenialSeen)
    assert (denied.reason, lock.locked) == ("expired_code", True)
    assert "slot 4" in denied.message
    assert "47110815" not in repr(denied) + repr(lock)


def test_locks_are_of_their_own_each() -> None:
    first, second = build(2, 0, KEYPAD).values()
    assert first.keypad is not None
    assert second.keypad is not None
    first.keypad.put(1, StoredCode("4711"))
    assert second.keypad.codes == {}
    bare = a_lock(None)
    assert (bare.keypad, bare.description.capabilities.keypad) == (None, None)
    assert isinstance(bare.enter_code("4711", NOON), DenialSeen)


def test_off_and_on_its_network() -> None:
    lock = a_lock()
    gone = lock.connect(connected=False)
    assert (gone.online, gone.reason) == (False, "The simulated device was taken off its network.")
    assert lock.readings()[0] == gone
    back = lock.connect(connected=True)
    assert (back.online, back.reason) == (True, None)
    assert lock.readings()[0] == back
