"""The driver's messages against the simulated server, which was written without them: two readings of one protocol."""

import asyncio
from collections.abc import Collection
from datetime import UTC, datetime

import pytest
from hubd_drivers.salto_space import messages
from hubd_drivers.salto_space.document import Element
from hubd_drivers.salto_space.faults import Fault
from hubd_drivers.salto_space.messages.envelope import Request
from hubd_drivers.salto_space.messages.groups import GroupLists
from hubd_drivers.salto_space.messages.online import DoorOrder
from hubd_drivers.salto_space.messages.users import UserLists
from hubd_drivers.salto_space.sim.handlers import read
from hubd_drivers.salto_space.sim.quirks import Quirks
from hubd_drivers.salto_space.sim.schema import USER

from tests.drivers.salto_space.sim.asking import SUMMER, Asker

STRICT = Quirks(unknown_elements="refused", read_only_elements="refused", scalars_left_out="reset")
LISTS: Collection[UserLists] = (UserLists.GROUPS, UserLists.DOORS, UserLists.ZONES)


async def ask(here: Asker, request: Request) -> Element:
    reply = await here.desk.answer(read(request.body))
    return messages.read_reply(reply, request.name)


@pytest.fixture(
    params=[
        STRICT,
        Quirks(line_breaks=True, unpadded_dates=True, eof="late"),
        Quirks(text="iso-8859-1", membership_ids="far"),
        Quirks(text="references", secrets="stars"),
    ],
    ids=["strict", "loose", "latin", "references"],
)
def here(request: pytest.FixtureRequest) -> Asker:
    return Asker(quirks=request.param)


async def test_info_tells_the_time(here: Asker) -> None:
    info = messages.read_info(await ask(here, messages.get_info()))
    assert (info.protocol, info.wall) == ("SHIP", datetime(2026, 7, 1, 12))  # noqa: DTZ001 - a wall clock


async def test_users_are_read_whole(here: Asker) -> None:
    page = messages.read_users(await ask(here, messages.list_users(100, "", LISTS)), here.site.zone)
    assert (len(page.records), page.broken, page.eof) == (15, 0, True)
    for user in page.records:
        known = here.site.users[user.id]
        assert (user.first_name, user.last_name) == (known["FirstName"], known["LastName"])
        assert set(user.groups or ()) == set(here.site.linked("User_Group", user.id))
        assert {one.target for one in user.doors or ()} == set(here.site.linked("User_Door", user.id))
    expiring = next(user for user in page.records if user.id == "host-00000")
    assert expiring.ends_at is not None
    assert expiring.ends_at.astimezone(UTC) == datetime(2027, 12, 31, 23, tzinfo=UTC), "24 o'clock is the next midnight"


async def test_groups_doors_and_zones_are_read(here: Asker) -> None:
    groups = messages.read_groups(await ask(here, messages.list_groups(50, "", tuple(GroupLists))), here.site.zone)
    assert {group.name for group in groups.records} == {"Guests", "Housekeeping", "Management", "Technicians"}
    assert sum(len(group.users or ()) for group in groups.records) == 15
    names = set()
    for kind in messages.DoorKind:
        page = messages.read_doors(await ask(here, messages.list_doors(kind, 50, "", tuple(messages.DoorLists))), kind)
        names |= {door.name for door in page.records}
    assert names == {place.name for place in here.site.places()}
    zones = messages.read_zones(await ask(here, messages.list_zones(50, doors=True)))
    assert {zone.name for zone in zones.records} == {"Rooms", "Wellness"}


async def test_a_record_is_read_changed_and_sent_whole(here: Asker) -> None:
    before = {user.id: dict(user.values) for user in here.site.users}
    page = messages.read_users(await ask(here, messages.list_users(100, "", LISTS)), here.site.zone, raw=True)
    for user, raw in zip(page.records, page.raw, strict=True):
        await ask(here, messages.update_user(messages.edited(raw, {"Title": "Dr"})))
        after = here.site.users[user.id].values
        known = {field.name for field in USER.fields if field.is_secret}
        assert {name: text for name, text in after.items() if name not in known} == {
            name: "Dr" if name == "Title" else text for name, text in before[user.id].items() if name not in known
        }


async def test_members_are_replaced_and_users_deleted(here: Asker) -> None:
    guests = here.site.group_id("Guests")
    record = Element("SaltoDBGroup", "", [Element("ExtGroupID", guests, [])])
    wanted = messages.membership(of_group=guests, ids=["host-00003"])
    await ask(here, messages.update_group(messages.edited(record, {messages.USER_GROUPS: wanted, "Name": "Guests"})))
    assert list(here.site.linked("User_Group", guests, is_reversed=True)) == ["host-00003"]
    assert messages.read_id(await ask(here, messages.delete_user("host-00003")), messages.USER_ID) == "host-00003"
    with pytest.raises(Fault) as caught:
        await ask(here, messages.delete_user("host-00003"))
    assert caught.value.code == 200


async def test_doors_are_asked_and_opened(here: Asker) -> None:
    garage, kitchen = here.site.door_id("Garage"), here.site.door_id("Kitchen")
    statuses = messages.read_statuses(await ask(here, messages.list_statuses([garage, kitchen])))
    assert {status.id: status.is_offline for status in statuses.records} == {garage: False, kitchen: True}
    assert len(messages.read_statuses(await ask(here, messages.list_statuses())).records) == 6
    for order in DoorOrder:
        results = messages.read_results(await ask(here, messages.order_doors(order, [garage, kitchen]))).records
        assert [(result.id, result.code) for result in results][1] == (kitchen, 401)
    assert [one.door_id for one in here.site.opened] == [garage]
    assert here.site.disasters == []


async def test_the_trail_is_read_in_utc(here: Asker) -> None:
    here.site.trail.next_id = 10**19
    await ask(here, messages.order_doors(DoorOrder.OPEN, [here.site.door_id("Garage")]))
    (event,) = messages.read_events(await ask(here, messages.list_events(10, 10**19)), UTC).records
    assert (event.id, event.at, event.operation, event.subject) == (10**19, SUMMER, 28, "_SALTO")


async def test_a_key_is_written(here: Asker) -> None:
    user = next(user for user in here.site.users if not user.is_set("CurrentKeyExists"))
    asked = asyncio.create_task(ask(here, messages.assign_key(user.id, "Encoder#1")))
    await here.encoders["Encoder#1"].waits.wait()
    here.encoders["Encoder#1"].present("04CD")
    assert messages.read_encoding(await asked).card_serial == "04CD"
