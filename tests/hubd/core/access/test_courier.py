"""Wishes on their way to a system: in order, again until they are held, and over a restart."""

import asyncio
from pathlib import Path

from hubd.core.access.courier import EDIT_SECONDS, End
from hubd.driver import Port
from hubd.model import Outcome, done, rejected, sent_unconfirmed, unreachable, unsupported
from hubd.model.access import (
    AccessChange,
    AcsGone,
    AcsGroup,
    AcsUser,
    CreateUser,
    DeleteGroup,
    DeleteUser,
    EditUser,
    RevokeAll,
    SetMembership,
)
from hubd.store.access import EditRecord, UserRecord
from tests.hubd.core.access.site import SPACE, AccessSite, System, access_site
from tests.support.clock import ManualClock
from tests.support.hub import lost, until
from tests.support.store import open_journal, refuse_writes, slow_disk, take_writes

ANNA = AcsUser("anna", "Anna Berger")
CREATE = CreateUser(subject="anna", user=ANNA)
RENAME = EditUser(subject="anna", full_name="Anna B.")
JOIN = SetMembership(subject="anna", group="staff", is_member=True)
DELETE = DeleteUser(subject="anna")
GONE = End("subject_gone", "What was to be changed is no more in the system.")


async def rest(site: AccessSite) -> None:
    """Let time pass until what failed may be tried again, and for once more."""
    await site.clock.advance(10)


async def test_a_system_that_is_connected_has_been_read_even_if_it_told_of_nothing_since(tmp_path: Path) -> None:
    async with access_site(tmp_path / "hub.db") as site:
        await until(lambda: _is_read(site))
        site.driver.end(lost())
        await until(lambda: not site.hub.health[SPACE].is_connected)
        site.driver.on_start = tell_anna
        await site.clock.advance(5)
        await until(lambda: site.hub.health[SPACE].is_connected)
        assert "acs_user.created" in await site.live.public()  # it came while the link was down


async def tell_anna(port: Port) -> None:
    await port.note(ANNA)


def _is_read(site: AccessSite) -> bool:
    system = site.desk.system(SPACE)
    return system is not None and system.is_read


# -- order -------------------------------------------------------------------------------------------------------------


async def test_changes_of_one_subject_are_made_in_the_order_in_which_they_were_wished(tmp_path: Path) -> None:
    async with access_site(tmp_path / "hub.db") as site:
        await site.anna()
        first = await site.wish(RENAME, JOIN)
        second = await site.wish(RevokeAll(subject="anna"))
        assert await site.desk.settle([*first, *second], 5) == [End(), End(), End()]
        assert site.system.changes == [RENAME, JOIN, RevokeAll(subject="anna")]
        assert await site.accepted() == [what for what, _ in await site.ended()]
        assert site.pending() == []


async def test_one_that_waits_holds_up_its_own_subject_and_nobody_else(tmp_path: Path) -> None:
    async with access_site(tmp_path / "hub.db") as site:
        await site.anna()
        await site.driver.living_port.note(AcsUser("ben", "Benjamin"))

        def take(change: AccessChange) -> Outcome:
            busy = rejected("record_open", "Somebody has it open.", {"is_temporary": True})
            return busy if change == RENAME else done()

        site.system.take = take
        ben = EditUser(subject="ben", full_name="Ben")
        edits = await site.wish(RENAME, JOIN)
        assert await site.settle(ben) == [End()]
        assert site.pending() == ["edit_user", "set_membership"]
        assert JOIN not in site.system.changes
        site.system.take = lambda _: done()
        waiting = asyncio.create_task(site.desk.settle(edits, 30))
        await rest(site)
        assert await waiting == [End(), End()]
        assert site.system.changes == [RENAME, ben, RENAME, JOIN]


async def test_one_change_at_a_time_is_made(tmp_path: Path) -> None:
    async with access_site(tmp_path / "hub.db") as site:
        await site.anna()
        await site.driver.living_port.note(AcsUser("ben", "Benjamin"))
        site.system.hold = asyncio.Event()
        await site.wish(RENAME)
        await site.wish(EditUser(subject="ben", full_name="Ben"))
        await until(lambda: site.system.under_way is not None)
        await site.clock.advance(1)
        assert site.system.changes == [RENAME]
        site.system.hold.set()
        await until(lambda: not site.pending())
        assert len(site.system.changes) == 2


# -- refusals ----------------------------------------------------------------------------------------------------------


async def test_what_is_refused_for_good_is_given_up_told_and_kept_at_the_subject(tmp_path: Path) -> None:
    async with access_site(tmp_path / "hub.db") as site:
        await site.anna()
        site.system.take = lambda _: rejected("name_too_long", "The name is too long.")
        assert await site.settle(RENAME) == [End("name_too_long", "The name is too long.")]
        assert await site.ended() == [("edit_user", "name_too_long")]
        problem = site.user().problem
        assert problem is not None
        assert (problem.what, problem.message, problem.at) == ("edit_user", "The name is too long.", site.clock.now())
        site.system.take = lambda _: unsupported("Space cannot do that.")
        assert (await site.settle(JOIN))[0] == End("not_supported", "Space cannot do that.")
        site.system.take = lambda _: done()
        assert await site.settle(RENAME) == [End()]
        assert site.user().problem is None


async def test_what_waited_beside_a_change_that_is_refused_does_not_hide_that(tmp_path: Path) -> None:
    async with access_site(tmp_path / "hub.db") as site:
        await site.anna()
        site.system.take = lambda change: rejected("name_too_long", "No.") if change == RENAME else done()
        site.system.hold = asyncio.Event()
        edits = await site.wish(RENAME, JOIN)
        await until(lambda: site.system.under_way is not None)
        await site.clock.advance(1)
        site.system.hold.set()
        assert await site.desk.settle(edits, 5) == [End("name_too_long", "No."), End()]
        problem = site.user().problem
        assert problem is not None
        assert problem.what == "edit_user"
        await site.clock.advance(1)
        assert await site.settle(JOIN) == [End()]
        assert site.user().problem is None


async def test_a_group_that_is_not_deleted_keeps_why(tmp_path: Path) -> None:
    async with access_site(tmp_path / "hub.db") as site:
        await site.driver.living_port.note(AcsGroup("staff", "Staff"))
        site.system.take = lambda _: rejected("in_use", "Somebody is in it.")
        await site.settle(DeleteGroup(subject="staff"))
        (group,) = site.desk.groups()
        assert group.problem is not None
        assert group.problem.message == "Somebody is in it."
        site.system.take = lambda _: done(noted=(AcsGone("group", "staff"),))
        assert await site.settle(DeleteGroup(subject="staff")) == [End()]
        assert list(site.desk.groups()) == []


async def test_what_has_no_answer_is_tried_again_later_each_time_until_it_is_held(tmp_path: Path) -> None:
    async with access_site(tmp_path / "hub.db") as site:
        await site.anna()
        ends = [unreachable("away", "The server is away."), sent_unconfirmed("No answer came."), done()]
        site.system.take = lambda _: ends.pop(0)
        (edit,) = await site.wish(RENAME)
        await until(lambda: _attempts(site) == 1)
        first = site.desk.pending(SPACE)[0]
        assert first.trouble is not None
        assert (first.id, first.is_sent, first.trouble.code) == (edit.id, True, "away")
        began = site.clock.now()
        assert 4 <= (first.trouble.retry_at - began).total_seconds() <= 6
        await site.clock.advance(3)
        assert len(site.system.changes) == 1
        await site.clock.advance(4)
        await until(lambda: _attempts(site) == 2)
        second = site.desk.pending(SPACE)[0].trouble
        assert second is not None
        assert (second.since, second.message) == (began, "No answer came.")
        await site.clock.advance(20)
        await until(lambda: not site.pending())
        assert await site.ended() == [("edit_user", "")]
        assert site.system.changes == [RENAME] * 3


def _attempts(site: AccessSite) -> int:
    (edit,) = site.desk.pending(SPACE)
    return 0 if edit.trouble is None else edit.trouble.attempts


async def test_a_system_that_does_not_answer_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    async with access_site(tmp_path / "hub.db") as site:
        await site.anna()
        site.system.hold = asyncio.Event()
        await site.wish(RENAME)
        await until(lambda: site.system.under_way is not None)
        await site.clock.advance(EDIT_SECONDS + 1)
        await until(lambda: _attempts(site) == 1)
        trouble = site.desk.pending(SPACE)[0].trouble
        assert trouble is not None
        assert trouble.code == "no_answer"


async def test_a_clock_that_is_set_back_makes_nobody_wait(tmp_path: Path) -> None:
    async with access_site(tmp_path / "hub.db") as site:
        await site.anna()
        ends = [unreachable("away", "The server is away."), done()]
        site.system.take = lambda _: ends.pop(0)
        await site.wish(RENAME)
        await until(lambda: _attempts(site) == 1)
        site.clock.step(-86_400)
        await site.clock.advance(11)
        await until(lambda: not site.pending())


# -- links and lives ---------------------------------------------------------------------------------------------------


async def test_nothing_is_sent_while_the_link_is_down_and_everything_once_it_is_back(tmp_path: Path) -> None:
    async with access_site(tmp_path / "hub.db") as site:
        await site.anna()
        site.driver.on_start = refuse
        site.driver.end(lost())
        await until(lambda: not site.hub.health[SPACE].is_connected)
        edits = await site.wish(RENAME)
        await site.clock.advance(60)
        assert (site.system.changes, site.desk.pending(SPACE)[0].is_sent) == ([], False)
        waiting = asyncio.create_task(site.desk.settle(edits, 300))
        site.driver.on_start = None
        await site.clock.advance(120)
        assert await waiting == [End()]
        assert site.system.changes == [RENAME]


async def refuse(_: Port) -> None:
    raise lost()


async def test_a_wish_outlives_a_restart_with_its_place_and_its_tries(tmp_path: Path) -> None:
    path, clock = tmp_path / "hub.db", ManualClock()
    system = System()
    system.take = lambda _: sent_unconfirmed("No answer came.")
    async with access_site(path, system=system, clock=clock) as site:
        await site.anna()
        await site.wish(RENAME, JOIN)
        await until(lambda: site.desk.pending(SPACE)[0].trouble is not None)
        before = site.desk.pending(SPACE)
    async with open_journal(path, clock) as journal:
        kept = sorted(journal.tables.access.all(EditRecord).values(), key=lambda edit: edit.number)
        assert kept == before
    again = System()
    async with access_site(path, system=again, clock=clock) as site:
        await site.clock.advance(20)
        await until(lambda: not site.pending())
        assert again.changes == [RENAME, JOIN]
        assert await site.ended() == [("edit_user", ""), ("set_membership", "")]
        (third,) = await site.wish(RENAME)
        assert third.by == "k"
        await until(lambda: not site.pending())


async def test_a_hub_that_stops_begins_nothing_more(tmp_path: Path) -> None:
    async with access_site(tmp_path / "hub.db") as site:
        await site.anna()
        site.desk.close()
        await site.wish(RENAME)
        await site.clock.advance(60)
        assert (site.system.changes, site.pending()) == ([], ["edit_user"])


async def test_a_disk_that_refuses_holds_up_and_loses_nothing(tmp_path: Path) -> None:
    async with access_site(tmp_path / "hub.db") as site:
        await site.anna()
        site.system.hold = asyncio.Event()
        edits = await site.wish(RENAME)
        await until(lambda: site.system.under_way is not None)
        await refuse_writes(site.hub.journal.database)
        site.system.hold.set()
        await until(lambda: site.system.under_way is None)
        await site.clock.advance(3)
        assert (site.pending(), (await site.ended())) == (["edit_user"], [])
        await take_writes(site.hub.journal.database)
        waiting = asyncio.create_task(site.desk.settle(edits, 30))
        await site.clock.advance(5)
        assert await waiting == [End()]
        assert set(map(type, site.system.changes)) == {EditUser}
        assert await site.ended() == [("edit_user", "")]


# -- people who come and go --------------------------------------------------------------------------------------------


async def test_a_delete_that_comes_before_the_create_arrived_leaves_nobody(tmp_path: Path) -> None:
    async with access_site(tmp_path / "hub.db") as site:
        site.system.hold = asyncio.Event()
        create = await site.wish(CREATE)
        assert (site.user().is_present, site.user().user) == (False, ANNA)
        await until(lambda: site.system.under_way is not None)
        delete = await site.wish(DELETE)
        site.system.hold.set()
        assert await site.desk.settle([*create, *delete], 5) == [End(), End()]
        assert site.system.changes == [CREATE, DELETE]
        assert list(site.desk.users()) == []
        assert "acs_user.created" not in await site.live.public()


async def test_somebody_whom_the_system_told_of_and_who_is_deleted_is_told_of_as_gone_once(tmp_path: Path) -> None:
    async with access_site(tmp_path / "hub.db") as site:
        site.system.take = lambda change: done(noted=(ANNA,)) if change == CREATE else done()
        assert await site.settle(CREATE, DELETE) == [End(), End()]
        await site.driver.living_port.note(AcsGone("user", "anna"))
        told = [public for public in await site.live.public() if public.startswith("acs_user")]
        assert told == ["acs_user.created", "acs_user.deleted"]


async def test_what_was_wished_of_somebody_whom_the_system_does_not_take_is_given_up_except_that_they_go(
    tmp_path: Path,
) -> None:
    async with access_site(tmp_path / "hub.db") as site:
        site.system.take = lambda change: rejected("no_licence", "No licence.") if change == CREATE else done()
        site.system.hold = asyncio.Event()
        edits = await site.wish(CREATE, JOIN, RENAME, DELETE)
        waiting = asyncio.create_task(site.desk.settle(edits, 5))
        await until(lambda: site.system.under_way is not None)
        site.system.hold.set()
        assert await waiting == [End("no_licence", "No licence."), GONE, GONE, End()]
        assert site.system.changes == [CREATE, DELETE]
        assert await site.ended() == [
            ("create_user", "no_licence"),
            ("set_membership", "subject_gone"),
            ("edit_user", "subject_gone"),
            ("delete_user", ""),
        ]
        assert list(site.desk.users()) == []


async def test_somebody_whom_the_system_did_not_take_stays_with_the_reason_until_they_are_forgotten(
    tmp_path: Path,
) -> None:
    async with access_site(tmp_path / "hub.db") as site:
        site.system.take = lambda _: rejected("no_licence", "No licence.")
        await site.settle(CREATE)
        problem = site.user().problem
        assert problem is not None
        assert (site.user().is_present, problem.message) == (False, "No licence.")
        await site.desk.forget_user(site.user().id)
        assert list(site.desk.users()) == []
        assert "acs_user.deleted" not in await site.live.public()


async def test_with_somebody_who_goes_in_the_system_end_the_wishes_that_wait(tmp_path: Path) -> None:
    async with access_site(tmp_path / "hub.db") as site:
        await site.anna()
        site.system.take = lambda _: unreachable("away", "The server is away.")
        edits = await site.wish(RENAME, JOIN, DELETE)
        waiting = asyncio.create_task(site.desk.settle(edits, 60))
        await until(lambda: site.desk.pending(SPACE)[0].trouble is not None)
        await site.driver.living_port.note(AcsGone("user", "anna"))
        assert await waiting == [GONE, GONE, End()]
        assert site.pending() == []
        assert await site.ended() == [
            ("edit_user", "subject_gone"),
            ("set_membership", "subject_gone"),
            ("delete_user", ""),
        ]


async def test_a_wish_that_ends_just_before_it_is_sent_is_not_brought_back(tmp_path: Path) -> None:
    async with access_site(tmp_path / "hub.db") as site:
        user, journal = await site.anna(), site.hub.journal
        site.driver.end(lost())
        site.driver.on_start = None
        await until(lambda: not site.hub.health[SPACE].is_connected)
        await site.wish(RENAME)
        async with slow_disk(journal):  # so that what follows is one batch, with the courier's own step at its end
            held = asyncio.create_task(journal.transact(lambda _: None))
            await asyncio.sleep(0)
            gone = asyncio.create_task(site.hub.note(SPACE, (AcsGone("user", "anna"),), None))
            await site.clock.advance(2)
            assert site.hub.health[SPACE].is_connected
        await asyncio.gather(held, gone)
        await site.clock.advance(30)
        assert (site.pending(), site.system.changes) == ([], [])
        assert user.id not in journal.tables.access.all(UserRecord)
        assert await site.ended() == [("edit_user", "subject_gone")]


async def test_a_wish_whose_subject_goes_while_it_is_under_way_ends_once(tmp_path: Path) -> None:
    async with access_site(tmp_path / "hub.db") as site:
        await site.anna()
        site.system.hold = asyncio.Event()
        edits = await site.wish(RENAME)
        waiting = asyncio.create_task(site.desk.settle(edits, 60))
        await until(lambda: site.system.under_way is not None)
        await site.driver.living_port.note(AcsGone("user", "anna"))
        site.system.take = lambda _: rejected("no_such_user", "There is no such user.")
        site.system.hold.set()
        assert await waiting == [GONE]
        assert await site.ended() == [("edit_user", "subject_gone")]


async def test_what_was_read_back_is_known_with_the_end(tmp_path: Path) -> None:
    async with access_site(tmp_path / "hub.db") as site:
        await site.anna()
        held = AcsUser("anna", "Anna B.")
        site.system.take = lambda _: done(noted=(held,))
        await site.settle(RENAME)
        assert site.user().user == held
