"""Commands: the closed union that goes through `Hub.submit` and into `Driver.execute`.

All of these are orders: at most once, with a deadline, never replayed.
"""

from typing import Literal

import msgspec

type ActionType = Literal[
    "LOCK_DOOR",
    "UNLOCK_DOOR",
    "SIMULATE_KEYPAD_CODE_ENTRY",
    "SIMULATE_MANUAL_LOCK_VIA_KEYPAD",
    "SIMULATE_CONNECTION",
    "SIMULATE_HUB_CONNECTION",
    "SIMULATE_REMOVAL",
]


class CommandBase(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    """Common part: the device on this hub and on its own network."""

    device_id: str
    native_id: str


class LockDoor(CommandBase, frozen=True, kw_only=True, tag="LOCK_DOOR"):
    """Throw the bolt."""


class UnlockDoor(CommandBase, frozen=True, kw_only=True, tag="UNLOCK_DOOR"):
    """Draw the bolt, or release the strike."""


class SimulateKeypadCodeEntry(CommandBase, frozen=True, kw_only=True, tag="SIMULATE_KEYPAD_CODE_ENTRY"):
    """Somebody types a PIN at a simulated lock. The PIN itself stays behind `pin_ref`."""

    pin_ref: str


class SimulateManualLock(CommandBase, frozen=True, kw_only=True, tag="SIMULATE_MANUAL_LOCK_VIA_KEYPAD"):
    """Somebody locks a simulated lock by its keypad."""


class SimulateConnection(CommandBase, frozen=True, kw_only=True, tag="SIMULATE_CONNECTION"):
    """A simulated device drops off its network, or returns."""

    connected: bool


class SimulateHubConnection(CommandBase, frozen=True, kw_only=True, tag="SIMULATE_HUB_CONNECTION"):
    """The hop of a simulated site is lost, or returns."""

    connected: bool


class SimulateRemoval(CommandBase, frozen=True, kw_only=True, tag="SIMULATE_REMOVAL"):
    """A simulated device is excluded from its network."""


type Command = (
    LockDoor
    | UnlockDoor
    | SimulateKeypadCodeEntry
    | SimulateManualLock
    | SimulateConnection
    | SimulateHubConnection
    | SimulateRemoval
)


def action_type(command: Command) -> ActionType:
    """Return the Seam `action_type` of a command (the simulations without one in Seam's list are the hub's own)."""
    tag: ActionType = command.__struct_config__.tag  # type: ignore[assignment]
    return tag
