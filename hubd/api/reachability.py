"""Why a device cannot be reached, as a member of `errors`."""

from hubd.api import shapes
from hubd.core.hub import Hub
from hubd.store.records import DeviceRecord


def unreachable(hub: Hub, record: DeviceRecord) -> list[shapes.Problem]:
    """Name the nearest broken hop before the device, or the device; nothing if it can be reached."""
    state, since = record.state, record.state.changed_at or record.found_at
    health = hub.health.get(record.device.instance)
    if health is None:
        message = f"No driver {record.device.instance!r} is configured on this hub any more."
        return [
            shapes.Problem(
                error_code="account_disconnected",
                message=message,
                created_at=since,
                is_connected_account_error=True,
                is_device_error=False,
            )
        ]
    if not health.is_connected:
        return [
            shapes.Problem(
                error_code="hub_disconnected", message=health.sentence(), created_at=health.since, is_device_error=True
            )
        ]
    if not state.online:
        message = state.offline_reason or "The device does not answer."
        return [
            shapes.Problem(error_code="device_disconnected", message=message, created_at=since, is_device_error=True)
        ]
    return []
