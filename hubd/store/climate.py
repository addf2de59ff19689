"""Rows about thermostats: what is kept of each on the hub, and its schedules."""

from datetime import datetime
from typing import Final, Literal

import msgspec

from hubd.model.climate import ClimateSetting, ClimateSource
from hubd.model.event import PlanKind
from hubd.store.codes import Trouble

type PresetMode = Literal["home", "away", "wake", "sleep", "occupied", "unoccupied"]
type AttemptAction = Literal["SET_HVAC_MODE", "SET_FAN_MODE", "ACTIVATE_CLIMATE_PRESET", "PUSH_THERMOSTAT_PROGRAMS"]

DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Preset(msgspec.Struct, frozen=True, omit_defaults=True):
    """A climate preset."""

    key: str
    setting: ClimateSetting
    name: str | None = None
    mode: PresetMode | None = None
    is_override_allowed: bool = True


class Period(msgspec.Struct, frozen=True):
    """From a time of day on, a preset. `starts_at` is HH:MM:SS on the site's clocks."""

    starts_at: str
    preset_key: str


class DailyProgram(msgspec.Struct, frozen=True, omit_defaults=True):
    """The periods of a day, by their start."""

    program_id: str
    created_at: datetime
    periods: tuple[Period, ...] = ()
    name: str | None = None


class Thresholds(msgspec.Struct, frozen=True, omit_defaults=True):
    """Between which temperatures nobody wants to be told."""

    lower_celsius: float | None = None
    upper_celsius: float | None = None
    exceeded_since: datetime | None = None


class Schedule(msgspec.Struct, frozen=True, omit_defaults=True):
    """A thermostat schedule: a preset from `starts_at` on, up to `ends_at`."""

    schedule_id: str
    device_id: str
    preset_key: str
    starts_at: datetime
    ends_at: datetime
    created_at: datetime
    name: str | None = None
    is_override_allowed: bool = True
    max_override_minutes: int | None = None
    """None: up to its end."""


class Base(msgspec.Struct, frozen=True, omit_defaults=True):
    """What governs a thermostat: the one plan in force."""

    kind: PlanKind = "none"
    plan_id: str | None = None
    """Of the schedule, or of the daily program."""
    preset_key: str | None = None
    since: datetime | None = None
    """When this schedule or period began; None of a fallback."""
    setting: ClimateSetting = ClimateSetting()
    is_override_allowed: bool = True
    max_override_minutes: int | None = None


class Override(msgspec.Struct, frozen=True, omit_defaults=True):
    """What somebody set instead, on top of the plan."""

    setting: ClimateSetting
    """All that is in force, also where it is as in the plan."""
    source: ClimateSource | Literal["api"]
    since: datetime
    until: datetime | None = None
    """None: until the plan changes; where no plan is in force, until somebody else sets it."""
    preset_key: str | None = None
    by: str = ""
    is_timed: bool = True
    """False: nobody knew what time it was when it began; it counts from when the time is trusted again."""


class Pending(msgspec.Struct, frozen=True):
    """A call that waits for the device to be as it asked."""

    attempt_id: str
    setting: ClimateSetting


class ThermostatRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is kept of one thermostat besides what it says of itself."""

    device_id: str
    presets: tuple[Preset, ...] = ()
    fallback_key: str | None = None
    programs: tuple[DailyProgram, ...] = ()
    week: tuple[str | None, ...] = (None,) * 7
    """Daily programs by id, Monday first."""
    week_set_at: datetime | None = None
    """When somebody first set the weekly program that there is."""
    thresholds: Thresholds = Thresholds()
    base: Base = Base()
    override: Override | None = None
    is_applied: bool = True
    """What is in force was read back since it came in force."""
    is_base_applied: bool = False
    """The plan was once, since it came in force."""
    contests: int = 0
    """How often lately somebody set what the plan does not allow."""
    contested_at: datetime | None = None
    foreign_changes: tuple[datetime, ...] = ()
    """When somebody else changed a setting, lately: by these a device's own program is told from a person."""
    trouble: Trouble | None = None
    pending: tuple[Pending, ...] = ()
    desired_celsius: float | None = None
    """The set-point that the room is on its way to; None: it is there, or on no way."""
    told_celsius: float | None = None
    """The temperature that was told last."""

    def preset(self, key: str | None) -> Preset | None:
        """Return a preset by its key."""
        return next((preset for preset in self.presets if preset.key == key), None)

    def program(self, program_id: str | None) -> DailyProgram | None:
        """Return a daily program by its id."""
        return next((program for program in self.programs if program.program_id == program_id), None)

    @property
    def in_force(self) -> ClimateSetting:
        """What the thermostat is to be set to; empty: nobody wishes anything."""
        return self.base.setting if self.override is None else self.override.setting
