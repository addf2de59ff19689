"""S60, two writers: what is made in Space shows in the hub, what is made through the hub is in Space, and both stay."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hubd_drivers.salto_space.sim import Quirks, Wiring
from hubd_drivers.salto_space.sim.schema import USER

from tests.scenarios.client import until
from tests.scenarios.space import TRANSPORTS, Premises, Transport, premises
from tests.scenarios.space_sides import agree, differences, in_space

pytestmark = pytest.mark.scenario

ANA = "Ana García 0"
UPDATE, INSERT, DELETE = "SaltoDBUser.Update", "SaltoDBUser.Insert", "SaltoDBUser.Delete"


@pytest.fixture(params=list(TRANSPORTS))
def transport(request: pytest.FixtureRequest) -> Transport:
    """Each way to the server."""
    return TRANSPORTS[request.param]


async def pending(home: Premises, user_id: str) -> list[dict[str, Any]]:
    """Return what of a user is not in Space yet."""
    return list((await home.user(user_id))["pending_mutations"])


async def update(home: Premises, user_id: str, **members: Any) -> dict[str, Any]:
    """Change a user by Space's id through the hub."""
    body = {"acs_user_id": (await home.user(user_id))["acs_user_id"], **members}
    return await home.client.ok("/acs/users/update", body)


async def test_what_is_made_in_space_shows_in_the_hub(transport: Transport, tmp_path: Path) -> None:
    async with premises(tmp_path, transport) as home:
        assert await differences(home) == []
        assert await home.events("acs_user.created", "acs_user.deleted") == [], "what was there is no news"
        operator = home.space.operator
        guest = operator.add_user("Noor", "de Vries", PhoneNumber="+31612345678")
        operator.join(guest, home.floor.group_id("Guests"))
        operator.add_group("Night shift")
        operator.rename_group(home.floor.group_id("Technicians"), "Engineers")
        operator.add_door("Wine cellar", Wiring.WIRED)
        operator.delete_user(gone := home.floor.user_id("Zoë García 2"))
        operator.ban_user(home.floor.user_id("José García 1"))
        await agree(home)

        created, deleted = [await home.events(f"acs_user.{fate}") for fate in ("created", "deleted")]
        assert [one["acs_user_id"] for one in created] == [(await home.user(guest))["acs_user_id"]]
        assert len(deleted) == 1
        assert gone not in await home.users()
        assert (await home.entrance("Wine cellar"))["can_unlock_with_cloud_key"] is True


async def test_what_is_made_through_the_hub_is_in_space(transport: Transport, tmp_path: Path) -> None:
    ends_at = (datetime.now(UTC) + timedelta(days=3)).replace(microsecond=0)
    async with premises(tmp_path, transport) as home:
        body = {
            "acs_system_id": (await home.system())["acs_system_id"],
            "full_name": "Marie-José van der Łęcki",
            "phone_number": "+31687654321",
            "access_schedule": {"starts_at": "2026-01-05T08:00:00Z", "ends_at": ends_at.isoformat()},
            "acs_access_group_ids": [await home.acs_group_id("Guests"), await home.acs_group_id("Technicians")],
        }
        made = (await home.client.ok("/acs/users/create", body))["acs_user"]
        assert made["pending_mutations"] == []
        user_id = made["salto_space_metadata"]["user_id"]
        there = in_space(home, home.floor.users[user_id])
        assert there == {
            "name": "Marie-José van der Łęcki",
            "phone": "+31687654321",
            "is_suspended": False,
            "starts_at": datetime(2026, 1, 5, 8, tzinfo=UTC),
            "ends_at": ends_at,
            "groups": {"Guests", "Technicians"},
            "card": None,
        }
        acs_user = {"acs_user_id": made["acs_user_id"]}
        await home.client.ok("/acs/users/suspend", acs_user)
        assert home.floor.users[user_id]["IsBanned"] == "1"
        await home.client.ok("/acs/users/unsuspend", acs_user)
        assert home.floor.users[user_id]["IsBanned"] == "0"
        pool = await home.entrance("Pool")
        await home.client.ok("/acs/entrances/grant_access", acs_user | {"acs_entrance_id": pool["acs_entrance_id"]})
        assert set(home.floor.linked("User_Door", user_id)) == {home.floor.door_id("Pool")}
        await home.client.ok("/acs/users/revoke_access_to_all_entrances", acs_user)
        assert in_space(home, home.floor.users[user_id])["groups"] == set()
        assert not home.floor.linked("User_Door", user_id)
        await home.client.ok("/acs/users/delete", acs_user)
        assert user_id not in home.floor.users
        level = await home.acs_group_id("Housekeeping")
        await home.client.ok("/acs/access_groups/delete", {"acs_access_group_id": level})
        assert "Housekeeping" not in {group.name for group in home.floor.groups}
        await agree(home)


@pytest.mark.parametrize(
    "quirks",
    [
        Quirks(),
        Quirks(scalars_left_out="reset", read_only_elements="refused"),
        Quirks(page_start="exclusive", eof="absent"),
    ],
    ids=["usual", "reset", "exclusive"],
)
async def test_edits_at_the_same_time_do_not_undo_each_other(quirks: Quirks, tmp_path: Path) -> None:
    """The operator saves at the very instant at which the hub is asked: what the hub knows is old each time."""
    async with premises(tmp_path, quirks=quirks, page_size=4) as home:
        ana, floor, operator = home.floor.user_id(ANA), home.floor, home.space.operator
        names = ["Guests", "Housekeeping", "Management", "Technicians"]
        groups = {name: floor.group_id(name) for name in names}
        acs_user_id = (await home.user(ana))["acs_user_id"]
        ids = {name: one["acs_access_group_id"] for name, one in (await home.groups()).items()}
        others = {user.id: set(floor.linked("User_Group", user.id)) for user in floor.users if user.id != ana}
        kept = {name: floor.users[ana][name] for name in ("GPF1", "PINCode", "PINEnabled", "AuditOpenings")}
        wanted = {groups["Guests"]}
        for number in range(6):
            mine, theirs = groups[names[number % 4]], groups[names[(number + 2) % 4]]
            is_in = number % 3 != 2  # every third time out of it
            operator.change(USER, ana, {"PhoneNumber": f"+3460000000{number}", "GPF2": f"Desk {number}"})
            operator.join(ana, theirs)
            wanted = {*wanted, mine, theirs} if is_in else {*wanted, theirs} - {mine}
            membership = {"acs_user_id": acs_user_id, "acs_access_group_id": ids[names[number % 4]]}
            await home.client.ok(f"/acs/users/{'add_to' if is_in else 'remove_from'}_access_group", membership)
            await home.client.ok("/acs/users/update", {"acs_user_id": acs_user_id, "full_name": f"Ana Round {number}"})
            there = in_space(home, floor.users[ana])
            assert (there["name"], there["phone"]) == (f"Ana Round {number}", f"+3460000000{number}")
            assert set(floor.linked("User_Group", ana)) == wanted, number
            assert floor.users[ana]["GPF2"] == f"Desk {number}"
        assert {name: floor.users[ana][name] for name in kept} == kept
        assert {one: set(floor.linked("User_Group", one)) for one in others} == others
        await agree(home)


async def test_a_server_that_only_adds_to_lists_loses_nothing_and_a_removal_is_not_called_done(tmp_path: Path) -> None:
    async with premises(tmp_path, quirks=Quirks(lists_on_update="merged")) as home:
        ana = home.floor.user_id(ANA)
        await home.member(ana, "Management")
        assert in_space(home, home.floor.users[ana])["groups"] == {"Guests", "Management"}
        body = {"acs_user_id": (await home.user(ana))["acs_user_id"]}
        body |= {"acs_access_group_id": await home.acs_group_id("Guests")}
        error = await home.client.refused("/acs/users/remove_from_access_group", body)
        assert error["type"] == "membership_not_taken"
        assert "make it in ProAccess Space" in error["message"]
        await agree(home)
        home.space.operator.part(ana, home.floor.group_id("Guests"))
        await agree(home)


async def test_a_record_that_is_open_in_space_waits_and_what_was_saved_there_stays(tmp_path: Path) -> None:
    async with premises(tmp_path) as home:
        ana, operator, counters = home.floor.user_id(ANA), home.space.operator, home.space.counters
        operator.opens_record(USER, ana)
        waiting = asyncio.create_task(update(home, ana, full_name="Ana Renamed"))
        await until(lambda: asyncio.sleep(0, counters.requests[UPDATE] > 0))
        assert [one["mutation_code"] for one in await pending(home, ana)] == ["updating_user_information"]
        assert in_space(home, home.floor.users[ana])["name"] == ANA

        operator.change(USER, ana, {"PhoneNumber": "+34911222333"})
        operator.join(ana, home.floor.group_id("Technicians"))
        operator.closes_record(USER, ana)
        await waiting
        await agree(home, 20.0)
        there = in_space(home, home.floor.users[ana])
        assert (there["name"], there["phone"]) == ("Ana Renamed", "+34911222333")
        assert there["groups"] == {"Guests", "Technicians"}
        assert (await home.user(ana))["errors"] == []


async def test_an_edit_while_the_server_is_away_is_made_when_it_is_back(tmp_path: Path) -> None:
    async with premises(tmp_path, hub="offline_grace_seconds = 0") as home:
        ana = home.floor.user_id(ANA)
        acs_user_id = (await home.user(ana))["acs_user_id"]
        await home.space.stop()
        await home.sees(home.is_cut_off)
        calls = [
            asyncio.create_task(update(home, ana, full_name="Ana Away", phone_number=None)),
            asyncio.create_task(home.client.ok("/acs/users/suspend", {"acs_user_id": acs_user_id})),
        ]
        wanted = {"updating_user_information", "updating_suspension_state"}

        async def is_pending() -> bool:
            return {one["mutation_code"] for one in await pending(home, ana)} == wanted

        await until(is_pending)
        home.space.operator.change(USER, ana, {"GPF3": "Blue"})
        await home.space.start()
        await asyncio.gather(*calls)
        await agree(home, 20.0)
        there = home.floor.users[ana]
        assert (there.name, there["PhoneNumber"], there["IsBanned"], there["GPF3"]) == ("Ana Away", "", "1", "Blue")


async def test_a_lost_answer_makes_nothing_twice(transport: Transport, tmp_path: Path) -> None:
    async with premises(tmp_path, transport) as home:
        faults, before = home.space.faults, {user.id for user in home.floor.users}
        faults.drop_reply(INSERT)
        faults.drop_reply(UPDATE, times=2)
        body = {"acs_system_id": (await home.system())["acs_system_id"], "full_name": "Only Once"}
        body |= {"acs_access_group_ids": [await home.acs_group_id("Guests")]}
        made = (await home.client.ok("/acs/users/create", body))["acs_user"]
        (user_id,) = {user.id for user in home.floor.users} - before
        assert made["salto_space_metadata"]["user_id"] == user_id
        assert in_space(home, home.floor.users[user_id])["groups"] == {"Guests"}
        await update(home, user_id, full_name="Only Once Again")
        assert home.floor.users[user_id].name == "Only Once Again"
        faults.drop_reply(DELETE)
        await home.client.ok("/acs/users/delete", {"acs_user_id": made["acs_user_id"]})
        await agree(home)
        assert {user.id for user in home.floor.users} == before
        for fate in ("created", "deleted"):
            assert [one["acs_user_id"] for one in await home.events(f"acs_user.{fate}")] == [made["acs_user_id"]]
        assert list(faults) == [], "each trouble was met"


async def test_what_space_refuses_for_good_is_said_and_leaves_nothing_behind(tmp_path: Path) -> None:
    async with premises(tmp_path, quirks=Quirks(licensed_users=15)) as home:
        body = {"acs_system_id": (await home.system())["acs_system_id"], "full_name": "One Too Many"}
        error = await home.client.refused("/acs/users/create", body)
        assert (error["status"], error["type"]) == (400, "licence_exceeded")
        assert "dealer" in error["message"]
        await home.reads_on()
        assert await differences(home) == []
        assert await home.events("acs_user.created") == []
