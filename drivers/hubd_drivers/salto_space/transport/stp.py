"""STP: frames over TCP, one request and one reply at a time on each connection."""

import asyncio
from typing import Final

from hubd.driver import Clock, SystemClock
from hubd_drivers.salto_space.codec import FrameError, FrameReader, encode
from hubd_drivers.salto_space.transport.base import CEILING, CONNECT_SECONDS, ClosedError, LinkError, Stage

_CLOSE_TURNS: Final = 3


class StpTransport:
    """One connection that is kept for reading, and one for each `fresh` request. A `Transport`."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        version: str = "00",
        connect_seconds: float = CONNECT_SECONDS,
        ceiling: int = CEILING,
        clock: Clock | None = None,
    ) -> None:
        self._host, self._port, self._version = host, port, version
        self._connect_seconds = connect_seconds
        self._ceiling = ceiling
        self._clock = SystemClock() if clock is None else clock
        self._turn = asyncio.Lock()
        self._kept: _Connection | None = None
        self._open: set[_Connection] = set()
        self._is_closed = False
        self.seen_version = ""
        """The version in the last reply; whether it echoes ours is not known."""
        self.connections = 0
        """How many were made."""

    @property
    def is_connected(self) -> bool:
        """The connection for reading stands, and nothing is under way on it."""
        return self._kept is not None and self._kept.is_idle

    async def call(self, body: bytes, *, seconds: float, fresh: bool = False, repeatable: bool = False) -> bytes:
        """Do what `Transport.call` says."""
        try:
            frame = encode(body, self._version, self._ceiling)
        except FrameError as error:
            raise LinkError(Stage.SETUP, error, sent=False) from error
        if fresh:
            connection = await self._connect(seconds)
            try:
                return await self._exchange(connection, frame, seconds)
            finally:
                self._drop(connection)
        async with self._turn:
            return await self._call_kept(frame, seconds, repeatable=repeatable)

    async def close(self) -> None:
        """Do what `Transport.close` says."""
        self._is_closed = True
        for connection in tuple(self._open):
            self._drop(connection)
        for _ in range(_CLOSE_TURNS):  # the sockets themselves are closed by callbacks
            await asyncio.sleep(0)

    async def _call_kept(self, frame: bytes, seconds: float, *, repeatable: bool) -> bytes:
        try:
            if self._kept is not None and self.is_connected:
                return await self._exchange(self._kept, frame, seconds)
            return await self._call_anew(frame, seconds)
        except LinkError as error:
            if not error.is_worth_repeating or (error.sent and not repeatable):
                raise
        return await self._call_anew(frame, seconds)

    async def _call_anew(self, frame: bytes, seconds: float) -> bytes:
        if self._kept is not None:
            self._drop(self._kept)
        self._kept = connection = await self._connect(seconds)
        return await self._exchange(connection, frame, seconds)

    async def _connect(self, seconds: float) -> "_Connection":
        self._check_open()
        try:
            async with self._clock.timeout(min(seconds, self._connect_seconds)):
                connection = await _open(_Connection(self._ceiling), self._host, self._port)
        except (OSError, UnicodeError, ExceptionGroup) as error:
            cause = _telling(error)
            raise LinkError(Stage.CONNECT, cause, sent=False) from cause
        self.connections += 1
        self._open.add(connection)
        try:
            self._check_open()
        except LinkError:
            self._drop(connection)
            raise
        return connection

    def _check_open(self) -> None:
        if self._is_closed:
            raise LinkError(Stage.CONNECT, ClosedError(), sent=False)

    async def _exchange(self, connection: "_Connection", frame: bytes, seconds: float) -> bytes:
        """Use a connection once; whatever goes wrong, cancellation too, closes it."""
        is_whole = False
        try:
            async with self._clock.timeout(seconds):
                body = await connection.exchange(frame)
            is_whole = connection.is_idle
        except (OSError, FrameError, ClosedError) as error:
            was_kept, received = connection.exchanges > 1, connection.received
            raise LinkError(
                Stage.REPLY, error, sent=connection.has_sent, received=received, was_kept=was_kept
            ) from error
        finally:
            if not is_whole:
                self._drop(connection)
        self.seen_version = connection.version
        return body

    def _drop(self, connection: "_Connection") -> None:
        connection.abort()
        self._open.discard(connection)
        if self._kept is connection:
            self._kept = None


class _Connection(asyncio.Protocol):
    """One TCP connection. Bytes that nobody asked for end it: they would be taken for the next reply."""

    def __init__(self, ceiling: int) -> None:
        self._ceiling = ceiling
        self._transport: asyncio.Transport | None = None
        self._reader = FrameReader(ceiling)
        self._reply: asyncio.Future[bytes] | None = None
        self._is_spent = False
        self.exchanges = 0
        self.has_sent = False
        self.received = 0
        self.version = ""

    @property
    def is_idle(self) -> bool:
        """It can carry another request."""
        return not self._is_spent and self._reply is None

    async def exchange(self, frame: bytes) -> bytes:
        """Send and return the body of the reply. Raises `ClosedError`, `FrameError`, `OSError`."""
        self.exchanges += 1
        self.has_sent, self.received = False, 0
        if self._transport is None or not self.is_idle or self._transport.is_closing():
            raise ClosedError
        self._reader = FrameReader(self._ceiling)
        reply: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._reply = reply
        self.has_sent = True
        self._transport.write(frame)
        try:
            return await reply
        finally:
            self._reply = None

    def abort(self) -> None:
        """Close at once, whatever is under way."""
        self._end(ClosedError())
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what the loop gives a stream protocol
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._reply is None or self._reply.done():
            self.abort()
            return
        self.received += len(data)
        try:
            self._reader.feed(data)
            frame = self._reader.next()
            if frame is None:
                return
            self.version = frame.version
            self._check_nothing_follows()
        except FrameError as error:
            self._end(error)
            return
        if not self._reply.done():
            self._reply.set_result(frame.body)

    def eof_received(self) -> bool:
        try:
            self._reader.end()
        except FrameError as error:
            self._end(ClosedError() if error.code == "cut_short" else error)
        else:
            self._end(ClosedError())
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc if exc is not None else ClosedError())

    def _check_nothing_follows(self) -> None:
        """Spend a connection on which more than the reply came. What it belongs to cannot be known."""
        try:
            if self._reader.next() is not None:
                self._is_spent = True
            self._reader.end()
        except FrameError:
            self._is_spent = True

    def _end(self, error: Exception) -> None:
        self._is_spent = True
        if self._reply is not None and not self._reply.done():
            self._reply.set_exception(error)


async def _open(connection: _Connection, host: str, port: int) -> _Connection:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, asyncio.BaseEventLoop)  # noqa: S101 - those of the standard library; for `all_errors`
    await loop.create_connection(lambda: connection, host, port, all_errors=True)
    return connection


def _telling(error: Exception) -> Exception:
    """Return the one that says most of why none of a host's addresses could be connected to."""
    if not isinstance(error, ExceptionGroup):
        return error
    found = [_telling(one) for one in error.exceptions]
    return next((one for one in found if isinstance(one, ConnectionRefusedError)), found[0])
