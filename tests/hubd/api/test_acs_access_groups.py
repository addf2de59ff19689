from pathlib import Path
from typing import Any

import pytest

from hubd.model import DeleteGroup, rejected
from tests.hubd.api.access import Acs, running_acs
from tests.support import access

NOBODY = "33333333-3333-4333-8333-333333333333"


async def names(acs: Acs, **filters: Any) -> list[str]:
    return sorted(one["name"] for one in (await acs.api.ok("/acs/access_groups/list", filters))["acs_access_groups"])


def named(acs: Acs, native_id: str, **members: Any) -> dict[str, Any]:
    return {"acs_access_group_id": acs.group_id(native_id), **members}


async def test_a_group_as_seam_shows_it(acs: Acs) -> None:
    found = await acs.group("group-staff")
    assert found["external_type"] == found["access_group_type"] == "salto_space_group"
    assert (found["name"], found["display_name"]) == ("Staff", "Staff")
    assert found["acs_system_id"] == acs.system_id
    assert (found["errors"], found["warnings"], found["pending_mutations"]) == ([], [], [])


async def test_list_and_filters(acs: Acs) -> None:
    assert await names(acs) == ["Guests", "Staff"]
    assert await names(acs, search="all day") == ["Staff"]
    assert await names(acs, acs_user_id=acs.user_id("user-bob")) == ["Guests"]
    assert await names(acs, acs_system_id=acs.system_id) == ["Guests", "Staff"]
    assert await names(acs, acs_system_id=NOBODY) == []
    assert await names(acs, user_identity_id=NOBODY) == []
    error = await acs.api.refused("/acs/access_groups/list", {"acs_user_id": NOBODY})
    assert error["type"] == "acs_user_not_found"


async def test_members_and_doors(acs: Acs) -> None:
    users = (await acs.api.ok("/acs/access_groups/list_users", named(acs, "group-staff")))["acs_users"]
    assert [one["full_name"] for one in users] == ["Ada Example"]
    body = named(acs, "group-guests")
    doors = (await acs.api.ok("/acs/access_groups/list_accessible_entrances", body))["acs_entrances"]
    assert [one["display_name"] for one in doors] == ["Pool"]


async def test_adding_and_removing_twice_is_once(acs: Acs) -> None:
    body = named(acs, "group-staff", acs_user_id=acs.user_id("user-bob"))
    for method in ("PUT", "POST"):
        await acs.api.ok("/acs/access_groups/add_user", body, method=method)
    assert acs.groups("user-bob") == ("group-guests", "group-staff")
    assert len(acs.system.changes) == 1
    for _ in range(2):
        await acs.api.ok("/acs/access_groups/remove_user", query=body, method="DELETE")
    assert acs.groups("user-bob") == ("group-guests",)
    assert acs.groups("user-ada") == ("group-staff",)
    assert len(acs.system.changes) == 2


async def test_what_is_refused(acs: Acs) -> None:
    path, bob = "/acs/access_groups/add_user", acs.user_id("user-bob")
    await acs.api.wrong("acs_user_id", path, named(acs, "group-staff"))
    for body, kind in (
        (named(acs, "group-staff", acs_user_id=NOBODY), "acs_user_not_found"),
        ({"acs_access_group_id": NOBODY, "acs_user_id": bob}, "acs_access_group_not_found"),
        (named(acs, "group-staff", acs_user_id=bob, user_identity_id=NOBODY), "not_supported"),
    ):
        assert (await acs.api.refused(path, body))["type"] == kind
    assert acs.system.changes == []


@pytest.mark.parametrize("path", ["get", "list_users", "list_accessible_entrances", "delete"])
async def test_what_is_not_there(acs: Acs, path: str) -> None:
    error = await acs.api.refused(f"/acs/access_groups/{path}", {"acs_access_group_id": NOBODY})
    assert (error["status"], error["type"]) == (404, "acs_access_group_not_found")


async def test_delete(acs: Acs) -> None:
    await acs.api.ok("/acs/access_groups/delete", query=named(acs, "group-guests"), method="DELETE")
    assert "group-guests" not in acs.system.groups
    assert await names(acs) == ["Staff"]
    error = await acs.api.refused("/acs/access_groups/delete", named(acs, "group-guests"))
    assert error["status"] == 404
    (event,) = await acs.events(acs_access_group_id=acs.group_id("group-guests"))
    assert event["event_type"] == "acs_access_group.deleted"


async def test_a_deletion_that_is_refused(acs: Acs) -> None:
    acs.system.refusals[DeleteGroup] = rejected("group_in_use", "The access level has users; remove them first.")
    error = await acs.api.refused("/acs/access_groups/delete", named(acs, "group-guests"))
    assert (error["status"], error["type"]) == (400, "group_in_use")
    assert (await acs.group("group-guests"))["warnings"] == []


async def test_a_deletion_that_takes_longer(tmp_path: Path) -> None:
    async with running_acs(tmp_path / "data", hold_seconds=0.05) as acs:
        acs.system.refusals[DeleteGroup] = access.busy()
        for _ in range(2):
            await acs.api.ok("/acs/access_groups/delete", named(acs, "group-guests"))
        found = await acs.group("group-guests")
        assert [one["mutation_code"] for one in found["pending_mutations"]] == ["deleting"]
        assert [one["warning_code"] for one in found["warnings"]] == ["being_deleted"]
