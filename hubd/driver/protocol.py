"""The contract between the hub and a driver: two coroutines one way, a port the other."""

import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import tzinfo
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import msgspec

from hubd.driver.actions import Action, ActionResult, Arguments, Progress
from hubd.driver.checks import CHECK, Doctor
from hubd.driver.clock import Clock
from hubd.driver.recording import Order, Recording, Tape
from hubd.driver.simulation import Simulator
from hubd.model.access import HeldKind, Noted
from hubd.model.command import Command
from hubd.model.device import DeviceDescription, Kind
from hubd.model.errors import HubError, writable
from hubd.model.outcome import Outcome
from hubd.model.seen import Seen


class DriverError(HubError):
    """The link is lost. Raised out of `Driver.run`; the supervisor absorbs it, shows it as health and tries again.

    `hop` is one of the manifest's hops; `remedy` tells a technician what to do next.
    """

    def __init__(self, hop: str, code: str, message: str, remedy: str = "", **data: str | float | bool | None) -> None:
        super().__init__(code, message, **data)
        self.hop = hop
        self.remedy = writable(remedy)


class Secrets(Protocol):
    """PINs by reference, and what a driver keeps that nobody may read.

    A revealed PIN lives in a local variable, never in a log, event, error or attribute.
    """

    def seal(self, pin: str) -> str:
        """Keep a PIN and return its reference."""
        ...

    def reveal(self, ref: str) -> str:
        """Return the PIN. Raises `KeyError` when the reference is not known (any more)."""
        ...

    def wrap(self, data: bytes) -> bytes:
        """Seal what the driver writes into `Port.storage` and nobody may read there: keys of locks, pairings.

        Only `unwrap` on this box, for this driver instance, gives it back. Both may be called from any thread.
        """
        ...

    def unwrap(self, data: bytes) -> bytes:
        """Return what was sealed. Raises `HubError` when it was sealed elsewhere, or is damaged."""
        ...


class Port(Protocol):
    """All that a driver sees of the hub."""

    @property
    def instance(self) -> str:
        """The `<id>` of the driver's `[drivers.<id>]` table."""
        ...

    @property
    def clock(self) -> Clock:
        """The hub's clock; a driver asks no other."""
        ...

    @property
    def zone(self) -> tzinfo:
        """The time zone of the site, for devices that keep the time on the wall."""
        ...

    @property
    def is_time_trusted(self) -> bool:
        """Whether `clock.now()` is relied on at the moment. While it is not, no device's clock is set by it."""
        ...

    @property
    def log(self) -> "logging.Logger | logging.LoggerAdapter[logging.Logger]":
        """The log of this instance."""
        ...

    @property
    def secrets(self) -> Secrets:
        """The PINs behind references."""
        ...

    @property
    def storage(self) -> Path:
        """A directory (0700) of this instance in the hub's data directory; part of every backup of the hub."""
        ...

    @property
    def known(self) -> Mapping[str, DeviceDescription]:
        """The devices of this instance that the hub holds to be present, by native id, from earlier lives too."""
        ...

    def ready(self) -> None:
        """Say that the link works and every device present was `found`. Ends the pause-growing of reconnects."""
        ...

    def hop_lost(self, error: DriverError) -> None:
        """Say that a hop behind the living link is gone (a controller behind its server). `run` goes on."""
        ...

    def hop_back(self, hop: str) -> None:
        """Say that such a hop works again."""
        ...

    async def found(self, description: DeviceDescription, *seen: Seen) -> str:
        """Announce a device with its first readings; durable when it returns the `device_id`. Repeat it freely.

        Without a `ReachabilitySeen`, a new device counts as answering, and of a known one stays what was known.
        """
        ...

    async def removed(self, native_id: str, reason: str) -> None:
        """Pass on a positive statement of the network that the device is gone. Absence is not a statement."""
        ...

    async def missing(self, *native_ids: str) -> None:
        """Pass on a complete, successful scan of the network: these of the known devices were not in it.

        Call it after each such scan, with none if all were there. The hub removes a device that three scans in a row
        did not find, the first and the last at least ten minutes apart. A scan that may have missed something is none.
        """
        ...

    @property
    def bookmark(self) -> str | None:
        """How far the driver has read what it reads once (an audit trail), as it last said to `note`."""
        ...

    def held(self, kind: HeldKind) -> frozenset[str]:
        """Return the native ids of what the hub holds an access control system to have, from earlier lives too."""
        ...

    async def note(self, *noted: Noted, bookmark: str | None = None) -> None:
        """Hand over what an access control system holds and told; durable when it returns. Repeat what it holds freely.

        Lines of an audit trail are events, each time that they are handed over. `bookmark` becomes durable with them,
        in one step, so that a trail which is read on from `Port.bookmark` is told of once. Doors are `found` before.
        Raises `DriverError` (`life_over`) after the life of the port, and `TypeError` of a driver whose manifest names
        no access control system.
        """
        ...

    def caution(self, code: str, message: str | None, remedy: str = "") -> None:
        """Say that something about the system is not as it should be, though it works; None: it is so no more.

        A lost link does not clear it.
        """
        ...

    def waiting(self, key: str, name: str, reason: str | None) -> None:
        """Say that something on the network cannot be announced yet and why (a sentence); None: no more.

        `key` is the driver's own (a node number), `name` what a technician calls it ("Node 6").
        """
        ...

    async def publish(self, *seen: Seen) -> None:
        """Hand over what was seen; durable when it returns."""
        ...


class Driver(Protocol):
    """One instance of a driver, for one `[drivers.<id>]` table. Kept over reconnects."""

    async def run(self, port: Port) -> None:
        """Live one life of the link: connect, announce, `port.ready()`, listen. Cancellation is stop.

        Raises `DriverError` when the link is lost. Returning means the same. Any other exception is a defect of the
        driver: it is logged with its traceback, shown as health, and the driver is started again after a pause.
        """
        ...

    async def execute(self, command: Command) -> Outcome:
        """Do one command and say honestly how it ended. Cancelled when the command's deadline passes.

        Never raises for what the network or the device does; `DriverError` counts as UNREACHABLE. Must answer
        UNREACHABLE at once while the link is down.
        """
        ...


@runtime_checkable
class ActingDriver(Driver, Protocol):
    """A driver whose manifest lists actions."""

    async def act(self, action: str, arguments: Arguments, native_id: str | None, progress: Progress) -> ActionResult:
        """Do one of the manifest's actions; `arguments` is of the action's type.

        Raises `ActionError`; `DriverError` when the link is (or goes) down. Cancelled when a person gives up, when the
        time is over and when the daemon stops: it then leaves nothing half done (an inclusion is stopped).
        """
        ...


@runtime_checkable
class RecordableDriver(Driver, Protocol):
    """A driver whose link can be recorded, while it works and without disturbing it."""

    def record(self, clock: Clock) -> AbstractAsyncContextManager[Tape]:
        """Return a context that records while it is entered; times are by `clock`.

        The tape begins with all that a replay has to know (the state of the whole network), goes on over reconnects,
        and holds no PIN, key, token or name of a person in any form. Slow reading ends the tape, never holds the link.
        """
        ...


class DriverConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of a driver's own keys in its `[drivers.<id>]` table."""


type ConfigClass = type[DriverConfig]


class Replay(Protocol):
    """Plays a recording to a driver."""

    def __call__(self, recording: Recording, clock: Clock, order: Order) -> AbstractAsyncContextManager[DriverConfig]:
        """Return a context; inside it a driver made with the config it gives lives through the recording.

        Frames come at their times by `clock`, from the driver's first connection on. Raises `RecordingError`.
        """
        ...


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What the entry point in group `hubd.drivers` gives: everything the hub knows of a driver before it runs."""

    type: str
    title: str
    config: ConfigClass
    create: Callable[[Any], Driver]
    """Makes a driver from an instance of `config`. Does no input or output."""
    hops: tuple[str, ...]
    """Names of the hops from hub to device, nearest first, as shown by health."""
    kinds: tuple[Kind, ...] = ("lock",)
    """Kinds that are managed without being asked for (`include_kinds` in the table overrides)."""
    budget: int = 1
    """How many commands may be under way at once over this instance's link."""
    actions: tuple[Action, ...] = ()
    """What people can have the driver do; the driver then is an `ActingDriver`."""
    doctor: Doctor | None = None
    """Set-up checks: `hubd doctor`, and the action `check` that every driver with checks has."""
    replay: Replay | None = None
    """How the recordings of such a driver are played; its drivers then are `RecordableDriver`s."""
    access_system: str | None = None
    """What Seam calls the access control system that an instance is, such as `salto_space`; None: it is none."""
    simulator: Simulator | None = None
    """Plays what such a driver talks to (`hubd sim`)."""
    is_simulator: bool = False
    """The devices live in this process; the sandbox routes (`simulate`) work on them."""

    def __post_init__(self) -> None:
        """Check what the hub takes for granted."""
        if not self.hops or self.budget < 1:
            raise ValueError(f"the manifest of {self.type!r} must name a hop and have a budget of at least 1")
        if self.doctor is not None and any(action.name == CHECK for action in self.actions):
            raise ValueError(f"the manifest of {self.type!r} has checks, so the action {CHECK!r} is the hub's")
