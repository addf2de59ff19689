"""Changes of people and access levels, against every reading of the protocol."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from hubd_drivers.salto_space.edits import Edits
from hubd_drivers.salto_space.people import People
from hubd_drivers.salto_space.sim import Quirks, Site, Space, Stp, Trouble
from hubd_drivers.salto_space.sim.schema import GROUP, USER

from hubd.driver.contract import check_outcome
from hubd.model import (
    AccessChange,
    AcsGone,
    AcsUser,
    CreateUser,
    DeleteGroup,
    DeleteUser,
    EditUser,
    Outcome,
    OutcomeKind,
    PermitEntrance,
    RevokeAll,
    SetMembership,
)
from tests.drivers.salto_space.linked import HastyClock, config_for, linked
from tests.drivers.salto_space.named import named_by

ENDS = datetime(2027, 5, 1, 22, tzinfo=UTC)
UPDATE, INSERT = "SaltoDBUser.Update", "SaltoDBUser.Insert"


class Bench(NamedTuple):
    space: Space
    edits: Edits

    @property
    def site(self) -> Site:
        return self.space.site

    async def make(self, change: AccessChange) -> Outcome:
        outcome = await self.edits.make(change)
        check_outcome(outcome)
        return outcome

    async def done(self, change: AccessChange) -> AcsUser:
        outcome = await self.make(change)
        assert outcome.kind is OutcomeKind.DONE, outcome
        (noted,) = outcome.noted
        assert isinstance(noted, AcsUser)
        return noted


@asynccontextmanager
async def bench(quirks: Quirks | None = None, **keys: Any) -> AsyncIterator[Bench]:
    clock = HastyClock()
    async with linked(quirks=quirks, clock=clock, **keys) as (client, space):
        config = await config_for(space.port, Stp(), **keys)
        yield Bench(space, Edits(client, People(config), config, clock, asyncio.Lock()))


def everything_else(site: Site, *but: str) -> dict[str, dict[str, str]]:
    """Return all users but these, whole."""
    links = {user.id: site.linked("User_Group", user.id) for user in site.users}
    return {
        user.id: user.values | {"groups": ",".join(sorted(links[user.id]))} for user in site.users if user.id not in but
    }


QUIRKS = (
    Quirks(),
    Quirks(scalars_left_out="reset", unknown_elements="refused", read_only_elements="refused"),
    Quirks(page_start="exclusive", page_order="made", page_cap=3),
    Quirks(eof="absent", membership_ids="far", text="iso-8859-1", line_breaks=True),
)


@pytest.mark.parametrize("quirks", QUIRKS, ids=named_by)
async def test_an_edit_changes_what_it_names_and_nothing_else(quirks: Quirks) -> None:
    async with bench(quirks) as b:
        user = b.site.user_id("Ana")
        before, others = dict(b.site.users[user].values), everything_else(b.site, user)
        held = await b.done(EditUser(subject=user, full_name="Áine Ní Bhriain", ends_at=ENDS, is_suspended=True))
        assert (held.full_name, held.ends_at, held.is_suspended) == ("Áine Ní Bhriain", ENDS, True)
        after = b.site.users[user].values
        changed = {name for name in after if after[name] != before.get(name)}
        assert changed <= {"FirstName", "LastName", "UserExpiration.Enabled", "UserExpiration", "IsBanned"}
        assert after["PINCode"] == before["PINCode"]
        assert everything_else(b.site, user) == others
        free = await b.done(EditUser(subject=user, ends_at=None, starts_at=None, phone_number=None, is_suspended=False))
        assert (free.ends_at, free.starts_at, free.phone_number, free.is_suspended) == (None, None, None, False)


@pytest.mark.parametrize("quirks", QUIRKS, ids=named_by)
async def test_a_membership_is_one_and_no_other(quirks: Quirks) -> None:
    async with bench(quirks) as b:
        user, group = b.site.user_id("Ana"), b.site.group_id("Technicians")
        (first,) = b.site.linked("User_Group", user)
        others = everything_else(b.site, user)
        held = await b.done(SetMembership(subject=user, group=group, is_member=True))
        assert set(held.groups) == {first, group}
        await b.done(SetMembership(subject=user, group=group, is_member=True))
        held = await b.done(SetMembership(subject=user, group=first, is_member=False))
        assert held.groups == (group,)
        held = await b.done(SetMembership(subject=user, group=group, is_member=False))
        assert held.groups == ()
        assert not b.site.linked("User_Group", user)
        assert everything_else(b.site, user) == others


async def test_lists_that_are_only_added_to_are_said_and_not_believed() -> None:
    async with bench(Quirks(lists_on_update="merged")) as b:
        user = b.site.user_id("Ana")
        (group,) = b.site.linked("User_Group", user)
        more = b.site.group_id("Technicians")
        assert (await b.done(SetMembership(subject=user, group=more, is_member=True))).groups == tuple(
            sorted((group, more))
        )
        for change in (SetMembership(subject=user, group=group, is_member=False), RevokeAll(subject=user)):
            outcome = await b.make(change)
            assert outcome.kind is OutcomeKind.REJECTED
            assert outcome.code in {"membership_not_taken", "rights_not_taken_away"}
        assert set(b.site.linked("User_Group", user)) == {group, more}


@pytest.mark.parametrize("quirks", QUIRKS, ids=named_by)
async def test_a_user_is_made_once(quirks: Quirks) -> None:
    async with bench(quirks) as b:
        groups = tuple(sorted((b.site.group_id("Guests"), b.site.group_id("Technicians"))))
        wish = CreateUser(
            subject="hub-1", user=AcsUser("hub-1", "Zoë von Übel", phone_number="+34600", ends_at=ENDS, groups=groups)
        )
        held = await b.done(wish)
        assert held == AcsUser(
            "hub-1", "Zoë von Übel", phone_number="+34600", ends_at=ENDS, audits_openings=True, groups=groups
        )
        count = len(b.site.users)
        assert await b.done(wish) == held, "the first answer may never have arrived"
        assert len(b.site.users) == count


async def test_a_user_of_somebody_else_under_the_same_id_is_left_alone() -> None:
    async with bench() as b:
        taken = b.site.user_id("Ana")
        outcome = await b.make(CreateUser(subject=taken, user=AcsUser(taken, "Somebody else")))
        assert (outcome.kind, outcome.code) == (OutcomeKind.REJECTED, "user_exists")
        assert b.site.users[taken]["FirstName"] == "Ana"


@pytest.mark.parametrize("quirks", QUIRKS, ids=named_by)
async def test_deleting_is_done_also_the_second_time(quirks: Quirks) -> None:
    async with bench(quirks) as b:
        user, group = b.site.user_id("Ana"), b.site.group_id("Guests")
        for _ in range(2):
            outcome = await b.make(DeleteUser(subject=user))
            assert (outcome.kind, outcome.noted) == (OutcomeKind.DONE, (AcsGone("user", user),))
            outcome = await b.make(DeleteGroup(subject=group))
            assert (outcome.kind, outcome.noted) == (OutcomeKind.DONE, (AcsGone("group", group),))
        assert user not in b.site.users
        assert group not in b.site.groups


async def test_access_levels_that_are_not_listed_can_be_deleted() -> None:
    async with bench(Quirks(group_list=False)) as b:
        group = b.site.group_id("Guests")
        assert (await b.make(DeleteGroup(subject=group))).kind is OutcomeKind.DONE
        assert group not in b.site.groups


@pytest.mark.parametrize("quirks", QUIRKS, ids=named_by)
async def test_rights_to_doors_come_and_go(quirks: Quirks) -> None:
    async with bench(quirks) as b:
        user, door = b.site.user_id("Ana"), b.site.door_id("Garage")
        before = set(b.site.linked("User_Door", user))
        assert before
        held = await b.done(PermitEntrance(subject=user, entrance=door))
        assert {right.native_id for right in held.entrances} == before | {door}
        writes = b.space.counters.requests[UPDATE]
        await b.done(PermitEntrance(subject=user, entrance=door))
        assert b.space.counters.requests[UPDATE] == writes, "what is there is not written again"
        held = await b.done(RevokeAll(subject=user))
        assert (held.groups, held.entrances, held.zones) == ((), (), ())
        assert not b.site.linked("User_Door", user)
        assert not b.site.linked("User_Group", user)


@pytest.mark.parametrize("trouble", ["drop_reply", "drop_request", "half", "junk"])
async def test_a_lost_answer_is_looked_into(trouble: str) -> None:
    async with bench() as b:
        user, group = b.site.user_id("Ana"), b.site.group_id("Technicians")
        changes: tuple[tuple[str, AccessChange], ...] = (
            (UPDATE, EditUser(subject=user, full_name="Eva Ruiz")),
            (UPDATE, SetMembership(subject=user, group=group, is_member=True)),
            (INSERT, CreateUser(subject="new", user=AcsUser("new", "New One"))),
            ("SaltoDBGroup.Delete", DeleteGroup(subject=b.site.group_id("Guests"))),
            ("SaltoDBUser.Delete", DeleteUser(subject=user)),
        )
        for name, change in changes:
            faults = b.space.faults
            match trouble:
                case "drop_reply":
                    faults.drop_reply(name)
                case "drop_request":
                    faults.drop_request(name)
                case "half":
                    faults.garble(name, Trouble.HALF)
                case _:
                    faults.garble(name, Trouble.JUNK)
            outcome = await b.make(change)
            if trouble == "junk" and isinstance(change, CreateUser):  # the client does not repeat that one
                assert outcome.kind is OutcomeKind.SENT_UNCONFIRMED
                outcome = await b.make(change)
            assert outcome.kind is OutcomeKind.DONE, (trouble, outcome)
            faults.clear()


async def test_a_server_that_is_gone_is_told_honestly() -> None:
    async with bench() as b:
        user = b.site.user_id("Ana")
        b.space.faults.drop_reply(UPDATE, 9)
        wish = EditUser(subject=user, is_suspended=True)
        b.space.faults.drop_request("SaltoDBUserList.Read", 9)
        assert (await b.make(wish)).kind in {OutcomeKind.SENT_UNCONFIRMED, OutcomeKind.UNREACHABLE}
        b.space.faults.clear()
        await b.space.stop()
        outcome = await b.make(wish)
        assert outcome.kind is OutcomeKind.UNREACHABLE, outcome
        await b.space.start()
        assert (await b.done(wish)).is_suspended


async def test_a_record_that_is_open_on_a_screen_is_waited_for_and_then_left_for_later() -> None:
    async with bench() as b:
        user = b.site.user_id("Ana")
        b.space.operator.opens_record(USER, user)
        outcome = await b.make(EditUser(subject=user, is_suspended=True))
        assert (outcome.kind, outcome.code) == (OutcomeKind.REJECTED, "user_locked")
        assert outcome.detail["is_temporary"] is True
        assert b.space.counters.requests[UPDATE] > 3
        b.space.operator.closes_record(USER, user)
        await b.done(EditUser(subject=user, is_suspended=True))
        b.space.operator.opens_record(GROUP, b.site.group_id("Guests"))
        outcome = await b.make(DeleteGroup(subject=b.site.group_id("Guests")))
        assert (outcome.code, outcome.detail["is_temporary"]) == ("record_locked", True)


async def test_what_is_saved_on_the_screen_meanwhile_stays() -> None:
    async with bench() as b:
        user, operator = b.site.user_id("Ana"), b.space.operator
        operator.opens_record(USER, user)
        refused = b.space.faults.hold(UPDATE, after=True)
        task = asyncio.create_task(b.make(EditUser(subject=user, is_suspended=True)))
        await refused.reached.wait()
        operator.change(USER, user, {"PhoneNumber": "+34911222333", "GPF2": "Blue"})
        operator.closes_record(USER, user)
        refused.release()
        assert (await task).kind is OutcomeKind.DONE
        record = b.site.users[user]
        assert (record["IsBanned"], record["PhoneNumber"], record["GPF2"]) == ("1", "+34911222333", "Blue")


@pytest.mark.parametrize(
    ("code", "name", "is_temporary"),
    [(13, "licence_missing", None), (1, "database_problem", True), (204, "access_levels_not_valid", None)],
)
async def test_refusals(code: int, name: str, is_temporary: bool | None) -> None:  # noqa: FBT001
    async with bench() as b:
        b.space.faults.refuse(UPDATE, code)
        outcome = await b.make(EditUser(subject=b.site.user_id("Ana"), is_suspended=True))
        assert (outcome.kind, outcome.code) == (OutcomeKind.REJECTED, name)
        assert outcome.detail.get("is_temporary") is is_temporary


async def test_nobody_who_is_not_there_is_edited() -> None:
    async with bench() as b:
        for change in (
            EditUser(subject="nobody", is_suspended=True),
            SetMembership(subject="nobody", group="x", is_member=True),
            RevokeAll(subject="nobody"),
        ):
            assert (await b.make(change)).code == "user_not_found"
        outcome = await b.make(SetMembership(subject=b.site.user_id("Ana"), group="nowhere", is_member=True))
        assert (outcome.kind, outcome.code) == (OutcomeKind.REJECTED, "not_found")


async def test_what_xml_cannot_hold_is_refused_for_good() -> None:
    async with bench() as b:
        outcome = await b.make(EditUser(subject=b.site.user_id("Ana"), full_name="A\x01B"))
        assert (outcome.kind, outcome.code) == (OutcomeKind.REJECTED, "invalid_value")


async def test_an_operator_who_changes_the_list_meanwhile_loses_nothing() -> None:
    """The list is emptied only if a second reading shows that the last member is the one that is to go."""
    async with bench() as b:
        user = b.site.user_id("Ana")
        (group,) = b.site.linked("User_Group", user)
        more = b.site.group_id("Technicians")
        held = b.space.faults.hold("SaltoDBUserList.Read", after=True)
        task = asyncio.create_task(b.make(SetMembership(subject=user, group=group, is_member=False)))
        await held.reached.wait()
        b.space.operator.join(user, more)
        held.release()
        outcome = await task
        assert (outcome.code, outcome.detail["is_temporary"]) == ("record_changed", True)
        assert set(b.site.linked("User_Group", user)) == {group, more}
        assert (await b.done(SetMembership(subject=user, group=group, is_member=False))).groups == (more,)


async def test_a_change_that_space_does_not_keep_is_said() -> None:
    async with bench() as b:
        user = b.site.user_id("Ana")
        held = b.space.faults.hold(UPDATE, after=True)
        task = asyncio.create_task(b.make(EditUser(subject=user, full_name="Eva Ruiz")))
        await held.reached.wait()
        b.space.operator.rename_user(user, "Nobody", "Else")
        held.release()
        assert (await task).code == "change_not_taken"


async def test_a_suspended_user_keeps_a_time_frame_that_is_over() -> None:
    async with bench() as b:
        user = b.site.user_id("Ana")
        over = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
        assert (await b.done(EditUser(subject=user, ends_at=over))).ends_at == over
        assert (await b.done(EditUser(subject=user, is_suspended=True))).ends_at == over


async def test_a_deletion_that_never_arrived_is_not_called_refused() -> None:
    async with bench() as b:
        user, group = b.site.user_id("Ana"), b.site.group_id("Guests")
        for name, change in (("User", DeleteUser(subject=user)), ("Group", DeleteGroup(subject=group))):
            b.space.faults.drop_request(f"SaltoDB{name}.Delete", 2)
            outcome = await b.make(change)
            assert outcome.kind is OutcomeKind.SENT_UNCONFIRMED, "it is made again later"
            assert (await b.make(change)).kind is OutcomeKind.DONE


async def test_levels_that_are_not_told_are_not_called_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    async with bench() as b:
        user = b.site.user_id("Ana")
        (group,) = b.site.linked("User_Group", user)
        monkeypatch.setattr("hubd_drivers.salto_space.people.USER_LISTS", ())
        for change in (SetMembership(subject=user, group=group, is_member=False), RevokeAll(subject=user)):
            outcome = await b.make(change)
            assert (outcome.kind, outcome.code) == (OutcomeKind.REJECTED, "memberships_not_told")
        assert list(b.site.linked("User_Group", user)) == [group]


async def test_an_end_at_the_end_of_time() -> None:
    async with bench() as b:
        end = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
        held = await b.done(EditUser(subject=b.site.user_id("Ana"), ends_at=end))
        assert held.ends_at is not None
        assert held.ends_at.year == end.year
