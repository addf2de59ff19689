"""An action's arguments as fields: what forms, help texts and the API's catalogue are made of, and read back from."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

import msgspec
from msgspec import inspect

from hubd.driver.actions import Arguments
from hubd.model.errors import InvalidInputError

type FieldType = Literal["text", "integer", "number", "boolean", "choice"]

LONGEST_TEXT = 500
_YES, _NO = {"true", "yes", "on", "1"}, {"false", "no", "off", "0"}


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One argument. Bounds are inclusive; `default` None means that it may be left out and then is not said."""

    name: str
    type: FieldType
    title: str
    description: str = ""
    required: bool = False
    default: str | int | float | bool | None = None
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    """A regular expression that is searched in the text."""
    min_length: int | None = None
    max_length: int | None = None


@cache  # pages that are open ask for all of them twice a second
def fields(kind: type[Arguments]) -> tuple[Field, ...]:
    """Describe the members of an action's arguments. Raises `TypeError` for a member that no form can hold."""
    info = inspect.type_info(kind)
    if not isinstance(info, inspect.StructType):
        raise TypeError(f"{kind.__name__} is no Struct")
    return tuple(_field(member) for member in info.fields)


def read(kind: type[Arguments], texts: Mapping[str, str]) -> dict[str, Any]:
    """Turn what a person typed into raw arguments; empty text is not said. Raises `InvalidInputError`.

    Bounds and patterns are checked where the arguments are made, not here.
    """
    known = {field.name: field for field in fields(kind)}
    for name in texts:
        if name not in known:
            raise InvalidInputError(name, f"is no argument; there are: {', '.join(known) or 'none'}")
    return {name: _value(known[name], text.strip()) for name, text in texts.items() if text.strip()}


def _value(field: Field, text: str) -> str | int | float | bool:
    if field.type == "boolean":
        if text.lower() not in _YES | _NO:
            raise InvalidInputError(field.name, "must be yes or no")
        return text.lower() in _YES
    if field.type in {"integer", "number"}:
        try:
            return int(text) if field.type == "integer" else float(text)
        except ValueError as error:
            raise InvalidInputError(field.name, f"must be a {'whole ' * (field.type == 'integer')}number") from error
    return text


def _field(member: inspect.Field) -> Field:
    kind, meta = _unwrap(member.type)
    default = None if member.default is msgspec.NODEFAULT else member.default
    shared: dict[str, Any] = {
        "name": member.encode_name,
        "title": meta.get("title") or member.encode_name.replace("_", " ").capitalize(),
        "description": meta.get("description") or "",
        "required": member.required,
        "default": default,
    }
    match kind:
        case inspect.BoolType():
            return Field(type="boolean", **shared)
        case inspect.IntType():
            return Field(type="integer", minimum=kind.ge, maximum=kind.le, **shared)
        case inspect.FloatType():
            return Field(type="number", minimum=kind.ge, maximum=kind.le, **shared)
        case inspect.StrType():
            longest = kind.max_length or LONGEST_TEXT
            return Field(type="text", pattern=kind.pattern, min_length=kind.min_length, max_length=longest, **shared)
        case inspect.LiteralType():
            return Field(type="choice", choices=tuple(str(value) for value in kind.values), **shared)
        case _:
            raise TypeError(f"{member.name}: no form can hold this type of argument")


def _unwrap(kind: inspect.Type) -> tuple[inspect.Type, dict[str, Any]]:
    """Return what is within `Annotated` and `| None`, with the title and description on the way."""
    meta: dict[str, Any] = {}
    while True:
        if isinstance(kind, inspect.Metadata):
            meta |= kind.extra_json_schema or {}
            kind = kind.type
        elif isinstance(kind, inspect.UnionType):
            (kind,) = (one for one in kind.types if not isinstance(one, inspect.NoneType))
        else:
            return kind, meta
