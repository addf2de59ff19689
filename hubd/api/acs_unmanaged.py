"""`/acs/*/unmanaged/*`: all that a hub knows of an access control system is managed, so nothing is here."""

from typing import Never

from hubd.api.acs_shapes import (
    AcsCredentialAnswer,
    AcsCredentialListAnswer,
    AcsGroupAnswer,
    AcsGroupListAnswer,
    AcsUserAnswer,
    AcsUserListAnswer,
)
from hubd.api.params import Limit, Params, Text, Uuid
from hubd.api.route import READ, Call, route
from hubd.model.errors import NotFoundError

NONE = "There is nothing unmanaged in an access control system of this hub; see the same route without /unmanaged."


class UnmanagedUser(Params, frozen=True, kw_only=True):
    """Which user."""

    acs_user_id: Uuid


class UnmanagedGroup(Params, frozen=True, kw_only=True):
    """Which access group."""

    acs_access_group_id: Uuid


class UnmanagedCredential(Params, frozen=True, kw_only=True):
    """Which credential."""

    acs_credential_id: Uuid


class ListUnmanagedUsers(Params, frozen=True, kw_only=True):
    """Filters of what is not there."""

    acs_system_id: Uuid | None = None
    limit: Limit = 500
    search: Text | None = None
    user_identity_email_address: Text | None = None
    user_identity_id: Uuid | None = None
    user_identity_phone_number: Text | None = None


class ListUnmanagedGroups(Params, frozen=True, kw_only=True):
    """Filters of what is not there."""

    acs_system_id: Uuid | None = None
    acs_user_id: Uuid | None = None
    search: Text | None = None


class ListUnmanagedCredentials(Params, frozen=True, kw_only=True):
    """Filters of what is not there."""

    acs_system_id: Uuid | None = None
    acs_user_id: Uuid | None = None
    search: Text | None = None
    user_identity_id: Uuid | None = None


async def get_user(_: Call, params: UnmanagedUser) -> Never:
    """Find no user: all are managed."""
    raise NotFoundError("acs_user_not_found", NONE, acs_user_id=params.acs_user_id)


async def get_group(_: Call, params: UnmanagedGroup) -> Never:
    """Find no access group: all are managed."""
    raise NotFoundError("acs_access_group_not_found", NONE, acs_access_group_id=params.acs_access_group_id)


async def get_credential(_: Call, params: UnmanagedCredential) -> Never:
    """Find no credential: all are managed."""
    raise NotFoundError("acs_credential_not_found", NONE, acs_credential_id=params.acs_credential_id)


async def list_users(_: Call, __: ListUnmanagedUsers) -> AcsUserListAnswer:
    """Return no user: all are managed."""
    return AcsUserListAnswer(acs_users=[])


async def list_groups(_: Call, __: ListUnmanagedGroups) -> AcsGroupListAnswer:
    """Return no access group: all are managed."""
    return AcsGroupListAnswer(acs_access_groups=[])


async def list_credentials(_: Call, __: ListUnmanagedCredentials) -> AcsCredentialListAnswer:
    """Return no credential: all are managed."""
    return AcsCredentialListAnswer(acs_credentials=[])


ROUTES = [
    route("/acs/users/unmanaged/get", READ, get_user, AcsUserAnswer, UnmanagedUser),
    route("/acs/users/unmanaged/list", READ, list_users, AcsUserListAnswer, ListUnmanagedUsers),
    route("/acs/access_groups/unmanaged/get", READ, get_group, AcsGroupAnswer, UnmanagedGroup),
    route("/acs/access_groups/unmanaged/list", READ, list_groups, AcsGroupListAnswer, ListUnmanagedGroups),
    route("/acs/credentials/unmanaged/get", READ, get_credential, AcsCredentialAnswer, UnmanagedCredential),
    route("/acs/credentials/unmanaged/list", READ, list_credentials, AcsCredentialListAnswer, ListUnmanagedCredentials),
]
