"""The desk over a running hub: what is known is handed out, what is wished is durable or refused, exactly once."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from hubd.core.access import desk as desk_module
from hubd.core.access.courier import End
from hubd.driver import Port
from hubd.model import done, rejected, sent_unconfirmed
from hubd.model.access import (
    AcsGone,
    AcsGroup,
    AcsUser,
    AcsZone,
    AuditEntry,
    Card,
    CreateUser,
    DeleteGroup,
    EditUser,
    Permission,
)
from hubd.model.access_event import AccessEditAccepted, CredentialChanged, EntranceAudited
from hubd.model.command import EncodeCredential
from hubd.model.errors import BusyError, HubError, NotFoundError, RefusedError, StoreError
from hubd.model.outcome import OutcomeKind
from hubd.store.access import CredentialRecord, EditRecord, SystemRecord, UserRecord
from hubd.store.tables import View
from tests.hubd.core.access.scene import line
from tests.hubd.core.access.site import SPACE, AccessSite, System, access_site, door, encoder
from tests.support.clock import NOON
from tests.support.hub import ScriptedDriver, bare_hub, live_hub, lost, until
from tests.support.store import open_journal, refuse_writes, take_writes

RENAME = EditUser(subject="anna", full_name="Anna B.")
CREATE = CreateUser(subject="anna", user=AcsUser("anna", "Anna"))


async def refused(what: Any) -> str:
    with pytest.raises(HubError) as caught:
        await what
    return caught.value.code


# -- what is known -----------------------------------------------------------------------------------------------------


async def test_what_a_system_holds_is_handed_out_by_kind_and_id(tmp_path: Path) -> None:
    async with access_site(tmp_path / "hub.db") as site:
        desk, port = site.desk, site.driver.living_port
        staff = AcsGroup("staff", "Staff", zones=(Permission("floor"),))
        await port.note(staff, AcsZone("floor", "Floor", entrances=("r1",)))
        user = await site.anna(groups=("staff",), card=Card(number="A1"))
        (group,) = desk.groups()
        (credential,) = desk.credentials()
        assert (list(desk.users()), group.group) == ([user], staff)
        assert (desk.user(user.id), desk.group(group.id), desk.credential(credential.id)) == (user, group, credential)
        assert desk.reach(SPACE).of_user(user.user) == {"r1"}
        assert desk.instances == (SPACE,)
        system = desk.system(SPACE)
        assert system is not None
        assert (system.id, system.is_read) == (desk.notes.system_id(SPACE), True)
        assert port.held("user") == {"anna"}
        assert (port.held("group"), port.held("zone")) == (frozenset({"staff"}), frozenset({"floor"}))
        assert repr(user) == f"UserRecord({user.id!r})"


@pytest.mark.parametrize(
    ("kind", "code"), [("user", "acs_user"), ("group", "acs_access_group"), ("credential", "acs_credential")]
)
async def test_what_is_not_there_is_not_found(tmp_path: Path, kind: str, code: str) -> None:
    async with access_site(tmp_path / "hub.db") as site:
        user = await site.anna()
        for wrong in ("nobody", site.desk.notes.system_id(SPACE), user.id if kind != "user" else "x"):
            with pytest.raises(NotFoundError) as caught:
                getattr(site.desk, kind)(wrong)
            assert caught.value.code == f"{code}_not_found"


async def test_of_a_system_that_is_not_configured_any_more_nothing_is_handed_out(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    async with access_site(path) as site:
        user = await site.anna(card=Card(number="A1"))
    async with bare_hub(path, site.clock) as hub:
        assert (list(hub.access.users()), list(hub.access.credentials()), hub.access.instances) == ([], [], ())
        with pytest.raises(NotFoundError):
            hub.access.user(user.id)
        assert user.id in hub.journal.tables.access.all(UserRecord)


async def test_what_was_there_when_it_was_read_first_is_no_event_but_what_comes_then_is(tmp_path: Path) -> None:
    async def read(port: Port) -> None:
        await port.note(AcsUser("anna", "Anna", card=Card(number="A1")))
        await port.note(AcsUser("ben", "Ben"))

    async with access_site(tmp_path / "hub.db", on_start=read) as site:
        assert await site.live.public() == ["acs_system.added", "acs_system.connected"]
        await site.driver.living_port.note(AcsUser("cleo", "Cleo", card=Card(number="C3")))
        assert (await site.live.public())[2:] == ["acs_credential.issued", "acs_user.created"]


# -- wishes ------------------------------------------------------------------------------------------------------------


async def test_wishes_of_one_call_are_all_taken_or_none(tmp_path: Path) -> None:
    async with access_site(tmp_path / "hub.db") as site:
        head = site.hub.journal.head

        def also(_: View, edits: Any) -> None:
            assert len(edits) == 2
            raise RefusedError("no", "It is not to be.")

        assert await refused(site.wish(CREATE, RENAME, also=also)) == "no"
        assert (site.hub.journal.head, list(site.desk.users()), site.pending()) == (head, [], [])
        edits = await site.wish(CREATE, RENAME, email_address="anna@example.com")
        assert [edit.number for edit in edits] == [1, 2]
        assert {edit.subject_id for edit in edits} == {site.user().id}
        assert site.user().email_address == "anna@example.com"
        rows = await site.live.rows("access_edit.accepted")
        assert [row.event.by for row in rows if isinstance(row.event, AccessEditAccepted)] == ["k", "k"]


async def test_a_wish_about_a_group_is_about_the_group(tmp_path: Path) -> None:
    async with access_site(tmp_path / "hub.db") as site:
        await site.driver.living_port.note(AcsGroup("staff", "Staff"))
        (edit,) = await site.wish(DeleteGroup(subject="staff"))
        assert edit.subject_id == site.desk.notes.group_id(SPACE, "staff")


async def test_a_wish_that_the_disk_refuses_is_none(tmp_path: Path) -> None:
    async with access_site(tmp_path / "hub.db") as site:
        await refuse_writes(site.hub.journal.database)
        with pytest.raises(StoreError):
            await site.wish(CREATE)
        assert (site.pending(), list(site.desk.users())) == ([], [])
        await take_writes(site.hub.journal.database)
        assert await site.settle(CREATE) == [End()]
        assert len(site.system.changes) == 1


async def test_too_many_wishes_are_refused_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_module, "MOST_PENDING", 3)
    async with access_site(tmp_path / "hub.db") as site:
        site.system.hold = asyncio.Event()
        await site.wish(CREATE, RENAME)
        with pytest.raises(BusyError):
            await site.wish(RENAME, RENAME)
        assert len(await site.wish(RENAME)) == 1
        assert site.pending() == ["create_user", "edit_user", "edit_user"]
        site.system.hold.set()
        await until(lambda: not site.pending())


async def test_waiting_for_a_wish_has_an_end_and_the_wish_goes_on(tmp_path: Path) -> None:
    async with access_site(tmp_path / "hub.db") as site:
        await site.anna()
        site.system.hold = asyncio.Event()
        waiting = asyncio.create_task(site.desk.settle(await site.wish(RENAME), 5))
        await until(lambda: site.system.under_way is not None)
        await site.clock.advance(6)
        assert await waiting == [None]
        assert await site.desk.settle([], 5) == []
        site.system.hold.set()
        await until(lambda: not site.pending())
        assert await site.ended() == [("edit_user", "")]


async def test_of_several_wishes_those_that_ended_are_told_and_the_others_not(tmp_path: Path) -> None:
    async with access_site(tmp_path / "hub.db") as site:
        await site.anna()
        busy = rejected("record_open", "Somebody has it open.", {"is_temporary": True})
        site.system.take = lambda change: done() if change == RENAME else busy
        edits = await site.wish(RENAME, EditUser(subject="anna", is_suspended=True))
        waiting = asyncio.create_task(site.desk.settle(edits, 3))
        await until(lambda: site.pending() == ["edit_user"] and site.desk.pending(SPACE)[0].trouble is not None)
        await site.clock.advance(3)
        assert await waiting == [End(), None]


async def test_a_problem_can_be_forgiven(tmp_path: Path) -> None:
    async with access_site(tmp_path / "hub.db") as site:
        await site.anna()
        site.system.take = lambda _: rejected("no", "No.")
        await site.settle(RENAME)
        assert site.user().problem is not None
        await site.desk.forgive(site.user().id)
        assert site.user().problem is None
        await site.desk.forgive("nobody")


async def test_an_address_is_kept_here_alone_and_only_who_was_never_taken_can_be_forgotten(tmp_path: Path) -> None:
    async with access_site(tmp_path / "hub.db") as site:
        await site.anna()
        await site.desk.keep_email(site.user().id, "anna@example.com")
        await site.anna(is_suspended=True)
        assert site.user().email_address == "anna@example.com"
        await site.desk.keep_email("nobody", "x@example.com")
        await site.desk.forget_user(site.user().id)
        assert site.user().is_present
        assert site.system.changes == []


# -- credentials -------------------------------------------------------------------------------------------------------


async def fates(site: AccessSite) -> list[tuple[str, str]]:
    rows = await site.live.rows("credential.changed")
    return [(row.event.change, row.event.by) for row in rows if isinstance(row.event, CredentialChanged)]


async def test_a_card_that_is_wanted_is_there_once_and_issued_by_the_encoder(tmp_path: Path) -> None:
    async with access_site(tmp_path / "hub.db", encoder("Desk")) as site:
        user = await site.anna()
        credential = await site.desk.want_card(user, "k", is_new_key=True)
        assert await site.desk.want_card(site.user(), "other", is_new_key=True) == credential
        assert (credential.wants, credential.created_by, credential.issued_at) == ("assign_new_key", "k", None)
        held = replace(user.user, card=Card(number="A1"))
        site.system.encode = lambda _: done("The card was written.", noted=(held,))
        await encode(site, credential.id)
        assert await fates(site) == [("created", "k"), ("issued", "")]
        issued = site.desk.credential(credential.id)
        assert (issued.wants, issued.card_number, issued.issued_at) == (None, "A1", site.clock.now())
        assert await refused(site.desk.want_card(user, "k", is_new_key=True)) == "credential_exists"
        again = await site.desk.want_card(site.user(), "k", is_new_key=False)
        assert (again.id, again.wants) == (credential.id, "update_current_key")
        await encode(site, credential.id)
        assert (await fates(site))[2:] == [("reissued", "")]


async def encode(site: AccessSite, credential_id: str) -> OutcomeKind:
    """Have a credential written at the encoder; returns how that ended."""
    device_id = site.live.id_of("Desk")
    order = EncodeCredential(
        device_id=device_id, native_id="Desk", user="anna", credential_id=credential_id, is_new_key=True
    )
    outcome = await site.live.outcome(await site.hub.submit(order, "k", wait_seconds=5))
    assert outcome is not None
    assert outcome.noted == ()  # what is told of people stands in no journal row
    return outcome.kind


async def test_a_card_that_was_not_written_stays_wanted(tmp_path: Path) -> None:
    async with access_site(tmp_path / "hub.db", encoder("Desk")) as site:
        credential = await site.desk.want_card(await site.anna(), "k", is_new_key=True)
        for outcome in (rejected("encoder_busy", "It is busy."), sent_unconfirmed("No answer came.")):
            site.system.encode = lambda _, outcome=outcome: outcome  # type: ignore[misc]
            assert await encode(site, credential.id) is outcome.kind
            assert site.desk.credential(credential.id) == credential
        assert await fates(site) == [("created", "k")]


async def test_whose_card_cannot_be_wanted(tmp_path: Path) -> None:
    async with access_site(tmp_path / "hub.db") as site:
        user = await site.anna()
        assert await refused(site.desk.want_card(user, "k", is_new_key=False)) == "no_key_to_update"
        await site.driver.living_port.note(AcsGone("user", "anna"))
        assert await refused(site.desk.want_card(user, "k", is_new_key=True)) == "acs_user_not_found"


async def test_only_a_credential_that_no_card_carries_can_be_dropped(tmp_path: Path) -> None:
    async with access_site(tmp_path / "hub.db") as site:
        waiting = await site.desk.want_card(await site.anna(), "k", is_new_key=True)
        await site.desk.drop_credential(waiting.id, "me")
        await site.desk.drop_credential(waiting.id, "me")
        assert (site.user().credential_id, await fates(site)) == (None, [("created", "k"), ("deleted", "me")])
        await site.anna(card=Card(number="A1"))
        (issued,) = site.desk.credentials()
        assert await refused(site.desk.drop_credential(issued.id, "me")) == "credential_issued"
        assert site.user().credential_id == issued.id


async def test_a_cloud_key_is_the_hubs_own_and_made_once(tmp_path: Path) -> None:
    async with access_site(tmp_path / "hub.db") as site:
        user = await site.anna()
        key = CredentialRecord(id="key", instance=SPACE, created_at=NOON, user_id=user.id, method="cloud_key")
        await site.desk.make_credential(key, "k")
        longer = replace(key, ends_at=NOON + timedelta(days=1))
        await site.desk.change_credential("key", ends_at=longer.ends_at)
        assert (site.desk.credential("key"), await fates(site)) == (longer, [("created", "k")])
        await site.desk.drop_credential("key", "k")
        assert list(site.desk.credentials()) == []
        assert await refused(site.desk.change_credential("key", ends_at=None)) == "acs_credential_not_found"
        assert list(site.desk.credentials()) == []
        await site.driver.living_port.note(AcsGone("user", "anna"))
        assert await refused(site.desk.make_credential(key, "k")) == "acs_user_not_found"
        assert list(site.desk.credentials()) == []


async def test_nothing_is_wished_of_somebody_who_went_meanwhile(tmp_path: Path) -> None:
    async with access_site(tmp_path / "hub.db") as site:
        await site.anna()
        await site.driver.living_port.note(AcsGone("user", "anna"))
        assert await refused(site.wish(RENAME)) == "acs_user_not_found"
        assert await refused(site.wish(DeleteGroup(subject="staff"))) == "acs_access_group_not_found"
        assert (site.pending(), site.system.changes, await site.accepted()) == ([], [], [])


async def test_what_is_no_access_control_system_tells_of_none(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "hub.db", ScriptedDriver()) as live:
        with pytest.raises(TypeError, match="manifest"):
            await live.driver.living_port.note(AcsUser("anna", "Anna"))
        assert live.hub.access.system(SPACE) is None
        assert await live.rows("access_system.found") == []


# -- the audit trail, exactly once -------------------------------------------------------------------------------------


async def trail(site: AccessSite) -> list[tuple[str, str | None]]:
    rows = await site.live.rows("entrance.audited")
    return [(row.event.trail_id, row.event.request_id) for row in rows if isinstance(row.event, EntranceAudited)]


TRAIL = [line(str(number), at=NOON + timedelta(seconds=number)) for number in range(1, 8)]


async def read_on(port: Port) -> None:
    """Read the trail on, two lines at a time."""
    at = int(port.bookmark or 0)
    for first in range(at, len(TRAIL), 2):
        lines: list[AuditEntry] = TRAIL[first : first + 2]
        await port.note(*lines, bookmark=lines[-1].event_id)


async def test_lines_and_bookmark_are_both_there_or_neither_however_often_the_disk_refuses(tmp_path: Path) -> None:
    async with access_site(tmp_path / "hub.db", door("Main")) as site:
        port, database = site.driver.living_port, site.hub.journal.database
        await port.note(*TRAIL[:2], bookmark="2")
        await refuse_writes(database)
        for _ in range(2):
            with pytest.raises(StoreError):
                await port.note(*TRAIL[2:4], bookmark="4")
            assert (port.bookmark, [one for one, _ in await trail(site)]) == ("2", ["1", "2"])
        await take_writes(database)
        await read_on(port)
        assert (port.bookmark, [one for one, _ in await trail(site)]) == ("7", ["1", "2", "3", "4", "5", "6", "7"])


async def test_after_a_crash_the_trail_is_read_on_without_a_gap_and_without_a_line_twice(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    async with access_site(path, door("Main")) as site:
        await site.driver.living_port.note(*TRAIL[:3], bookmark="3")
        await refuse_writes(site.hub.journal.database)  # the process dies with these lines on their way
        with pytest.raises(StoreError):
            await site.driver.living_port.note(*TRAIL[3:5], bookmark="5")
    async with open_journal(path, site.clock) as journal:
        (system,) = journal.tables.access.all(SystemRecord).values()
        assert system.bookmark == "3"
    async with access_site(path, door("Main"), clock=site.clock) as site:
        await read_on(site.driver.living_port)
        assert [one for one, _ in await trail(site)] == [str(number) for number in range(1, 8)]
        assert site.driver.living_port.bookmark == "7"


async def test_the_first_life_reads_the_trail_from_its_beginning(tmp_path: Path) -> None:
    async with access_site(tmp_path / "hub.db", on_start=read_on) as site:
        assert site.driver.living_port.bookmark == "7"
        site.driver.end(lost())
        await until(lambda: not site.hub.health[SPACE].is_connected)
        await site.clock.advance(5)
        await until(lambda: site.hub.health[SPACE].is_connected)
        assert [one for one, _ in await trail(site)] == [str(number) for number in range(1, 8)]


async def test_the_opening_of_an_order_carries_it_once_also_told_in_two_steps(tmp_path: Path) -> None:
    async with access_site(tmp_path / "hub.db", door("Main")) as site:
        port = site.driver.living_port
        request_id = await site.hub.submit(site.live.unlock("Main"), "k", wait_seconds=5)
        await port.note(line("1", is_remote=True, at=site.clock.now()))
        await port.note(line("2", is_remote=True, at=site.clock.now()))
        assert await trail(site) == [("1", request_id), ("2", None)]
        second = await site.hub.submit(site.live.unlock("Main"), "k", wait_seconds=5)
        await port.note(line("3", is_remote=True, at=site.clock.now()))
        assert (await trail(site))[2] == ("3", second)


async def test_an_opening_that_is_told_before_its_order_ended_without_an_answer_proves_it(tmp_path: Path) -> None:
    system = System()
    system.open = lambda: sent_unconfirmed("No answer came.")
    system.hold = asyncio.Event()
    async with access_site(tmp_path / "hub.db", door("Main"), system=system) as site:
        request_id = await site.hub.submit(site.live.unlock("Main"), "k", wait_seconds=0)
        await site.driver.living_port.note(line("1", is_remote=True, at=site.clock.now()))
        assert await trail(site) == [("1", request_id)]
        system.hold.set()
        await until(lambda: not site.hub.dispatcher.is_busy(site.live.id_of("Main")))
        record = await site.hub.journal.command(request_id)
        assert record is not None
        assert record.outcome is not None
        assert record.outcome.kind is OutcomeKind.SENT_UNCONFIRMED
        assert record.resolution is not None
        assert record.resolution.reached


async def test_a_later_order_is_not_forgotten_for_the_opening_of_an_earlier_one(tmp_path: Path) -> None:
    async with access_site(tmp_path / "hub.db", door("Main")) as site:
        port, door_id = site.driver.living_port, site.live.id_of("Main")
        await site.hub.submit(site.live.unlock("Main"), "k", wait_seconds=5)
        noting = asyncio.create_task(port.note(line("1", is_remote=True, at=site.clock.now())))
        await asyncio.sleep(0)
        site.hub.dispatcher.note_order(door_id, "later")
        await noting
        assert site.hub.dispatcher.latest_order(door_id) == "later"


async def test_an_edit_in_the_table_survives_what_it_is_not_about(tmp_path: Path) -> None:
    async with access_site(tmp_path / "hub.db") as site:
        await site.anna()
        site.system.hold = asyncio.Event()
        (edit,) = await site.wish(RENAME)
        await site.driver.living_port.note(AcsGone("user", "ben"), AcsGone("group", "anna"))
        assert edit.id in site.hub.journal.tables.access.all(EditRecord)
        site.system.hold.set()
        await until(lambda: not site.pending())
