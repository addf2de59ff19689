"""`/hub/devices/*`: what the hub knows of a device beyond Seam's shape, managed or not."""

from datetime import datetime
from typing import Literal

from hubd.api import project, shapes
from hubd.api.params import Params, Uuid, Word
from hubd.api.route import READ, Call, Route, route
from hubd.core.battery import report_hours
from hubd.core.cautions import stale_since
from hubd.core.hub import Hub
from hubd.core.observe import battery_status
from hubd.core.twins import code_manager, twins_of
from hubd.model.device import Kind
from hubd.model.state import BatteryReading, LinkQuality
from hubd.store.records import DeviceRecord


class BatteryShape(shapes.Shape, frozen=True, kw_only=True):
    """The last level that was read; there also while the device is offline. `low` is the device's own flag."""

    level: float
    status: Literal["critical", "low", "good", "full"]
    low: bool
    measured_at: datetime
    report_hours: float
    """How often it should be reported: as the site's config demands, else as the device says itself."""
    is_stale: bool
    """Older than three of those intervals."""
    unconfirmed_level: float | None
    """A later reading, too far below to be believed before a second one agrees with it."""
    unconfirmed_at: datetime | None


class DuplicateShape(shapes.Shape, frozen=True, kw_only=True):
    """Another device that is the same piece of hardware, through another driver instance."""

    device_id: str
    instance: str
    name: str


class LinkShape(shapes.Shape, frozen=True, kw_only=True):
    """How well the device is reached over its radio; null is not known."""

    measured_at: datetime
    signal_dbm: float | None
    round_trip_ms: float | None
    route: tuple[str, ...] | None
    """Names of the devices that pass its messages on, nearest to the hub first; empty: it is reached directly."""
    lost_ratio: float | None
    """Share of the commands sent to it that were not answered, 0 to 1."""


class KnownDevice(shapes.Shape, frozen=True, kw_only=True):
    """A device as the hub knows it."""

    device_id: str
    instance: str
    native_id: str
    name: str
    """The nickname where one is set, else its own name."""
    own_name: str
    nickname: str | None
    kind: Kind
    device_type: str
    is_managed: bool
    manufacturer: str | None
    model: str | None
    firmware: str | None
    hardware_ids: tuple[str, ...]
    online: bool
    """Reachable at this moment: the device and all hops before it."""
    offline_reason: str | None
    """A sentence; there whenever `online` is false."""
    since: datetime
    """Since when it is reachable, or not."""
    found_at: datetime
    link: LinkShape | None
    battery: BatteryShape | None
    absent_scans: int
    """Complete scans of its network in a row that did not find it; three of them remove it."""
    duplicates: list[DuplicateShape]
    code_manager_id: str | None
    """The one that manages codes: this device, or of duplicates one of them; null where none is managed."""
    warnings: list[shapes.Notice]
    """As in Seam's shape of the device."""


class KnownDeviceAnswer(shapes.Ok, frozen=True, kw_only=True):
    """One device."""

    device: KnownDevice


class KnownDeviceListAnswer(shapes.Ok, frozen=True, kw_only=True):
    """Devices, by first sight."""

    devices: list[KnownDevice]


class ListKnown(Params, frozen=True, kw_only=True):
    """All, or those of one driver instance."""

    instance: Word | None = None


class GetKnown(Params, frozen=True, kw_only=True):
    """Which device."""

    device_id: Uuid


async def list_devices(call: Call, params: ListKnown) -> KnownDeviceListAnswer:
    """Return every device on the site, managed or not."""
    records = [
        record
        for record in call.hub.devices.values()
        if record.removed_at is None and params.instance in {None, record.device.instance}
    ]
    records.sort(key=lambda record: (record.found_at, record.device.device_id))
    return KnownDeviceListAnswer(devices=[known(call.hub, record) for record in records])


async def get(call: Call, params: GetKnown) -> KnownDeviceAnswer:
    """Return one device, managed or not."""
    return KnownDeviceAnswer(device=known(call.hub, call.hub.present(params.device_id.lower())))


def known(hub: Hub, record: DeviceRecord) -> KnownDevice:
    """Build the shape of a device that is on the site."""
    device, state = record.device, record.state
    description = device.description
    problem = next(iter(project.device_errors(hub, record)), None)
    twins = twins_of(hub.devices, record)
    manager = code_manager((record, *twins), hub.instances)
    return KnownDevice(
        device_id=device.device_id,
        instance=device.instance,
        native_id=description.native_id,
        name=record.name,
        own_name=description.name,
        nickname=record.nickname,
        kind=description.kind,
        device_type=description.device_type,
        is_managed=record.is_managed,
        manufacturer=description.manufacturer,
        model=description.model,
        firmware=description.firmware,
        hardware_ids=description.hardware_ids,
        online=problem is None,
        offline_reason=None if problem is None else problem.message,
        since=(state.changed_at or record.found_at) if problem is None else problem.created_at,
        found_at=record.found_at,
        link=None if state.link is None else _link(state.link),
        battery=None if state.battery is None else _battery(hub, record, state.battery),
        absent_scans=0 if record.absence is None else record.absence.scans,
        duplicates=[_duplicate(twin) for twin in twins],
        code_manager_id=None if manager is None else manager.device.device_id,
        warnings=project.warnings(hub, record),
    )


def _duplicate(record: DeviceRecord) -> DuplicateShape:
    return DuplicateShape(device_id=record.device.device_id, instance=record.device.instance, name=record.name)


def _link(link: LinkQuality) -> LinkShape:
    return LinkShape(
        measured_at=link.measured_at,
        signal_dbm=link.signal_dbm,
        round_trip_ms=link.round_trip_ms,
        route=link.route,
        lost_ratio=link.lost_ratio,
    )


def _battery(hub: Hub, record: DeviceRecord, battery: BatteryReading) -> BatteryShape:
    return BatteryShape(
        level=battery.level,
        status=battery_status(battery.level, low=battery.low),
        low=battery.low,
        measured_at=battery.measured_at,
        report_hours=report_hours(record.device.description.capabilities, hub.site.battery_report_hours),
        is_stale=stale_since(hub, record) is not None,
        unconfirmed_level=battery.suspect_level,
        unconfirmed_at=battery.suspect_at,
    )


ROUTES: list[Route] = [
    route("/hub/devices/list", READ, list_devices, KnownDeviceListAnswer, ListKnown),
    route("/hub/devices/get", READ, get, KnownDeviceAnswer, GetKnown),
]
