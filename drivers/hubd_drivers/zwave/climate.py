"""Thermostats: what they can do and how they stand, in Celsius."""

from collections.abc import Iterable
from typing import Final

from hubd.model import Climate, FanMode, HvacMode, SetPointRange, ThermostatCapability
from hubd_drivers.zwave.facts import (
    SENSOR_MULTILEVEL,
    THERMOSTAT_FAN_MODE,
    THERMOSTAT_FAN_STATE,
    THERMOSTAT_MODE,
    THERMOSTAT_SETPOINT,
    THERMOSTAT_STATE,
    NodeFacts,
    Value,
    integer,
    mapping,
    number,
    states,
)

COLDEST, HOTTEST = -60.0, 100.0
"""Degrees Celsius; a room sensor that reads beyond is broken."""

_MODES: Final[dict[int, HvacMode]] = {
    0: "off",
    1: "heat",
    2: "cool",
    3: "heat_cool",
    4: "heat",  # by the auxiliary source alone, "emergency heat" on many displays
    10: "heat_cool",
    11: "eco",
    12: "eco",
}
_FAN_MODES: Final[dict[int, FanMode]] = {
    0: "auto",
    1: "on",
    2: "auto",
    3: "on",
    4: "auto",
    5: "on",
    6: "circulate",
    7: "circulate",
}
_HEATING_STATES: Final = frozenset({1, 7, 8, 10, 11})
_COOLING_STATES: Final = frozenset({2, 9})
_FAN_STATES: Final = frozenset({3, 6})
_HEAT, _COOL = 1, 2
_FAHRENHEIT: Final = "°F"
_AIR_TEMPERATURE, _HUMIDITY = 1, 5


def is_thermostat(facts: NodeFacts) -> bool:
    """Tell whether a node regulates heating or cooling."""
    return facts.supports(THERMOSTAT_MODE) or facts.supports(THERMOSTAT_SETPOINT)


def capability(facts: NodeFacts) -> ThermostatCapability:
    """Return modes and ranges as the device gives them; a set-point without a range has none."""
    return ThermostatCapability(
        hvac_modes=_unique(_MODES.get(mode) for mode in _states(_first(facts, THERMOSTAT_MODE, "mode"))),
        fan_modes=_unique(_FAN_MODES.get(mode) for mode in _states(_first(facts, THERMOSTAT_FAN_MODE, "mode"))),
        heating=_range(_first(facts, THERMOSTAT_SETPOINT, "setpoint", _HEAT)),
        cooling=_range(_first(facts, THERMOSTAT_SETPOINT, "setpoint", _COOL)),
        reports_humidity=_sensor(facts, _HUMIDITY, "Humidity") is not None,
    )


def climate(facts: NodeFacts) -> Climate:
    """Return how the thermostat stands; what it does not tell, or tells wrongly, is None."""
    state = integer(_content(_first(facts, THERMOSTAT_STATE, "state")), high=0xFF)
    humidity = number(_content(_sensor(facts, _HUMIDITY, "Humidity")), 0, 100)
    return Climate(
        temperature_celsius=_celsius(_sensor(facts, _AIR_TEMPERATURE, "Air temperature")),
        relative_humidity=None if humidity is None else round(humidity / 100, 4),
        hvac_mode=_lookup(_MODES, _first(facts, THERMOSTAT_MODE, "mode")),
        fan_mode=_lookup(_FAN_MODES, _first(facts, THERMOSTAT_FAN_MODE, "mode")),
        heating_set_point_celsius=_celsius(_first(facts, THERMOSTAT_SETPOINT, "setpoint", _HEAT)),
        cooling_set_point_celsius=_celsius(_first(facts, THERMOSTAT_SETPOINT, "setpoint", _COOL)),
        is_heating=None if state is None else state in _HEATING_STATES,
        is_cooling=None if state is None else state in _COOLING_STATES,
        is_fan_running=_fan_runs(facts, state),
    )


def _fan_runs(facts: NodeFacts, state: int | None) -> bool | None:
    fan = integer(_content(_first(facts, THERMOSTAT_FAN_STATE, "state")), high=0xFF)
    if fan is not None:
        return fan != 0
    return True if state in _FAN_STATES else None


def _first(facts: NodeFacts, command_class: int, name: str, key: int | None = None) -> Value | None:
    found = facts.of_class(command_class).items()
    return next((value for value_id, value in found if (value_id.name, value_id.key) == (name, key)), None)


def _sensor(facts: NodeFacts, sensor_type: int, name: str) -> Value | None:
    for value_id, value in facts.of_class(SENSOR_MULTILEVEL).items():
        told = mapping(value.metadata.get("ccSpecific")).get("sensorType")
        if told == sensor_type or (told is None and value_id.name == name):
            return value
    return None


def _content(value: Value | None) -> object:
    return None if value is None else value.value


def _lookup[T](table: dict[int, T], value: Value | None) -> T | None:
    mode = integer(_content(value), high=0xFF)
    return None if mode is None else table.get(mode)


def _states(value: Value | None) -> list[int]:
    return [] if value is None else states(value.metadata)


def _unique[T](values: Iterable[T | None]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(value for value in values if value is not None))


def _range(value: Value | None) -> SetPointRange | None:
    """Return a set-point's limits.

    A thermostat that was switched to another scale reports its set-point in that, and zwave-js then gives the limits
    the new unit too, though they stand as in the interview. The scale with room for the set-point is right.
    """
    if value is None:
        return None
    unit, now = value.metadata.get("unit"), _celsius(value)
    told, other = _limits(value, unit), _limits(value, "°C" if unit == _FAHRENHEIT else _FAHRENHEIT)
    if now is None or other is None or (told is not None and told.min_celsius <= now <= told.max_celsius):
        return told
    return other if other.min_celsius <= now <= other.max_celsius else told


def _limits(value: Value, unit: object) -> SetPointRange | None:
    low, high = (_to_celsius(value.metadata.get(key), unit) for key in ("min", "max"))
    return SetPointRange(low, high) if low is not None and high is not None and low < high else None


def _celsius(value: Value | None) -> float | None:
    return None if value is None else _to_celsius(value.value, value.metadata.get("unit"))


def _to_celsius(raw: object, unit: object) -> float | None:
    degrees = number(raw)
    if degrees is None:
        return None
    if unit == _FAHRENHEIT:
        degrees = (degrees - 32) / 1.8
    return round(degrees, 2) if COLDEST <= degrees <= HOTTEST else None
