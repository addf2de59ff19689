"""`/acs/users/*`: people known to access control systems. A change is durable, then held until it is made."""

from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from hubd.api import acs_access_groups, acs_project, shapes
from hubd.api.acs_access_groups import GroupMember
from hubd.api.acs_calls import change, check_staying, waiting
from hubd.api.acs_lookup import (
    OneUser,
    doors_of_user,
    has_words,
    is_before,
    of_system,
    position,
    user_of,
)
from hubd.api.acs_new_user import (
    CreateAcsUser,
    Email,
    NewSchedule,
    PhoneNumber,
    create,
    email_of,
    frame,
    full_name,
    phone_of,
)
from hubd.api.acs_people import People, is_being_deleted
from hubd.api.acs_shapes import AcsEntranceListAnswer, AcsUserAnswer, AcsUserPageAnswer
from hubd.api.paging import page
from hubd.api.params import Limit, Params, Text, Uuid
from hubd.api.route import ACT, READ, REMOVE, REPLACE, UPDATE, Call, route
from hubd.model.access import DeleteUser, EditUser, RevokeAll
from hubd.model.errors import RefusedError
from hubd.store.access import UserRecord


class ListUsers(Params, frozen=True, kw_only=True):
    """Filters; a hub knows no user identities, so those match nothing."""

    acs_system_id: Uuid | None = None
    created_before: datetime | None = None
    limit: Limit = 500
    page_cursor: Text | None = None
    search: Text | None = None
    user_identity_email_address: Text | None = None
    user_identity_id: Uuid | None = None
    user_identity_phone_number: Text | None = None


class UpdateUser(OneUser, frozen=True, kw_only=True):
    """Members that are left out stay; `access_schedule: null` takes both times away, and so does null a number."""

    access_schedule: NewSchedule | UnsetType | None = UNSET
    email: Email | UnsetType = UNSET
    email_address: Email | UnsetType = UNSET
    full_name: Text | UnsetType = UNSET
    hid_acs_system_id: Uuid | None = None
    phone_number: PhoneNumber | UnsetType | None = UNSET


class AddToGroup(Params, frozen=True, kw_only=True):
    """Which user, and which access group."""

    acs_access_group_id: Uuid
    acs_user_id: Uuid


async def get(call: Call, params: OneUser) -> AcsUserAnswer:
    """Return one user."""
    return AcsUserAnswer(acs_user=People(call.hub).user(user_of(call, params)))


async def list_users(call: Call, params: ListUsers) -> AcsUserPageAnswer:
    """Return a page of users, by their age on this hub."""
    identity = (params.user_identity_email_address, params.user_identity_id, params.user_identity_phone_number)
    found = (
        []
        if any(value is not None for value in identity)
        else of_system(call, call.hub.access.users(), params.acs_system_id)
    )
    found = [one for one in found if is_before(one.created_at, params.created_before) and _is_found(one, params.search)]
    cut, pagination = page(found, position, params, call.request)
    people = People(call.hub)
    return AcsUserPageAnswer(acs_users=[people.user(one) for one in cut], pagination=pagination)


def _is_found(record: UserRecord, words: str | None) -> bool:
    own = record.user
    return has_words(words, own.full_name, own.phone_number, record.email_address, own.native_id, record.id)


async def list_entrances(call: Call, params: OneUser) -> AcsEntranceListAnswer:
    """Return the entrances that a user may pass, as far as the system tells."""
    found = doors_of_user(call.hub, user_of(call, params))
    return AcsEntranceListAnswer(acs_entrances=[acs_project.entrance(call.hub, record) for record in found])


async def update(call: Call, params: UpdateUser) -> shapes.Ok:
    """Change a user, held until the system has it; the e-mail address is kept on the hub alone."""
    if params.hid_acs_system_id is not None:
        raise RefusedError("not_supported", "The systems of this hub are not of HID.")
    user, email = user_of(call, params), email_of(params.email, params.email_address)
    check_staying(call, user)
    wish = EditUser(subject=user.user.native_id, **_edited(params, user))
    if wish != EditUser(subject=user.user.native_id):
        await change(call, user, [wish])
    if email is not UNSET:
        await call.hub.access.keep_email(user.id, email)
    return shapes.Ok()


def _edited(params: UpdateUser, user: UserRecord) -> dict[str, Any]:
    """Return what is wished of a user, by the names of `EditUser`. Raises `InvalidInputError`."""
    found: dict[str, Any] = {}
    if params.full_name is not UNSET:
        found["full_name"] = full_name(params.full_name)
    if params.phone_number is not UNSET:
        found["phone_number"] = phone_of(params.phone_number)
    if params.access_schedule is None:
        found |= {"starts_at": None, "ends_at": None}
    elif params.access_schedule is not UNSET:
        starts_at, ends_at = frame(params.access_schedule, user.user.starts_at)
        found |= {"starts_at": starts_at, "ends_at": ends_at}
    return found


async def delete(call: Call, params: OneUser) -> shapes.Ok:
    """Delete a user from their system, with key and rights, held until it has followed."""
    user = user_of(call, params)
    if not is_being_deleted(waiting(call, user)):
        await change(call, user, [DeleteUser(subject=user.user.native_id)])
    return shapes.Ok()


async def suspend(call: Call, params: OneUser) -> shapes.Ok:
    """Suspend a user, held until the system has it. Twice is once."""
    return await _suspend(call, params, is_suspended=True)


async def unsuspend(call: Call, params: OneUser) -> shapes.Ok:
    """Let a suspended user pass again, held until the system has it. Twice is once."""
    return await _suspend(call, params, is_suspended=False)


async def _suspend(call: Call, params: OneUser, *, is_suspended: bool) -> shapes.Ok:
    user = user_of(call, params)
    check_staying(call, user)
    if user.user.is_suspended is not is_suspended or waiting(call, user):
        await change(call, user, [EditUser(subject=user.user.native_id, is_suspended=is_suspended)])
    return shapes.Ok()


async def revoke_all(call: Call, params: OneUser) -> shapes.Ok:
    """Take all rights of a user: access groups, entrances and zones; held until the system has it."""
    user = user_of(call, params)
    check_staying(call, user)
    own = user.user
    if own.groups or own.entrances or own.zones or waiting(call, user):
        await change(call, user, [RevokeAll(subject=own.native_id)])
    return shapes.Ok()


async def add_to_group(call: Call, params: AddToGroup) -> shapes.Ok:
    """Put a user into an access group, held until the system has it. Twice is once."""
    member = GroupMember(**msgspec.structs.asdict(params))
    return await acs_access_groups.set_membership(call, member, is_member=True)


async def remove_from_group(call: Call, params: GroupMember) -> shapes.Ok:
    """Take a user out of an access group, held until the system has it. Twice is once."""
    return await acs_access_groups.set_membership(call, params, is_member=False)


ROUTES = [
    route("/acs/users/get", READ, get, AcsUserAnswer, OneUser),
    route("/acs/users/list", READ, list_users, AcsUserPageAnswer, ListUsers),
    route("/acs/users/list_accessible_entrances", READ, list_entrances, AcsEntranceListAnswer, OneUser),
    route("/acs/users/create", ACT, create, AcsUserAnswer, CreateAcsUser, "operator"),
    route("/acs/users/update", UPDATE, update, shapes.Ok, UpdateUser, "operator"),
    route("/acs/users/delete", REMOVE, delete, shapes.Ok, OneUser, "operator"),
    route("/acs/users/suspend", ACT, suspend, shapes.Ok, OneUser, "operator"),
    route("/acs/users/unsuspend", ACT, unsuspend, shapes.Ok, OneUser, "operator"),
    route("/acs/users/revoke_access_to_all_entrances", ACT, revoke_all, shapes.Ok, OneUser, "operator"),
    route("/acs/users/add_to_access_group", REPLACE, add_to_group, shapes.Ok, AddToGroup, "operator"),
    route("/acs/users/remove_from_access_group", REMOVE, remove_from_group, shapes.Ok, GroupMember, "operator"),
]
