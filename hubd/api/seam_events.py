"""Journal rows to Seam's events. A row without a public type is never served."""

from datetime import datetime
from typing import Any, get_args

from hubd.api import acs_events, climate_events, code_events, project
from hubd.api.climate_events import ClimateEvent
from hubd.core.cautions import flaky
from hubd.core.codes.story import CodeEvent
from hubd.core.hub import Hub
from hubd.model import ids
from hubd.model.event import (
    BatteryChanged,
    BatteryLow,
    CommandResolved,
    CommandSettled,
    DeviceDescribed,
    DeviceDisconnected,
    DeviceEdited,
    DeviceRemoved,
    HopLost,
    LockChanged,
    LockDenied,
)
from hubd.store.records import DeviceRecord, Row

_CODE_EVENTS: tuple[Any, ...] = get_args(CodeEvent.__value__)
_CLIMATE_EVENTS: tuple[Any, ...] = get_args(ClimateEvent.__value__)


def seam_event(hub: Hub, row: Row) -> dict[str, Any] | None:
    """Build the event of a row, or None when the row has none (or its body was erased)."""
    if row.public is None or row.event is None:
        return None
    event: dict[str, Any] = {
        "event_id": ids.event_id(hub.journal.epoch, row.seq),
        "event_type": row.public,
        "workspace_id": hub.workspace_id,
        "created_at": project.when(row.created_at),
        "occurred_at": project.when(row.occurred_at),
    }
    if row.instance is not None:
        event["connected_account_id"] = hub.account_id(row.instance)
    record = None if row.device_id is None else hub.devices.get(row.device_id)
    about = acs_events.place(hub, row)
    if row.device_id is not None and not acs_events.is_access_device(record):
        event["device_id"] = row.device_id
        if record is not None and record.custom_metadata:
            event["device_custom_metadata"] = project.metadata(record.custom_metadata)
    is_acs = isinstance(row.event, acs_events.ACCESS_EVENTS) or row.public.startswith("acs_")
    own = acs_events.payload(row, row.event) if is_acs else _payload(hub, row, row.public, row.event)
    return event | about | own


def _payload(hub: Hub, row: Row, public: str, body: Any) -> dict[str, Any]:
    if isinstance(body, _CODE_EVENTS):
        return code_events.payload(hub, row, public, body)
    if isinstance(body, _CLIMATE_EVENTS):
        return climate_events.payload(hub, row, body)
    match body:
        case LockChanged():
            return _lock_use(body)
        case LockDenied(reason=reason, message=message):
            return {"reason": {"reason_code": reason, "message": message}}
        case BatteryChanged(level=level, status=status):
            return {"battery_level": level, "battery_status": status}
        case BatteryLow(level=level):
            return {"battery_level": level}
        case DeviceDisconnected(error_code=code, reason=reason, flaky_since=flaky):
            problem = {
                "error_code": code,
                "message": reason,
                "created_at": project.when(row.occurred_at),
                "is_device_error": True,
            }
            notes = [] if flaky is None else [_flaky(flaky)]
            return {"error_code": code, "device_errors": [problem], "device_warnings": notes} | _no_account_problems()
        case HopLost():
            problem = {
                "error_code": "account_disconnected",
                "message": body.reason,
                "created_at": project.when(row.occurred_at),
                "is_connected_account_error": True,
            }
            return {"connected_account_errors": [problem], "connected_account_warnings": []}
        case CommandSettled(request_id=request_id) | CommandResolved(request_id=request_id):
            return _attempt(public, request_id)
        case DeviceRemoved() if public == "device.deleted":
            record = hub.devices.get(row.device_id or "")
            return {"device_name": None if record is None else record.name}
        case DeviceDescribed(device=device):
            return {"device_name": device.description.name}
        case DeviceEdited(nickname=nickname):
            record = hub.devices.get(row.device_id or "")
            if public != "device.name_changed" or record is None:
                return {}
            return {"device_name": nickname or _own_name(record)}
        case _:
            return {}


def _lock_use(body: LockChanged) -> dict[str, Any]:
    payload: dict[str, Any] = {"method": body.method}
    if body.request_id is not None:
        payload["action_attempt_id"] = body.request_id
    if body.code_id is not None:
        payload |= {"access_code_id": body.code_id, "access_code_is_managed": body.code_is_managed}
    return payload


def _attempt(public: str, request_id: str) -> dict[str, Any]:
    """Build from the public type, `action_attempt.<action>.<end>`: the command itself may be gone."""
    _, action, end = public.split(".")
    status = "success" if end == "succeeded" else "error"
    return {"action_attempt_id": request_id, "action_type": action.upper(), "status": status}


def _flaky(since: datetime) -> dict[str, Any]:
    notice = project.notice(flaky(since))
    return {"warning_code": notice.warning_code, "message": notice.message, "created_at": project.when(since)}


def _no_account_problems() -> dict[str, Any]:
    return {"connected_account_errors": [], "connected_account_warnings": []}


def _own_name(record: DeviceRecord) -> str:
    return record.device.description.name
