"""SHIP over the web service of Space: a POST to its root for each request."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Final

import aiohttp

from hubd.driver import Clock, SystemClock
from hubd_drivers.salto_space.transport.base import (
    CEILING,
    CONNECT_SECONDS,
    ClosedError,
    HtmlError,
    LinkError,
    NotHttpError,
    PinError,
    Stage,
    StatusError,
    TooLongError,
)
from hubd_drivers.salto_space.transport.tls import Trust

CONTENT_TYPE: Final = "application/vnd.saltosystems.ship.v1+xml"
KEY_HEADER: Final = "Salto-SHIP-Key"
_FRESH: Final = 32
"""Connections for `fresh` requests at the same time: more than orders that the hub has under way, as some of them wait
for a card for a minute, and nobody at a door waits for that."""
_OK: Final = 200


class HttpTransport:
    """One connection that is kept for reading, and one for each `fresh` request. A `Transport`."""

    def __init__(
        self,
        url: str,
        headers: dict[str, str] | None = None,
        *,
        trust: Trust | None = None,
        connect_seconds: float = CONNECT_SECONDS,
        ceiling: int = CEILING,
        clock: Clock | None = None,
    ) -> None:
        self._url = url
        self._headers = {"Content-Type": CONTENT_TYPE, "Accept-Encoding": "identity", **(headers or {})}
        self._trust = trust
        self._connect_seconds = connect_seconds
        self._ceiling = ceiling
        self._clock = SystemClock() if clock is None else clock
        self._turn = asyncio.Lock()
        self._kept: aiohttp.ClientSession | None = None
        self._fresh: aiohttp.ClientSession | None = None
        self._is_closed = False

    async def call(self, body: bytes, *, seconds: float, fresh: bool = False, repeatable: bool = False) -> bytes:
        """Do what `Transport.call` says."""
        if fresh:
            return await self._post(body, seconds, fresh=True)
        async with self._turn:
            try:
                return await self._post(body, seconds)
            except LinkError as error:
                if not error.is_worth_repeating or not repeatable:
                    raise
            return await self._post(body, seconds)

    async def close(self) -> None:
        """Do what `Transport.close` says."""
        self._is_closed = True
        sessions, self._kept, self._fresh = (self._kept, self._fresh), None, None
        for session in sessions:
            if session is not None:
                await session.close()

    def _session(self, *, fresh: bool) -> aiohttp.ClientSession:
        """Return the session of its kind, made when it is first needed. Raises `LinkError` once all is closed."""
        if self._is_closed:
            raise LinkError(Stage.CONNECT, ClosedError(), sent=False)
        if fresh:
            self._fresh = self._fresh or self._make(keep=False)
            return self._fresh
        self._kept = self._kept or self._make(keep=True)
        return self._kept

    def _make(self, *, keep: bool) -> aiohttp.ClientSession:
        trace = aiohttp.TraceConfig()
        trace.on_connection_create_end.append(_connected)
        trace.on_connection_reuseconn.append(_reused)
        connector = aiohttp.TCPConnector(
            ssl=True if self._trust is None else self._trust,
            limit=1 if keep else _FRESH,
            force_close=not keep,
            use_dns_cache=False,
            resolver=aiohttp.ThreadedResolver(),
        )
        return aiohttp.ClientSession(
            connector=connector,
            headers=self._headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            trace_configs=[trace],
        )

    async def _post(self, body: bytes, seconds: float, *, fresh: bool = False) -> bytes:
        """Post once. Leaving the block early, by cancellation too, closes the connection."""
        session = self._session(fresh=fresh)
        way = SimpleNamespace(is_connected=False, was_kept=False, received=0)
        try:
            async with self._clock.timeout(seconds), self._answer(session, body, seconds, way) as response:
                return await self._read(response, way)
        except (aiohttp.ClientError, OSError, UnicodeError, ClosedError, HtmlError, StatusError, TooLongError) as error:
            raise _link_error(error, way) from error

    @asynccontextmanager
    async def _answer(
        self, session: aiohttp.ClientSession, body: bytes, seconds: float, way: SimpleNamespace
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        limit = aiohttp.ClientTimeout(total=None, connect=min(seconds, self._connect_seconds))
        async with session.post(
            self._url, data=body, allow_redirects=False, timeout=limit, trace_request_ctx=way
        ) as response:
            try:
                yield response
            except BaseException:
                response.close()
                raise

    async def _read(self, response: aiohttp.ClientResponse, way: SimpleNamespace) -> bytes:
        if response.status != _OK:
            raise StatusError(response.status, response.headers.get("Location", ""))
        body = bytearray()
        async for chunk in response.content.iter_any():
            body += chunk
            way.received = len(body)
            if len(body) > self._ceiling:
                raise TooLongError(self._ceiling)
        if response.content_type == "text/html":
            raise HtmlError
        return bytes(body)


async def _connected(_: aiohttp.ClientSession, context: SimpleNamespace, __: object) -> None:
    context.trace_request_ctx.is_connected = True


async def _reused(_: aiohttp.ClientSession, context: SimpleNamespace, __: object) -> None:
    context.trace_request_ctx.is_connected = context.trace_request_ctx.was_kept = True


def _link_error(error: Exception, way: SimpleNamespace) -> LinkError:
    """Take aiohttp's wrapping off, so that both transports tell the same things in the same words."""
    cause, stage = error, Stage.REPLY if way.is_connected else Stage.CONNECT
    match error:
        case aiohttp.ClientConnectorDNSError():
            cause = socket.gaierror(socket.EAI_NONAME, error.os_error.strerror or str(error.os_error))
        case aiohttp.ClientConnectorCertificateError():
            cause, stage = error.certificate_error, Stage.TLS
        case aiohttp.ClientConnectorSSLError():
            cause, stage = error.os_error, Stage.TLS
        case aiohttp.ServerFingerprintMismatch():
            cause, stage = PinError(error.got), Stage.TLS
        case aiohttp.ClientConnectorError():
            cause = error.os_error
        case aiohttp.ClientOSError() if error.errno is not None:
            cause = OSError(error.errno, error.strerror or "the connection failed")  # becomes the class of its number
        case aiohttp.ServerTimeoutError():
            cause = TimeoutError("no connection")
        case aiohttp.ClientConnectionError() | aiohttp.ClientPayloadError():
            cause = ClosedError()
        case aiohttp.ClientResponseError():
            cause = NotHttpError(" ".join(error.message.split())[:200])
        case aiohttp.ClientError():
            cause = NotHttpError(type(error).__name__)
        case _:
            pass
    return LinkError(stage, cause, sent=way.is_connected, received=way.received, was_kept=way.was_kept)
