"""What drivers hand over, taken through the model's own types.

A Python type annotation holds nobody to it. A value that cannot be written, or could not be read back at the next
start, is refused here, to the driver that said it, and never gets near the journal. A number that a thermostat gives of
itself and that cannot be true (a humidity of 44, a step of 0) is taken for not known: one odd device is no reason to
lose all the others of its driver.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from hubd.driver.actions import ActionResult, Fact
from hubd.driver.checks import Finding
from hubd.model.access import Noted
from hubd.model.capability import SetPointRange, ThermostatCapability
from hubd.model.device import DeviceDescription
from hubd.model.errors import writable
from hubd.model.outcome import Outcome
from hubd.model.seen import ClimateSeen, Seen
from hubd.model.state import Climate

COLDEST, HOTTEST = -100.0, 150.0
"""Degrees Celsius; no room, and no set-point of one, is beyond."""
_LARGEST_STEP: Final = 10.0
_LARGEST_DELTA: Final = 30.0
_CELSIUS: Final = ("temperature_celsius", "heating_set_point_celsius", "cooling_set_point_celsius")


class _Told(msgspec.Struct):
    message: str
    facts: dict[str, Fact]
    table: tuple[dict[str, Fact], ...]


_encode = msgspec.json.Encoder().encode
_decode_description = msgspec.json.Decoder(DeviceDescription).decode
_decode_seen = msgspec.json.Decoder(tuple[Seen, ...]).decode
_decode_outcome = msgspec.json.Decoder(Outcome).decode
_decode_noted = msgspec.json.Decoder(tuple[Noted, ...]).decode
_decode_told = msgspec.json.Decoder(_Told).decode
_decode_finding = msgspec.json.Decoder(Finding).decode


def description(given: DeviceDescription) -> DeviceDescription:
    """Return a description as it will be read back. Raises `TypeError`."""
    taken = _through(_decode_description, given, "a device description")
    thermostat = taken.capabilities.thermostat
    if thermostat is None:
        return taken
    return replace(taken, capabilities=replace(taken.capabilities, thermostat=_possible_capability(thermostat)))


def readings(given: tuple[Seen, ...]) -> tuple[Seen, ...]:
    """Return readings as they will be read back. Raises `TypeError`."""
    return _possible(_through(_decode_seen, given, "readings"))


def noted(given: tuple[Noted, ...]) -> tuple[Noted, ...]:
    """Return what an access control system holds or told as it will be read back. Raises `TypeError`."""
    return _through(_decode_noted, given, "what an access control system holds")


def outcome(given: Outcome) -> Outcome:
    """Return an outcome as it will be read back. Raises `TypeError`."""
    taken = _through(_decode_outcome, given, "an outcome")
    return replace(taken, seen=_possible(taken.seen)) if taken.seen else taken


def result(given: object) -> ActionResult:
    """Return an action's result as it will be sent. Raises `TypeError`."""
    if not isinstance(given, ActionResult) or not isinstance(given.file, Path | None):
        raise TypeError("the driver handed over something that is no ActionResult")
    told = _through(_decode_told, _Told(given.message, given.facts, given.table), "an action's result")
    return replace(given, message=told.message, facts=told.facts, table=told.table)


def finding(given: object) -> Finding:
    """Return what a check found as it will be sent. Raises `TypeError`."""
    if not isinstance(given, Finding):
        raise TypeError("the driver handed over something that is no Finding")
    words = {
        name: writable(value) if isinstance(value, str) else value
        for name, value in msgspec.structs.asdict(given).items()
    }
    return _through(_decode_finding, replace(given, **words), "a finding")


def _through[T](decode: Callable[[bytes], T], given: T, what: str) -> T:
    try:
        return decode(_encode(given))
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError) as error:
        raise TypeError(f"the driver handed over {what} that cannot be kept: {error}") from error


def _possible(seen: tuple[Seen, ...]) -> tuple[Seen, ...]:
    return tuple(
        replace(one, climate=_possible_climate(one.climate)) if isinstance(one, ClimateSeen) else one for one in seen
    )


def _possible_climate(climate: Climate) -> Climate:
    wrong = [name for name in _CELSIUS if not _is_within(getattr(climate, name), COLDEST, HOTTEST)]
    if not _is_within(climate.relative_humidity, 0.0, 1.0):
        wrong.append("relative_humidity")
    return replace(climate, **dict.fromkeys(wrong)) if wrong else climate


def _possible_capability(thermostat: ThermostatCapability) -> ThermostatCapability:
    step, delta = thermostat.step, thermostat.min_delta_celsius
    return replace(
        thermostat,
        heating=_possible_range(thermostat.heating),
        cooling=_possible_range(thermostat.cooling),
        step=step if step is not None and 0.0 < step <= _LARGEST_STEP else None,
        min_delta_celsius=delta if _is_within(delta, 0.0, _LARGEST_DELTA) else None,
    )


def _possible_range(bounds: SetPointRange | None) -> SetPointRange | None:
    is_possible = bounds is not None and COLDEST <= bounds.min_celsius <= bounds.max_celsius <= HOTTEST
    return bounds if is_possible else None


def _is_within(value: float | None, lowest: float, highest: float) -> bool:
    return value is None or lowest <= value <= highest
