"""A simulated thermostat: what it takes, and what it then does. Pure: the time is passed in."""

from typing import Final

import msgspec
from msgspec.structs import replace

from hubd.model import Climate, ClimateSetting, HubError, Scale, SetPointRange, ThermostatCapability
from hubd.model.climate import setting_of
from hubd.model.degrees import fahrenheit, snapped

AWAKE_SECONDS: Final = 10.0
"""How long a battery valve listens after it woke, or was last spoken to."""
COLDEST, HOTTEST = -40.0, 60.0
"""Degrees Celsius that its sensor measures."""
_STEPS: Final[dict[Scale, float]] = {"celsius": 0.5, "fahrenheit": 1.0}
_MIN_DELTA: Final = 1.5
_SLACK: Final = 0.005
"""Between two floats that are one hundredth of a degree."""
_NEW: Final = Climate(
    temperature_celsius=21.5,
    relative_humidity=0.44,
    hvac_mode="heat",
    fan_mode="auto",
    heating_set_point_celsius=21.0,
    cooling_set_point_celsius=25.0,
)


class ThermostatError(HubError):
    """The thermostat refuses; `code` is that of the outcome."""


class Thermostat(msgspec.Struct):
    """One thermostat, its room included."""

    capability: ThermostatCapability
    climate: Climate
    is_sleepy: bool = False
    """It is a battery valve, which listens only for a while after it woke."""
    awake_until: float = 0.0
    """On the monotonic clock."""
    is_new: bool = True
    """It is as it left the factory."""

    def put(self, setting: ClimateSetting) -> None:
        """Set it, on its own steps. Raises `ThermostatError`; then nothing is changed."""
        self._become(self._taken(setting))

    def warm(self, celsius: float) -> None:
        """Have the room be so warm. Raises `ThermostatError`; then nothing is changed."""
        self._become(replace(self.climate, temperature_celsius=self._measured(celsius)))

    def restore(self, climate: Climate) -> None:
        """Be as it was before. Raises `ThermostatError` if it cannot be so any more; then nothing is changed."""
        before, celsius = self._taken(setting_of(climate)), climate.temperature_celsius
        if celsius is not None:
            before = replace(before, temperature_celsius=self._measured(celsius))
        self._become(before)

    def wake(self, now: float) -> None:
        """Listen for a while."""
        self.awake_until = now + AWAKE_SECONDS

    def is_asleep(self, now: float) -> bool:
        """Whether it does not listen."""
        return self.is_sleepy and now >= self.awake_until

    def _become(self, climate: Climate) -> None:
        self.climate, self.is_new = running(climate), False

    def _taken(self, setting: ClimateSetting) -> Climate:
        """Return what it makes of a setting."""
        known = self.capability
        if setting.hvac_mode not in {None, *known.hvac_modes}:
            message = f"The thermostat has no mode {setting.hvac_mode}; it has: {', '.join(known.hvac_modes)}."
            raise ThermostatError("mode_not_supported", message)
        if setting.fan_mode not in {None, *known.fan_modes}:
            message = f"The thermostat has no fan mode {setting.fan_mode}; it has: {', '.join(known.fan_modes)}."
            raise ThermostatError("fan_mode_not_supported", message)
        heating = self._on_step("heating", setting.heating_set_point_celsius, known.heating)
        cooling = self._on_step("cooling", setting.cooling_set_point_celsius, known.cooling)
        points = {"heating_set_point_celsius": heating, "cooling_set_point_celsius": cooling}
        taken = replace(setting, **points).over(setting_of(self.climate))
        self._keep_apart(taken)
        return replace(self.climate, **dict(taken.members()))

    def _measured(self, celsius: float) -> float:
        if not COLDEST <= celsius <= HOTTEST:
            message = f"The sensor measures {self._words(COLDEST)} to {self._words(HOTTEST)}."
            raise ThermostatError("temperature_out_of_range", message)
        return round(celsius, 2)

    def _on_step(self, name: str, celsius: float | None, bounds: SetPointRange | None) -> float | None:
        if celsius is None:
            return None
        if bounds is None:
            raise ThermostatError("set_point_out_of_range", f"The thermostat has no {name} set-point.")
        if not bounds.min_celsius - _SLACK <= celsius <= bounds.max_celsius + _SLACK:
            lowest, highest = self._words(bounds.min_celsius), self._words(bounds.max_celsius)
            message = f"The thermostat takes {name} set-points of {lowest} to {highest}, not {self._words(celsius)}."
            raise ThermostatError("set_point_out_of_range", message)
        return snapped(celsius, self.capability.scale, self.capability.step)

    def _keep_apart(self, taken: ClimateSetting) -> None:
        heating, cooling = taken.heating_set_point_celsius, taken.cooling_set_point_celsius
        delta = self.capability.min_delta_celsius or 0.0
        if taken.hvac_mode != "heat_cool" or heating is None or cooling is None:
            return
        if heating + delta > cooling + _SLACK:
            message = (
                f"In mode heat_cool the cooling set-point must be {delta:g} °C above the heating set-point;"
                f" {self._words(cooling)} is not, with {self._words(heating)}."
            )
            raise ThermostatError("set_points_too_close", message)

    def _words(self, celsius: float) -> str:
        is_celsius = self.capability.scale == "celsius"
        return f"{celsius:g} °C" if is_celsius else f"{fahrenheit(celsius):g} °F"


def running(climate: Climate) -> Climate:
    """Return a condition with what the device then does: heats what is too cold, cools what is too warm."""
    mode, now = climate.hvac_mode, climate.temperature_celsius
    heating, cooling = climate.heating_set_point_celsius, climate.cooling_set_point_celsius
    heats = mode in {"heat", "heat_cool"} and None not in {now, heating} and (now or 0.0) < (heating or 0.0)
    cools = mode in {"cool", "heat_cool"} and None not in {now, cooling} and (now or 0.0) > (cooling or 0.0)
    blows = heats or cools or climate.fan_mode == "on"
    return replace(climate, is_heating=heats, is_cooling=cools, is_fan_running=blows)


def new_thermostat(scale: Scale = "celsius", *, is_sleepy: bool = False) -> Thermostat:
    """Build a thermostat as it leaves the factory."""
    capability = ThermostatCapability(
        hvac_modes=("off", "heat", "cool", "heat_cool"),
        fan_modes=("auto", "on"),
        heating=SetPointRange(5.0, 30.0),
        cooling=SetPointRange(15.0, 35.0),
        min_delta_celsius=_MIN_DELTA,
        scale=scale,
        step=_STEPS[scale],
        reports_humidity=True,
    )
    made = Thermostat(capability, _NEW, is_sleepy)
    made.put(setting_of(_NEW))
    made.is_new = True
    return made
