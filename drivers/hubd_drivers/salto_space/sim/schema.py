"""What Space's records look like on the wire: their elements in the order of real replies, types and defaults.

From what is public of SHIP. Order and names of users, groups and doors were seen in published replies; those of
lockers, suites and zones, and all defaults, are inferred.
"""

import re
from collections.abc import Mapping
from enum import Enum
from typing import Final, NamedTuple

NEVER: Final = "2000-01-01T00:00:00"
"""Stands in a field of time that is switched off."""
UNUSED: Final = "1900-01-01T00:00:00"
"""Stands at both ends of a period that is not used."""
_MOMENT: Final = re.compile(r"\d{4}-\d{1,2}-\d{1,2}T\d{1,2}:\d{2}:\d{2}")


class Kind(Enum):
    """What an element holds."""

    TEXT = "text"
    FLAG = "flag"
    """``0`` or ``1``."""
    NUMBER = "number"
    MOMENT = "moment"
    PERIOD = "period"
    """`StartDate` and `EndDate`; the whole element is left out while there is none."""
    LIST = "list"
    """A list that this simulator keeps empty."""


class Field(NamedTuple):
    """One element of a record."""

    name: str
    kind: Kind = Kind.TEXT
    default: str = ""
    is_read_only: bool = False
    is_secret: bool = False
    """A server may hide it in replies."""

    def takes(self, text: str) -> bool:
        """Tell whether a request may set it to this."""
        match self.kind:
            case Kind.FLAG:
                return text in {"0", "1"}
            case Kind.NUMBER:
                return re.fullmatch(r"-?\d{1,9}", text) is not None
            case Kind.MOMENT:
                return _MOMENT.fullmatch(text) is not None
            case Kind.TEXT | Kind.PERIOD | Kind.LIST:
                return True


class Link(NamedTuple):
    """A list of links inside a record: of memberships, or of permissions with their periods."""

    table: str
    """By which name the site keeps it; both ends share it."""
    far_id: str
    """The element that names the other end."""
    far: str
    """The entity at the other end; empty: one that this simulator does not have, so the list stays empty."""
    is_permission: bool = False
    is_reversed: bool = False
    """The site keeps it by the other end."""
    switch: str = ""
    """The parameter of the list request that asks for it."""

    @property
    def element(self) -> str:
        """The name of the list."""
        return f"SaltoDB.{'AccessPermission' if self.is_permission else 'Membership'}List.{self.table}"

    @property
    def item(self) -> str:
        """The name of one of its children."""
        return f"SaltoDB.{'AccessPermission' if self.is_permission else 'Membership'}.{self.table}"


class Entity(NamedTuple):
    """A kind of record. The codes are SHIP's: not found, locked by somebody else, exists already."""

    name: str
    id: str
    fields: tuple[Field, ...]
    links: tuple[Link, ...] = ()
    missing: int = 11
    locked: int = 101
    exists: int = 10
    is_edited: bool = True
    """Hosts may insert, update and delete it."""

    @property
    def element(self) -> str:
        """The name of a record's element, such as `SaltoDBUser`."""
        return f"SaltoDB{self.name}"

    @property
    def by_name(self) -> Mapping[str, Field]:
        """The fields by name."""
        return _BY_NAME[self.name]


def _flag(name: str, default: str = "0", *, is_read_only: bool = False) -> Field:
    return Field(name, Kind.FLAG, default, is_read_only)


def _number(name: str, default: str = "0", *, is_read_only: bool = False) -> Field:
    return Field(name, Kind.NUMBER, default, is_read_only)


_PURPOSES = tuple(Field(f"GPF{number}") for number in range(1, 6))

USER: Final = Entity(
    "User",
    "ExtUserID",
    (
        Field("ExtUserID"),
        _number("ExtPartitionID"),
        Field("Title"),
        Field("FirstName"),
        Field("LastName"),
        _flag("Office"),
        _flag("AuditOpenings", "1"),
        _flag("UseADA"),
        _flag("UseAntipassback"),
        _number("CalendarID"),
        _flag("UseLockCalendar"),
        *_PURPOSES,
        Field("AutoKeyEdit.ROMCode"),
        Field("CurrentROMCode", is_read_only=True),
        Field("UserActivation", Kind.MOMENT, NEVER),
        _flag("UserExpiration.Enabled"),
        Field("UserExpiration", Kind.MOMENT, NEVER),
        _flag("KeyExpirationDifferentFromUserExpiration", "1"),
        _number("KeyRevalidation.UpdatePeriod", "30"),
        _number("KeyRevalidation.UnitOfUpdatePeriod"),
        _flag("CurrentKeyExists", is_read_only=True),
        Field("CurrentKeyPeriod", Kind.PERIOD, is_read_only=True),
        _number("CurrentKeyStatus", is_read_only=True),
        _flag("PINEnabled"),
        Field("PINCode", is_secret=True),
        Field("WiegandCode", is_secret=True),
        _flag("IsBanned"),
        _flag("KeyIsCancellableThroughBlacklist", "1"),
        _flag("LockdownEnabled"),
        _flag("OverrideLockdown"),
        _flag("OverridePrivacy"),
        _number("LocationFunctionTimezoneTableID"),
        Field("PhoneNumber"),
        _number("MobileAppType"),
        Field("ExtLimitedEntryGroupID"),
        Field("PictureFileName"),
        Field("AuthorizationCodeList", Kind.LIST),
    ),
    (
        Link("User_Door", "ExtDoorID", "Door", is_permission=True, switch="ReturnAccessPermissions_User_Door"),
        Link("User_Zone", "ExtZoneID", "Zone", is_permission=True, switch="ReturnAccessPermissions_User_Zone"),
        Link("User_Location", "ExtLocationID", "", is_permission=True, switch="ReturnAccessPermissions_User_Location"),
        Link("User_Function", "ExtFunctionID", "", is_permission=True, switch="ReturnAccessPermissions_User_Function"),
        Link("User_Output", "ExtOutputID", "", is_permission=True, switch="ReturnAccessPermissions_User_Output"),
        Link(
            "User_RoomReservation",
            "ExtDoorID",
            "",
            is_permission=True,
            switch="ReturnAccessPermissions_User_RoomReservation",
        ),
        Link("User_Group", "ExtGroupID", "Group", switch="ReturnMembership_User_Group"),
    ),
    missing=200,
    locked=201,
    exists=202,
)
GROUP: Final = Entity(
    "Group",
    "ExtGroupID",
    (Field("ExtGroupID"), Field("Name"), Field("Description")),
    (
        Link("Group_Door", "ExtDoorID", "Door", is_permission=True, switch="ReturnAccessPermissions_Group_Door"),
        Link("Group_Zone", "ExtZoneID", "Zone", is_permission=True, switch="ReturnAccessPermissions_Group_Zone"),
        Link("User_Group", "ExtUserID", "User", is_reversed=True, switch="ReturnMembership_User_Group"),
    ),
)
_DOOR_LINKS = (
    Link("Door_Zone", "ExtZoneID", "Zone", switch="ReturnMembership_Door_Zone"),
    Link("Door_Location", "ExtLocationID", "", switch="ReturnMembership_Door_Location"),
    Link("Door_Function", "ExtFunctionID", "", switch="ReturnMembership_Door_Function"),
)
_DOOR_HEAD = (Field("ExtDoorID"), Field("Name"), Field("Description"), Field("GPF1"), Field("GPF2"))
_DOOR_TIMES = (_number("OpenTime", "6"), _number("OpenTimeADA", "20"))
_DOOR_END = (_flag("UpdateRequired", is_read_only=True), _number("BatteryStatus", "-1", is_read_only=True))
DOOR: Final = Entity(
    "Door",
    "ExtDoorID",
    (
        *_DOOR_HEAD,
        *_DOOR_TIMES,
        _number("OpeningMode"),
        _number("TimedPeriodsTableID"),
        _number("AutomaticChangesTableID"),
        Field("KeypadCode", is_secret=True),
        _flag("AuditOnKeys", "1"),
        _flag("AntipassbackEnabled"),
        _flag("OutwardAntipassback"),
        *_DOOR_END,
    ),
    _DOOR_LINKS,
    missing=100,
    exists=102,
)
LOCKER: Final = Entity(
    "Locker",
    "ExtDoorID",
    (*_DOOR_HEAD, *_DOOR_TIMES, *_DOOR_END),
    _DOOR_LINKS,
    missing=100,
    exists=102,
    is_edited=False,
)
ROOM: Final = Entity(
    "HotelRoom",
    "ExtDoorID",
    (*_DOOR_HEAD, *_DOOR_TIMES, _flag("AuditOnKeys", "1"), *_DOOR_END, Field("ExtParentHotelSuiteID")),
    _DOOR_LINKS,
    missing=100,
    exists=102,
    is_edited=False,
)
SUITE: Final = Entity(
    "HotelSuite",
    "ExtDoorID",
    (*_DOOR_HEAD, *_DOOR_TIMES, _flag("AuditOnKeys", "1"), *_DOOR_END),
    _DOOR_LINKS,
    missing=100,
    exists=102,
    is_edited=False,
)
ZONE: Final = Entity(
    "Zone",
    "ExtZoneID",
    (
        Field("ExtZoneID"),
        Field("Name"),
        Field("Description"),
        _flag("IsLow"),
        _flag("IsFreeAssignment"),
        _number("FreeAssignmentGroup"),
    ),
    (Link("Door_Zone", "ExtDoorID", "Door", is_reversed=True, switch="ReturnMembership_Door_Zone"),),
)
ENTITIES: Final = {entity.name: entity for entity in (USER, GROUP, DOOR, LOCKER, ROOM, SUITE, ZONE)}
PLACES: Final = (DOOR, LOCKER, ROOM, SUITE)
"""What has an `ExtDoorID`; it is one space of names."""
_BY_NAME: Final = {name: {field.name: field for field in entity.fields} for name, entity in ENTITIES.items()}
