"""The simulated server by STP: plain TCP, no authentication, one request at a time on each connection."""

import asyncio
from contextlib import suppress
from typing import Final

import msgspec

from hubd.driver import Clock
from hubd_drivers.salto_space.codec import FrameError, FrameReader, encode
from hubd_drivers.salto_space.sim.mischief import Trouble
from hubd_drivers.salto_space.sim.quirks import Quirks
from hubd_drivers.salto_space.sim.service import Reply, Service

LARGEST_REPLY: Final = 2**30
_READ: Final = 65_536
_IDLE_SECONDS: Final = 3_600.0
_SEND_SECONDS: Final = 60.0


class Stp(msgspec.Struct, frozen=True, kw_only=True):
    """STP at this address; port 0: any free one. `piece`: bytes per write, 0: whole; `pause`: seconds between them."""

    host: str = "127.0.0.1"
    port: int = 0
    piece: int = 0
    pause: float = 0.0
    most: int = 256
    """Connections at a time; one more is closed without a byte."""


class StpListener:
    """Listens from `start` to `stop`, which closes its connections."""

    def __init__(self, options: Stp, service: Service, quirks: Quirks, clock: Clock) -> None:
        self._options = options
        self._service = service
        self._quirks = quirks
        self._clock = clock
        self._server: asyncio.Server | None = None
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self.port = options.port

    @property
    def open_connections(self) -> int:
        """How many clients are connected."""
        return len(self._open)

    async def start(self) -> None:
        """Listen; on the same port as before, if it listened before."""
        self._server = await asyncio.start_server(self._accepted, self._options.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Listen no more, and drop every connection."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        server.abort_clients()
        await self.drop()
        await server.wait_closed()
        await self.drop()

    async def drop(self) -> None:
        """Drop the connections there are."""
        dropped = dict(self._open)
        for task, writer in dropped.items():
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*dropped, return_exceptions=True)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - asyncio runs this as a task
        self._open[task] = writer
        try:
            if self._may_stay(writer):
                await self._serve(reader, writer)
        except (OSError, TimeoutError, FrameError):
            writer.transport.abort()
        except asyncio.CancelledError:
            writer.transport.abort()  # `stop`; it ends here, as asyncio would tell of it otherwise
        finally:
            del self._open[task]
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    def _may_stay(self, writer: asyncio.StreamWriter) -> bool:
        allowed = self._service.connected(writer.get_extra_info("peername"))
        return allowed and len(self._open) <= self._options.most

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        frames = FrameReader()
        while True:
            while (frame := frames.next()) is None:
                async with asyncio.timeout(_IDLE_SECONDS):
                    data = await reader.read(_READ)
                if not data:
                    return
                frames.feed(data)
            if self._quirks.stp_accepts and frame.version not in self._quirks.stp_accepts:
                return
            reply = await self._service.answer(frame.body)
            if reply.body is None:
                writer.transport.abort()
                return
            version = frame.version if self._quirks.stp_version == "echo" else self._quirks.stp_version
            if not await self._send(reply, version, writer) or self._quirks.closes_after_reply:
                return

    async def _send(self, reply: Reply, version: str, writer: asyncio.StreamWriter) -> bool:
        """Send a reply; False: the connection is to be closed after it."""
        body = reply.body or b""
        data = encode(body, version, LARGEST_REPLY)
        match reply.spoiled:
            case Trouble.HALF:
                data = data[: len(data) // 2]
            case Trouble.LENGTH:
                data = encode(body + b" ", version, LARGEST_REPLY)[:-1]
            case Trouble.JUNK:
                data = b"\x00\x01 no frame \xff" + data
            case _:
                pass
        size = self._options.piece or len(data)
        for start in range(0, len(data), size):
            writer.write(data[start : start + size])
            async with asyncio.timeout(_SEND_SECONDS):
                await writer.drain()
            if self._options.pause and start + size < len(data):
                await self._clock.sleep(self._options.pause)
        return reply.spoiled is not Trouble.HALF
