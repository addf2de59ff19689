"""`/thermostats/schedules/*`: a climate preset from a time on, up to a time. The hub keeps it and applies it itself."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from hubd.api import shapes
from hubd.api.climate_shapes import ThermostatSchedule
from hubd.api.code_params import CodeName, exact_time, plain_name
from hubd.api.devices import check_managed
from hubd.api.envelope import answer
from hubd.api.filters import plain_device
from hubd.api.params import Name, Params, Text, Uuid
from hubd.api.route import ACT, READ, REMOVE, UPDATE, Call, route
from hubd.api.thermostat_plans import schedule_shape
from hubd.core.climate.desk import Also, ScheduleChange
from hubd.model import ids
from hubd.model.errors import InvalidInputError
from hubd.store.climate import Schedule
from hubd.store.tables import View

type Minutes = Annotated[int, msgspec.Meta(gt=0, le=366 * 24 * 60)]


class CreateSchedule(Params, frozen=True, kw_only=True):
    """Without `max_override_period_minutes` an override lasts up to the end of the schedule."""

    climate_preset_key: Name
    device_id: Uuid
    ends_at: Text
    starts_at: Text
    is_override_allowed: bool = True
    max_override_period_minutes: Minutes | None = None
    name: CodeName | None = None


class UpdateSchedule(Params, frozen=True, kw_only=True):
    """Members that are left out stay as they are."""

    thermostat_schedule_id: Uuid
    climate_preset_key: Name | UnsetType = UNSET
    ends_at: Text | UnsetType = UNSET
    is_override_allowed: bool | UnsetType = UNSET
    max_override_period_minutes: Minutes | UnsetType | None = UNSET
    name: CodeName | UnsetType | None = UNSET
    starts_at: Text | UnsetType = UNSET


class OneSchedule(Params, frozen=True, kw_only=True):
    """Which schedule."""

    thermostat_schedule_id: Uuid


class ListSchedules(Params, frozen=True, kw_only=True):
    """Those of a thermostat; a hub has no users, so a `user_identifier_key` matches nothing."""

    device_id: Uuid
    user_identifier_key: Text | None = None


class ScheduleAnswer(shapes.Ok, frozen=True, kw_only=True):
    """One schedule."""

    thermostat_schedule: ThermostatSchedule


class ScheduleListAnswer(shapes.Ok, frozen=True, kw_only=True):
    """Schedules by their start."""

    thermostat_schedules: list[ThermostatSchedule]


async def create(call: Call, params: CreateSchedule) -> ScheduleAnswer:
    """Keep a new schedule; of two that run at a time, the one that began last counts."""
    hub, device_id = call.hub, params.device_id.lower()
    check_managed(plain_device(hub, device_id), is_managed=True)
    starts_at, ends_at = exact_time("starts_at", params.starts_at), exact_time("ends_at", params.ends_at)
    _check_end(call, ends_at)
    schedule = Schedule(
        schedule_id=ids.new_id(),
        device_id=device_id,
        preset_key=params.climate_preset_key,
        starts_at=starts_at,
        ends_at=ends_at,
        created_at=hub.clock.now(),
        name=plain_name(params.name),
        is_override_allowed=params.is_override_allowed,
        max_override_minutes=params.max_override_period_minutes,
    )

    def told(view: View, _: str) -> None:
        if call.keeper is not None:
            call.keeper.answer(view, answer(ScheduleAnswer(thermostat_schedule=schedule_shape(hub, schedule))).body)

    made = await hub.thermostats.create_schedule(schedule, call.principal.key_id, told)
    return ScheduleAnswer(thermostat_schedule=schedule_shape(hub, made))


async def update(call: Call, params: UpdateSchedule) -> shapes.Ok:
    """Change a schedule; one that runs goes on as it is then."""
    hub, schedule_id = call.hub, params.thermostat_schedule_id.lower()
    check_managed(plain_device(hub, hub.thermostats.schedule(schedule_id).device_id), is_managed=True)
    change = ScheduleChange(
        preset_key=params.climate_preset_key,
        name=UNSET if isinstance(params.name, UnsetType) else plain_name(params.name),
        starts_at=UNSET if isinstance(params.starts_at, UnsetType) else exact_time("starts_at", params.starts_at),
        ends_at=UNSET if isinstance(params.ends_at, UnsetType) else exact_time("ends_at", params.ends_at),
        is_override_allowed=params.is_override_allowed,
        max_override_minutes=params.max_override_period_minutes,
    )
    if not isinstance(change.ends_at, UnsetType):
        _check_end(call, change.ends_at)
    await hub.thermostats.update_schedule(schedule_id, change, call.principal.key_id, keep_ok(call))
    return shapes.Ok()


async def delete(call: Call, params: OneSchedule) -> shapes.Ok:
    """Drop a schedule; one that runs ends with that."""
    schedule_id = params.thermostat_schedule_id.lower()
    await call.hub.thermostats.delete_schedule(schedule_id, call.principal.key_id, keep_ok(call))
    return shapes.Ok()


async def get(call: Call, params: OneSchedule) -> ScheduleAnswer:
    """Return a schedule."""
    schedule = call.hub.thermostats.schedule(params.thermostat_schedule_id.lower())
    return ScheduleAnswer(thermostat_schedule=schedule_shape(call.hub, schedule))


async def list_schedules(call: Call, params: ListSchedules) -> ScheduleListAnswer:
    """Return the schedules of a thermostat by their start, for a month those that are over too."""
    device_id = plain_device(call.hub, params.device_id.lower()).device.device_id
    found = [] if params.user_identifier_key is not None else call.hub.thermostats.schedules(device_id)
    return ScheduleListAnswer(thermostat_schedules=[schedule_shape(call.hub, one) for one in found])


def keep_ok(call: Call) -> Also:
    """Return what keeps the answer to an `Idempotency-Key` where the answer is nothing but `ok`."""

    def told(view: View, _: str) -> None:
        if call.keeper is not None:
            call.keeper.answer(view, answer(shapes.Ok()).body)

    return told


def _check_end(call: Call, ends_at: datetime) -> None:
    if ends_at <= call.hub.thermostats.now().at:
        raise InvalidInputError("ends_at", "is past already")


ROUTES = [
    route("/thermostats/schedules/create", ACT, create, ScheduleAnswer, CreateSchedule, "operator"),
    route("/thermostats/schedules/update", UPDATE, update, shapes.Ok, UpdateSchedule, "operator"),
    route("/thermostats/schedules/delete", REMOVE, delete, shapes.Ok, OneSchedule, "operator"),
    route("/thermostats/schedules/get", READ, get, ScheduleAnswer, OneSchedule),
    route("/thermostats/schedules/list", READ, list_schedules, ScheduleListAnswer, ListSchedules),
]
