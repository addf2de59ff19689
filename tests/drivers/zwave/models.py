"""Makers' models as data: what a file of tests/fixtures/devices may say, and what the driver must make of it.

models.mjs, in tests/sims/zwave, makes a node of `node` and `state`. Keys that are not listed here are refused.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args

import msgspec
from hubd_drivers.zwave.lock import SECURED, UNSECURED

from hubd.model import Capabilities, DeviceDescription, Kind, Seen
from tests.drivers.zwave.fakes import HOME_ID
from tests.sims.zwave.children import HERE

DEVICES: Final = Path(__file__).parents[2] / "fixtures" / "devices"
CONFIGS: Final = HERE / "node_modules" / "@zwave-js" / "config" / "config" / "devices"
"""zwave-js's own device files: `<manufacturerId>/<product>.json`, JSON with comments."""
FIRST_READINGS: Final = ("reachability", "lock", "door", "battery", "climate")
USUAL_REPORT_HOURS: Final = 168.0
"""Of a battery whose device hears at any time: zwave-js asks for a level that is a week old."""
_SETPOINTS_ARE_LISTED: Final = 3
"""From this version of Thermostat Setpoint on; of an older one zwave-js tries fifteen kinds, and waits for each."""

type Listening = Literal["always", "frequently", "sleeping"]
type Hex4 = Annotated[str, msgspec.Meta(pattern="^0x[0-9a-f]{4}$")]
type Hex2 = Annotated[str, msgspec.Meta(pattern="^0x[0-9a-f]{2}$")]
type Byte = Annotated[int, msgspec.Meta(ge=0, le=0xFF)]
type Numbered[T] = dict[Annotated[str, msgspec.Meta(pattern="^[0-9]+$")], T]
"""By the number that the Z-Wave specification gives to a kind of sensor, set-point or notification."""

_INTERVIEW_ORDER: Final = get_args(Listening.__value__)


class Strict(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    pass


class CommandClass(Strict):
    """`secure` None: as models.mjs has it, which is encrypted on a node with a security class."""

    version: Byte
    secure: bool | None = None


class DoorLock(CommandClass):
    """`modes` are told from version 4 on; `door`, `bolt`, `latch` are the sensors that it has."""

    modes: tuple[Byte, ...] = (UNSECURED, SECURED)
    door: bool = False
    bolt: bool = False
    latch: bool = False


class UserCode(CommandClass, kw_only=True):
    """`characters` are told from version 2 on."""

    users: int
    characters: str = "0123456789"


class Pins(Strict):
    slots: int
    min: int
    max: int


class UserCredential(CommandClass, kw_only=True):
    users: int
    pins: Pins


class Notification(CommandClass):
    """`events` by type; `v1_alarm`: it sends the maker's own alarm numbers too."""

    events: Numbered[list[Byte]] = {}
    v1_alarm: bool = False


class Modes(CommandClass, kw_only=True):
    modes: list[Byte]


class SetPoint(Strict, kw_only=True):
    """`min` and `max` are told from version 3 on."""

    scale: Literal["°C", "°F"]
    min: float | None = None
    max: float | None = None


class Setpoints(CommandClass, kw_only=True):
    setpoints: Numbered[SetPoint]


class Sensor(Strict):
    scale: Byte
    value: float


class Sensors(CommandClass, kw_only=True):
    sensors: Numbered[Sensor]


type Plain = CommandClass | None


class CommandClasses(Strict, rename=None):
    """Those that the simulator can play. What else a device speaks is nothing to the hub and is left out."""

    version: CommandClass | None = msgspec.field(name="Version", default=None)
    manufacturer: Plain = msgspec.field(name="Manufacturer Specific", default=None)
    association: Plain = msgspec.field(name="Association", default=None)
    group_information: Plain = msgspec.field(name="Association Group Information", default=None)
    zwave_plus: Plain = msgspec.field(name="Z-Wave Plus Info", default=None)
    security: Plain = msgspec.field(name="Security", default=None)
    security_2: Plain = msgspec.field(name="Security 2", default=None)
    supervision: Plain = msgspec.field(name="Supervision", default=None)
    multi_channel: Plain = msgspec.field(name="Multi Channel", default=None)
    wake_up: Plain = msgspec.field(name="Wake Up", default=None)
    battery: Plain = msgspec.field(name="Battery", default=None)
    lock: Plain = msgspec.field(name="Lock", default=None)
    door_lock: DoorLock | None = msgspec.field(name="Door Lock", default=None)
    user_code: UserCode | None = msgspec.field(name="User Code", default=None)
    user_credential: UserCredential | None = msgspec.field(name="User Credential", default=None)
    notification: Notification | None = msgspec.field(name="Notification", default=None)
    mode: Modes | None = msgspec.field(name="Thermostat Mode", default=None)
    setpoint: Setpoints | None = msgspec.field(name="Thermostat Setpoint", default=None)
    operating_state: Plain = msgspec.field(name="Thermostat Operating State", default=None)
    fan_mode: Modes | None = msgspec.field(name="Thermostat Fan Mode", default=None)
    fan_state: Plain = msgspec.field(name="Thermostat Fan State", default=None)
    sensor: Sensors | None = msgspec.field(name="Multilevel Sensor", default=None)


class Endpoint(Strict):
    generic_device_class: Hex2
    specific_device_class: Hex2
    command_classes: CommandClasses


class Node(Endpoint, kw_only=True):
    """A node as it answers an interview."""

    manufacturer_id: Hex4
    product_type: Hex4
    product_id: Hex4
    firmware_version: Annotated[str, msgspec.Meta(pattern=r"^[0-9]+\.[0-9]+$")]
    listening: Listening
    security_classes: list[Literal["S0_Legacy", "S2_Unauthenticated", "S2_Authenticated", "S2_AccessControl"]] = []
    endpoints: list[Endpoint] = []

    @property
    def ids(self) -> tuple[str, str, str]:
        return self.manufacturer_id, self.product_type, self.product_id


class State(Strict):
    """How it stands when it is interviewed: numbers as the Z-Wave specification has them."""

    locked: bool | None = None
    battery: Byte | None = None
    notifications: Numbered[Byte] = {}
    mode: Byte | None = None
    setpoints: Numbered[float] = {}
    operating_state: Byte | None = None
    fan_mode: Byte | None = None
    fan_state: Byte | None = None
    wake_up_interval: int | None = None


class Expected(Strict, rename=None, kw_only=True):
    """The description, and the readings that come with it. `<home>` and `<node>` stand for the network's numbers.

    `battery_report_hours` need only be given where it is not the usual.
    """

    native_id: str
    kind: Kind
    device_type: str
    name: str
    manufacturer: str | None = None
    model: str | None = None
    firmware: str
    capabilities: Capabilities
    hardware_ids: list[str]
    seen: Mapping[str, Mapping[str, Any]]


class Model(Strict, kw_only=True):
    """`source`: where what the file says comes from. `config`: the device file that zwave-js has for it."""

    source: Annotated[list[str], msgspec.Meta(min_length=1)]
    node: Node
    state: State
    expect: Expected
    config: str | None = None
    unlisted: bool = False

    @property
    def interview_seconds(self) -> float:
        """About how long its interview lasts: what takes long is to try one kind of set-point after the other."""
        setpoint = self.node.command_classes.setpoint
        return 7.5 if setpoint is not None and setpoint.version < _SETPOINTS_ARE_LISTED else 1.0


def files() -> list[Path]:
    """Return every model's file."""
    return sorted(DEVICES.glob("*.json"), key=lambda path: path.name)


def read(path: Path) -> Model:
    """Read a model. Raises `msgspec.ValidationError` for what a model's file may not say."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Model)
    except msgspec.ValidationError as error:
        raise msgspec.ValidationError(f"{path.name}: {error}") from error


def dealt(models: Mapping[Path, Model], networks: int) -> list[list[Path]]:
    """Deal models to networks, slow ones evenly, each hand in the order in which zwave-js interviews its nodes."""
    hands: list[list[Path]] = [[] for _ in range(networks)]
    seconds = [0.0] * networks
    for path in sorted(models, key=lambda path: -models[path].interview_seconds):
        least = seconds.index(min(seconds))
        hands[least].append(path)
        seconds[least] += models[path].interview_seconds
    return [sorted(hand, key=lambda path: _INTERVIEW_ORDER.index(models[path].node.listening)) for hand in hands]


def in_order(models: Mapping[Path, Model], networks: int) -> list[Path]:
    """Return models about as their interviews end when they are so dealt."""
    rounds = zip_longest(*dealt(models, networks))
    return [path for one in rounds for path in one if path is not None]


def products(config: str) -> set[tuple[str, str, str]]:
    """Return the ids of the products that one of zwave-js's device files is for."""
    pair = r'"productType":\s*"(0x[0-9a-f]{4})",\s*"productId":\s*"(0x[0-9a-f]{4})"'
    found = re.findall(pair, (CONFIGS / config).read_text("utf-8"))
    return {(config.partition("/")[0], product_type, product_id) for product_type, product_id in found}


def expected(model: Model) -> dict[str, Any]:
    """Return what the driver must tell of a model, written out."""
    wanted = msgspec.structs.asdict(model.expect)
    capabilities = whole(model.expect.capabilities)
    if capabilities["battery"] and capabilities["battery_report_hours"] is None:
        capabilities["battery_report_hours"] = USUAL_REPORT_HOURS
    seen = {kind: _bare(reading(kind, content)) for kind, content in model.expect.seen.items()}
    return {**wanted, "capabilities": capabilities, "seen": seen}


def reading(kind: str, content: Mapping[str, Any]) -> Seen:
    """Read one of the readings that a model's file gives."""
    seen: Seen = msgspec.convert({"type": kind, "native_id": "-", **content}, Seen)
    return seen


def told(description: DeviceDescription, readings: Sequence[Seen]) -> dict[str, Any]:
    """Return what the driver told of a device, as `expected` has it."""
    node, home = node_of(description), f"{HOME_ID:08x}"

    def generic(text: str) -> str:
        return re.sub(rf"(?<=<home>[-:])(node-)?{node}\b", r"\1<node>", text.replace(home, "<home>"))

    mine = [one for one in readings if one.native_id == description.native_id]
    plain = {key: getattr(description, key) for key in ("kind", "device_type", "manufacturer", "model", "firmware")}
    return {
        **plain,
        "native_id": generic(description.native_id),
        "name": generic(description.name),
        "capabilities": whole(description.capabilities),
        "hardware_ids": [generic(one) for one in description.hardware_ids],
        "seen": {kind: _bare(one) for one in mine if (kind := str(one.__struct_config__.tag)) in FIRST_READINGS},
    }


def _bare(seen: Seen) -> dict[str, Any]:
    content: dict[str, Any] = whole(seen)
    return {key: value for key, value in content.items() if key not in {"native_id", "occurred_at"}}


def differences(found: Any, wanted: Any, where: str = "") -> list[str]:
    """Return a line for each place where what was told is not what was expected."""
    if not isinstance(found, dict) or not isinstance(wanted, dict):
        return [] if found == wanted else [f"{where}: told {found!r}, expected {wanted!r}"]
    lines = []
    for key in dict.fromkeys([*wanted, *found]):
        place = f"{where}.{key}" if where else key
        lines += differences(found.get(key, "nothing"), wanted.get(key, "nothing"), place)
    return lines


def node_of(description: DeviceDescription) -> int:
    """Return the node that a device is, by the last of its hardware ids."""
    return int(description.hardware_ids[-1].rpartition(":")[2])


def whole(value: Any) -> Any:
    """Return a struct as a dict of all its fields, the defaults too."""
    if isinstance(value, msgspec.Struct):
        return {key: whole(content) for key, content in msgspec.structs.asdict(value).items()}
    return list(value) if isinstance(value, tuple) else value
