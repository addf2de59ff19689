"""An action's arguments from what a caller sent: typed, within bounds, or refused by name. Pure."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from hubd.driver.actions import Arguments
from hubd.driver.fields import Field, fields
from hubd.model.errors import InvalidInputError

_MISSING = re.compile(r"missing required field `([^`]+)`")
_UNKNOWN = re.compile(r"unknown field `(.*)`", re.DOTALL)


def convert(kind: type[Arguments], raw: Mapping[str, Any]) -> Arguments:
    """Type arguments. Raises `InvalidInputError`, which says what must be and never what was."""
    try:
        typed = msgspec.convert(dict(raw), kind)
    except msgspec.ValidationError as error:
        raise _invalid(error, kind) from None
    for field, text in _texts(typed):
        if field.max_length is not None and len(text) > field.max_length:  # the usual bound is in no annotation
            raise InvalidInputError(f"arguments.{field.name}", f"must be {_form(field)}")
    return typed


def has_words(arguments: Arguments) -> bool:
    """Whether there is a text that a person may keep to himself: SmartStart takes a whole DSK as an argument."""
    return any(text for _, text in _texts(arguments))


def _texts(arguments: Arguments) -> list[tuple[Field, str]]:
    found = [field for field in fields(type(arguments)) if field.type == "text"]
    return [(field, getattr(arguments, field.name) or "") for field in found]


def _invalid(error: msgspec.ValidationError, kind: type[Arguments]) -> InvalidInputError:
    """Name the argument that is wrong, as `arguments.<name>`."""
    words, _, path = str(error).partition(" - at `$.")
    if (missing := _MISSING.search(words)) is not None:
        return InvalidInputError(f"arguments.{missing[1]}", "is required")
    known = {field.name: field for field in fields(kind)}
    if (field := known.get(path.rstrip("`"))) is not None:
        return InvalidInputError(f"arguments.{field.name}", f"must be {_form(field)}")
    name = unknown[1][:80] if (unknown := _UNKNOWN.search(words)) is not None else ""
    return InvalidInputError(f"arguments.{name}", f"is no argument; there are: {', '.join(known) or 'none'}")


def _form(field: Field) -> str:
    """Say what an argument must be."""
    match field.type:
        case "boolean":
            return "true or false"
        case "choice":
            return f"one of {', '.join(field.choices)}"
        case "integer" | "number":
            kind = "a whole number" if field.type == "integer" else "a number"
            bounds = [f"{name} {value:g}" for name, value in _bounds(field) if value is not None]
            return " ".join((kind, *bounds))
        case "text":
            form = f" of the form {field.pattern}" if field.pattern else ""
            length = f"{field.min_length} to" if field.min_length else "at most"
            return f"text of {length} {field.max_length} characters{form}"


def _bounds(field: Field) -> tuple[tuple[str, float | None], ...]:
    return ("from", field.minimum), ("to", field.maximum)
