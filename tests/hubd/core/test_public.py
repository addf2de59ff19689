import pytest

from hubd.core.public import converted, told
from hubd.model.device import ACCESS_KINDS, KINDS, Device, DeviceDescription, Kind

TYPES = ("device.added", "device.removed", "device.connected", "device.disconnected", "device.name_changed")


@pytest.mark.parametrize("kind", ["lock", "thermostat", "other"])
@pytest.mark.parametrize("public", TYPES)
def test_what_is_told_of_devices_is_told_as_it_is(kind: Kind, public: str) -> None:
    assert told(kind, public) == public


@pytest.mark.parametrize("kind", sorted(ACCESS_KINDS))
def test_doors_and_encoders_have_types_of_their_own_and_none_for_the_rest(kind: Kind) -> None:
    found = {public: told(kind, public) for public in (*TYPES, "device.converted_to_unmanaged", "device.low_battery")}
    assert {public for public, own in found.items() if own is None} == {
        "device.name_changed",
        "device.converted_to_unmanaged",
        "device.low_battery",
    }
    assert found["device.added"] == f"acs_{kind}.added"
    assert found["device.disconnected"] == f"acs_{kind}.disconnected"


def test_every_kind_is_one_or_the_other() -> None:
    assert {kind for kind in KINDS if told(kind, "device.added") != "device.added"} == ACCESS_KINDS  # type: ignore[arg-type]


def test_a_door_that_the_config_has_managed_or_no_more_comes_and_goes() -> None:
    door = Device("id", "space", DeviceDescription("n", "entrance", "a_door", "Door"))
    assert converted(door, is_managed=True) == "acs_entrance.added"
    assert converted(door, is_managed=False) == "acs_entrance.removed"
    plain = Device("id", "site", DeviceDescription("n", "lock", "a_lock", "Lock"))
    assert converted(plain, is_managed=False) == "device.converted_to_unmanaged"
    assert converted(plain, is_managed=True) is None
