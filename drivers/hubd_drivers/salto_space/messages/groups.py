"""User access levels, which SHIP calls groups: reading them page by page, and changing them.

No public source shows that they can be read; the request follows the pattern of the others (inferred). A server that
does not know it refuses with 502, and what is then known of access levels are the ids in the users' records.
"""

from collections.abc import Collection
from datetime import tzinfo
from enum import StrEnum

import msgspec

from hubd_drivers.salto_space.document import Element
from hubd_drivers.salto_space.fields import identifier, words
from hubd_drivers.salto_space.messages.envelope import Effect, Page, Request, call, page_request, read_page, texts
from hubd_drivers.salto_space.messages.links import USER_GROUPS, Permission, members, permissions

GROUP = "SaltoDBGroup"
GROUP_ID = "ExtGroupID"


class GroupLists(StrEnum):
    """Lists that an access level's record holds if they are asked for; inferred by the pattern of users."""

    USERS = "ReturnMembership_User_Group"
    DOORS = "ReturnAccessPermissions_Group_Door"
    ZONES = "ReturnAccessPermissions_Group_Zone"


class SpaceGroup(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One user access level. A list that is not part of the record is None."""

    id: str
    partition: str = ""
    name: str = ""
    description: str = ""
    users: tuple[str, ...] | None = None
    doors: tuple[Permission, ...] | None = None
    zones: tuple[Permission, ...] | None = None


def list_groups(count: int, start: str = "", lists: Collection[GroupLists] = ()) -> Request:
    """Return the request for a page of at most `count` access levels. Inferred."""
    return page_request("SaltoDBGroupList.Read", count, "StartingFromExtGroupID", start, lists)


def read_groups(params: Element, zone: tzinfo, *, raw: bool = False) -> Page[SpaceGroup]:
    """Read a page; times are the wall clock's in `zone`."""
    return read_page(params, "SaltoDBGroupList", GROUP, lambda record: read_group(record, zone), raw=raw)


def read_group(record: Element, zone: tzinfo) -> SpaceGroup | None:
    """Read one record; None without a usable id."""
    get = texts(record).get
    found = identifier(get(GROUP_ID, ""))
    if found is None:
        return None
    return SpaceGroup(
        id=found,
        partition=words(get("ExtPartitionID", "")),
        name=words(get("Name", "")),
        description=words(get("Description", "")),
        users=members(record, USER_GROUPS, "ExtUserID"),
        doors=permissions(record, "Group_Door", "ExtDoorID", zone),
        zones=permissions(record, "Group_Zone", "ExtZoneID", zone),
    )


def update_group(record: Element) -> Request:
    """Return the request that changes an access level to the whole record; see `edited`."""
    return call("SaltoDBGroup.Update", _record(record), effect=Effect.WRITES)


def delete_group(group: str) -> Request:
    """Return the request that deletes an access level."""
    if not group.strip():
        raise ValueError("an id is empty")
    return call("SaltoDBGroup.Delete", Element(GROUP_ID, group), effect=Effect.WRITES)


def _record(record: Element) -> Element:
    if record.name != GROUP or identifier(record.value(GROUP_ID)) is None:
        raise ValueError("that is no record of an access level with an id")
    return record
