"""Space's event stream, as a hint alone.

Space sends what happens at the doors to where an operator told it to, by UDP or TCP, as JSON or CSV, without any
authentication or replay. So nothing that arrives is read: it only has the audit trail be read at once. Bytes count if
they come from the server's own address; bounds hold for them, too.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, Literal

from hubd.driver import Port
from hubd_drivers.salto_space.config import SaltoSpaceConfig

MOST_CONNECTIONS: Final = 8
MOST_BYTES: Final = 2**20
"""Of one connection; Space closes it after a message."""
IDLE_SECONDS: Final = 60.0
LOOKUP_SECONDS: Final = 5.0
UNAVAILABLE: Final = "event_stream_unavailable"

type Address = IPv4Address | IPv6Address


class Gate:
    """Whom the stream is taken from, and how many at a time."""

    def __init__(self, allowed: frozenset[Address], hint: Callable[[], None]) -> None:
        self._allowed = allowed
        self._hint = hint
        self._open: set[_Connection] = set()
        self.refused = 0
        """Connections and datagrams that were not taken."""

    def admits(self, peer: object) -> bool:
        """Tell whether somebody at this socket address is the server."""
        if _address(peer) in self._allowed:
            return True
        self.refused += 1
        return False

    def enter(self, connection: "_Connection", peer: object) -> bool:
        """Take a connection in; False for one too many, or from elsewhere."""
        if not self.admits(peer):
            return False
        if len(self._open) >= MOST_CONNECTIONS:
            self.refused += 1
            return False
        self._open.add(connection)
        return True

    def leave(self, connection: "_Connection") -> None:
        """Forget a connection."""
        self._open.discard(connection)

    def arrived(self) -> None:
        """Take in that the server sent something."""
        self._hint()

    def close(self) -> None:
        """Close what is open."""
        for connection in tuple(self._open):
            connection.abort()


class _Connection(asyncio.Protocol):
    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._transport: asyncio.Transport | None = None
        self._received = 0
        self._idle: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what the loop gives a stream protocol
        self._transport = transport
        if not self._gate.enter(self, transport.get_extra_info("peername")):
            self.abort()
            return
        self._idle = asyncio.get_running_loop().call_later(IDLE_SECONDS, self.abort)

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        self._gate.arrived()
        if self._received > MOST_BYTES:
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc  # however it ends, nothing was expected of it
        if self._idle is not None:
            self._idle.cancel()
        self._gate.leave(self)

    def abort(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        if self._transport is not None:
            self._transport.abort()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def datagram_received(self, data: bytes, addr: tuple[object, ...]) -> None:
        if data and self._gate.admits(addr):
            self._gate.arrived()


async def listen(config: SaltoSpaceConfig, port: Port, hint: Callable[[], None]) -> None:
    """Listen until cancelled. A listener that cannot be had is told, and missed by nothing but haste."""
    stream = config.stream
    if stream is None:
        return
    kind, host, number = stream
    try:
        async with listening(kind, host, number, await resolved(config.target.host, port), hint):
            port.caution(UNAVAILABLE, None)
            await asyncio.get_running_loop().create_future()
    except OSError as error:
        message = f"The hub cannot listen for Space's event stream at {config.event_stream}: {error.strerror or error}."
        port.log.warning("%s", message)
        port.caution(
            UNAVAILABLE, message, "Choose another port in event_stream, or leave it out: events then come later."
        )


@asynccontextmanager
async def listening(
    kind: Literal["tcp", "udp"], host: str, number: int, allowed: frozenset[Address], hint: Callable[[], None]
) -> AsyncIterator[tuple[Gate, int]]:
    """Listen while the block runs; gives the gate and the port. Raises `OSError`."""
    loop, gate = asyncio.get_running_loop(), Gate(allowed, hint)
    if kind == "udp":
        transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(gate), local_addr=(host, number))
        try:
            yield gate, int(transport.get_extra_info("sockname")[1])
        finally:
            transport.close()
            await asyncio.sleep(0)
        return
    # Begun apart: cancelled in between, `create_server` would leave its socket open.
    server = await loop.create_server(
        lambda: _Connection(gate), host, number, backlog=MOST_CONNECTIONS, start_serving=False
    )
    try:
        await server.start_serving()
        yield gate, int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        gate.close()
        await asyncio.sleep(0)


async def resolved(host: str, port: Port) -> frozenset[Address]:
    """Return the addresses of the server; none if its name cannot be resolved now."""
    try:
        async with port.clock.timeout(LOOKUP_SECONDS):
            found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, TimeoutError):
        return frozenset()
    return frozenset(address for *_, place in found if (address := _address(place)) is not None)


def _address(place: object) -> Address | None:
    """Return the address of a socket's end; of one of IPv4 behind IPv6, that of IPv4."""
    if not isinstance(place, tuple) or not place or not isinstance(place[0], str):
        return None
    try:
        address = ip_address(place[0].partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
