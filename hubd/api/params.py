"""Typed parameters from a JSON body or from a query string in the dialects of the Seam SDKs.

Query: `a=1&list=x&list=y&nested.key=v`, booleans `true` and `false`, an empty value is null or an empty list; `_strict`
is appended by the SDKs and ignored.
"""

import re
import types
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec

from hubd.api.envelope import quotable
from hubd.model.errors import InvalidInputError

_UUID = "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"

type Uuid = Annotated[str, msgspec.Meta(pattern=_UUID)]
type Uuids = Annotated[tuple[Uuid, ...], msgspec.Meta(max_length=1000)]
type Limit = Annotated[int, msgspec.Meta(ge=1, le=100_000)]
type Text = Annotated[str, msgspec.Meta(max_length=2000)]
type Name = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
type Word = Annotated[str, msgspec.Meta(max_length=80)]
type Words = Annotated[tuple[Word, ...], msgspec.Meta(max_length=200)]
type Pairs = dict[str, str | bool]

_PLACE = re.compile(r"^(?P<message>.*?)(?: - at `(?P<path>[^`]*)`)?$", re.DOTALL)
_MISSING = re.compile(r"missing required field `(?P<name>[^`]+)`")
_UNKNOWN = re.compile(r"unknown field `(?P<name>.*)`", re.DOTALL)
_NOT_WHOLE = re.compile(r"Expected `int(?: \| null)?`, got `float`")
_WORDS = {"str": "string", "bool": "boolean", "int": "integer"}
_WORD = re.compile(r"\b(?:str|bool|int)\b")
_IGNORED = {"_strict"}
MAX_QUERY_FIELDS = 1000


class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of the parameters of a route. Unknown members are refused: a filter that is ignored would be a lie."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"  # a PIN may be among them


class NoParams(Params, frozen=True, kw_only=True):
    """For routes that take none."""


def from_json[P: Params](body: bytes, kind: type[P]) -> P:
    """Decode a JSON object. Raises `InvalidInputError` naming the member."""
    try:
        return msgspec.json.decode(body or b"{}", type=kind)
    except msgspec.ValidationError as error:
        if _NOT_WHOLE.search(str(error)):
            return _convert(_whole(msgspec.json.decode(body)), kind, strict=True)
        raise _invalid(error) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInputError("", f"the body is not JSON: {error}") from None


def from_query[P: Params](query: tuple[tuple[str, str], ...], kind: type[P]) -> P:
    """Type a query string. Raises `InvalidInputError` naming the member."""
    if len(query) > MAX_QUERY_FIELDS:
        raise InvalidInputError("", f"more than {MAX_QUERY_FIELDS} query fields")
    forms = _forms(kind)
    values: dict[str, Any] = {}
    for key, value in query:
        if key in _IGNORED:
            continue
        if not _is_text(key) or not _is_text(value):
            raise InvalidInputError(quotable(key), "is not UTF-8")
        name, dot, inner = key.partition(".")
        form = forms.get(name, "")
        if form == "list" and not dot:
            items = values.setdefault(key, [])
            if value:
                items.append(value)
        elif dot and form in {"object", "pairs"}:
            _put(values.setdefault(name, {}), key, inner, _typed(value, form))
        else:
            _put(values, key, key, {} if form == "pairs" and not value else value or None)
    return _convert(values, kind, strict=False)


def _is_text(value: str) -> bool:
    """Bytes that are not UTF-8 come as lone surrogates, which can be neither stored nor sent."""
    return value.isascii() or not any("\ud800" <= char <= "\udfff" for char in value)


def _put(into: Any, key: str, name: str, value: object) -> None:
    if not isinstance(into, dict) or name in into:
        raise InvalidInputError(quotable(key), "is given more than once")
    into[name] = value


def _typed(value: str, form: str) -> str | bool | None:
    """Booleans by their names. In free pairs an empty value is an empty string, in an object it is null."""
    if form == "object" and not value:
        return None
    return {"true": True, "false": False}.get(value, value)


def _whole(value: Any) -> Any:
    """Return a value with the whole numbers in it as such: Seam's schema calls every number a float."""
    match value:
        case dict():
            return {name: _whole(inner) for name, inner in value.items()}
        case list():
            return [_whole(inner) for inner in value]
        case float() if value.is_integer():
            return int(value)
        case _:
            return value


def _convert[P: Params](values: Any, kind: type[P], *, strict: bool) -> P:
    try:
        return msgspec.convert(values, kind, strict=strict)
    except msgspec.ValidationError as error:
        raise _invalid(error) from None


@cache
def _forms(kind: type[Params]) -> dict[str, str]:
    return {field.encode_name: _form(field.type) for field in msgspec.structs.fields(kind)}


def _form(annotation: Any) -> str:
    """Return `list`, `object`, `pairs` (free names) or nothing."""
    if hasattr(annotation, "__value__"):
        return _form(annotation.__value__)
    origin = get_origin(annotation)
    if origin in {list, tuple}:
        return "list"
    if origin in {dict, Mapping}:
        return "pairs"
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return "object"
    if origin in {Union, types.UnionType, Annotated}:
        return next((form for form in map(_form, get_args(annotation)) if form), "")
    return ""


def _invalid(error: msgspec.ValidationError) -> InvalidInputError:
    match = _PLACE.match(str(error))
    message, path = (match["message"], match["path"] or "") if match else (str(error), "")
    field = path.removeprefix("$").removeprefix(".")
    for pattern in (_MISSING, _UNKNOWN):
        named = pattern.search(message)
        if named:
            field = f"{field}.{named['name']}" if field else named["name"]
            message = "is required" if pattern is _MISSING else "is not a parameter of this route"
    if _UUID in message:
        message = "must be a UUID"
    message = _WORD.sub(lambda word: _WORDS[word[0]], message.replace("`", ""))
    return InvalidInputError(quotable(field), quotable(message[:1].lower() + message[1:]))
