"""What is known of a device's condition, each reading with the time it was measured."""

from datetime import datetime
from typing import Literal

import msgspec

from hubd.model.capability import FanMode, HvacMode

type EntranceCondition = Literal[
    "office_mode",
    "privacy_mode",
    "left_open",
    "intrusion",
    "tamper",
    "emergency_open",
    "emergency_close",
    "low_battery",
]
"""What a door of an access control system can be in besides open and closed."""


class BatteryReading(msgspec.Struct, frozen=True, omit_defaults=True):
    """`level` is 0.0 to 1.0; `low` is the device's own low-battery flag."""

    level: float
    measured_at: datetime
    low: bool = False
    suspect_level: float | None = None
    """A later level that is too far below to be believed before a second reading agrees with it."""
    suspect_at: datetime | None = None
    """When that was measured; there with `suspect_level`."""


class LinkQuality(msgspec.Struct, frozen=True, omit_defaults=True):
    """How well a device is reached over its radio. `None` means not known."""

    measured_at: datetime
    signal_dbm: float | None = None
    """Strength at which its last answer was received."""
    round_trip_ms: float | None = None
    """From a command to its answer, averaged by the network."""
    route: tuple[str, ...] | None = None
    """Names of the devices that pass its messages on, nearest to the hub first; empty: it is reached directly."""
    lost_ratio: float | None = None
    """Share of the commands sent to it that were not answered, 0.0 to 1.0."""


class Climate(msgspec.Struct, frozen=True, omit_defaults=True):
    """A thermostat's condition. Temperatures in degrees Celsius, humidity 0.0 to 1.0."""

    temperature_celsius: float | None = None
    relative_humidity: float | None = None
    hvac_mode: HvacMode | None = None
    fan_mode: FanMode | None = None
    heating_set_point_celsius: float | None = None
    cooling_set_point_celsius: float | None = None
    is_heating: bool | None = None
    is_cooling: bool | None = None
    is_fan_running: bool | None = None


class Mark(msgspec.Struct, frozen=True):
    """Whether a door is in a condition, and since when that is so."""

    is_on: bool
    since: datetime


class DeviceState(msgspec.Struct, frozen=True, omit_defaults=True):
    """`None` means not known, which is never shown as a value."""

    online: bool = False
    offline_reason: str | None = None
    """A sentence for a technician; set whenever `online` is false."""
    changed_at: datetime | None = None
    """When `online` last changed."""
    locked: bool | None = None
    jammed: bool = False
    door_open: bool | None = None
    battery: BatteryReading | None = None
    climate: Climate | None = None
    link: LinkQuality | None = None
    conditions: dict[EntranceCondition, Mark] = {}
    """Of a door of an access control system; one that is missing is not known."""
