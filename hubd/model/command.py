"""Commands: the closed union that goes into `Driver.execute`.

Orders come from people through `Hub.submit`: at most once, with a deadline, never replayed. What the hub does by itself
to bring a lock's codes in line with what is wished is told apart from them: it may be done again.
"""

from typing import Literal

import msgspec

from hubd.model.code import TimeFrame

type ActionType = Literal[
    "LOCK_DOOR",
    "UNLOCK_DOOR",
    "SIMULATE_KEYPAD_CODE_ENTRY",
    "SIMULATE_MANUAL_LOCK_VIA_KEYPAD",
    "SIMULATE_KEYPAD_EDIT",
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


class SimulateKeypadEdit(CommandBase, frozen=True, kw_only=True, tag="SIMULATE_KEYPAD_EDIT"):
    """Somebody changes the codes at a simulated lock itself, where the hub is not asked.

    With a PIN (behind `pin_ref`) it is put into the slot, or into the first free one; without a PIN the slot is
    emptied, or, with no slot either, the lock loses all its codes.
    """

    slot: int | None = None
    pin_ref: str | None = None


class SimulateConnection(CommandBase, frozen=True, kw_only=True, tag="SIMULATE_CONNECTION"):
    """A simulated device drops off its network, or returns."""

    connected: bool


class SimulateHubConnection(CommandBase, frozen=True, kw_only=True, tag="SIMULATE_HUB_CONNECTION"):
    """The hop of a simulated site is lost, or returns."""

    connected: bool


class SimulateRemoval(CommandBase, frozen=True, kw_only=True, tag="SIMULATE_REMOVAL"):
    """A simulated device is excluded from its network."""


class SetCode(CommandBase, frozen=True, kw_only=True, tag="SET_CODE"):
    """Put a PIN into a slot, over whatever is there.

    DONE means that the lock was read back, or confirmed it itself; what was read is in `Outcome.seen`. Known codes of a
    REJECTED: `duplicate_code` (the lock has this PIN in another slot), `no_space`, `code_refused` (the maker's rules).
    """

    slot: int
    pin_ref: str
    name: str | None = None
    """For locks that keep a name beside the PIN."""
    frame: TimeFrame | None = None
    """Only for a keypad that `has_schedules`."""
    is_one_time: bool = False
    """Only for a keypad that `has_one_time`."""


class ClearCode(CommandBase, frozen=True, kw_only=True, tag="CLEAR_CODE"):
    """Empty a slot. DONE as for `SetCode`; a slot that is empty already is DONE."""

    slot: int


class ReadCode(CommandBase, frozen=True, kw_only=True, tag="READ_CODE"):
    """Ask the lock itself (no cache) what a slot holds: one exchange. The answer is in `Outcome.seen`.

    A lock that tells of several slots at once may tell more than was asked.
    """

    slot: int


type Order = (
    LockDoor
    | UnlockDoor
    | SimulateKeypadCodeEntry
    | SimulateManualLock
    | SimulateKeypadEdit
    | SimulateConnection
    | SimulateHubConnection
    | SimulateRemoval
)
type CodeCommand = SetCode | ClearCode | ReadCode
type Command = Order | CodeCommand


def action_type(command: Order) -> ActionType:
    """Return the Seam `action_type` of a command (the simulations without one in Seam's list are the hub's own)."""
    tag: ActionType = command.__struct_config__.tag  # type: ignore[assignment]
    return tag
