"""Journal events: the closed union of everything that can become durable."""

from datetime import datetime
from typing import Literal

import msgspec

from hubd.model.capability import FanMode, HvacMode
from hubd.model.command import Command
from hubd.model.device import Device
from hubd.model.outcome import Outcome
from hubd.model.seen import DenialReason, Method

type DisconnectCode = Literal["account_disconnected", "hub_disconnected", "device_disconnected"]
type Role = Literal["owner", "operator", "viewer"]


class EventBase(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    """Bodies only; sequence number, ids and times stand in the journal row."""


class HubStarted(EventBase, frozen=True, kw_only=True, tag="hub.started"):
    """The daemon opened its store."""

    version: str


class DeviceFound(EventBase, frozen=True, kw_only=True, tag="device.found"):
    """First sight, or return after removal."""

    device: Device
    is_managed: bool


class DeviceDescribed(EventBase, frozen=True, kw_only=True, tag="device.described"):
    """A known device now describes itself differently (renamed on its network, new firmware)."""

    device: Device


class DeviceRemoved(EventBase, frozen=True, kw_only=True, tag="device.removed"):
    """Its network said so; `reason` is the statement."""

    reason: str


class DeviceConnected(EventBase, frozen=True, kw_only=True, tag="device.connected"):
    """The device answers again."""


class DeviceDisconnected(EventBase, frozen=True, kw_only=True, tag="device.disconnected"):
    """The device itself (not its hop) stopped answering, and did not come back within the grace period."""

    error_code: DisconnectCode
    reason: str
    since: datetime | None = None
    """When it stopped, by the hub's clock; None: it is told at once."""
    flaky_since: datetime | None = None
    """Since when its connection counts as flaky, this drop included; None: it does not."""


class DeviceEdited(EventBase, frozen=True, kw_only=True, tag="device.edited"):
    """What people set on the hub; UNSET members were not touched."""

    nickname: str | msgspec.UnsetType | None = msgspec.UNSET
    is_managed: bool | msgspec.UnsetType = msgspec.UNSET
    custom_metadata: dict[str, str | bool | None] | msgspec.UnsetType = msgspec.UNSET
    by: str = ""


class DeviceReplaced(EventBase, frozen=True, kw_only=True, tag="device.replaced"):
    """Somebody put another device in the place of this one: the two ids swapped what they stand for.

    The row's device keeps id, name and settings and is `device` from now on. What it was before is `replaced`, under
    the id that `device` had; a `DeviceRemoved` of that one follows.
    """

    device: Device
    replaced: Device
    by: str


class DuplicateNoticed(EventBase, frozen=True, kw_only=True, tag="device.duplicate_noticed"):
    """The row's device and another one, of another driver instance, are one piece of hardware. Once for each pair."""

    device_ids: tuple[str, str]
    """The row's device first."""
    other_name: str
    """How the other one is called at this time."""
    hardware_id: str
    """What both are known by."""


class AccountEdited(EventBase, frozen=True, kw_only=True, tag="account.edited"):
    """What people set on a driver instance; UNSET members were not touched."""

    display_name: str | msgspec.UnsetType = msgspec.UNSET
    custom_metadata: dict[str, str | bool | None] | msgspec.UnsetType = msgspec.UNSET
    by: str = ""


class LockChanged(EventBase, frozen=True, kw_only=True, tag="lock.changed"):
    """The bolt moved, or somebody used the lock."""

    locked: bool
    method: Method
    user_slot: int | None = None
    request_id: str | None = None


class LockUncertain(EventBase, frozen=True, kw_only=True, tag="lock.uncertain"):
    """The bolt is jammed or its position is not known."""

    jammed: bool


class LockDenied(EventBase, frozen=True, kw_only=True, tag="lock.denied"):
    """Somebody was refused."""

    reason: DenialReason
    message: str


class DoorChanged(EventBase, frozen=True, kw_only=True, tag="door.changed"):
    """The leaf opened or closed."""

    open: bool | None


class BatteryChanged(EventBase, frozen=True, kw_only=True, tag="battery.changed"):
    """The battery's class changed (`status`), not every reading."""

    level: float
    status: Literal["critical", "low", "good", "full"]


class BatteryLow(EventBase, frozen=True, kw_only=True, tag="battery.low"):
    """The battery fell to low or critical."""

    level: float


class ThermostatAdjusted(EventBase, frozen=True, kw_only=True, tag="thermostat.adjusted"):
    """Mode, fan mode or a set-point changed on the device."""

    hvac_mode: HvacMode | None = None
    fan_mode: FanMode | None = None
    heating_set_point_celsius: float | None = None
    cooling_set_point_celsius: float | None = None
    method: Literal["seam", "external"] = "external"


class Tampered(EventBase, frozen=True, kw_only=True, tag="device.tampered"):
    """Somebody is at the housing."""


class HopLost(EventBase, frozen=True, kw_only=True, tag="hop.lost"):
    """One hop of a driver instance is gone; every device behind it is unreachable. One event, no storm."""

    hop: str
    code: str
    reason: str
    since: datetime | None = None
    """When the way to the devices was lost, by the hub's clock; None in rows of before this was kept."""


class HopBack(EventBase, frozen=True, kw_only=True, tag="hop.back"):
    """All hops of a driver instance work again; `away_seconds` counts from the loss (None at first connection)."""

    away_seconds: float | None = None


class ActionStarted(EventBase, frozen=True, kw_only=True, tag="action.started"):
    """Somebody has a driver do something to its network (an exclusive action). Its arguments are not here."""

    run_id: str
    action: str
    by: str


class ActionEnded(EventBase, frozen=True, kw_only=True, tag="action.ended"):
    """The end of it. Exactly one per start; `interrupted` is the crash of the daemon."""

    run_id: str
    action: str
    state: Literal["done", "failed", "cancelled", "interrupted"]
    message: str


class CommandAccepted(EventBase, frozen=True, kw_only=True, tag="command.accepted"):
    """A command is durable. It will be settled, whatever happens."""

    request_id: str
    command: Command
    deadline: datetime
    by: str


class CommandStarted(EventBase, frozen=True, kw_only=True, tag="command.started"):
    """From here on bytes may have left; durable before the first one does."""

    request_id: str


class CommandSettled(EventBase, frozen=True, kw_only=True, tag="command.settled"):
    """The end of a command. Exactly one per accepted command."""

    request_id: str
    outcome: Outcome


class CommandResolved(EventBase, frozen=True, kw_only=True, tag="command.resolved"):
    """The device's own state decided a command that had ended SENT_UNCONFIRMED."""

    request_id: str
    reached: bool
    message: str


class KeyCreated(EventBase, frozen=True, kw_only=True, tag="key.created"):
    """Somebody was given access; the secret is not here."""

    key_id: str
    name: str
    role: Role
    by: str


class KeyRevoked(EventBase, frozen=True, kw_only=True, tag="key.revoked"):
    """Access was taken back."""

    key_id: str
    by: str


class CursorCut(EventBase, frozen=True, kw_only=True, tag="cursor.cut"):
    """A consumer was away for too long: rows `first` to `last` (both included) were passed over."""

    cursor: str
    first: int
    last: int
    reason: str


type Event = (
    HubStarted
    | DeviceFound
    | DeviceDescribed
    | DeviceRemoved
    | DeviceConnected
    | DeviceDisconnected
    | DeviceEdited
    | DeviceReplaced
    | DuplicateNoticed
    | AccountEdited
    | LockChanged
    | LockUncertain
    | LockDenied
    | DoorChanged
    | BatteryChanged
    | BatteryLow
    | ThermostatAdjusted
    | Tampered
    | HopLost
    | HopBack
    | ActionStarted
    | ActionEnded
    | CommandAccepted
    | CommandStarted
    | CommandSettled
    | CommandResolved
    | KeyCreated
    | KeyRevoked
    | CursorCut
)
