"""Commands: the closed union that goes into `Driver.execute`.

Orders come from people through `Hub.submit`: at most once, with a deadline, never replayed. What the hub does by itself
to bring codes and settings in line with what is wished is told apart from them: it may be done again.
"""

from typing import Literal

import msgspec

from hubd.model.access import AccessChange
from hubd.model.climate import ClimateSetting
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
    "SIMULATE_HVAC_MODE_ADJUSTED",
    "SIMULATE_TEMPERATURE_REACHED",
    "ENCODE_CREDENTIAL",
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


class SimulateHvacModeAdjusted(CommandBase, frozen=True, kw_only=True, tag="SIMULATE_HVAC_MODE_ADJUSTED"):
    """Somebody turns the knob of a simulated thermostat."""

    setting: ClimateSetting


class SimulateTemperatureReached(CommandBase, frozen=True, kw_only=True, tag="SIMULATE_TEMPERATURE_REACHED"):
    """The room of a simulated thermostat gets so warm, or so cold."""

    temperature_celsius: float


class EncodeCredential(CommandBase, frozen=True, kw_only=True, tag="ENCODE_CREDENTIAL"):
    """Write a person's key onto the card that somebody presents at an encoder, which is the device.

    DONE means that the system took the card as this person's key; what it then holds of the person is in
    `Outcome.noted`. Known codes of a REJECTED: `no_credential_on_encoder` (nobody presented a card in time),
    `encoder_busy`, `encoder_not_online`, `incompatible_card_format`, `credential_cannot_be_reissued`.
    """

    user: str
    """Native id of the person."""
    credential_id: str
    is_new_key: bool
    """Their first one; False: the card that they have gets their present rights."""


class EditAccess(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="EDIT_ACCESS"):
    """Change one thing in an access control system: read what is there, change only what is asked, read it back.

    DONE means that the system holds it; what was read back is in `Outcome.noted`. UNREACHABLE and SENT_UNCONFIRMED are
    tried again, and so is a REJECTED with `is_temporary` in its detail (somebody has the record open); any other
    REJECTED and UNSUPPORTED are for good.
    """

    change: AccessChange

    @property
    def native_id(self) -> str:
        """Of the user or group that is changed."""
        return self.change.subject


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


class SetClimate(CommandBase, frozen=True, kw_only=True, tag="SET_CLIMATE"):
    """Set a thermostat: mode first, then set-points, then fan; members that are None are left as they are.

    The hub has checked modes and ranges. DONE means that every member was read back, within half a step of the device;
    `Outcome.seen` has the whole `ClimateSeen` that was read, also where the device took only some of it (REJECTED,
    `setting_not_taken`). A device that sleeps is not waited for: UNREACHABLE (`device_asleep`), nothing sent; the hub
    asks again, with what is then wished, as soon as the driver publishes anything of it.
    """

    setting: ClimateSetting


class ReadClimate(CommandBase, frozen=True, kw_only=True, tag="READ_CLIMATE"):
    """Ask the thermostat itself (no cache) how it stands. The answer, a `ClimateSeen`, is in `Outcome.seen`."""


type Order = (
    LockDoor
    | UnlockDoor
    | SimulateKeypadCodeEntry
    | SimulateManualLock
    | SimulateKeypadEdit
    | SimulateConnection
    | SimulateHubConnection
    | SimulateRemoval
    | SimulateHvacModeAdjusted
    | SimulateTemperatureReached
    | EncodeCredential
)
type CodeCommand = SetCode | ClearCode | ReadCode
type ClimateCommand = SetClimate | ReadClimate
type Command = Order | CodeCommand | ClimateCommand | EditAccess


def action_type(command: Order) -> ActionType:
    """Return the Seam `action_type` of a command (the simulations without one in Seam's list are the hub's own)."""
    tag: ActionType = command.__struct_config__.tag  # type: ignore[assignment]
    return tag
