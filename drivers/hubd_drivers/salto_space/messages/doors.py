"""What can be opened: doors, lockers, hotel rooms and suites, each a list of its own, and zones of them.

The four lists share one name for ids. How lists other than that of doors are asked for, and the switches of all but
doors, are inferred by the pattern.
"""

from collections.abc import Collection
from enum import StrEnum

import msgspec

from hubd_drivers.salto_space.document import Element
from hubd_drivers.salto_space.fields import OpeningMode, flag, identifier, member, number, words
from hubd_drivers.salto_space.messages.envelope import Page, Request, page_request, read_page, texts
from hubd_drivers.salto_space.messages.links import DOOR_ZONES, members

_FULL = 100


class DoorKind(StrEnum):
    """Which list a door came from, by the name of its records."""

    DOOR = "SaltoDBDoor"
    LOCKER = "SaltoDBLocker"
    ROOM = "SaltoDBHotelRoom"
    SUITE = "SaltoDBHotelSuite"


class DoorLists(StrEnum):
    """Lists that a door's record holds if they are asked for."""

    ZONES = "ReturnMembership_Door_Zone"
    LOCATIONS = "ReturnMembership_Door_Location"
    FUNCTIONS = "ReturnMembership_Door_Function"


class SpaceDoor(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One door, locker, room or suite. None is not known; the code of its keypad is not kept."""

    id: str
    kind: DoorKind
    partition: str = ""
    name: str = ""
    description: str = ""
    notes: tuple[str, str] = ("", "")
    """The two free fields (GPF1, GPF2)."""
    open_seconds: int | None = None
    """How long one opening lasts. That it is seconds is inferred."""
    open_seconds_ada: int | None = None
    """The same for users who need longer."""
    opening_mode: OpeningMode | None = None
    opening_mode_number: int | None = None
    """As the server sent it, also if it is none of the known ones."""
    needs_update: bool | None = None
    audits_on_keys: bool | None = None
    """Whether its openings are written on the keys."""
    battery_percent: int | None = None
    """0 to 100. That it is a percentage is inferred; -1 is not known."""
    suite: str | None = None
    """The suite that a room is part of."""
    zones: tuple[str, ...] | None = None
    """Ids; None: the list is not part of the record."""


class SpaceZone(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One zone of doors. A list that is not part of the record is None."""

    id: str
    name: str = ""
    description: str = ""
    is_low: bool | None = None
    is_free_assignment: bool | None = None
    doors: tuple[str, ...] | None = None


def list_doors(kind: DoorKind, count: int, start: str = "", lists: Collection[DoorLists] = ()) -> Request:
    """Return the request for a page of at most `count` doors of one kind."""
    return page_request(f"{kind}List.Read", count, "StartingFromExtDoorID", start, lists)


def read_doors(params: Element, kind: DoorKind, *, raw: bool = False) -> Page[SpaceDoor]:
    """Read a page of that kind."""
    return read_page(params, f"{kind}List", kind, lambda record: read_door(record, kind), raw=raw)


def read_door(record: Element, kind: DoorKind) -> SpaceDoor | None:
    """Read one record; None without a usable id."""
    get = texts(record).get
    found = identifier(get("ExtDoorID", ""))
    if found is None:
        return None
    mode = number(get("OpeningMode", ""))
    return SpaceDoor(
        id=found,
        kind=kind,
        partition=words(get("ExtPartitionID", "")),
        name=words(get("Name", "")),
        description=words(get("Description", "")),
        notes=(words(get("GPF1", "")), words(get("GPF2", ""))),
        open_seconds=number(get("OpenTime", ""), low=0),
        open_seconds_ada=number(get("OpenTimeADA", ""), low=0),
        opening_mode=member(OpeningMode, mode),
        opening_mode_number=mode,
        needs_update=flag(get("UpdateRequired", "")),
        audits_on_keys=flag(get("AuditOnKeys", "")),
        battery_percent=number(get("BatteryStatus", ""), 0, _FULL),
        suite=identifier(get("ExtParentHotelSuiteID", "")),
        zones=members(record, DOOR_ZONES, "ExtZoneID"),
    )


def list_zones(count: int, start: str = "", *, doors: bool = False) -> Request:
    """Return the request for a page of at most `count` zones, with their doors if asked for."""
    lists = [DoorLists.ZONES] if doors else []
    return page_request("SaltoDBZoneList.Read", count, "StartingFromExtZoneID", start, lists)


def read_zones(params: Element, *, raw: bool = False) -> Page[SpaceZone]:
    """Read a page."""
    return read_page(params, "SaltoDBZoneList", "SaltoDBZone", read_zone, raw=raw)


def read_zone(record: Element) -> SpaceZone | None:
    """Read one record; None without a usable id."""
    found = identifier(record.value("ExtZoneID"))
    if found is None:
        return None
    return SpaceZone(
        id=found,
        name=words(record.value("Name")),
        description=words(record.value("Description")),
        is_low=flag(record.value("IsLow")),
        is_free_assignment=flag(record.value("IsFreeAssignment")),
        doors=members(record, DOOR_ZONES, "ExtDoorID"),
    )
