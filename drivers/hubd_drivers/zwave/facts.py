"""What zwave-js says of a node, taken out of its JSON into values that can be trusted to have their types.

Nothing here raises for what a node or the server sent: what is missing, misshapen or out of range is None.
"""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

import msgspec
from msgspec.structs import replace

type Json = Mapping[str, object]

LONGEST_TEXT: Final = 120
LAST_NODE: Final = 4000
"""Long Range numbers its nodes from 256 to 4000."""
_SIGNALS: Final = (-130.0, 30.0)
_LONGEST_TRIP_MS: Final = 600_000
_MOST_REPEATERS: Final = 4

STATUS_UNKNOWN, STATUS_ASLEEP, STATUS_AWAKE, STATUS_DEAD, STATUS_ALIVE = range(5)
COMPLETE: Final = "Complete"
FAILED: Final = "Failed"

# Command classes, by their number in the Z-Wave specification.
SENSOR_MULTILEVEL: Final = 49
THERMOSTAT_MODE: Final = 64
THERMOSTAT_STATE: Final = 66
THERMOSTAT_SETPOINT: Final = 67
THERMOSTAT_FAN_MODE: Final = 68
THERMOSTAT_FAN_STATE: Final = 69
SCHEDULE_ENTRY_LOCK: Final = 78
DOOR_LOCK: Final = 98
USER_CODE: Final = 99
CONFIGURATION: Final = 112
NOTIFICATION: Final = 113
MANUFACTURER: Final = 114
LOCK: Final = 118
NAMING: Final = 119
BATTERY: Final = 128
WAKE_UP: Final = 132
USER_CREDENTIAL: Final = 131
TIME: Final = 138
TIME_PARAMETERS: Final = 139

KEPT: Final = frozenset(
    {
        SENSOR_MULTILEVEL,
        THERMOSTAT_MODE,
        THERMOSTAT_STATE,
        THERMOSTAT_SETPOINT,
        THERMOSTAT_FAN_MODE,
        THERMOSTAT_FAN_STATE,
        DOOR_LOCK,
        NOTIFICATION,
        MANUFACTURER,
        LOCK,
        NAMING,
        BATTERY,
        WAKE_UP,
    }
)
"""Values of other command classes are dropped on sight; among them User Code, whose values are people's PINs."""


class ValueId(NamedTuple):
    """Names a value of a node. `name` and `key` are zwave-js's property and propertyKey."""

    command_class: int
    endpoint: int
    name: str | int
    key: str | int | None = None


class Value(msgspec.Struct, frozen=True):
    """A value as it was last reported, with what zwave-js knows about it."""

    value: object
    metadata: Json = {}


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """How zwave-js gets on with a node since its own start. None is not known."""

    heard_at: datetime | None = None
    sent: int = 0
    """Commands that were acknowledged."""
    unsent: int = 0
    """Commands that were given up without an acknowledgement."""
    unanswered: int = 0
    """Questions that were acknowledged, and not answered in time."""
    round_trip_ms: float | None = None
    signal_dbm: float | None = None
    """Of the last acknowledgement, as the controller received it."""
    repeaters: tuple[int, ...] | None = None
    """The nodes of the last working route, nearest to the controller first."""


class NodeFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One node. `values` is replaced, never changed in place."""

    node_id: int
    status: int = STATUS_UNKNOWN
    is_ready: bool = False
    stage: str | None = None
    """The last stage of the interview that was completed."""
    is_controller: bool = False
    name: str | None = None
    location: str | None = None
    manufacturer: str | None = None
    label: str | None = None
    description: str | None = None
    manufacturer_id: int | None = None
    product_type: int | None = None
    product_id: int | None = None
    firmware: str | None = None
    dsk: str | None = None
    can_sleep: bool = False
    """It hears nothing between its wake-ups. A lock that listens several times a second does not sleep."""
    statistics: Statistics = Statistics()
    generic_class: int | None = None
    specific_class: int | None = None
    command_classes: Mapping[int, int] = {}
    """What it speaks, and in which version."""
    values: Mapping[ValueId, Value] = {}

    def get(self, value_id: ValueId) -> object:
        """Return a value, or None."""
        value = self.values.get(value_id)
        return None if value is None else value.value

    def of_class(self, command_class: int) -> dict[ValueId, Value]:
        """Return the values of one command class, lowest endpoint first."""
        found = [item for item in self.values.items() if item[0].command_class == command_class]
        return dict(sorted(found, key=lambda item: item[0].endpoint))

    def supports(self, command_class: int) -> bool:
        """Tell whether the node lists a command class, or has shown a value of it."""
        return command_class in self.command_classes or bool(self.of_class(command_class))

    def with_value(self, value_id: ValueId, value: object) -> "NodeFacts":
        """Return the facts with one value set."""
        before = self.values.get(value_id, Value(None))
        facts = replace(self, values={**self.values, value_id: replace(before, value=value)})
        if value_id.command_class == NAMING and value_id.name in {"name", "location"}:
            return replace(facts, **{str(value_id.name): text(value)})
        return facts

    def with_metadata(self, value_id: ValueId, metadata: Json) -> "NodeFacts":
        """Return the facts with the metadata of one value replaced."""
        before = self.values.get(value_id, Value(None))
        return replace(self, values={**self.values, value_id: replace(before, metadata=metadata)})


def mapping(value: object) -> Json:
    """Return a JSON object, or an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[object]:
    """Return a JSON array, or an empty one."""
    return value if isinstance(value, list) else []


def text(value: object) -> str | None:
    """Return a text that is fit to be shown: one line, not empty, of bearable length."""
    if not isinstance(value, str):
        return None
    line = " ".join("".join(char if char.isprintable() else " " for char in value).split())
    return line[:LONGEST_TEXT].rstrip() or None


def integer(value: object, low: int = 0, high: int = 2**32 - 1) -> int | None:
    """Return a whole number within bounds. A boolean is not a number."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if low <= value <= high else None


def number(value: object, low: float = -math.inf, high: float = math.inf) -> float | None:
    """Return a finite number within bounds. A boolean is not a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        result = float(value)
    except OverflowError:
        return None
    return result if math.isfinite(result) and low <= result <= high else None


def moment(value: object) -> datetime | None:
    """Return a point in time: ISO 8601 with its zone, as JavaScript writes it."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return None if found.tzinfo is None else found


def states(metadata: Json) -> list[int]:
    """Return the numbers that a value can take, in the device's order. JSON has made texts of them."""
    keys = mapping(metadata.get("states"))
    return [int(key) for key in keys if key.isascii() and key.isdigit() and len(key) <= len("255")]


def name_of(value: object) -> str | int | None:
    """Return a property or property key: a text or a whole number."""
    return value if isinstance(value, str) else integer(value)


def value_id(raw: object) -> ValueId | None:
    """Read a value id out of a value, an event's arguments or a bare id; None if it is none, or not of a kept class."""
    data = mapping(raw)
    command_class = integer(data.get("commandClass"))
    name = name_of(data.get("property"))
    if command_class is None or command_class not in KEPT or name is None:
        return None
    endpoint = integer(data.get("endpoint"), high=127)
    return ValueId(command_class, endpoint or 0, name, name_of(data.get("propertyKey")))


def read_value(raw: object) -> tuple[ValueId, Value] | None:
    """Read a value out of a node's dump; None for one that is not kept."""
    data, found = mapping(raw), value_id(raw)
    if found is None:
        return None
    return found, Value(data.get("value"), mapping(data.get("metadata")))


def read_node(raw: object) -> NodeFacts | None:
    """Read a node out of the server's dump; None without a usable node id."""
    data = mapping(raw)
    node_id = integer(data.get("nodeId"), low=1, high=LAST_NODE)
    if node_id is None:
        return None
    config, device_class = mapping(data.get("deviceConfig")), mapping(data.get("deviceClass"))
    return NodeFacts(
        node_id=node_id,
        status=integer(data.get("status"), high=STATUS_ALIVE) or STATUS_UNKNOWN,
        is_ready=data.get("ready") is True,
        stage=text(data.get("interviewStage")),
        is_controller=data.get("isControllerNode") is True,
        name=text(data.get("name")),
        location=text(data.get("location")),
        manufacturer=_maker(config.get("manufacturer")) or _maker(data.get("manufacturer")),
        label=text(config.get("label")) or text(data.get("label")),
        description=text(config.get("description")),
        manufacturer_id=integer(data.get("manufacturerId"), high=0xFFFF),
        product_type=integer(data.get("productType"), high=0xFFFF),
        product_id=integer(data.get("productId"), high=0xFFFF),
        firmware=text(data.get("firmwareVersion")),
        dsk=text(data.get("dsk")),
        can_sleep=data.get("canSleep") is True,
        statistics=read_statistics(data.get("statistics"), heard_at=moment(data.get("lastSeen"))),
        generic_class=integer(mapping(device_class.get("generic")).get("key"), high=255),
        specific_class=integer(mapping(device_class.get("specific")).get("key"), high=255),
        command_classes=_classes(data.get("endpoints")),
        values=dict(pair for raw_value in items(data.get("values")) if (pair := read_value(raw_value))),
    )


def read_statistics(raw: object, heard_at: datetime | None = None) -> Statistics:
    """Read a node's statistics; `heard_at` stands in where they do not tell it."""
    data = mapping(raw)
    route = mapping(data.get("lwr"))
    signal = _signal(route.get("rssi"))
    return Statistics(
        heard_at=moment(data.get("lastSeen")) or heard_at,
        sent=integer(data.get("commandsTX")) or 0,
        unsent=integer(data.get("commandsDroppedTX")) or 0,
        unanswered=integer(data.get("timeoutResponse")) or 0,
        round_trip_ms=number(data.get("rtt"), 0, _LONGEST_TRIP_MS),
        signal_dbm=_signal(data.get("rssi")) if signal is None else signal,
        repeaters=_repeaters(route.get("repeaters")),
    )


def _signal(value: object) -> float | None:
    """Return a strength in dBm. 125, 126 and 127 stand for too weak to tell, too strong to tell, and not measured."""
    return number(value, *_SIGNALS)


def _repeaters(value: object) -> tuple[int, ...] | None:
    if not isinstance(value, list):
        return None
    found = [integer(one, 1, LAST_NODE) for one in value[:_MOST_REPEATERS]]
    return tuple(one for one in found if one is not None)


def _maker(value: object) -> str | None:
    """Return a maker's name; zwave-js calls unassigned numbers `_RESERVED_`."""
    name = text(value)
    return None if name is None or name.startswith("_") else name


def _classes(endpoints: object) -> dict[int, int]:
    """Return the versions by command class; the lowest endpoint's where they differ."""
    found: dict[int, int] = {}
    for raw in (entry for endpoint in items(endpoints) for entry in items(mapping(endpoint).get("commandClasses"))):
        data = mapping(raw)
        command_class = integer(data.get("id"), high=0xFFFF)
        if command_class is not None:
            found.setdefault(command_class, integer(data.get("version"), high=255) or 0)
    return found
