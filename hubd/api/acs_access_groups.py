"""`/acs/access_groups/*`: what the members of a group may pass. Groups are made in the system itself."""

from hubd.api import acs_project, shapes
from hubd.api.acs_calls import change, check_staying, waiting
from hubd.api.acs_lookup import (
    check_same,
    doors,
    has_words,
    named_user,
    of_system,
    position,
    refuse_identity,
)
from hubd.api.acs_people import People, is_being_deleted
from hubd.api.acs_shapes import (
    AcsEntranceListAnswer,
    AcsGroupAnswer,
    AcsGroupListAnswer,
    AcsUserListAnswer,
)
from hubd.api.params import Params, Text, Uuid
from hubd.api.route import READ, REMOVE, REPLACE, Call, route
from hubd.model.access import DeleteGroup, SetMembership
from hubd.store.access import GroupRecord, UserRecord


class OneGroup(Params, frozen=True, kw_only=True):
    """Which access group."""

    acs_access_group_id: Uuid


class ListGroups(Params, frozen=True, kw_only=True):
    """Filters; a hub knows no user identities, so that one matches nothing."""

    acs_system_id: Uuid | None = None
    acs_user_id: Uuid | None = None
    search: Text | None = None
    user_identity_id: Uuid | None = None


class GroupMember(Params, frozen=True, kw_only=True):
    """Which user, and which access group."""

    acs_access_group_id: Uuid
    acs_user_id: Uuid | None = None
    user_identity_id: Uuid | None = None


def _group(call: Call, params: OneGroup | GroupMember) -> GroupRecord:
    return call.hub.access.group(params.acs_access_group_id.lower())


async def get(call: Call, params: OneGroup) -> AcsGroupAnswer:
    """Return one access group."""
    return AcsGroupAnswer(acs_access_group=People(call.hub).group(_group(call, params)))


async def list_groups(call: Call, params: ListGroups) -> AcsGroupListAnswer:
    """Return the access groups, by their age on this hub."""
    found = (
        [] if params.user_identity_id is not None else of_system(call, call.hub.access.groups(), params.acs_system_id)
    )
    if params.acs_user_id is not None:
        user = call.hub.access.user(params.acs_user_id.lower())
        found = [one for one in found if one.instance == user.instance and one.group.native_id in user.user.groups]
    found = [one for one in found if has_words(params.search, one.group.name, one.group.description, one.id)]
    people = People(call.hub)
    return AcsGroupListAnswer(acs_access_groups=[people.group(one) for one in sorted(found, key=position)])


async def list_users(call: Call, params: OneGroup) -> AcsUserListAnswer:
    """Return the members of an access group."""
    group, people = _group(call, params), People(call.hub)
    found = [one for one in call.hub.access.users() if _is_member(one, group)]
    return AcsUserListAnswer(acs_users=[people.user(one) for one in sorted(found, key=position)])


def _is_member(user: UserRecord, group: GroupRecord) -> bool:
    return user.instance == group.instance and group.group.native_id in user.user.groups


async def list_entrances(call: Call, params: OneGroup) -> AcsEntranceListAnswer:
    """Return the entrances that the members of an access group may pass."""
    group = _group(call, params)
    found = doors(call.hub, group.instance, call.hub.access.reach(group.instance).of_group(group.group))
    return AcsEntranceListAnswer(acs_entrances=[acs_project.entrance(call.hub, record) for record in found])


async def add_user(call: Call, params: GroupMember) -> shapes.Ok:
    """Put a user into an access group, held until the system has it. Twice is once."""
    return await set_membership(call, params, is_member=True)


async def remove_user(call: Call, params: GroupMember) -> shapes.Ok:
    """Take a user out of an access group, held until the system has it. Twice is once."""
    return await set_membership(call, params, is_member=False)


async def set_membership(call: Call, params: GroupMember, *, is_member: bool) -> shapes.Ok:
    """Have a user be a member, or none. Raises `InvalidInputError`, `NotFoundError`, `RefusedError`."""
    refuse_identity(params.user_identity_id)
    group, user = _group(call, params), named_user(call, params.acs_user_id)
    check_same(group.instance, user.instance)
    check_staying(call, user)
    if _is_member(user, group) is is_member and not waiting(call, user):
        return shapes.Ok()
    wish = SetMembership(subject=user.user.native_id, group=group.group.native_id, is_member=is_member)
    await change(call, user, [wish])
    return shapes.Ok()


async def delete(call: Call, params: OneGroup) -> shapes.Ok:
    """Delete an access group from its system, held until it has followed; its members lose what it let them pass."""
    group = _group(call, params)
    if not is_being_deleted(waiting(call, group)):
        await change(call, group, [DeleteGroup(subject=group.group.native_id)])
    return shapes.Ok()


ROUTES = [
    route("/acs/access_groups/get", READ, get, AcsGroupAnswer, OneGroup),
    route("/acs/access_groups/list", READ, list_groups, AcsGroupListAnswer, ListGroups),
    route("/acs/access_groups/list_users", READ, list_users, AcsUserListAnswer, OneGroup),
    route("/acs/access_groups/list_accessible_entrances", READ, list_entrances, AcsEntranceListAnswer, OneGroup),
    route("/acs/access_groups/add_user", REPLACE, add_user, shapes.Ok, GroupMember, "operator"),
    route("/acs/access_groups/remove_user", REMOVE, remove_user, shapes.Ok, GroupMember, "operator"),
    route("/acs/access_groups/delete", REMOVE, delete, shapes.Ok, OneGroup, "operator"),
]
