"""The HTTP listener: aiohttp requests to our own and back. Knows nothing of what they mean.

What never becomes a request of ours (another box's name, a body too large, bytes that are no HTTP) is answered here, in
the API's envelope.
"""

import asyncio
import ipaddress
import logging
import socket
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from functools import lru_cache, partial
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.client_exceptions import ClientPayloadError
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import LooseHeaders

from hubd.api.envelope import RouteError, failure
from hubd.core.message import Request, Response
from hubd.model import ids
from hubd.model.errors import HubError

LOG = logging.getLogger(__name__)

MAX_BODY = 1024 * 1024
BODY_SECONDS = 20.0
"""How long a caller may take to send a body."""
LINGER_SECONDS = 2.0
"""How long what is still coming of a body is thrown away after its answer, before the connection is closed."""
SHUTDOWN_SECONDS = 2.0
_SERVER_ERROR = 500
_LOCAL_NAMES = {"localhost", "localhost.localdomain"}

type Handle = Callable[[Request], Awaitable[Response]]


class HostCheck:
    """Refuses calls whose `Host` is a name that is not ours: DNS rebinding. Addresses are always ours."""

    def __init__(self, names: tuple[str, ...]) -> None:
        own = socket.gethostname().lower()
        self._names = _LOCAL_NAMES | {own, f"{own}.local"} | {name.lower().rstrip(".") for name in names}

    def allows(self, host: str) -> bool:
        """Whether a `Host` header names this box."""
        name, is_address = _named(host)
        return is_address or name in self._names


@lru_cache(maxsize=64)
def _named(host: str) -> tuple[str, bool]:
    """Return the name in a `Host` header, and whether it is an address."""
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return "", False
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name, False
    return name, True


class _Protocol(web.RequestHandler):
    """aiohttp's connection, answering what is no HTTP in our envelope, without a traceback to log or caller."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - it quotes what was sent, which may be a key
    ) -> web.StreamResponse:
        """Answer and close the connection; where an answer was begun already, only close it."""
        LOG.debug("bad request from %s: %s", request.remote, type(exc).__name__)
        if request.writer.output_size > 0:
            raise ConnectionResetError("the answer broke off")
        response = _refusal(status, "bad_request" if status < _SERVER_ERROR else "internal_error", _no_http(status))
        response.force_close()
        return response


class _Listener(web.Server):
    """aiohttp's server, made of our connections."""

    def __call__(self) -> web.RequestHandler:
        """Make what serves one connection."""
        return _Protocol(self, loop=self._loop, **self._kwargs)


def _no_http(status: int) -> str:
    return "The request is not valid HTTP." if status < _SERVER_ERROR else "The hub could not answer this request."


def _refusal(status: int, code: str, message: str) -> web.Response:
    """Build an answer in the envelope to what never reached the API."""
    request_id = ids.new_id()
    made = failure(RouteError(status, code, message), request_id)
    headers: LooseHeaders = {**made.headers, "seam-request-id": request_id}
    return web.Response(status=made.status, body=made.body, headers=headers)


class Server:
    """One listener."""

    def __init__(self, handle: Handle, hosts: HostCheck, tls: ssl.SSLContext | None = None) -> None:
        self._handle = handle
        self._hosts = hosts
        self._tls = tls
        self._runner: web.ServerRunner | None = None
        self._streams: set[asyncio.Task[object]] = set()
        self.port = 0

    @property
    def scheme(self) -> str:
        """`http` or `https`."""
        return "http" if self._tls is None else "https"

    async def start(self, host: str, port: int) -> None:
        """Listen. Raises `HubError` when the port cannot be had."""
        request = partial(web.BaseRequest, loop=asyncio.get_running_loop(), client_max_size=MAX_BODY)
        # A compressed body is nothing that the SDKs send, and aiohttp logs a traceback for one that is damaged.
        server = _Listener(
            self._serve,
            request_factory=request,
            access_log=None,
            auto_decompress=False,
            lingering_time=LINGER_SECONDS,
        )
        self._runner = web.ServerRunner(server, shutdown_timeout=SHUTDOWN_SECONDS)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port, ssl_context=self._tls)
        try:
            await site.start()
        except (OSError, UnicodeError, OverflowError) as error:
            await self.stop()
            reason = getattr(error, "strerror", None) or "there is no such address"
            raise HubError("cannot_listen", f"cannot listen on {host} port {port}: {reason}") from error
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Close the listener and its connections."""
        streams = list(self._streams)
        for stream in streams:  # aiohttp would wait for them, and forgets those whose listener left
            stream.cancel()
        if streams:
            await asyncio.wait(streams)
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _serve(self, incoming: web.BaseRequest) -> web.StreamResponse:
        host = incoming.headers.get("Host", "")
        if not self._hosts.allows(host):
            message = (
                "This name is not one of the hub's. Use its address, or add the name to allowed_hosts under [http]."
            )
            return _refusal(421, "unknown_host", message)
        if incoming.headers.get("Content-Encoding", "identity").lower() != "identity":
            return _refusal(415, "encoding_not_supported", "A body must come uncompressed.")
        try:
            body = await _body(incoming)
        except web.HTTPRequestEntityTooLarge:
            return _refusal(413, "body_too_large", f"A request has at most {MAX_BODY} bytes.")
        except TimeoutError:
            return _refusal(408, "body_too_slow", f"The body did not come within {BODY_SECONDS:g} s.")
        except (ClientPayloadError, HttpProcessingError, web.RequestPayloadError):
            return _refusal(400, "bad_body", "The body is not encoded as its headers say.")
        request = Request(
            method=incoming.method,
            path=incoming.path,
            query=tuple(incoming.query.items()) if incoming.query_string else (),
            headers={name.lower(): value for name, value in incoming.headers.items()},
            body=body,
            remote=incoming.remote or "",
            origin=f"{self.scheme}://{host}",
        )
        try:
            response = await self._handle(request)
        except Exception:
            LOG.exception("request %s %s failed by a defect", request.request_id, request.path)
            message = "The hub failed on this request by a defect of its own; its log has the details."
            return _refusal(500, "internal_error", message)
        if response.stream is not None:
            return await self._stream(incoming, response, response.stream)
        return web.Response(status=response.status, body=response.body, headers=response.headers)

    async def _stream(
        self, incoming: web.BaseRequest, response: Response, chunks: AsyncGenerator[bytes]
    ) -> web.StreamResponse:
        task = asyncio.current_task()
        if task is not None:
            self._streams.add(task)
            task.add_done_callback(self._streams.discard)
        outgoing = web.StreamResponse(status=response.status, headers=response.headers)
        await outgoing.prepare(incoming)
        async with aclosing(chunks):
            try:
                async for chunk in chunks:
                    await outgoing.write(chunk)
            except ConnectionError:
                LOG.debug("a listener left")
        return outgoing


async def _body(incoming: web.BaseRequest) -> bytes:
    if incoming.content.is_eof():  # it came with the head, as most do: nothing to wait for
        return await incoming.read()
    async with asyncio.timeout(BODY_SECONDS):
        return await incoming.read()
