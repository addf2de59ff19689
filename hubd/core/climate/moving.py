"""Plans when a thermostat takes another one's place: what was wished stays with the id, the new device is set to it."""

from msgspec.structs import replace

from hubd.core.climate import attempts
from hubd.store.climate import ThermostatRecord
from hubd.store.tables import View

_MESSAGE = "Another device was put in this one's place before it was as asked."


def move_plan(view: View, kept_id: str, spent_id: str) -> None:
    """Take in, within the transaction of the swap, that `kept_id` stands for the device that was `spent_id`.

    Of what somebody set by hand on either of them nothing is left, and of what was planned for the new one under its
    old id neither.
    """
    for device_id in (kept_id, spent_id):
        pending = view.thermostat(device_id).pending
        attempts.end(view, tuple((one.attempt_id, "device_replaced", _MESSAGE) for one in pending))
    kept = view.thermostat(kept_id)
    afresh = ThermostatRecord(
        kept_id,
        presets=kept.presets,
        fallback_key=kept.fallback_key,
        programs=kept.programs,
        week=kept.week,
        week_set_at=kept.week_set_at,
        thresholds=replace(kept.thresholds, exceeded_since=None),
    )
    view.put_thermostat(afresh)
    view.put_thermostat(ThermostatRecord(spent_id))
    for schedule in view.schedules_of(spent_id):
        view.drop_schedule(schedule.schedule_id)
