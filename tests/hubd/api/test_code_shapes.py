"""Every call judges the shapes by the schema; what is left is that they never show a PIN by accident."""

from datetime import UTC, datetime

import msgspec

from hubd.api.code_shapes import AccessCode, ModifiedField, Mutation, UnmanagedCode, Values
from tests.support.seam_schema import validate

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PIN = "77130428"
COMMON = {
    "access_code_id": "0" * 8,
    "device_id": "d",
    "workspace_id": "w",
    "created_at": NOW,
    "name": None,
    "code": PIN,
    "type": "ongoing",
    "starts_at": None,
    "ends_at": None,
    "errors": [],
    "warnings": [],
}


def test_a_repr_has_no_pin() -> None:
    code = msgspec.convert(
        COMMON
        | {"status": "set", "common_code_key": None, "pending_mutations": [], "pulled_backup_access_code_id": None}
        | dict.fromkeys(("is_backup", "is_backup_access_code_available", "is_external_modification_allowed"), False)
        | dict.fromkeys(("is_one_time_use", "is_scheduled_on_device"), False),
        AccessCode,
    )
    found = msgspec.convert(COMMON | {"status": "set"}, UnmanagedCode)
    for shape in (code, found, Values(code=PIN)):
        assert PIN not in repr(shape)
        assert PIN.encode() in msgspec.json.encode(shape)


def test_words_that_python_keeps_for_itself() -> None:
    assert msgspec.to_builtins(ModifiedField(field="code")) == {"field": "code", "from": None, "to": None}
    change = Mutation(
        mutation_code="updating_code", message="x", created_at=NOW, before=Values(code=None), after=Values(code="1")
    )
    found = msgspec.to_builtins(change)
    assert (found["from"], found["to"]) == ({"code": None}, {"code": "1"})
    assert "scheduled_at" not in found
    assert validate("/access_codes/get", 200, {"ok": True})
