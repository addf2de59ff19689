"""The ends of commands, as parts of a transaction: settling, the crash rule, what the device's state decides later."""

from msgspec.structs import replace

from hubd.core.health import InstanceHealth
from hubd.core.observe import Observer
from hubd.core.silence import AT_ONCE, Silence
from hubd.model.command import LockDoor, Order, UnlockDoor, action_type
from hubd.model.event import CommandResolved, CommandSettled
from hubd.model.outcome import Outcome, OutcomeKind, expired, sent_unconfirmed, unreachable
from hubd.model.seen import LockSeen
from hubd.store.records import CommandRecord
from hubd.store.tables import View

#: Actions with events in Seam's list; the other simulations are the hub's own.
_PUBLIC_ACTIONS = {"LOCK_DOOR", "UNLOCK_DOOR", "SIMULATE_KEYPAD_CODE_ENTRY", "SIMULATE_MANUAL_LOCK_VIA_KEYPAD"}


def cannot_reach(health: InstanceHealth) -> Outcome | None:
    """Return the outcome of a command that cannot be sent now because a hop is dead, naming the hop; else None."""
    if health.is_connected:
        return None
    error = health.error
    if error is None:
        message = f"{health.manifest.title} is not connected yet; nothing was sent."
        return unreachable("hub_disconnected", message, {"hop": health.manifest.hops[0]})
    message = f"The {error.hop} of {health.manifest.title} is not reachable: {error.message}"
    return unreachable("hub_disconnected", message, {"hop": error.hop, "reason": error.code})


def _public(command: Order, *, succeeded: bool) -> str | None:
    action = action_type(command)
    if action not in _PUBLIC_ACTIONS:
        return None
    return f"action_attempt.{action.lower()}.{'succeeded' if succeeded else 'failed'}"


def is_by_hand(seen: LockSeen) -> bool:
    """Whether somebody used the lock: where its bolt is now says nothing about an order of before."""
    return seen.method not in {None, "remote"}


def settle(
    view: View, request_id: str, outcome: Outcome, order: tuple[str, bool] | None, silence: Silence = AT_ONCE
) -> None:
    """End a command: what was read while doing it becomes events, then the command is settled. Twice is once."""
    known = view.command(request_id)
    if known is None or known.outcome is not None:
        return
    record = view.device(known.command.device_id)
    if record is not None:
        observer = Observer(view, record, order, silence)
        for seen in outcome.seen:
            observer.apply(seen)
    is_public = record is not None and record.is_managed
    public = _public(known.command, succeeded=outcome.kind is OutcomeKind.DONE) if is_public else None
    view.emit(
        CommandSettled(request_id=request_id, outcome=replace(outcome, seen=(), noted=())),
        public=public,
        instance=None if record is None else record.device.instance,
        device_id=known.command.device_id,
    )


def recover(view: View, open_commands: list[CommandRecord]) -> None:
    """Apply the crash rule to commands that a dead process left open. Nothing is ever sent again."""
    for command in open_commands:
        if command.started_at is None:
            outcome = expired("The hub stopped before the command was sent; nothing was sent.", "hub_restarted")
        else:
            message = "The hub stopped while the command was under way; it may have been carried out."
            outcome = sent_unconfirmed(message, "hub_restarted")
        settle(view, command.request_id, outcome, None)


def resolve(view: View, request_id: str, seen: LockSeen) -> None:
    """Let a reading of the bolt decide a lock order that had ended SENT_UNCONFIRMED. Once, and only a plain reading.

    Before the order's deadline a bolt that is not there yet proves nothing: it may still be on its way.
    """
    record = view.command(request_id)
    if record is None or record.outcome is None or record.resolution is not None:
        return
    command = record.command
    is_open = record.outcome.kind is OutcomeKind.SENT_UNCONFIRMED and isinstance(command, LockDoor | UnlockDoor)
    is_its_bolt = seen.native_id == command.native_id  # another device may have taken its place
    if not is_open or not is_its_bolt or seen.locked is None or is_by_hand(seen):
        return
    reached = seen.locked is isinstance(command, LockDoor)
    if not reached and view.now < record.deadline:
        return
    position = "locked" if seen.locked else "unlocked"
    words = "as ordered" if reached else "so the order is not in effect"
    _resolved(view, record, f"The lock now reports that it is {position}, {words}.", reached=reached)


def confirm(view: View, request_id: str, message: str) -> None:
    """Let proof from elsewhere decide that a command which had ended SENT_UNCONFIRMED was carried out. Once."""
    record = view.command(request_id)
    if record is None or record.outcome is None or record.resolution is not None:
        return
    if record.outcome.kind is OutcomeKind.SENT_UNCONFIRMED:
        _resolved(view, record, message, reached=True)


def _resolved(view: View, record: CommandRecord, message: str, *, reached: bool) -> None:
    event = CommandResolved(request_id=record.request_id, reached=reached, message=message)
    device = view.device(record.command.device_id)
    is_public = reached and device is not None and device.is_managed
    view.emit(
        event,
        public=_public(record.command, succeeded=True) if is_public else None,
        instance=None if device is None else device.device.instance,
        device_id=record.command.device_id,
    )
