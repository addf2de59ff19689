"""One piece of hardware behind two drivers: noticed, and one of its devices named as the one that manages codes."""

from collections.abc import Collection, Mapping

from hubd.model.event import DuplicateNoticed
from hubd.store.records import DeviceRecord
from hubd.store.tables import View


def are_twins(one: DeviceRecord, other: DeviceRecord) -> bool:
    """Whether two present devices of different driver instances share a hardware id."""
    return (
        one.removed_at is None
        and other.removed_at is None
        and one.device.instance != other.device.instance
        and _shared(one, other) is not None
    )


def notice(view: View, device_id: str) -> None:
    """Tell of each twin of a device that was not told of yet. Part of the transaction that makes it one."""
    record = view.device(device_id)
    if record is None:
        return
    for other in view.sharing(record):
        hardware_id = _shared(record, other)
        if hardware_id is None or other.device.device_id in record.twins or not are_twins(record, other):
            continue
        event = DuplicateNoticed(
            device_ids=(device_id, other.device.device_id), other_name=other.name, hardware_id=hardware_id
        )
        view.emit(event, instance=record.device.instance, device_id=device_id)


def twins_of(devices: Mapping[str, DeviceRecord], record: DeviceRecord) -> list[DeviceRecord]:
    """Return the other present devices that are the same hardware, through several hands too, in the order found."""
    if not record.twins:
        return []
    found: dict[str, DeviceRecord] = {record.device.device_id: record}
    unseen = [record]
    while unseen:
        one = unseen.pop()
        for twin in one.twins:
            other = devices.get(twin)
            if other is not None and twin not in found and are_twins(one, other):
                found[twin] = other
                unseen.append(other)
    del found[record.device.device_id]
    return sorted(found.values(), key=_age)


def code_manager(records: Collection[DeviceRecord], configured: Collection[str]) -> DeviceRecord | None:
    """Return the one of several twins that manages codes: the managed one, and of several the one found first.

    It does not change with restarts or outages. A device whose driver is not `configured` any more manages nothing.
    """
    able = [record for record in records if record.is_managed and record.device.instance in configured]
    return min(able, key=_age, default=None)


def _age(record: DeviceRecord) -> tuple[object, ...]:
    return record.found_at, record.device.device_id


def _shared(one: DeviceRecord, other: DeviceRecord) -> str | None:
    """Return the most telling id that both are known by."""
    ids = other.device.description.hardware_ids
    return next((hardware_id for hardware_id in one.device.description.hardware_ids if hardware_id in ids), None)
