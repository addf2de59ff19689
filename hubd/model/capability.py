"""What a device can do, as data with limits. Validation, planner and page read the same values."""

from typing import Literal

import msgspec

from hubd.model.degrees import Scale

type HvacMode = Literal["off", "heat", "cool", "heat_cool", "eco"]
type FanMode = Literal["auto", "on", "circulate"]
type EntranceType = Literal["door", "room", "suite", "locker"]
type CodeRule = Literal[
    "no_zeros",
    "cannot_start_with_12",
    "no_triple_consecutive_ints",
    "no_ascending_or_descending_sequence",
    "at_least_three_unique_digits",
    "cannot_contain_089",
    "cannot_contain_0789",
    "unique_first_four_digits",
    "no_all_same_digits",
]
"""What a maker forbids of a PIN, in Seam's words (`device.properties.code_constraints`)."""


class LockCapability(msgspec.Struct, frozen=True, omit_defaults=True):
    """A bolt that the hub can move. A door opener that only unlocks has `can_lock=False`."""

    can_lock: bool = True
    can_unlock: bool = True
    reports_door: bool = False
    """The lock tells whether the door stands open."""


class KeypadCapability(msgspec.Struct, frozen=True, omit_defaults=True):
    """PIN codes on the device. Slots are numbered from 1 to `slots`, as the device numbers them."""

    slots: int
    min_length: int = 4
    max_length: int = 8
    lengths: tuple[int, ...] = ()
    """The only lengths it takes, where it does not take all between the bounds."""
    rules: tuple[CodeRule, ...] = ()
    reserved_slots: tuple[int, ...] = ()
    """Slots that the hub never uses, reads or clears (a master code)."""
    tells_pins: bool = True
    """False: it tells only whether a slot is in use, or answers with stars."""
    has_schedules: bool = False
    """It takes a time frame along with a PIN, and keeps to it by its own clock."""
    has_one_time: bool = False
    """It takes codes that work once."""

    @property
    def code_lengths(self) -> tuple[int, ...]:
        """Every length that it takes, shortest first."""
        return self.lengths or tuple(range(self.min_length, self.max_length + 1))


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
    min_delta_celsius: float | None = None
    """How far the cooling set-point must be above the heating one in `heat_cool`; None: the device does not say."""
    scale: Scale = "celsius"
    """The scale that the device counts in."""
    step: float | None = None
    """Its smallest step of a set-point, in `scale`; None: the device does not say."""
    reports_humidity: bool = False


class EntranceCapability(msgspec.Struct, frozen=True, omit_defaults=True):
    """A door of an access control system. Whether the hub can open it is in the `lock` capability."""

    type: EntranceType = "door"
    is_standalone: bool = False
    """It is neither wired nor on the radio: it learns and tells by the cards that are held to it."""
    description: str = ""
    audits_on_keys: bool = False


class EncoderCapability(msgspec.Struct, frozen=True, omit_defaults=True):
    """A device that writes cards."""


class Capabilities(msgspec.Struct, frozen=True, omit_defaults=True):
    """All that a device offers; a missing member is a missing ability."""

    lock: LockCapability | None = None
    keypad: KeypadCapability | None = None
    thermostat: ThermostatCapability | None = None
    entrance: EntranceCapability | None = None
    encoder: EncoderCapability | None = None
    battery: bool = False
    battery_report_hours: float | None = None
    """How often the device promises to report its battery; None where it does not say."""
    simulated: bool = False
    """The device lives in this process and takes the `simulate` commands."""
