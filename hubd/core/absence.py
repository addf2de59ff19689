"""When a device that complete scans of its network no longer find counts as removed.

The time between scans is what the hub saw pass on its monotonic clock: a step of the wall clock proves nothing. What
passed while the hub was down is not counted, so a restart can only make the proof take longer.
"""

from collections.abc import Collection
from typing import Final

from msgspec.structs import replace

from hubd.core.public import told
from hubd.driver.clock import Clock
from hubd.model.event import DeviceRemoved
from hubd.store.records import Absence, DeviceRecord
from hubd.store.tables import View

SCANS: Final = 3


class Scans:
    """When each instance was last scanned whole, within this life of the hub."""

    def __init__(self, clock: Clock, removal_seconds: float) -> None:
        self._clock = clock
        self._removal_seconds = removal_seconds
        self._last: dict[str, float] = {}

    def begin(self, instance: str) -> float:
        """Take in that a scan is complete; returns the seconds since the one before, 0 for the first of this life."""
        now = self._clock.monotonic()
        passed = now - self._last.get(instance, now)
        self._last[instance] = now
        return passed

    def judge(self, view: View, present: Collection[DeviceRecord], absent: Collection[str], passed: float) -> None:
        """Apply a scan to the present devices of its instance; `absent` holds the native ids it did not find."""
        for record in present:
            if record.device.description.native_id in absent:
                miss(view, record, passed=passed, seconds=self._removal_seconds)
            else:
                meet(view, record)


def meet(view: View, record: DeviceRecord) -> None:
    """Forget the absence of a device that is there."""
    if record.absence is not None:
        view.put_telemetry(replace(record, absence=None))


def miss(view: View, record: DeviceRecord, *, passed: float, seconds: float) -> None:
    """Apply one complete scan that did not find a present device, `passed` seconds after the scan before.

    It is removed when `SCANS` in a row, the first and the last at least `seconds` apart, did not find it.
    """
    before = record.absence
    if before is None:
        absence = Absence(1, view.now)
    else:
        absence = Absence(before.scans + 1, before.since, before.seconds + passed)
    view.put_telemetry(replace(record, absence=absence))
    if absence.scans >= SCANS and absence.seconds >= seconds:
        reason = f"Its network no longer lists it: {absence.scans} complete scans did not find it."
        view.emit(
            DeviceRemoved(reason=reason),
            public=told(record.device.description.kind, "device.removed") if record.is_managed else None,
            instance=record.device.instance,
            device_id=record.device.device_id,
        )
