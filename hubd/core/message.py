"""Requests and responses as handlers see them; the HTTP server and the tunnel are two adapters to these."""

from collections.abc import AsyncGenerator, Mapping

import msgspec

from hubd.model import ids


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One call. Header names are lower-case; `query` keeps order and repeats."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = {}
    body: bytes = b""
    remote: str = ""
    origin: str = ""
    """Scheme and host as the caller wrote them, for links in answers."""
    request_id: str = msgspec.field(default_factory=ids.new_id)


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """One answer: a whole body, or a stream of chunks."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = {}
    stream: AsyncGenerator[bytes] | None = None
