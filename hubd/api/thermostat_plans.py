"""Builds what a thermostat goes by: schedules, with what keeps them from being applied, and daily programs."""

from hubd.api.climate_hindrance import hindrance
from hubd.api.climate_shapes import DailyProgramPeriod, ScheduleProblem, ThermostatDailyProgram, ThermostatSchedule
from hubd.api.reachability import unreachable
from hubd.core.hub import Hub
from hubd.store.climate import DailyProgram, Schedule


def schedule_shape(hub: Hub, schedule: Schedule) -> ThermostatSchedule:
    """Build `thermostat_schedule`."""
    return ThermostatSchedule(
        thermostat_schedule_id=schedule.schedule_id,
        device_id=schedule.device_id,
        workspace_id=hub.workspace_id,
        name=schedule.name,
        climate_preset_key=schedule.preset_key,
        starts_at=schedule.starts_at,
        ends_at=schedule.ends_at,
        is_override_allowed=schedule.is_override_allowed,
        max_override_period_minutes=schedule.max_override_minutes,
        created_at=schedule.created_at,
        errors=_problems(hub, schedule),
    )


def program_shape(hub: Hub, device_id: str, program: DailyProgram) -> ThermostatDailyProgram:
    """Build `thermostat_daily_program`."""
    periods = (DailyProgramPeriod(starts_at_time=p.starts_at, climate_preset_key=p.preset_key) for p in program.periods)
    return ThermostatDailyProgram(
        thermostat_daily_program_id=program.program_id,
        device_id=device_id,
        workspace_id=hub.workspace_id,
        name=program.name or None,
        periods=list(periods),
        created_at=program.created_at,
    )


def _problems(hub: Hub, schedule: Schedule) -> list[ScheduleProblem]:
    """Say what keeps a schedule whose time it is from being applied; an override does not keep it from that."""
    instant, record = hub.thermostats.now(), hub.devices.get(schedule.device_id)
    if record is None or not schedule.starts_at <= instant.at < schedule.ends_at:
        return []
    if not record.is_managed:
        message = "The device is unmanaged; the hub sets nothing on it."
        return [ScheduleProblem(error_code="device_unmanaged", message=message, created_at=schedule.starts_at)]
    kept = hub.thermostats.get(schedule.device_id)
    if (kept.base.kind, kept.base.plan_id) != ("schedule", schedule.schedule_id):
        if instant.is_trusted:
            return []  # one that began later goes before it
        message = "The hub does not know what time it is; no schedule begins until it does."
        return [ScheduleProblem(error_code="clock_not_trusted", message=message, created_at=schedule.starts_at)]
    if kept.override is not None or kept.is_applied:
        return []
    why = hindrance(hub, record)
    own = [] if why is None else [ScheduleProblem(error_code=why.code, message=why.message, created_at=why.since)]
    found = unreachable(hub, record)
    lost = (ScheduleProblem(error_code=p.error_code, message=p.message, created_at=p.created_at) for p in found)
    return [*own, *lost]
