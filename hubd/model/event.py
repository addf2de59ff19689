"""Journal events: the closed union of everything that can become durable."""

from datetime import datetime
from typing import Literal

import msgspec

from hubd.model.access_event import AccessEvent
from hubd.model.capability import FanMode, HvacMode
from hubd.model.climate import ClimateSetting, ClimateSource
from hubd.model.code import CodeChange
from hubd.model.command import Order
from hubd.model.device import Device
from hubd.model.event_base import EventBase
from hubd.model.outcome import Outcome
from hubd.model.seen import DenialReason, Method

type DisconnectCode = Literal["account_disconnected", "hub_disconnected", "device_disconnected"]
type Role = Literal["owner", "operator", "viewer"]
type PlanKind = Literal["none", "fallback", "program", "schedule"]


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
    code_id: str | None = None
    """The access code that was used, where its slot was told and is known."""
    code_is_managed: bool = True


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
    """`seam`: somebody's call on the hub's API, and the device was read back."""
    source: ClimateSource | None = None
    """Who did it, most likely; of `external`."""
    by: str = ""


class PlanChanged(EventBase, frozen=True, kw_only=True, tag="thermostat.plan_changed"):
    """What governs a thermostat from now on: a schedule, its weekly program, its fallback preset, or nothing."""

    kind: PlanKind
    plan_id: str | None = None
    """Of the schedule, or of the daily program."""
    preset_key: str | None = None


class PresetActivated(EventBase, frozen=True, kw_only=True, tag="thermostat.preset_activated"):
    """A climate preset is in force: the device was read back."""

    preset_key: str
    schedule_id: str | None = None
    is_fallback: bool = False
    by: str = ""
    """Who activated it by a call; empty: the plan did."""


class OverrideBegan(EventBase, frozen=True, kw_only=True, tag="thermostat.override_began"):
    """Somebody set the thermostat to something else than its plan. `until` None: until the plan changes."""

    setting: ClimateSetting
    source: ClimateSource | Literal["api"]
    until: datetime | None = None
    by: str = ""


class OverrideEnded(EventBase, frozen=True, kw_only=True, tag="thermostat.override_ended"):
    """The plan is in force again, and the device is set to it."""

    reason: Literal["time_over", "plan_changed", "returned", "replaced", "not_reached", "refused", "cancelled"]


class ClimateFailed(EventBase, frozen=True, kw_only=True, tag="thermostat.failed"):
    """The device does not take its setting; it is tried again. Told once for failures in a row with one reason."""

    error_code: str
    message: str


class ThermostatEdited(EventBase, frozen=True, kw_only=True, tag="thermostat.edited"):
    """Somebody changed what the hub keeps of a thermostat: a preset, a program, a schedule, its thresholds."""

    what: Literal["preset", "fallback", "daily_program", "weekly_program", "schedule", "threshold"]
    change: Literal["created", "updated", "deleted"]
    name: str = ""
    """Its key or id."""
    by: str = ""


class ThresholdExceeded(EventBase, frozen=True, kw_only=True, tag="thermostat.threshold_exceeded"):
    """The room is colder or warmer than somebody wants to be told. Once for each excursion."""

    temperature_celsius: float
    lower_limit_celsius: float | None = None
    upper_limit_celsius: float | None = None


class ThresholdCleared(EventBase, frozen=True, kw_only=True, tag="thermostat.threshold_cleared"):
    """The room is within its limits again."""

    temperature_celsius: float
    lower_limit_celsius: float | None = None
    upper_limit_celsius: float | None = None


class SetPointReached(EventBase, frozen=True, kw_only=True, tag="thermostat.set_point_reached"):
    """The room has the temperature that the thermostat was set to. Once for each setting."""

    temperature_celsius: float
    desired_temperature_celsius: float


class TemperatureChanged(EventBase, frozen=True, kw_only=True, tag="thermostat.temperature_changed"):
    """The temperature differs by half a degree or more from the last one that was told."""

    temperature_celsius: float


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
    command: Order
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


class CodeCreated(EventBase, frozen=True, kw_only=True, tag="code.created"):
    """Somebody wished a code, or one was found on the lock that nobody wished. No event of a code holds its PIN."""

    code_id: str
    is_managed: bool = True
    name: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    slot: int | None = None
    is_backup: bool = False
    by: str = ""


class Edit(msgspec.Struct, frozen=True, omit_defaults=True):
    """One property of a code, in the API's words, as it was and as it is; of the PIN both are left out."""

    property: str
    before: str | None = None
    after: str | None = None


class CodeEdited(EventBase, frozen=True, kw_only=True, tag="code.edited"):
    """The wish changed. One row for each public event of it, with the edits it tells; none: it is to be removed."""

    code_id: str
    edits: tuple[Edit, ...]
    by: str = ""


class CodePlaced(EventBase, frozen=True, kw_only=True, tag="code.placed"):
    """The lock has the code. `is_early`: it keeps it inactive until it starts."""

    code_id: str
    slot: int
    is_early: bool = False
    is_verified: bool = True


class CodeTakenOff(EventBase, frozen=True, kw_only=True, tag="code.taken_off"):
    """The hub removed the code from the lock, and the lock said so."""

    code_id: str
    slot: int
    reason: Literal["ended", "deleted", "not_begun", "changed"]
    """`changed`: only to be set anew, as another code waits for the PIN that it had."""


class CodeGone(EventBase, frozen=True, kw_only=True, tag="code.gone"):
    """The code is no more; nothing of it is on the lock."""

    code_id: str
    reason: Literal["ended", "deleted", "removed_externally", "device_replaced"]
    is_managed: bool = True
    by: str = ""


class CodeFailed(EventBase, frozen=True, kw_only=True, tag="code.failed"):
    """Setting or removing does not succeed; it is tried again. Told once for failures in a row with one reason."""

    code_id: str
    error_code: str
    message: str


class CodeDelayed(EventBase, frozen=True, kw_only=True, tag="code.delayed"):
    """A code that is due is not on the lock yet, or still on it, and why."""

    code_id: str
    doing: Literal["setting", "removing"]
    reason: str


class CodeTampered(EventBase, frozen=True, kw_only=True, tag="code.tampered"):
    """Somebody else changed or removed a code on its lock. `is_allowed`: the hub goes by it."""

    code_id: str
    change: CodeChange
    slot: int
    is_allowed: bool = False


class CodeConverted(EventBase, frozen=True, kw_only=True, tag="code.converted"):
    """A code that was found on its lock is now kept by the hub, or the other way round."""

    code_id: str
    is_managed: bool
    by: str = ""


class BackupPulled(EventBase, frozen=True, kw_only=True, tag="code.backup_pulled"):
    """A spare code of the device is used in place of this one."""

    code_id: str
    backup_id: str
    by: str = ""


class CodeMisused(EventBase, frozen=True, kw_only=True, tag="code.misused"):
    """The lock opened for a code outside its time frame."""

    code_id: str
    slot: int
    starts_at: datetime | None = None
    ends_at: datetime | None = None


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
    | PlanChanged
    | PresetActivated
    | OverrideBegan
    | OverrideEnded
    | ClimateFailed
    | ThermostatEdited
    | ThresholdExceeded
    | ThresholdCleared
    | SetPointReached
    | TemperatureChanged
    | Tampered
    | HopLost
    | HopBack
    | ActionStarted
    | ActionEnded
    | CommandAccepted
    | CommandStarted
    | CommandSettled
    | CommandResolved
    | CodeCreated
    | CodeEdited
    | CodePlaced
    | CodeTakenOff
    | CodeGone
    | CodeFailed
    | CodeDelayed
    | CodeTampered
    | CodeConverted
    | BackupPulled
    | CodeMisused
    | AccessEvent
    | KeyCreated
    | KeyRevoked
    | CursorCut
)
