import pytest

from tests.hubd.api.access import Acs

PARTS = [
    ("users", "acs_user_id", "acs_users", "acs_user_not_found"),
    ("access_groups", "acs_access_group_id", "acs_access_groups", "acs_access_group_not_found"),
    ("credentials", "acs_credential_id", "acs_credentials", "acs_credential_not_found"),
]


@pytest.mark.parametrize(("path", "name", "key", "code"), PARTS)
async def test_nothing_is_unmanaged(acs: Acs, path: str, name: str, key: str, code: str) -> None:
    assert (await acs.api.ok(f"/acs/{path}/unmanaged/list", {"acs_system_id": acs.system_id}))[key] == []
    managed = (await acs.api.ok(f"/acs/{path}/list"))[key][0][name]
    error = await acs.api.refused(f"/acs/{path}/unmanaged/get", {name: managed})
    assert (error["status"], error["type"]) == (404, code)
    assert "without /unmanaged" in error["message"]
