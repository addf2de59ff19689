"""Rows of the folded tables. Held in memory whole; the database keeps each as one encoded body."""

from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from hubd.model.command import Order
from hubd.model.device import Device
from hubd.model.event import Event
from hubd.model.outcome import Outcome
from hubd.model.state import DeviceState

DROPS: Final = 3
"""Told losses within the window that make a device's connection flaky."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(moment: datetime) -> int:
    """Return microseconds since 1970 UTC."""
    return (moment - EPOCH) // _MICROSECOND


def moment(value: int) -> datetime:
    """Return the aware UTC time of `micros`."""
    return EPOCH + timedelta(microseconds=value)


class Absence(msgspec.Struct, frozen=True):
    """Complete scans in a row that did not find a device."""

    scans: int
    since: datetime
    seconds: float = 0.0
    """How much time has passed between them, as far as the hub itself saw it pass."""


class Loss(msgspec.Struct, frozen=True):
    """The loss of a hop that nobody was told of yet: the grace period runs."""

    hop: str
    code: str
    reason: str
    since: datetime


class DeviceRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """A device with everything that is known or was set about it."""

    device: Device
    state: DeviceState
    is_managed: bool
    found_at: datetime
    nickname: str | None = None
    custom_metadata: dict[str, str | bool | None] = {}
    removed_at: datetime | None = None
    absence: Absence | None = None
    untold_since: datetime | None = None
    """Since when it does not answer, while nobody was told yet: the grace period runs."""
    drops: tuple[datetime, ...] = ()
    """When it was lost, of the last told losses of its own; at most `DROPS`."""
    flaky_since: datetime | None = None
    """Since when its connection counts as flaky; in force as long as its last drop is recent."""
    twins: tuple[str, ...] = ()
    """Ids of the devices that were noticed to be the same hardware; they may not be so any more."""

    @property
    def name(self) -> str:
        """The nickname where one is set, else the device's own name."""
        return self.nickname or self.device.description.name


class OpenAction(msgspec.Struct, frozen=True):
    """An exclusive action that was started and has not ended."""

    run_id: str
    action: str
    device_id: str | None = None


class InstanceRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """Health of a driver instance, by its first broken hop. `hop` None: everything works (once connected)."""

    instance: str
    since: datetime
    is_connected: bool = False
    display_name: str | None = None
    custom_metadata: dict[str, str | bool | None] = {}
    hop: str | None = None
    code: str | None = None
    reason: str | None = None
    open_action: OpenAction | None = None
    untold_loss: Loss | None = None


class Resolution(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the device's own state said about a command that had ended SENT_UNCONFIRMED."""

    at: datetime
    reached: bool
    message: str


class CommandRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """A command and the time of each of its stages."""

    request_id: str
    command: Order
    by: str
    accepted_at: datetime
    deadline: datetime
    started_at: datetime | None = None
    settled_at: datetime | None = None
    outcome: Outcome | None = None
    resolution: Resolution | None = None


class Row(msgspec.Struct, frozen=True):
    """One durable line of the journal."""

    seq: int
    type: str
    public: str | None
    """Seam `event_type` under which the row is served; None for the hub's own rows."""
    instance: str | None
    device_id: str | None
    occurred_at: datetime
    created_at: datetime
    event: Event | None
    """None once the body was erased."""
