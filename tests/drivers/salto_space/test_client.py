import asyncio
import itertools
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hubd_drivers.salto_space import messages as ship
from hubd_drivers.salto_space.client import LOCKED_PAUSES
from hubd_drivers.salto_space.document import Element
from hubd_drivers.salto_space.faults import Fault, FaultKind
from hubd_drivers.salto_space.sim.builders import add_history, big_site, demo_site
from hubd_drivers.salto_space.sim.mischief import Trouble
from hubd_drivers.salto_space.sim.quirks import Quirks
from hubd_drivers.salto_space.sim.schema import USER
from hubd_drivers.salto_space.sim.state import Site
from hubd_drivers.salto_space.sim.stp import Stp
from hubd_drivers.salto_space.sim.web import Custom, Http
from hubd_drivers.salto_space.transport.base import LinkError

from tests.drivers.salto_space.linked import HastyClock, linked

BOTH = pytest.mark.parametrize("transport", [Stp(), Http()], ids=["stp", "http"])
USERS = "SaltoDBUserList.Read"
OPEN = "OnlineDoor.Open"
INSERT = "SaltoDBUser.Insert"
EMPTY_ORDER: Any = []


async def records[T](whole: AsyncGenerator[ship.Page[T]]) -> list[T]:
    return [record async for page in whole for record in page.records]


def user(key: str, first: str = "Ada") -> Element:
    return Element("SaltoDBUser", children=[Element("ExtUserID", key), Element("FirstName", first)])


def online(site: Site) -> str:
    return site.door_id("Main entrance")


# -- reading -----------------------------------------------------------------------------------------------------------


@BOTH
async def test_who_answers_and_when(transport: Stp | Http) -> None:
    async with linked(transport=transport) as (client, space):
        never = client.answered_at
        info = await client.info()
        assert info.protocol == ship.PROTOCOL
        assert info.wall is not None
        assert abs(info.wall - datetime.now(ZoneInfo("Europe/Madrid")).replace(tzinfo=None)).total_seconds() < 60
        assert (never, client.answered_at is None) == (None, False)
        assert client.requests == space.counters.requests == {"GetInfo": 1}


@BOTH
async def test_every_list_whole_and_each_record_once(transport: Stp | Http) -> None:
    async with linked(transport=transport) as (client, space):
        users = await records(client.all_users([ship.UserLists.GROUPS]))
        assert sorted(one.id for one in users) == sorted(one.id for one in space.site.users)
        assert all(one.groups for one in users)
        groups = await records(client.all_groups([ship.GroupLists.USERS]))
        assert {one.id for one in groups} == {one.id for one in space.site.groups}
        doors = [one for kind in ship.DoorKind for one in await records(client.all_doors(kind))]
        assert {one.id for one in doors} == {one.id for one in space.site.places()}
        zones = await records(client.all_zones(doors=True))
        assert {one.id for one in zones} == {one.id for one in space.site.zones}
        assert space.counters.connections == 1  # one kept connection for all of it


WAYS = [
    {"page_start": start, "page_order": order, "eof": eof, "page_cap": cap}
    for start, order, eof, cap in itertools.product(
        ("inclusive", "exclusive"), ("id", "made"), ("exact", "absent", "late"), (None, 3)
    )
]


@pytest.mark.parametrize("quirks", [msgspec.convert(way, Quirks) for way in WAYS], ids=map(str, WAYS))
async def test_whichever_way_the_server_pages(quirks: Quirks) -> None:
    async with linked(quirks=quirks) as (client, space):
        users = await records(client.all_users())
        assert sorted(one.id for one in users) == sorted(one.id for one in space.site.users)


@pytest.mark.parametrize("start", ["inclusive", "exclusive"])
async def test_one_user_with_the_record_as_it_is(start: Any) -> None:
    async with linked(quirks=Quirks(page_start=start)) as (client, space):
        wanted = sorted(one.id for one in space.site.users)[6]
        found = await client.find_user(wanted, [ship.UserLists.GROUPS])
        assert found is not None
        assert (found[0].id, found[1].value("ExtUserID")) == (wanted, wanted)
        space.counters.clear()
        assert await client.find_user("nobody") is None
        # Once a page was seen to begin with what it was asked from, absence needs no second look.
        assert (space.counters.requests[USERS] == 1) == (start == "inclusive")
        group = next(iter(space.site.groups)).id
        level = await client.find_group(group)
        assert level is not None
        assert level[1].value("ExtGroupID") == group


async def test_a_large_reply_is_read_beside_the_loop() -> None:
    async with linked(site=await asyncio.to_thread(big_site, 600, 40), page_size=600) as (client, space):
        page = await client.users(lists=[ship.UserLists.GROUPS])
        assert len(page.records) == 600
        assert space.counters.bytes_out > 500_000


async def test_a_page_that_is_the_same_as_the_last_time_is_not_read_again() -> None:
    async with linked() as (client, space):
        request, read = ship.list_zones(4), ship.read_zones
        digest, first = await client.page_unless(request, read)
        assert first is not None
        assert await client.page_unless(request, read, digest) == (digest, None)
        space.operator.add_zone("Annex")
        other, second = await client.page_unless(request, read, digest)
        assert other != digest
        assert second is not None
        assert len(second.records) == len(first.records) + 1


@BOTH
async def test_a_lost_reply_to_a_question_is_asked_for_again(transport: Stp | Http) -> None:
    async with linked(transport=transport) as (client, space):
        space.faults.drop_reply(USERS)
        assert (await client.users()).records
        space.faults.drop_request(USERS)
        assert (await client.users()).records
        await space.stop()
        with pytest.raises(LinkError) as raised:
            await client.users()
        assert not raised.value.sent or raised.value.is_lost
        await space.start()
        assert (await client.users()).records


async def test_a_reply_that_is_none() -> None:
    async with linked(transport=Http()) as (client, space):
        space.faults.garble(USERS, Trouble.JUNK)
        with pytest.raises(LinkError) as raised:
            await client.users()
        assert raised.value.sent
        assert not raised.value.is_lost
        assert (await client.users()).records


async def test_a_silent_server_is_waited_for_once() -> None:
    async with linked(timeout=0.3) as (client, space):
        space.hang = True
        with pytest.raises(LinkError) as raised:
            await client.info()
        assert isinstance(raised.value.cause, TimeoutError)
        assert client.requests["GetInfo"] == 1


async def test_what_the_server_lacks_is_remembered() -> None:
    async with linked(quirks=Quirks(group_list=False)) as (client, space):
        for _ in range(2):
            with pytest.raises(Fault) as raised:
                await client.groups()
            assert raised.value.kind is FaultKind.UNSUPPORTED
        assert client.lacks == {"SaltoDBGroupList.Read"}
        assert space.counters.requests["SaltoDBGroupList.Read"] == 1
        assert client.answered_at is not None


async def test_no_licence() -> None:
    async with linked(quirks=Quirks(licence="info_only")) as (client, _):
        assert (await client.info()).protocol == ship.PROTOCOL
        with pytest.raises(Fault) as raised:
            await client.users()
        assert raised.value.name == "licence_missing"


@BOTH
async def test_how_doors_stand(transport: Stp | Http) -> None:
    async with linked(transport=transport) as (client, space):
        everything = await client.statuses()
        assert len(everything.records) == 6
        offline = space.site.door_id("Kitchen")
        two = await client.statuses([online(space.site), offline])
        assert {one.id: one.is_offline for one in two.records} == {online(space.site): False, offline: True}


async def test_an_old_server_is_asked_for_its_doors_in_the_older_form() -> None:
    async with linked() as (client, space):
        space.faults.refuse("OnlineDoor.GetOnlineStatusList", 502)
        for _ in range(2):
            assert (await client.statuses()).records
        assert space.counters.requests["OnlineDoor.GetOnlineStatusList"] == 1
        assert space.counters.requests["OnlineIPDoor.GetOnlineStatusList"] == 2


# -- the audit trail ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("audit_eof", [True, False])
async def test_events_behind_a_cursor(*, audit_eof: bool) -> None:
    site = demo_site()
    add_history(site, 30)
    async with linked(site=site, quirks=Quirks(audit_eof=audit_eof)) as (client, space):
        everything = await records(client.audit_after(0))
        assert len(everything) >= 30
        assert [one.id for one in everything] == sorted({one.id for one in everything})
        cursor = everything[10].id
        assert await records(client.audit_after(cursor)) == everything[11:]
        space.counters.clear()
        assert await records(client.audit_after(everything[-1].id)) == []
        assert space.counters.total == 1


@pytest.mark.parametrize("descending", ["from_start_down", "start_is_floor", "ignored"])
@pytest.mark.parametrize("events", [0, 1, 2, 3, 50])
async def test_the_newest_event_whatever_descending_means(descending: Any, events: int) -> None:
    site = demo_site()
    add_history(site, events)
    async with linked(site=site, quirks=Quirks(descending=descending)) as (client, space):
        everything = await records(client.audit_after(0))
        space.counters.clear()
        newest = await client.newest_event()
        assert newest == (everything[-1] if everything else None)
        assert space.counters.total < 40


async def test_the_newest_event_where_nothing_comes_before_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    site = demo_site()
    add_history(site, 30)
    async with linked(site=site) as (client, _):
        ask = client.audit

        async def audit(start: int | None, count: int = 0, **keys: Any) -> ship.Page[ship.AuditEvent]:
            if start is None and keys.get("descending"):
                return ship.Page[ship.AuditEvent](records=())
            return await ask(start, count, **keys)

        monkeypatch.setattr(client, "audit", audit)
        newest = await client.newest_event()
        assert newest is not None
        assert newest.id == site.trail.last_id


async def test_times_of_a_server_that_does_not_heed_the_wish_for_utc() -> None:
    site = demo_site()
    space_now = site.now()
    async with linked(site=site, quirks=Quirks(utc_ignored=True)) as (client, space):
        space.person.opens(online(site), next(iter(site.users)).id)
        [first, *_] = await records(client.audit_after(0, zone=ZoneInfo("Europe/Madrid")))
        assert first.at is not None
        assert abs((first.at.astimezone(UTC) - space_now).total_seconds()) < 60


# -- doors -------------------------------------------------------------------------------------------------------------


@BOTH
async def test_a_door_opens_on_a_connection_of_its_own(transport: Stp | Http) -> None:
    async with linked(transport=transport) as (client, space):
        held = space.faults.hold(USERS)
        page = asyncio.create_task(client.users())
        await held.reached.wait()
        result = await client.open([online(space.site)])
        assert [(one.id, one.code) for one in result.records] == [(online(space.site), 0)]
        assert not page.done()
        held.release()
        await page
        assert [one.door_id for one in space.opened] == [online(space.site)]


@BOTH
@pytest.mark.parametrize("trouble", ["drop_reply", "drop_request"])
async def test_an_order_whose_answer_was_lost_is_never_sent_again(transport: Stp | Http, trouble: str) -> None:
    async with linked(transport=transport) as (client, space):
        await client.info()
        getattr(space.faults, trouble)(OPEN)
        with pytest.raises(LinkError) as raised:
            await client.open([online(space.site)])
        assert raised.value.sent
        assert space.counters.requests[OPEN] == client.requests[OPEN] == 1
        assert len(space.opened) == (trouble == "drop_reply")


async def test_an_order_that_did_not_leave_says_so() -> None:
    async with linked() as (client, space):
        await client.info()
        await space.stop()
        with pytest.raises(LinkError) as raised:
            await client.open(["A"])
        assert not raised.value.sent


async def test_an_order_to_no_door_does_not_exist() -> None:
    async with linked() as (client, space):
        for order in ship.DoorOrder:
            with pytest.raises(ValueError, match="every door"):
                await client.order(order, EMPTY_ORDER)
        with pytest.raises(ValueError, match="every door"):
            await client.open(())
        with pytest.raises(ValueError, match="every door"):
            await client.office((), on=True)
        assert space.counters.total == 0


async def test_an_order_that_is_refused_is_not_sent_again() -> None:
    clock = HastyClock()
    async with linked(clock=clock) as (client, space):
        space.faults.refuse(OPEN, 101)
        with pytest.raises(Fault):
            await client.open([online(space.site)])
        assert space.counters.requests[OPEN] == 1
        assert clock.pauses == []


async def test_office_mode() -> None:
    async with linked() as (client, space):
        for on in (True, False):
            result = await client.office([online(space.site)], on=on)
            assert [one.code for one in result.records] == [0]
        assert {"OnlineDoor.StartOfficeMode", "OnlineDoor.EndOfficeMode"} <= set(space.counters.requests)


# -- changes -----------------------------------------------------------------------------------------------------------


async def test_a_question_about_a_record_that_somebody_has_open_is_asked_again() -> None:
    clock = HastyClock()
    async with linked(clock=clock) as (client, space):
        space.faults.refuse("SaltoDBUserList.Read", 201, times=3)
        assert await client.find_user(next(iter(space.site.users)).id) is not None
        assert clock.pauses == list(LOCKED_PAUSES[:3])


async def test_a_change_of_a_record_that_somebody_has_open_is_not_sent_again() -> None:
    """Whoever has it open may save it first; what was read of it before that must not go out."""
    clock = HastyClock()
    async with linked(clock=clock) as (client, space):
        wanted = next(iter(space.site.users)).id
        space.operator.opens_record(USER, wanted)
        with pytest.raises(Fault) as raised:
            await client.update_user(user(wanted, "Joan"))
        assert raised.value.kind is FaultKind.LOCKED
        assert space.counters.requests["SaltoDBUser.Update"] == 1
        assert clock.pauses == []


@BOTH
@pytest.mark.parametrize("trouble", ["drop_reply", "drop_request"])
async def test_a_user_is_made_once_though_the_answer_was_lost(transport: Stp | Http, trouble: str) -> None:
    async with linked(transport=transport) as (client, space):
        before = len(list(space.site.users))
        getattr(space.faults, trouble)(INSERT)
        await client.insert_user(user("HUBD-1"))
        assert len(list(space.site.users)) == before + 1
        assert space.counters.requests[INSERT] == 2


async def test_a_user_that_was_there_before_is_a_conflict() -> None:
    async with linked() as (client, space):
        await client.insert_user(user("HUBD-1"))
        with pytest.raises(Fault) as raised:
            await client.insert_user(user("HUBD-1"))
        assert raised.value.kind is FaultKind.CONFLICT
        assert space.counters.requests[INSERT] == 2


async def test_a_conflict_after_a_lost_answer_is_proved_by_reading() -> None:
    async with linked() as (client, space):
        space.faults.drop_request(INSERT)
        space.faults.refuse(INSERT, 203)  # a card that belongs to somebody else: another kind of conflict
        with pytest.raises(Fault) as raised:
            await client.insert_user(user("HUBD-1"))
        assert raised.value.name == "card_in_use"
        assert await client.find_user("HUBD-1") is None


async def test_a_lost_answer_to_an_update_is_left_to_the_one_who_asked() -> None:
    async with linked() as (client, space):
        wanted = next(iter(space.site.users)).id
        space.faults.drop_reply("SaltoDBUser.Update")
        with pytest.raises(LinkError) as raised:
            await client.update_user(user(wanted))
        assert raised.value.sent
        assert space.counters.requests["SaltoDBUser.Update"] == 1


@pytest.mark.parametrize("trouble", ["drop_reply", "drop_request"])
async def test_a_user_is_deleted_though_the_answer_was_lost(trouble: str) -> None:
    async with linked() as (client, space):
        await client.insert_user(user("HUBD-1"))
        getattr(space.faults, trouble)("SaltoDBUser.Delete")
        await client.delete_user("HUBD-1")
        assert await client.find_user("HUBD-1") is None
        with pytest.raises(Fault) as raised:
            await client.delete_user("HUBD-1")
        assert raised.value.kind is FaultKind.NOT_FOUND


async def test_access_levels() -> None:
    async with linked() as (client, space):
        group = space.operator.add_group("Guests")
        member = next(iter(space.site.users)).id
        links = ship.membership(of_group=group, ids=[member])
        found = await client.find_group(group, [ship.GroupLists.USERS])
        assert found is not None
        await client.update_group(ship.edited(found[1], {ship.USER_GROUPS: links, "Name": "Staff"}))
        found = await client.find_group(group, [ship.GroupLists.USERS])
        assert found is not None
        assert (found[0].name, found[0].users) == ("Staff", (member,))
        await client.delete_group(group)
        assert await client.find_group(group) is None


async def test_a_value_that_xml_cannot_hold_does_not_leave() -> None:
    async with linked() as (client, space):
        with pytest.raises(LinkError) as raised:
            await client.insert_user(user("HUBD-1", "\x00"))
        assert not raised.value.sent
        assert space.counters.total == 0


# -- cards -------------------------------------------------------------------------------------------------------------


@BOTH
async def test_a_card_is_waited_for_longer_than_anything_else(transport: Stp | Http) -> None:
    async with linked(transport=transport, timeout=0.3) as (client, space):
        await client.insert_user(user("HUBD-1"))
        waiting = asyncio.create_task(client.assign_key("HUBD-1", "Encoder#1"))
        await space.encoders["Encoder#1"].waits.wait()
        with pytest.raises(Fault) as raised:
            await client.read_key("Encoder#1")
        assert raised.value.kind is FaultKind.ENCODER_BUSY
        await asyncio.sleep(0.5)  # longer than the time-out of everything else
        assert not waiting.done()
        space.present_card("Encoder#1", "04A1B2C3D4E5F6")
        assert (await waiting).card_serial in {"", "04A1B2C3D4E5F6"}
        found = await client.find_user("HUBD-1")
        assert found is not None
        assert found[0].has_key
        assert (await client.update_key("HUBD-1", "Encoder#1")) is not None


@pytest.mark.parametrize("trouble", ["drop_reply", "drop_request"])
async def test_encoding_is_never_sent_twice(trouble: str) -> None:
    name = "Encoder.SaltoDBUser.AssignNewKey"
    async with linked() as (client, space):
        await client.insert_user(user("HUBD-1"))
        space.present_card("Encoder#1", "04A1B2C3D4E5F6")
        getattr(space.faults, trouble)(name)
        with pytest.raises(LinkError) as raised:
            await client.assign_key("HUBD-1", "Encoder#1")
        assert raised.value.sent
        assert space.counters.requests[name] == 1


async def test_the_wrong_key_of_the_server(tmp_path: Any) -> None:
    path = tmp_path / "key"
    await asyncio.to_thread(path.write_text, "wrong\n")
    keys: dict[str, Any] = {"auth": "custom", "secret_file": str(path)}
    async with linked(transport=Http(auth=Custom("right")), **keys) as (client, _):
        with pytest.raises(LinkError) as raised:
            await client.info()
        assert "401" in str(raised.value)
        assert "wrong" not in repr(raised.value)
