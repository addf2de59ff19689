"""What events of access control systems carry besides the members that all have."""

from typing import Any, get_args

from hubd.api import project
from hubd.core.hub import Hub
from hubd.model.access_event import AccessEvent, AcsGroupChanged, AcsUserChanged, CredentialChanged, EntranceAudited
from hubd.model.event import DeviceDisconnected, HopLost
from hubd.store.records import DeviceRecord, Row

ACCESS_EVENTS: tuple[Any, ...] = get_args(AccessEvent.__value__)


def is_access_instance(hub: Hub, instance: str) -> bool:
    """Whether an instance is, or was, an access control system; also one that is configured no more."""
    return instance in hub.access.instances or hub.access.system(instance) is not None


def place(hub: Hub, row: Row) -> dict[str, Any]:
    """Return what of an access control system a row is about; of any other row nothing."""
    if row.instance is None or not is_access_instance(hub, row.instance):
        return {}
    found: dict[str, Any] = {"acs_system_id": hub.access.notes.system_id(row.instance)}
    record = None if row.device_id is None else hub.devices.get(row.device_id)
    if record is not None and is_access_device(record):
        found[f"acs_{record.device.description.kind}_id"] = row.device_id
    return found


def is_access_device(record: DeviceRecord | None) -> bool:
    """Whether Seam has a device under `/acs`, so that its rows name no device."""
    return record is not None and record.device.description.is_access


def payload(row: Row, body: Any) -> dict[str, Any]:
    """Return the members of its own of an event of an access control system."""
    match body:
        case EntranceAudited():
            return _audited(body)
        case AcsUserChanged(user_id=user_id):
            return {"acs_user_id": user_id}
        case AcsGroupChanged(group_id=group_id):
            return {"acs_access_group_id": group_id}
        case CredentialChanged(credential_id=credential_id, user_id=user_id):
            return {"acs_credential_id": credential_id} | ({} if user_id is None else {"acs_user_id": user_id})
        case HopLost(reason=reason):
            problem = _problem(row, "acs_system_disconnected", reason)
            own = {"acs_system_errors": [problem], "acs_system_warnings": []}
            account = _problem(row, "account_disconnected", reason)
            return own | {"connected_account_errors": [account], "connected_account_warnings": []}
        case DeviceDisconnected(reason=reason):
            kind = (row.public or "").split(".")[0]
            return {f"{kind}_errors": [_problem(row, f"{kind}_disconnected", reason)]}
        case _:
            return {}


def _audited(body: EntranceAudited) -> dict[str, Any]:
    """Tell of one line of an audit trail. `hub_operation` is the system's own word, where Seam has none for it."""
    found: dict[str, Any] = {"hub_operation": body.name}
    if body.user_id is not None:
        found["acs_user_id"] = body.user_id
    if body.passage == "refused":
        return found if body.reason is None else found | {"reason": {"reason_code": body.reason, "message": body.name}}
    found["method"] = body.method
    return found if body.request_id is None else found | {"action_attempt_id": body.request_id}


def _problem(row: Row, code: str, message: str) -> dict[str, Any]:
    return {"error_code": code, "message": message, "created_at": project.when(row.occurred_at)}
