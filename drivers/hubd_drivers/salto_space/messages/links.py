"""Lists of links inside a record: memberships, and permissions with their periods."""

import sys
from collections.abc import Collection
from datetime import datetime, tzinfo
from typing import Final

import msgspec

from hubd_drivers.salto_space.document import Element
from hubd_drivers.salto_space.fields import FIRST_YEAR, flag, identifier, moment, number
from hubd_drivers.salto_space.messages.envelope import checked, texts

USER_GROUPS: Final = "SaltoDB.MembershipList.User_Group"
DOOR_ZONES: Final = "SaltoDB.MembershipList.Door_Zone"


class Permission(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """That a user or an access level may pass a door or a zone, `target`."""

    target: str
    timezone_table: int | None = None
    """Number of the time zone table in Space; 0 was seen where none restricts."""
    starts_at: datetime | None = None
    """Both are None while `UsePeriod` is off."""
    ends_at: datetime | None = None


def membership(*, of_user: str = "", of_group: str = "", ids: Collection[str], allow_empty: bool = False) -> Element:
    """Return the access levels of a user, or the users of an access level, as a list to send.

    `ids` are the ids at the other end, all of them: what is sent replaces what is there. An empty list takes everything
    away, so it has to be said that it is meant; ValueError otherwise, and for an empty id. A user's links name both
    ends, an access level's only the user, as in what is public.
    """
    if bool(of_user) == bool(of_group):
        raise ValueError("a list of members belongs to a user or to an access level")
    if not ids and not allow_empty:
        raise ValueError("an empty list takes every membership away: say allow_empty if that is meant")
    return Element(USER_GROUPS, children=[_member(of_user, one) for one in sorted(checked(ids))])


def _member(user: str, other: str) -> Element:
    ends = [Element("ExtUserID", user), Element("ExtGroupID", other)] if user else [Element("ExtUserID", other)]
    return Element("SaltoDB.Membership.User_Group", children=ends)


def members(record: Element, list_name: str, far: str) -> tuple[str, ...] | None:
    """Return the ids at the other end of a list of memberships; None if the record does not hold that list."""
    found = record.child(list_name)
    if found is None:
        return None
    ids = (identifier(link.value(far)) for link in found)
    # Thousands of users share few access levels.
    return tuple(dict.fromkeys(sys.intern(one) for one in ids if one is not None))


def permissions(record: Element, table: str, far: str, zone: tzinfo) -> tuple[Permission, ...] | None:
    """Return the permissions of a list such as `User_Door`; None if the record does not hold that list."""
    found = record.child(f"SaltoDB.AccessPermissionList.{table}")
    if found is None:
        return None
    return tuple(one for link in found if (one := _permission(link, far, zone)) is not None)


def _permission(link: Element, far: str, zone: tzinfo) -> Permission | None:
    parts = texts(link)
    target = identifier(parts.get(far, ""))
    if target is None:
        return None
    period = link.child("Period") if flag(parts.get("UsePeriod", "")) else None
    return Permission(
        target=sys.intern(target),
        timezone_table=number(parts.get("TimezoneTableID", "")),
        starts_at=None if period is None else moment(period.value("StartDate"), zone, first_year=FIRST_YEAR),
        ends_at=None if period is None else moment(period.value("EndDate"), zone, first_year=FIRST_YEAR),
    )
