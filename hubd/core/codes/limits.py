"""What people report of a keypad's PINs on top of what the device tells. Pure."""

from msgspec.structs import replace

from hubd.model.capability import KeypadCapability
from hubd.model.errors import InvalidInputError
from hubd.store.codes import Constraints


def limited(keypad: KeypadCapability, report: Constraints | None) -> KeypadCapability:
    """Return a keypad with the lengths that a report leaves; all of its own, should none be left."""
    left = () if report is None else _left(keypad, report)
    return replace(keypad, lengths=left) if left else keypad


def check(keypad: KeypadCapability, report: Constraints) -> None:
    """Raise `InvalidInputError` for a report that cannot be true of a keypad."""
    if report == Constraints():
        raise InvalidInputError("supported_code_lengths", "is required (or min_code_length, or max_code_length)")
    if report.lengths and (report.min_length is not None or report.max_length is not None):
        raise InvalidInputError("supported_code_lengths", "stands alone: without min_code_length and max_code_length")
    if not _left(keypad, report):
        field = "supported_code_lengths" if report.lengths else "min_code_length"
        own = ", ".join(map(str, keypad.code_lengths))
        raise InvalidInputError(field, f"leaves no PIN that the lock takes: it says itself that it takes {own} digits")


def _left(keypad: KeypadCapability, report: Constraints) -> tuple[int, ...]:
    least, most = report.min_length or 0, report.max_length or max(keypad.code_lengths, default=0)
    return tuple(
        size for size in keypad.code_lengths if least <= size <= most and (not report.lengths or size in report.lengths)
    )
