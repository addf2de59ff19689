"""Pages by position in a fixed order, so that rows added meanwhile are neither lost nor repeated."""

import base64
import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

import msgspec

from hubd.api.params import Params
from hubd.api.shapes import Pagination
from hubd.core.message import Request
from hubd.model.errors import InvalidInputError, RefusedError

type Position = tuple[int, str]
"""Sort key of a row: time in microseconds and id; unique, and never changing for a row."""

_UNPAGED = {"limit"}
_FARTHEST = 2**62


class _Cursor(msgspec.Struct, frozen=True, array_like=True):
    filters: str
    position: Position


def _digest(params: Params) -> str:
    """Fingerprint the filters. What a query string cannot tell apart (true and "true", {} and nothing) is one."""
    pairs = [(name, value) for name, value in _pairs(params) if name not in _UNPAGED]
    return hashlib.sha256(msgspec.json.encode(sorted(pairs))).hexdigest()[:16]


def _encode(cursor: _Cursor) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")


def start_of(params: Any) -> Position | None:
    """Return the position after which the page starts. Raises `InvalidInputError` or `RefusedError`."""
    text = params.page_cursor
    if text is None:
        return None
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        cursor = msgspec.json.decode(raw, type=_Cursor)
    except (ValueError, msgspec.MsgspecError) as error:
        raise InvalidInputError("page_cursor", "is not a cursor of this hub") from error
    if abs(cursor.position[0]) > _FARTHEST:
        raise InvalidInputError("page_cursor", "is not a cursor of this hub")
    if cursor.filters != _digest(params):
        message = "The page_cursor was given for other parameters; repeat those of the first page."
        raise RefusedError("mismatched_page_parameters", message)
    return cursor.position


def pagination(params: Any, request: Request, last: Position | None) -> Pagination:
    """Say where the next page starts; `last` is the position of this page's last row, None when there is no more."""
    if last is None:
        return Pagination(has_next_page=False, next_page_cursor=None, next_page_url=None)
    cursor = _encode(_Cursor(_digest(params), last))
    return Pagination(has_next_page=True, next_page_cursor=cursor, next_page_url=_url(params, request, cursor))


def _url(params: Params, request: Request, cursor: str) -> str:
    pairs = [*_pairs(params), ("page_cursor", cursor)]
    query = "&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in pairs)
    return f"{request.origin}{request.path}?{query}"


def _pairs(params: Params) -> list[tuple[str, str]]:
    """Return the parameters as a query string has them: an empty list is `name=`, an empty text is no text."""
    pairs: list[tuple[str, str]] = []
    for name in params.__struct_fields__:
        value = getattr(params, name)
        if name == "page_cursor" or value is None or value is msgspec.UNSET or value == "":
            continue
        if isinstance(value, dict):
            pairs += [(f"{name}.{key}", as_text(inner)) for key, inner in value.items()]
        elif isinstance(value, tuple):
            pairs += [(name, as_text(item)) for item in value if item != ""] or [(name, "")]
        else:
            pairs.append((name, as_text(value)))
    return pairs


def as_text(value: object) -> str:
    """Write a value as in a query string."""
    match value:
        case bool():
            return str(value).lower()
        case datetime():
            return value.isoformat()
        case _:
            return str(value)


def page[T](
    rows: Sequence[T], position: Callable[[T], Position], params: Any, request: Request
) -> tuple[list[T], Pagination]:
    """Cut the page out of all rows that fit the filters."""
    ordered = sorted(rows, key=position)
    after = start_of(params)
    rest = ordered if after is None else [row for row in ordered if position(row) > after]
    cut = rest[: params.limit]
    last = position(cut[-1]) if len(rest) > len(cut) and cut else None
    return cut, pagination(params, request, last)
