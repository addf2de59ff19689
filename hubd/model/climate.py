"""Words for thermostats that commands, readings and records share."""

from collections.abc import Iterator
from typing import Literal

import msgspec
from msgspec.structs import replace

from hubd.model.capability import FanMode, HvacMode, ThermostatCapability
from hubd.model.degrees import is_same
from hubd.model.state import Climate

type ClimateSource = Literal["manual", "program", "controller", "unknown"]
"""Who changed a setting, most likely: somebody at the device, its own program, another controller of its network."""


class ClimateSetting(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a thermostat is to be set to. A member that is None is left as it is. Degrees Celsius."""

    hvac_mode: HvacMode | None = None
    fan_mode: FanMode | None = None
    heating_set_point_celsius: float | None = None
    cooling_set_point_celsius: float | None = None

    def __bool__(self) -> bool:
        """Whether anything is to be set."""
        return any(value is not None for _, value in self.members())

    def members(self) -> Iterator[tuple[str, object]]:
        """Return each member with its name."""
        return ((name, getattr(self, name)) for name in self.__struct_fields__)

    def over(self, below: "ClimateSetting") -> "ClimateSetting":
        """Return this setting, with what it leaves open as `below` has it."""
        return replace(below, **{name: value for name, value in self.members() if value is not None})

    def missing(self, climate: Climate | None, capability: ThermostatCapability) -> "ClimateSetting":
        """Return what of this a thermostat is not set to, as far as is known."""
        if climate is None:
            return self
        names = [
            name for name, value in self.members() if value is not None and not _holds(self, climate, name, capability)
        ]
        return ClimateSetting(**{name: getattr(self, name) for name in names})


def setting_of(climate: Climate) -> ClimateSetting:
    """Return what a thermostat is set to."""
    return ClimateSetting(
        climate.hvac_mode,
        climate.fan_mode,
        climate.heating_set_point_celsius,
        climate.cooling_set_point_celsius,
    )


def changed(before: Climate, after: Climate, capability: ThermostatCapability) -> tuple[str, ...]:
    """Return the names of the settings that changed; to learn one, or to lose sight of one, is no change."""
    old, new = setting_of(before), setting_of(after)
    known = [name for name, value in old.members() if value is not None and getattr(new, name) is not None]
    return tuple(name for name in known if not _holds(old, after, name, capability))


def _holds(setting: ClimateSetting, climate: Climate, name: str, capability: ThermostatCapability) -> bool:
    wanted, held = getattr(setting, name), getattr(climate, name)
    if name.endswith("_celsius"):
        return is_same(wanted, held, capability.scale, capability.step)
    return bool(wanted == held)
