"""`/devices/*`."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from hubd.api import project, shapes
from hubd.api.filters import DeviceFilters, matching
from hubd.api.paging import page
from hubd.api.params import Params, Text, Uuid
from hubd.api.route import READ, REMOVE, UPDATE, Call, route
from hubd.model.device import Kind
from hubd.model.errors import InvalidInputError, NotFoundError, RefusedError
from hubd.model.event import DeviceEdited, DeviceRemoved
from hubd.store.records import DeviceRecord, micros
from hubd.store.tables import View

MAX_METADATA = 50
MAX_METADATA_KEY = 40
MAX_METADATA_VALUE = 500
MAX_NAME = 255


class GetDevice(Params, frozen=True, kw_only=True):
    """By id or by name."""

    device_id: Uuid | None = None
    name: Text | None = None


class DeleteDevice(Params, frozen=True, kw_only=True):
    """Which device."""

    device_id: Uuid


class DeviceNames(Params, frozen=True, kw_only=True):
    """Seam's older place of the name."""

    name: Text | None | UnsetType = UNSET


class UpdateDevice(Params, frozen=True, kw_only=True):
    """Members that are left out stay as they are; `name: null` gives the device's own name back."""

    device_id: Uuid
    name: Text | None | UnsetType = UNSET
    properties: DeviceNames | UnsetType = UNSET
    is_managed: bool | UnsetType = UNSET
    custom_metadata: dict[str, str | bool | None] | UnsetType = UNSET


class UpdateUnmanaged(Params, frozen=True, kw_only=True):
    """An unmanaged device can be taken under management and carry metadata."""

    device_id: Uuid
    is_managed: Literal[True] | UnsetType = UNSET
    custom_metadata: dict[str, str | bool | None] | UnsetType = UNSET


class ListProviders(Params, frozen=True, kw_only=True):
    """Providers of one category only."""

    provider_category: Annotated[str, msgspec.Meta(max_length=40)] | None = None


def position(record: DeviceRecord) -> tuple[int, str]:
    """Return the place of a device in lists: by first sight."""
    return micros(record.found_at), record.device.device_id


def find(call: Call, params: GetDevice, *, is_managed: bool, kind: Kind | None = None) -> DeviceRecord:
    """Return the one device meant. Raises `InvalidInputError`, `NotFoundError`, `RefusedError`."""
    if params.device_id is not None:
        record = call.hub.present(params.device_id.lower())
    elif params.name is not None:
        fitting = [r for r in call.hub.devices.values() if r.removed_at is None and r.name == params.name]
        if len(fitting) > 1:
            raise InvalidInputError("name", f"{len(fitting)} devices have this name; use device_id")
        if not fitting:
            raise NotFoundError("device_not_found", "There is no device of this name on this hub.", name=params.name)
        record = fitting[0]
    else:
        raise InvalidInputError("device_id", "is required (or name)")
    check_managed(record, is_managed=is_managed)
    if kind is not None and record.device.description.kind != kind:
        raise NotFoundError("device_not_found", f"The device is not a {kind}.", device_id=record.device.device_id)
    return record


def check_managed(record: DeviceRecord, *, is_managed: bool) -> None:
    """Raise `RefusedError` when the device is on the other side."""
    if record.is_managed is is_managed:
        return
    device_id = record.device.device_id
    if is_managed:
        raise RefusedError("device_unmanaged", "The device is unmanaged; see /devices/unmanaged.", device_id=device_id)
    raise RefusedError("device_managed", "The device is managed; see /devices.", device_id=device_id)


async def get(call: Call, params: GetDevice) -> shapes.DeviceAnswer:
    """Return a managed device."""
    return shapes.DeviceAnswer(device=project.device(call.hub, find(call, params, is_managed=True)))


async def get_unmanaged(call: Call, params: GetDevice) -> shapes.DeviceAnswer:
    """Return an unmanaged device."""
    return shapes.DeviceAnswer(device=project.device(call.hub, find(call, params, is_managed=False)))


async def list_managed(call: Call, params: DeviceFilters) -> shapes.DeviceListAnswer:
    """Return a page of managed devices."""
    return _list(call, params, is_managed=True)


async def list_unmanaged(call: Call, params: DeviceFilters) -> shapes.DeviceListAnswer:
    """Return a page of unmanaged devices."""
    return _list(call, params, is_managed=False)


def _list(call: Call, params: DeviceFilters, *, is_managed: bool) -> shapes.DeviceListAnswer:
    records = [record for record in matching(call.hub, params) if record.is_managed is is_managed]
    cut, pagination = page(records, position, params, call.request)
    return shapes.DeviceListAnswer(devices=[project.device(call.hub, r) for r in cut], pagination=pagination)


async def update(call: Call, params: UpdateDevice) -> shapes.Ok:
    """Change nickname, metadata or management."""
    name = params.name
    if name is UNSET and params.properties is not UNSET:
        name = params.properties.name
    if isinstance(name, str) and (not name.strip() or len(name) > MAX_NAME):
        raise InvalidInputError("name", f"must be 1 to {MAX_NAME} characters, or null for the device's own name")
    await edit(call, params.device_id, nickname=name, is_managed=params.is_managed, metadata=params.custom_metadata)
    return shapes.Ok()


async def update_unmanaged(call: Call, params: UpdateUnmanaged) -> shapes.Ok:
    """Take a device under management. Twice is once."""
    await edit(call, params.device_id, is_managed=params.is_managed, metadata=params.custom_metadata)
    return shapes.Ok()


async def edit(
    call: Call,
    device_id: str,
    *,
    nickname: str | None | UnsetType = UNSET,
    is_managed: bool | UnsetType = UNSET,
    metadata: dict[str, str | bool | None] | UnsetType = UNSET,
) -> None:
    """Apply an edit as one durable event per thing that really changed."""
    hub, device_id = call.hub, device_id.lower()
    record = hub.present(device_id)
    instance = record.device.instance
    if is_managed is True and instance in hub.instances:
        policy = hub.instances[instance].policy
        if policy.excludes(record.device.description, device_id):
            message = f"The device is excluded by exclude_kinds or exclude_ids in [drivers.{instance}] of the hub's config."
            raise RefusedError("device_excluded_by_config", message, device_id=device_id)
    if metadata is not UNSET:
        check_metadata(record.custom_metadata, metadata)

    def apply(view: View) -> None:
        known = view.device(device_id) or record
        by = call.principal.key_id
        if nickname is not UNSET and nickname != known.nickname:
            public = "device.name_changed" if known.is_managed else None
            view.emit(DeviceEdited(nickname=nickname, by=by), public=public, instance=instance, device_id=device_id)
        if metadata is not UNSET:
            merged: shapes.Metadata = {k: v for k, v in (known.custom_metadata | metadata).items() if v is not None}
            if merged != known.custom_metadata:
                view.emit(DeviceEdited(custom_metadata=merged, by=by), instance=instance, device_id=device_id)
        if is_managed is not UNSET and is_managed is not known.is_managed:
            public = "device.unmanaged.converted_to_managed" if is_managed else "device.converted_to_unmanaged"
            view.emit(DeviceEdited(is_managed=is_managed, by=by), public=public, instance=instance, device_id=device_id)

    await hub.journal.transact(apply)


def check_metadata(old: dict[str, str | bool | None], new: dict[str, str | bool | None]) -> None:
    """Check Seam's bounds: 50 keys of 40 characters, values of 500."""
    for key, value in new.items():
        if not 0 < len(key) <= MAX_METADATA_KEY:
            raise InvalidInputError("custom_metadata", f"keys have 1 to {MAX_METADATA_KEY} characters")
        if isinstance(value, str) and len(value) > MAX_METADATA_VALUE:
            raise InvalidInputError("custom_metadata", f"values have at most {MAX_METADATA_VALUE} characters")
    if len({k for k, v in (old | new).items() if v is not None}) > MAX_METADATA:
        raise InvalidInputError("custom_metadata", f"a device has at most {MAX_METADATA} keys")


async def delete(call: Call, params: DeleteDevice) -> shapes.Ok:
    """Forget a device by explicit order. If its network still has it, it is found again at the next connect."""
    hub, device_id = call.hub, params.device_id.lower()
    record = hub.present(device_id)
    public = "device.deleted" if record.is_managed else None
    event = DeviceRemoved(reason=f"Deleted through the API by key {call.principal.key_id}.")

    def apply(view: View) -> None:
        view.emit(event, public=public, instance=record.device.instance, device_id=device_id)

    await hub.journal.transact(apply)
    return shapes.Ok()


async def list_providers(call: Call, params: ListProviders) -> shapes.ProviderListAnswer:
    """Return Seam's providers of the brands on this site."""
    records = [r for r in call.hub.devices.values() if r.removed_at is None]
    found = project.providers(records)
    if params.provider_category is not None:
        found = [p for p in found if params.provider_category in p.provider_categories]
    return shapes.ProviderListAnswer(device_providers=found)


ROUTES = [
    route("/devices/get", READ, get, shapes.DeviceAnswer, GetDevice),
    route("/devices/list", READ, list_managed, shapes.DeviceListAnswer, DeviceFilters),
    route("/devices/update", UPDATE, update, shapes.Ok, UpdateDevice, "operator"),
    route("/devices/delete", REMOVE, delete, shapes.Ok, DeleteDevice, "owner"),
    route("/devices/list_device_providers", READ, list_providers, shapes.ProviderListAnswer, ListProviders),
    route("/devices/unmanaged/get", READ, get_unmanaged, shapes.DeviceAnswer, GetDevice),
    route("/devices/unmanaged/list", READ, list_unmanaged, shapes.DeviceListAnswer, DeviceFilters),
    route("/devices/unmanaged/update", UPDATE, update_unmanaged, shapes.Ok, UpdateUnmanaged, "operator"),
]
