"""`/hub/devices/replace`: a new device in the place of one that broke; and which devices were removed."""

from datetime import datetime

from hubd.api import shapes
from hubd.api.hub_devices import KnownDeviceAnswer, known
from hubd.api.params import NoParams, Params, Uuid
from hubd.api.route import ACT, READ, Call, Route, route
from hubd.core.replace import replace
from hubd.model.device import Kind
from hubd.store.records import DeviceRecord


class ReplaceDevice(Params, frozen=True, kw_only=True):
    """`device_id` keeps its id and name and becomes the hardware that is `replacement_device_id`."""

    device_id: Uuid
    replacement_device_id: Uuid
    is_old_present_ok: bool = False
    """Do it though the old one still answers."""


class RemovedDevice(shapes.Shape, frozen=True, kw_only=True):
    """A device that was on the site. Its id and settings are kept: it may return, or be replaced."""

    device_id: str
    instance: str
    name: str
    kind: Kind
    removed_at: datetime
    reason: str


class RemovedDeviceListAnswer(shapes.Ok, frozen=True, kw_only=True):
    """Devices, the last removed first."""

    devices: list[RemovedDevice]


async def replace_device(call: Call, params: ReplaceDevice) -> KnownDeviceAnswer:
    """Put a new device in the place of one that broke: it takes over id, name and settings."""
    record = await replace(
        call.hub,
        params.device_id.lower(),
        params.replacement_device_id.lower(),
        call.principal.key_id,
        is_old_present_ok=params.is_old_present_ok,
    )
    return KnownDeviceAnswer(device=known(call.hub, record))


async def list_removed(call: Call, _: NoParams) -> RemovedDeviceListAnswer:
    """Return the devices that were removed and have not come back."""
    found = [(record.removed_at, record) for record in call.hub.devices.values() if record.removed_at is not None]
    found.sort(key=lambda pair: (pair[0], pair[1].device.device_id), reverse=True)
    return RemovedDeviceListAnswer(devices=[_removed(record, at) for at, record in found])


def _removed(record: DeviceRecord, removed_at: datetime) -> RemovedDevice:
    return RemovedDevice(
        device_id=record.device.device_id,
        instance=record.device.instance,
        name=record.name,
        kind=record.device.description.kind,
        removed_at=removed_at,
        reason=record.state.offline_reason or "",
    )


ROUTES: list[Route] = [
    route("/hub/devices/removed", READ, list_removed, RemovedDeviceListAnswer),
    route("/hub/devices/replace", ACT, replace_device, KnownDeviceAnswer, ReplaceDevice, "owner"),
]
