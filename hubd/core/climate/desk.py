"""Thermostats as the hub offers them: wishes in, how they stand out. The rooms above speak to this."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final, Literal, NoReturn

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from hubd.core.climate import attempts, limits, rules
from hubd.core.climate.plan import Plan
from hubd.core.climate.reconciler import Reconciler
from hubd.core.climate.story import take, tell
from hubd.core.sense import Instant, Sense
from hubd.driver.clock import Clock
from hubd.model import ids
from hubd.model.capability import ThermostatCapability
from hubd.model.climate import ClimateSetting
from hubd.model.errors import BusyError, InvalidInputError, NotFoundError, RefusedError
from hubd.model.event import ThermostatEdited
from hubd.store.climate import (
    AttemptAction,
    DailyProgram,
    Pending,
    Period,
    Preset,
    Schedule,
    ThermostatRecord,
    Thresholds,
)
from hubd.store.journal import Journal
from hubd.store.records import DeviceRecord
from hubd.store.tables import View

MAX_PRESETS: Final = 40
MAX_PROGRAMS: Final = 40
MAX_PERIODS: Final = 24
MAX_SCHEDULES: Final = 1000
KEPT_SCHEDULES: Final = timedelta(days=30)
"""How long a schedule that is over can be looked at."""
MAX_PENDING: Final = 16

type Also = Callable[[View, str], None]
"""What is written in the transaction of a wish besides it: the answer to an `Idempotency-Key`. It gets the id of the
attempt, or of what was made."""
type _Edit = Callable[[ThermostatRecord, ThermostatCapability, View], ThermostatRecord]
type _What = Literal["preset", "fallback", "daily_program", "weekly_program", "schedule", "threshold"]
type _Change = Literal["created", "updated", "deleted"]


class ScheduleChange(msgspec.Struct, frozen=True):
    """What is to be another of a schedule; UNSET members stay."""

    preset_key: str | UnsetType = UNSET
    name: str | UnsetType | None = UNSET
    starts_at: datetime | UnsetType = UNSET
    ends_at: datetime | UnsetType = UNSET
    is_override_allowed: bool | UnsetType = UNSET
    max_override_minutes: int | UnsetType | None = UNSET


class Thermostats:
    """Made by the hub. All that changes is durable when a call returns; devices follow in their own time.

    Every call raises `NotFoundError`, `InvalidInputError`, `RefusedError`, `BusyError` or `StoreError`; then nothing
    was changed.
    """

    def __init__(self, journal: Journal, clock: Clock, sense: Sense, reconciler: Reconciler) -> None:
        self._journal = journal
        self._clock = clock
        self._sense = sense
        self.reconciler = reconciler

    # -- settings ------------------------------------------------------------------------------------------------------

    async def set(
        self, device_id: str, setting: ClimateSetting, action: AttemptAction, by: str, also: Also | None = None
    ) -> str:
        """Have a thermostat be set, and return the id of the attempt."""
        return await self._wish(device_id, lambda _, __: setting, action, by, also)

    async def activate(self, device_id: str, key: str, by: str, also: Also | None = None) -> str:
        """Have a climate preset be in force until the plan changes, and return the id of the attempt."""

        def setting_of(record: ThermostatRecord, _: ThermostatCapability) -> ClimateSetting:
            return _preset(record, key).setting

        return await self._wish(device_id, setting_of, "ACTIVATE_CLIMATE_PRESET", by, also, preset_key=key)

    async def _wish(
        self,
        device_id: str,
        setting_of: Callable[[ThermostatRecord, ThermostatCapability], ClimateSetting],
        action: AttemptAction,
        by: str,
        also: Also | None,
        preset_key: str | None = None,
    ) -> str:
        attempt_id = ids.new_id()

        def apply(view: View) -> str:
            device, capability = _thermostat(view, device_id)
            take(view, device, self.reconciler.passed(view, device))  # a plan whose time has just come goes first
            record = view.thermostat(device_id)
            setting = limits.rounded(setting_of(record, capability), capability)
            _check(setting, capability, device)
            if not rules.may_override(record):
                message = "The plan in force does not allow that somebody sets the thermostat."
                raise RefusedError("manual_override_not_allowed", message, device_id=device_id)
            if len(record.pending) >= MAX_PENDING:
                message = f"{MAX_PENDING} calls already wait for this thermostat."
                raise BusyError("device_queue_full", message, device_id=device_id)
            pending = Pending(attempt_id, setting)
            instant = self._sense.now()
            is_alone = limits.problem(record.in_force, capability, device.state.climate) is not None
            if not is_alone:
                _check(setting.over(record.in_force), capability, device)
            turn = rules.wish(
                record,
                setting,
                pending,
                instant.at,
                by=by,
                preset_key=preset_key,
                is_alone=is_alone,
                is_trusted=instant.is_trusted,
            )
            attempts.write(view, device_id, action, attempt_id)
            take(view, device, turn)
            if also is not None:
                also(view, attempt_id)
            return attempt_id

        await self._journal.transact(apply)
        self.reconciler.touch(device_id)
        return attempt_id

    async def cancel_override(self, device_id: str) -> None:
        """Have the plan return at once."""

        def apply(view: View) -> None:
            device, _ = _thermostat(view, device_id)
            take(view, device, rules.cancel(view.thermostat(device_id)))

        await self._journal.transact(apply)
        self.reconciler.touch(device_id)

    # -- presets -------------------------------------------------------------------------------------------------------

    async def create_preset(self, device_id: str, preset: Preset, by: str, also: Also | None = None) -> None:
        """Keep a new climate preset."""

        def apply(record: ThermostatRecord, capability: ThermostatCapability, _: View) -> ThermostatRecord:
            if record.preset(preset.key) is not None:
                message = f"There is a climate preset {preset.key!r} already; change it, or choose another key."
                raise RefusedError("climate_preset_exists", message)
            if len(record.presets) >= MAX_PRESETS:
                raise RefusedError("too_many", f"A thermostat has at most {MAX_PRESETS} climate presets.")
            return replace(record, presets=(*record.presets, _checked(preset, capability)))

        await self._edit(device_id, apply, "preset", "created", preset.key, by, also)

    async def update_preset(
        self, device_id: str, key: str, change: Callable[[Preset], Preset], by: str, also: Also | None = None
    ) -> None:
        """Change a climate preset; where it is in force, the device is set anew."""

        def apply(record: ThermostatRecord, capability: ThermostatCapability, _: View) -> ThermostatRecord:
            after = _checked(change(_preset(record, key)), capability)
            return replace(record, presets=tuple(after if one.key == key else one for one in record.presets))

        await self._edit(device_id, apply, "preset", "updated", key, by, also)

    async def delete_preset(self, device_id: str, key: str, by: str, also: Also | None = None) -> None:
        """Drop a climate preset that no schedule and no program needs; as the fallback, there is none then."""

        def apply(record: ThermostatRecord, _: ThermostatCapability, view: View) -> ThermostatRecord:
            _preset(record, key)
            at = self._sense.now().at
            schedules = [one for one in view.schedules_of(device_id) if one.ends_at > at and one.preset_key == key]
            programs = [one for one in record.programs if any(period.preset_key == key for period in one.periods)]
            users = [f"the schedule {one.name or one.schedule_id}" for one in schedules]
            users += [f"the daily program {one.name or one.program_id}" for one in programs]
            if users:
                message = f"The climate preset {key!r} is needed by {users[0]}; change that first."
                raise RefusedError("climate_preset_in_use", message)
            fallback = None if record.fallback_key == key else record.fallback_key
            kept = tuple(one for one in record.presets if one.key != key)
            return replace(record, presets=kept, fallback_key=fallback)

        await self._edit(device_id, apply, "preset", "deleted", key, by, also)

    async def set_fallback(self, device_id: str, key: str, by: str, also: Also | None = None) -> None:
        """Have a climate preset be in force whenever no schedule and no program is."""

        def apply(record: ThermostatRecord, *_: object) -> ThermostatRecord:
            return replace(record, fallback_key=_preset(record, key).key)

        await self._edit(device_id, apply, "fallback", "updated", key, by, also)

    # -- programs ------------------------------------------------------------------------------------------------------

    async def create_program(
        self, device_id: str, name: str, periods: tuple[Period, ...], by: str, also: Also | None = None
    ) -> DailyProgram:
        """Keep a new daily program."""
        program = DailyProgram(ids.new_id(), self._clock.now(), _sorted(periods), name)

        def apply(record: ThermostatRecord, *_: object) -> ThermostatRecord:
            if len(record.programs) >= MAX_PROGRAMS:
                raise RefusedError("too_many", f"A thermostat has at most {MAX_PROGRAMS} daily programs.")
            _check_periods(record, program.periods)
            return replace(record, programs=(*record.programs, program))

        await self._edit(device_id, apply, "daily_program", "created", program.program_id, by, also)
        return program

    async def update_program(
        self, program_id: str, name: str, periods: tuple[Period, ...], by: str, also: Also | None = None
    ) -> str:
        """Change a daily program, and return the id of the attempt, which is over with that."""
        device_id = self.program_owner(program_id)

        def apply(record: ThermostatRecord, *_: object) -> ThermostatRecord:
            if record.program(program_id) is None:
                _no_program(program_id)
            _check_periods(record, periods)
            programs = (
                replace(one, name=name, periods=_sorted(periods)) if one.program_id == program_id else one
                for one in record.programs
            )
            return replace(record, programs=tuple(programs))

        return await self._push(device_id, apply, "daily_program", program_id, by, also)

    async def delete_program(self, program_id: str, by: str, also: Also | None = None) -> None:
        """Drop a daily program, and its days from the weekly program."""
        device_id = self.program_owner(program_id)

        def apply(record: ThermostatRecord, *_: object) -> ThermostatRecord:
            if record.program(program_id) is None:
                _no_program(program_id)
            week = tuple(None if day == program_id else day for day in record.week)
            kept = tuple(one for one in record.programs if one.program_id != program_id)
            return replace(record, programs=kept, week=week)

        await self._edit(device_id, apply, "daily_program", "deleted", program_id, by, also)

    async def set_week(
        self, device_id: str, week: tuple[str | UnsetType | None, ...], by: str, also: Also | None = None
    ) -> str:
        """Set the weekly program, Monday first, and return the id of the attempt, which is over with that.

        Days that are UNSET stay.
        """

        def apply(record: ThermostatRecord, *_: object) -> ThermostatRecord:
            after = tuple(old if new is UNSET else new for old, new in zip(record.week, week, strict=True))
            for program_id in after:
                if program_id is not None and record.program(program_id) is None:
                    _no_program(program_id)
            begun = record.week_set_at if any(record.week) else None
            return replace(record, week=after, week_set_at=begun or self._clock.now())

        return await self._push(device_id, apply, "weekly_program", "", by, also)

    def program_owner(self, program_id: str) -> str:
        """Return the thermostat that a daily program is of."""
        tables = self._journal.tables
        found = (device_id for device_id in tables.devices if tables.thermostat(device_id).program(program_id))
        return next(found, None) or _no_program(program_id)

    # -- schedules -----------------------------------------------------------------------------------------------------

    async def create_schedule(self, schedule: Schedule, by: str, also: Also | None = None) -> Schedule:
        """Keep a new schedule."""

        def apply(view: View) -> None:
            device, _ = _thermostat(view, schedule.device_id)
            known = view.schedules_of(schedule.device_id)
            if len(known) >= MAX_SCHEDULES:
                raise RefusedError("too_many", f"A thermostat has at most {MAX_SCHEDULES} schedules.")
            self._put_schedule(view, device, schedule)
            _tell_edit(view, device, "schedule", "created", schedule.schedule_id, by)
            if also is not None:
                also(view, schedule.schedule_id)

        await self._journal.transact(apply)
        self.reconciler.touch(schedule.device_id)
        return schedule

    async def update_schedule(
        self, schedule_id: str, change: ScheduleChange, by: str, also: Also | None = None
    ) -> Schedule:
        """Change a schedule; one that runs goes on with what it is now."""

        def apply(view: View) -> Schedule:
            known = view.schedule(schedule_id)
            if known is None:
                _no_schedule(schedule_id)
            device, _ = _thermostat(view, known.device_id)
            members = {name: value for name, value in msgspec.structs.asdict(change).items() if value is not UNSET}
            after = replace(known, **members)
            self._put_schedule(view, device, after)
            _tell_edit(view, device, "schedule", "updated", schedule_id, by)
            if also is not None:
                also(view, schedule_id)
            return after

        schedule = await self._journal.transact(apply)
        self.reconciler.touch(schedule.device_id)
        return schedule

    async def delete_schedule(self, schedule_id: str, by: str, also: Also | None = None) -> None:
        """Drop a schedule; one that runs ends with that."""

        def apply(view: View) -> Schedule:
            known = view.schedule(schedule_id)
            if known is None:
                _no_schedule(schedule_id)
            device = view.device(known.device_id)
            view.drop_schedule(schedule_id)
            if device is not None:
                _tell_edit(view, device, "schedule", "deleted", schedule_id, by)
            if also is not None:
                also(view, schedule_id)
            return known

        self.reconciler.touch((await self._journal.transact(apply)).device_id)

    def schedule(self, schedule_id: str) -> Schedule:
        """Return a schedule."""
        return self._journal.tables.schedules.get(schedule_id) or _no_schedule(schedule_id)

    def schedules(self, device_id: str) -> list[Schedule]:
        """Return the schedules of a thermostat, in the order in which they start."""
        return self._journal.tables.schedules_of(device_id)

    @staticmethod
    def _put_schedule(view: View, device: DeviceRecord, schedule: Schedule) -> None:
        _preset(view.thermostat(device.device.device_id), schedule.preset_key)
        if schedule.ends_at <= schedule.starts_at:
            raise InvalidInputError("ends_at", "must be after starts_at")
        view.put_schedule(schedule)

    # -- thresholds ----------------------------------------------------------------------------------------------------

    async def set_thresholds(
        self, device_id: str, lower: float | None, upper: float | None, by: str, also: Also | None = None
    ) -> None:
        """Set between which temperatures nobody wants to be told; None: no limit. An excursion begins anew."""
        if lower is not None and upper is not None and lower >= upper:
            raise InvalidInputError("lower_limit_celsius", "must be below the upper limit")

        def apply(record: ThermostatRecord, *_: object) -> ThermostatRecord:
            return replace(record, thresholds=Thresholds(lower, upper))

        await self._edit(device_id, apply, "threshold", "updated", "", by, also)

    # -- looking -------------------------------------------------------------------------------------------------------

    def get(self, device_id: str) -> ThermostatRecord:
        """Return what is kept of a thermostat."""
        return self._journal.tables.thermostat(device_id)

    def plan(self, device: DeviceRecord) -> Plan:
        """Return what is to be done about a thermostat as things are."""
        return self.reconciler.plan_of(device)

    def now(self) -> Instant:
        """Return the time that plans go by."""
        return self._sense.now()

    async def attempt(self, attempt_id: str) -> attempts.Attempt | None:
        """Return a call by its id."""
        return await attempts.find(self._journal.database, attempt_id)

    async def settle(self, device_id: str, attempt_id: str, seconds: float) -> None:
        """Return when a call has ended, or its device fails, or after so many seconds."""
        with suppress(TimeoutError):
            async with self._clock.timeout(seconds):
                while self._is_moving(device_id, attempt_id):
                    await self._journal.wait_beyond(self._journal.head)

    def _is_moving(self, device_id: str, attempt_id: str) -> bool:
        record = self._journal.tables.thermostat(device_id)
        return record.trouble is None and any(one.attempt_id == attempt_id for one in record.pending)

    def prune(self, view: View) -> None:
        """Drop schedules that were over long ago. Only while the time is trusted."""
        for schedule in self._journal.tables.schedules.values():
            if schedule.ends_at < view.now - KEPT_SCHEDULES:
                view.drop_schedule(schedule.schedule_id)

    # -- common --------------------------------------------------------------------------------------------------------

    async def _edit(
        self,
        device_id: str,
        change: _Edit,
        what: _What,
        kind: _Change,
        name: str,
        by: str,
        also: Also | None,
    ) -> None:
        def apply(view: View) -> None:
            device, capability = _thermostat(view, device_id)
            view.put_thermostat(change(view.thermostat(device_id), capability, view))
            _tell_edit(view, device, what, kind, name, by)
            if also is not None:
                also(view, name)

        await self._journal.transact(apply)
        self.reconciler.touch(device_id)

    async def _push(
        self,
        device_id: str,
        change: _Edit,
        what: _What,
        name: str,
        by: str,
        also: Also | None,
    ) -> str:
        """Edit a program: Seam makes an attempt of that, which is over once the hub has it."""
        attempt_id = ids.new_id()

        def keep(view: View, _: str) -> None:
            attempts.write(view, device_id, "PUSH_THERMOSTAT_PROGRAMS", attempt_id, is_over=True)
            if also is not None:
                also(view, attempt_id)

        await self._edit(device_id, change, what, "updated", name, by, keep)
        return attempt_id


def _thermostat(view: View, device_id: str) -> tuple[DeviceRecord, ThermostatCapability]:
    device = view.device(device_id)
    if device is None or device.removed_at is not None:
        raise NotFoundError("device_not_found", "There is no such device on this hub.", device_id=device_id)
    capability = device.device.description.capabilities.thermostat
    if capability is None:
        flag, message = "capabilities_supported.thermostat", "The device is not a thermostat."
        raise RefusedError("device_type_not_supported", message, device_id=device_id, flag=flag)
    return device, capability


def _check(setting: ClimateSetting, capability: ThermostatCapability, device: DeviceRecord | None = None) -> None:
    found = limits.problem(setting, capability, None if device is None else device.state.climate)
    if found is not None:
        raise RefusedError(found[0], found[1])


def _checked(preset: Preset, capability: ThermostatCapability) -> Preset:
    setting = limits.rounded(preset.setting, capability)
    if not setting:
        raise InvalidInputError("hvac_mode_setting", "or another setting is needed: the preset sets nothing")
    _check(setting, capability)
    return replace(preset, setting=setting)


def _preset(record: ThermostatRecord, key: str) -> Preset:
    preset = record.preset(key)
    if preset is None:
        known = ", ".join(one.key for one in record.presets) or "none"
        message = f"The thermostat has no climate preset {key!r}; it has: {known}."
        raise NotFoundError("climate_preset_not_found", message, climate_preset_key=key)
    return preset


def _sorted(periods: tuple[Period, ...]) -> tuple[Period, ...]:
    return tuple(sorted(periods, key=lambda period: period.starts_at))


def _check_periods(record: ThermostatRecord, periods: tuple[Period, ...]) -> None:
    if not 0 < len(periods) <= MAX_PERIODS:
        raise InvalidInputError("periods", f"must be 1 to {MAX_PERIODS}")
    if len({period.starts_at for period in periods}) < len(periods):
        raise InvalidInputError("periods", "must each start at another time")
    for period in periods:
        _preset(record, period.preset_key)


def _no_program(program_id: str) -> NoReturn:
    message = "There is no such daily program on this hub."
    raise NotFoundError("thermostat_daily_program_not_found", message, thermostat_daily_program_id=program_id)


def _no_schedule(schedule_id: str) -> NoReturn:
    message = "There is no such thermostat schedule on this hub (any more)."
    raise NotFoundError("thermostat_schedule_not_found", message, thermostat_schedule_id=schedule_id)


def _tell_edit(view: View, device: DeviceRecord, what: _What, change: _Change, name: str, by: str) -> None:
    tell(view, device, ThermostatEdited(what=what, change=change, name=name, by=by))
