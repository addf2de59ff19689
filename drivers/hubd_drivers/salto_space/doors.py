"""Orders to doors: opening them, and office mode.

An order goes out once, on a connection of its own, with exactly the door that is meant. Whether it was carried out is
said by the door's own entry in the reply; without one, nobody knows.
"""

from collections.abc import Callable
from typing import Final

from hubd.driver import ActionError, ActionResult
from hubd.model import Outcome, done, rejected, sent_unconfirmed, unreachable, unsupported
from hubd_drivers.salto_space.client import SpaceClient
from hubd_drivers.salto_space.config import Target
from hubd_drivers.salto_space.failures import driver_error
from hubd_drivers.salto_space.faults import Fault, FaultKind
from hubd_drivers.salto_space.messages import DoorOrder
from hubd_drivers.salto_space.roster import Door, Roster
from hubd_drivers.salto_space.transport import LinkError

START_OFFICE: Final = "start_office_mode"
END_OFFICE: Final = "end_office_mode"
OFFICE: Final = {START_OFFICE: DoorOrder.START_OFFICE_MODE, END_OFFICE: DoorOrder.END_OFFICE_MODE}

_GONE: Final = "Space has no such door, or no longer."
_STANDALONE: Final = (
    "This door is not connected to Space, neither by wire nor by radio, so nothing can be ordered of it: it opens with"
    " keys alone."
)
_SHARED: Final = (
    "Space has another door, room, suite or locker with the same id, so nobody knows which one would open. Give each an"
    " id of its own in ProAccess Space."
)
_LOST: Final = "Space does not reach this door."
_LOST_REMEDY: Final = "Look at its power, batteries and network."
_NOT_TAKEN_REMEDY: Final = "See in ProAccess Space whether it is in emergency state or at work on something else."
_NOT_REACHED: Final = frozenset({FaultKind.ENCODER_UNREACHABLE, FaultKind.ENCODER_UNKNOWN, FaultKind.ENCODER_NOT_READY})
_NOT_TAKEN: Final = frozenset(
    {FaultKind.ENCODER_BUSY, FaultKind.ENCODER_FAILED, FaultKind.ENCODER_ABORTED, FaultKind.ENCODER_NO_CARD}
)


class Doors:
    """For one life of the link. `ordered` is called whenever an order went out: the trail will tell of it."""

    def __init__(self, client: SpaceClient, roster: Roster, target: Target, ordered: Callable[[], None]) -> None:
        self._client = client
        self._roster = roster
        self._target = target
        self._ordered = ordered

    async def open(self, native_id: str) -> Outcome:
        """Unlock a door for its opening time."""
        return await self._order(DoorOrder.OPEN, native_id, "The door was opened.")

    async def office(self, action: str, native_id: str | None) -> ActionResult:
        """Start or end office mode. Raises `ActionError`."""
        message = "Office mode was started." if action == START_OFFICE else "Office mode was ended."
        outcome = await self._order(OFFICE[action], native_id or "", message)
        if outcome.code == "done":
            return ActionResult(message=message)
        raise ActionError(outcome.code, outcome.message)

    async def _order(self, order: DoorOrder, native_id: str, message: str) -> Outcome:
        door = self._roster.door(native_id)
        if door is None:
            return rejected("device_unknown", _GONE)
        if not door.is_online:
            return unsupported(_STANDALONE)
        if door.is_shared:
            return unsupported(_SHARED)
        try:
            return await self._send(order, door, message)
        finally:
            self._ordered()

    async def _send(self, order: DoorOrder, door: Door, message: str) -> Outcome:
        ext_id = door.space.id
        try:
            page = await self._client.order(order, (ext_id,))
        except LinkError as error:
            return not_answered(error, self._target, "The order went out, and no answer came")
        except Fault as fault:
            return refused(fault)
        result = next((one for one in page.records if one.id == ext_id), None)
        if result is None:
            return sent_unconfirmed("Space took the order and said nothing of the door; it may have been carried out.")
        wrong = result.fault(order)
        return done(message) if wrong is None else _not_done(wrong)


def _not_done(fault: Fault) -> Outcome:
    """Return the outcome of an order that Space could not have a door carry out.

    SHIP has one set of numbers for all peripherals (400 to 407); here they speak of the door, not of an encoder. That a
    door is answered for by them is inferred.
    """
    said = f" Space says: {fault.message.rstrip('.')}." if fault.message else ""
    detail: dict[str, str | int | float | bool | list[str] | None] = {"space_error": fault.code}
    if fault.kind in _NOT_REACHED:
        return unreachable("device_disconnected", f"{_LOST}{said} {_LOST_REMEDY}", detail)
    if fault.kind in _NOT_TAKEN:
        return rejected("order_not_taken", f"The door did not carry it out.{said} {_NOT_TAKEN_REMEDY}", detail)
    return refused(fault)


def not_answered(error: LinkError, target: Target, words: str) -> Outcome:
    """Return the outcome of a request without an answer: whether it may have been carried out."""
    found = driver_error(error, target)
    if not error.sent:
        return unreachable(found.code, found.message, {"hop": found.hop})
    return sent_unconfirmed(f"{words}: {found.message}", detail={"hop": found.hop, "reason": found.code})


def refused(fault: Fault, *, is_temporary: bool = False) -> Outcome:
    """Return the outcome of a request that Space refused."""
    said = f" Space says: {fault.message.rstrip('.')}." if fault.message else ""
    message = f"{fault.sentence}{said} {fault.remedy}".strip()
    if fault.kind is FaultKind.UNSUPPORTED:
        return unsupported(message, {"space_error": fault.code})
    detail: dict[str, str | int | float | bool | list[str] | None] = {"space_error": fault.code}
    if is_temporary:
        detail["is_temporary"] = True
    return rejected(fault.name, message, detail)
