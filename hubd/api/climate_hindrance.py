"""Why a thermostat is not set as it should be."""

from datetime import datetime
from typing import NamedTuple

from hubd.core.hub import Hub
from hubd.store.records import DeviceRecord


class Hindrance(NamedTuple):
    """The last try failed, or none can be made."""

    code: str
    message: str
    since: datetime


def hindrance(hub: Hub, record: DeviceRecord) -> Hindrance | None:
    """Return what hinders; None of one that is set so, is on its way there, or is none of the hub's to set."""
    kept = hub.thermostats.get(record.device.device_id)
    if kept.is_applied or not record.is_managed:
        return None
    if kept.trouble is not None:
        return Hindrance(kept.trouble.code, kept.trouble.message, kept.trouble.since)
    plan = hub.thermostats.plan(record)
    if plan.hold is None:
        return None
    since = kept.base.since if kept.override is None else kept.override.since
    return Hindrance(plan.hold, plan.message, since or record.found_at)
