"""How the plan of a thermostat and what people set meet: pure steps from record to record, with the events they are.

Exactly one plan is in force (`Base`). On top of it stands at most one override: what somebody set by a call or at the
device. It ends when its time is over, when the plan changes, when somebody sets what the plan says, or when the device
does not take it. Then the plan is in force again, and the device is set to it.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Final, Literal, NamedTuple

from msgspec.structs import replace

from hubd.core.climate.calendar import base_at
from hubd.core.pauses import pause
from hubd.model.capability import ThermostatCapability
from hubd.model.climate import ClimateSetting, ClimateSource, setting_of
from hubd.model.event import ClimateFailed, Event, OverrideBegan, OverrideEnded, PlanChanged, PresetActivated
from hubd.model.state import Climate
from hubd.store.climate import Base, Override, Pending, Schedule, ThermostatRecord
from hubd.store.codes import Trouble

WISH_LIFE: Final = timedelta(hours=24)
"""After this, what somebody set by a call and the device never took is no longer wished."""
PUT_BACK: Final = (2.0, 60.0, 300.0, 900.0, 3600.0)
"""Seconds until the plan returns after somebody set what it does not allow: at once, then ever more slowly, for who
turns a knob again and again has a reason."""

FORGET: Final = timedelta(hours=2)
"""After this, who sets what the plan does not allow is the first one again."""
CONTESTED: Final = "override_not_allowed"
"""The trouble with a device that somebody else set; it is no failure of the device."""

_OVERTAKEN: Final = ("superseded", "The plan of the thermostat changed before the device was as asked.")
_TOO_LATE: Final = ("superseded", "The time that the plan allows was over before the device was as asked.")

type Ending = Literal["time_over", "plan_changed", "returned", "replaced", "not_reached", "refused", "cancelled"]
type Attempts = tuple[tuple[str, str | None, str], ...]


class Turn(NamedTuple):
    """What a step makes of a record: the record, what happened, and which calls have ended with it.

    `ended` holds (attempt id, error type or None for success, message).
    """

    record: ThermostatRecord
    events: tuple[Event, ...] = ()
    ended: Attempts = ()


# -- time --------------------------------------------------------------------------------------------------------------


def pass_time(
    record: ThermostatRecord, schedules: Sequence[Schedule], at: datetime, zone: tzinfo, *, is_trusted: bool = True
) -> Turn:
    """Bring a record to an instant. While the time is not trusted, everything stays as it was."""
    if not is_trusted:
        return Turn(record)
    base, _ = base_at(record, schedules, at, zone)
    if _is_other(base, record.base):
        return _change_plan(record, base)
    turn = Turn(record)
    if base != record.base:  # its preset, or what it allows, was edited
        is_same = base.setting == record.base.setting or record.override is not None
        turn = Turn(replace(record, base=base, is_applied=record.is_applied and is_same, trouble=None))
    override = turn.record.override
    if override is None:
        return turn
    if not may_override(turn.record):
        return _end_override(turn.record, "plan_changed", _OVERTAKEN)
    if not override.is_timed or override.since > at:  # else a clock that was wrong would make it longer, or end it
        override = replace(override, since=at, until=until_of(base, at), is_timed=True)
        return Turn(replace(turn.record, override=override))
    if override.until is not None and override.until <= at:
        return _end_override(turn.record, "time_over", _TOO_LATE)
    is_stale = bool(turn.record.pending) and at - override.since >= WISH_LIFE
    return _end_override(turn.record, "not_reached") if is_stale else turn


def wake_at(record: ThermostatRecord, schedules: Sequence[Schedule], at: datetime, zone: tzinfo) -> datetime | None:
    """Return when time next does something to a record."""
    _, ahead = base_at(record, schedules, at, zone)
    times = [ahead]
    if record.override is not None:
        times.append(record.override.until)
        if record.pending:
            times.append(record.override.since + WISH_LIFE)
    return min((one for one in times if one is not None and one > at), default=None)


def _is_other(one: Base, other: Base) -> bool:
    return (one.kind, one.plan_id, one.preset_key, one.since) != (
        other.kind,
        other.plan_id,
        other.preset_key,
        other.since,
    )


def _change_plan(record: ThermostatRecord, base: Base) -> Turn:
    ended = _ended(record.pending, *_OVERTAKEN)
    events: list[Event] = [PlanChanged(kind=base.kind, plan_id=base.plan_id, preset_key=base.preset_key)]
    if record.override is not None:
        events.append(OverrideEnded(reason="plan_changed"))
    after = replace(
        record,
        base=base,
        override=None,
        is_applied=not base.setting,
        is_base_applied=False,
        contests=0,
        trouble=None,
        pending=(),
        desired_celsius=None,
    )
    return Turn(after, tuple(events), ended)


def _end_override(record: ThermostatRecord, reason: Ending, error: tuple[str, str] | None = None) -> Turn:
    """Return to the plan. Without one, nothing is wished any more."""
    error = error or ("not_reached", "The device was not as asked within a day; it is not tried any more.")
    after = replace(
        record,
        override=None,
        is_applied=not record.base.setting,
        contests=0,
        trouble=None,
        pending=(),
        desired_celsius=None,
    )
    return Turn(after, (OverrideEnded(reason=reason),), _ended(record.pending, *error))


def dismiss(record: ThermostatRecord, message: str) -> Turn:
    """End the calls that wait for a device that is not to be set any more, with the reason."""
    return _end_override(record, "not_reached", ("not_reached", message)) if record.pending else Turn(record)


def _ended(pending: Iterable[Pending], error: str | None, message: str) -> Attempts:
    return tuple((one.attempt_id, error, message) for one in pending)


# -- calls -------------------------------------------------------------------------------------------------------------


def may_override(record: ThermostatRecord) -> bool:
    """Whether people may set something else than the plan says."""
    return record.base.kind == "none" or record.base.is_override_allowed


def until_of(base: Base, at: datetime) -> datetime | None:
    """Return how long an override that begins now lasts; None: until the plan changes."""
    return None if base.max_override_minutes is None else at + timedelta(minutes=base.max_override_minutes)


def wish(
    record: ThermostatRecord,
    setting: ClimateSetting,
    pending: Pending,
    at: datetime,
    *,
    by: str,
    preset_key: str | None = None,
    is_alone: bool = False,
    is_trusted: bool = True,
) -> Turn:
    """Take in a call that sets a thermostat; the caller has checked that it may.

    What an earlier call asked and the device has not got yet goes along, unless this one says otherwise: a valve that
    sleeps gets the last word only. `is_alone`: what is in force cannot be set, so that nothing of it is left.
    """
    collapsed = tuple(one for one in record.pending if _contradicts(setting, one.setting))
    kept = tuple(one for one in record.pending if one not in collapsed)
    message = "A later call asked for something else before the device was as asked; only that is sent."
    whole = setting if is_alone else setting.over(record.in_force)
    events: list[Event] = []
    if record.override is not None:
        events.append(OverrideEnded(reason="replaced"))
    until = until_of(record.base, at) if is_trusted else None
    override = Override(whole, "api", at, until, preset_key, by, is_timed=is_trusted)
    events.append(OverrideBegan(setting=whole, source="api", until=override.until, by=by))
    after = replace(
        record,
        override=override,
        is_applied=False,
        contests=0,
        trouble=None,
        pending=(*kept, pending),
        desired_celsius=None,
    )
    return Turn(after, tuple(events), _ended(collapsed, "superseded", message))


def cancel(record: ThermostatRecord) -> Turn:
    """End an override by hand: the plan returns at once."""
    if record.override is None:
        return Turn(record)
    return _end_override(
        record, "cancelled", ("superseded", "Somebody had the plan return before the device was as asked.")
    )


def _contradicts(setting: ClimateSetting, other: ClimateSetting) -> bool:
    names = (name for name, value in setting.members() if value is not None)
    return any(getattr(other, name) not in {None, getattr(setting, name)} for name in names)


# -- what the device says ----------------------------------------------------------------------------------------------


def hear(record: ThermostatRecord, after: Climate, capability: ThermostatCapability) -> Turn:
    """Take in how the device stands, whoever made it so: what is in force is applied once it is so."""
    wanted = record.in_force
    if not wanted or wanted.missing(after, capability):
        return Turn(record)
    if record.is_applied and record.trouble is None:
        return Turn(record)
    key = record.base.preset_key if record.override is None else record.override.preset_key
    events = [] if key is None or record.is_applied else [_activated(record, key)]
    is_base = record.override is None
    done = replace(
        record,
        is_applied=True,
        is_base_applied=record.is_base_applied or is_base,
        trouble=None,
        pending=(),
        desired_celsius=way(after),
    )
    message = "The device was read back and is as asked."
    return Turn(done, tuple(events), _ended(record.pending, None, message))


def is_proof(record: ThermostatRecord, sent: ClimateSetting) -> bool:
    """Whether a reading that the hub did not ask for may show that what is in force is applied.

    It may be from before: not for a call that was not sent yet, nor while the device may be set to something else that
    it was `sent` and did not answer to.
    """
    for name, last in sent.members():
        if last is None:
            continue
        if getattr(record.in_force, name) not in {None, last}:
            return False
    asked = [pending.setting for pending in record.pending]
    return all(value in {None, getattr(sent, name)} for setting in asked for name, value in setting.members())


def _activated(record: ThermostatRecord, key: str) -> PresetActivated:
    override, base = record.override, record.base
    if override is not None:
        return PresetActivated(preset_key=key, by=override.by)
    schedule_id = base.plan_id if base.kind == "schedule" else None
    return PresetActivated(preset_key=key, schedule_id=schedule_id, is_fallback=base.kind == "fallback")


def adjusted(
    record: ThermostatRecord,
    after: Climate,
    source: ClimateSource,
    capability: ThermostatCapability,
    at: datetime,
    *,
    is_trusted: bool = True,
) -> Turn:
    """Take in that somebody else set the device; the rules decide when the plan returns.

    What is still to be carried out goes before: a call that waits for the device, a plan that it was not set to yet.
    """
    wanted, override = record.in_force, record.override
    if override is not None and not record.is_applied and override.source == "api":
        return Turn(record)
    if record.base.kind == "none":
        events: tuple[Event, ...] = () if override is None else (OverrideEnded(reason="replaced"),)
        gone = replace(record, override=None, is_applied=True, trouble=None, desired_celsius=way(after))
        return Turn(gone, events)
    if not record.base.setting.missing(after, capability):
        return _returned(record, after, capability)
    if not wanted.missing(after, capability):
        return Turn(record)
    if source == "program" or not may_override(record):
        return _contest(record, source, at)
    if not record.is_applied:
        return Turn(record)
    now = setting_of(after).over(wanted)
    begun = record.override is not None and record.override.source != "api" and record.is_applied
    until = until_of(record.base, at) if is_trusted else None
    override = Override(now, source, at, until, is_timed=is_trusted)
    if begun and record.override is not None:  # the same person goes on turning; their time does not begin anew
        override = replace(record.override, setting=now, source=source)
    told: tuple[Event, ...] = () if begun else (OverrideBegan(setting=now, source=source, until=until),)
    if record.override is not None and not begun:
        told = (OverrideEnded(reason="replaced"), *told)
    return Turn(replace(record, override=override, is_applied=True, trouble=None, desired_celsius=way(after)), told)


def _returned(record: ThermostatRecord, after: Climate, capability: ThermostatCapability) -> Turn:
    """Somebody set the device back to what the plan says."""
    if record.override is None:
        return hear(record, after, capability)
    ended = _end_override(record, "returned")
    heard = hear(ended.record, after, capability)
    return Turn(heard.record, (*ended.events, *heard.events), ended.ended)


def _contest(record: ThermostatRecord, source: ClimateSource, at: datetime) -> Turn:
    """Have what is in force return: after the device's own program, for of plans there is one, or a forbidden hand."""
    is_fresh = record.contested_at is not None and at - record.contested_at < FORGET
    times = record.contests + 1 if is_fresh else 1
    rest = timedelta(seconds=PUT_BACK[min(times, len(PUT_BACK)) - 1])
    message = "Somebody set the thermostat, which its plan does not allow; it is set back."
    if source == "program":
        message = "A program of its own set the thermostat; it is set back. Delete that program at the device."
    trouble = Trouble(CONTESTED, message, at, times, at + rest)
    return Turn(replace(record, is_applied=False, contests=times, contested_at=at, trouble=trouble))


def failed(record: ThermostatRecord, code: str, message: str, at: datetime, *, is_final: bool) -> Turn:
    """Take in that the device did not become as it should. `is_final`: it said no, and would again.

    What a call asked for is then over; a plan is tried again, ever more rarely.
    """
    before = record.trouble
    times = 1 if before is None or before.code == CONTESTED else before.attempts + 1
    known = before is not None and before.code == code
    since = before.since if before is not None and known else at
    events: tuple[Event, ...] = () if known else (ClimateFailed(error_code=code, message=message),)
    if is_final and record.override is not None and record.override.source == "api":
        turn = _end_override(record, "refused", (code, message))
        return Turn(turn.record, (*events, *turn.events), turn.ended)
    trouble = Trouble(code, message, since, times, at + pause(times))
    return Turn(replace(record, trouble=trouble), events)


def way(climate: Climate) -> float | None:
    """Return the set-point that the room is on its way to; None: it is there, or nothing regulates it."""
    mode, now = climate.hvac_mode, climate.temperature_celsius
    if now is None or mode is None:
        return None
    heating, cooling = climate.heating_set_point_celsius, climate.cooling_set_point_celsius
    if mode in {"heat", "heat_cool"} and heating is not None and now < heating:
        return heating
    if mode in {"cool", "heat_cool"} and cooling is not None and now > cooling:
        return cooling
    return None
