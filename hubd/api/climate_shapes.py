"""What a device's shape holds of its climate, member for member as in Seam's OpenAPI."""

from datetime import datetime

import msgspec
from msgspec import UNSET, UnsetType

type Maybe[T] = T | UnsetType


class ClimateShape(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the parts below; those of `shapes` are made of them."""


class ClimateSettings(ClimateShape, frozen=True, kw_only=True):
    """Mode, fan and set-points; what is not set, or not known, is absent."""

    hvac_mode_setting: Maybe[str] = UNSET
    fan_mode_setting: Maybe[str] = UNSET
    heating_set_point_celsius: Maybe[float] = UNSET
    heating_set_point_fahrenheit: Maybe[float] = UNSET
    cooling_set_point_celsius: Maybe[float] = UNSET
    cooling_set_point_fahrenheit: Maybe[float] = UNSET


class ClimatePreset(ClimateSettings, frozen=True, kw_only=True):
    """A member of `available_climate_presets`."""

    climate_preset_key: str
    name: str | None
    display_name: str
    climate_preset_mode: Maybe[str] = UNSET
    can_edit: bool = True
    can_delete: bool
    can_use_with_thermostat_daily_programs: bool = True
    manual_override_allowed: bool


class CurrentClimate(ClimateSettings, frozen=True, kw_only=True):
    """`current_climate_setting`: what was read back, and the preset that it is, if it is one that is in force."""

    manual_override_allowed: bool
    climate_preset_key: Maybe[str] = UNSET
    name: Maybe[str | None] = UNSET
    display_name: Maybe[str] = UNSET
    climate_preset_mode: Maybe[str] = UNSET
    can_edit: Maybe[bool] = UNSET
    can_delete: Maybe[bool] = UNSET
    can_use_with_thermostat_daily_programs: Maybe[bool] = UNSET


class TemperatureThreshold(ClimateShape, frozen=True, kw_only=True):
    """Between which temperatures nobody wants to be told; null: no limit."""

    lower_limit_celsius: float | None
    lower_limit_fahrenheit: float | None
    upper_limit_celsius: float | None
    upper_limit_fahrenheit: float | None


class ScheduleProblem(ClimateShape, frozen=True, kw_only=True):
    """A member of `errors` of a schedule."""

    error_code: str
    message: str
    created_at: datetime


class ThermostatSchedule(ClimateShape, frozen=True, kw_only=True):
    """`thermostat_schedule`."""

    thermostat_schedule_id: str
    device_id: str
    workspace_id: str
    name: str | None
    climate_preset_key: str
    starts_at: datetime
    ends_at: datetime
    is_override_allowed: bool
    max_override_period_minutes: int | None
    """Null: up to its end."""
    created_at: datetime
    errors: list[ScheduleProblem]


class DailyProgramPeriod(ClimateShape, frozen=True, kw_only=True):
    """A member of `periods`; `starts_at_time` on the clocks of the site."""

    starts_at_time: str
    climate_preset_key: str


class ThermostatDailyProgram(ClimateShape, frozen=True, kw_only=True):
    """`thermostat_daily_program`."""

    thermostat_daily_program_id: str
    device_id: str
    workspace_id: str
    name: str | None
    periods: list[DailyProgramPeriod]
    created_at: datetime


class ThermostatWeeklyProgram(ClimateShape, frozen=True, kw_only=True):
    """`thermostat_weekly_program`; null: no program of its own on this day."""

    monday_program_id: str | None
    tuesday_program_id: str | None
    wednesday_program_id: str | None
    thursday_program_id: str | None
    friday_program_id: str | None
    saturday_program_id: str | None
    sunday_program_id: str | None
    created_at: datetime
