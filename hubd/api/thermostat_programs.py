"""`/thermostats/daily_programs/*` and the weekly program: which climate preset from which time of day on.

Programs are kept and carried out by the hub, by the clocks of the site, so a push of one is over at once.
"""

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from hubd.api import shapes
from hubd.api.climate_shapes import ThermostatDailyProgram
from hubd.api.code_params import CodeName, plain_name
from hubd.api.devices import check_managed
from hubd.api.envelope import answer
from hubd.api.filters import plain_device
from hubd.api.params import Name, Params, Uuid
from hubd.api.route import ACT, REMOVE, UPDATE, Call, route
from hubd.api.thermostat_attempts import answered, keep
from hubd.api.thermostat_plans import program_shape
from hubd.api.thermostat_schedules import keep_ok
from hubd.core.climate.desk import MAX_PERIODS
from hubd.store.climate import DAYS, DailyProgram, Period
from hubd.store.tables import View

type TimeOfDay = Annotated[str, msgspec.Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$", max_length=8)]
type Day = Uuid | UnsetType | None


class NewPeriod(Params, frozen=True, kw_only=True):
    """From `starts_at_time`, HH:MM:SS on the clocks of the site, up to the next period."""

    starts_at_time: TimeOfDay
    climate_preset_key: Name


type Periods = Annotated[tuple[NewPeriod, ...], msgspec.Meta(min_length=1, max_length=MAX_PERIODS)]


class CreateDailyProgram(Params, frozen=True, kw_only=True):
    """A day of a thermostat."""

    device_id: Uuid
    name: CodeName
    periods: Periods


class UpdateDailyProgram(Params, frozen=True, kw_only=True):
    """The periods take the place of those that were."""

    thermostat_daily_program_id: Uuid
    name: CodeName
    periods: Periods


class OneDailyProgram(Params, frozen=True, kw_only=True):
    """Which daily program."""

    thermostat_daily_program_id: Uuid


class UpdateWeek(Params, frozen=True, kw_only=True):
    """A day that is left out stays as it is; null takes its program away."""

    device_id: Uuid
    monday_program_id: Day = UNSET
    tuesday_program_id: Day = UNSET
    wednesday_program_id: Day = UNSET
    thursday_program_id: Day = UNSET
    friday_program_id: Day = UNSET
    saturday_program_id: Day = UNSET
    sunday_program_id: Day = UNSET


class DailyProgramAnswer(shapes.Ok, frozen=True, kw_only=True):
    """One daily program."""

    thermostat_daily_program: ThermostatDailyProgram


async def create(call: Call, params: CreateDailyProgram) -> DailyProgramAnswer:
    """Keep a new daily program; it counts once a day of the weekly program has it."""
    device_id = params.device_id.lower()
    check_managed(plain_device(call.hub, device_id), is_managed=True)

    def shown(program: DailyProgram) -> DailyProgramAnswer:
        return DailyProgramAnswer(thermostat_daily_program=program_shape(call.hub, device_id, program))

    def told(view: View, program_id: str) -> None:
        program = view.thermostat(device_id).program(program_id)
        if call.keeper is not None and program is not None:
            call.keeper.answer(view, answer(shown(program)).body)

    name, by = plain_name(params.name) or "", call.principal.key_id
    return shown(await call.hub.thermostats.create_program(device_id, name, _periods(params.periods), by, told))


async def update(call: Call, params: UpdateDailyProgram) -> shapes.AttemptAnswer:
    """Change a daily program, also one that runs."""
    program_id = params.thermostat_daily_program_id.lower()
    device_id = call.hub.thermostats.program_owner(program_id)
    check_managed(plain_device(call.hub, device_id), is_managed=True)
    name, by = plain_name(params.name) or "", call.principal.key_id
    told = keep(call, device_id, "PUSH_THERMOSTAT_PROGRAMS", is_over=True)
    attempt_id = await call.hub.thermostats.update_program(program_id, name, _periods(params.periods), by, told)
    return await answered(call, attempt_id)


async def delete(call: Call, params: OneDailyProgram) -> shapes.Ok:
    """Drop a daily program; the days of the weekly program that had it have none then."""
    program_id = params.thermostat_daily_program_id.lower()
    await call.hub.thermostats.delete_program(program_id, call.principal.key_id, keep_ok(call))
    return shapes.Ok()


async def update_week(call: Call, params: UpdateWeek) -> shapes.AttemptAnswer:
    """Say which daily program runs on which day; where none does, the last period of the day before goes on."""
    device_id = params.device_id.lower()
    check_managed(plain_device(call.hub, device_id), is_managed=True)
    week = tuple(_day(getattr(params, f"{day}_program_id")) for day in DAYS)
    told = keep(call, device_id, "PUSH_THERMOSTAT_PROGRAMS", is_over=True)
    attempt_id = await call.hub.thermostats.set_week(device_id, week, call.principal.key_id, told)
    return await answered(call, attempt_id)


def _day(program_id: Day) -> Day:
    return program_id.lower() if isinstance(program_id, str) else program_id


def _periods(periods: Periods) -> tuple[Period, ...]:
    return tuple(Period(one.starts_at_time, one.climate_preset_key) for one in periods)


ROUTES = [
    route("/thermostats/daily_programs/create", ACT, create, DailyProgramAnswer, CreateDailyProgram, "operator"),
    route("/thermostats/daily_programs/update", UPDATE, update, shapes.AttemptAnswer, UpdateDailyProgram, "operator"),
    route("/thermostats/daily_programs/delete", REMOVE, delete, shapes.Ok, OneDailyProgram, "operator"),
    route("/thermostats/update_weekly_program", ACT, update_week, shapes.AttemptAnswer, UpdateWeek, "operator"),
]
