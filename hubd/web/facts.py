"""What is known of one device, as labelled lines. Pure."""

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from hubd.model.capability import Capabilities, SetPointRange, ThermostatCapability
from hubd.model.event import DoorChanged, LockChanged, LockUncertain
from hubd.model.state import DeviceState, LinkQuality
from hubd.store.records import DeviceRecord, Row
from hubd.web import doors, words
from hubd.web.rows import activity_words, badge, door_words, setting_words
from hubd.web.survey import Known
from hubd.web.words import Stamp, plain

MAX_NOTES = 50


class Fact(msgspec.Struct, frozen=True):
    """One line; `is_code` for what is copied letter by letter. `at_word` says what the time is of."""

    label: str
    text: str
    at: Stamp | None = None
    at_word: str = "since"
    is_code: bool = False


class Facts(msgspec.Struct, frozen=True):
    """Lines under one heading."""

    facts: tuple[Fact, ...]


def identity(record: DeviceRecord, link: str, found_at: Stamp, removed_at: Stamp | None) -> Facts:
    """Say what the device is and where it hangs."""
    description, instance = record.device.description, words.name(record.device.instance)
    facts = [
        Fact("Name on its network", words.name(description.name)),
        Fact("Nickname", words.name(record.nickname) if record.nickname else ""),
        Fact("Manufacturer", plain(description.manufacturer or "")),
        Fact("Model", plain(description.model or "")),
        Fact("Firmware", plain(description.firmware or "")),
        Fact("Device type", plain(description.device_type), is_code=True),
        Fact("Reached through", link if instance in link else f"{link} ({instance})"),
        Fact("Native id", plain(description.native_id), is_code=True),
        Fact("Device id", record.device.device_id, is_code=True),
        Fact("Managed", "yes" if record.is_managed else "no: the hub watches it and gives it no orders"),
        Fact("Found", "", found_at),
    ]
    if removed_at is not None:
        facts.append(Fact("Removed", "", removed_at))
    return Facts(tuple(fact for fact in facts if fact.text or fact.at))


def notes(record: DeviceRecord) -> Facts:
    """Return the custom metadata."""
    pairs = list(record.custom_metadata.items())[:MAX_NOTES]
    return Facts(tuple(Fact(words.name(label), _note(value)) for label, value in pairs if value is not None))


def _note(value: str | bool | None) -> str:  # noqa: FBT001 - a value as people set it
    return plain(value) if isinstance(value, str) else "yes" if value else "no"


def abilities(capabilities: Capabilities) -> Facts:
    """Say what the device can do, with its limits."""
    facts: list[Fact] = [Fact(label, text) for label, text in doors.abilities(capabilities)]
    if (lock := capabilities.lock) is not None and capabilities.entrance is None:
        moves = [word for word, can in (("locks", lock.can_lock), ("unlocks", lock.can_unlock)) if can]
        door = "tells whether its door is open" if lock.reports_door else "does not tell whether its door is open"
        facts.append(Fact("Bolt", f"{' and '.join(moves) or 'only reports'} on order; {door}"))
    if (keypad := capabilities.keypad) is not None:
        lengths = f"{keypad.min_length} to {keypad.max_length}"
        digits = str(keypad.min_length) if keypad.min_length == keypad.max_length else lengths
        facts.append(Fact("Keypad", f"{words.count(keypad.slots, 'slot', 'slots')}, codes of {digits} digits"))
    if (thermostat := capabilities.thermostat) is not None:
        facts += _thermostat(thermostat)
    if capabilities.encoder is None:
        facts.append(Fact("Power", "battery, level reported" if capabilities.battery else "reports no battery"))
    if capabilities.simulated:
        facts.append(Fact("Simulated", "yes: there is no such device in the house"))
    return Facts(tuple(facts))


def _thermostat(thermostat: ThermostatCapability) -> list[Fact]:
    modes = ", ".join(mode.replace("_", " and ") for mode in thermostat.hvac_modes)
    return [
        Fact("Modes", modes or "none"),
        Fact("Fan", ", ".join(thermostat.fan_modes) or "cannot be set"),
        Fact("Heating set-point", _range(thermostat.heating)),
        Fact("Cooling set-point", _range(thermostat.cooling)),
        Fact("Humidity", "reported" if thermostat.reports_humidity else "not reported"),
    ]


def _range(limits: SetPointRange | None) -> str:
    if limits is None:
        return "cannot be set"
    return f"{words.celsius(limits.min_celsius)} to {words.celsius(limits.max_celsius)}"


def readings(
    known: Known,
    changed_at: Stamp | None,
    measured_at: Stamp | None,
    since: dict[str, Stamp],
    link_at: Stamp | None = None,
    *,
    has_settings: bool = True,
    conditions: Sequence[Fact] = (),
) -> Facts:
    """Say the device's condition; `since` holds the last event of `lock` and `door` where the journal has one.

    `has_settings` False: how a thermostat is set is told elsewhere. `conditions`: what a door is in.
    """
    state = known.record.state
    is_access = known.record.device.description.is_access
    facts = [Fact("Reached", known.reach.text, changed_at), *conditions]
    main = badge(known)
    if main is not None and state.climate is None and not is_access:
        facts.append(Fact("Bolt", main.text + (", last known" if main.is_stale else ""), since.get("lock")))
    has_bolt = known.record.device.description.capabilities.lock is not None and not is_access
    if (door := door_words(state)) or has_bolt:
        facts.append(Fact("Door", door or "not known", since.get("door")))
    if state.battery is not None:
        low = "; the device itself says it is low" if state.battery.low else ""
        facts.append(Fact("Battery", words.percent(state.battery.level) + low, measured_at, "read"))
    if (climate := state.climate) is not None:
        temperature, humidity = climate.temperature_celsius, climate.relative_humidity
        facts += [
            Fact("Temperature", "not known" if temperature is None else words.celsius(temperature)),
            Fact("Humidity", "not known" if humidity is None else words.percent(humidity)),
        ]
    if climate is not None and has_settings:
        facts += [
            Fact("Mode", plain((climate.hvac_mode or "not known").replace("_", " and "))),
            Fact("Set to", setting_words(climate) or "not known"),
            Fact("Fan", climate.fan_mode or "not known"),
            Fact("Doing", activity_words(climate) or "nothing"),
        ]
    if state.link is not None and link_at is not None:
        facts.append(radio(state.link, link_at))
    return Facts(tuple(facts))


def conditions(state: DeviceState, stamp: Callable[[datetime], Stamp]) -> tuple[Fact, ...]:
    """Say all that is known of what a door of an access control system is in."""
    return tuple(Fact(label, text, stamp(since)) for label, text, since in doors.known(state))


def radio(link: LinkQuality, measured_at: Stamp) -> Fact:
    """Say how well a device is reached."""
    parts: list[str] = []
    if link.signal_dbm is not None:
        parts.append(f"{link.signal_dbm:g}\u00a0dBm")
    if link.route is not None:
        names = ", ".join(words.name(one) for one in link.route)
        parts.append(f"through {names}" if names else "reached directly")
    if link.round_trip_ms is not None:
        parts.append(f"answers in {link.round_trip_ms:.0f}\u00a0ms")
    if link.lost_ratio is not None:
        parts.append(f"{words.percent(link.lost_ratio)} of the commands to it lost")
    return Fact("Radio", "; ".join(parts) or "not known", measured_at, "read")


def last_moves(rows: list[Row]) -> dict[str, Row]:
    """Find the last event about the bolt and about the door among rows, newest first."""
    moves: dict[str, Row] = {}
    for row in rows:
        if isinstance(row.event, LockChanged | LockUncertain):
            moves.setdefault("lock", row)
        elif isinstance(row.event, DoorChanged):
            moves.setdefault("door", row)
    return moves
