"""Orders as `action_attempt`, with what Seam says of those of access control systems: the writing of cards."""

from typing import Any, Final

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from hubd.api import project, shapes
from hubd.api.acs_people import People
from hubd.api.acs_shapes import AcsCredentialShape, AcsNotice
from hubd.core.hub import Hub
from hubd.model.command import EncodeCredential
from hubd.model.outcome import OutcomeKind
from hubd.store.access import CredentialRecord
from hubd.store.records import CommandRecord

_SEAMS: Final = {
    "no_credential_on_encoder",
    "incompatible_card_format",
    "credential_cannot_be_reissued",
    "encoder_not_online",
    "encoder_communication_timeout",
    "encoding_interrupted",
    "credential_deleted",
}
"""Codes of drivers that are Seam's own types."""
_MEANINGS: Final = {
    "hub_disconnected": "bridge_disconnected",
    "device_disconnected": "encoder_not_online",
    "hub_restarted": "encoding_interrupted",
    "connection_lost": "encoding_interrupted",
    "driver_defect": "encoding_interrupted",
    "encoder_aborted": "encoding_interrupted",
}
_KINDS: Final = {
    OutcomeKind.EXPIRED: "action_attempt_expired",
    OutcomeKind.UNREACHABLE: "bridge_disconnected",
    OutcomeKind.SENT_UNCONFIRMED: "encoder_communication_timeout",
}


def shown(hub: Hub, record: CommandRecord) -> shapes.ActionAttempt:
    """Build the attempt of an order."""
    attempt = project.attempt(record)
    if not isinstance(record.command, EncodeCredential):
        return attempt
    if attempt.status == "success":
        return replace(attempt, result=_credential(hub, record, record.command))
    if attempt.error is None or record.outcome is None:
        return attempt
    code, detail = record.outcome.code, attempt.error.detail
    told = {} if detail is UNSET else detail
    error = replace(attempt.error, type=_type(record.outcome.kind, code), detail={**told, "code": code})
    return replace(attempt, error=error)


def _type(kind: OutcomeKind, code: str) -> str:
    """Return Seam's type of how a writing failed; what Seam has no type for is uncategorized."""
    if code in _SEAMS:
        return code
    return _MEANINGS.get(code) or _KINDS.get(kind, "uncategorized_error")


def _credential(hub: Hub, record: CommandRecord, command: EncodeCredential) -> dict[str, Any]:
    """Return the credential as it is now; of one that is no more what the order tells."""
    known = hub.journal.tables.access.all(CredentialRecord).get(command.credential_id)
    device = hub.devices.get(command.device_id)
    if known is not None and known.instance in hub.access.instances:
        shape = People(hub).credential(known)
    else:
        instance = "" if device is None else device.device.instance
        shape = _gone(hub, record, command.credential_id, instance)
    found: dict[str, Any] = msgspec.to_builtins(shape)
    return found


def _gone(hub: Hub, record: CommandRecord, credential_id: str, instance: str) -> AcsCredentialShape:
    at = record.settled_at or record.accepted_at
    message = "The credential was written onto its card, and is no more."
    notice = AcsNotice(
        warning_code="unknown_issue_with_acs_credential", message=message, created_at=at, hub_code="credential_gone"
    )
    return AcsCredentialShape(
        acs_credential_id=credential_id,
        acs_system_id=hub.access.notes.system_id(instance),
        connected_account_id=hub.account_id(instance),
        workspace_id=hub.workspace_id,
        created_at=record.accepted_at,
        access_method="card",
        display_name="Card",
        errors=[],
        warnings=[notice],
        is_managed=True,
        is_issued=False,
        issued_at=None,
        card_number=None,
        code=None,
        is_latest_desired_state_synced_with_provider=None,
        latest_desired_state_synced_with_provider_at=None,
        is_multi_phone_sync_credential=False,
        is_one_time_use=False,
    )
