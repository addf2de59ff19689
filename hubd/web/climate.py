"""A thermostat on its own page, as parts: what it is set to and why, what is planned for it, and how the room was."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

import msgspec

from hubd.core.climate import recorder
from hubd.core.climate.calendar import base_at
from hubd.core.climate.limits import range_of
from hubd.core.climate.plan import Plan
from hubd.core.climate.rules import may_override
from hubd.core.keys import Key
from hubd.model.capability import ThermostatCapability
from hubd.model.state import Climate
from hubd.store.climate import DAYS, Base, DailyProgram, Override, Preset, Schedule, ThermostatRecord
from hubd.store.records import DeviceRecord
from hubd.web import words
from hubd.web.chart import MAX_POINTS, SPANS, Chart, Span, chart
from hubd.web.climate_sentences import FANS, MODES, preset_words, setting_text, source_words
from hubd.web.desk import Desk
from hubd.web.parts import Part
from hubd.web.rows import activity_words, setting_words
from hubd.web.scene import first_upper
from hubd.web.sessions import Session
from hubd.web.words import Stamp, Tone, plain

MAX_SCHEDULES: Final = 10
READ_SECONDS: Final = 60.0
"""How old the readings of a chart may be."""
MAX_EDGES: Final = 24
"""How many instants at which a plan may change are looked at for the one at which it does: each costs up to 1 ms."""
_DAY_NAMES: Final = tuple(day.capitalize() for day in DAYS)


class Line(msgspec.Struct, frozen=True):
    """One labelled line; `until` is the end of what it says."""

    label: str
    text: str
    until: Stamp | None = None
    after: str = ""
    """What follows then."""
    tone: Tone = "quiet"


class ClimateState(msgspec.Struct, frozen=True, kw_only=True):
    """How a thermostat stands, and why."""

    device_id: str
    lines: tuple[Line, ...]
    why: str
    """Why it is not as it should be; empty where it is."""
    tone: Tone
    next_try: Stamp | None
    may_return: bool
    """The reader may end what was set instead of the plan."""


class PresetLine(msgspec.Struct, frozen=True, kw_only=True):
    """One climate preset."""

    key: str
    name: str
    setting: str
    note: str
    is_in_force: bool
    may: bool


class ScheduleLine(msgspec.Struct, frozen=True, kw_only=True):
    """One schedule that runs or is to come."""

    name: str
    preset: str
    starts: Stamp
    ends: Stamp
    is_running: bool
    """It governs the thermostat."""
    is_covered: bool
    """Its time is now, and another one governs."""
    note: str


class ProgramDay(msgspec.Struct, frozen=True):
    """Days of the week that are alike."""

    days: str
    name: str
    periods: tuple[tuple[str, str], ...]


class ClimatePlans(msgspec.Struct, frozen=True, kw_only=True):
    """All that is kept of a thermostat; `more` schedules are not shown."""

    device_id: str
    presets: tuple[PresetLine, ...]
    schedules: tuple[ScheduleLine, ...]
    more: int
    week: tuple[ProgramDay, ...]
    limits: str


class Choice(msgspec.Struct, frozen=True):
    """A value of a form, and how it is called."""

    value: str
    text: str


class PointField(msgspec.Struct, frozen=True):
    """A set-point of a form, with its bounds in degrees Celsius."""

    name: str
    label: str
    low: str
    high: str
    step: str


class ClimateForm(msgspec.Struct, frozen=True, kw_only=True):
    """The form that sets a thermostat. It has no values of its own, so that nothing disturbs what somebody types."""

    device_id: str
    csrf: str
    may: bool
    refusal: str
    """Why the plan in force lets nobody set it; empty where it does."""
    modes: tuple[Choice, ...]
    fans: tuple[Choice, ...]
    points: tuple[PointField, ...]


class Trace:
    """How the room of one device was, as it was last read."""

    def __init__(self, device_id: str, span: Span = "day") -> None:
        self._device_id = device_id
        self.span = span
        self.until: datetime | None = None
        self.points: list[recorder.Point] = []
        self._old_at = 0.0
        self._drawn: Chart | None = None

    async def read(self, desk: Desk) -> None:
        """Read it anew where it is old; the time that is shown ends with the recorder's round. Raises `StoreError`."""
        now, monotonic = desk.hub.sense.now().at, desk.hub.clock.monotonic()
        until = now + timedelta(seconds=recorder.ROUND - now.timestamp() % recorder.ROUND)
        if until == self.until and monotonic < self._old_at:
            return
        since = until - SPANS[self.span] - recorder.HOLDS
        self.points = await recorder.points(desk.hub.journal.database, self._device_id, since, until, MAX_POINTS)
        self.until, self._old_at, self._drawn = until, monotonic + READ_SECONDS, None

    def drawn(self, desk: Desk) -> Chart:
        """Draw what was read, once for each reading: pages are built far more often."""
        if self._drawn is None:
            self._drawn = chart(self.points, self.until or desk.now, desk.zone, self.span, self._device_id)
        return self._drawn


def climate_parts(desk: Desk, session: Session, key: Key, record: DeviceRecord, trace: Trace) -> list[Part]:
    """Build the parts of a thermostat's sections; none for any other device."""
    capability = record.device.description.capabilities.thermostat
    if capability is None or record.removed_at is not None:
        return []
    device_id = record.device.device_id
    kept = desk.hub.thermostats.get(device_id)
    acts = key.may("operator") and record.is_managed
    return [
        Part("climate", "climate.html", _state(desk, record, kept, acts=acts)),
        Part("climate-form", "climate-form.html", _form(session, capability, kept, device_id, may=acts)),
        Part("chart", "chart.html", trace.drawn(desk)),
        Part("plans", "plans.html", _plans(desk, kept, may=acts and may_override(kept))),
    ]


# -- how it stands -----------------------------------------------------------------------------------------------------


def _state(desk: Desk, record: DeviceRecord, kept: ThermostatRecord, *, acts: bool) -> ClimateState:
    made = desk.hub.thermostats.plan(record)
    lines = [*_now_lines(record.state.climate or Climate()), _plan_line(desk, kept)]
    if kept.override is not None:
        lines.append(_override_line(desk, kept, kept.override))
    if limits := _limits(kept):
        lines.append(Line("Limits", limits, tone="bad" if kept.thresholds.exceeded_since is not None else "quiet"))
    why, tone = _why(desk, record, kept, made)
    return ClimateState(
        device_id=record.device.device_id,
        lines=tuple(lines),
        why=why,
        tone=tone,
        next_try=None if made.wake_at is None or not why else desk.stamp(made.wake_at),
        may_return=acts and kept.override is not None and kept.base.kind != "none",
    )


def _now_lines(climate: Climate) -> list[Line]:
    mode = "" if climate.hvac_mode is None else first_upper(MODES.get(climate.hvac_mode, "Unknown"))
    fan = "" if climate.fan_mode is None else first_upper(FANS.get(climate.fan_mode, "Unknown"))
    runs = {climate.is_heating, climate.is_cooling, climate.is_fan_running}
    doing = first_upper(activity_words(climate)) or ("Not known" if runs == {None} else "Nothing")
    lines = [
        Line("Mode", mode or "Not known"),
        Line("Set to", first_upper(setting_words(climate)) or "Not known"),
        Line("Fan", fan),
        Line("Doing", doing),
    ]
    return [line for line in lines if line.text]


def _plan_line(desk: Desk, kept: ThermostatRecord) -> Line:
    base = kept.base
    until, following = _change(desk, kept, has_periods=False)
    setting = setting_text(base.setting)
    what = preset_words(base.preset_key) + (f" ({setting})" if setting else "")
    match base.kind:
        case "schedule":
            text = f"{first_upper(_schedule_name(desk, base.plan_id))}: {what}"
        case "program":
            text = f"Weekly program: {what}"
        case "fallback":
            text = f"Fallback: {what}"
        case _:
            text = "None: it stays as somebody sets it"
    after = "" if following is None else f", then {_following(following)}"
    return Line("Plan", text, None if until is None else desk.stamp(until), after)


def _following(base: Base) -> str:
    return "nothing is planned" if base.kind == "none" else preset_words(base.preset_key)


def _schedule_name(desk: Desk, schedule_id: str | None) -> str:
    schedule = desk.hub.journal.tables.schedules.get(schedule_id or "")
    if schedule is None or not schedule.name:
        return "a schedule"
    return f"the schedule “{words.within(words.name(schedule.name))}”"


def _change(desk: Desk, kept: ThermostatRecord, *, has_periods: bool) -> tuple[datetime | None, Base | None]:
    """Return when another plan governs, and which; None where that is not to be seen.

    `has_periods`: also a period of a program that goes on with the same preset, as it ends what people set.
    """
    schedules = desk.hub.thermostats.schedules(kept.device_id)
    at = desk.hub.thermostats.now().at
    now, ahead = base_at(kept, schedules, at, desk.zone)
    for _ in range(MAX_EDGES):
        if ahead is None:
            return None, None
        at = ahead
        after, ahead = base_at(kept, schedules, at, desk.zone)
        is_period = has_periods and after.since != now.since
        if is_period or (after.kind, after.plan_id, after.preset_key) != (now.kind, now.plan_id, now.preset_key):
            return at, after
    return None, None


def _override_line(desk: Desk, kept: ThermostatRecord, override: Override) -> Line:
    what = setting_text(override.setting)
    if override.preset_key is not None:
        what = f"{preset_words(override.preset_key)} ({what})"
    who = f"by {desk.who(override.by)}" if override.by else source_words(override.source)
    text = f"{first_upper(what)}, set {who} {desk.stamp(override.since).text}"
    label = "Set by hand" if kept.base.kind == "none" else "Instead of it"
    if override.until is not None:
        return Line(label, text, desk.stamp(override.until))
    until, _ = _change(desk, kept, has_periods=True)
    if until is not None:
        return Line(label, text, desk.stamp(until), ", when the plan changes")
    return Line(label, text, None, "" if kept.base.kind == "none" else ", until the plan changes")


def _limits(kept: ThermostatRecord) -> str:
    low, high = kept.thresholds.lower_celsius, kept.thresholds.upper_celsius
    parts = [f"below {words.celsius(low)}"] if low is not None else []
    parts += [f"above {words.celsius(high)}"] if high is not None else []
    if not parts:
        return ""
    told = f"It is told when it is {' or '.join(parts)}"
    return told if kept.thresholds.exceeded_since is None else f"{told}; it is now"


def _why(desk: Desk, record: DeviceRecord, kept: ThermostatRecord, made: Plan) -> tuple[str, Tone]:
    """Say why a thermostat is not as it should be."""
    if kept.is_applied:
        return "", "quiet"
    wanted = setting_text(kept.in_force)
    begin = f"Not set as it should be ({wanted})." if wanted else "Not set as it should be."
    if not record.is_managed:
        return f"{begin} The hub gives no orders to a device that is not managed.", "quiet"
    if not desk.hub.is_reachable(record):
        return f"{begin} It gets what is then in force as soon as it can be reached.", "warn"
    if made.hold is not None:
        tries = "" if kept.trouble is None or kept.trouble.attempts < 2 else f" Tried {kept.trouble.attempts} times."  # noqa: PLR2004 - a plural
        return f"{begin} {plain(made.message)}{tries}", "bad" if made.hold == "setting_not_possible" else "warn"
    return f"{begin} It is being set; the device has not confirmed it yet.", "note"


# -- what is planned ---------------------------------------------------------------------------------------------------


def _plans(desk: Desk, kept: ThermostatRecord, *, may: bool) -> ClimatePlans:
    now = desk.hub.thermostats.now().at
    schedules = [one for one in desk.hub.thermostats.schedules(kept.device_id) if one.ends_at > now]
    return ClimatePlans(
        device_id=kept.device_id,
        presets=tuple(_preset(kept, preset, may=may) for preset in kept.presets),
        schedules=tuple(_schedule(desk, kept, one, now) for one in schedules[:MAX_SCHEDULES]),
        more=max(0, len(schedules) - MAX_SCHEDULES),
        week=tuple(_week(kept)),
        limits=_limits(kept),
    )


def _preset(kept: ThermostatRecord, preset: Preset, *, may: bool) -> PresetLine:
    in_force = kept.base.preset_key if kept.override is None else kept.override.preset_key
    notes = ["fallback"] if preset.key == kept.fallback_key else []
    notes += [] if preset.is_override_allowed else ["may not be overridden"]
    return PresetLine(
        key=preset.key,
        name=words.name(preset.name or preset.key),
        setting=first_upper(setting_text(preset.setting)),
        note=", ".join(notes),
        is_in_force=preset.key == in_force,
        may=may and preset.key != in_force,
    )


def _schedule(desk: Desk, kept: ThermostatRecord, schedule: Schedule, now: datetime) -> ScheduleLine:
    preset, is_now = kept.preset(schedule.preset_key), schedule.starts_at <= now
    if not schedule.is_override_allowed or (preset is not None and not preset.is_override_allowed):
        note = "may not be overridden"
    elif schedule.max_override_minutes is not None:
        note = f"may be overridden for {words.duration(60 * schedule.max_override_minutes)}"
    else:
        note = ""
    return ScheduleLine(
        name=words.name(schedule.name or "Without a name"),
        preset=words.name(schedule.preset_key),
        starts=desk.stamp(schedule.starts_at),
        ends=desk.stamp(schedule.ends_at),
        is_running=is_now and kept.base.plan_id in {None, schedule.schedule_id},
        is_covered=is_now and kept.base.plan_id not in {None, schedule.schedule_id},
        note=note,
    )


def _week(kept: ThermostatRecord) -> Iterable[ProgramDay]:
    """Return the weekly program, days in a row that are alike as one."""
    first = 0
    for last in range(7):
        if last < 6 and kept.week[last + 1] == kept.week[first]:  # noqa: PLR2004 - Sunday
            continue
        program = kept.program(kept.week[first])
        if program is not None:
            days = _DAY_NAMES[first] if first == last else f"{_DAY_NAMES[first]} to {_DAY_NAMES[last]}"
            yield ProgramDay(days, words.name(program.name or ""), _periods(program))
        first = last + 1


def _periods(program: DailyProgram) -> tuple[tuple[str, str], ...]:
    return tuple((period.starts_at.removesuffix(":00"), words.name(period.preset_key)) for period in program.periods)


# -- setting it --------------------------------------------------------------------------------------------------------


def _form(
    session: Session, capability: ThermostatCapability, kept: ThermostatRecord, device_id: str, *, may: bool
) -> ClimateForm:
    modes, points = capability.hvac_modes, []
    if {"heat", "heat_cool"} & set(modes) or capability.heating is not None:
        points.append(_point(capability, "heating"))
    if {"cool", "heat_cool"} & set(modes) or capability.cooling is not None:
        points.append(_point(capability, "cooling"))
    return ClimateForm(
        device_id=device_id,
        csrf=session.csrf,
        may=may,
        refusal="" if may_override(kept) else "The plan in force does not allow that somebody sets the thermostat.",
        modes=tuple(Choice(mode, first_upper(MODES[mode])) for mode in modes),
        fans=tuple(Choice(mode, first_upper(FANS[mode])) for mode in capability.fan_modes),
        points=tuple(points),
    )


def _point(capability: ThermostatCapability, kind: str) -> PointField:
    bounds = range_of(capability, "heating" if kind == "heating" else "cooling")
    step = f"{capability.step:g}" if capability.scale == "celsius" and capability.step else "any"
    label = "Heat to" if kind == "heating" else "Cool to"
    return PointField(kind, label, f"{bounds.min_celsius:g}", f"{bounds.max_celsius:g}", step)
