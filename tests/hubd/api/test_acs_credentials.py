from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from hubd.api import acs_credentials
from hubd.model import DeleteUser
from hubd.model.access import Card
from hubd.model.errors import StoreError
from tests.hubd.api.access import Acs, running_acs
from tests.hubd.api.codes import from_now
from tests.support import access

NOBODY = "33333333-3333-4333-8333-333333333333"


def new(acs: Acs, native_id: str = "user-bob", **members: Any) -> dict[str, Any]:
    return {"access_method": "card", "acs_user_id": acs.user_id(native_id), **members}


async def create(acs: Acs, body: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (await acs.api.ok("/acs/credentials/create", body))["acs_credential"]
    return found


async def ids(acs: Acs, **filters: Any) -> list[str]:
    found = (await acs.api.ok("/acs/credentials/list", filters))["acs_credentials"]
    return [one["acs_credential_id"] for one in found]


def one(credential: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"acs_credential_id": credential["acs_credential_id"], **members}


async def test_the_card_that_somebody_has(acs: Acs) -> None:
    found = await acs.credential("user-ada")
    assert (found["access_method"], found["external_type"]) == ("card", "salto_space_key")
    assert (found["is_issued"], found["card_number"]) == (True, "04A1B2C3D4E5F6")
    assert found["display_name"] == "Card of Ada Example"
    assert found["is_latest_desired_state_synced_with_provider"] is True
    assert found["latest_desired_state_synced_with_provider_at"] == found["issued_at"]
    assert (found["errors"], found["warnings"], found["code"]) == ([], [], None)
    assert (await acs.api.ok("/acs/credentials/get", one(found)))["acs_credential"] == found
    assert await acs.types(event_type="acs_credential.issued") == []


async def test_list_and_filters(acs: Acs) -> None:
    card, cloud = (await acs.credential("user-ada"))["acs_credential_id"], await acs.cloud_key("user-bob")
    assert await ids(acs) == [card, cloud]
    assert await ids(acs, acs_user_id=acs.user_id("user-bob")) == [cloud]
    assert await ids(acs, search="04a1") == [card]
    assert await ids(acs, search="cloud key of bob") == [cloud]
    assert await ids(acs, acs_system_id=acs.system_id, is_multi_phone_sync_credential=False) == [card, cloud]
    assert await ids(acs, is_multi_phone_sync_credential=True) == []
    assert await ids(acs, acs_system_id=NOBODY) == []
    assert await ids(acs, user_identity_id=NOBODY) == []
    assert await ids(acs, created_before="2020-01-01T00:00:00Z") == []
    first = await acs.api.ok("/acs/credentials/list", {"limit": 1})
    assert await ids(acs, limit=1, page_cursor=first["pagination"]["next_page_cursor"]) == [cloud]


async def test_a_new_card_waits_for_its_encoder(acs: Acs) -> None:
    made = await create(acs, new(acs, salto_space_metadata={"assign_new_key": True}))
    assert (made["is_issued"], made["issued_at"], made["card_number"]) == (False, None, None)
    assert made["is_latest_desired_state_synced_with_provider"] is False
    assert [notice["warning_code"] for notice in made["warnings"]] == ["waiting_to_be_issued"]
    assert (await create(acs, new(acs)))["acs_credential_id"] == made["acs_credential_id"]
    await acs.api.ok("/acs/credentials/delete", one(made))
    error = await acs.api.refused("/acs/credentials/delete", query=one(made), method="DELETE")
    assert (error["status"], error["type"]) == (404, "acs_credential_not_found")


async def test_a_card_that_is_written_in_the_system_issues_it(acs: Acs) -> None:
    made = await create(acs, new(acs))
    await acs.driver.tell(replace(acs.system.users["user-bob"], card=Card("0011", state="current")))
    found = await acs.credential("user-bob")
    assert (found["acs_credential_id"], found["card_number"]) == (made["acs_credential_id"], "0011")
    assert found["is_issued"] is True
    (event,) = await acs.events(acs_credential_id=made["acs_credential_id"])
    assert (event["event_type"], event["acs_user_id"]) == ("acs_credential.issued", acs.user_id("user-bob"))


async def test_a_key_is_not_given_twice_and_can_be_renewed(acs: Acs) -> None:
    error = await acs.api.refused(
        "/acs/credentials/create", new(acs, "user-ada", salto_space_metadata={"assign_new_key": True})
    )
    assert (error["status"], error["type"]) == (409, "credential_exists")
    body = new(acs, salto_space_metadata={"update_current_key": True})
    assert (await acs.api.refused("/acs/credentials/create", body))["type"] == "no_key_to_update"
    before = await acs.credential("user-ada")
    made = await create(acs, new(acs, "user-ada", salto_space_metadata={"update_current_key": True}))
    assert made["acs_credential_id"] == before["acs_credential_id"]
    assert [notice["warning_code"] for notice in made["warnings"]] == ["needs_to_be_reissued"]
    assert (made["is_issued"], made["is_latest_desired_state_synced_with_provider"]) == (True, False)


async def test_what_the_card_says_of_itself(acs: Acs) -> None:
    ada, end = acs.system.users["user-ada"], acs.api.clock.now() - timedelta(hours=1)
    for state, code in (("update_required", "needs_to_be_reissued"), ("reissue_required", "needs_to_be_reissued")):
        await acs.driver.tell(replace(ada, card=Card("04A1B2C3D4E5F6", state=state)))  # type: ignore[arg-type]
        assert [notice["warning_code"] for notice in (await acs.credential("user-ada"))["warnings"]] == [code]
    await acs.driver.tell(replace(ada, card=Card("04A1B2C3D4E5F6", ends_at=end, state="expired")))
    found = await acs.credential("user-ada")
    assert [problem["error_code"] for problem in found["errors"]] == ["credential_expired"]
    assert "ends_at" in found
    assert await acs.types(event_type="acs_credential.invalidated") == ["acs_credential.invalidated"]


async def test_a_card_that_opens_doors_cannot_be_deleted(acs: Acs) -> None:
    card = await acs.credential("user-ada")
    error = await acs.api.refused("/acs/credentials/delete", one(card))
    assert (error["status"], error["type"]) == (409, "credential_issued")
    assert "Suspend the user" in error["message"]


REFUSED: list[dict[str, Any]] = [
    {"access_method": "code"},
    {"access_method": "code", "code": "1234"},
    {"access_method": "mobile_key"},
    {"access_method": "mobile_key", "is_multi_phone_sync_credential": True},
    {"is_multi_phone_sync_credential": True},
    {"code": "1234"},
    {"user_identity_id": NOBODY},
    {"allowed_acs_entrance_ids": [NOBODY]},
    {"credential_manager_acs_system_id": NOBODY},
    {"visionline_metadata": {}},
    {"assa_abloy_vostio_metadata": {}},
    {"hotek_metadata": {}},
    {"starts_at": "2026-01-01T00:00:00Z"},
    {"ends_at": "2027-01-01T00:00:00Z"},
    {"access_method": "cloud_key", "salto_space_metadata": {"assign_new_key": True}},
]


@pytest.mark.parametrize("members", REFUSED, ids=str)
async def test_what_no_hub_can_do_is_said(acs: Acs, members: dict[str, Any]) -> None:
    error = await acs.api.refused("/acs/credentials/create", new(acs, **members))
    assert (error["status"], error["type"]) == (400, "not_supported")
    if members.get("access_method") in {"code", "mobile_key"}:
        assert "SHIP" in error["message"]
    assert await ids(acs, acs_user_id=acs.user_id("user-bob")) == []


async def test_bad_members_are_named(acs: Acs) -> None:
    path = "/acs/credentials/create"
    await acs.api.wrong("access_method", path, {})
    await acs.api.wrong("access_method", path, {"access_method": "fob"})
    await acs.api.wrong("acs_user_id", path, {"access_method": "card"})
    await acs.api.wrong("acs_user_id", path, {"access_method": "cloud_key"})
    both = {"assign_new_key": True, "update_current_key": True}
    await acs.api.wrong("salto_space_metadata", path, new(acs, salto_space_metadata=both))
    past = new(acs, access_method="cloud_key", ends_at="2020-01-01T00:00:00Z")
    await acs.api.wrong("ends_at", path, past)
    await acs.api.wrong("starts_at", path, new(acs, access_method="cloud_key", starts_at="2026-01-01T00:00:00"))
    assert (await acs.api.refused(path, new(acs, acs_system_id=NOBODY)))["type"] == "acs_system_not_found"
    assert (await acs.api.refused(path, {"access_method": "card", "acs_user_id": NOBODY}))["status"] == 404


async def test_the_life_of_a_cloud_key(acs: Acs) -> None:
    end = from_now(acs.api, days=1)
    made = await create(acs, {"access_method": "cloud_key", "acs_system_id": acs.system_id, "ends_at": end})
    assert (made["is_issued"], made["display_name"]) == (True, "Cloud key")
    assert "acs_user_id" not in made
    bob = acs.user_id("user-bob")
    await acs.api.ok("/acs/credentials/assign", one(made, acs_user_id=bob))
    given = await acs.api.ok("/acs/credentials/assign", one(made, acs_user_id=bob), method="PATCH")
    assert given["acs_credential"]["acs_user_id"] == bob
    doors = (await acs.api.ok("/acs/credentials/list_accessible_entrances", one(made)))["acs_entrances"]
    assert [door["display_name"] for door in doors] == ["Pool"]
    later = from_now(acs.api, days=2)
    updated = await acs.api.ok("/acs/credentials/update", one(made, ends_at=later))
    assert updated["acs_credential"]["ends_at"] > made["ends_at"]
    error = await acs.api.refused("/acs/credentials/unassign", one(made, acs_user_id=acs.user_id("user-ada")))
    assert error["type"] == "credential_of_other_user"
    await acs.api.ok("/acs/credentials/unassign", one(made, acs_user_id=bob))
    taken = await acs.api.ok("/acs/credentials/unassign", one(made, acs_user_id=bob))
    assert "acs_user_id" not in taken["acs_credential"]
    assert (await acs.api.ok("/acs/credentials/list_accessible_entrances", one(made)))["acs_entrances"] == []
    await acs.api.ok("/acs/credentials/delete", one(made))
    assert await acs.types(acs_credential_id=made["acs_credential_id"]) == ["acs_credential.deleted"]


async def test_a_cloud_key_and_its_idempotency_key_are_kept_together(acs: Acs, monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"access_method": "cloud_key", "acs_user_id": acs.user_id("user-bob")}
    headers = {"idempotency-key": "k1"}

    def die(*_: object) -> Any:
        raise StoreError("disk_full", "The hub ends here.")

    with monkeypatch.context() as crash:
        crash.setattr(acs_credentials, "_shown", die)
        assert (await acs.api.call("/acs/credentials/create", body, headers=headers)).status == 503
    again = await acs.api.ok("/acs/credentials/create", body, headers=headers)
    (made,) = await ids(acs, acs_user_id=acs.user_id("user-bob"))
    assert again["acs_credential"]["acs_credential_id"] == made


async def test_a_card_stays_its_users_and_has_no_times_of_its_own(acs: Acs) -> None:
    card = await acs.credential("user-ada")
    same = await acs.api.ok("/acs/credentials/assign", one(card, acs_user_id=acs.user_id("user-ada")))
    assert same["acs_credential"] == card
    for path, members in (
        ("assign", {"acs_user_id": acs.user_id("user-bob")}),
        ("assign", {"user_identity_id": NOBODY}),
        ("unassign", {}),
        ("update", {"ends_at": "2027-01-01T00:00:00Z"}),
        ("update", {"code": "1234"}),
    ):
        error = await acs.api.refused(f"/acs/credentials/{path}", one(card, **members))
        assert (error["status"], error["type"]) == (400, "not_supported"), path
    assert (await acs.api.ok("/acs/credentials/update", one(card)))["acs_credential"] == card


async def test_offline_codes(acs: Acs) -> None:
    body = {"acs_user_id": acs.user_id("user-ada"), "allowed_acs_entrance_id": acs.device_id("door-lobby")}
    error = await acs.api.refused("/acs/credentials/create_offline_code", body)
    assert (error["status"], error["type"]) == (400, "not_supported")


@pytest.mark.parametrize("path", ["get", "delete", "update", "unassign", "list_accessible_entrances"])
async def test_what_is_not_there(acs: Acs, path: str) -> None:
    error = await acs.api.refused(f"/acs/credentials/{path}", {"acs_credential_id": NOBODY})
    assert (error["status"], error["type"]) == (404, "acs_credential_not_found")


async def test_nobody_gets_a_key_who_is_being_deleted(tmp_path: Path) -> None:
    async with running_acs(tmp_path / "data", hold_seconds=0.05) as acs:
        acs.system.refusals[DeleteUser] = access.busy()
        await acs.api.ok("/acs/users/delete", {"acs_user_id": acs.user_id("user-bob")})
        assert (await acs.api.refused("/acs/credentials/create", new(acs)))["type"] == "acs_user_being_deleted"


async def test_credentials_outlive_a_restart(tmp_path: Path) -> None:
    system = access.furnished()
    async with running_acs(tmp_path / "data", system) as acs:
        made = await create(acs, new(acs))
        await acs.cloud_key("user-ada")
        before = await ids(acs)
    async with running_acs(tmp_path / "data", system) as acs:
        assert await ids(acs) == before
        assert (await acs.credential("user-bob"))["acs_credential_id"] == made["acs_credential_id"]
