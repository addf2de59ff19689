"""What a device's shape says of its keypad: limits, and how full it is."""

from typing import Any, Final

from hubd.api import shapes
from hubd.api.code_project import foreign_since, is_ready_spare
from hubd.core.codes.space import is_nearly_full
from hubd.core.codes.wishes import POOL_SIZE
from hubd.core.hub import Hub
from hubd.store.codes import CodeRecord
from hubd.store.records import DeviceRecord

MANY_BACKUPS: Final = 3
"""So many backup codes in use at once on one lock say that the codes themselves do not work."""


def properties(hub: Hub, record: DeviceRecord) -> dict[str, Any]:
    """Return the members of `device.properties` about codes; none without a keypad."""
    keypad, room = hub.codes.keypad(record.device.device_id), hub.codes.room(record.device.device_id)
    if keypad is None or room is None:
        return {}
    return {
        "max_active_codes_supported": room.slots,
        "supported_code_lengths": list(keypad.code_lengths),
        "code_constraints": [shapes.CodeConstraint(constraint_type=rule) for rule in keypad.rules],
        "online_access_codes_enabled": record.is_managed,
        "supports_backup_access_code_pool": True,
        "backup_access_code_pool_enabled": hub.codes.book(record.device.device_id).has_backup_pool,
    }


def errors(hub: Hub, record: DeviceRecord) -> list[shapes.Problem]:
    """Say that a lock that is to have spare codes has none, and none is on its way."""
    if record.device.description.capabilities.keypad is None:
        return []
    spare = _spare(hub, record)
    if not hub.codes.book(record.device.device_id).has_backup_pool or any(map(is_ready_spare, spare)):
        return []
    if spare and not any(code.trouble is not None or code.is_delay_told for code in spare):
        return []
    message = "No backup code is on the lock: " + (
        "setting them does not succeed." if spare else "its slots are taken by other codes."
    )
    since = min((code.created_at for code in spare), default=record.found_at)
    return [
        shapes.Problem(
            error_code="empty_backup_access_code_pool", message=message, created_at=since, is_device_error=True
        )
    ]


def warnings(hub: Hub, record: DeviceRecord) -> list[shapes.Notice]:
    """Say what of a keypad needs a look."""
    if record.device.description.capabilities.keypad is None:
        return []
    found = (_fullness(hub, record), _pool(hub, record), _many_backups(hub, record), _foreign(hub, record))
    return [notice for notice in found if notice is not None]


def _fullness(hub: Hub, record: DeviceRecord) -> shapes.Notice | None:
    room = hub.codes.room(record.device.device_id)
    if room is None or not room.slots or not is_nearly_full(room.used_now, room.slots):
        return None
    placed = [code.placement.since for code in hub.codes.of(record.device.device_id) if code.placement is not None]
    rest = room.slots - room.used_now
    left = "none is left" if rest <= 0 else f"{rest} {'is' if rest == 1 else 'are'} left"
    return shapes.Notice(
        warning_code="max_access_codes_reached",
        message=f"{room.used_now} of the {room.slots} code slots of the lock are in use; {left}.",
        created_at=max(placed, default=record.found_at),
        active_access_code_count=room.used_now,
        max_active_access_code_count=room.slots,
    )


def _pool(hub: Hub, record: DeviceRecord) -> shapes.Notice | None:
    spare = _spare(hub, record)
    ready = sum(map(is_ready_spare, spare))
    if not hub.codes.book(record.device.device_id).has_backup_pool or ready >= POOL_SIZE:
        return None
    message = f"{ready} of {POOL_SIZE} backup codes are on the lock."
    since = max((code.created_at for code in spare), default=record.found_at)
    return shapes.Notice(warning_code="partial_backup_access_code_pool", message=message, created_at=since)


def _many_backups(hub: Hub, record: DeviceRecord) -> shapes.Notice | None:
    codes = hub.codes.of(record.device.device_id)
    active = [code for code in codes if code.is_backup and code.ends_at is not None and code.deleted_at is None]
    if len(active) < MANY_BACKUPS:
        return None
    message = f"{len(active)} backup codes are in use on this lock; see why its own codes do not work."
    since = max(code.changed_at for code in active)
    return shapes.Notice(warning_code="many_active_backup_codes", message=message, created_at=since)


def _foreign(hub: Hub, record: DeviceRecord) -> shapes.Notice | None:
    since = foreign_since(hub.codes.book(record.device.device_id), hub.codes.now().at)
    if since is None:
        return None
    message = "Something else changes the codes of this lock: an app of its maker, another hub, somebody at the keypad."
    return shapes.Notice(warning_code="third_party_integration_detected", message=message, created_at=since)


def _spare(hub: Hub, record: DeviceRecord) -> list[CodeRecord]:
    codes = hub.codes.of(record.device.device_id)
    return [code for code in codes if code.is_backup and code.ends_at is None and code.deleted_at is None]
