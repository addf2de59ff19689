"""What of zwave-js-server's traffic may leave the site. Pure.

Deny by default: what is not known to be harmless keeps its shape and loses its content. A text becomes as many `*`, a
number 0. So PINs, passwords, DSKs, keys and the names of users are gone, also those of commands, events and command
classes that nobody has thought of here. Message ids are numbered anew.
"""

import re
from collections.abc import Callable, Container
from typing import Any, Final

from hubd_drivers.zwave.facts import KEPT, MANUFACTURER, USER_CODE, Json, items, mapping

_OPEN_CLASSES: Final = KEPT | {32, 37, 38, 48, 94, 132, 134, 135}
"""Command classes whose values are states and measurements: besides those that the driver reads Basic, Binary and
Multilevel Switch, Binary Sensor, Z-Wave Plus Info, Wake Up, Version, Indicator. Not among them are User Code, User
Credential, Entry Control, Configuration (some locks keep a master code there), and all that is not listed."""
_OPEN_USER_CODE: Final = frozenset({"userIdStatus", "supportedUsers", "supportsAdminCode", "keypadMode"})

_VALUE_ID: Final = frozenset(
    {
        "commandClass",
        "commandClassName",
        "endpoint",
        "property",
        "propertyName",
        "propertyKey",
        "propertyKeyName",
        "ccVersion",
        "stateful",
    }
)
_CONTENTS: Final = frozenset({"value", "newValue", "prevValue"})
_METADATA: Final = frozenset(
    {
        "type",
        "readable",
        "writeable",
        "label",
        "description",
        "min",
        "max",
        "minLength",
        "maxLength",
        "steps",
        "states",
        "unit",
        "ccSpecific",
        "stateful",
        "secret",
    }
)
_NODE: Final = frozenset(
    {
        "nodeId",
        "index",
        "installerIcon",
        "userIcon",
        "status",
        "ready",
        "isListening",
        "isRouting",
        "isSecure",
        "isFrequentListening",
        "isControllerNode",
        "manufacturerId",
        "manufacturer",
        "productId",
        "productType",
        "firmwareVersion",
        "sdkVersion",
        "hardwareVersion",
        "label",
        "name",
        "location",
        "zwavePlusVersion",
        "zwavePlusNodeType",
        "zwavePlusRoleType",
        "nodeType",
        "protocol",
        "protocolVersion",
        "maxDataRate",
        "supportedDataRates",
        "supportsBeaming",
        "supportsSecurity",
        "highestSecurityClass",
        "supportedCCs",
        "controlledCCs",
        "deviceClass",
        "endpoints",
        "interviewStage",
        "interviewAttempts",
        "individualEndpointCount",
        "statistics",
        "keepAwake",
        "canSleep",
        "hasSUCReturnRoute",
        "lastSeen",
    }
)
_DEVICE_CONFIG: Final = frozenset({"manufacturer", "manufacturerId", "label", "description"})
_CONTROLLER: Final = frozenset(
    {
        "type",
        "homeId",
        "ownNodeId",
        "manufacturerId",
        "productType",
        "productId",
        "supportedFunctionTypes",
        "sucNodeId",
        "statistics",
        "inclusionState",
        "sdkVersion",
        "firmwareVersion",
        "nodeType",
        "status",
        "rfRegion",
        "zwaveApiVersion",
        "zwaveChipType",
    }
)
_PARAMETERS: Final = frozenset({"userId", "userIdStatus", "credentialType", "credentialSlot"})
_OPEN_NOTICES: Final = frozenset({"113", "128"})
"""Notification and Battery; not Entry Control, whose events hold what was typed."""
_NOTICE: Final = frozenset({"type", "event", "label", "eventLabel", "eventType"})
_CREDENTIAL_EVENTS: Final = frozenset(
    {"credential added", "credential modified", "credential deleted", "user added", "user modified", "user deleted"}
)
_CREDENTIAL: Final = frozenset({"userId", "credentialType", "credentialSlot"})
_PLAIN_EVENTS: Final = frozenset(
    {
        "alive",
        "all nodes ready",
        "dead",
        "driver ready",
        "exclusion failed",
        "exclusion started",
        "exclusion stopped",
        "inclusion failed",
        "inclusion started",
        "inclusion state changed",
        "inclusion stopped",
        "interview completed",
        "interview failed",
        "interview progress",
        "interview stage completed",
        "interview started",
        "node info received",
        "rebuild routes done",
        "rebuild routes progress",
        "sleep",
        "statistics updated",
        "status changed",
        "wake up",
    }
)
PLAIN_COMMANDS: Final = frozenset(
    {
        "controller.get_background_rssi",
        "controller.get_known_lifeline_routes",
        "controller.get_node_neighbors",
        "controller.get_powerlevel",
        "controller.get_state",
        "controller.is_failed_node",
        "endpoint.access_control.get_credential_capabilities_cached",
        "endpoint.access_control.get_user_capabilities_cached",
        "endpoint.access_control.is_supported",
        "initialize",
        "node.get_defined_value_ids",
        "node.get_state",
        "node.get_value",
        "node.get_value_metadata",
        "node.get_value_timestamp",
        "node.has_security_class",
        "node.ping",
        "node.poll_value",
        "node.refresh_cc_values",
        "node.refresh_info",
        "node.refresh_values",
        "node.set_keep_awake",
        "node.set_value",
        "start_listening",
    }
)
"""Commands that hold no secret; their answers are treated by `answer`."""
_PLACES: Final = frozenset({"nodeId", "endpoint", "endpointIndex"})
_SET: Final = frozenset({"status", "remainingDuration"})
_FAILURE: Final = frozenset({"errorCode", "zwaveErrorCode", "zwaveErrorCodeName"})

_DIGITS: Final = re.compile(r"\d")
_FOUR_DIGITS: Final = re.compile(r"\d{4}")
_NAME: Final = re.compile(r"[a-z_.]{1,80}")
_LIKE_A_PIN: Final = re.compile(r"\s*\d{4,}\s*")


def mask(value: object) -> Any:
    """Return something of the same shape that says nothing: texts starred, numbers 0; true, false and null stay."""
    if isinstance(value, str):
        return "*" * len(value)
    if isinstance(value, dict):
        return {_key(key): mask(item) for key, item in value.items()}
    if isinstance(value, list):
        return [mask(item) for item in value]
    return value if value is None or isinstance(value, bool) else 0


def _key(key: str) -> str:
    return _DIGITS.sub("*", key) if _FOUR_DIGITS.search(key) else key


def words(value: object) -> Any:
    """Return sentences without their digits: an error may quote what it was given."""
    return _DIGITS.sub("*", value) if isinstance(value, str) else mask(value)


def command(data: Json) -> dict[str, Any]:
    """Return a command as it may be kept."""
    name = data.get("command")
    if not isinstance(name, str) or name not in PLAIN_COMMANDS:
        return _only(data, _PLACES, command=lambda given: given if _is_name(given) else mask(given))
    target = mapping(data.get("valueId"))
    return {
        key: item if key != "value" or _is_open(target) else mask(item)
        for key, item in data.items()
        if key != "additionalUserAgentComponents"
    }


def answer(data: Json, asked: Json) -> dict[str, Any]:
    """Return the answer to a command as it may be kept."""
    if data.get("success") is not True:
        plain = _only(data, _FAILURE | {"type", "success"}, message=words, zwaveErrorMessage=words)
        return {**plain, "success": False}
    return {"type": "result", "success": True, "result": _result(data.get("result"), asked)}


def event(data: Json) -> dict[str, Any]:
    """Return an event as it may be kept."""
    kind, args = str(data.get("event")), mapping(data.get("args"))
    if kind in {"value updated", "value added", "value removed", "value notification", "metadata updated"}:
        return {**_only(data, _PLACES | {"source", "event"}), "args": _value(args)}
    if kind == "notification" and str(data.get("ccId")) in _OPEN_NOTICES:
        told = _only(args, _NOTICE, parameters=_parameters)
        return {**_only(data, _PLACES | {"source", "event", "ccId"}), "args": told}
    if kind in _CREDENTIAL_EVENTS:
        return {**_only(data, _PLACES | {"source", "event"}), "args": _numbered(args, _CREDENTIAL)}
    if kind in _PLAIN_EVENTS:
        return _only(data, data.keys(), args=_plain_args)
    return _only(
        data, _PLACES | {"source", "event", "ccId", "reason"}, node=_node, nodeState=_node, error=words, args=mask
    )


def _only(data: object, keys: Container[str], **special: Callable[[Any], Any]) -> dict[str, Any]:
    """Keep the content of these keys, give some a treatment of their own, and mask the rest."""
    return {
        _key(key): special[key](item) if key in special else item if key in keys else mask(item)
        for key, item in mapping(data).items()
    }


def _numbers(value: object) -> Any:
    """Mask the texts alone."""
    if isinstance(value, dict):
        return {key: _numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_numbers(item) for item in value]
    return mask(value) if isinstance(value, str) else value


def _is_name(value: object) -> bool:
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def _is_open(target: Json) -> bool:
    command_class = target.get("commandClass")
    if command_class == USER_CODE:
        return str(target.get("property")) in _OPEN_USER_CODE
    return isinstance(command_class, int) and command_class in _OPEN_CLASSES


def _content(value: object, target: Json) -> Any:
    if not _is_open(target):
        return mask(value)
    is_odd = isinstance(value, str) and _LIKE_A_PIN.fullmatch(value) and target.get("commandClass") != MANUFACTURER
    return mask(value) if is_odd else value


def _value(data: Json) -> dict[str, Any]:
    """Treat a value with its id, as it stands in a dump or in the arguments of an event."""
    contents = dict.fromkeys(_CONTENTS, lambda item: _content(item, data))
    return _only(data, _VALUE_ID, metadata=_metadata, **contents)


def _metadata(data: object) -> dict[str, Any]:
    return _only(data, _METADATA)


def _node(data: object) -> dict[str, Any]:
    return _only(
        data,
        _NODE,
        deviceConfig=lambda config: _only(config, _DEVICE_CONFIG),
        dsk=_dsk,
        values=lambda values: [_value(mapping(value)) for value in items(values)],
    )


def _parameters(data: object) -> dict[str, Any]:
    return _numbered(data, _PARAMETERS)


def _numbered(data: object, keys: Container[str]) -> dict[str, Any]:
    """Keep the numbers of these keys, and mask the rest."""
    return {
        _key(key): item if key in keys and isinstance(item, int) else mask(item) for key, item in mapping(data).items()
    }


def _dsk(value: object) -> Any:
    """The first group of a DSK is the PIN of its inclusion; the others name the device."""
    return f"00000{value[5:]}" if isinstance(value, str) and re.fullmatch(r"\d{5}(-\d{5}){7}", value) else mask(value)


def _state(data: object) -> dict[str, Any]:
    return _only(
        data,
        (),
        controller=lambda controller: _only(controller, _CONTROLLER),
        nodes=lambda nodes: [_node(node) for node in items(nodes)],
    )


def _plain_args(value: object) -> Any:
    return (
        words(value)
        if isinstance(value, str)
        else _only(value, {"isFinal", "attempt", "maxAttempts"}, errorMessage=words)
    )


def _result(result: object, asked: Json) -> Any:
    name, target = str(asked.get("command")), mapping(asked.get("valueId"))
    match name:
        case "start_listening":
            return _only(result, (), state=_state)
        case "node.get_state":
            return _only(result, (), state=_node)
        case "controller.get_state":
            return _only(result, (), state=lambda state: _only(state, _CONTROLLER))
        case "node.get_value" | "node.poll_value":
            return _only(result, (), value=lambda value: _content(value, target))
        case "node.set_value":
            return _only(result, (), result=lambda told: _only(told, _SET, message=words))
        case "node.get_value_metadata":
            return _metadata(result)
        case "node.get_defined_value_ids":
            return _only(result, (), valueIds=lambda ids: [_value(mapping(one)) for one in items(ids)])
        case _:
            return _numbers(result) if name in PLAIN_COMMANDS else mask(result)
