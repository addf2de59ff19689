"""The HTTP listener: aiohttp requests to our own and back. Knows nothing of what they mean."""

import ipaddress
import logging
import socket
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from urllib.parse import urlsplit

from aiohttp import web

from hubd.core.message import Request, Response
from hubd.model.errors import HubError

LOG = logging.getLogger(__name__)

MAX_BODY = 1024 * 1024
SHUTDOWN_SECONDS = 2.0
_LOCAL_NAMES = {"localhost", "localhost.localdomain"}

type Handle = Callable[[Request], Awaitable[Response]]


class HostCheck:
    """Refuses calls whose `Host` is a name that is not ours: DNS rebinding. Addresses are always ours."""

    def __init__(self, names: tuple[str, ...]) -> None:
        own = socket.gethostname().lower()
        self._names = _LOCAL_NAMES | {own, f"{own}.local"} | {name.lower().rstrip(".") for name in names}

    def allows(self, host: str) -> bool:
        """Whether a `Host` header names this box."""
        try:
            name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
        except ValueError:
            return False
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return name in self._names
        return True


class Server:
    """One listener."""

    def __init__(self, handle: Handle, hosts: HostCheck, tls: ssl.SSLContext | None = None) -> None:
        self._handle = handle
        self._hosts = hosts
        self._tls = tls
        self._runner: web.ServerRunner | None = None
        self.port = 0

    @property
    def scheme(self) -> str:
        """`http` or `https`."""
        return "http" if self._tls is None else "https"

    async def start(self, host: str, port: int) -> None:
        """Listen. Raises `HubError` when the port cannot be had."""
        server = web.Server(self._serve, access_log=None)
        self._runner = web.ServerRunner(server, shutdown_timeout=SHUTDOWN_SECONDS)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port, ssl_context=self._tls)
        try:
            await site.start()
        except OSError as error:
            await self.stop()
            message = f"cannot listen on {host} port {port}: {error.strerror}; is another hubd running?"
            raise HubError("cannot_listen", message) from error
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Close the listener and its connections."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _serve(self, incoming: web.BaseRequest) -> web.StreamResponse:
        host = incoming.headers.get("Host", "")
        if not self._hosts.allows(host):
            text = "This name is not one of the hub's. Use its address, or add the name to allowed_hosts under [http].\n"
            return web.Response(status=421, text=text)
        try:
            body = await incoming.read() if incoming.can_read_body else b""
        except web.HTTPRequestEntityTooLarge:
            return web.Response(status=413, text=f"A request has at most {MAX_BODY} bytes.\n")
        request = Request(
            method=incoming.method,
            path=incoming.path,
            query=tuple(incoming.query.items()),
            headers={name.lower(): value for name, value in incoming.headers.items()},
            body=body,
            remote=incoming.remote or "",
            origin=f"{self.scheme}://{host}",
        )
        response = await self._handle(request)
        if response.stream is not None:
            return await self._stream(incoming, response, response.stream)
        return web.Response(status=response.status, body=response.body, headers=response.headers)

    @staticmethod
    async def _stream(
        incoming: web.BaseRequest, response: Response, chunks: AsyncGenerator[bytes]
    ) -> web.StreamResponse:
        outgoing = web.StreamResponse(status=response.status, headers=response.headers)
        await outgoing.prepare(incoming)
        async with aclosing(chunks):
            try:
                async for chunk in chunks:
                    await outgoing.write(chunk)
            except ConnectionError:
                LOG.debug("a listener left")
        return outgoing
