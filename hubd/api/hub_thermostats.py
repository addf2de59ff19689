"""`/hub/thermostats/*`: which plan a thermostat goes by, who overrides it, whether it is so, and why not."""

import asyncio
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from hubd.api import shapes
from hubd.api.climate_hindrance import hindrance
from hubd.api.climate_project import setting_members
from hubd.api.climate_shapes import ClimateSettings
from hubd.api.devices import check_thermostat
from hubd.api.params import Params, Uuid
from hubd.api.route import ACT, READ, Call, Route, route
from hubd.core.climate.calendar import base_at
from hubd.core.climate.rules import may_override
from hubd.core.hub import Hub
from hubd.model.capability import ThermostatCapability
from hubd.model.climate import ClimateSource
from hubd.model.event import PlanKind
from hubd.store.climate import ThermostatRecord
from hubd.store.records import DeviceRecord


class PlanShape(shapes.Shape, frozen=True, kw_only=True):
    """The one plan in force; `none`: nothing is planned, and what somebody sets stays."""

    kind: PlanKind
    plan_id: str | None
    """Of the schedule, or of the daily program."""
    name: str | None
    climate_preset_key: str | None
    since: datetime | None
    """Null of a fallback."""
    setting: ClimateSettings
    is_override_allowed: bool
    max_override_period_minutes: int | None


class OverrideShape(shapes.Shape, frozen=True, kw_only=True):
    """What somebody set instead of the plan."""

    source: ClimateSource | Literal["api"]
    """`api`, or who it was at the device, most likely: `manual`, `program`, `controller`, `unknown`."""
    by: str
    """The key, of `api`."""
    by_name: str | None
    since: datetime
    until: datetime | None
    """Null: until the plan changes."""
    climate_preset_key: str | None
    setting: ClimateSettings


class HindranceShape(shapes.Shape, frozen=True, kw_only=True):
    """Why a thermostat is not set as it should be: the last try failed, or none can be made."""

    code: str
    message: str
    since: datetime
    attempts: int
    """Tries in a row that failed so."""
    retry_at: datetime | None
    """When it is tried again; null: once something is changed."""


class ThermostatStanding(shapes.Shape, frozen=True, kw_only=True):
    """How a thermostat stands."""

    device_id: str
    device_name: str
    is_managed: bool
    plan: PlanShape
    override: OverrideShape | None
    is_applied: bool
    """What is in force, the override or else the plan, was read back."""
    is_plan_applied: bool
    """The plan was, at least once since it came in force."""
    why: HindranceShape | None
    plan_looked_at_again_at: datetime | None
    """When a schedule or a period next begins or ends; null: nothing is to come."""
    is_time_trusted: bool
    """While it is not, plans stay as they are."""
    pending_calls: int
    """Calls that wait for the device to be as they asked."""


class StandingAnswer(shapes.Ok, frozen=True, kw_only=True):
    """One thermostat."""

    thermostat: ThermostatStanding


class OneThermostat(Params, frozen=True, kw_only=True):
    """Which thermostat."""

    device_id: Uuid


async def get(call: Call, params: OneThermostat) -> StandingAnswer:
    """Return which plan a thermostat goes by, who overrides it, and why it is not so if it is not."""
    record, capability = _thermostat(call.hub, params.device_id)
    return await _answer(call, record, capability)


async def cancel_override(call: Call, params: OneThermostat) -> StandingAnswer:
    """Have the plan of a thermostat return at once; without an override, nothing is done."""
    record, capability = _thermostat(call.hub, params.device_id)
    await call.hub.thermostats.cancel_override(record.device.device_id)
    return await _answer(call, record, capability)


def _thermostat(hub: Hub, device_id: str) -> tuple[DeviceRecord, ThermostatCapability]:
    record = hub.present(device_id.lower())
    return record, check_thermostat(record)


async def _answer(call: Call, record: DeviceRecord, capability: ThermostatCapability) -> StandingAnswer:
    hub, device_id = call.hub, record.device.device_id
    zone = await asyncio.to_thread(ZoneInfo, hub.site.time_zone)  # the first time it reads a file
    kept, instant = hub.thermostats.get(device_id), hub.thermostats.now()
    _, ahead = base_at(kept, hub.thermostats.schedules(device_id), instant.at, zone)
    standing = ThermostatStanding(
        device_id=device_id,
        device_name=record.name,
        is_managed=record.is_managed,
        plan=_plan(hub, kept, capability),
        override=_override(call, kept, capability),
        is_applied=kept.is_applied,
        is_plan_applied=kept.is_base_applied,
        why=_why(hub, record, kept),
        plan_looked_at_again_at=ahead,
        is_time_trusted=instant.is_trusted,
        pending_calls=len(kept.pending),
    )
    return StandingAnswer(thermostat=standing)


def _plan(hub: Hub, kept: ThermostatRecord, capability: ThermostatCapability) -> PlanShape:
    base = kept.base
    schedule = hub.journal.tables.schedules.get(base.plan_id or "")
    program = kept.program(base.plan_id)
    named = schedule or program
    return PlanShape(
        kind=base.kind,
        plan_id=base.plan_id,
        name=None if named is None else named.name or None,
        climate_preset_key=base.preset_key,
        since=base.since,
        setting=ClimateSettings(**setting_members(base.setting, capability)),
        is_override_allowed=may_override(kept),
        max_override_period_minutes=base.max_override_minutes,
    )


def _override(call: Call, kept: ThermostatRecord, capability: ThermostatCapability) -> OverrideShape | None:
    override = kept.override
    if override is None:
        return None
    return OverrideShape(
        source=override.source,
        by=override.by,
        by_name=next((key.name for key in call.keys.list() if key.key_id == override.by), None),
        since=override.since,
        until=override.until,
        climate_preset_key=override.preset_key,
        setting=ClimateSettings(**setting_members(override.setting, capability)),
    )


def _why(hub: Hub, record: DeviceRecord, kept: ThermostatRecord) -> HindranceShape | None:
    found, trouble = hindrance(hub, record), kept.trouble
    if found is None:
        return None
    return HindranceShape(
        code=found.code,
        message=found.message,
        since=found.since,
        attempts=0 if trouble is None else trouble.attempts,
        retry_at=None if trouble is None else trouble.retry_at,
    )


ROUTES: list[Route] = [
    route("/hub/thermostats/get", READ, get, StandingAnswer, OneThermostat),
    route("/hub/thermostats/cancel_override", ACT, cancel_override, StandingAnswer, OneThermostat, "operator"),
]
