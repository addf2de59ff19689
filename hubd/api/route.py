"""What a route file gives to the router."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any, ClassVar, Literal, Protocol

import msgspec

from hubd.api import shapes
from hubd.api.params import NoParams, Params
from hubd.core.hub import Hub
from hubd.core.keys import Key, Keys
from hubd.core.message import Request
from hubd.model.event import Role
from hubd.store.tables import View

type Verb = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

READ: tuple[Verb, ...] = ("GET", "POST")
ACT: tuple[Verb, ...] = ("POST",)
UPDATE: tuple[Verb, ...] = ("PATCH", "POST")
REPLACE: tuple[Verb, ...] = ("PUT", "POST")
REMOVE: tuple[Verb, ...] = ("DELETE", "POST")

HOLD_SECONDS = 10.0
"""How long a call that acts on a device is held for its end, before it answers `pending`."""


type Statement = tuple[str, tuple[Any, ...]]


class Keeper(Protocol):
    """Keeps what a call with an `Idempotency-Key` did, in the very transaction that does it."""

    def command(self, request_id: str) -> Statement:
        """Return what is to be written beside the command."""
        ...

    def answer(self, view: View, body: bytes) -> None:
        """Write the answer. Without it the router keeps the answer afterwards, in a transaction of its own."""
        ...

    def release(self, view: View) -> None:
        """Forget what was written: the call is refused after all, and its key stays free."""
        ...


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One authorized call."""

    hub: Hub
    keys: Keys
    request: Request
    principal: Key
    keeper: Keeper | None = None
    """There when the call carries an `Idempotency-Key`."""
    hold_seconds: float = HOLD_SECONDS


class Stream(msgspec.Struct, frozen=True):
    """An answer that goes on: chunks of a server-sent event stream."""

    content_type: ClassVar[str] = "text/event-stream"
    chunks: AsyncGenerator[bytes]

    @property
    def headers(self) -> Mapping[str, str]:
        """Those that it has beside its type."""
        return {}


class LineStream(Stream, frozen=True):
    """One of JSON values, one on a line."""

    content_type: ClassVar[str] = "application/x-ndjson"


type Handler = Callable[[Call, Any], Awaitable[msgspec.Struct]]
type Retell = Callable[[shapes.ActionAttempt], msgspec.Struct]


def as_attempt(attempt: shapes.ActionAttempt) -> shapes.AttemptAnswer:
    """Answer with the attempt."""
    return shapes.AttemptAnswer(action_attempt=attempt)


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
    retell: Retell = as_attempt
    """Answers a repeated call from the command that the first one made. May raise what the first one raised."""


def route(
    path: str,
    verbs: tuple[Verb, ...],
    handler: Handler,
    answer: type[msgspec.Struct],
    params: type[Params] = NoParams,
    role: Role = "viewer",
    *,
    is_public: bool = False,
    retell: Retell = as_attempt,
) -> Route:
    """Build a route; the first line of the handler's docstring is its summary."""
    return Route(
        path=path,
        verbs=verbs,
        handler=handler,
        summary=(handler.__doc__ or "").strip().splitlines()[0],
        answer=answer,
        params=params,
        role=role,
        is_public=is_public,
        retell=retell,
    )
