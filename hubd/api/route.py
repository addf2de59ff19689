"""What a route file gives to the router."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, Literal

import msgspec

from hubd.core.message import Request
from hubd.api.params import NoParams, Params
from hubd.core.hub import Hub
from hubd.core.keys import Key, Keys
from hubd.model.event import Role

type Verb = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

READ: tuple[Verb, ...] = ("GET", "POST")
ACT: tuple[Verb, ...] = ("POST",)
UPDATE: tuple[Verb, ...] = ("PATCH", "POST")
REMOVE: tuple[Verb, ...] = ("DELETE", "POST")


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One authorized call."""

    hub: Hub
    keys: Keys
    request: Request
    principal: Key
    idempotency_key: str | None = None


class Stream(msgspec.Struct, frozen=True):
    """An answer that goes on: chunks of a server-sent event stream."""

    chunks: AsyncGenerator[bytes]


type Handler = Callable[[Call, Any], Awaitable[msgspec.Struct]]


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One path with the verbs that Seam's OpenAPI lists for it."""

    path: str
    verbs: tuple[Verb, ...]
    handler: Handler
    summary: str
    answer: type[msgspec.Struct]
    params: type[Params] = NoParams
    role: Role = "viewer"
    is_public: bool = False
    """Answered without a key."""


def route(
    path: str,
    verbs: tuple[Verb, ...],
    handler: Handler,
    answer: type[msgspec.Struct],
    params: type[Params] = NoParams,
    role: Role = "viewer",
) -> Route:
    """Build a route; the first line of the handler's docstring is its summary."""
    summary = (handler.__doc__ or "").strip().splitlines()[0]
    return Route(path=path, verbs=verbs, handler=handler, summary=summary, answer=answer, params=params, role=role)
