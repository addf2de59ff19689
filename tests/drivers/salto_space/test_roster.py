"""The doors of a site."""

from typing import Any

import pytest
from hubd_drivers.salto_space import mapping
from hubd_drivers.salto_space.audit import Place
from hubd_drivers.salto_space.messages import DoorKind, Page, Request, SpaceDoor
from hubd_drivers.salto_space.roster import MOST_MISSES, SHARED, Roster
from hubd_drivers.salto_space.sim import Quirks, Stp, Wiring, demo_site
from hubd_drivers.salto_space.sim.records import Record
from hubd_drivers.salto_space.sim.schema import ROOM

from hubd.driver.contract import RecordingPort, check_description
from hubd.model import BatterySeen, DeviceDescription, DoorSeen, EntranceSeen, ReachabilitySeen
from tests.drivers.salto_space.linked import config_for, linked


async def roster_on(port: RecordingPort, number: int, **keys: object) -> Roster:
    roster = Roster(await config_for(number, Stp(), **({"page_size": 4, "encoders": ("Encoder#1",)} | keys)))
    roster.connect(port)
    return roster


def standalone(port: RecordingPort, native_id: str) -> bool:
    entrance = port.devices[native_id].capabilities.entrance
    assert entrance is not None
    return entrance.is_standalone


async def test_all_four_lists_and_the_encoders_are_announced() -> None:
    async with linked() as (client, space):
        port = RecordingPort()
        roster = await roster_on(port, space.port)
        await roster.announce(client, port)
        site = space.site
        assert port.devices.keys() == {place.id for place in site.places()} | {"encoder:Encoder#1"}
        for description in port.devices.values():
            check_description(description)
        types = [one.capabilities.entrance.type for one in port.devices.values() if one.capabilities.entrance]
        assert {kind: types.count(kind) for kind in set(types)} == {"door": 12, "room": 6, "suite": 1, "locker": 3}
        assert {place.id for place in site.places() if not standalone(port, place.id)} == {
            place.id for place in site.places() if site.locks[place.id].wiring is not Wiring.OFFLINE
        }
        assert port.scans == [()]
        assert roster.pages == 4 + 2 + 1 + 1, "a page begins with the last door of the one before"


async def test_first_readings() -> None:
    async with linked() as (client, space):
        garage, laundry = space.site.door_id("Garage"), space.site.door_id("Laundry")
        space.operator.loses(garage)
        space.person.leaves_open(space.site.door_id("Pool"))
        port = RecordingPort()
        await (await roster_on(port, space.port)).announce(client, port)
        assert not port.answers(garage)
        assert port.answers(laundry), "nothing is wrong with a door that is not online"
        levels = {one.native_id for one in port.seen if isinstance(one, BatterySeen)}
        assert laundry in levels
        (left,) = [one for one in port.seen if isinstance(one, EntranceSeen) and one.conditions.get("left_open")]
        assert left.native_id == space.site.door_id("Pool")


async def test_only_what_changes_is_told() -> None:
    async with linked() as (client, space):
        port, door = RecordingPort(), space.site.door_id("Gym")
        roster = await roster_on(port, space.port)
        await roster.announce(client, port)
        port.seen.clear()
        announced = len(port.announced)
        space.counters.clear()
        await roster.poll(client, port)
        assert (port.seen, space.counters.total) == ([], 1)
        space.person.leaves_open(door)
        await roster.poll(client, port)
        assert {one.native_id for one in port.seen} == {door}
        assert DoorSeen(native_id=door, open=True) in port.seen
        space.operator.loses(door)
        await roster.poll(client, port)
        space.operator.regains(door)
        space.person.shuts(door)
        await roster.poll(client, port)
        assert [one.online for one in port.seen if isinstance(one, ReachabilitySeen)] == [True, False, True]
        assert len(port.announced) == announced


async def test_doors_come_change_and_go() -> None:
    async with linked() as (client, space):
        port, roster = RecordingPort(), await roster_on(RecordingPort(), space.port)
        roster.connect(port)
        await roster.announce(client, port)
        port.known = dict(port.devices)
        new = space.operator.add_door("New door")
        gone = space.site.door_id("Kitchen")
        space.operator.delete_door(gone)
        space.operator.rename_door(space.site.door_id("Garage"), "Car park")
        announced = len(port.announced)
        while not await roster.step(client, port):
            pass
        assert port.scans[-1] == (gone,)
        assert {one.name for one in port.announced[announced:]} == {"New door", "Car park"}
        while not await roster.step(client, port):
            pass
        assert port.scans[-1] == (gone,)
        assert roster.door(gone) is None
        assert roster.door(new) is not None


async def test_one_empty_reply_takes_no_door_away(monkeypatch: pytest.MonkeyPatch) -> None:
    async with linked() as (client, space):
        port = RecordingPort()
        roster = await roster_on(port, space.port)
        await roster.announce(client, port)
        port.known = dict(port.devices)
        door, ask = space.site.door_id("Garage"), client.page_unless

        async def empty(request: Request, read: Any, known: bytes = b"") -> Any:
            if request.name == "SaltoDBDoorList.Read":
                return b"", Page[SpaceDoor](records=(), eof=True)
            return await ask(request, read, known)

        monkeypatch.setattr(client, "page_unless", empty)
        await roster.read_all(client, port)
        assert door in port.scans[-1]
        assert roster.door(door) is not None, "it can still be ordered to open"
        monkeypatch.undo()
        await roster.read_all(client, port)
        assert port.scans[-1] == ()
        assert roster.door(door) is not None


async def test_only_the_native_id_of_a_door_names_it() -> None:
    async with linked() as (client, space):
        port = RecordingPort()
        odd = space.operator.add_door("Odd", ExtDoorID="encoder:1")
        roster = await roster_on(port, space.port)
        await roster.announce(client, port)
        assert roster.door(f"door:{odd}") is not None
        assert roster.door("encoder:1") is None
        assert roster.door(f"door:{space.site.door_id('Garage')}") is None


async def test_a_door_that_is_wired_later() -> None:
    async with linked() as (client, space):
        port, door = RecordingPort(), space.site.door_id("Kitchen")
        roster = await roster_on(port, space.port)
        await roster.announce(client, port)
        assert standalone(port, door)
        lock = space.site.locks[door]
        lock.wiring, lock.is_connected = Wiring.WIRED, True
        await roster.poll(client, port)
        assert not standalone(port, door)
        lock.wiring, lock.is_connected = Wiring.OFFLINE, False
        for _ in range(MOST_MISSES - 1):
            await roster.poll(client, port)
        assert not standalone(port, door), "a server that starts may not list it yet"
        await roster.poll(client, port)
        assert standalone(port, door)


async def test_a_new_life_announces_all_again() -> None:
    async with linked() as (client, space):
        roster = await roster_on(RecordingPort(), space.port)
        await roster.announce(client, RecordingPort())
        port = RecordingPort()
        roster.connect(port)
        await roster.announce(client, port)
        assert len(port.devices) == len(list(space.site.places())) + 1


async def test_a_new_life_tells_what_changed_at_the_doors_meanwhile() -> None:
    async with linked() as (client, space):
        roster = await roster_on(RecordingPort(), space.port)
        await roster.announce(client, RecordingPort())
        door = space.site.door_id("Garage")
        space.person.leaves_open(door)
        port = RecordingPort()
        roster.connect(port)
        await roster.announce(client, port)
        told = [one for one in port.seen if one.native_id == door]
        assert DoorSeen(native_id=door, open=True) in told
        assert [one.conditions["left_open"] for one in told if isinstance(one, EntranceSeen)] == [True]


async def test_an_encoder_that_the_table_no_longer_has_is_removed() -> None:
    async with linked() as (client, space):
        port = RecordingPort()
        roster = await roster_on(port, space.port, encoders=("Encoder#2",))
        port.known = {"encoder:Encoder#1": DeviceDescription("encoder:Encoder#1", "encoder", "x", "Encoder#1")}
        await roster.announce(client, port)
        assert port.gone.keys() == {"encoder:Encoder#1"}
        assert port.scans == [()]


async def test_an_id_in_two_lists_is_one_door_that_is_not_opened() -> None:
    site = demo_site()
    door = site.door_id("Garage")
    site.tables["HotelRoom"].add(Record(ROOM, {"ExtDoorID": door, "Name": "Room 999"}))
    async with linked(site=site) as (client, space):
        port = RecordingPort()
        roster = await roster_on(port, space.port)
        await roster.announce(client, port)
        found = roster.door(door)
        assert found is not None
        assert (found.is_shared, found.space.kind, found.space.name) == (True, DoorKind.DOOR, "Garage")
        lock = port.devices[door].capabilities.lock
        assert lock is not None
        assert not lock.can_unlock
        assert SHARED in port.cautions
        site.tables["HotelRoom"].remove(door)
        for _ in range(2):
            await roster.read_all(client, port)
        assert SHARED not in port.cautions


async def test_the_place_of_a_line_is_known_before_the_doors_are_read() -> None:
    async with linked() as (client, space):
        port, garage = RecordingPort(), space.site.door_id("Garage")
        roster = await roster_on(port, space.port)
        await roster.announce(client, port)
        assert roster.place(garage) == Place(garage, "Garage", is_online=True)
        later = RecordingPort()
        later.known = dict(port.devices)
        again = await roster_on(later, space.port)
        assert again.place(garage) == Place(garage, "Garage", is_online=True)
        assert again.place("nowhere") is None


async def test_readings_of_unknown_numbers_are_none() -> None:
    async with linked(quirks=Quirks(initializing=99, unknown_door="missing")) as (client, space):
        port, door = RecordingPort(), space.site.door_id("Gym")
        space.site.locks[door].is_initializing = True
        await (await roster_on(port, space.port)).announce(client, port)
        told = [one for one in port.seen if isinstance(one, DoorSeen) and one.native_id == door]
        assert [one.open for one in told] == [None]


async def test_a_site_without_a_hotel() -> None:
    async with linked() as (client, space):
        for name in ("SaltoDBHotelRoomList.Read", "SaltoDBHotelSuiteList.Read"):
            space.faults.refuse(name, 13, 9)
        port = RecordingPort()
        roster = await roster_on(port, space.port)
        room = mapping.door(SpaceDoor(id="room", kind=DoorKind.ROOM), is_online=False)
        locker = mapping.door(SpaceDoor(id="locker", kind=DoorKind.LOCKER), is_online=False)
        port.known = {"room": room, "locker": locker}
        await roster.announce(client, port)
        assert len(port.devices) == 12 + 3 + 1
        assert port.scans == [("locker",)], "what cannot be read is not missing"


async def test_new_batteries_of_an_offline_door() -> None:
    async with linked() as (client, space):
        port, kitchen = RecordingPort(), space.site.door_id("Kitchen")
        roster = await roster_on(port, space.port)
        for level in ("40", "30", "90"):
            space.site.doors[kitchen].change({"BatteryStatus": level})
            await roster.announce(client, port)
        levels = [one.level for one in port.seen if isinstance(one, BatterySeen) and one.native_id == kitchen]
        assert levels == [0.4, 0.3, 0.9]
        told = [one.conditions for one in port.seen if isinstance(one, EntranceSeen) and one.native_id == kitchen]
        assert told == [{"low_battery": False}]
