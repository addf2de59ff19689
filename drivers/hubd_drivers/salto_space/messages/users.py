"""Users of Space: reading them page by page, and changing them."""

from collections.abc import Collection
from datetime import datetime, tzinfo
from enum import StrEnum

import msgspec

from hubd_drivers.salto_space.document import Element
from hubd_drivers.salto_space.fields import (
    FIRST_YEAR,
    KeyStatus,
    MobileApp,
    flag,
    identifier,
    member,
    moment,
    number,
    words,
)
from hubd_drivers.salto_space.messages.envelope import Effect, Page, Request, call, page_request, read_page, texts
from hubd_drivers.salto_space.messages.links import USER_GROUPS, Permission, members, permissions

USER = "SaltoDBUser"
USER_ID = "ExtUserID"
_IN_USE = 2001
"""The year from which on an end is one, where it is not said that it counts: 2000-01-01 stands for none."""
_NOTES = ("GPF1", "GPF2", "GPF3", "GPF4", "GPF5")


class UserLists(StrEnum):
    """Lists that a user's record holds if they are asked for."""

    GROUPS = "ReturnMembership_User_Group"
    DOORS = "ReturnAccessPermissions_User_Door"
    ZONES = "ReturnAccessPermissions_User_Zone"
    LOCATIONS = "ReturnAccessPermissions_User_Location"
    FUNCTIONS = "ReturnAccessPermissions_User_Function"
    OUTPUTS = "ReturnAccessPermissions_User_Output"
    ROOMS = "ReturnAccessPermissions_User_RoomReservation"


class SpaceUser(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One user. None is not known; a PIN or a code is never kept, and the repr shows the id alone."""

    id: str
    partition: str = ""
    title: str = ""
    first_name: str = ""
    last_name: str = ""
    office: str = ""
    notes: tuple[str, ...] = ()
    """The five free fields (GPF1 to GPF5), without empty ones at the end."""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    """None if the user does not expire."""
    is_banned: bool | None = None
    audits_openings: bool | None = None
    calendar: int | None = None
    has_pin: bool | None = None
    overrides_privacy: bool | None = None
    overrides_lockdown: bool | None = None
    is_cancellable: bool | None = None
    """Whether the user's key can be cancelled through the blacklist."""
    has_key: bool | None = None
    key_status: KeyStatus | None = None
    key_status_number: int | None = None
    """As the server sent it, also if it is none of the known ones."""
    key_starts_at: datetime | None = None
    key_ends_at: datetime | None = None
    card_serial: str = ""
    """Of the present key (ROM code), upper-case hexadecimal; empty if there is none or it is all zeros."""
    phone: str = ""
    mobile_app: MobileApp | None = None
    groups: tuple[str, ...] | None = None
    """Ids of the user's access levels; None: the list is not part of the record."""
    doors: tuple[Permission, ...] | None = None
    zones: tuple[Permission, ...] | None = None

    def __repr__(self) -> str:
        return f"SpaceUser(id={self.id!r})"


def list_users(count: int, start: str = "", lists: Collection[UserLists] = ()) -> Request:
    """Return the request for a page of at most `count` users from the id `start` on, which may be among them or not."""
    return page_request("SaltoDBUserList.Read", count, "StartingFromExtUserID", start, lists)


def read_users(params: Element, zone: tzinfo, *, raw: bool = False) -> Page[SpaceUser]:
    """Read a page; times are the wall clock's in `zone`."""
    return read_page(params, "SaltoDBUserList", USER, lambda record: read_user(record, zone), raw=raw)


def read_user(record: Element, zone: tzinfo) -> SpaceUser | None:
    """Read one record; None without a usable id."""
    get = texts(record).get
    found = identifier(get(USER_ID, ""))
    if found is None:
        return None
    ends = flag(get("UserExpiration.Enabled", ""))
    status = number(get("CurrentKeyStatus", ""))
    period = record.child("CurrentKeyPeriod")
    return SpaceUser(
        id=found,
        partition=words(get("ExtPartitionID", "")),
        title=words(get("Title", "")),
        first_name=words(get("FirstName", "")),
        last_name=words(get("LastName", "")),
        office=words(get("Office", "")),
        notes=_notes([words(get(name, "")) for name in _NOTES]),
        starts_at=_moment(get("UserActivation", ""), zone),
        ends_at=None if ends is False else _moment(get("UserExpiration", ""), zone, FIRST_YEAR if ends else _IN_USE),
        is_banned=flag(get("IsBanned", "")),
        audits_openings=flag(get("AuditOpenings", "")),
        calendar=number(get("CalendarID", "")),
        has_pin=flag(get("PINEnabled", "")),
        overrides_privacy=flag(get("OverridePrivacy", "")),
        overrides_lockdown=flag(get("OverrideLockdown", "")),
        is_cancellable=flag(get("KeyIsCancellableThroughBlacklist", "")),
        has_key=flag(get("CurrentKeyExists", "")),
        key_status=member(KeyStatus, status),
        key_status_number=status,
        key_starts_at=None if period is None else _moment(period.value("StartDate"), zone),
        key_ends_at=None if period is None else _moment(period.value("EndDate"), zone),
        card_serial=card_serial(get("CurrentROMCode", "")),
        phone=words(get("PhoneNumber", "")),
        mobile_app=member(MobileApp, number(get("MobileAppType", ""))),
        groups=members(record, USER_GROUPS, "ExtGroupID"),
        doors=permissions(record, "User_Door", "ExtDoorID", zone),
        zones=permissions(record, "User_Zone", "ExtZoneID", zone),
    )


def insert_user(record: Element) -> Request:
    """Return the request that makes a user under the id in its record; refused (202) if it exists."""
    return call("SaltoDBUser.Insert", _record(record), effect=Effect.WRITES)


def update_user(record: Element) -> Request:
    """Return the request that changes a user to the whole record; see `edited`."""
    return call("SaltoDBUser.Update", _record(record), effect=Effect.WRITES)


def delete_user(user: str) -> Request:
    """Return the request that deletes a user, and with it what its key may open."""
    if not user.strip():
        raise ValueError("an id is empty")
    return call("SaltoDBUser.Delete", Element(USER_ID, user), effect=Effect.WRITES)


def card_serial(text: str) -> str:
    """Return a ROM code in upper-case hexadecimal; empty for none, or for the zeros that stand for none."""
    found = words(text).upper()
    return found if found.strip("0") else ""


def _record(record: Element) -> Element:
    if record.name != USER or identifier(record.value(USER_ID)) is None:
        raise ValueError("that is no record of a user with an id")
    return record


def _moment(text: str, zone: tzinfo, first_year: int = FIRST_YEAR) -> datetime | None:
    return moment(text, zone, first_year=first_year) if text else None


def _notes(notes: list[str]) -> tuple[str, ...]:
    while notes and not notes[-1]:
        notes.pop()
    return tuple(notes)
