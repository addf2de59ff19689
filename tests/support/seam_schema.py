"""Answers and events judged by the official Seam schema.

``validate``, ``validate_event`` and ``validate_error`` return one sentence per fault, none for a good
value. Each says the place first, e.g. ``body.events[3]<lock.locked>.method: "fingerprint" is not one of
...``; the tags in angle brackets name the variant of a union that judged the value. Formats (uuid,
date-time, uri, email) are asserted.

Stricter than the text of the OpenAPI document in four points, as its source (the zod types), its prose and
the SDKs are: ``ok`` is true, the key that the SDKs read is there, a property declared as nothing but
``nullable`` is null, and an action's route answers with its own type of action attempt. Wider in two, which are
hubd's documented additions to the official values: ``device_type`` may match ``DEVICE_TYPE_EXTENSION``, and an event
may be of the ``EVENT_EXTENSION``, shaped as Seam's events of access codes are, or one of the ``ACS_EXTENSIONS``, shaped
as the ``added`` of the same thing.
"""

import json
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any, Final

from jsonschema_rs import Draft202012Validator

from .openapi30 import Schema, convert

DEVICE_TYPE_EXTENSION: Final = "^(zwave|ble|zigbee|virtual)_(lock|thermostat|device)$"

EVENT_EXTENSION: Final = "access_code.used_outside_time_frame"

_CONDITIONS: Final = (
    *("office_mode", "privacy_mode", "left_open", "intrusion", "tamper"),
    *("emergency_open", "emergency_close", "low_battery"),
)
ACS_EXTENSIONS: Final = {
    "acs_entrance.added": (
        "acs_entrance.connected",
        "acs_entrance.disconnected",
        *(f"acs_entrance.{condition}_{end}" for condition in _CONDITIONS for end in ("started", "ended")),
    ),
    "acs_encoder.added": ("acs_encoder.connected", "acs_encoder.disconnected"),
}
"""The hub's own types by the official one whose shape they have."""

_FILE: Final = Path(__file__).resolve().parents[1] / "fixtures" / "seam" / "openapi.json"
_OK: Final = 200
_ERRORS: Final = range(400, 600)
_TAGS: Final = (("event_type",), ("action_type", "status"), ("error_code",), ("warning_code",))
_ERROR_SCHEMA: Final[Schema] = {
    "type": "object",
    "required": ["error", "ok"],
    "additionalProperties": False,
    "properties": {
        "ok": {"const": False},
        "error": {
            "type": "object",
            "required": ["type", "message"],
            "properties": {
                "type": {"type": "string", "pattern": "^[a-z][a-z0-9_]*$"},
                "message": {"type": "string", "minLength": 1},
                "data": {"type": "object"},
                "request_id": {"type": "string", "minLength": 1},
                "validation_errors": {"$ref": "#/$defs/named_faults"},
            },
            "if": {"properties": {"type": {"const": "invalid_input"}}},
            "then": {"required": ["validation_errors"]},
        },
    },
    "$defs": {
        "named_faults": {
            "type": "object",
            "required": ["_errors"],
            "properties": {"_errors": {"type": "array", "items": {"type": "string", "minLength": 1}}},
            "additionalProperties": {"$ref": "#/$defs/named_faults"},
        }
    },
}


def validate(route: str, status: int, body: object) -> list[str]:
    """Return the faults of an answer of ``route``, e.g. ``/devices/list``, to any of its verbs.

    A 4xx or 5xx is judged as an error envelope, whatever the route. Raises LookupError for any other
    answer of a route that the trimmed schema lacks.
    """
    if status in _ERRORS:
        return validate_error(body)
    validator = _answer(route)
    return _faults(validator, body) if status == _OK else [f"status: {route} does not declare {status}"]


def validate_error(body: object) -> list[str]:
    """Return the faults of an error envelope; ``invalid_input`` must carry ``validation_errors``."""
    return _faults(_error(), body)


def validate_event(body: object) -> list[str]:
    """Return the faults of one bare event, which is also the body of a webhook."""
    return _faults(_event(), body)


def routes() -> frozenset[str]:
    """Return the routes that ``validate`` knows."""
    return frozenset(_document()["paths"])


@cache
def _document() -> Schema:
    document: Schema = json.loads(_FILE.read_text("utf-8"))
    return document


@cache
def _components() -> Schema:
    official = _document()["components"]["schemas"]
    known = official["event"]["oneOf"]
    own = [_own_event(known)]
    own += [_own_acs_event(known, shape, name) for shape, names in ACS_EXTENSIONS.items() for name in names]
    events = {**official["event"], "oneOf": [*known, *own]}
    schemas = {name: convert(schema) for name, schema in (official | {"event": events}).items()}
    for name in ("device", "unmanaged_device"):
        known = schemas[name]["properties"]["device_type"]
        extended = {
            "type": "string",
            "if": {"pattern": DEVICE_TYPE_EXTENSION},
            "else": {"enum": known["enum"]},
        }
        schemas[name]["properties"]["device_type"] = extended
    return {"schemas": schemas}


def _own_event(official: list[Schema]) -> Schema:
    """Return the schema of the hub's own event: that of Seam's plainest event of a code, under its own type."""
    plain = next(one for one in official if one["properties"]["event_type"]["enum"] == ["access_code.created"])
    times = {n: {"type": "string", "format": "date-time", "nullable": True} for n in ("starts_at", "ends_at")}
    return {
        **plain,
        "properties": {**plain["properties"], **times, "event_type": {"type": "string", "enum": [EVENT_EXTENSION]}},
        "required": [*plain["required"], *times],
    }


def _own_acs_event(official: list[Schema], shape: str, name: str) -> Schema:
    plain = next(one for one in official if one["properties"]["event_type"]["enum"] == [shape])
    return {**plain, "properties": {**plain["properties"], "event_type": {"type": "string", "enum": [name]}}}


def _compiled(schema: Schema) -> Draft202012Validator:
    return Draft202012Validator({**schema, "components": _components()}, validate_formats=True)


@cache
def _answer(route: str) -> Draft202012Validator:
    if route not in routes():
        message = f"{route} is not in the trimmed schema, see tests/fixtures/seam/README.md"
        raise LookupError(message)
    operations = _document()["paths"][route]
    operation = operations[min(operations)]
    official = deepcopy(operation["responses"][str(_OK)]["content"]["application/json"]["schema"])
    stricter: Schema = {"ok": {"const": True}}
    if "x-action-attempt-type" in operation:
        own_type = {"const": operation["x-action-attempt-type"]}
        stricter["action_attempt"] = {"properties": {"action_type": own_type}}
    entries = official["properties"].get("timeline_events")
    if entries is not None:
        entries["items"]["properties"]["event_type"]["enum"].append(EVENT_EXTENSION)
    read = [key for key in (operation["x-response-key"],) if key is not None]
    return _compiled({"allOf": [convert(official), {"properties": stricter, "required": read}]})


@cache
def _event() -> Draft202012Validator:
    return _compiled({"$ref": "#/components/schemas/event"})


@cache
def _error() -> Draft202012Validator:
    return Draft202012Validator(_ERROR_SCHEMA, validate_formats=True)


def _faults(validator: Draft202012Validator, body: object) -> list[str]:
    found = [f"{_place(body, error.instance_path)}: {error.message}" for error in validator.iter_errors(body)]
    return list(dict.fromkeys(found))


def _place(body: object, path: list[str | int]) -> str:
    value: Any = body
    text = "body" + _tag(value)
    for step in path:
        value = value[step]
        text += (f"[{step}]" if isinstance(step, int) else f".{step}") + _tag(value)
    return text


def _tag(value: object) -> str:
    for names in _TAGS:
        found = [value[name] for name in names if name in value] if isinstance(value, dict) else []
        if len(found) == len(names):
            return f"<{' '.join(map(str, found))}>"
    return ""
