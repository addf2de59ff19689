"""`/acs/credentials/*`: cards of systems, and the hub's own right to have it open a door (cloud keys)."""

from datetime import datetime
from typing import Any, Literal

from hubd.api import acs_project, shapes
from hubd.api.acs_calls import check_staying
from hubd.api.acs_lookup import (
    check_same,
    check_system,
    doors_of_user,
    has_words,
    instance_of,
    is_before,
    named_user,
    of_system,
    position,
    refuse_identity,
    user_behind,
)
from hubd.api.acs_people import People
from hubd.api.acs_shapes import (
    AcsCredentialAnswer,
    AcsCredentialPageAnswer,
    AcsEntranceListAnswer,
)
from hubd.api.code_params import exact_time
from hubd.api.envelope import answer
from hubd.api.paging import page
from hubd.api.params import Limit, Params, Text, Uuid, Uuids
from hubd.api.route import ACT, READ, REMOVE, UPDATE, Call, route
from hubd.model import ids
from hubd.model.errors import InvalidInputError, RefusedError
from hubd.store.access import CredentialRecord, UserRecord
from hubd.store.tables import View

NOT_PUBLIC = {
    "code": (
        "This hub makes no PINs in the system: what is public of SHIP, its interface, knows a PIN only as a part of a"
        " user that goes with their key, not as a credential that is given and taken back. Give the user a card."
    ),
    "mobile_key": (
        "This hub makes no mobile keys: what is public of SHIP, the system's interface, does not tell how they are"
        " issued. Issue them in the system itself, or give the user a card."
    ),
}


class SpaceKey(Params, frozen=True, kw_only=True):
    """What is to be done at the encoder: a first key, or the present rights onto the card that the user has."""

    assign_new_key: bool = False
    update_current_key: bool = False


class CreateCredential(Params, frozen=True, kw_only=True):
    """What kind of credential for whom. Members of other makers' systems are refused."""

    access_method: Literal["code", "card", "mobile_key", "cloud_key"]
    acs_system_id: Uuid | None = None
    acs_user_id: Uuid | None = None
    allowed_acs_entrance_ids: Uuids | None = None
    assa_abloy_vostio_metadata: dict[str, Any] | None = None
    code: Text | None = None
    credential_manager_acs_system_id: Uuid | None = None
    ends_at: Text | None = None
    hotek_metadata: dict[str, Any] | None = None
    is_multi_phone_sync_credential: bool = False
    salto_space_metadata: SpaceKey | None = None
    starts_at: Text | None = None
    user_identity_id: Uuid | None = None
    visionline_metadata: dict[str, Any] | None = None


class OfflineCode(Params, frozen=True, kw_only=True):
    """For whom, and for which door."""

    acs_user_id: Uuid
    allowed_acs_entrance_id: Uuid
    ends_at: Text | None = None
    is_one_time_use: bool = False
    starts_at: Text | None = None


class OneCredential(Params, frozen=True, kw_only=True):
    """Which credential."""

    acs_credential_id: Uuid


class ListCredentials(Params, frozen=True, kw_only=True):
    """Filters; a hub has no user identities, and no credentials of several phones: those match nothing."""

    acs_system_id: Uuid | None = None
    acs_user_id: Uuid | None = None
    created_before: datetime | None = None
    is_multi_phone_sync_credential: bool | None = None
    limit: Limit = 500
    page_cursor: Text | None = None
    search: Text | None = None
    user_identity_id: Uuid | None = None


class UpdateCredential(Params, frozen=True, kw_only=True):
    """Which credential, and until when a cloud key opens."""

    acs_credential_id: Uuid
    code: Text | None = None
    ends_at: Text | None = None


class AssignCredential(Params, frozen=True, kw_only=True):
    """Which credential, and whose."""

    acs_credential_id: Uuid
    acs_user_id: Uuid | None = None
    user_identity_id: Uuid | None = None


def _one(call: Call, credential_id: str) -> CredentialRecord:
    return call.hub.access.credential(credential_id.lower())


def _shown(call: Call, credential_id: str) -> AcsCredentialAnswer:
    return AcsCredentialAnswer(acs_credential=People(call.hub).credential(_one(call, credential_id)))


async def get(call: Call, params: OneCredential) -> AcsCredentialAnswer:
    """Return one credential."""
    return _shown(call, params.acs_credential_id)


async def list_credentials(call: Call, params: ListCredentials) -> AcsCredentialPageAnswer:
    """Return a page of credentials, by their age on this hub."""
    found = of_system(call, call.hub.access.credentials(), params.acs_system_id)
    if params.user_identity_id is not None or params.is_multi_phone_sync_credential:
        found = []
    if params.acs_user_id is not None:
        found = [one for one in found if one.user_id == params.acs_user_id.lower()]
    people = People(call.hub)
    found = [
        one for one in found if is_before(one.created_at, params.created_before) and _is_found(people, one, params)
    ]
    cut, pagination = page(found, position, params, call.request)
    return AcsCredentialPageAnswer(acs_credentials=[people.credential(one) for one in cut], pagination=pagination)


def _is_found(people: People, record: CredentialRecord, params: ListCredentials) -> bool:
    if params.search is None:
        return True
    return has_words(params.search, people.name(record), record.card_number, record.id)


async def list_entrances(call: Call, params: OneCredential) -> AcsEntranceListAnswer:
    """Return the entrances that the user of a credential may pass, as far as the system tells."""
    user = user_behind(call.hub, _one(call, params.acs_credential_id))
    found = [] if user is None else doors_of_user(call.hub, user)
    return AcsEntranceListAnswer(acs_entrances=[acs_project.entrance(call.hub, record) for record in found])


async def create(call: Call, params: CreateCredential) -> AcsCredentialAnswer:
    """Make a credential: a card that is then to be encoded, or a cloud key."""
    _check_members(params)
    user = None if params.acs_user_id is None else named_user(call, params.acs_user_id)
    if user is not None:
        check_system(call, user, params.acs_system_id)
        check_staying(call, user)
    if params.access_method == "card":
        made = await _card(call, params, user)
    else:
        made = await _cloud_key(call, params, user)
    return _shown(call, made.id)


def _check_members(params: CreateCredential) -> None:
    """Raise `RefusedError` for what no system of a hub can do. Raises `InvalidInputError`."""
    if params.access_method in NOT_PUBLIC:
        raise RefusedError("not_supported", NOT_PUBLIC[params.access_method], access_method=params.access_method)
    refuse_identity(params.user_identity_id)
    reasons = {
        "allowed_acs_entrance_ids": "A credential opens what its user may pass: use /acs/entrances/grant_access.",
        "assa_abloy_vostio_metadata": "The system is not of this maker.",
        "code": "Only a credential of access_method code has a code.",
        "credential_manager_acs_system_id": "A hub has no credential managers.",
        "hotek_metadata": "The system is not of this maker.",
        "visionline_metadata": "The system is not of this maker.",
    }
    for name, reason in reasons.items():
        if getattr(params, name) is not None:
            raise RefusedError("not_supported", f"{name}: {reason}", parameter=name)
    if params.is_multi_phone_sync_credential:
        raise RefusedError("not_supported", NOT_PUBLIC["mobile_key"], parameter="is_multi_phone_sync_credential")


async def _card(call: Call, params: CreateCredential, user: UserRecord | None) -> CredentialRecord:
    if user is None:
        raise InvalidInputError("acs_user_id", "is required for a card")
    for name in ("starts_at", "ends_at"):
        if getattr(params, name) is not None:
            message = f"{name}: a card opens as long as its user may pass: set the access_schedule of the user."
            raise RefusedError("not_supported", message, parameter=name)
    key = params.salto_space_metadata or SpaceKey()
    if key.assign_new_key and key.update_current_key:
        raise InvalidInputError("salto_space_metadata", "either assign_new_key or update_current_key")
    is_new = key.assign_new_key or (not key.update_current_key and user.user.card is None)
    return await call.hub.access.want_card(user, call.principal.key_id, is_new_key=is_new)


async def _cloud_key(call: Call, params: CreateCredential, user: UserRecord | None) -> CredentialRecord:
    if params.salto_space_metadata is not None:
        message = "salto_space_metadata: only a card is written at an encoder."
        raise RefusedError("not_supported", message, parameter="salto_space_metadata")
    if user is None and params.acs_system_id is None:
        raise InvalidInputError("acs_user_id", "is required (or acs_system_id, for a cloud key that is assigned later)")
    instance = instance_of(call.hub, params.acs_system_id or "") if user is None else user.instance
    starts_at, ends_at = exact_time("starts_at", params.starts_at), exact_time("ends_at", params.ends_at)
    now = call.hub.clock.now()
    if ends_at is not None and ends_at <= (starts_at or now):
        raise InvalidInputError("ends_at", "must be after starts_at, and to come")
    made = CredentialRecord(
        id=ids.new_id(),
        instance=instance,
        created_at=now,
        user_id=None if user is None else user.id,
        method="cloud_key",
        issued_at=now,
        starts_at=starts_at,
        ends_at=ends_at,
        created_by=call.principal.key_id,
    )

    def keep(view: View) -> None:
        if call.keeper is not None:
            call.keeper.answer(view, answer(AcsCredentialAnswer(acs_credential=People(call.hub).credential(made))).body)

    await call.hub.access.make_credential(made, call.principal.key_id, keep)
    return made


async def create_offline_code(call: Call, params: OfflineCode) -> AcsCredentialAnswer:
    """Refuse: no system of a hub computes PINs for doors that are not asked."""
    named_user(call, params.acs_user_id)
    raise RefusedError("not_supported", NOT_PUBLIC["code"], access_method="code")


async def update(call: Call, params: UpdateCredential) -> AcsCredentialAnswer:
    """Change until when a cloud key opens."""
    record = _one(call, params.acs_credential_id)
    if params.code is not None:
        raise RefusedError("not_supported", NOT_PUBLIC["code"], parameter="code")
    if params.ends_at is not None:
        if record.method == "card":
            message = "ends_at: a card opens as long as its user may pass: set the access_schedule of the user."
            raise RefusedError("not_supported", message, parameter="ends_at")
        ends_at = exact_time("ends_at", params.ends_at)
        if record.starts_at is not None and ends_at <= record.starts_at:
            raise InvalidInputError("ends_at", "must be after starts_at")
        await call.hub.access.change_credential(record.id, ends_at=ends_at)
    return _shown(call, record.id)


async def assign(call: Call, params: AssignCredential) -> AcsCredentialAnswer:
    """Give a cloud key to a user; a card is its user's from the start. Twice is once."""
    refuse_identity(params.user_identity_id)
    record, user = _one(call, params.acs_credential_id), named_user(call, params.acs_user_id)
    check_same(record.instance, user.instance)
    check_staying(call, user)
    if record.user_id != user.id:
        _check_cloud_key(record)
        await call.hub.access.change_credential(record.id, user_id=user.id)
    return _shown(call, record.id)


async def unassign(call: Call, params: AssignCredential) -> AcsCredentialAnswer:
    """Take a cloud key from its user; it opens nothing until it is assigned again. Twice is once."""
    refuse_identity(params.user_identity_id)
    record = _one(call, params.acs_credential_id)
    if params.acs_user_id is not None and record.user_id not in {None, params.acs_user_id.lower()}:
        message = "The credential is another user's than the acs_user_id that is given."
        raise RefusedError("credential_of_other_user", message, acs_credential_id=record.id)
    if record.user_id is not None:
        _check_cloud_key(record)
        await call.hub.access.change_credential(record.id, user_id=None)
    return _shown(call, record.id)


def _check_cloud_key(record: CredentialRecord) -> None:
    if record.method == "card":
        message = "A card is its user's: it is written for one person and cannot be given to another. Make a new one."
        raise RefusedError("not_supported", message, acs_credential_id=record.id)


async def delete(call: Call, params: OneCredential) -> shapes.Ok:
    """Delete a credential that no card carries; a card that opens doors is refused, for the hub cannot cancel it."""
    record = _one(call, params.acs_credential_id)
    await call.hub.access.drop_credential(record.id, call.principal.key_id)
    return shapes.Ok()


ROUTES = [
    route("/acs/credentials/get", READ, get, AcsCredentialAnswer, OneCredential),
    route("/acs/credentials/list", READ, list_credentials, AcsCredentialPageAnswer, ListCredentials),
    route("/acs/credentials/list_accessible_entrances", READ, list_entrances, AcsEntranceListAnswer, OneCredential),
    route("/acs/credentials/create", ACT, create, AcsCredentialAnswer, CreateCredential, "operator"),
    route(
        "/acs/credentials/create_offline_code", ACT, create_offline_code, AcsCredentialAnswer, OfflineCode, "operator"
    ),
    route("/acs/credentials/update", UPDATE, update, AcsCredentialAnswer, UpdateCredential, "operator"),
    route("/acs/credentials/assign", UPDATE, assign, AcsCredentialAnswer, AssignCredential, "operator"),
    route("/acs/credentials/unassign", UPDATE, unassign, AcsCredentialAnswer, AssignCredential, "operator"),
    route("/acs/credentials/delete", REMOVE, delete, shapes.Ok, OneCredential, "operator"),
]
