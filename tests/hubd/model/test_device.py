import msgspec
import pytest

from hubd.model.device import ACCESS_KINDS, KINDS, Device, DeviceDescription, Kind


@pytest.mark.parametrize("kind", KINDS)
def test_only_doors_and_encoders_are_parts_of_an_access_control_system(kind: Kind) -> None:
    description = DeviceDescription("n", kind, f"acme_{kind}", "Name")
    assert description.is_access is (kind in {"entrance", "encoder"})
    assert {"entrance", "encoder"} == ACCESS_KINDS


def test_a_device_is_read_back_as_what_it_was_and_a_kind_that_nobody_knows_is_refused() -> None:
    device = Device("d", "front", DeviceDescription("n", "entrance", "salto_space_door", "Main", "Salto"))
    assert msgspec.json.decode(msgspec.json.encode(device), type=Device) == device
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'["n","drawbridge","x","Main"]', type=DeviceDescription)
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(
            b'{"native_id":"n","kind":"drawbridge","device_type":"x","name":"Main"}', type=DeviceDescription
        )
