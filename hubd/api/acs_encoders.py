"""`/acs/encoders/*`: what writes cards; an order on an encoder is held until settled, for ten seconds at most."""

from typing import Literal

from hubd.api import acs_lookup, acs_project, shapes
from hubd.api.acs_calls import check_staying
from hubd.api.acs_shapes import AcsEncoderAnswer, AcsEncoderPageAnswer
from hubd.api.devices import position
from hubd.api.locks import order
from hubd.api.paging import page
from hubd.api.params import Limit, Params, Text, Uuid, Uuids
from hubd.api.route import ACT, READ, Call, route
from hubd.model.command import EncodeCredential
from hubd.model.errors import InvalidInputError, RefusedError
from hubd.store.records import DeviceRecord

ENCODE_SECONDS = 90.0
"""From acceptance to the end: somebody has to present a card, and another card may be before it."""
NOT_READABLE = (
    "This hub reads no cards at an encoder: what is public of SHIP, the system's interface, tells how a key is written"
    " and not whose a presented card is. Look the user up instead."
)


class OneEncoder(Params, frozen=True, kw_only=True):
    """Which encoder."""

    acs_encoder_id: Uuid


class ListEncoders(Params, frozen=True, kw_only=True):
    """Filters; all given ones must fit."""

    acs_encoder_ids: Uuids | None = None
    acs_system_id: Uuid | None = None
    acs_system_ids: Uuids | None = None
    limit: Limit = 500
    page_cursor: Text | None = None


class Encode(Params, frozen=True, kw_only=True):
    """Which credential at which encoder; a hub has no access methods."""

    acs_encoder_id: Uuid
    access_method_id: Uuid | None = None
    acs_credential_id: Uuid | None = None


class DetectTags(Params, frozen=True, kw_only=True):
    """Of another system."""

    detect_new_tags: bool = False


class ScanCredential(Params, frozen=True, kw_only=True):
    """At which encoder."""

    acs_encoder_id: Uuid
    salto_ks_metadata: DetectTags | None = None


class ScanToAssign(ScanCredential, frozen=True, kw_only=True):
    """At which encoder, and for whom."""

    acs_user_id: Uuid | None = None
    user_identity_id: Uuid | None = None


class SimulateEncode(Params, frozen=True, kw_only=True):
    """At which encoder the next writing is to fail, and how."""

    acs_encoder_id: Uuid
    acs_credential_id: Uuid | None = None
    error_code: (
        Literal["no_credential_on_encoder", "encoding_interrupted", "uncategorized_error", "action_attempt_expired"]
        | None
    ) = None


class SimulateEncoded(Params, frozen=True, kw_only=True):
    """At which encoder the next writing is to succeed."""

    acs_encoder_id: Uuid
    scenario: Literal["credential_is_issued"] | None = None


class SimulateScan(Params, frozen=True, kw_only=True):
    """At which encoder the next reading is to fail, and how."""

    acs_encoder_id: Uuid
    acs_credential_id_on_seam: Uuid | None = None
    error_code: Literal["no_credential_on_encoder", "uncategorized_error", "action_attempt_expired"] | None = None


class SimulateScanned(Params, frozen=True, kw_only=True):
    """At which encoder the next reading is to succeed."""

    acs_encoder_id: Uuid
    acs_credential_id_on_seam: Uuid | None = None
    scenario: (
        Literal[
            "credential_exists_on_seam",
            "credential_on_encoder_needs_update",
            "credential_does_not_exist_on_seam",
            "credential_on_encoder_is_empty",
        ]
        | None
    ) = None


def _encoder(call: Call, encoder_id: str) -> DeviceRecord:
    return acs_lookup.device(call.hub, "encoder", encoder_id)


async def get(call: Call, params: OneEncoder) -> AcsEncoderAnswer:
    """Return one encoder."""
    return AcsEncoderAnswer(acs_encoder=acs_project.encoder(call.hub, _encoder(call, params.acs_encoder_id)))


async def list_encoders(call: Call, params: ListEncoders) -> AcsEncoderPageAnswer:
    """Return a page of encoders, by first sight."""
    found = acs_lookup.devices(call.hub, "encoder")
    if params.acs_encoder_ids is not None:
        ids = {one.lower() for one in params.acs_encoder_ids}
        found = [record for record in found if record.device.device_id in ids]
    for systems in (None if params.acs_system_id is None else (params.acs_system_id,), params.acs_system_ids):
        if systems is not None:
            instances = {acs_lookup.known_instance(call.hub, one) for one in systems}
            found = [record for record in found if record.device.instance in instances]
    cut, pagination = page(found, position, params, call.request)
    return AcsEncoderPageAnswer(acs_encoders=[acs_project.encoder(call.hub, one) for one in cut], pagination=pagination)


async def encode(call: Call, params: Encode) -> shapes.AttemptAnswer:
    """Write a credential onto the card that somebody presents at an encoder, and answer how it ended."""
    record = _encoder(call, params.acs_encoder_id)
    if params.access_method_id is not None:
        raise RefusedError("not_supported", "A hub has no access methods; name the credential by acs_credential_id.")
    if params.acs_credential_id is None:
        raise InvalidInputError("acs_credential_id", "is required")
    credential = call.hub.access.credential(params.acs_credential_id.lower())
    acs_lookup.check_same(record.device.instance, credential.instance)
    user = acs_lookup.user_behind(call.hub, credential)
    if credential.method != "card" or user is None:
        message = "Only a card is written at an encoder; a cloud key opens doors without."
        raise RefusedError("not_a_card", message, acs_credential_id=credential.id)
    check_staying(call, user)
    if not user.is_present:
        message = "The system does not have the user of this credential yet: see pending_mutations of the user."
        raise RefusedError("acs_user_not_in_system", message, acs_user_id=user.id)
    command = EncodeCredential(
        device_id=record.device.device_id,
        native_id=record.device.description.native_id,
        user=user.user.native_id,
        credential_id=credential.id,
        is_new_key=user.user.card is None,
    )
    return await order(call, command, ENCODE_SECONDS)


async def scan(call: Call, params: ScanCredential) -> shapes.AttemptAnswer:
    """Refuse: a hub reads no cards at an encoder."""
    _encoder(call, params.acs_encoder_id)
    raise RefusedError("not_supported", NOT_READABLE, acs_encoder_id=params.acs_encoder_id)


async def simulate(call: Call, params: SimulateEncode | SimulateEncoded | SimulateScan | SimulateScanned) -> shapes.Ok:
    """Refuse: only virtual sites can be simulated, and those have no access control system."""
    _encoder(call, params.acs_encoder_id)
    message = "Only devices of a virtual site can be simulated; this encoder is real."
    raise RefusedError("not_a_sandbox_device", message, acs_encoder_id=params.acs_encoder_id)


_SIMULATE = "/acs/encoders/simulate/next_credential_"

ROUTES = [
    route("/acs/encoders/get", READ, get, AcsEncoderAnswer, OneEncoder),
    route("/acs/encoders/list", READ, list_encoders, AcsEncoderPageAnswer, ListEncoders),
    route("/acs/encoders/encode_credential", ACT, encode, shapes.AttemptAnswer, Encode, "operator"),
    route("/acs/encoders/scan_credential", ACT, scan, shapes.AttemptAnswer, ScanCredential, "operator"),
    route("/acs/encoders/scan_to_assign_credential", ACT, scan, shapes.AttemptAnswer, ScanToAssign, "operator"),
    route(f"{_SIMULATE}encode_will_fail", ACT, simulate, shapes.Ok, SimulateEncode, "operator"),
    route(f"{_SIMULATE}encode_will_succeed", ACT, simulate, shapes.Ok, SimulateEncoded, "operator"),
    route(f"{_SIMULATE}scan_will_fail", ACT, simulate, shapes.Ok, SimulateScan, "operator"),
    route(f"{_SIMULATE}scan_will_succeed", ACT, simulate, shapes.Ok, SimulateScanned, "operator"),
]
