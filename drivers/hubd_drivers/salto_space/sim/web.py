"""The simulated server by HTTP(S): POST to ``/`` of the web port, beside Space's own pages.

The statuses are as one public client reads them: 401 wrong credentials, 415 wrong media type, 501 transport not active.
"""

import asyncio
import hmac
import ssl
from base64 import b64encode
from typing import Final

import msgspec
from aiohttp import web

from hubd.driver import Clock
from hubd_drivers.salto_space.sim.mischief import Trouble
from hubd_drivers.salto_space.sim.service import PAGE, Reply, Service

MEDIA_TYPE: Final = "application/vnd.saltosystems.ship.v1+xml"
KEY_HEADER: Final = "Salto-SHIP-Key"
LARGEST_REQUEST: Final = 16 * 2**20
_STOP_SECONDS: Final = 0.05
"""How long a request under way may go on when the server stops; zero would be for ever."""


class Basic(msgspec.Struct, frozen=True):
    """User and password."""

    user: str
    password: str

    def __repr__(self) -> str:
        return "Basic(...)"


class Custom(msgspec.Struct, frozen=True):
    """A key in a header of its own."""

    key: str

    def __repr__(self) -> str:
        return "Custom(...)"


class Http(msgspec.Struct, frozen=True, kw_only=True):
    """HTTP at this address, HTTPS with `tls`; port 0: any that is free. `piece` and `pause` as for `Stp`."""

    host: str = "127.0.0.1"
    port: int = 0
    auth: Basic | Custom | None = None
    tls: ssl.SSLContext | None = None
    is_active: bool = True
    """HTTP(S) is the transport that was chosen in Space; otherwise every call is 501."""
    piece: int = 0
    pause: float = 0.0


class HttpListener:
    """Listens from `start` to `stop`, which closes its connections."""

    def __init__(self, options: Http, service: Service, clock: Clock) -> None:
        self._options = options
        self._service = service
        self._clock = clock
        self._runner: web.AppRunner | None = None
        self._known: set[asyncio.Transport] = set()
        self._busy: set[asyncio.Task[object]] = set()
        """Requests under way; aiohttp forgets one whose client has gone."""
        self.port = options.port

    @property
    def open_connections(self) -> int:
        """How many clients are connected."""
        server = self._runner.server if self._runner is not None else None
        return len(server.connections) if isinstance(server, web.Server) else 0

    async def start(self) -> None:
        """Listen; on the same port as before, if it listened before."""
        application = web.Application(client_max_size=LARGEST_REQUEST)
        application.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=_STOP_SECONDS)
        await runner.setup()
        self._runner = runner
        try:
            site = web.TCPSite(runner, self._options.host, self.port, ssl_context=self._options.tls, reuse_address=True)
            await site.start()
        except BaseException:
            await self.stop()
            raise
        self.port = runner.addresses[0][1]

    async def stop(self) -> None:
        """Listen no more, and drop every connection."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await self.drop(runner)
            await runner.cleanup()
        for task in (left := tuple(self._busy)):
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        self._known.clear()

    async def drop(self, runner: web.AppRunner | None = None) -> None:
        """Drop the connections there are."""
        runner = runner or self._runner
        if runner is not None and isinstance(runner.server, web.Server):
            for connection in list(runner.server.connections):
                if connection.transport is not None:
                    connection.transport.abort()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if not self._is_welcome(request):
            return _closed(request)
        if request.method != "POST" or request.path != "/":
            status = 200 if request.path == "/" else 404
            return web.Response(body=PAGE, status=status, content_type="text/html")
        if not self._options.is_active:
            return web.Response(status=501, text="The HTTP transport is not active")
        if not self._is_known(request):
            headers = {"WWW-Authenticate": 'Basic realm="SHIP"'} if isinstance(self._options.auth, Basic) else {}
            return web.Response(status=401, headers=headers)
        if request.content_type != MEDIA_TYPE:
            return web.Response(status=415)
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - aiohttp runs this in a task
        self._busy.add(task)
        try:
            return await self._send(request, await self._service.answer(await request.read()))
        except ConnectionResetError:  # whoever asked has gone
            return _closed(request)
        finally:
            self._busy.discard(task)

    def _is_welcome(self, request: web.Request) -> bool:
        """Count a connection at its first request, and look where it comes from."""
        transport = request.transport
        if transport is None:
            return False
        if transport in self._known:
            return True
        welcome = self._service.connected(transport.get_extra_info("peername"))
        if welcome:
            self._known = {known for known in self._known if not known.is_closing()} | {transport}
        return welcome

    def _is_known(self, request: web.Request) -> bool:
        match self._options.auth:
            case None:
                return True
            case Basic(user=user, password=password):
                return _same(request, "Authorization", "Basic " + b64encode(f"{user}:{password}".encode()).decode())
            case Custom(key=key):
                return _same(request, KEY_HEADER, key)

    async def _send(self, request: web.Request, reply: Reply) -> web.StreamResponse:
        if reply.body is None:
            return _closed(request)
        body = b"\x00\x01 no XML \xff" + reply.body if reply.spoiled is Trouble.JUNK else reply.body
        response = web.StreamResponse()
        response.content_length = len(body)
        response.content_type = "text/html" if reply.spoiled is Trouble.HTML else MEDIA_TYPE
        await response.prepare(request)
        if reply.spoiled in {Trouble.HALF, Trouble.LENGTH}:
            await response.write(body[: len(body) // 2])
            return _closed(request, response)
        size = self._options.piece or len(body)
        for start in range(0, len(body), size):
            await response.write(body[start : start + size])
            if self._options.pause and start + size < len(body):
                await self._clock.sleep(self._options.pause)
        await response.write_eof()
        return response


def _same(request: web.Request, header: str, wanted: str) -> bool:
    given = request.headers.get(header, "")
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), wanted.encode())


def _closed(request: web.Request, response: web.StreamResponse | None = None) -> web.StreamResponse:
    """Close the connection as it is; what is returned reaches nobody."""
    if request.transport is not None:
        if response is None:
            request.transport.abort()
        else:
            request.transport.close()
    return response if response is not None else web.Response()
