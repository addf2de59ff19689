"""One exchange with a lock about one slot: what is written down before anything is sent, and what after."""

from datetime import datetime

import msgspec
from msgspec.structs import replace

from hubd.core import pauses
from hubd.core.codes.keeper import PinKeeper
from hubd.core.codes.plan import DUPLICATE, NOT_REMOVED, Step, frame_for, holds_another, is_in_place
from hubd.core.codes.readings import Reader, place, take_off
from hubd.core.codes.story import tell
from hubd.core.codes.wishes import Wishes
from hubd.core.lanes import Priority
from hubd.model.capability import KeypadCapability
from hubd.model.command import ClearCode, CodeCommand, ReadCode, SetCode
from hubd.model.event import CodeFailed
from hubd.model.outcome import Outcome, OutcomeKind
from hubd.model.seen import CodeHintSeen, CodeSeen
from hubd.store.codes import CodeRecord, Placement, Trouble
from hubd.store.records import DeviceRecord
from hubd.store.tables import View, native_key

TOLD_AFTER = 3
"""Failures in a row, of the kind that may be chance, after which somebody is told."""

_NOT_SET = "failed_to_set_on_device"
_CODES = {
    "duplicate_code": DUPLICATE,
    "no_space": "no_space_for_access_code_on_device",
}
_FOR_NOW = {OutcomeKind.UNREACHABLE, OutcomeKind.EXPIRED}
_OTHERWISE = {
    "set": "The lock says that it is done, but its slot does not hold what was sent.",
    "clear": "The lock says that it is done, but its slot is not empty.",
    "read": "The lock answers, but does not say what the slot holds.",
}


class Exchange(msgspec.Struct, frozen=True):
    """A step that is about to be taken, and what its slot held before."""

    step: Step
    device: DeviceRecord
    keypad: KeypadCapability
    code: CodeRecord | None = None
    """As it was before; the one whose PIN is set, or whose slot is cleared or read."""

    def command(self, pin_ref: str) -> CodeCommand:
        """Return what to ask of the driver."""
        description = self.device.device.description
        make = {"device_id": self.device.device.device_id, "native_id": description.native_id}
        slot, code = self.step.slot, self.code
        if self.step.kind == "set" and code is not None:
            frame = frame_for(code, self.keypad)
            one_time = code.is_one_time and self.keypad.has_one_time
            return SetCode(**make, slot=slot, pin_ref=pin_ref, name=code.name, frame=frame, is_one_time=one_time)
        return ClearCode(**make, slot=slot) if self.step.kind == "clear" else ReadCode(**make, slot=slot)


def is_answered(exchange: Exchange, outcome: Outcome) -> bool:
    """Whether a lock that was asked what a slot holds has said so."""
    is_told = any(isinstance(seen, CodeSeen) and seen.slot == exchange.step.slot for seen in outcome.seen)
    return is_told or exchange.step.kind != "read"


def begin(view: View, step: Step, device: DeviceRecord, keypad: KeypadCapability) -> Exchange | None:
    """Write down what is about to be sent; None if there is nothing to send any more."""
    code = None if step.code_id is None else view.code(step.code_id)
    if step.code_id is not None and code is None:
        return None
    exchange = Exchange(step, device, keypad, code)
    if code is None or step.kind == "read":
        return exchange
    placed = code.placement
    if step.kind == "clear" and placed is not None:
        view.put_code(replace(code, placement=replace(placed, state="clearing", since=view.now)))
    elif code.pin is not None:
        frame = frame_for(code, keypad)
        sent = Placement(step.slot, "sent", view.now, code.pin.mark, frame, is_over=placed is not None)
        view.put_code(replace(code, placement=sent))
    return exchange


def end(
    view: View,
    exchange: Exchange,
    outcome: Outcome,
    keeper: PinKeeper,
    at: datetime,
    *,
    is_trusted: bool = True,
) -> None:
    """Write down what came of it. What was read counts before what was said."""
    device = view.device(exchange.device.device.device_id)
    if device is None or native_key(device) != native_key(exchange.device):
        return  # another lock has taken its place meanwhile; what this one said is of no use
    is_done = outcome.kind is OutcomeKind.DONE
    just_set = exchange.step.slot if is_done and exchange.step.kind == "set" else None
    reader = Reader(view, device, exchange.keypad, keeper, at, is_trusted=is_trusted, confirmed_slot=just_set)
    for seen in outcome.seen:
        if isinstance(seen, CodeSeen):
            reader.read(seen)
        elif isinstance(seen, CodeHintSeen):
            reader.hint(seen)
    if exchange.step.code_id is None:
        _swept(view, exchange, outcome, at)
        return
    code = view.code(exchange.step.code_id)
    if code is None or _is_decided(exchange, code):
        return
    if is_done:
        _confirmed(view, exchange, code, at, is_trusted=is_trusted)
    elif outcome.kind in _FOR_NOW:
        _restore(view, exchange, code)
    else:
        _failed(view, exchange, code, outcome, Wishes(view, keeper, at, ""), at)


def _swept(view: View, exchange: Exchange, outcome: Outcome, at: datetime) -> None:
    """Go on with the round; a slot that the lock says nothing of is passed over until the next one."""
    if outcome.kind in {OutcomeKind.DONE, OutcomeKind.REJECTED}:
        book = view.book(exchange.device.device.device_id)
        view.put_book(replace(book, swept_slot=exchange.step.slot, swept_at=at))


def _is_open(code: CodeRecord) -> bool:
    return code.placement is not None and code.placement.state != "set"


def _is_clearing(code: CodeRecord) -> bool:
    return code.placement is not None and code.placement.state == "clearing"


def _is_decided(exchange: Exchange, code: CodeRecord) -> bool:
    """Whether what was read says that the step has done what it was for, whatever was said of it."""
    match exchange.step.kind:
        case "set":  # by the wish that was sent; another one may stand there by now
            sent = code if exchange.code is None else exchange.code
            return is_in_place(replace(sent, placement=code.placement), exchange.keypad)
        case "clear":
            return code.placement is None
        case "read":
            return not _is_open(code)


def _confirmed(view: View, exchange: Exchange, code: CodeRecord, at: datetime, *, is_trusted: bool) -> None:
    """The lock confirmed it without saying what the slot holds; or what it says is something else."""
    if exchange.step.kind == "read" or not _is_open(code) or code.placement is None:
        error = _error(exchange, code)
        _note(view, code, error, _OTHERWISE[exchange.step.kind], at)
    elif _is_clearing(code):
        take_off(view, code, at, is_trusted=is_trusted)
    else:
        place(view, code, exchange.keypad, at, is_verified=False)


def _restore(view: View, exchange: Exchange, code: CodeRecord) -> None:
    """Nothing was sent: the slot holds what it held."""
    if exchange.step.kind != "read" and _is_open(code):
        before = None if exchange.code is None else exchange.code.placement
        view.put_code(replace(code, placement=before))


def _failed(view: View, exchange: Exchange, code: CodeRecord, outcome: Outcome, wishes: Wishes, at: datetime) -> None:
    is_refused = outcome.kind is not OutcomeKind.SENT_UNCONFIRMED
    if is_refused:
        _restore(view, exchange, code)
        code = view.code(code.code_id) or code
    is_twin = outcome.code == "duplicate_code"
    if is_twin and exchange.step.kind == "set" and (drawn := wishes.redraw(code)) is not None:
        _note(view, replace(drawn, trouble=code.trouble), _CODES[outcome.code], outcome.message, at, is_drawn=True)
        return
    error, message = _error(exchange, code), outcome.message + _lengths(outcome)
    if error == _NOT_SET:
        error = _CODES.get(outcome.code, error)
    conflict = _twin(view, code) if is_twin else None
    _note(view, code, error, message, at, is_certain=is_refused, conflict_id=conflict)


def _error(exchange: Exchange, code: CodeRecord) -> str:
    """Return what a failure is called: of something that is to be on the lock, or off it."""
    is_removal = exchange.step.kind == "clear" or exchange.step.rank is Priority.END or _is_clearing(code)
    return NOT_REMOVED if is_removal or code.deleted_at else _NOT_SET


def _lengths(outcome: Outcome) -> str:
    """Return how a PIN that was read back differs from the one that was sent, as far as that may be told."""
    sent, held = outcome.detail.get("sent_length"), outcome.detail.get("held_length")
    return "" if sent is None or held is None else f" {sent} digits were sent, and the slot holds {held}."


def _twin(view: View, code: CodeRecord) -> str | None:
    """Return the code of the same PIN on the lock, as far as the hub knows it."""
    if code.pin is None:
        return None
    others = (o for o in view.codes_of(code.device_id) if o.code_id != code.code_id and o.placement is not None)
    return next((o.code_id for o in others if o.placement and o.placement.mark == code.pin.mark), None)


def _note(
    view: View,
    code: CodeRecord,
    error: str,
    message: str,
    at: datetime,
    *,
    is_certain: bool = False,
    is_drawn: bool = False,
    conflict_id: str | None = None,
) -> None:
    """Remember the failure, and tell of it once. A PIN that was drawn anew is first tried at once.

    Failures to set count as in a row whatever each was: a lock that gives another reason each time rests as long.
    """
    before = code.trouble
    if before is not None and (before.code == NOT_REMOVED) is not (error == NOT_REMOVED):
        before = None
    same = before if before is not None and before.code == error else None
    attempts = 1 if before is None else before.attempts + 1
    since: datetime = at if same is None else same.since
    is_told = same is not None and same.is_told
    is_news = not is_told and (is_certain or attempts >= TOLD_AFTER)
    is_end = error == NOT_REMOVED or holds_another(code)
    retry = at if is_drawn and before is None else at + pauses.pause(attempts, is_end=is_end)
    trouble = Trouble(error, message, since, attempts, retry, conflict_id, is_told or is_news)
    view.put_code(replace(code, trouble=trouble))
    if is_news:
        tell(view, code, CodeFailed(code_id=code.code_id, error_code=error, message=message))
