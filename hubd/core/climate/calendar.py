"""Which plan governs a thermostat at an instant, and when that next changes. Pure.

A schedule goes before the weekly program, that before the fallback preset. Of schedules that run at a time, the one
counts that began last. A program's periods go by the clocks of the site: a time of day that a change of clocks skips
begins when they are set forward, one that comes twice begins the first time.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from datetime import time as time_of_day

from hubd.store.climate import Base, Period, Schedule, ThermostatRecord

LOOK_BACK = 8
"""Days: the last period that began may be that of a day a week ago."""


def base_at(
    record: ThermostatRecord, schedules: Sequence[Schedule], at: datetime, zone: tzinfo
) -> tuple[Base, datetime | None]:
    """Return the plan that governs a thermostat, and when to look again (None: nothing is to come).

    `schedules` are in the order in which they start.
    """
    edges = [edge for one in schedules for edge in (one.starts_at, one.ends_at) if edge > at]
    running = [one for one in schedules if one.starts_at <= at < one.ends_at and record.preset(one.preset_key)]
    began, following = _period(record, at, zone)
    ahead = min([*edges, *([] if following is None else [following])], default=None)
    if running:
        return _of_schedule(record, running[-1]), ahead
    if began is not None:
        since, program_id, period = began
        return _of_preset(record, Base("program", program_id, period.preset_key, since)), ahead
    if record.preset(record.fallback_key) is not None:
        return _of_preset(record, Base("fallback", None, record.fallback_key)), ahead
    return Base(), ahead


def _of_schedule(record: ThermostatRecord, schedule: Schedule) -> Base:
    base = Base("schedule", schedule.schedule_id, schedule.preset_key, schedule.starts_at)
    return _of_preset(record, base, schedule)


def _of_preset(record: ThermostatRecord, base: Base, schedule: Schedule | None = None) -> Base:
    preset = record.preset(base.preset_key)
    if preset is None:
        return Base()
    is_allowed = preset.is_override_allowed and (schedule is None or schedule.is_override_allowed)
    minutes = None if schedule is None else schedule.max_override_minutes
    return Base(base.kind, base.plan_id, base.preset_key, base.since, preset.setting, is_allowed, minutes)


def _period(
    record: ThermostatRecord, at: datetime, zone: tzinfo
) -> tuple[tuple[datetime, str, Period] | None, datetime | None]:
    """Return the period of the weekly program that began last, and when the next one begins."""
    today = at.astimezone(zone).date()
    began: tuple[datetime, str, Period] | None = None
    if not any(record.week):
        return None, None
    for since, program_id, period in _periods(record, today - timedelta(days=LOOK_BACK), today, zone):
        if since <= at and (began is None or since >= began[0]):
            began = since, program_id, period
    ahead = _periods(record, today, today + timedelta(days=LOOK_BACK), zone)
    return began, min((since for since, _, _ in ahead if since > at), default=None)


def _periods(record: ThermostatRecord, first: date, last: date, zone: tzinfo) -> Iterator[tuple[datetime, str, Period]]:
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        program = record.program(record.week[day.weekday()])
        if program is None:
            continue
        for period in program.periods:
            if record.preset(period.preset_key) is not None:
                yield instant(day, period.starts_at, zone), program.program_id, period


def instant(day: date, clock: str, zone: tzinfo) -> datetime:
    """Return when the clocks of a zone first show a time of day, or the first later one if they skip it."""
    local = datetime.combine(day, time_of_day.fromisoformat(clock), zone)
    found = local.astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return found
    # The time is skipped. `fold` tells the offsets on both sides; the change itself is where both meet.
    before, after = local.utcoffset(), local.replace(fold=1).utcoffset()
    low, high = sorted((found, local.replace(fold=1).astimezone(UTC)))
    if before is None or after is None:
        return found
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)
