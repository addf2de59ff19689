from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from hubd.core.sense import Instant
from hubd.model import (
    AcsGroup,
    DeleteUser,
    EditUser,
    Permission,
    PermitEntrance,
    RevokeAll,
    SetMembership,
    UnlockDoor,
)
from hubd.model.access import Card
from tests.hubd.api.access import Acs, running_acs
from tests.hubd.api.codes import from_now
from tests.support import access
from tests.support.site import eventually

NOBODY = "33333333-3333-4333-8333-333333333333"


async def names(acs: Acs, **filters: Any) -> list[str]:
    return [one["display_name"] for one in (await acs.api.ok("/acs/entrances/list", filters))["acs_entrances"]]


async def unlock(acs: Acs, native_id: str, credential_id: str | None = None, **options: Any) -> dict[str, Any]:
    body = {"acs_entrance_id": acs.device_id(native_id)}
    body |= {} if credential_id is None else {"acs_credential_id": credential_id}
    found: dict[str, Any] = (await acs.api.ok("/acs/entrances/unlock", body, **options))["action_attempt"]
    return found


async def refused(acs: Acs, native_id: str, credential_id: str | None) -> str:
    body = {"acs_entrance_id": acs.device_id(native_id), "acs_credential_id": credential_id}
    error = await acs.api.refused("/acs/entrances/unlock", body)
    assert error["status"] == 400
    return str(error["type"])


async def test_list_and_filters(acs: Acs) -> None:
    assert await names(acs) == ["Lobby", "Pool", "Shed", "Room 101"]
    assert await names(acs, search="main ENTR") == ["Lobby"]
    assert await names(acs, acs_system_id=acs.system_id.upper(), search="room") == ["Room 101"]
    assert await names(acs, acs_system_id=NOBODY) == []
    assert await names(acs, connected_account_id=acs.api.hub.account_id("space")) == await names(acs)
    assert await names(acs, acs_entrance_ids=[acs.device_id("door-pool")]) == ["Pool"]
    assert await names(acs, acs_entrance_ids=[]) == []
    for absent in ("customer_key", "location_id", "space_id"):
        assert await names(acs, **{absent: NOBODY}) == []
    credential = await acs.credential("user-ada")
    found = await names(acs, acs_credential_id=credential["acs_credential_id"])
    assert found == ["Lobby", "Shed", "Room 101"]


async def test_pages(acs: Acs) -> None:
    first = await acs.api.ok("/acs/entrances/list", {"limit": 3})
    cursor = first["pagination"]["next_page_cursor"]
    second = await acs.api.ok("/acs/entrances/list", {"limit": 3, "page_cursor": cursor})
    found = [one["display_name"] for one in (*first["acs_entrances"], *second["acs_entrances"])]
    assert found == ["Lobby", "Pool", "Shed", "Room 101"]
    assert second["pagination"]["has_next_page"] is False


async def test_no_entrance_is_a_device_of_seams_and_every_one_is_of_the_hubs(acs: Acs) -> None:
    entrance_id, encoder_id = acs.device_id("door-lobby"), acs.device_id("encoder-1")
    for path in ("/devices/list", "/devices/unmanaged/list", "/locks/list", "/thermostats/list"):
        found = {one["device_id"] for one in (await acs.api.ok(path))["devices"]}
        assert not found & {entrance_id, encoder_id}
    body = {"device_id": entrance_id}
    for path in (
        "/devices/get",
        "/devices/unmanaged/get",
        "/devices/update",
        "/devices/delete",
        "/locks/get",
        "/locks/unlock_door",
        "/access_codes/list",
        "/access_codes/generate_code",
        "/devices/simulate/connect",
        "/thermostats/get",
        "/thermostats/schedules/list",
    ):
        error = await acs.api.refused(path, body)
        assert (error["status"], error["type"]) == (404, "device_not_found"), path
    assert (await acs.api.refused("/devices/get", {"name": "Lobby"}))["type"] == "device_not_found"
    known = {one["device_id"] for one in (await acs.api.ok("/hub/devices/list"))["devices"]}
    assert {entrance_id, encoder_id} <= known
    assert (await acs.api.ok("/hub/devices/get", body))["device"]["kind"] == "entrance"


async def test_unlock_by_the_right_of_the_key(acs: Acs) -> None:
    attempt = await unlock(acs, "door-lobby")
    assert (attempt["action_type"], attempt["status"]) == ("UNLOCK_DOOR", "success")
    assert attempt["result"] == {"was_confirmed_by_device": True}
    assert acs.system.openings == ["door-lobby"]
    body = {"action_attempt_id": attempt["action_attempt_id"]}
    assert (await acs.api.ok("/action_attempts/get", body))["action_attempt"] == attempt
    viewer = await acs.api.as_role("viewer")
    error = await acs.api.refused("/acs/entrances/unlock", {"acs_entrance_id": NOBODY}, token=viewer)
    assert error["type"] == "forbidden"


async def test_a_standalone_door_is_refused_and_says_so(acs: Acs) -> None:
    error = await acs.api.refused("/acs/entrances/unlock", {"acs_entrance_id": acs.device_id("door-shed")})
    assert (error["status"], error["type"]) == (400, "not_supported")
    assert error["data"]["flag"] == "can_unlock_with_cloud_key"
    assert "not wired" in error["message"]
    assert acs.system.openings == []


async def test_a_dead_server_fails_at_once_naming_the_hop(acs: Acs) -> None:
    await acs.lost()
    attempt = await unlock(acs, "door-lobby")
    assert (attempt["status"], attempt["error"]["type"]) == ("error", "hub_disconnected")
    assert attempt["error"]["detail"]["hop"] == "server"
    assert acs.system.openings == []


async def test_an_order_without_an_answer_is_confirmed_by_the_audit_trail(acs: Acs) -> None:
    acs.system.refusals[UnlockDoor] = access.lost_answer()
    attempt = await unlock(acs, "door-lobby")
    assert attempt["error"]["type"] == "sent_unconfirmed"
    entry = access.audit("1", acs.api.clock.now(), "door-lobby", name="Opened online", method="remote", is_remote=True)
    await acs.driver.tell(entry, bookmark="1")
    body = {"action_attempt_id": attempt["action_attempt_id"]}
    later = (await acs.api.ok("/action_attempts/get", body))["action_attempt"]
    assert later["status"] == "success"
    (event,) = await acs.events(event_type="lock.unlocked")
    assert event["action_attempt_id"] == attempt["action_attempt_id"]
    assert event["acs_entrance_id"] == acs.device_id("door-lobby")


async def test_the_same_idempotency_key_is_one_order(acs: Acs) -> None:
    headers = {"idempotency-key": "k1"}
    first = await unlock(acs, "door-lobby", headers=headers)
    assert await unlock(acs, "door-lobby", headers=headers) == first
    assert acs.system.openings == ["door-lobby"]


async def test_a_credential_opens_what_its_user_may_pass(acs: Acs) -> None:
    card, cloud = (await acs.credential("user-ada"))["acs_credential_id"], await acs.cloud_key("user-bob")
    assert (await unlock(acs, "room-101", card))["status"] == "success"
    assert (await unlock(acs, "door-pool", cloud))["status"] == "success"
    assert await refused(acs, "door-pool", card) == "no_access_to_entrance"
    assert await refused(acs, "door-lobby", cloud) == "no_access_to_entrance"
    assert acs.system.openings == ["room-101", "door-pool"]


async def test_why_a_credential_does_not_open(acs: Acs) -> None:
    body = {"access_method": "cloud_key", "acs_system_id": acs.system_id}
    loose = (await acs.api.ok("/acs/credentials/create", body))["acs_credential"]["acs_credential_id"]
    assert await refused(acs, "door-pool", loose) == "credential_not_assigned"
    late = await acs.cloud_key("user-bob", starts_at=from_now(acs.api, hours=1))
    assert await refused(acs, "door-pool", late) == "outside_time_frame"
    cloud = await acs.cloud_key("user-bob", ends_at=from_now(acs.api, hours=1))
    assert (await unlock(acs, "door-pool", cloud))["status"] == "success"
    acs.api.clock.ahead = timedelta(hours=2)
    assert await refused(acs, "door-pool", cloud) == "outside_time_frame"
    acs.api.clock.ahead = timedelta()
    body = {"access_method": "card", "acs_user_id": acs.user_id("user-bob")}
    card = (await acs.api.ok("/acs/credentials/create", body))["acs_credential"]["acs_credential_id"]
    assert await refused(acs, "door-pool", card) == "credential_not_issued"
    await acs.driver.tell(replace(acs.system.users["user-bob"], is_suspended=True))
    assert await refused(acs, "door-pool", cloud) == "acs_user_suspended"
    error = await acs.api.refused(
        "/acs/entrances/unlock", {"acs_entrance_id": acs.device_id("door-pool"), "acs_credential_id": NOBODY}
    )
    assert (error["status"], error["type"]) == (404, "acs_credential_not_found")


async def test_what_is_to_be_taken_from_somebody_opens_nothing_even_before_the_system_has_it(tmp_path: Path) -> None:
    wishes: list[tuple[str, dict[str, Any], str]] = [
        ("/acs/users/suspend", {}, "acs_user_suspended"),
        ("/acs/users/revoke_access_to_all_entrances", {}, "no_access_to_entrance"),
        ("/acs/users/update", {"access_schedule": {"starts_at": "2099-01-01T00:00:00Z"}}, "outside_time_frame"),
        ("/acs/users/remove_from_access_group", {"acs_access_group_id": ""}, "no_access_to_entrance"),
        ("/acs/users/delete", {}, "acs_user_being_deleted"),
    ]
    for path, body, code in wishes:
        async with running_acs(tmp_path / code / path[-9:], hold_seconds=0.05) as acs:
            cloud, bob = await acs.cloud_key("user-bob"), {"acs_user_id": acs.user_id("user-bob")}
            for change in (DeleteUser, EditUser, RevokeAll, SetMembership):
                acs.system.refusals[change] = access.busy()
            group = {"acs_access_group_id": acs.group_id("group-guests")} if "acs_access_group_id" in body else {}
            assert (await unlock(acs, "door-pool", cloud))["status"] == "success"
            await acs.api.ok(path, body | bob | group)
            assert await refused(acs, "door-pool", cloud) == code, path
            assert acs.system.openings == ["door-pool"]


async def test_while_the_time_is_not_relied_on_ends_happen_and_starts_wait(
    acs: Acs, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, hour = acs.api.clock.now(), timedelta(hours=1)
    begun = await acs.cloud_key("user-bob", starts_at=from_now(acs.api, hours=-2))
    begins = await acs.cloud_key("user-bob", starts_at=from_now(acs.api, hours=1))
    ended = await acs.cloud_key("user-bob", ends_at=from_now(acs.api, hours=1))
    monkeypatch.setattr(acs.api.hub.sense, "now", lambda: Instant(now + 2 * hour, is_trusted=False))
    monkeypatch.setattr(acs.api.hub.sense, "earliest", lambda: now)
    assert await refused(acs, "door-pool", begins) == "outside_time_frame"
    assert await refused(acs, "door-pool", ended) == "outside_time_frame"
    assert (await unlock(acs, "door-pool", begun))["status"] == "success"
    bob = acs.system.users["user-bob"]
    await acs.driver.tell(replace(bob, groups=(), zones=(Permission("zone-wet", now + hour, None),)))
    assert await refused(acs, "door-pool", begun) == "no_access_to_entrance"


async def test_what_is_to_be_given_to_somebody_opens_nothing_before_the_system_has_it(tmp_path: Path) -> None:
    async with running_acs(tmp_path / "data", hold_seconds=0.05) as acs:
        cloud, bob = await acs.cloud_key("user-bob"), {"acs_user_id": acs.user_id("user-bob")}
        acs.system.refusals[PermitEntrance] = access.busy()
        await acs.api.ok("/acs/entrances/grant_access", {"acs_entrance_id": acs.device_id("door-lobby")} | bob)
        assert await refused(acs, "door-lobby", cloud) == "no_access_to_entrance"
        del acs.system.refusals[PermitEntrance]
        await acs.settled()
        assert (await unlock(acs, "door-lobby", cloud))["status"] == "success"


async def test_a_card_whose_time_is_over_opens_nothing(acs: Acs) -> None:
    card = (await acs.credential("user-ada"))["acs_credential_id"]
    await acs.driver.tell(replace(acs.system.users["user-ada"], card=Card("04A1B2C3D4E5F6", state="expired")))
    assert await refused(acs, "room-101", card) == "outside_time_frame"


async def test_times_of_the_person_the_card_and_the_right_count(acs: Acs) -> None:
    now = acs.api.clock.now()
    past, future = now - timedelta(hours=1), now + timedelta(hours=1)
    ada, credential = acs.system.users["user-ada"], (await acs.credential("user-ada"))["acs_credential_id"]
    for changed in (
        replace(ada, ends_at=past),
        replace(ada, starts_at=future),
        replace(ada, card=Card("04A1B2C3D4E5F6", ends_at=past, state="expired")),
    ):
        await acs.driver.tell(changed)
        assert await refused(acs, "room-101", credential) == "outside_time_frame"
    await acs.driver.tell(replace(ada, entrances=(Permission("room-101", ends_at=past),)))
    assert await refused(acs, "room-101", credential) == "no_access_to_entrance"
    await acs.driver.tell(replace(ada, entrances=(Permission("room-101", past, future),)))
    assert (await unlock(acs, "room-101", credential))["status"] == "success"


async def test_who_has_access(acs: Acs) -> None:
    async def owners(native_id: str) -> list[str]:
        body = {"acs_entrance_id": acs.device_id(native_id)}
        found = (await acs.api.ok("/acs/entrances/list_credentials_with_access", body))["acs_credentials"]
        return [one["acs_user_id"] for one in found]

    await acs.cloud_key("user-bob")
    ada, bob = acs.user_id("user-ada"), acs.user_id("user-bob")
    assert await owners("door-lobby") == [ada]
    assert await owners("room-101") == [ada]
    assert await owners("door-pool") == [bob]
    await acs.driver.tell(replace(acs.system.users["user-ada"], is_suspended=True))
    assert await owners("door-lobby") == []
    await acs.driver.tell(AcsGroup("group-guests", "Guests", entrances=(Permission("door-lobby"),)))
    assert await owners("door-lobby") == [bob]
    body = {"acs_entrance_id": acs.device_id("door-lobby"), "include_if": ["visionline_metadata.is_valid"]}
    assert (await acs.api.ok("/acs/entrances/list_credentials_with_access", body))["acs_credentials"] == []


async def test_grant_access(acs: Acs) -> None:
    body = {"acs_entrance_id": acs.device_id("room-101"), "acs_user_id": acs.user_id("user-bob")}
    await acs.api.ok("/acs/entrances/grant_access", body)
    assert Permission("room-101") in acs.system.users["user-bob"].entrances
    assert (await acs.user("user-bob"))["pending_mutations"] == []
    await acs.api.wrong("acs_user_id", "/acs/entrances/grant_access", {"acs_entrance_id": body["acs_entrance_id"]})
    error = await acs.api.refused("/acs/entrances/grant_access", {**body, "user_identity_id": NOBODY})
    assert (error["type"], error["data"]["user_identity_id"]) == ("not_supported", NOBODY)


@pytest.mark.parametrize("path", ["get", "unlock", "list_credentials_with_access", "grant_access"])
async def test_what_is_not_there(acs: Acs, path: str) -> None:
    for entrance_id in (NOBODY, acs.device_id("encoder-1"), await acs.api.device_id()):
        error = await acs.api.refused(f"/acs/entrances/{path}", {"acs_entrance_id": entrance_id})
        assert (error["status"], error["type"]) == (404, "acs_entrance_not_found")
    await acs.api.wrong("acs_entrance_id", f"/acs/entrances/{path}", {"acs_entrance_id": "lobby"})


async def test_a_door_that_is_removed_is_gone(acs: Acs) -> None:
    entrance_id = acs.device_id("door-pool")
    await acs.api.hub.removed("space", "door-pool", "It was deleted in Space.")
    await eventually(lambda: acs.api.hub.devices[entrance_id].removed_at is not None)
    error = await acs.api.refused("/acs/entrances/get", {"acs_entrance_id": entrance_id})
    assert error["type"] == "acs_entrance_not_found"
    assert await names(acs) == ["Lobby", "Shed", "Room 101"]
