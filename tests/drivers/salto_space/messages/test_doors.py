import pytest
from hubd_drivers.salto_space.fields import OpeningMode
from hubd_drivers.salto_space.messages.doors import (
    DoorKind,
    DoorLists,
    SpaceDoor,
    SpaceZone,
    list_doors,
    list_zones,
    read_door,
    read_doors,
    read_zone,
    read_zones,
)

from tests.drivers.salto_space.messages.samples import record, result

DOOR = """<SaltoDBDoor><ExtDoorID>0F</ExtDoorID><Name>Main entrance</Name><Description/><GPF1>a</GPF1><GPF2/>
<OpenTime>6</OpenTime><OpenTimeADA>20</OpenTimeADA><OpeningMode>2</OpeningMode><KeypadCode>471199</KeypadCode><UpdateRequired>1</UpdateRequired>
<BatteryStatus>75</BatteryStatus><SaltoDB.MembershipList.Door_Zone><SaltoDB.Membership.Door_Zone><ExtDoorID>0F</ExtDoorID>
<ExtZoneID>z</ExtZoneID></SaltoDB.Membership.Door_Zone></SaltoDB.MembershipList.Door_Zone></SaltoDBDoor>"""


def test_a_door() -> None:
    found = read_door(record(DOOR), DoorKind.DOOR)
    assert found == SpaceDoor(
        id="0F",
        kind=DoorKind.DOOR,
        name="Main entrance",
        notes=("a", ""),
        open_seconds=6,
        open_seconds_ada=20,
        opening_mode=OpeningMode.TIMED_OFFICE,
        opening_mode_number=2,
        needs_update=True,
        battery_percent=75,
        zones=("z",),
    )
    assert "471199" not in repr(found)


@pytest.mark.parametrize("text", ["-1", "101", "", "full"])
def test_a_battery_that_is_not_known(text: str) -> None:
    door = record(f"<SaltoDBDoor><ExtDoorID>a</ExtDoorID><BatteryStatus>{text}</BatteryStatus></SaltoDBDoor>")
    assert read_door(door, DoorKind.DOOR) == SpaceDoor(id="a", kind=DoorKind.DOOR)


def test_a_mode_that_is_not_known_is_kept_as_a_number() -> None:
    found = read_door(record("<X><ExtDoorID>a</ExtDoorID><OpeningMode>77</OpeningMode></X>"), DoorKind.LOCKER)
    assert found is not None
    assert (found.opening_mode, found.opening_mode_number) == (None, 77)


def test_a_room_of_a_suite() -> None:
    text = "<R><ExtDoorID>101</ExtDoorID><ExtParentHotelSuiteID>S1</ExtParentHotelSuiteID></R>"
    found = read_door(record(text), DoorKind.ROOM)
    assert found == SpaceDoor(id="101", kind=DoorKind.ROOM, suite="S1")


@pytest.mark.parametrize("kind", DoorKind)
def test_each_kind_has_a_list_of_its_own(kind: DoorKind) -> None:
    request = list_doors(kind, 100, "x", [DoorLists.ZONES])
    assert request.name == f"{kind.value}List.Read"
    assert [(one.name, one.text) for one in request.params] == [
        ("MaxCount", "100"),
        ("StartingFromExtDoorID", "x"),
        ("ReturnMembership_Door_Zone", "1"),
    ]
    one = f"<{kind.value}><ExtDoorID>a</ExtDoorID></{kind.value}><{kind.value}/>"
    page = read_doors(result("X", f"<{kind.value}List>{one}</{kind.value}List><EOF>1</EOF>"), kind, raw=True)
    assert (page.records, page.eof, page.broken, len(page.raw)) == ((SpaceDoor(id="a", kind=kind),), True, 1, 1)


def test_the_names_of_the_lists() -> None:
    names = {list_doors(kind, 1).name for kind in DoorKind}
    assert names == {
        "SaltoDBDoorList.Read",
        "SaltoDBLockerList.Read",
        "SaltoDBHotelRoomList.Read",
        "SaltoDBHotelSuiteList.Read",
    }


def test_zones() -> None:
    zone = """<SaltoDBZone><ExtZoneID>z</ExtZoneID><Name>Floor 1</Name><IsLow>1</IsLow>
    <IsFreeAssignment>0</IsFreeAssignment><SaltoDB.MembershipList.Door_Zone><SaltoDB.Membership.Door_Zone><ExtDoorID>a</ExtDoorID></SaltoDB.Membership.Door_Zone>
    </SaltoDB.MembershipList.Door_Zone></SaltoDBZone>"""
    expected = SpaceZone(id="z", name="Floor 1", is_low=True, is_free_assignment=False, doors=("a",))
    page = read_zones(result("X", f"<SaltoDBZoneList>{zone}<SaltoDBZone/></SaltoDBZoneList>"))
    assert (page.records, page.eof, page.broken) == ((expected,), None, 1)
    assert read_zone(record("<SaltoDBZone><ExtZoneID>z</ExtZoneID></SaltoDBZone>")) == SpaceZone(id="z")


def test_asking_for_zones() -> None:
    assert [(one.name, one.text) for one in list_zones(5, doors=True).params] == [
        ("MaxCount", "5"),
        ("ReturnMembership_Door_Zone", "1"),
    ]
    assert list_zones(5, "a").name == "SaltoDBZoneList.Read"
    assert list_zones(5, "a").params.value("StartingFromExtZoneID") == "a"
