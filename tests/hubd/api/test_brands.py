import json
from pathlib import Path

import pytest

from hubd.api import brands
from hubd.api.brands import maker_of, provider_of
from hubd.model.device import DeviceDescription

SCHEMAS = json.loads((Path(__file__).parents[2] / "fixtures/seam/openapi.json").read_text("utf-8"))["components"][
    "schemas"
]


def description(device_type: str, manufacturer: str | None) -> DeviceDescription:
    return DeviceDescription("1", "lock", device_type, "Front door", manufacturer)


@pytest.mark.parametrize(
    ("device_type", "manufacturer", "expected"),
    [
        ("yale_lock", "Yale", ("yale", "Yale")),
        ("honeywell_resideo_thermostat", "Honeywell", ("honeywell_resideo", "Honeywell")),
        ("two_n_intercom", "2N", ("two_n", "2N")),
        ("zwave_lock", "ID Lock AS", ("id_lock_as", "ID Lock AS")),
        ("zwave_lock", "Ü", ("unknown", "Ü")),
        ("zwave_lock", None, None),
        ("zwave_lock", "", None),
    ],
)
def test_makers(device_type: str, manufacturer: str | None, expected: tuple[str, str] | None) -> None:
    assert maker_of(description(device_type, manufacturer)) == expected


def test_only_a_listed_brand_has_a_provider() -> None:
    assert provider_of("two_n_intercom") == "my_2n"
    assert provider_of("zwave_lock") is None


def test_types_and_providers_are_seams() -> None:
    types = {name for one in SCHEMAS["device"]["properties"]["device_type"]["oneOf"] for name in one["enum"]}
    providers = set(SCHEMAS["device_provider"]["properties"]["device_provider_name"]["enum"])
    assert brands.PROVIDERS.keys() <= types
    assert set(brands.PROVIDERS.values()) <= providers
