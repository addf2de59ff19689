"""What a device's shape says of its climate: what was read back, what can be set, and what the hub keeps of it."""

from typing import Any, Final, get_args

from msgspec import UNSET

from hubd.api import shapes
from hubd.api.climate_hindrance import hindrance
from hubd.api.climate_shapes import (
    ClimatePreset,
    CurrentClimate,
    TemperatureThreshold,
    ThermostatWeeklyProgram,
)
from hubd.api.thermostat_plans import program_shape, schedule_shape
from hubd.core.climate.desk import MAX_PERIODS, MAX_PRESETS
from hubd.core.climate.rules import may_override
from hubd.core.hub import Hub
from hubd.model import degrees
from hubd.model.capability import Capabilities, ThermostatCapability
from hubd.model.climate import ClimateSetting
from hubd.model.state import Climate
from hubd.store.climate import DAYS, Preset, PresetMode, ThermostatRecord, Thresholds
from hubd.store.records import DeviceRecord

NOT_APPLIED: Final = "setting_not_applied"
"""The hub's own code of the warning that a thermostat is not set as it should be."""
PRECISION_MINUTES: Final = 1
"""Every full minute, and any second of it, can begin a period."""
_MODES: Final = list(get_args(PresetMode.__value__))
_HEATED: Final = {"heat", "heat_cool", "eco", None}
_COOLED: Final = {"cool", "heat_cool", "eco", None}
"""Modes in which a set-point is in force, or may be: the mode None is not known."""
_ROUNDED: Final = 0.02
"""Degrees Fahrenheit that a hundredth of a degree Celsius may be off."""
_KINDS: Final = ("heating", "cooling")


# -- degrees -----------------------------------------------------------------------------------------------------------


def fahrenheit(celsius: float, capability: ThermostatCapability | None) -> float:
    """Return degrees Fahrenheit; of a device that counts in them, as the device shows them."""
    if capability is not None and capability.scale == "fahrenheit":
        exact = celsius * 9 / 5 + 32
        for step in (capability.step or 0.1, 0.1):
            nearest = round(exact / step) * step
            if abs(nearest - exact) <= _ROUNDED:
                return round(nearest, 2)
    return degrees.fahrenheit(celsius)


def both(name: str, celsius: float | None, capability: ThermostatCapability | None = None) -> dict[str, float]:
    """Return a temperature in both scales, as members of a shape; nothing of one that is not known."""
    if celsius is None:
        return {}
    return {f"{name}_celsius": round(celsius, 2), f"{name}_fahrenheit": fahrenheit(celsius, capability)}


def setting_members(setting: ClimateSetting, capability: ThermostatCapability | None) -> dict[str, Any]:
    """Return what a setting sets, in Seam's words."""
    members: dict[str, Any] = {}
    if setting.hvac_mode is not None:
        members["hvac_mode_setting"] = setting.hvac_mode
    if setting.fan_mode is not None:
        members["fan_mode_setting"] = setting.fan_mode
    for kind in _KINDS:
        members |= both(f"{kind}_set_point", getattr(setting, f"{kind}_set_point_celsius"), capability)
    return members


# -- the device --------------------------------------------------------------------------------------------------------


def flags(capabilities: Capabilities) -> dict[str, bool]:
    """Return the flags of a device that say what of its climate can be set; programs are run by the hub."""
    thermostat = capabilities.thermostat
    if thermostat is None:
        return {}
    names = {"heat": "can_hvac_heat", "cool": "can_hvac_cool", "heat_cool": "can_hvac_heat_cool"}
    names["off"] = "can_turn_off_hvac"
    found = [flag for mode, flag in names.items() if mode in thermostat.hvac_modes]
    if thermostat.hvac_modes or thermostat.fan_modes or thermostat.heating or thermostat.cooling:
        found.append("can_run_thermostat_programs")
        ways = ("different_each_day", "same_each_day", "weekday_weekend")
        found += [f"can_program_thermostat_programs_as_{way}" for way in ways]
    return dict.fromkeys(found, True)


def properties(hub: Hub, record: DeviceRecord, *, is_online: bool) -> dict[str, Any]:
    """Return the members of `device.properties` about climate; none of a device that is no thermostat."""
    capability, climate = record.device.description.capabilities.thermostat, record.state.climate
    members: dict[str, Any] = {}
    if is_online and climate is not None:
        members |= _measured(climate, capability)
    if capability is None:
        return members
    kept = hub.thermostats.get(record.device.device_id)
    if is_online and climate is not None:
        members |= _current(climate, capability, kept)
    return members | _limits(capability) | _kept(hub, kept, capability) | _schedule(hub, kept)


def _measured(climate: Climate, capability: ThermostatCapability | None) -> dict[str, Any]:
    names = ("relative_humidity", "is_heating", "is_cooling", "is_fan_running")
    members = {name: getattr(climate, name) for name in names if getattr(climate, name) is not None}
    if climate.fan_mode is not None:
        members["fan_mode_setting"] = climate.fan_mode
    return members | both("temperature", climate.temperature_celsius, capability)


def climate_setting(climate: Climate, capability: ThermostatCapability | None) -> dict[str, Any]:
    """Return what a thermostat is set to, with the set-points that its mode uses; nothing where nothing is known."""
    is_heated, is_cooled = climate.hvac_mode in _HEATED, climate.hvac_mode in _COOLED
    setting = ClimateSetting(
        climate.hvac_mode,
        climate.fan_mode,
        climate.heating_set_point_celsius if is_heated else None,
        climate.cooling_set_point_celsius if is_cooled else None,
    )
    return setting_members(setting, capability)


def _current(climate: Climate, capability: ThermostatCapability, kept: ThermostatRecord) -> dict[str, Any]:
    """Return what was read back. An override is active once the device is set to it, and to nothing of the plan."""
    setting = climate_setting(climate, capability)
    if not setting:
        return {}
    preset = _preset_in_force(climate, capability, kept)
    named = {} if preset is None else _named(preset)
    is_other = bool(kept.base.setting.missing(climate, capability))
    is_overridden = kept.override is not None and kept.is_applied and kept.base.kind != "none" and is_other
    return {
        "current_climate_setting": CurrentClimate(**setting, **named, manual_override_allowed=may_override(kept)),
        "is_temporary_manual_override_active": is_overridden,
    }


def _preset_in_force(climate: Climate, capability: ThermostatCapability, kept: ThermostatRecord) -> Preset | None:
    """Return the preset in force, if the device was read back and is set as it says."""
    key = kept.base.preset_key if kept.override is None else kept.override.preset_key
    preset = kept.preset(key) if kept.is_applied else None
    return None if preset is None or preset.setting.missing(climate, capability) else preset


def _named(preset: Preset) -> dict[str, Any]:
    return {
        "climate_preset_key": preset.key,
        "name": preset.name,
        "display_name": preset.name or preset.key,
        "climate_preset_mode": UNSET if preset.mode is None else preset.mode,
        "can_edit": True,
        "can_delete": True,
        "can_use_with_thermostat_daily_programs": True,
    }


def _limits(capability: ThermostatCapability) -> dict[str, Any]:
    members: dict[str, Any] = {
        "available_hvac_mode_settings": list(capability.hvac_modes),
        "available_fan_mode_settings": list(capability.fan_modes),
    }
    for kind, bounds in (("heating", capability.heating), ("cooling", capability.cooling)):
        if bounds is not None:
            members |= both(f"min_{kind}_set_point", bounds.min_celsius, capability)
            members |= both(f"max_{kind}_set_point", bounds.max_celsius, capability)
    if capability.min_delta_celsius is not None:
        delta = capability.min_delta_celsius
        members["min_heating_cooling_delta_celsius"] = round(delta, 2)
        members["min_heating_cooling_delta_fahrenheit"] = round(fahrenheit(delta, capability) - 32, 2)
    return members


# -- what the hub keeps ------------------------------------------------------------------------------------------------


def preset_shape(preset: Preset, capability: ThermostatCapability) -> ClimatePreset:
    """Build a climate preset."""
    setting = setting_members(preset.setting, capability)
    return ClimatePreset(**setting, **_named(preset), manual_override_allowed=preset.is_override_allowed)


def _kept(hub: Hub, kept: ThermostatRecord, capability: ThermostatCapability) -> dict[str, Any]:
    fallback = kept.preset(kept.fallback_key)
    return {
        "available_climate_presets": [preset_shape(preset, capability) for preset in kept.presets],
        "available_climate_preset_modes": _MODES,
        "fallback_climate_preset_key": kept.fallback_key,
        "default_climate_setting": UNSET if fallback is None else preset_shape(fallback, capability),
        "temperature_threshold": _threshold(kept.thresholds),
        "thermostat_daily_programs": [program_shape(hub, kept.device_id, program) for program in kept.programs],
        "thermostat_weekly_program": _week(kept),
        "max_thermostat_daily_program_periods_per_day": MAX_PERIODS,
        "max_unique_climate_presets_per_thermostat_weekly_program": MAX_PRESETS,
        "thermostat_daily_program_period_precision_minutes": PRECISION_MINUTES,
    }


def _threshold(limits: Thresholds) -> TemperatureThreshold:
    members: dict[str, float | None] = {}
    for name, celsius in (("lower", limits.lower_celsius), ("upper", limits.upper_celsius)):
        members[f"{name}_limit_celsius"] = members[f"{name}_limit_fahrenheit"] = None
        members |= both(f"{name}_limit", celsius)
    return TemperatureThreshold(**members)


def _week(kept: ThermostatRecord) -> ThermostatWeeklyProgram | None:
    programs = [program for program in kept.programs if program.program_id in kept.week]
    if not programs:
        return None
    days = {f"{day}_program_id": program_id for day, program_id in zip(DAYS, kept.week, strict=True)}
    created_at = kept.week_set_at or max(program.created_at for program in programs)
    return ThermostatWeeklyProgram(**days, created_at=created_at)


def _schedule(hub: Hub, kept: ThermostatRecord) -> dict[str, Any]:
    """Return the schedule that the thermostat was read back to be set to, or was before somebody overrode it."""
    is_read = kept.base.kind == "schedule" and kept.is_base_applied
    schedule = hub.journal.tables.schedules.get(kept.base.plan_id or "") if is_read else None
    return {
        "active_thermostat_schedule": None if schedule is None else schedule_shape(hub, schedule),
        "active_thermostat_schedule_id": None if schedule is None else schedule.schedule_id,
    }


# -- what needs a look -------------------------------------------------------------------------------------------------


def warnings(hub: Hub, record: DeviceRecord) -> list[shapes.Notice]:
    """Say what of a thermostat needs a look."""
    capability = record.device.description.capabilities.thermostat
    if capability is None:
        return []
    found: list[shapes.Notice] = []
    limits, climate = hub.thermostats.get(record.device.device_id).thresholds, record.state.climate
    if limits.exceeded_since is not None:
        now = climate.temperature_celsius if climate is not None and hub.is_reachable(record) else None
        found.append(
            shapes.Notice(
                warning_code="temperature_threshold_exceeded",
                message=_exceeded(limits, now),
                created_at=limits.exceeded_since,
            )
        )
    why = hindrance(hub, record)
    if why is not None:
        message = f"The thermostat is not set as {_whose(hub, record)} it to be. {why.message}"
        found.append(
            shapes.Notice(warning_code="provider_issue", message=message, created_at=why.since, hub_code=NOT_APPLIED)
        )
    return found


def _whose(hub: Hub, record: DeviceRecord) -> str:
    kept = hub.thermostats.get(record.device.device_id)
    if kept.override is not None:
        return "somebody's call wants" if kept.override.source == "api" else "somebody at the device wanted"
    match kept.base.kind:
        case "schedule":
            schedule = hub.journal.tables.schedules.get(kept.base.plan_id or "")
            name = "its schedule" if schedule is None or not schedule.name else f"its schedule “{schedule.name}”"
        case "program":
            program = kept.program(kept.base.plan_id)
            name = "its daily program" if program is None or not program.name else f"its program “{program.name}”"
        case _:
            name = "its fallback preset"
    return f"{name} (climate preset “{kept.base.preset_key}”) wants"


def _exceeded(limits: Thresholds, now: float | None) -> str:
    low, high = limits.lower_celsius, limits.upper_celsius
    if low is not None and high is not None:
        wanted = f"{_words(low)} to {_words(high)}"
    elif low is not None:
        wanted = f"at least {_words(low)}"
    else:
        wanted = "within its limits" if high is None else f"at most {_words(high)}"
    measured = "was outside its limits when it was last measured" if now is None else f"has {_words(now)}"
    return f"The room {measured}; it is to have {wanted}."


def _words(celsius: float) -> str:
    return f"{round(celsius, 1):g} °C ({round(degrees.fahrenheit(celsius), 1):g} °F)"
