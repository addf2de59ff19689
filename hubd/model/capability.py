"""What a device can do, as data with limits. Validation, planner and page read the same values."""

from typing import Literal

import msgspec

type HvacMode = Literal["off", "heat", "cool", "heat_cool", "eco"]
type FanMode = Literal["auto", "on", "circulate"]


class LockCapability(msgspec.Struct, frozen=True, omit_defaults=True):
    """A bolt that the hub can move. A door opener that only unlocks has `can_lock=False`."""

    can_lock: bool = True
    can_unlock: bool = True
    reports_door: bool = False
    """The lock tells whether the door stands open."""


class KeypadCapability(msgspec.Struct, frozen=True, omit_defaults=True):
    """PIN codes on the device."""

    slots: int
    min_length: int = 4
    max_length: int = 8


class SetPointRange(msgspec.Struct, frozen=True):
    """Limits of a set-point in degrees Celsius."""

    min_celsius: float
    max_celsius: float


class ThermostatCapability(msgspec.Struct, frozen=True, omit_defaults=True):
    """Modes and limits exactly as the device gives them."""

    hvac_modes: tuple[HvacMode, ...] = ()
    fan_modes: tuple[FanMode, ...] = ()
    heating: SetPointRange | None = None
    cooling: SetPointRange | None = None
    reports_humidity: bool = False


class Capabilities(msgspec.Struct, frozen=True, omit_defaults=True):
    """All that a device offers; a missing member is a missing ability."""

    lock: LockCapability | None = None
    keypad: KeypadCapability | None = None
    thermostat: ThermostatCapability | None = None
    battery: bool = False
    battery_report_hours: float | None = None
    """How often the device promises to report its battery; None where it does not say."""
    simulated: bool = False
    """The device lives in this process and takes the `simulate` commands."""
