"""The load: orders over HTTP from a process of its own, the same for the hub and for its floor.

A client is one kept-alive connection on a bare asyncio protocol: what is measured is the server, not an HTTP library.
`python -m tests.bench.load` reads a `Job` from standard input and writes a `Result` to standard output, as JSON.
"""

import asyncio
import sys
from itertools import count
from time import perf_counter
from typing import override

import msgspec

_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length:"


class Job(msgspec.Struct, frozen=True):
    """So many orders on these devices, over so many connections."""

    port: int
    token: str
    paths: tuple[str, str]
    """Where an order goes: in even passes over the devices, and in odd ones."""
    devices: tuple[str, ...]
    first: int
    """Number of the first order; pass and device follow from it, so that jobs in a row alternate on."""
    orders: int
    connections: int


class Result(msgspec.Struct, frozen=True):
    """How long each order took, in milliseconds, and the whole, in seconds."""

    latencies_ms: list[float]
    seconds: float

    def quantile(self, share: float) -> float:
        """Return the latency that this share of the orders did not exceed."""
        ordered = sorted(self.latencies_ms)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    @property
    def per_second(self) -> float:
        """Orders per second."""
        return len(self.latencies_ms) / self.seconds


class Connection(asyncio.Protocol):
    """One kept-alive connection that sends an order when the one before is answered."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._answer: asyncio.Future[bytes] | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    @override
    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(_HEAD_END)
        if found and len(body) >= _content_length(head) and self._answer is not None and not self._answer.done():
            self._buffer = b""
            self._answer.set_result(head.split(b" ", 2)[1] + b" " + body)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionResetError("the server closed the connection"))

    async def send(self, request: bytes) -> bytes:
        """Send a request and return status and body of its answer. Raises `ConnectionResetError`."""
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        """Close the connection."""
        assert self._transport is not None
        self._transport.close()


def _content_length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(_LENGTH):
            return int(line[len(_LENGTH) :])
    raise ValueError("an answer without a Content-Length")


def _request(job: Job, number: int) -> bytes:
    sweep, place = divmod(number, len(job.devices))
    body = f'{{"device_id": "{job.devices[place]}"}}'
    return (
        f"POST {job.paths[sweep % 2]} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {job.token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


async def run(job: Job) -> Result:
    """Do a job. Raises `AssertionError` for an answer that is not a success."""
    numbers = count(job.first)
    end = job.first + job.orders
    latencies: list[float] = []
    loop = asyncio.get_running_loop()

    async def client() -> None:
        _, connection = await loop.create_connection(Connection, "127.0.0.1", job.port)
        while (number := next(numbers)) < end:
            request = _request(job, number)
            sent = perf_counter()
            answer = await connection.send(request)
            latencies.append((perf_counter() - sent) * 1000)
            assert answer.startswith(b"200"), answer
            assert b"success" in answer, answer
        connection.close()

    started = perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(job.connections):
            group.create_task(client())
    return Result(latencies, perf_counter() - started)


async def apart(job: Job) -> Result:
    """Do a job in a process of its own. Raises `AssertionError` with its words when it fails."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.load", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate(msgspec.json.encode(job))
    assert process.returncode == 0, "the load ended early"
    return msgspec.json.decode(out, type=Result)


if __name__ == "__main__":
    result = asyncio.run(run(msgspec.json.decode(sys.stdin.buffer.read(), type=Job)))
    sys.stdout.buffer.write(msgspec.json.encode(result))
