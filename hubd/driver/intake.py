"""What drivers hand over, taken through the model's own types.

A Python type annotation holds nobody to it. A value that cannot be written, or could not be read back at the next
start, is refused here, to the driver that said it, and never gets near the journal.
"""

from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec.structs import replace

from hubd.driver.actions import ActionResult, Fact
from hubd.model.device import DeviceDescription
from hubd.model.outcome import Outcome
from hubd.model.seen import Seen


class _Told(msgspec.Struct):
    message: str
    facts: dict[str, Fact]
    table: tuple[dict[str, Fact], ...]


_encode = msgspec.json.Encoder().encode
_decode_description = msgspec.json.Decoder(DeviceDescription).decode
_decode_seen = msgspec.json.Decoder(tuple[Seen, ...]).decode
_decode_outcome = msgspec.json.Decoder(Outcome).decode
_decode_told = msgspec.json.Decoder(_Told).decode


def description(given: DeviceDescription) -> DeviceDescription:
    """Return a description as it will be read back. Raises `TypeError`."""
    return _through(_decode_description, given, "a device description")


def readings(given: tuple[Seen, ...]) -> tuple[Seen, ...]:
    """Return readings as they will be read back. Raises `TypeError`."""
    return _through(_decode_seen, given, "readings")


def outcome(given: Outcome) -> Outcome:
    """Return an outcome as it will be read back. Raises `TypeError`."""
    return _through(_decode_outcome, given, "an outcome")


def result(given: object) -> ActionResult:
    """Return an action's result as it will be sent. Raises `TypeError`."""
    if not isinstance(given, ActionResult) or not isinstance(given.file, Path | None):
        raise TypeError("the driver handed over something that is no ActionResult")
    told = _through(_decode_told, _Told(given.message, given.facts, given.table), "an action's result")
    return replace(given, message=told.message, facts=told.facts, table=told.table)


def _through[T](decode: Callable[[bytes], T], given: T, what: str) -> T:
    try:
        return decode(_encode(given))
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError) as error:
        raise TypeError(f"the driver handed over {what} that cannot be kept: {error}") from error
