"""From a node to a device of the hub: its description, and what can be read of it."""

from typing import Final, NamedTuple

from hubd.model import (
    BatterySeen,
    Capabilities,
    ClimateSeen,
    DeviceDescription,
    DoorSeen,
    KeypadCapability,
    Kind,
    LockCapability,
)
from hubd_drivers.zwave import alarms, climate, lock, notices
from hubd_drivers.zwave.brands import device_type
from hubd_drivers.zwave.facts import (
    BATTERY,
    COMPLETE,
    FAILED,
    MANUFACTURER,
    NOTIFICATION,
    STATUS_ASLEEP,
    STATUS_AWAKE,
    STATUS_DEAD,
    WAKE_UP,
    NodeFacts,
    ValueId,
    integer,
    mapping,
    number,
)
from hubd_drivers.zwave.identity import hardware_ids, home

_CODES: Final = ("1", "2")
"""Keys of the credential types "PIN code" and "password" in zwave-js's list. It calls the codes of a User Code lock
passwords where the lock takes letters too; digits do there as well."""
_MOST_SLOTS: Final = 0xFFFF
_LONGEST_PIN: Final = 32
_NOUN: Final[dict[Kind, str]] = {"lock": "Door lock", "thermostat": "Thermostat", "other": "Z-Wave device"}
_REPLACE: Final = frozenset({1, 2})
"""Battery CC v2, "replace/recharge soon" and "now"."""


_DAY: Final = 86_400.0
_REFRESH_HOURS: Final = 7 * 24.0
"""zwave-js asks for a battery level that is older than seven days (`BatteryCC.shouldRefreshValues`): what listens once
an hour, what sleeps when it next wakes. Many devices report a change only, so that nothing comes sooner."""


class Readings(NamedTuple):
    """What is read of a device besides its bolt; None where it measures no such thing."""

    battery: BatterySeen | None
    door: DoorSeen | None
    climate: ClimateSeen | None


def why_pending(facts: NodeFacts) -> str | None:
    """Return why a node cannot be announced yet, in a sentence; None when it can."""
    if facts.stage == FAILED:
        return "zwave-js could not interview it; bring it closer to the controller and interview it again."
    if not facts.is_ready and facts.stage != COMPLETE:
        if facts.status == STATUS_ASLEEP:
            return "It sleeps and has not been interviewed; wake it (usually by its button) and wait a minute."
        if facts.status == STATUS_DEAD:
            return "It has not been interviewed, because it does not answer."
        if facts.stage in {None, "None"}:
            return "Its interview has just begun."
        return f"Its interview is under way (last completed stage: {facts.stage})."
    if MANUFACTURER in facts.command_classes and facts.manufacturer_id is None:
        return "It has not said yet who made it; interview it again if this lasts."
    return None


def kind_of(facts: NodeFacts) -> Kind:
    """Return a node's kind by its command classes."""
    if lock.find_bolt(facts) is not None:
        return "lock"
    return "thermostat" if climate.is_thermostat(facts) else "other"


def keypad(answer: object) -> KeypadCapability | None:
    """Read the PINs a lock takes out of zwave-js's `get_credential_capabilities_cached`; None for no keypad."""
    capabilities = mapping(mapping(answer).get("capabilities"))
    types = mapping(capabilities.get("supportedCredentialTypes"))
    pins = next((mapping(types[key]) for key in _CODES if key in types), {})
    slots = integer(pins.get("numberOfCredentialSlots"), 1, _MOST_SLOTS)
    if slots is None:
        return None
    shortest = integer(pins.get("minCredentialLength"), 1, _LONGEST_PIN)
    longest = integer(pins.get("maxCredentialLength"), 1, _LONGEST_PIN)
    if shortest is None or longest is None or shortest > longest:
        return KeypadCapability(slots)
    return KeypadCapability(slots, shortest, longest)


def sleeps(facts: NodeFacts) -> bool:
    """Tell whether a node hears nothing between its wake-ups."""
    return facts.can_sleep or facts.status in {STATUS_ASLEEP, STATUS_AWAKE}


def wake_interval(facts: NodeFacts) -> float | None:
    """Return how many seconds apart a sleeping node wakes: a day where it does not say, None for one that need not."""
    seconds = integer(facts.get(ValueId(WAKE_UP, 0, "wakeUpInterval")), high=0xFFFFFF)
    return _DAY if seconds is None else float(seconds) or None


def battery_report_hours(facts: NodeFacts) -> float | None:
    """Return how many hours a battery level may be old before it is asked for; None without a battery."""
    if not facts.supports(BATTERY):
        return None
    wake = wake_interval(facts) if sleeps(facts) else 0.0
    return None if wake is None else round(_REFRESH_HOURS + wake / 3600, 2)


def describe(
    facts: NodeFacts,
    native_id: str,
    home_id: int,
    keypad_capability: KeypadCapability | None,
    *,
    has_own_serial: bool = True,
    has_fractions: bool = False,
) -> DeviceDescription:
    """Describe a node that is not pending.

    `has_own_serial` False: another device claims the same serial number. `has_fractions`: see `climate.capability`.
    """
    kind = kind_of(facts)
    bolt = lock.find_bolt(facts)
    capabilities = Capabilities(
        lock=None if bolt is None else bolt.capability,
        keypad=keypad_capability if kind == "lock" else None,
        thermostat=climate.capability(facts, has_fractions=has_fractions) if kind == "thermostat" else None,
        battery=facts.supports(BATTERY),
        battery_report_hours=battery_report_hours(facts),
    )
    return DeviceDescription(
        native_id=native_id,
        kind=kind,
        device_type=device_type(kind, facts.manufacturer),
        name=name_of(facts, kind, home_id),
        manufacturer=facts.manufacturer,
        model=facts.label,
        firmware=facts.firmware,
        capabilities=capabilities,
        hardware_ids=hardware_ids(facts, home_id, has_own_serial=has_own_serial),
    )


def name_of(facts: NodeFacts, kind: Kind, home_id: int) -> str:
    """Return the name given to the node in zwave-js, else its maker's name for the product.

    A product that no device file knows is named by what it is and where it sits: `Door lock 7e570001-2`.
    """
    if facts.name is not None:
        return facts.name
    product = facts.description or " ".join(part for part in (facts.manufacturer, facts.label) if part)
    if not product or product == facts.manufacturer:
        return f"{_NOUN[kind]} {home(home_id)}-{facts.node_id}"
    return f"{product} ({facts.location})" if facts.location else product


def readings(
    facts: NodeFacts, native_id: str, lock_capability: LockCapability | None, *, warned: bool = False
) -> Readings:
    """Return what is read of a device. `warned`: it sent a low-battery warning since its last level."""
    is_open = lock.door_open(facts) if lock_capability is not None and lock_capability.reports_door else None
    has_climate = lock_capability is None and climate.is_thermostat(facts)
    return Readings(
        battery=battery(facts, native_id, warned=warned),
        door=None if is_open is None else DoorSeen(native_id=native_id, open=is_open),
        climate=ClimateSeen(native_id=native_id, climate=climate.climate(facts)) if has_climate else None,
    )


def battery(facts: NodeFacts, native_id: str, *, warned: bool = False) -> BatterySeen | None:
    """Return the battery's level. A bare warning is level 0, as the specification has it."""
    level = number(facts.get(battery_level_id(facts)), 0, 100)
    low = warned or _says_low(facts)
    if level is None:
        return BatterySeen(native_id=native_id, level=0.0, low=True) if low else None
    return BatterySeen(native_id=native_id, level=round(level / 100, 4), low=low)


def battery_level_id(facts: NodeFacts) -> ValueId:
    """Return where a node's battery level stands."""
    found = next((value_id for value_id in facts.of_class(BATTERY) if value_id.name == "level"), None)
    return found or ValueId(BATTERY, 0, "level")


def _says_low(facts: NodeFacts) -> bool:
    for value_id, value in facts.of_class(BATTERY).items():
        if value_id.name == "isLow" and value.value is True:
            return True
        if value_id.name == "rechargeOrReplace" and integer(value.value) in _REPLACE:
            return True
    values = facts.of_class(NOTIFICATION)
    kinds = [(notices.TYPES.get(str(value_id.name)), integer(value.value)) for value_id, value in values.items()]
    # zwave-js puts the alarms of older locks into "charge soon", and never takes it back.
    has_alarms = any(value_id.name == alarms.ALARM_TYPE and value.value for value_id, value in values.items())
    return any(
        kind is not None
        and notices.is_battery_low(kind, event)
        and not (has_alarms and notices.is_charge_low(kind, event))
        for kind, event in kinds
    )
