"""`/acs/entrances/*`: the doors of access control systems, held until settled for ten seconds at most."""

from msgspec.structs import replace

from hubd.api import acs_lookup, acs_project, shapes
from hubd.api.acs_calls import change, check_staying, waiting
from hubd.api.acs_lookup import has_words, may_pass, named_user, passing, refuse_identity, user_behind
from hubd.api.acs_people import People
from hubd.api.acs_shapes import (
    AcsCredentialListAnswer,
    AcsEntranceAnswer,
    AcsEntrancePageAnswer,
)
from hubd.api.devices import position
from hubd.api.locks import order
from hubd.api.paging import page
from hubd.api.params import Limit, Params, Text, Uuid, Uuids, Words
from hubd.api.route import ACT, READ, Call, route
from hubd.core.access.reach import as_wished, is_within
from hubd.model.access import PermitEntrance
from hubd.model.command import UnlockDoor
from hubd.model.errors import RefusedError
from hubd.store.access import CredentialRecord, UserRecord
from hubd.store.records import DeviceRecord

FLAG = "can_unlock_with_cloud_key"


class OneEntrance(Params, frozen=True, kw_only=True):
    """Which entrance."""

    acs_entrance_id: Uuid


class ListEntrances(Params, frozen=True, kw_only=True):
    """Filters; all given ones must fit. Customers, locations and spaces match nothing."""

    acs_credential_id: Uuid | None = None
    acs_entrance_ids: Uuids | None = None
    acs_system_id: Uuid | None = None
    connected_account_id: Uuid | None = None
    customer_key: Text | None = None
    limit: Limit = 900
    location_id: Uuid | None = None
    page_cursor: Text | None = None
    search: Text | None = None
    space_id: Uuid | None = None


class ListWithAccess(Params, frozen=True, kw_only=True):
    """Which entrance; `include_if` names only what no system of a hub has, so it matches nothing."""

    acs_entrance_id: Uuid
    include_if: Words | None = None


class GrantAccess(Params, frozen=True, kw_only=True):
    """Whom to let pass which entrance."""

    acs_entrance_id: Uuid
    acs_user_id: Uuid | None = None
    user_identity_id: Uuid | None = None


class UnlockEntrance(Params, frozen=True, kw_only=True):
    """Which entrance, and by whose right: without a credential by that of the API key alone (a hub extension)."""

    acs_entrance_id: Uuid
    acs_credential_id: Uuid | None = None


async def get(call: Call, params: OneEntrance) -> AcsEntranceAnswer:
    """Return one entrance."""
    record = acs_lookup.device(call.hub, "entrance", params.acs_entrance_id)
    return AcsEntranceAnswer(acs_entrance=acs_project.entrance(call.hub, record))


async def list_entrances(call: Call, params: ListEntrances) -> AcsEntrancePageAnswer:
    """Return a page of entrances, by first sight."""
    cut, pagination = page(_matching(call, params), position, params, call.request)
    return AcsEntrancePageAnswer(
        acs_entrances=[acs_project.entrance(call.hub, record) for record in cut], pagination=pagination
    )


def _matching(call: Call, params: ListEntrances) -> list[DeviceRecord]:
    hub = call.hub
    if any(value is not None for value in (params.customer_key, params.location_id, params.space_id)):
        return []
    if params.acs_credential_id is None:
        found = acs_lookup.devices(hub, "entrance")
    else:
        user = user_behind(hub, hub.access.credential(params.acs_credential_id.lower()))
        found = [] if user is None else acs_lookup.doors_of_user(hub, user)
    if params.acs_entrance_ids is not None:
        ids = {one.lower() for one in params.acs_entrance_ids}
        found = [record for record in found if record.device.device_id in ids]
    if params.acs_system_id is not None:
        instance = acs_lookup.known_instance(hub, params.acs_system_id)
        found = [record for record in found if record.device.instance == instance]
    if params.connected_account_id is not None:
        account = params.connected_account_id.lower()
        found = [record for record in found if hub.account_id(record.device.instance) == account]
    return [record for record in found if _is_found(record, params.search)]


def _is_found(record: DeviceRecord, words: str | None) -> bool:
    own = record.device.description
    text = None if own.capabilities.entrance is None else own.capabilities.entrance.description
    return has_words(words, record.name, own.name, own.native_id, text, record.device.device_id)


async def list_credentials(call: Call, params: ListWithAccess) -> AcsCredentialListAnswer:
    """Return the credentials whose users may pass an entrance, as far as the system tells."""
    record = acs_lookup.device(call.hub, "entrance", params.acs_entrance_id)
    if params.include_if:
        return AcsCredentialListAnswer(acs_credentials=[])
    users, people = passing(call.hub, record), People(call.hub)
    found = sorted((one for one in call.hub.access.credentials() if one.user_id in users), key=acs_lookup.position)
    return AcsCredentialListAnswer(acs_credentials=[people.credential(one) for one in found])


async def grant_access(call: Call, params: GrantAccess) -> shapes.Ok:
    """Give a user the right to pass an entrance, held until the system has it."""
    refuse_identity(params.user_identity_id)
    record = acs_lookup.device(call.hub, "entrance", params.acs_entrance_id)
    user = named_user(call, params.acs_user_id)
    acs_lookup.check_same(record.device.instance, user.instance)
    check_staying(call, user)
    native_id = record.device.description.native_id
    await change(call, user, [PermitEntrance(subject=user.user.native_id, entrance=native_id)])
    return shapes.Ok()


async def unlock(call: Call, params: UnlockEntrance) -> shapes.AttemptAnswer:
    """Open an entrance from afar and answer how it ended."""
    record = acs_lookup.device(call.hub, "entrance", params.acs_entrance_id)
    description = record.device.description
    if params.acs_credential_id is not None:
        check_credential(call, call.hub.access.credential(params.acs_credential_id.lower()), record)
    lock, door = description.capabilities.lock, description.capabilities.entrance
    if lock is None or not lock.can_unlock:
        is_standalone = door is not None and door.is_standalone
        message = (
            acs_project.STANDALONE if is_standalone else f"The system cannot open this door: its {FLAG} is not true."
        )
        raise RefusedError("not_supported", message, acs_entrance_id=record.device.device_id, flag=FLAG)
    return await order(call, UnlockDoor(device_id=record.device.device_id, native_id=description.native_id))


def check_credential(call: Call, credential: CredentialRecord, door: DeviceRecord) -> None:
    """Raise `RefusedError`, saying why, unless a credential opens a door now.

    What was wished of its user counts at once where it takes something from them, and only once the system has it where
    it gives. While the time is not relied on, ends happen and starts wait.
    """
    acs_lookup.check_same(credential.instance, door.device.instance)
    data = {"acs_credential_id": credential.id}
    user = user_behind(call.hub, credential)
    if user is None:
        message = "The credential is nobody's: assign it to a user first."
        raise RefusedError("credential_not_assigned", message, **data)
    if credential.issued_at is None:
        message = "No card carries this credential yet: encode it at an encoder first."
        raise RefusedError("credential_not_issued", message, **data)
    check_staying(call, user)
    wished = as_wished(user.user, [edit.change for edit in waiting(call, user)])
    for person in (user, replace(user, user=wished)):
        _check_user(call, credential, person, door)


def _check_user(call: Call, credential: CredentialRecord, user: UserRecord, door: DeviceRecord) -> None:
    """Raise `RefusedError` unless a credential opens a door now, if its user is as is given."""
    data, own = {"acs_credential_id": credential.id}, user.user
    at, earliest = call.hub.sense.now().at, call.hub.sense.earliest()
    if own.is_suspended:
        raise RefusedError("acs_user_suspended", "The user of this credential is suspended.", acs_user_id=user.id)
    card = own.card if credential.method == "card" else None
    is_over = card is not None and card.state == "expired"
    frames = [(credential.starts_at, credential.ends_at), (own.starts_at, own.ends_at)]
    frames += [] if card is None else [(card.starts_at, card.ends_at)]
    if is_over or not all(is_within(*frame, at, earliest) for frame in frames):
        message = "It is not the time of this credential, or of its user: see starts_at, ends_at, access_schedule."
        raise RefusedError("outside_time_frame", message, **data)
    if not may_pass(call.hub, user, door, at, earliest):
        message = (
            "The user of this credential may not pass this entrance: no right of theirs, or of their groups, is to it."
        )
        raise RefusedError("no_access_to_entrance", message, acs_entrance_id=door.device.device_id, **data)


ROUTES = [
    route("/acs/entrances/get", READ, get, AcsEntranceAnswer, OneEntrance),
    route("/acs/entrances/list", READ, list_entrances, AcsEntrancePageAnswer, ListEntrances),
    route(
        "/acs/entrances/list_credentials_with_access", READ, list_credentials, AcsCredentialListAnswer, ListWithAccess
    ),
    route("/acs/entrances/grant_access", ACT, grant_access, shapes.Ok, GrantAccess, "operator"),
    route("/acs/entrances/unlock", ACT, unlock, shapes.AttemptAnswer, UnlockEntrance, "operator"),
]
