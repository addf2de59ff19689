"""What a setting means on one device: which of its values are to be set, to what, in which order. Pure."""

import math
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from hubd.model import ClimateSetting, Detail, Outcome, SetPointRange, rejected, unsupported
from hubd_drivers.zwave import climate
from hubd_drivers.zwave.climate import FAHRENHEIT, FAN_MODES, MODES, Place, PointKind
from hubd_drivers.zwave.facts import NodeFacts, ValueId, integer, number

TENTH: Final = 0.1
"""Steps in which is sent to a device that does not say how it rounds: it does so itself."""
_SLACK: Final = 0.06
"""Degrees by which a limit may lie off a tenth for having been put into the other scale and back."""
_COOLING_ALONE: Final = frozenset({2, 12})


class Target(NamedTuple):
    """One value of the device, and the number that it is to hold, in the device's own scale."""

    name: str
    """The member of `ClimateSetting`."""
    id: ValueId
    raw: float


class Targets(NamedTuple):
    """All that is to be set."""

    mode: Target | None = None
    heating: Target | None = None
    cooling: Target | None = None
    fan: Target | None = None

    def in_order(self, facts: NodeFacts) -> Sequence[Target]:
        """Return the set-points so that the distance between them is never less than before or after.

        When heating rises, cooling goes first; else heating does. `facts`: how they stand now.
        """
        pair = [self.heating, self.cooling]
        if self.heating is not None:
            before = number(facts.get(self.heating.id))
            if before is not None and self.heating.raw > before:
                pair.reverse()
        return [target for target in pair if target is not None]


def targets(setting: ClimateSetting, facts: NodeFacts, step: float | None) -> Targets | Outcome:
    """Return what is to be set, or why it cannot be. `step`: the smallest of a device that counts in Fahrenheit."""
    mode = fan = None
    now = _content(climate.mode(facts))
    if setting.hvac_mode is not None:
        mode = _choice("hvac_mode", climate.mode(facts), climate.mode_numbers(facts), MODES, setting.hvac_mode)
        if mode is None:
            return unsupported(f"The device has no mode {setting.hvac_mode}.", {"hvac_mode": setting.hvac_mode})
        now = int(mode.raw)
    if setting.fan_mode is not None:
        fan = _choice("fan_mode", climate.fan(facts), climate.fan_numbers(facts), FAN_MODES, setting.fan_mode)
        if fan is None:
            return unsupported(f"The device has no fan mode {setting.fan_mode}.", {"fan_mode": setting.fan_mode})
    points: dict[PointKind, Target | None] = {"heating": None, "cooling": None}
    for kind in points:
        name = f"{kind}_set_point_celsius"
        celsius = getattr(setting, name)
        if celsius is None:
            continue
        place = climate.set_point(facts, kind, now)
        if place is None:
            return unsupported(f"The device has no {kind} set-point.", {"set_point": kind})
        limits = climate.limits(place.value)
        if limits is not None and not _is_within(celsius, limits):
            return _out_of_range(kind, celsius, limits)
        points[kind] = Target(name, place.id, raw_of(celsius, place, step))
    return Targets(mode, points["heating"], points["cooling"], fan)


def points_in_use(facts: NodeFacts) -> list[Place]:
    """Return the set-points that the mode now uses; in a mode that uses none, or is not known, all."""
    now = _content(climate.mode(facts))
    hub_mode = None if now is None else MODES.get(now)
    kinds: list[PointKind] = ["heating", "cooling"]
    if now in _COOLING_ALONE:
        kinds.remove("heating")
    elif hub_mode in {"heat", "eco"}:
        kinds.remove("cooling")
    found = [climate.set_point(facts, kind, now) for kind in kinds]
    return [place for place in found if place is not None]


def raw_of(celsius: float, place: Place, step: float | None) -> float:
    """Return a set-point in the scale of the device, on one of its steps, and not beyond its limits."""
    is_fahrenheit = place.value.metadata.get("unit") == FAHRENHEIT
    grain = step if step is not None and is_fahrenheit else TENTH
    raw = _in_scale(celsius, is_fahrenheit=is_fahrenheit)
    steps = round(raw / grain)
    limits = climate.limits(place.value)
    if limits is not None:
        low, high = (_in_scale(end, is_fahrenheit=is_fahrenheit) for end in (limits.min_celsius, limits.max_celsius))
        steps = max(steps, math.ceil((low - _SLACK) / grain))
        steps = min(steps, math.floor((high + _SLACK) / grain))
    return round(steps * grain, 2)


def _in_scale(celsius: float, *, is_fahrenheit: bool) -> float:
    return celsius * 1.8 + 32 if is_fahrenheit else celsius


def _choice[T](
    name: str, place: Place | None, numbers: Sequence[int], table: Mapping[int, T], wanted: T
) -> Target | None:
    """Return the device's own number for a mode: the one it is in if that means the same, else the plainest."""
    if place is None:
        return None
    fit = [one for one in table if table[one] == wanted and one in numbers]
    if not fit:
        return None
    now = _content(place)
    return Target(name, place.id, now if now is not None and now in fit else fit[0])


def _content(place: Place | None) -> int | None:
    return None if place is None else integer(place.value.value, high=0xFF)


def _is_within(celsius: float, limits: SetPointRange) -> bool:
    return limits.min_celsius - _SLACK <= celsius <= limits.max_celsius + _SLACK


def _out_of_range(kind: str, celsius: float, limits: SetPointRange) -> Outcome:
    low, high = limits.min_celsius, limits.max_celsius
    message = f"The {kind} set-point of this device goes from {low:g} to {high:g} °C, not to {celsius:g} °C."
    detail: Detail = {"set_point": kind, "min_celsius": low, "max_celsius": high}
    return rejected("set_point_out_of_range", message, detail)
