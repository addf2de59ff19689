"""What may be sent to a thermostat: modes that it has, set-points in its range, far enough apart. Pure."""

from typing import Final, Literal

from hubd.model.capability import SetPointRange, ThermostatCapability
from hubd.model.climate import ClimateSetting
from hubd.model.degrees import fahrenheit, snapped
from hubd.model.state import Climate

USUAL: Final = SetPointRange(4.0, 38.0)
"""For a device that does not tell its range: what any room thermostat takes."""
_SLACK: Final = 0.005
"""Between two floats that are one hundredth of a degree."""

type Problem = tuple[
    Literal["mode_not_supported", "fan_mode_not_supported", "set_point_out_of_range", "set_points_too_close"], str
]


def range_of(capability: ThermostatCapability, kind: Literal["heating", "cooling"]) -> SetPointRange:
    """Return between which temperatures a set-point must be."""
    bounds = capability.heating if kind == "heating" else capability.cooling
    return bounds or USUAL


def rounded(setting: ClimateSetting, capability: ThermostatCapability) -> ClimateSetting:
    """Return a setting as the device will have it: set-points on its steps, and still within its range."""
    points = {}
    for kind in ("heating", "cooling"):
        name = f"{kind}_set_point_celsius"
        value = getattr(setting, name)
        if value is not None:
            points[name] = _on_step(value, range_of(capability, kind), capability)
    return ClimateSetting(setting.hvac_mode, setting.fan_mode, **points)


def problem(
    setting: ClimateSetting, capability: ThermostatCapability, climate: Climate | None = None
) -> Problem | None:
    """Return why a setting cannot be sent, as code and sentence; None if it can.

    `climate`: what the device is set to where the setting leaves it open.
    """
    if setting.hvac_mode is not None and setting.hvac_mode not in capability.hvac_modes:
        known = ", ".join(capability.hvac_modes) or "none"
        return "mode_not_supported", f"The device has no mode {setting.hvac_mode}; it has: {known}."
    if setting.fan_mode is not None and setting.fan_mode not in capability.fan_modes:
        known = ", ".join(capability.fan_modes) or "none"
        return "fan_mode_not_supported", f"The device has no fan mode {setting.fan_mode}; it has: {known}."
    return _of_points(setting, capability) or _of_delta(setting, capability, climate)


def _of_points(setting: ClimateSetting, capability: ThermostatCapability) -> Problem | None:
    for kind in ("heating", "cooling"):
        value = getattr(setting, f"{kind}_set_point_celsius")
        bounds = range_of(capability, kind)
        if value is not None and not _has(capability, kind):
            return "set_point_out_of_range", f"The device has no {kind} set-point."
        if value is None or bounds.min_celsius - _SLACK <= value <= bounds.max_celsius + _SLACK:
            continue
        low, high = (f"{end:g} °C ({fahrenheit(end):g} °F)" for end in (bounds.min_celsius, bounds.max_celsius))
        message = f"The {kind} set-point must be between {low} and {high}, not {value:g} °C ({fahrenheit(value):g} °F)."
        return "set_point_out_of_range", message
    return None


def _has(capability: ThermostatCapability, kind: Literal["heating", "cooling"]) -> bool:
    """Whether a device has a set-point, as far as it says anything of the kind."""
    own, other = (capability.heating, capability.cooling)[:: 1 if kind == "heating" else -1]
    modes = {"heat_cool", "heat" if kind == "heating" else "cool"}
    says_nothing = other is None and not capability.hvac_modes
    return own is not None or says_nothing or not modes.isdisjoint(capability.hvac_modes)


def _of_delta(setting: ClimateSetting, capability: ThermostatCapability, climate: Climate | None) -> Problem | None:
    mode = setting.hvac_mode or (None if climate is None else climate.hvac_mode)
    if mode != "heat_cool":
        return None
    heating, cooling = setting.heating_set_point_celsius, setting.cooling_set_point_celsius
    if setting.hvac_mode is None and heating is None and cooling is None:
        return None
    if climate is not None:
        heating = climate.heating_set_point_celsius if heating is None else heating
        cooling = climate.cooling_set_point_celsius if cooling is None else cooling
    delta = capability.min_delta_celsius or 0.0
    if heating is None or cooling is None or heating + delta <= cooling + _SLACK:
        return None
    message = (
        f"The cooling set-point must be at least {delta:g} °C above the heating set-point;"
        f" {cooling:g} °C is not, with {heating:g} °C."
    )
    return "set_points_too_close", message


def _on_step(value: float, bounds: SetPointRange, capability: ThermostatCapability) -> float:
    if not bounds.min_celsius - _SLACK <= value <= bounds.max_celsius + _SLACK:
        return value
    found = snapped(value, capability.scale, capability.step)
    if bounds.min_celsius - _SLACK <= found <= bounds.max_celsius + _SLACK:
        return found
    return round(min(max(found, bounds.min_celsius), bounds.max_celsius), 2)
