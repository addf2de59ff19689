"""One device as a row of the table, and as the head of its own page."""

from datetime import datetime, timedelta, tzinfo

import msgspec

from hubd.core.observe import battery_status
from hubd.model.command import EncodeCredential, LockDoor, Order, UnlockDoor
from hubd.model.device import DeviceDescription
from hubd.model.state import BatteryReading, Climate, DeviceState
from hubd.web import doors, words
from hubd.web.survey import Known
from hubd.web.words import Stamp, Tone, plain

OLD_READING = timedelta(hours=24)


class Badge(msgspec.Struct, frozen=True):
    """The one thing that a device is about: its bolt, or the room's temperature. `icon` is a symbol of the page."""

    text: str
    tone: Tone
    icon: str
    is_stale: bool = False
    """Last known, as the device cannot be asked now."""


class Battery(msgspec.Struct, frozen=True):
    """`read_at` only where the reading is old."""

    text: str
    tone: Tone
    read_at: Stamp | None


class DoorNotice(msgspec.Struct, frozen=True):
    """Something that a door of an access control system is in."""

    text: str
    tone: Tone
    since: Stamp


class DeviceRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a row shows."""

    device_id: str
    name: str
    about: str
    badge: Badge | None
    note: str
    """Second line of the state."""
    door: str
    battery: Battery | None
    is_reached: bool
    reach: str
    doing: str
    """The order under way, such as `Unlocking…`."""
    can_lock: bool
    can_unlock: bool
    codes: str
    """How many of its access codes have an error; empty for none."""
    notices: tuple[DoorNotice, ...] = ()
    """Of a door, worst first."""


def device_row(known: Known, order: Order | None, now: datetime, zone: tzinfo, *, acts: bool) -> DeviceRow:
    """Build a row; `order` is what is under way on the device, `acts` whether the reader may give orders."""
    record = known.record
    description, state = record.device.description, record.state
    lock = description.capabilities.lock if acts and record.is_managed and record.removed_at is None else None
    return DeviceRow(
        device_id=record.device.device_id,
        name=known.name,
        about=_about(description),
        badge=badge(known),
        note=_climate_note(state.climate),
        door=door_words(state),
        battery=_battery(state, now, zone),
        is_reached=known.reach.ok,
        reach=known.reach.text,
        doing=doing_words(order),
        can_lock=lock is not None and lock.can_lock,
        can_unlock=lock is not None and lock.can_unlock,
        codes=words.count(known.wrong_codes, "code with an error", "codes with errors") if known.wrong_codes else "",
        notices=tuple(
            DoorNotice(one.words.label, one.words.tone, words.stamp(one.since, now, zone))
            for one in doors.in_force(state)
        ),
    )


def about(kind: str, manufacturer: str | None, model: str | None) -> str:
    """Name the make of a device."""
    make = " ".join(words.name(part) for part in (manufacturer, model) if part)
    return f"{kind.capitalize()}, {make}" if make else kind.capitalize()


def badge(known: Known) -> Badge | None:
    """Say the main state of a device; None where it has none."""
    state, is_stale = known.record.state, not known.reach.ok
    if known.record.device.description.is_access:
        return _access_badge(known)
    if known.record.device.description.capabilities.lock is not None or state.locked is not None:
        if state.jammed:
            return Badge("Jammed", "bad", "alert", is_stale)
        if state.locked is None:
            return Badge("Unknown", "quiet" if is_stale else "warn", "unknown", is_stale=False)
        return (
            Badge("Locked", "ok", "locked", is_stale)
            if state.locked
            else Badge("Unlocked", "note", "unlocked", is_stale)
        )
    if state.climate is not None:
        temperature = state.climate.temperature_celsius
        text = "No reading" if temperature is None else words.celsius(temperature)
        return Badge(text, "quiet", "climate", is_stale)
    return None


def _access_badge(known: Known) -> Badge:
    """Say of a door or an encoder whether it is there; what a door is in stands beside it."""
    if doors.is_standalone(known.record.device.description.capabilities):
        return Badge("Standalone", "quiet", "off")
    return Badge("Online", "ok", "ok") if known.reach.ok else Badge("Offline", "bad", "broken")


def door_words(state: DeviceState) -> str:
    """Say how the door stands; empty where nobody tells."""
    return {None: "", True: "Open", False: "Closed"}[state.door_open]


def _about(description: DeviceDescription) -> str:
    kind = doors.type_words(description.capabilities) or description.kind
    return about(kind, description.manufacturer, description.model)


def _battery(state: DeviceState, now: datetime, zone: tzinfo) -> Battery | None:
    """Say how a battery is; of a door that tells no level, only that it is low."""
    if state.battery is not None:
        return battery_words(state.battery, now, zone)
    mark = state.conditions.get("low_battery")
    return None if mark is None or not mark.is_on else Battery("Low", "warn", None)


def battery_words(battery: BatteryReading, now: datetime, zone: tzinfo) -> Battery:
    """Say a battery's level, and since when it is known where that is long ago."""
    status = battery_status(battery.level, low=battery.low)
    tone: Tone = "bad" if status == "critical" else "warn" if status == "low" else "quiet"
    text = words.percent(battery.level) + (f", {status}" if tone != "quiet" else "")
    is_old = now - battery.measured_at > OLD_READING
    return Battery(text, tone, words.stamp(battery.measured_at, now, zone) if is_old else None)


def doing_words(order: Order | None) -> str:
    """Say what is under way."""
    match order:
        case None:
            return ""
        case LockDoor():
            return "Locking…"
        case UnlockDoor():
            return "Unlocking…"
        case EncodeCredential():
            return "Writing a card…"
        case _:
            return "An order is under way…"


def setting_words(climate: Climate) -> str:
    """Say what a thermostat is set to."""
    if climate.hvac_mode == "off":
        return "off"
    parts: list[str] = []
    if climate.heating_set_point_celsius is not None and climate.hvac_mode != "cool":
        parts.append(f"heat to {words.celsius(climate.heating_set_point_celsius)}")
    if climate.cooling_set_point_celsius is not None and climate.hvac_mode != "heat":
        parts.append(f"cool to {words.celsius(climate.cooling_set_point_celsius)}")
    return ", ".join(parts) or plain((climate.hvac_mode or "").replace("_", " "), 40)


def activity_words(climate: Climate) -> str:
    """Say what a thermostat does at the moment; empty where it does not tell."""
    if climate.is_heating:
        return "heating now"
    if climate.is_cooling:
        return "cooling now"
    return "fan running" if climate.is_fan_running else ""


def _climate_note(climate: Climate | None) -> str:
    if climate is None:
        return ""
    humidity = climate.relative_humidity
    parts = ["" if humidity is None else f"{words.percent(humidity)} humidity"]
    parts += [setting_words(climate), activity_words(climate)]
    return " · ".join(part.replace(" ", "\u00a0") for part in parts if part)
