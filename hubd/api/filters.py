"""The filters that every device list takes. Things a hub does not have (spaces, customers) match nothing."""

from collections.abc import Mapping
from datetime import datetime

from hubd.api import project
from hubd.api.brands import UNKNOWN_MAKER, maker_of, provider_of
from hubd.api.paging import as_text
from hubd.api.params import Limit, Pairs, Params, Text, Uuid, Uuids, Word, Words
from hubd.core.hub import Hub
from hubd.model.errors import NotFoundError
from hubd.store.records import DeviceRecord


class DeviceFilters(Params, frozen=True, kw_only=True):
    """Seam's device-list filters; all given ones must fit."""

    connected_account_id: Uuid | None = None
    connected_account_ids: Uuids | None = None
    connect_webview_id: Uuid | None = None
    created_before: datetime | None = None
    custom_metadata_has: Pairs | None = None
    customer_key: Text | None = None
    device_ids: Uuids | None = None
    device_type: Word | None = None
    device_types: Words | None = None
    exclude_if: Words | None = None
    include_if: Words | None = None
    limit: Limit = 500
    manufacturer: Word | None = None
    page_cursor: Text | None = None
    search: Text | None = None
    space_id: Uuid | None = None
    unstable_location_id: Uuid | None = None
    user_identifier_key: Text | None = None


def matching(hub: Hub, filters: DeviceFilters) -> list[DeviceRecord]:
    """Return the devices on the site, managed or not, that fit; parts of access control systems are none here."""
    elsewhere = (filters.connect_webview_id, filters.customer_key, filters.space_id, filters.user_identifier_key)
    if any(value is not None for value in elsewhere) or filters.unstable_location_id is not None:
        return []
    return [r for r in plain_devices(hub) if _fits(hub, r, filters)]


def plain_devices(hub: Hub) -> list[DeviceRecord]:
    """Return the devices on the site that Seam knows as such: no doors and encoders of access control systems."""
    return [r for r in hub.devices.values() if r.removed_at is None and not r.device.description.is_access]


def plain_device(hub: Hub, device_id: str) -> DeviceRecord:
    """Return one of them. Raises `NotFoundError` (`device_not_found`)."""
    record = hub.present(device_id)
    if record.device.description.is_access:
        message = "It is a part of an access control system; see the routes under /acs."
        raise NotFoundError("device_not_found", message, device_id=device_id)
    return record


def _fits(hub: Hub, record: DeviceRecord, filters: DeviceFilters) -> bool:
    description, account = record.device.description, hub.account_id(record.device.instance)
    one_of: list[tuple[str, tuple[str, ...] | None]] = [
        (account, None if filters.connected_account_id is None else (filters.connected_account_id,)),
        (account, filters.connected_account_ids),
        (record.device.device_id, filters.device_ids),
        (description.device_type, None if filters.device_type is None else (filters.device_type,)),
        (description.device_type, filters.device_types),
    ]
    for value, wanted in one_of:
        if wanted is not None and value not in {item.lower() for item in wanted}:
            return False
    if filters.created_before is not None and not _is_before(record.found_at, filters.created_before):
        return False
    if filters.manufacturer is not None and not _is_made_by(record, filters.manufacturer):
        return False
    wanted_pairs = filters.custom_metadata_has
    if wanted_pairs is not None and not has_pairs(record.custom_metadata, wanted_pairs):
        return False
    if filters.search is not None and not _is_found(record, filters.search):
        return False
    return _flags_fit(hub, record, filters)


def _is_before(found: datetime, bound: datetime) -> bool:
    return found < (bound if bound.tzinfo is not None else bound.replace(tzinfo=found.tzinfo))


def has_pairs(metadata: Mapping[str, str | bool | None], wanted: Pairs) -> bool:
    """Tell whether each wanted pair is there. A query string cannot tell true from "true", so neither is told here."""
    return all(key in metadata and as_text(metadata[key]) == as_text(value) for key, value in wanted.items())


def _is_made_by(record: DeviceRecord, manufacturer: str) -> bool:
    description = record.device.description
    maker = maker_of(description)
    names = (UNKNOWN_MAKER,) if maker is None else (maker.manufacturer, maker.display_name.lower())
    return manufacturer.lower() in {*names, provider_of(description.device_type)}


def _is_found(record: DeviceRecord, words: str) -> bool:
    description = record.device.description
    places = (record.name, description.name, description.manufacturer, description.model, record.device.device_id)
    return words.lower() in " ".join(filter(None, places)).lower()


def _flags_fit(hub: Hub, record: DeviceRecord, filters: DeviceFilters) -> bool:
    include, exclude = filters.include_if or (), filters.exclude_if or ()
    if not include and not exclude:
        return True
    shape = project.device(hub, record)
    has = {flag for flag in (*include, *exclude) if getattr(shape, flag, None) is True}
    return has >= set(include) and not has & set(exclude)
