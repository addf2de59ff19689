import json
from pathlib import Path

import pytest
from hubd_drivers.zwave import brands
from hubd_drivers.zwave.brands import device_type

from hubd.model import Kind

TESTS = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("kind", "manufacturer", "expected"),
    [
        ("lock", "Allegion", "schlage_lock"),
        ("lock", "Schlage", "schlage_lock"),
        ("lock", "ASSA ABLOY", "yale_lock"),
        ("lock", "Yale", "yale_lock"),
        ("lock", "Fortune Brands", "yale_lock"),
        ("lock", "Kwikset", "kwikset_lock"),
        ("lock", "August Home", "august_lock"),
        ("lock", "Linear (Nortek Security Control LLC)", "linear_lock"),
        ("lock", "Poly-control", "zwave_lock"),
        ("lock", "Royaleco", "zwave_lock"),
        ("lock", None, "zwave_lock"),
        ("thermostat", "Honeywell", "honeywell_resideo_thermostat"),
        ("thermostat", "Resideo", "honeywell_resideo_thermostat"),
        ("thermostat", "Radio Thermostat Company of America (RTC)", "zwave_thermostat"),
        ("other", "Schlage", "zwave_device"),
    ],
)
def test_brands(kind: Kind, manufacturer: str | None, expected: str) -> None:
    assert device_type(kind, manufacturer) == expected


def test_every_brand_is_in_seam_s_list() -> None:
    schema = json.loads((TESTS / "fixtures" / "seam" / "openapi.json").read_text("utf-8"))
    kinds = schema["components"]["schemas"]["device"]["properties"]["device_type"]["oneOf"]
    listed = {name for kind in kinds for name in kind["enum"]}
    ours = {device_type(kind, maker) for kind, makers in brands.BRANDS.items() for maker in makers}
    assert ours <= listed
