"""Thermostats: what they can do and how they stand, in Celsius."""

from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

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
    ValueId,
    integer,
    mapping,
    number,
    states,
)

COLDEST, HOTTEST = -60.0, 100.0
"""Degrees Celsius; a room sensor that reads beyond is broken."""

type PointKind = Literal["heating", "cooling"]

MODES: Final[dict[int, HvacMode]] = {
    0: "off",
    1: "heat",
    2: "cool",
    3: "heat_cool",
    4: "heat",  # by the auxiliary source alone, "emergency heat" on many displays
    10: "heat_cool",
    11: "eco",
    12: "eco",
}
FAN_MODES: Final[dict[int, FanMode]] = {
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
_POINTS: Final[dict[PointKind, int]] = {"heating": 1, "cooling": 2}
_OWN_POINTS: Final[dict[PointKind, dict[int, int]]] = {"heating": {11: 11}, "cooling": {12: 12}}
"""Modes with a set-point of their own, where the device has it: energy save heat, energy save cool."""
FAHRENHEIT: Final = "°F"
WHOLE_DEGREES: Final = 1.0
_AIR_TEMPERATURE, _HUMIDITY = 1, 5


class Place(NamedTuple):
    """Where something is read, and set if it can be."""

    id: ValueId
    value: Value


def is_thermostat(facts: NodeFacts) -> bool:
    """Tell whether a node regulates heating or cooling."""
    return facts.supports(THERMOSTAT_MODE) or facts.supports(THERMOSTAT_SETPOINT)


def capability(facts: NodeFacts, *, has_fractions: bool = False) -> ThermostatCapability:
    """Return modes and ranges as the device gives them; a set-point without a range has none.

    What the smallest step is, no device says. One that counts in Fahrenheit and has only ever told whole degrees
    (`has_fractions` False: it never told another value) has whole steps; of one that counts in Celsius, that proves
    nothing, for half a degree is its usual step.
    """
    points = [place for kind in _POINTS if (place := set_point(facts, kind)) is not None]
    is_fahrenheit = bool(points) and points[0].value.metadata.get("unit") == FAHRENHEIT
    degrees = [number(place.value.value) for place in points]
    is_told = any(one is not None for one in degrees)
    is_whole = is_fahrenheit and is_told and not has_fractions and not any(map(is_fraction, degrees))
    return ThermostatCapability(
        hvac_modes=_unique(MODES.get(mode) for mode in mode_numbers(facts)),
        fan_modes=_unique(FAN_MODES.get(mode) for mode in fan_numbers(facts)),
        heating=None if (heating := set_point(facts, "heating")) is None else limits(heating.value),
        cooling=None if (cooling := set_point(facts, "cooling")) is None else limits(cooling.value),
        scale="fahrenheit" if is_fahrenheit else "celsius",
        step=WHOLE_DEGREES if is_whole else None,
        reports_humidity=humidity(facts) is not None,
    )


def climate(facts: NodeFacts) -> Climate:
    """Return how the thermostat stands; what it does not tell, or tells wrongly, is None."""
    state = integer(_content(operating_state(facts)), high=0xFF)
    damp = number(_content(humidity(facts)), 0, 100)
    now = integer(_content(mode(facts)), high=0xFF)
    return Climate(
        temperature_celsius=_celsius(temperature(facts)),
        relative_humidity=None if damp is None else round(damp / 100, 4),
        hvac_mode=None if now is None else MODES.get(now),
        fan_mode=_lookup(FAN_MODES, fan(facts)),
        heating_set_point_celsius=_celsius(set_point(facts, "heating", now)),
        cooling_set_point_celsius=_celsius(set_point(facts, "cooling", now)),
        is_heating=None if state is None else state in _HEATING_STATES,
        is_cooling=None if state is None else state in _COOLING_STATES,
        is_fan_running=_fan_runs(facts, state),
    )


# -- where things stand ------------------------------------------------------------------------------------------------


def mode(facts: NodeFacts) -> Place | None:
    """Return where the mode is."""
    return _first(facts, THERMOSTAT_MODE, "mode")


def fan(facts: NodeFacts) -> Place | None:
    """Return where the fan mode is."""
    return _first(facts, THERMOSTAT_FAN_MODE, "mode")


def operating_state(facts: NodeFacts) -> Place | None:
    """Return where it says what it is doing."""
    return _first(facts, THERMOSTAT_STATE, "state")


def fan_state(facts: NodeFacts) -> Place | None:
    """Return where it says whether its fan runs."""
    return _first(facts, THERMOSTAT_FAN_STATE, "state")


def temperature(facts: NodeFacts) -> Place | None:
    """Return where the room's temperature is."""
    return _sensor(facts, _AIR_TEMPERATURE, "Air temperature")


def humidity(facts: NodeFacts) -> Place | None:
    """Return where the room's humidity is."""
    return _sensor(facts, _HUMIDITY, "Humidity")


def set_point(facts: NodeFacts, kind: PointKind, number_of_mode: int | None = None) -> Place | None:
    """Return where the set-point is that a mode uses, by the device's number of the mode; None: the plain one."""
    own = None if number_of_mode is None else _OWN_POINTS[kind].get(number_of_mode)
    found = None if own is None else _first(facts, THERMOSTAT_SETPOINT, "setpoint", own)
    return found or _first(facts, THERMOSTAT_SETPOINT, "setpoint", _POINTS[kind])


def mode_numbers(facts: NodeFacts) -> list[int]:
    """Return the device's modes, by its numbers."""
    return _states(mode(facts))


def fan_numbers(facts: NodeFacts) -> list[int]:
    """Return the device's fan modes, by its numbers."""
    return _states(fan(facts))


def is_fraction(degrees: object) -> bool:
    """Tell whether a set-point is not of whole degrees."""
    told = number(degrees)
    return told is not None and not told.is_integer()


def _fan_runs(facts: NodeFacts, state: int | None) -> bool | None:
    running = integer(_content(fan_state(facts)), high=0xFF)
    if running is not None:
        return running != 0
    return True if state in _FAN_STATES else None


def _first(facts: NodeFacts, command_class: int, name: str, key: int | None = None) -> Place | None:
    found = facts.of_class(command_class).items()
    return next((Place(*one) for one in found if (one[0].name, one[0].key) == (name, key)), None)


def _sensor(facts: NodeFacts, sensor_type: int, name: str) -> Place | None:
    for value_id, value in facts.of_class(SENSOR_MULTILEVEL).items():
        told = mapping(value.metadata.get("ccSpecific")).get("sensorType")
        if told == sensor_type or (told is None and value_id.name == name):
            return Place(value_id, value)
    return None


def _content(place: Place | None) -> object:
    return None if place is None else place.value.value


def _lookup[T](table: dict[int, T], place: Place | None) -> T | None:
    found = integer(_content(place), high=0xFF)
    return None if found is None else table.get(found)


def _states(place: Place | None) -> list[int]:
    return [] if place is None else states(place.value.metadata)


def _unique[T](values: Iterable[T | None]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(value for value in values if value is not None))


def limits(value: Value) -> SetPointRange | None:
    """Return a set-point's limits.

    A thermostat that was switched to another scale reports its set-point in that, and zwave-js then gives the limits
    the new unit too, though they stand as in the interview. The scale with room for the set-point is right.
    """
    unit, now = value.metadata.get("unit"), to_celsius(value.value, value.metadata.get("unit"))
    told, other = _limits(value, unit), _limits(value, "°C" if unit == FAHRENHEIT else FAHRENHEIT)
    if now is None or other is None or (told is not None and told.min_celsius <= now <= told.max_celsius):
        return told
    return other if other.min_celsius <= now <= other.max_celsius else told


def _limits(value: Value, unit: object) -> SetPointRange | None:
    low, high = (to_celsius(value.metadata.get(key), unit) for key in ("min", "max"))
    return SetPointRange(low, high) if low is not None and high is not None and low < high else None


def _celsius(place: Place | None) -> float | None:
    return None if place is None else to_celsius(place.value.value, place.value.metadata.get("unit"))


def to_celsius(raw: object, unit: object) -> float | None:
    """Return degrees Celsius of what a device says in its unit; None for what cannot be."""
    degrees = number(raw)
    if degrees is None:
        return None
    if unit == FAHRENHEIT:
        degrees = (degrees - 32) / 1.8
    return round(degrees, 2) if COLDEST <= degrees <= HOTTEST else None
