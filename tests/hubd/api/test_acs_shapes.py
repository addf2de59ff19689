from datetime import UTC, datetime

import msgspec

from hubd.api import acs_shapes
from hubd.api.acs_shapes import AcsMutation
from tests.support.test_api_doc import SCHEMAS

NOW = datetime(2026, 3, 1, tzinfo=UTC)
OWN = {"acs_encoder": {"online", "offline_reason"}}
"""Members of the hub's own."""
NAMES: dict[str, type[msgspec.Struct]] = {
    "acs_system": acs_shapes.AcsSystemShape,
    "acs_entrance": acs_shapes.AcsEntranceShape,
    "acs_user": acs_shapes.AcsUserShape,
    "acs_access_group": acs_shapes.AcsGroupShape,
    "acs_credential": acs_shapes.AcsCredentialShape,
    "acs_encoder": acs_shapes.AcsEncoderShape,
}


def test_members_are_seams_and_none_that_is_required_lacks() -> None:
    for name, shape in NAMES.items():
        fields = {field.encode_name for field in msgspec.structs.fields(shape)}
        assert fields - OWN.get(name, set()) <= SCHEMAS[name]["properties"].keys()
        assert set(SCHEMAS[name]["required"]) <= fields


def test_the_two_sides_of_a_mutation_have_seams_names() -> None:
    told = AcsMutation(mutation_code="x", message="y", created_at=NOW, old={"a": None}, new={"a": 1})
    assert msgspec.to_builtins(told).keys() == {"mutation_code", "message", "created_at", "from", "to"}
    plain = AcsMutation(mutation_code="x", message="y", created_at=NOW)
    assert msgspec.to_builtins(plain).keys() == {"mutation_code", "message", "created_at"}
