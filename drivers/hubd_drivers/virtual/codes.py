"""What becomes of commands that concern codes: on the lock, at its keypad, and in the notebook."""

from collections.abc import Iterator
from typing import Literal

from hubd.driver import Port
from hubd.model import (
    ClearCode,
    CodeCommand,
    CodeHintSeen,
    CodeSeen,
    LockSeen,
    Outcome,
    ReadCode,
    SetCode,
    SimulateKeypadCodeEntry,
    SimulateKeypadEdit,
    done,
    rejected,
    sent_unconfirmed,
    unreachable,
    unsupported,
)
from hubd_drivers.virtual.keypad import Keypad, KeypadError, StoredCode
from hubd_drivers.virtual.memory import Notebook
from hubd_drivers.virtual.site import VirtualDevice

type Fault = Literal["none", "refuse", "jam", "silent"]

_NO_KEYPAD = "The device has no keypad."
_DEVICES_AT_ONCE, _PINS_AT_ONCE = 200, 500


def batches(devices: list[VirtualDevice]) -> Iterator[list[VirtualDevice]]:
    """Cut the devices into groups that are announced at once; few PINs at a time are open for the hub to take."""
    group: list[VirtualDevice] = []
    pins = 0
    for device in devices:
        held = 0 if device.keypad is None else len(device.keypad.codes)
        if len(group) == _DEVICES_AT_ONCE or (group and pins + held > _PINS_AT_ONCE):
            yield group
            group, pins = [], 0
        group.append(device)
        pins += held
    if group:
        yield group


def codes_seen(device: VirtualDevice, port: Port) -> tuple[CodeSeen, ...]:
    """Read every slot of a lock that answers, as at a connect."""
    if device.keypad is None or not device.online:
        return ()
    return device.keypad.read_all(device.native_id, port.secrets.seal)


class CodeDesk:
    """Carries out commands that concern codes. DONE is said once the lock's codes are on the disk."""

    def __init__(self, notebook: Notebook, latency: float) -> None:
        self._notebook = notebook
        self._latency = latency

    async def execute(self, port: Port, device: VirtualDevice, command: CodeCommand, fault: Fault) -> Outcome:
        """Carry out one of the hub's own commands."""
        keypad = device.keypad
        if keypad is None:
            return unsupported(_NO_KEYPAD)
        if not device.online:
            return unreachable("device_unreachable", "The device does not answer on its network.")
        code = _stored(port, keypad, command) if isinstance(command, SetCode) else None
        if isinstance(code, Outcome):
            return code
        if self._latency:
            await port.clock.sleep(self._latency)
        if fault == "refuse":
            return rejected("device_refused", "The lock refused the order.")
        outcome = await self._carry_out(port, keypad, command, code)
        if fault == "silent":
            return sent_unconfirmed("The order was sent and the lock did not answer.")
        return outcome

    async def _carry_out(self, port: Port, keypad: Keypad, command: CodeCommand, code: StoredCode | None) -> Outcome:
        try:
            if code is not None:
                keypad.put(command.slot, code)
            elif isinstance(command, ClearCode):
                keypad.clear(command.slot)
            seen = keypad.read(command.native_id, command.slot, port.secrets.seal)
        except KeypadError as error:
            return rejected(error.code, error.message)
        if isinstance(command, ReadCode):
            return done("The lock told what the slot holds.", (seen,))
        return await self._notebook.write_down(port) or done("The lock was read back.", (seen,))

    async def enter(self, port: Port, device: VirtualDevice, command: SimulateKeypadCodeEntry) -> Outcome:
        """Have somebody type a PIN."""
        if device.keypad is None:
            return unsupported(_NO_KEYPAD)
        try:
            pin = port.secrets.reveal(command.pin_ref)
        except KeyError:
            return _forgotten()
        seen = device.enter_code(pin, port.clock.now())
        if isinstance(seen, LockSeen) and device.keypad.codes[seen.user_slot or 0].is_one_time:
            failure = await self._notebook.write_down(port)
            if failure is not None:
                return failure
        return done("The simulated person did it.", (seen,))

    async def edit(self, port: Port, device: VirtualDevice, command: SimulateKeypadEdit) -> Outcome:
        """Have somebody change the codes at the lock; all that comes to the hub is the hint of a lock that answers."""
        if device.keypad is None:
            return unsupported(_NO_KEYPAD)
        try:
            pin = None if command.pin_ref is None else port.secrets.reveal(command.pin_ref)
        except KeyError:
            return _forgotten()
        try:
            told = device.keypad.edit(command.slot, pin)
        except KeypadError as error:
            return rejected(error.code, error.message)
        failure = None if told is None else await self._notebook.write_down(port)
        if failure is not None:
            return failure
        if told is not None and device.online:
            await port.publish(CodeHintSeen(native_id=device.native_id, change=told[0], slot=told[1]))
        return done("The simulated person did it.")


def _stored(port: Port, keypad: Keypad, command: SetCode) -> StoredCode | Outcome:
    """Return what is to be put on the lock, or why that cannot be."""
    if command.frame is not None and not keypad.capability.has_schedules:
        return unsupported("The lock does not keep to time frames.")
    if command.is_one_time and not keypad.capability.has_one_time:
        return unsupported("The lock has no codes that work once.")
    try:
        pin = port.secrets.reveal(command.pin_ref)
    except KeyError:
        return _forgotten()
    return StoredCode(pin, command.frame, command.is_one_time)


def _forgotten() -> Outcome:
    return rejected("pin_unknown", "The hub does not know the PIN of this order any more; give it again.")
