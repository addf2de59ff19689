"""The filters that every device list takes. Things a hub does not have (spaces, customers) match nothing."""

from datetime import datetime
from typing import Annotated

import msgspec

from hubd.api import project
from hubd.api.brands import provider_of
from hubd.api.params import Limit, Params, Text, Uuid, Uuids
from hubd.core.hub import Hub
from hubd.store.records import DeviceRecord

type Word = Annotated[str, msgspec.Meta(max_length=80)]


class DeviceFilters(Params, frozen=True, kw_only=True):
    """Seam's device-list filters; all given ones must fit."""

    connected_account_id: Uuid | None = None
    connected_account_ids: Uuids | None = None
    connect_webview_id: Uuid | None = None
    created_before: datetime | None = None
    custom_metadata_has: dict[str, str | bool] | None = None
    customer_key: Text | None = None
    device_ids: Uuids | None = None
    device_type: Word | None = None
    device_types: tuple[Word, ...] | None = None
    exclude_if: tuple[Word, ...] | None = None
    include_if: tuple[Word, ...] | None = None
    limit: Limit = 500
    manufacturer: Word | None = None
    page_cursor: Text | None = None
    search: Text | None = None
    space_id: Uuid | None = None
    unstable_location_id: Uuid | None = None
    user_identifier_key: Text | None = None


def matching(hub: Hub, filters: DeviceFilters) -> list[DeviceRecord]:
    """Return the devices on the site, managed or not, that fit."""
    elsewhere = (filters.connect_webview_id, filters.customer_key, filters.space_id, filters.user_identifier_key)
    if any(value is not None for value in elsewhere) or filters.unstable_location_id is not None:
        return []
    return [r for r in hub.devices.values() if r.removed_at is None and _fits(hub, r, filters)]


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
    if filters.custom_metadata_has is not None and not filters.custom_metadata_has.items() <= record.custom_metadata.items():
        return False
    if filters.search is not None and not _is_found(record, filters.search):
        return False
    return _flags_fit(hub, record, filters)


def _is_before(found: datetime, bound: datetime) -> bool:
    return found < (bound if bound.tzinfo is not None else bound.replace(tzinfo=found.tzinfo))


def _is_made_by(record: DeviceRecord, manufacturer: str) -> bool:
    description = record.device.description
    return manufacturer.lower() in {(description.manufacturer or "unknown").lower(), provider_of(description.device_type)}


def _is_found(record: DeviceRecord, words: str) -> bool:
    description = record.device.description
    places = (record.name, description.name, description.manufacturer, description.model, record.device.device_id)
    return words.lower() in " ".join(filter(None, places)).lower()


def _flags_fit(hub: Hub, record: DeviceRecord, filters: DeviceFilters) -> bool:
    if not filters.include_if and not filters.exclude_if:
        return True
    shape = project.device(hub, record)
    has = {flag for flag in (*(filters.include_if or ()), *(filters.exclude_if or ())) if getattr(shape, flag, None) is True}
    return all(flag in has for flag in filters.include_if or ()) and not has & set(filters.exclude_if or ())
