import asyncio
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from hubd.model import DeleteUser, EditUser, PermitEntrance, RevokeAll, SetMembership, rejected
from tests.hubd.api.access import Acs, running_acs
from tests.support import access
from tests.support.site import eventually

NOBODY = "33333333-3333-4333-8333-333333333333"
TIMES = {"starts_at": "2026-01-01T10:00:00+01:00", "ends_at": "2027-01-01T10:00:00+01:00"}


async def names(acs: Acs, **filters: Any) -> list[str]:
    return sorted(one["full_name"] for one in (await acs.api.ok("/acs/users/list", filters))["acs_users"])


def named(acs: Acs, native_id: str, **members: Any) -> dict[str, Any]:
    return {"acs_user_id": acs.user_id(native_id), **members}


async def test_list_and_filters(acs: Acs) -> None:
    assert await names(acs) == ["Ada Example", "Bob Example"]
    assert await names(acs, search="ADA") == ["Ada Example"]
    assert await names(acs, search="+43 1") == ["Ada Example"]
    assert await names(acs, acs_system_id=acs.system_id) == ["Ada Example", "Bob Example"]
    assert await names(acs, acs_system_id=NOBODY) == []
    assert await names(acs, created_before="2020-01-01T00:00:00Z") == []
    for identity in ("user_identity_email_address", "user_identity_id", "user_identity_phone_number"):
        assert await names(acs, **{identity: NOBODY}) == []
    first = await acs.api.ok("/acs/users/list", {"limit": 1})
    cursor = first["pagination"]["next_page_cursor"]
    second = await acs.api.ok("/acs/users/list", {"limit": 1, "page_cursor": cursor})
    found = {one["full_name"] for one in (*first["acs_users"], *second["acs_users"])}
    assert found == {"Ada Example", "Bob Example"}
    assert second["pagination"]["has_next_page"] is False


async def test_get_takes_a_system_that_must_fit_and_no_identity(acs: Acs) -> None:
    found = (await acs.api.ok("/acs/users/get", named(acs, "user-ada", acs_system_id=acs.system_id)))["acs_user"]
    assert found["full_name"] == found["display_name"] == "Ada Example"
    error = await acs.api.refused("/acs/users/get", named(acs, "user-ada", acs_system_id=NOBODY))
    assert error["type"] == "acs_system_not_found"
    error = await acs.api.refused("/acs/users/get", {"acs_system_id": acs.system_id, "user_identity_id": NOBODY})
    assert (error["status"], error["type"]) == (400, "not_supported")
    assert "user identities" in error["message"]


OF_ONE = [
    "get",
    "list_accessible_entrances",
    "update",
    "delete",
    "suspend",
    "unsuspend",
    "revoke_access_to_all_entrances",
]


@pytest.mark.parametrize("path", OF_ONE)
async def test_who_is_not_there(acs: Acs, path: str) -> None:
    error = await acs.api.refused(f"/acs/users/{path}", {"acs_user_id": NOBODY})
    assert (error["status"], error["type"]) == (404, "acs_user_not_found")
    await acs.api.wrong("acs_user_id", f"/acs/users/{path}", {})
    await acs.api.wrong("acs_user_id", f"/acs/users/{path}", {"acs_user_id": "ada"})


async def test_which_doors_a_user_may_pass(acs: Acs) -> None:
    async def doors(native_id: str) -> list[str]:
        found = await acs.api.ok("/acs/users/list_accessible_entrances", named(acs, native_id))
        return [one["display_name"] for one in found["acs_entrances"]]

    assert await doors("user-ada") == ["Lobby", "Shed", "Room 101"]
    assert await doors("user-bob") == ["Pool"]
    await acs.api.ok("/acs/users/suspend", named(acs, "user-bob"))
    assert await doors("user-bob") == []


async def test_update_reaches_the_system_and_keeps_the_rest(acs: Acs) -> None:
    before = acs.system.users["user-ada"]
    body = named(acs, "user-ada", full_name=" Ada Lovelace ", access_schedule=TIMES, email_address="ada@example.com")
    await acs.api.ok("/acs/users/update", body, method="PATCH")
    held = acs.system.users["user-ada"]
    assert (held.full_name, held.phone_number, held.groups, held.card) == (
        "Ada Lovelace",
        before.phone_number,
        before.groups,
        before.card,
    )
    found = await acs.user("user-ada")
    assert found["access_schedule"] == {"starts_at": "2026-01-01T09:00:00Z", "ends_at": "2027-01-01T09:00:00Z"}
    assert found["email"] == found["email_address"] == "ada@example.com"
    await acs.api.ok("/acs/users/update", named(acs, "user-ada", access_schedule=None, phone_number=None))
    found = await acs.user("user-ada")
    assert "access_schedule" not in found
    assert "phone_number" not in found


async def test_only_the_address_asks_nothing_of_the_system(acs: Acs) -> None:
    await acs.api.ok("/acs/users/update", named(acs, "user-ada", email="ada@example.com"))
    assert acs.system.changes == []
    assert (await acs.user("user-ada"))["email_address"] == "ada@example.com"
    await acs.api.ok("/acs/users/update", named(acs, "user-ada"))
    assert acs.system.changes == []


BAD_UPDATES: list[tuple[str, dict[str, Any]]] = [
    ("full_name", {"full_name": "  "}),
    ("full_name", {"full_name": "a\nb"}),
    ("full_name", {"full_name": "x" * 256}),
    ("email", {"email": "a@example.com", "email_address": "b@example.com"}),
    ("email_address", {"email_address": "nobody"}),
    ("phone_number", {"phone_number": "call me"}),
    ("access_schedule.starts_at", {"access_schedule": {"starts_at": "2026-01-01T10:00:00"}}),
    ("access_schedule.ends_at", {"access_schedule": {"starts_at": TIMES["ends_at"], "ends_at": TIMES["starts_at"]}}),
    ("access_schedule.until", {"access_schedule": {"until": "x"}}),
]


@pytest.mark.parametrize(("member", "values"), BAD_UPDATES)
async def test_bad_members_are_named_and_nothing_is_done(acs: Acs, member: str, values: dict[str, Any]) -> None:
    await acs.api.wrong(member, "/acs/users/update", named(acs, "user-ada", **values))
    assert acs.system.changes == []


async def test_another_makers_system_is_refused(acs: Acs) -> None:
    error = await acs.api.refused("/acs/users/update", named(acs, "user-ada", hid_acs_system_id=NOBODY))
    assert error["type"] == "not_supported"


async def test_suspending_twice_is_once(acs: Acs) -> None:
    for _ in range(2):
        await acs.api.ok("/acs/users/suspend", named(acs, "user-ada"))
    found = await acs.user("user-ada")
    assert found["is_suspended"] is True
    assert [one["warning_code"] for one in found["warnings"]] == ["acs_user_inactive"]
    for _ in range(2):
        await acs.api.ok("/acs/users/unsuspend", named(acs, "user-ada"))
    assert [type(one) for one in acs.system.changes] == [EditUser, EditUser]
    assert (await acs.user("user-ada"))["is_suspended"] is False


async def test_groups_and_rights(acs: Acs) -> None:
    body = named(acs, "user-bob", acs_access_group_id=acs.group_id("group-staff"))
    await acs.api.ok("/acs/users/add_to_access_group", body, method="PUT")
    await acs.api.ok("/acs/users/add_to_access_group", body)
    assert acs.groups("user-bob") == ("group-guests", "group-staff")
    assert len(acs.system.changes) == 1
    await acs.api.ok("/acs/users/remove_from_access_group", query=body, method="DELETE")
    assert acs.groups("user-bob") == ("group-guests",)
    for _ in range(2):
        await acs.api.ok("/acs/users/revoke_access_to_all_entrances", named(acs, "user-ada"))
    assert (acs.groups("user-ada"), acs.system.users["user-ada"].entrances) == ((), ())
    assert [type(one) for one in acs.system.changes].count(RevokeAll) == 1


async def test_delete(acs: Acs) -> None:
    await acs.api.ok("/acs/users/delete", named(acs, "user-ada"))
    assert "user-ada" not in acs.system.users
    error = await acs.api.refused("/acs/users/delete", named(acs, "user-ada"))
    assert (error["status"], error["type"]) == (404, "acs_user_not_found")
    assert await acs.types(event_types=["acs_user.deleted", "acs_credential.deleted"]) == [
        "acs_credential.deleted",
        "acs_user.deleted",
    ]


async def test_a_refusal_for_good_is_the_answer_and_leaves_no_trace(acs: Acs) -> None:
    acs.system.refusals[EditUser] = rejected("name_taken", "Another user has this name; choose another one.")
    error = await acs.api.refused("/acs/users/update", named(acs, "user-ada", full_name="Bob Example"))
    assert (error["status"], error["type"]) == (400, "name_taken")
    assert "choose another one" in error["message"]
    found = await acs.user("user-ada")
    assert (found["full_name"], found["errors"], found["pending_mutations"]) == ("Ada Example", [], [])


async def test_what_takes_longer_is_pending_with_its_reason(tmp_path: Path) -> None:
    async with running_acs(tmp_path / "data", hold_seconds=0.05) as acs:
        acs.system.refusals |= {EditUser: access.busy(), SetMembership: access.busy(), PermitEntrance: access.busy()}
        body = named(acs, "user-ada", full_name="Ada L", phone_number="1", access_schedule=TIMES)
        await acs.api.ok("/acs/users/update", body)
        await acs.api.ok("/acs/users/suspend", named(acs, "user-ada"))
        member = named(acs, "user-ada", acs_access_group_id=acs.group_id("group-guests"))
        await acs.api.ok("/acs/users/add_to_access_group", member)
        grant = {"acs_entrance_id": acs.device_id("door-pool"), "acs_user_id": acs.user_id("user-ada")}
        await acs.api.ok("/acs/entrances/grant_access", grant)
        await eventually(lambda: acs.api.hub.access.pending("space")[0].trouble is not None)
        found = await acs.user("user-ada")
        mutations = {one["mutation_code"]: one for one in found["pending_mutations"]}
        assert list(mutations) == [
            "updating_user_information",
            "updating_access_schedule",
            "updating_suspension_state",
            "updating_group_membership",
        ]
        information = mutations["updating_user_information"]
        assert information["from"] == {"full_name": "Ada Example", "phone_number": "+43 1 234"}
        assert information["to"] == {"full_name": "Ada L", "phone_number": "1"}
        assert "Somebody has this record open" in information["message"]
        to = {"acs_access_group_id": acs.group_id("group-guests")}
        assert mutations["updating_group_membership"]["to"] == to
        assert [one["hub_code"] for one in found["warnings"]] == ["right_not_given_yet"]
        (member_of,) = (await acs.group("group-guests"))["pending_mutations"]
        assert member_of["to"] == {"acs_user_id": acs.user_id("user-ada")}


async def test_who_is_being_deleted_is_left_alone(tmp_path: Path) -> None:
    async with running_acs(tmp_path / "data", hold_seconds=0.05) as acs:
        acs.system.refusals[DeleteUser] = access.busy()
        for _ in range(2):
            await acs.api.ok("/acs/users/delete", named(acs, "user-ada"))
        assert len(acs.api.hub.access.pending("space")) == 1
        found = await acs.user("user-ada")
        assert [one["mutation_code"] for one in found["pending_mutations"]] == ["deleting"]
        assert [one["warning_code"] for one in found["warnings"]] == ["being_deleted"]
        error = await acs.api.refused("/acs/users/suspend", named(acs, "user-ada"))
        assert (error["status"], error["type"]) == (400, "acs_user_being_deleted")


async def test_a_change_outlives_the_server_and_the_hub(tmp_path: Path) -> None:
    system = access.furnished()
    async with running_acs(tmp_path / "data", system, hold_seconds=0.05) as acs:
        await acs.lost()
        await acs.api.ok("/acs/users/update", named(acs, "user-ada", full_name="Ada L"))
        assert system.users["user-ada"].full_name == "Ada Example"
    async with running_acs(tmp_path / "data", system) as acs:
        await acs.settled()
        assert system.users["user-ada"].full_name == "Ada L"
        assert (await acs.user("user-ada"))["full_name"] == "Ada L"


async def test_two_calls_about_one_user_are_made_in_order(acs: Acs) -> None:
    acs.driver.hold.clear()
    calls = [
        asyncio.create_task(acs.api.ok("/acs/users/update", named(acs, "user-ada", full_name=name)))
        for name in ("One", "Two")
    ]
    await eventually(lambda: len(acs.api.hub.access.pending("space")) == 2)
    acs.driver.hold.set()
    await asyncio.gather(*calls)
    assert acs.system.users["user-ada"].full_name == "Two"


async def test_viewers_change_nothing(acs: Acs) -> None:
    viewer = await acs.api.as_role("viewer")
    assert (await acs.api.refused("/acs/users/suspend", named(acs, "user-ada"), token=viewer))["type"] == "forbidden"
    assert len((await acs.api.ok("/acs/users/list", token=viewer))["acs_users"]) == 2


async def test_edits_made_in_the_system_are_shown(acs: Acs) -> None:
    await acs.driver.tell(replace(acs.system.users["user-bob"], full_name="Robert Example", phone_number="5"))
    found = await acs.user("user-bob")
    assert (found["full_name"], found["phone_number"]) == ("Robert Example", "5")
