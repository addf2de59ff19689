"""Rows of access codes: what is wished of each, and what of it is on its lock. Held in memory whole."""

from datetime import datetime
from typing import Literal

import msgspec

from hubd.model.code import TimeFrame

type PlacementState = Literal["sent", "set", "clearing"]


class SealedPin(msgspec.Struct, frozen=True):
    """A PIN at rest. `mark` is its keyed fingerprint: equal for equal PINs, worth nothing without the box's key."""

    sealed: bytes
    mark: bytes

    def __repr__(self) -> str:
        return "SealedPin(…)"


class Placement(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a code's slot on its lock holds, as far as is known.

    `sent`: a PIN was sent, and nothing tells whether it is there. `set`: it is there. `clearing`: the slot was told to
    be empty, and nothing tells whether it is. The first and the last are durable before anything is sent.
    """

    slot: int
    state: PlacementState
    since: datetime
    mark: bytes | None = None
    """Of the PIN that is there, or was sent; None: the lock does not tell PINs, and the hub did not put it there."""
    frame: TimeFrame | None = None
    """The time frame that the lock itself keeps to."""
    is_verified: bool = True
    """False: the lock confirmed it, but does not tell PINs, so that nobody can compare."""
    is_enabled: bool = True
    """False: the lock holds the PIN and does not open for it."""
    is_over: bool = False
    """Of `sent`: this code's slot was not empty before."""
    is_early: bool = False
    """It was put there before its start, and that it has begun was not told yet."""


class Trouble(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a code is not as it should be: the last attempt's end. Gone with the next success."""

    code: str
    """Seam's `error_code`."""
    message: str
    since: datetime
    """When the first of the attempts in a row failed."""
    attempts: int
    retry_at: datetime
    conflict_id: str | None = None
    """The other code on the lock that has the same PIN."""
    is_told: bool = False
    """The event of it was told."""


class Tampering(msgspec.Struct, frozen=True, omit_defaults=True):
    """Somebody else changed or removed the code on its lock, against the wish."""

    change: Literal["modified", "removed"]
    at: datetime
    times: int = 1
    """How often within a day; what is put back grows slower with it."""


class CodeRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """An access code of one device. What nobody wished and yet is on the lock is one that `is_managed` is false of."""

    code_id: str
    device_id: str
    created_at: datetime
    changed_at: datetime
    """When the wish was made or last changed: from then on, or from its start, it is due."""
    created_by: str = ""
    is_managed: bool = True
    name: str | None = None
    pin: SealedPin | None = None
    """None only of an unmanaged code whose lock does not tell PINs."""
    is_pin_chosen: bool = False
    """Whoever asked for the code chose its PIN; else the hub may take another one before it is on the lock."""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    """None: the code is `ongoing`. A code has both times or an end or neither; a start alone has only a backup code
    that was pulled and whose code was made ongoing since: it is no spare one any more."""
    common_code_key: str | None = None
    is_external_modification_allowed: bool = False
    prefers_native: bool = True
    """A lock that keeps to time frames itself gets this one ahead of time."""
    is_one_time: bool = False
    is_backup: bool = False
    """A spare one of the device's pool, or pulled from it."""
    pulled_backup_id: str | None = None
    """The backup code that is used in place of this one."""
    placement: Placement | None = None
    trouble: Trouble | None = None
    tampering: Tampering | None = None
    is_delay_told: bool = False
    """The event of a delay in setting or removing was told."""
    deleted_at: datetime | None = None
    deleted_by: str = ""


class Doubt(msgspec.Struct, frozen=True, omit_defaults=True):
    """One reading of a slot that differs from what was known; a second one that agrees with it is believed."""

    slot: int
    is_used: bool
    at: datetime
    mark: bytes | None = None
    is_enabled: bool = True
    times: int = 1
    """How many readings in a row told something else each time."""


class CodeBook(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of a keypad besides its codes."""

    device_id: str
    unread: tuple[int, ...] | None = None
    """Slots that were never read; None: none was. No code is put into one."""
    hearsay: tuple[int, ...] = ()
    """Those of them that a cache says are empty: there is no hurry to read them."""
    doubts: tuple[Doubt, ...] = ()
    hints: tuple[int, ...] = ()
    """Slots that the lock says somebody changed; they are read soon."""
    swept_slot: int = 0
    """The slot that the slow sweep read last."""
    swept_at: datetime | None = None
    """When it did."""
    has_backup_pool: bool = False
    foreign_changes: tuple[datetime, ...] = ()
    """When somebody else changed managed codes, lately."""
    report: "Constraints | None" = None

    def is_known(self, slot: int) -> bool:
        """Whether a slot was ever read."""
        return self.unread is not None and slot not in self.unread


class Constraints(msgspec.Struct, frozen=True, omit_defaults=True):
    """What somebody reported of the device's code lengths (`/access_codes/report_device_constraints`)."""

    min_length: int | None = None
    max_length: int | None = None
    lengths: tuple[int, ...] = ()
