"""What zwave-js says while somebody changes the network, for the action that waits for it."""

from typing import Final

import msgspec

from hubd_drivers.zwave.facts import DOOR_LOCK, Json, integer, items, mapping, number, text

ENTRY_CONTROL: Final = 0x40
"""The generic device class of locks."""

IDLE, INCLUDING, EXCLUDING, BUSY, SMART_START = range(5)
"""`InclusionState` of zwave-js; `BUSY` is a key exchange."""
AT_REST: Final = (IDLE, SMART_START)

_LONGEST_LIST: Final = 300


class CareEvent(msgspec.Struct, frozen=True):
    """Base of what only a running action has a use for."""


class InclusionState(CareEvent, frozen=True):
    """The controller's mode changed."""

    state: int


class InclusionFailed(CareEvent, frozen=True):
    """The controller broke off inclusion or replacement."""


class ExclusionFailed(CareEvent, frozen=True):
    """The controller broke off exclusion."""


class ExclusionStopped(CareEvent, frozen=True):
    """Exclusion mode ended, with a device or without."""


class NodeFound(CareEvent, frozen=True):
    """A device has joined; keys are exchanged next."""

    node_id: int
    kind: str | None
    """What it says it is: "Secure Keypad Door Lock"."""
    is_lock: bool


class KeysAsked(CareEvent, frozen=True):
    """The device asks for these security classes; it waits up to 240 s for the answer."""

    classes: tuple[int, ...]


class PinAsked(CareEvent, frozen=True):
    """Of the device's DSK, its first group is missing; zwave-js waits up to 240 s for it."""

    rest: str
    """The seven groups that are known."""


class KeysAborted(CareEvent, frozen=True):
    """The key exchange was broken off, for want of an answer or on demand."""


class InterviewProgress(CareEvent, frozen=True):
    """How far an interview is."""

    node_id: int
    stage: str
    share: float


class NvmProgress(CareEvent, frozen=True):
    """How much of the stick's memory was read or written."""

    share: float


class RoutesProgress(CareEvent, frozen=True):
    """How far the rebuilding of all routes is: nodes by `pending`, `done`, `failed`, `skipped`."""

    nodes: dict[str, tuple[int, ...]]
    is_over: bool


class HealthProgress(CareEvent, frozen=True):
    """One round of a health check is over."""

    node_id: int
    round: int
    rounds: int
    rating: int | None


def read_care(source: object, kind: str, data: Json) -> CareEvent | None:
    """Read an event that is for actions only. Never raises."""
    if source == "controller":
        return _controller(kind, data)
    node_id = integer(data.get("nodeId"), low=1, high=4000)
    if source != "node" or node_id is None:
        return None
    if kind == "interview progress":
        share = number(data.get("progress"), 0, 100)
        stage = text(data.get("stage"))
        return None if share is None or stage is None else InterviewProgress(node_id, stage, share / 100)
    if kind == "check lifeline health progress":
        this, of = integer(data.get("round"), high=100), integer(data.get("totalRounds"), high=100)
        rating = integer(data.get("lastRating"), high=10)
        return None if this is None or of is None else HealthProgress(node_id, this, of, rating)
    return None


def _controller(kind: str, data: Json) -> CareEvent | None:
    match kind:
        case "inclusion state changed":
            state = integer(data.get("state"), high=SMART_START)
            return None if state is None else InclusionState(state)
        case "inclusion failed":
            return InclusionFailed()
        case "exclusion failed":
            return ExclusionFailed()
        case "exclusion stopped":
            return ExclusionStopped()
        case "inclusion aborted":
            return KeysAborted()
        case "node found":
            return _found(mapping(data.get("node")))
        case "grant security classes":
            requested = items(mapping(data.get("requested")).get("securityClasses"))
            return KeysAsked(tuple(one for raw in requested if (one := integer(raw, high=7)) is not None))
        case "validate dsk and enter pin":
            rest = text(data.get("dsk"))
            return PinAsked("" if rest is None else rest.strip("-"))
        case "nvm backup progress" | "nvm restore progress" | "nvm convert progress":
            return _nvm(data)
        case "rebuild routes progress":
            return RoutesProgress(_by_status(mapping(data.get("progress"))), is_over=False)
        case "rebuild routes done":
            return RoutesProgress(_by_status(mapping(data.get("result"))), is_over=True)
        case _:
            return None


def _found(node: Json) -> NodeFound | None:
    node_id = integer(node.get("nodeId"), low=1, high=4000)
    if node_id is None:
        return None
    device_class = mapping(node.get("deviceClass"))
    generic, specific = mapping(device_class.get("generic")), mapping(device_class.get("specific"))
    is_lock = generic.get("key") == ENTRY_CONTROL or DOOR_LOCK in items(node.get("supportedCCs"))
    return NodeFound(node_id, text(specific.get("label")) or text(generic.get("label")), is_lock)


def _nvm(data: Json) -> NvmProgress | None:
    total = integer(data.get("total"), low=1)
    read, written = integer(data.get("bytesRead")), integer(data.get("bytesWritten"))
    done = written if read is None else read
    return None if total is None or done is None else NvmProgress(min(1.0, done / total))


def _by_status(progress: Json) -> dict[str, tuple[int, ...]]:
    nodes: dict[str, list[int]] = {}
    for key, status in list(progress.items())[:_LONGEST_LIST]:
        if isinstance(status, str) and key.isascii() and key.isdigit():
            nodes.setdefault(status[:20], []).append(int(key[:4]))
    return {status: tuple(sorted(ids)) for status, ids in nodes.items()}
