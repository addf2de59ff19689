"""The server's events as a closed union; what the driver has no use for is None."""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from hubd.model import CodeChange
from hubd_drivers.zwave.care.events import CareEvent, read_care
from hubd_drivers.zwave.facts import (
    BATTERY,
    FAILED,
    LAST_NODE,
    STATUS_ALIVE,
    STATUS_ASLEEP,
    STATUS_AWAKE,
    STATUS_DEAD,
    USER_CODE,
    Json,
    NodeFacts,
    Statistics,
    ValueId,
    integer,
    mapping,
    read_node,
    read_statistics,
    text,
    value_id,
)


class ValueReported(msgspec.Struct, frozen=True):
    """A value was set, by the node or by zwave-js in the expectation that the node obeyed; nothing tells which."""

    node_id: int
    id: ValueId
    value: object
    is_new: bool = False


class MetadataReported(msgspec.Struct, frozen=True):
    """What zwave-js knows about a value changed."""

    node_id: int
    id: ValueId
    metadata: Json


class Notified(msgspec.Struct, frozen=True):
    """The node said that something happened (Notification CC)."""

    node_id: int
    type: int
    event: int
    user: int | None = None
    credential: int | None = None
    """Kind of credential that was used: 1 PIN, 2 password, 3 RFID, 5 NFC ..."""
    is_legacy: bool = False
    """It was said in a maker's own numbers (`alarms`); the same may come as a notification besides."""


class CodeReported(msgspec.Struct, frozen=True):
    """A User Code came to be another than zwave-js knew; the codes themselves are not taken in."""

    node_id: int
    slot: int
    change: CodeChange


class CredentialTold(msgspec.Struct, frozen=True):
    """The node said that a credential was changed, or a user, and with it all that is theirs (`slot` None)."""

    node_id: int
    change: CodeChange
    slot: int | None = None
    kind: int | None = None
    """`UserCredentialType`: 1 PIN, 2 password, 3 RFID ..."""


class BatteryWarned(msgspec.Struct, frozen=True):
    """The node's low-battery warning, which carries no level."""

    node_id: int


class StatisticsReported(msgspec.Struct, frozen=True):
    """The node was heard, or something was sent to it."""

    node_id: int
    statistics: Statistics


class StatusChanged(msgspec.Struct, frozen=True):
    """The node answers, does not, sleeps or woke."""

    node_id: int
    status: int


class NodeReady(msgspec.Struct, frozen=True):
    """All is known about the node."""

    node_id: int
    facts: NodeFacts


class InterviewChanged(msgspec.Struct, frozen=True):
    """The interview began anew (`stage` None), went on, or failed."""

    node_id: int
    stage: str | None


class NodeAdded(msgspec.Struct, frozen=True):
    """A node joined the network; little is known of it yet."""

    node_id: int
    facts: NodeFacts | None = None
    weakness: int | None = None
    """Why it did not get the keys it should have: zwave-js's `SecurityBootstrapFailure`."""


class NodeRemoved(msgspec.Struct, frozen=True):
    """A node left the network; `reason` is zwave-js's number."""

    node_id: int
    reason: int


class ControllerChanged(msgspec.Struct, frozen=True):
    """Of the stick: 0 ready, 1 unresponsive, 2 unable to transmit."""

    status: int


class DriverRestarted(msgspec.Struct, frozen=True):
    """zwave-js began anew under a living server; everything it said before is void."""


class AllNodesReady(msgspec.Struct, frozen=True):
    """Every node that can be reached has been interviewed."""


class DriverFailed(msgspec.Struct, frozen=True):
    """zwave-js reports an error of its own."""

    message: str


class SerialPortTold(msgspec.Struct, frozen=True):
    """zwave-js has written into its log that the stick's serial port closed, or that it could open it again."""

    is_open: bool


type NodeEvent = (
    ValueReported
    | MetadataReported
    | Notified
    | CodeReported
    | CredentialTold
    | BatteryWarned
    | StatisticsReported
    | StatusChanged
    | NodeReady
    | InterviewChanged
    | NodeAdded
    | NodeRemoved
)
type Event = NodeEvent | ControllerChanged | DriverRestarted | AllNodesReady | DriverFailed | SerialPortTold
type Told = Event | CareEvent

_STATUS: Final = {"alive": STATUS_ALIVE, "dead": STATUS_DEAD, "sleep": STATUS_ASLEEP, "wake up": STATUS_AWAKE}


def read_event(raw: object) -> Told | None:
    """Read one event of the server. Never raises."""
    data = mapping(raw)
    source, kind = data.get("source"), data.get("event")
    if not isinstance(kind, str):
        return None
    if (care := read_care(source, kind, data)) is not None:
        return care
    if source == "node":
        node_id = integer(data.get("nodeId"), low=1, high=LAST_NODE)
        reader = _NODE_EVENTS.get(kind)
        return None if node_id is None or reader is None else reader(node_id, data)
    if source == "controller":
        return _controller_event(kind, data)
    if source == "driver":
        return _driver_event(kind, data)
    return None


def _controller_event(kind: str, data: Json) -> Event | None:
    if kind == "status changed":
        status = integer(data.get("status"), high=255)
        return None if status is None else ControllerChanged(status)
    node_id = integer(mapping(data.get("node")).get("nodeId"), low=1, high=LAST_NODE)
    if node_id is None:
        return None
    if kind == "node added":
        return NodeAdded(node_id, read_node(data.get("node")), _weakness(mapping(data.get("result"))))
    if kind == "node removed":
        reason = integer(data.get("reason"), high=255)
        return NodeRemoved(node_id, -1 if reason is None else reason)
    return None


def _weakness(result: Json) -> int | None:
    if result.get("lowSecurity") is not True:
        return None
    reason = integer(result.get("lowSecurityReason"), high=255)
    return -1 if reason is None else reason


def _driver_event(kind: str, data: Json) -> Event | None:
    if kind == "driver ready":
        return DriverRestarted()
    if kind == "all nodes ready":
        return AllNodesReady()
    if kind == "error":
        return DriverFailed(text(data.get("error")) or "no reason given")
    if kind == "logging":
        return _logged(data.get("message"))
    return None


def _logged(message: object) -> SerialPortTold | None:
    """Read a line of zwave-js's log (`Driver.ts`, `serialport_onUnexpectedClose`)."""
    if not isinstance(message, str) or not message.startswith("Serial port "):
        return None
    told = message.removeprefix("Serial port ")
    if told.startswith("closed"):
        return SerialPortTold(is_open=False)
    return SerialPortTold(is_open=True) if told.startswith("reopened") else None


def _value(node_id: int, data: Json) -> ValueReported | CodeReported | None:
    args = mapping(data.get("args"))
    if args.get("commandClass") == USER_CODE:
        return _code(node_id, args) if data.get("event") == "value updated" else None
    found = value_id(args)
    if found is None:
        return None
    is_new = data.get("event") == "value added"
    return ValueReported(node_id, found, args.get("newValue"), is_new)


def _code(node_id: int, args: Json) -> CodeReported | None:
    slot = integer(args.get("propertyKey"), 1, 0xFFFF)
    before, now = args.get("prevValue"), args.get("newValue")
    if slot is None or before == now:
        return None
    if args.get("property") == "userIdStatus":
        return CodeReported(node_id, slot, "changed" if before and now else "added" if now else "removed")
    is_other = args.get("property") == "userCode" and before and now  # else the status tells
    return CodeReported(node_id, slot, "changed") if is_other else None


def _credential(node_id: int, data: Json) -> CredentialTold | None:
    what, change = str(data.get("event")).split()
    args = mapping(data.get("args"))
    told: CodeChange = {"added": "added", "deleted": "removed"}.get(change, "changed")  # type: ignore[assignment]
    slot = integer(args.get("credentialSlot"), 1, 0xFFFF) if what == "credential" else None
    return CredentialTold(node_id, told, slot, integer(args.get("credentialType"), high=0xFF))


def _metadata(node_id: int, data: Json) -> MetadataReported | None:
    args = mapping(data.get("args"))
    found = value_id(args)
    return None if found is None else MetadataReported(node_id, found, mapping(args.get("metadata")))


def _notification(node_id: int, data: Json) -> Notified | BatteryWarned | None:
    args = mapping(data.get("args"))
    if data.get("ccId") == BATTERY:
        return BatteryWarned(node_id) if args.get("eventType") == "battery low" else None
    kind, event = integer(args.get("type"), high=255), integer(args.get("event"), high=0xFFFF)
    if kind is None or event is None:
        return None
    parameters = mapping(args.get("parameters"))
    user = integer(parameters.get("userId"), low=1, high=0xFFFF)
    return Notified(node_id, kind, event, user, integer(parameters.get("credentialType"), high=255))


def _ready(node_id: int, data: Json) -> NodeReady | None:
    facts = read_node(data.get("nodeState"))
    return None if facts is None or facts.node_id != node_id else NodeReady(node_id, facts)


def _status(node_id: int, data: Json) -> StatusChanged:
    return StatusChanged(node_id, _STATUS[str(data["event"])])


def _statistics(node_id: int, data: Json) -> StatisticsReported:
    return StatisticsReported(node_id, read_statistics(data.get("statistics")))


def _interview(node_id: int, data: Json) -> InterviewChanged:
    if data.get("event") == "interview failed":
        return InterviewChanged(node_id, FAILED)
    return InterviewChanged(node_id, text(data.get("stageName")))


_NODE_EVENTS: Final[Mapping[str, Callable[[int, Json], NodeEvent | None]]] = {
    "value updated": _value,
    "value added": _value,
    "value removed": _value,
    "metadata updated": _metadata,
    "notification": _notification,
    "ready": _ready,
    "alive": _status,
    "dead": _status,
    "sleep": _status,
    "wake up": _status,
    "statistics updated": _statistics,
    "credential added": _credential,
    "credential modified": _credential,
    "credential deleted": _credential,
    "user modified": _credential,
    "user deleted": _credential,
    "interview started": _interview,
    "interview failed": _interview,
    "interview stage completed": _interview,
}
