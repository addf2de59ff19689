"""The codes of one life: commands about them, and what the locks say of them on their own."""

from collections.abc import Awaitable, Callable
from typing import Final

from msgspec.structs import replace

from hubd.driver import Port
from hubd.model import (
    ClearCode,
    CodeChange,
    CodeCommand,
    CodeHintSeen,
    Outcome,
    OutcomeKind,
    ReadCode,
    Seen,
    SetCode,
    rejected,
    unreachable,
    unsupported,
)
from hubd_drivers.zwave.bolts import Memory
from hubd_drivers.zwave.codes.books import Book, UserCodes, open_book
from hubd_drivers.zwave.codes.exchange import Exchange
from hubd_drivers.zwave.codes.framed import SILENT, Framed
from hubd_drivers.zwave.codes.hints import CLEAR, ECHO_SECONDS, PUT, READ, Own, hint_of, is_duplicate
from hubd_drivers.zwave.codes.keypads import Keypad
from hubd_drivers.zwave.codes.schedules import Schedules
from hubd_drivers.zwave.codes.walltimes import frame_of, wall_of
from hubd_drivers.zwave.controller import ControllerWatch
from hubd_drivers.zwave.device import ZwaveDevice
from hubd_drivers.zwave.events import Event, Notified
from hubd_drivers.zwave.failures import CONTROLLER, CONTROLLER_TIMEOUT, CommandError
from hubd_drivers.zwave.link import Link
from hubd_drivers.zwave.orders import failed

_ECHOES: Final[dict[type[CodeCommand], frozenset[CodeChange]]] = {SetCode: PUT, ClearCode: CLEAR, ReadCode: READ}


class Codes:
    """Carries out commands about codes, one at a time for each lock, as the hub gives them."""

    def __init__(
        self,
        *,
        link: Link,
        port: Port,
        controller: ControllerWatch,
        seconds: float,
        describe: Callable[[ZwaveDevice], Awaitable[None]],
        memory: Memory,
    ) -> None:
        self._link = link
        self._port = port
        self._controller = controller
        self._seconds = seconds
        self._describe = describe
        self._memory = memory
        self._under_way: dict[int, Exchange] = {}
        self._own: dict[int, Own] = {}
        """The last command to each node."""

    def note(self, event: Event) -> None:
        """Take in an event at the instant it arrives."""
        exchange = self._under_way.get(getattr(event, "node_id", 0))
        if exchange is None:
            return
        if is_duplicate(event):
            exchange.told(is_duplicate=True)
        elif (hint := hint_of(event)) is not None and not hint.is_read:
            exchange.told(is_duplicate=False)

    def heard(self, device: ZwaveDevice, event: Event) -> list[Seen]:
        """Return what an event tells the hub of a lock's codes."""
        hint = hint_of(event)
        if hint is None or device.keypad is None:
            return []
        if device.keypad.has_credentials and isinstance(event, Notified):
            hint = hint._replace(slot=None)  # it names a user, and not the slot of a credential
        if hint.slot is not None and not device.keypad.takes(hint.slot):
            return []
        own = self._own.get(device.node_id)
        if own is not None and own.explains(hint, self._port.clock.monotonic()):
            return []
        return [CodeHintSeen(native_id=device.native_id, change=hint.change, slot=hint.slot)]

    def forget(self, device: ZwaveDevice) -> None:
        """Forget a device that is gone."""
        self._own.pop(device.node_id, None)

    async def execute(self, device: ZwaveDevice, command: CodeCommand) -> Outcome:
        """Carry out one command."""
        keypad = device.keypad
        if keypad is None:
            return unsupported("The device has no keypad.", {"capability": "keypad"})
        if (refusal := _refusal(keypad, command)) is not None:
            return refusal
        if (loss := self._controller.loss) is not None:
            return unreachable(loss.code, loss.message, {"hop": CONTROLLER})
        if device.is_asleep:
            message = "The device sleeps and cannot be woken over the air; nothing was sent."
            return unreachable("device_asleep", message)
        book = open_book(self._link, device.node_id, keypad)
        exchange = Exchange(
            book=book,
            clock=self._port.clock,
            secrets=self._port.secrets,
            native_id=device.native_id,
            slot=command.slot,
            tells_pins=keypad.capability.tells_pins,
            seconds=self._seconds,
        )
        own = Own(command.slot, _ECHOES[type(command)])
        self._under_way[device.node_id], self._own[device.node_id] = exchange, own
        until = 0.0  # of a command without an end that is known, whatever the lock says later is news
        try:
            outcome = await self._run(exchange, self._framed(exchange, book, device, command.slot), device, command)
            if outcome.kind is OutcomeKind.DONE:
                until = self._port.clock.monotonic() + ECHO_SECONDS
        except CommandError as error:
            return await self._failed(error, device, command)
        finally:
            self._under_way.pop(device.node_id, None)
            self._own[device.node_id] = own._replace(until=until)
        if device.keypad != keypad:
            await self._describe(device)
        if exchange.is_masked and device.keypad is not None and keypad.capability.tells_pins:
            device.keypad = device.keypad.masked()
            await self._describe(device)
        return outcome

    async def _run(
        self, exchange: Exchange, framed: Framed | None, device: ZwaveDevice, command: CodeCommand
    ) -> Outcome:
        is_timed = device.keypad is not None and device.keypad.capability.has_schedules
        match command:
            case SetCode():
                try:
                    pin = self._port.secrets.reveal(command.pin_ref)
                except KeyError:
                    return rejected("pin_unknown", "The PIN of this code is not known any more.")
                try:
                    return await self._set(exchange, framed, device, command, pin)
                except CommandError as error:
                    raise error.without(pin) from None
            case ClearCode():
                return await exchange.clear()
            case ReadCode() if framed is not None and is_timed:
                return await framed.read(lambda wall: frame_of(wall, self._port.zone))
            case ReadCode():
                return await exchange.read()

    async def _set(
        self, exchange: Exchange, framed: Framed | None, device: ZwaveDevice, command: SetCode, pin: str
    ) -> Outcome:
        if framed is None or device.keypad is None:
            return await exchange.put(pin)
        if command.frame is None:
            return await (framed.free(pin) if await self._is_bound(device, command.slot) else exchange.put(pin))
        wall = wall_of(command.frame, self._port.zone, self._port.clock.now())
        if wall is None:
            return rejected("frame_not_possible", "No lock can be told this time frame.", {"slot": command.slot})
        outcome = await framed.put(pin, command.frame, wall, hides=device.native_id in self._memory.hiding)
        if outcome.kind is OutcomeKind.DONE:
            self._memory.hiding.add(device.native_id)
        return outcome

    async def _is_bound(self, device: ZwaveDevice, slot: int) -> bool:
        """Tell whether a slot has, or may have, a schedule that somebody left there."""
        known = await Schedules(self._link, device.node_id).cached(slot)
        if known is None:
            return device.keypad is not None and device.keypad.can_schedule
        return known.is_set

    def _framed(self, exchange: Exchange, book: Book, device: ZwaveDevice, slot: int) -> Framed | None:
        if device.keypad is None or not device.keypad.has_year_days or not isinstance(book, UserCodes):
            return None
        return Framed(
            exchange=exchange,
            book=book,
            schedules=Schedules(self._link, device.node_id),
            clock=self._port.clock,
            slot=slot,
            seconds=self._seconds,
            give_up=lambda wrong: self._give_up(device, wrong),
        )

    def _give_up(self, device: ZwaveDevice, wrong: str) -> None:
        """Take back that a lock keeps to time frames: the hub then sets its codes when they begin."""
        if device.keypad is None or not device.keypad.capability.has_schedules:
            return
        device.keypad = device.keypad.timed(is_right=False)
        if wrong != SILENT:
            self._memory.unscheduled[device.native_id] = wrong
        name = device.description.name
        self._port.log.warning("%s is given no time frames, its codes are set when they begin: %s", name, wrong)

    async def _failed(self, error: CommandError, device: ZwaveDevice, command: CodeCommand) -> Outcome:
        is_lost = error.suspect and not await self._controller.check()
        outcome = failed(error, device.node_id)
        if is_lost and (loss := self._controller.loss) is not None:
            outcome = unreachable(loss.code, loss.message, {"hop": CONTROLLER, "zwave_error": error.number})
        is_open = not isinstance(command, ReadCode) and (is_lost or error.number == CONTROLLER_TIMEOUT)
        if is_open and outcome.kind is OutcomeKind.UNREACHABLE:
            # The stick had it when it went, or went silent, and may have sent it: the slot has to be read.
            return replace(outcome, kind=OutcomeKind.SENT_UNCONFIRMED)
        return outcome


def _refusal(keypad: Keypad, command: CodeCommand) -> Outcome | None:
    """Return why nothing is sent, if it is not."""
    if not keypad.takes(command.slot):
        message = f"Slot {command.slot} is not one that the hub may use on this lock."
        return rejected("slot_not_usable", message, {"slot": command.slot, "slots": keypad.capability.slots})
    if isinstance(command, SetCode) and command.is_one_time:
        return unsupported("hubd sets no one-time codes on Z-Wave locks.", {"slot": command.slot})
    if isinstance(command, SetCode) and command.frame is not None and not keypad.capability.has_schedules:
        # Without it, the code would open at any time.
        return unsupported("This lock is given no time frames.", {"slot": command.slot})
    return None
