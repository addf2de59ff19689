"""What a driver saw on its network: the closed union that goes through `Port.publish`.

A driver tells what it saw; the hub decides whether that is news. `occurred_at` is the device's time where it has one.
"""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from hubd.model.climate import ClimateSource
from hubd.model.code import CodeChange, TimeFrame
from hubd.model.state import Climate, EntranceCondition, LinkQuality

type Method = Literal["keycode", "manual", "automatic", "unknown", "remote", "card"]
type DenialReason = Literal[
    "unknown_code",
    "expired_code",
    "blocklisted_code",
    "too_many_attempts",
    "blocked_by_privacy_mode",
    "credential_error",
]


class SeenBase(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    """Common part: which device, and when it happened (None: when it was received)."""

    native_id: str
    occurred_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


class ReachabilitySeen(SeenBase, frozen=True, kw_only=True, tag="reachability"):
    """The device answers, or does not; `reason` is a sentence for a technician."""

    online: bool
    reason: str | None = None


class LockSeen(SeenBase, frozen=True, kw_only=True, tag="lock"):
    """Position of the bolt. `method` None is a plain reading: an event only if it differs from what was known.

    A reading with a method is a use of the lock and always an event. `locked` None: position unknown.
    """

    locked: bool | None
    method: Method | None = None
    user_slot: int | None = None
    request_id: str | None = None
    """The command that caused it, where the driver is sure."""
    jammed: bool = False


class DoorSeen(SeenBase, frozen=True, kw_only=True, tag="door"):
    """The door leaf."""

    open: bool | None


class BatterySeen(SeenBase, frozen=True, kw_only=True, tag="battery"):
    """`level` 0.0 to 1.0."""

    level: float
    low: bool = False


class ClimateSeen(SeenBase, frozen=True, kw_only=True, tag="climate"):
    """The whole condition of a thermostat; members that are None are not known."""

    climate: Climate
    source: ClimateSource | None = None
    """Who changed a setting, where the driver has a sign of it; None: it has none."""


class DenialSeen(SeenBase, frozen=True, kw_only=True, tag="denial"):
    """Somebody was refused at the lock."""

    reason: DenialReason
    message: str


class TamperSeen(SeenBase, frozen=True, kw_only=True, tag="tamper"):
    """The device reports that somebody is at its housing."""


class LinkSeen(SeenBase, frozen=True, kw_only=True, tag="link"):
    """How well the device is reached; telemetry, never an event."""

    link: LinkQuality


class CodeSeen(SeenBase, frozen=True, kw_only=True, tag="code"):
    """What one slot of a keypad holds."""

    slot: int
    is_used: bool
    pin_ref: str | None = None
    """The PIN, sealed by `port.secrets`; None: the slot is empty, or the lock does not tell."""
    is_enabled: bool = True
    """False: the PIN is there and does not open."""
    frame: TimeFrame | None = None
    """The time frame the lock itself keeps to; None: it has none, or does not tell."""
    is_frame_told: bool = False
    """The lock tells what frame a code has: one without has none, and opens at any time."""
    is_cached: bool = False
    """Not read from the lock now, but kept since some time by whoever stands between."""


class CodeHintSeen(SeenBase, frozen=True, kw_only=True, tag="code_hint"):
    """The lock says that somebody changed its codes; what it then holds is still to be read."""

    change: CodeChange
    slot: int | None = None
    """None: it does not say which."""


class EntranceSeen(SeenBase, frozen=True, kw_only=True, tag="entrance"):
    """What a door of an access control system is in; conditions that are not named are not known."""

    conditions: dict[EntranceCondition, bool]


type Seen = (
    ReachabilitySeen
    | LockSeen
    | DoorSeen
    | BatterySeen
    | ClimateSeen
    | DenialSeen
    | TamperSeen
    | LinkSeen
    | CodeSeen
    | CodeHintSeen
    | EntranceSeen
)
