"""How a command ended, honestly."""

from enum import StrEnum

import msgspec

from hubd.model.access import Noted
from hubd.model.errors import Detail
from hubd.model.seen import Seen


class OutcomeKind(StrEnum):
    """`SENT_UNCONFIRMED` is neither success nor failure: bytes left, no proof came back."""

    DONE = "done"
    SENT_UNCONFIRMED = "sent_unconfirmed"
    REJECTED = "rejected"
    UNSUPPORTED = "unsupported"
    UNREACHABLE = "unreachable"
    EXPIRED = "expired"


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """`DONE`: the device confirmed it. `code` is stable, `message` is for a technician, `detail` is the driver's."""

    kind: OutcomeKind
    code: str
    message: str
    detail: Detail = {}
    seen: tuple[Seen, ...] = ()
    """What was read while doing it; journaled as events in the transaction that settles the command."""
    noted: tuple[Noted, ...] = ()
    """Likewise, what an access control system was read to hold afterwards."""


def done(
    message: str = "The device confirmed it.",
    seen: tuple[Seen, ...] = (),
    detail: Detail | None = None,
    noted: tuple[Noted, ...] = (),
) -> Outcome:
    """Build the outcome of a command that the device confirmed."""
    return Outcome(OutcomeKind.DONE, "done", message, detail or {}, seen, noted)


def sent_unconfirmed(message: str, code: str = "sent_unconfirmed", detail: Detail | None = None) -> Outcome:
    """Build the outcome of a command whose effect is not known."""
    return Outcome(OutcomeKind.SENT_UNCONFIRMED, code, message, detail or {})


def rejected(code: str, message: str, detail: Detail | None = None, seen: tuple[Seen, ...] = ()) -> Outcome:
    """Build the outcome of a command that the device refused or that failed on it."""
    return Outcome(OutcomeKind.REJECTED, code, message, detail or {}, seen)


def unsupported(message: str, detail: Detail | None = None) -> Outcome:
    """Build the outcome of a command that the device does not know."""
    return Outcome(OutcomeKind.UNSUPPORTED, "not_supported", message, detail or {})


def unreachable(code: str, message: str, detail: Detail | None = None) -> Outcome:
    """Build the outcome of a command that surely did not reach the device."""
    return Outcome(OutcomeKind.UNREACHABLE, code, message, detail or {})


def expired(message: str, code: str = "deadline_exceeded") -> Outcome:
    """Build the outcome of a command that was never sent because its deadline passed."""
    return Outcome(OutcomeKind.EXPIRED, code, message)
