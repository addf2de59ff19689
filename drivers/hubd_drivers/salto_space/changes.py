"""What is written into a user's record for what people wish, and whether a record that was read holds it. Pure."""

from collections.abc import Collection, Iterable
from datetime import datetime, tzinfo
from typing import Final

from msgspec import UNSET

from hubd.model import AcsUser, EditUser, Permission
from hubd_drivers.salto_space import mapping
from hubd_drivers.salto_space.document import Element
from hubd_drivers.salto_space.fields import digit, local
from hubd_drivers.salto_space.mapping import FIRST_START, Name, split_name
from hubd_drivers.salto_space.messages import USER, USER_GROUPS, USER_ID, SpaceUser, membership

type Changes = dict[str, str | Element | None]

NEVER: Final = "2000-01-01T00:00:00"
"""Stands in a user's record for a time that does not count."""
DOORS: Final = "SaltoDB.AccessPermissionList.User_Door"
ZONES: Final = "SaltoDB.AccessPermissionList.User_Zone"
ALWAYS: Final = "0"
"""The time zone table that restricts nothing: it was seen in published records, and its meaning is inferred."""


def name_changes(full: str, before: Name | None = None) -> Changes:
    """Return what sets a person's name."""
    name = split_name(full, before)
    changes: Changes = {"FirstName": name.first, "LastName": name.last}
    if before is not None and before.title != name.title:
        changes["Title"] = name.title
    return changes


def user_changes(wish: EditUser, space: SpaceUser, zone: tzinfo) -> Changes:
    """Return what makes a user's record hold a wish: only what the wish names."""
    changes: Changes = {}
    if wish.full_name is not UNSET:
        changes |= name_changes(wish.full_name, Name(space.title, space.first_name, space.last_name))
    if wish.phone_number is not UNSET:
        changes["PhoneNumber"] = wish.phone_number or ""
    if wish.starts_at is not UNSET:
        changes["UserActivation"] = _start(wish.starts_at, zone)
    if wish.ends_at is not UNSET:
        changes |= _end(wish.ends_at, zone)
    if wish.is_suspended is not UNSET:
        changes["IsBanned"] = digit(wish.is_suspended)
    return changes


def holds(wish: EditUser, held: AcsUser, zone: tzinfo) -> bool:
    """Tell whether a user is as wished, to the second of the server's clock."""
    return not any(
        (
            wish.full_name is not UNSET and " ".join(wish.full_name.split()) != held.full_name,
            wish.phone_number is not UNSET and (wish.phone_number or None) != held.phone_number,
            wish.starts_at is not UNSET and not _same(_since(wish.starts_at), held.starts_at, zone),
            wish.ends_at is not UNSET and not _same(wish.ends_at, held.ends_at, zone),
            wish.is_suspended is not UNSET and wish.is_suspended is not held.is_suspended,
        )
    )


def new_user(user: AcsUser, zone: tzinfo) -> Element:
    """Return the record of a user who is to be made, with the native id as ext id."""
    changes: Changes = {USER_ID: user.native_id, **name_changes(user.full_name)}
    if user.starts_at is not None:
        changes["UserActivation"] = _start(user.starts_at, zone)
    if user.ends_at is not None:
        changes |= _end(user.ends_at, zone)
    if user.audits_openings:
        changes["AuditOpenings"] = digit(user.audits_openings)
    if user.is_suspended:
        changes["IsBanned"] = digit(user.is_suspended)
    if user.phone_number:
        changes["PhoneNumber"] = user.phone_number
    if user.entrances:
        changes[DOORS] = Element(DOORS, children=list(_rights(user.native_id, user.entrances, DOORS, zone)))
    if user.zones:
        changes[ZONES] = Element(ZONES, children=list(_rights(user.native_id, user.zones, ZONES, zone)))
    if user.groups:
        changes[USER_GROUPS] = membership(of_user=user.native_id, ids=user.groups)
    children = [Element(name, change) if isinstance(change, str) else change for name, change in changes.items()]
    return Element(USER, children=[child for child in children if child is not None])


def permitted(user: str, rights: Element, door: str) -> Element:
    """Return the list of a user's rights with one for a door, without time frame, in place of any to that door."""
    kept = [right for right in rights if right.value("ExtDoorID") != door]
    return Element(DOORS, children=[*kept, _right(user, door, DOORS)])


def member(user: str, links: Element, group: str) -> Element:
    """Return the list of a user's access levels with one more; the others stay as they were read."""
    (link,) = membership(of_user=user, ids=(group,)).children
    return Element(USER_GROUPS, children=[*no_member(links, group), link])


def no_member(links: Element, group: str) -> Element:
    """Return the list of a user's access levels without one; the others stay as they were read."""
    return Element(USER_GROUPS, children=[link for link in links if link.value("ExtGroupID") != group])


def without_user(links: Element, user: str) -> Element:
    """Return the list of an access level's users without one; the others stay as they were read."""
    return Element(USER_GROUPS, children=[link for link in links if link.value(USER_ID) != user])


def is_permitted(held: AcsUser, entrance: str, now: datetime) -> bool:
    """Tell whether a user has a right of their own to an entrance that holds, or will."""
    rights = (one for one in held.entrances if one.native_id == entrance)
    return any(one.ends_at is None or one.ends_at > now for one in rights)


def has_rights(held: AcsUser) -> bool:
    """Tell whether a user has any right."""
    return bool(held.groups or held.entrances or held.zones)


def without_rights(record: Element, groups: Collection[str] | None) -> Changes:
    """Return what takes all rights of a user away: an empty list for each that is not empty."""
    changes: Changes = {
        name: Element(name) for name in (DOORS, ZONES) if (rights := record.child(name)) and list(rights)
    }
    if groups:
        user = record.value(USER_ID)
        changes[USER_GROUPS] = membership(of_user=user, ids=(), allow_empty=True)
    return changes


def _rights(user: str, rights: Iterable[Permission], name: str, zone: tzinfo) -> Iterable[Element]:
    for right in rights:
        made = _right(user, mapping.ext_door_id(right.native_id) if name == DOORS else right.native_id, name)
        if right.starts_at is not None and right.ends_at is not None:
            ends = (local(right.starts_at, zone), local(right.ends_at, zone))
            made.children[-1] = Element("UsePeriod", digit(value=True))
            made.children.append(
                Element("Period", children=[Element("StartDate", ends[0]), Element("EndDate", ends[1])])
            )
        yield made


def _right(user: str, far: str, name: str) -> Element:
    far_id = "ExtDoorID" if name == DOORS else "ExtZoneID"
    return Element(
        name.replace("PermissionList", "Permission"),
        children=[
            Element(USER_ID, user),
            Element(far_id, far),
            Element("TimezoneTableID", ALWAYS),
            Element("UsePeriod", digit(value=False)),
        ],
    )


def _since(at: datetime | None) -> datetime | None:
    return None if at is None or at.year < FIRST_START else at


def _start(at: datetime | None, zone: tzinfo) -> str:
    since = _since(at)
    return NEVER if since is None else local(since, zone)


def _end(at: datetime | None, zone: tzinfo) -> Changes:
    if at is None:
        return {"UserExpiration.Enabled": digit(value=False)}
    return {"UserExpiration.Enabled": digit(value=True), "UserExpiration": local(at, zone)}


def _same(one: datetime | None, other: datetime | None, zone: tzinfo) -> bool:
    if one is None or other is None:
        return one is other
    return local(one, zone) == local(other, zone)
