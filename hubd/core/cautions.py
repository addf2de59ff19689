"""What of a device needs a look though it can be used: the warnings of API and page."""

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from hubd.core import battery
from hubd.core.hub import Hub
from hubd.core.silence import flaky_since
from hubd.core.twins import code_manager, twins_of
from hubd.store.records import DeviceRecord

type CautionCode = Literal["bolt_jammed", "battery_stale", "duplicate_hardware", "flaky_connection"]


class Caution(msgspec.Struct, frozen=True, kw_only=True):
    """One of them. `device_ids`: the other devices that it is about."""

    code: CautionCode
    message: str
    since: datetime
    device_ids: tuple[str, ...] = ()
    code_manager_id: str | None = None
    """Of several devices that are one piece of hardware, the one that manages its codes."""


def cautions(hub: Hub, record: DeviceRecord) -> list[Caution]:
    """Say what is odd about a device."""
    found = (_jammed(record), _stale_battery(hub, record), _duplicate(hub, record), _flaky(hub, record))
    return [caution for caution in found if caution is not None]


def flaky(since: datetime) -> Caution:
    """Build the caution about a connection that breaks off again and again."""
    message = (
        "It was lost at least three times in a short time. It can be used while it answers; look at its batteries or"
        " power and at its distance to the next device of its network."
    )
    return Caution(code="flaky_connection", message=message, since=since)


def stale_since(hub: Hub, record: DeviceRecord) -> datetime | None:
    """Return since when a device's battery level is too old to be relied upon; None when it is not, or unknown."""
    reading = record.state.battery
    if reading is None:
        return None
    hours = battery.report_hours(record.device.description.capabilities, hub.site.battery_report_hours)
    return battery.stale_from(reading, hours) if battery.is_stale(reading, hours, hub.clock.now()) else None


def _jammed(record: DeviceRecord) -> Caution | None:
    if not record.state.jammed:
        return None
    message = "The lock reports that its bolt is jammed; somebody has to look at the door."
    at = record.state.changed_at or record.found_at
    return Caution(code="bolt_jammed", message=message, since=at)


def _stale_battery(hub: Hub, record: DeviceRecord) -> Caution | None:
    since, reading = stale_since(hub, record), record.state.battery
    if since is None or reading is None or not hub.is_reachable(record):
        return None
    hours = battery.report_hours(record.device.description.capabilities, hub.site.battery_report_hours)
    old, due = _age(hub.clock.now() - reading.measured_at), _age(timedelta(hours=hours))
    message = (
        f"Its battery level is {old} old and not to be relied upon: a report was due every {due}. If none comes though"
        " the device is used, look at its batteries."
    )
    return Caution(code="battery_stale", message=message, since=since)


def _duplicate(hub: Hub, record: DeviceRecord) -> Caution | None:
    others = twins_of(hub.devices, record)
    if not others:
        return None
    manager = code_manager((record, *others), hub.instances)
    names = " and ".join(f"“{other.name}” of {other.device.instance}" for other in others)
    if manager is None:
        who = "none of them is managed"
    elif manager is record:
        who = "this one manages its codes"
    else:
        who = f"“{manager.name}” of {manager.device.instance} manages its codes"
    message = f"It is the same hardware as {names}: connected in two ways, and {who}. Make the others unmanaged."
    return Caution(
        code="duplicate_hardware",
        message=message,
        since=max(one.found_at for one in (record, *others)),
        device_ids=tuple(other.device.device_id for other in others),
        code_manager_id=None if manager is None else manager.device.device_id,
    )


def _flaky(hub: Hub, record: DeviceRecord) -> Caution | None:
    if record.flaky_since is None:
        return None
    since = flaky_since(record, hub.clock.now(), hub.presence.flaky_seconds)
    return None if since is None else flaky(since)


def _age(span: timedelta) -> str:
    """Say how long, in the largest unit that it fills twice."""
    for unit, seconds in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if span.total_seconds() >= 2 * seconds:
            return f"{span.total_seconds() / seconds:.0f} {unit}"
    return f"{span.total_seconds():.0f} seconds"
