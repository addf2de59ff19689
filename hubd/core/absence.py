"""When a device that complete scans of its network no longer find counts as removed."""

from typing import Final

from msgspec.structs import replace

from hubd.model.event import DeviceRemoved
from hubd.store.records import Absence, DeviceRecord
from hubd.store.tables import View

SCANS: Final = 3


def miss(view: View, record: DeviceRecord, *, is_absent: bool, seconds: float) -> None:
    """Apply one complete scan to a present device.

    It is removed when `SCANS` in a row, the first and the last at least `seconds` apart, did not find it.
    """
    if not is_absent:
        if record.absence is not None:
            view.put_telemetry(replace(record, absence=None))
        return
    before = record.absence
    absence = Absence(1, view.now) if before is None else Absence(before.scans + 1, before.since)
    view.put_telemetry(replace(record, absence=absence))
    if absence.scans >= SCANS and (view.now - absence.since).total_seconds() >= seconds:
        reason = f"Its network no longer lists it: {absence.scans} complete scans did not find it."
        view.emit(
            DeviceRemoved(reason=reason),
            public="device.removed" if record.is_managed else None,
            instance=record.device.instance,
            device_id=record.device.device_id,
        )
