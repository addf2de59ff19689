"""`/devices/*`."""

import re
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from hubd.api import project, shapes
from hubd.api.filters import DeviceFilters, matching, plain_device, plain_devices
from hubd.api.paging import page
from hubd.api.params import Params, Text, Uuid, Word
from hubd.api.route import READ, REMOVE, UPDATE, Call, route
from hubd.model.capability import ThermostatCapability
from hubd.model.device import Kind
from hubd.model.errors import InvalidInputError, NotFoundError, RefusedError
from hubd.model.event import DeviceEdited, DeviceRemoved
from hubd.store.records import DeviceRecord, micros
from hubd.store.tables import View

MAX_METADATA = 50
MAX_METADATA_KEY = 40
MAX_METADATA_VALUE = 500
MAX_NAME = 255

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


type NewMetadata = dict[str, str | bool | None]
"""What a caller sends: pairs to set, and null for a pair to take away."""


class GetDevice(Params, frozen=True, kw_only=True):
    """By id or by name; both given, both must fit."""

    device_id: Uuid | None = None
    name: Text | None = None


class DeleteDevice(Params, frozen=True, kw_only=True):
    """Which device."""

    device_id: Uuid


class DeviceNames(Params, frozen=True, kw_only=True):
    """Seam's older place of the name."""

    name: Text | UnsetType | None = UNSET


class UpdateDevice(Params, frozen=True, kw_only=True):
    """Members that are left out stay as they are; `name: null` gives the device's own name back."""

    device_id: Uuid
    name: Text | UnsetType | None = UNSET
    properties: DeviceNames | UnsetType = UNSET
    is_managed: bool | UnsetType = UNSET
    custom_metadata: NewMetadata | UnsetType = UNSET
    backup_access_code_pool_enabled: bool | UnsetType = UNSET


class UpdateUnmanaged(Params, frozen=True, kw_only=True):
    """An unmanaged device can be taken under management and carry metadata."""

    device_id: Uuid
    is_managed: Literal[True] | UnsetType = UNSET
    custom_metadata: NewMetadata | UnsetType = UNSET


class ListProviders(Params, frozen=True, kw_only=True):
    """Providers of one category only."""

    provider_category: Word | None = None


def position(record: DeviceRecord) -> tuple[int, str]:
    """Return the place of a device in lists: by first sight."""
    return micros(record.found_at), record.device.device_id


def find(call: Call, params: GetDevice, *, is_managed: bool, kind: Kind | None = None) -> DeviceRecord:
    """Return the one device meant. Raises `InvalidInputError`, `NotFoundError`, `RefusedError`."""
    record = _named(call, params)
    check_managed(record, is_managed=is_managed)
    if kind is not None and record.device.description.kind != kind:
        raise NotFoundError("device_not_found", f"The device is not a {kind}.", device_id=record.device.device_id)
    return record


def _named(call: Call, params: GetDevice) -> DeviceRecord:
    if params.device_id is not None:
        fitting = [plain_device(call.hub, params.device_id.lower())]
    elif params.name is not None:
        fitting = plain_devices(call.hub)
    else:
        raise InvalidInputError("device_id", "is required (or name)")
    if params.name is not None:
        fitting = [record for record in fitting if record.name == params.name]
    if not fitting:
        raise NotFoundError("device_not_found", "There is no device of this name on this hub.", name=params.name)
    if len(fitting) > 1:
        raise InvalidInputError("name", f"{len(fitting)} devices have this name; use device_id")
    return fitting[0]


def check_managed(record: DeviceRecord, *, is_managed: bool) -> None:
    """Raise `RefusedError` when the device is on the other side."""
    if record.is_managed is is_managed:
        return
    device_id = record.device.device_id
    if is_managed:
        raise RefusedError("device_unmanaged", "The device is unmanaged; see /devices/unmanaged.", device_id=device_id)
    raise RefusedError("device_managed", "The device is managed; see /devices.", device_id=device_id)


def check_thermostat(record: DeviceRecord) -> ThermostatCapability:
    """Return what a thermostat can do. Raises `RefusedError` for any other device."""
    capability = record.device.description.capabilities.thermostat
    if capability is None:
        flag, message = "capabilities_supported.thermostat", "The device is not a thermostat."
        raise RefusedError("device_type_not_supported", message, device_id=record.device.device_id, flag=flag)
    return capability


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
    """Change nickname, metadata, management, or whether backup codes are kept on the lock."""
    device_id, pool = params.device_id.lower(), params.backup_access_code_pool_enabled
    edit = Edit(nickname=_nickname(params), is_managed=params.is_managed, metadata=params.custom_metadata)
    if pool is True:
        _check_pool(call, device_id, will_be_managed=params.is_managed)
    await _edit(call, device_id, edit)
    if pool is not UNSET and call.hub.codes.keypad(device_id) is not None:
        await call.hub.codes.set_pool(device_id, call.principal.key_id, is_wanted=pool)
    return shapes.Ok()


def _check_pool(call: Call, device_id: str, *, will_be_managed: bool | UnsetType) -> None:
    """Refuse, before anything is changed, a pool on what has no keypad or is not managed."""
    record = plain_device(call.hub, device_id)
    if will_be_managed is not True:
        check_managed(record, is_managed=will_be_managed is UNSET)
    if call.hub.codes.keypad(device_id) is None:
        message = "The device takes no codes, so it has no backup codes."
        flag = "properties.supports_backup_access_code_pool"
        raise RefusedError("not_supported", message, device_id=device_id, flag=flag)


def _nickname(params: UpdateDevice) -> str | UnsetType | None:
    name = params.name
    if params.properties is not UNSET and params.properties.name is not UNSET:
        if name not in {UNSET, params.properties.name}:
            raise InvalidInputError("properties.name", "is another one than name")
        name = params.properties.name
    if isinstance(name, str) and (not name.strip() or len(name) > MAX_NAME or _CONTROL.search(name)):
        reason = f"must be 1 to {MAX_NAME} characters without line breaks, or null for the device's own name"
        raise InvalidInputError("name", reason)
    return name


async def update_unmanaged(call: Call, params: UpdateUnmanaged) -> shapes.Ok:
    """Take a device under management. Twice is once."""
    edit = Edit(is_managed=params.is_managed, metadata=params.custom_metadata)
    await _edit(call, params.device_id.lower(), edit)
    return shapes.Ok()


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """What people may change about a device; UNSET members stay."""

    nickname: str | UnsetType | None = UNSET
    is_managed: bool | UnsetType = UNSET
    metadata: NewMetadata | UnsetType = UNSET


async def _edit(call: Call, device_id: str, edit: Edit) -> None:
    """Apply an edit as one durable event per thing that really changed."""
    hub, by = call.hub, call.principal.key_id
    found = plain_device(hub, device_id)
    instance = found.device.instance
    if edit.is_managed is True and instance in hub.instances:
        policy = hub.instances[instance].policy
        if policy.excludes(found.device.description, device_id):
            message = f"The device is excluded by exclude_kinds or exclude_ids in [drivers.{instance}] of the config."
            raise RefusedError("device_excluded_by_config", message, device_id=device_id)

    def apply(view: View) -> None:
        for event, public in _changes(view.device(device_id) or found, edit, by):
            view.emit(event, public=public, instance=instance, device_id=device_id)

    await hub.journal.transact(apply)
    hub.codes.reconciler.touch(device_id)
    hub.thermostats.reconciler.touch(device_id)


def _changes(known: DeviceRecord, edit: Edit, by: str) -> list[tuple[DeviceEdited, str | None]]:
    """Return an event, with its public type, for each thing that is news. Raises `InvalidInputError`."""
    changes: list[tuple[DeviceEdited, str | None]] = []
    if edit.nickname is not UNSET and edit.nickname != known.nickname:
        public = "device.name_changed" if known.is_managed else None
        changes.append((DeviceEdited(nickname=edit.nickname, by=by), public))
    if edit.metadata is not UNSET:
        check_metadata(known.custom_metadata, edit.metadata)
        metadata = merged(known.custom_metadata, edit.metadata)
        if metadata != known.custom_metadata:
            changes.append((DeviceEdited(custom_metadata={**metadata}, by=by), None))
    if edit.is_managed is not UNSET and edit.is_managed is not known.is_managed:
        public = "device.unmanaged.converted_to_managed" if edit.is_managed else "device.converted_to_unmanaged"
        changes.append((DeviceEdited(is_managed=edit.is_managed, by=by), public))
    return changes


def merged(old: NewMetadata, new: NewMetadata) -> shapes.Metadata:
    """Return the pairs after an edit; null takes one away."""
    return {key: value for key, value in (old | new).items() if value is not None}


def check_metadata(old: NewMetadata, new: NewMetadata) -> None:
    """Check Seam's bounds: 50 keys of 40 characters, values of 500. Raises `InvalidInputError`."""
    for key, value in new.items():
        if not 0 < len(key) <= MAX_METADATA_KEY:
            raise InvalidInputError("custom_metadata", f"keys have 1 to {MAX_METADATA_KEY} characters")
        if isinstance(value, str) and len(value) > MAX_METADATA_VALUE:
            raise InvalidInputError("custom_metadata", f"values have at most {MAX_METADATA_VALUE} characters")
    if len(merged(old, new)) > MAX_METADATA:
        raise InvalidInputError("custom_metadata", f"there are at most {MAX_METADATA} keys")


async def delete(call: Call, params: DeleteDevice) -> shapes.Ok:
    """Forget a device by explicit order. If its network still has it, it comes back, as it was, at the next connect."""
    hub, device_id = call.hub, params.device_id.lower()
    record = plain_device(hub, device_id)
    public = "device.deleted" if record.is_managed else None
    event = DeviceRemoved(reason=f"Deleted through the API by key {call.principal.key_id}.")

    def apply(view: View) -> None:
        view.emit(event, public=public, instance=record.device.instance, device_id=device_id)

    await hub.journal.transact(apply)
    return shapes.Ok()


async def list_providers(call: Call, params: ListProviders) -> shapes.ProviderListAnswer:
    """Return Seam's providers of the brands on this site."""
    found = project.providers(plain_devices(call.hub))
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
