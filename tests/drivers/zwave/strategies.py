"""What a node or a server may send, within and beyond reason."""

from typing import Any

from hypothesis import strategies as st

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)

_PROPERTIES = "currentMode targetMode locked doorStatus level isLow mode setpoint state deviceId rechargeOrReplace"
_NAMES = [
    *_PROPERTIES.split(),
    "alarmType",
    "alarmLevel",
    "wakeUpInterval",
    "Access Control",
    "Home Security",
    "Power Management",
    "Air temperature",
    "Humidity",
]
_KEYS = ["Lock state", "Door state", "Keypad state", "Cover status", "SerialNumber", 1, 2, None]
_CLASSES = [49, 64, 66, 67, 68, 69, 98, 99, 113, 114, 118, 128, 131, 132]
_PLAUSIBLE = st.sampled_from([0, 1, 11, 22, 23, 16, 254, 255, True, False, "open", "closed", 21.5, 70, "unknown"])

METADATA = st.fixed_dictionaries(
    {},
    optional={
        "states": st.dictionaries(st.sampled_from(["0", "1", "2", "255", "x", "-1", ""]), st.text(max_size=4)) | JSON,
        "min": JSON,
        "max": JSON,
        "unit": st.sampled_from(["°C", "°F", "%"]) | JSON,
        "writeable": st.booleans() | JSON,
        "ccSpecific": st.fixed_dictionaries({}, optional={"sensorType": st.sampled_from([1, 5]) | JSON}) | JSON,
    },
)


def value_ids() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {"commandClass": st.sampled_from(_CLASSES) | JSON, "property": st.sampled_from(_NAMES) | JSON},
        optional={"endpoint": st.sampled_from([0, 1]) | JSON, "propertyKey": st.sampled_from(_KEYS) | JSON},
    )


def values() -> st.SearchStrategy[dict[str, Any]]:
    content = st.fixed_dictionaries({}, optional={"value": _PLAUSIBLE | JSON, "metadata": METADATA | JSON})
    return st.builds(lambda raw, rest: {**raw, **rest}, value_ids(), content)


def nodes() -> st.SearchStrategy[dict[str, Any]]:
    """Dumps of nodes whose number is right and of which nothing else need be."""
    classes = st.fixed_dictionaries({"id": st.sampled_from(_CLASSES) | JSON, "version": st.integers(0, 9) | JSON})
    endpoints = st.lists(st.fixed_dictionaries({"commandClasses": st.lists(classes, max_size=4) | JSON}), max_size=2)
    texts = ("name", "location", "manufacturer", "label", "firmwareVersion", "dsk", "isControllerNode")
    numbers = {key: st.integers(0, 0xFFFF) | JSON for key in ("manufacturerId", "productType", "productId")}
    device_config = st.fixed_dictionaries({}, optional=dict.fromkeys(("manufacturer", "label", "description"), JSON))
    return st.fixed_dictionaries(
        {"nodeId": st.integers(2, 232), "values": st.lists(values(), max_size=6) | JSON, "endpoints": endpoints | JSON},
        optional={
            "status": st.integers(0, 4) | JSON,
            "ready": st.booleans(),
            "interviewStage": st.sampled_from(["Complete", "Failed", "None", "NodeInfo"]) | JSON,
            "deviceConfig": device_config | JSON,
            "deviceClass": JSON,
            **dict.fromkeys(texts, JSON),
            **numbers,
        },
    )


def events() -> st.SearchStrategy[dict[str, Any]]:
    """Events of the server, many of them misshapen."""
    args = st.builds(lambda raw, new: {**raw, "newValue": new}, value_ids(), _PLAUSIBLE | JSON)
    notification = st.fixed_dictionaries(
        {"type": st.sampled_from([6, 7, 8]) | JSON, "event": st.integers(0, 60) | JSON},
        optional={"parameters": st.fixed_dictionaries({}, optional={"userId": JSON, "credentialType": JSON}) | JSON},
    )
    kinds = ["alive", "dead", "sleep", "wake up", "ready", "notification", "error", "driver ready", "brand new event"]
    kinds += [f"value {what}" for what in ("updated", "added", "removed")]
    kinds += [f"interview {what}" for what in ("started", "failed", "stage completed")]
    kinds += [
        "statistics updated",
        "metadata updated",
        "node added",
        "node removed",
        "status changed",
        "all nodes ready",
    ]
    return st.fixed_dictionaries(
        {"source": st.sampled_from(["node", "controller", "driver"]) | JSON, "event": st.sampled_from(kinds) | JSON},
        optional={
            "nodeId": st.integers(2, 5) | JSON,
            "args": args | notification | JSON,
            "ccId": st.sampled_from([113, 128]) | JSON,
            "nodeState": nodes() | JSON,
            "node": st.fixed_dictionaries({"nodeId": st.integers(2, 5) | JSON}) | JSON,
            "reason": st.integers(0, 6) | JSON,
            "status": st.integers(0, 2) | JSON,
            "stageName": JSON,
            "statistics": JSON,
            "error": JSON,
        },
    )
