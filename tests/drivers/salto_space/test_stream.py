"""The event stream, which is a hint and no more."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import Any

import pytest
from hubd_drivers.salto_space import stream
from hubd_drivers.salto_space.config import SaltoSpaceConfig
from hubd_drivers.salto_space.stream import MOST_BYTES, MOST_CONNECTIONS, UNAVAILABLE, Gate, listening

from hubd.driver.contract import RecordingPort
from tests.support.hub import until

HERE = frozenset({ip_address("127.0.0.1")})
JSON = b'[{"EventID":"00000000000000000017","OperationID":17}]'


class Hints:
    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    "data",
    [
        JSON,
        JSON * 3,
        b"\xef\xbb\xbf" + JSON,
        JSON.decode().encode("utf-16"),
        b"17;Main entrance;Ana\r\n",
        b"\x00\xff" * 100,
        b"<!DOCTYPE x [<!ENTITY a 'b'>]>",
        b"[" * 5000,
    ],
)
async def test_whatever_the_server_sends_is_a_hint(data: bytes) -> None:
    hints = Hints()
    async with listening("tcp", "127.0.0.1", 0, HERE, hints) as (gate, port), connected(port) as (_, writer):
        writer.write(data)
        await until(lambda: hints.count)
        assert gate.refused == 0


async def test_datagrams() -> None:
    hints, loop = Hints(), asyncio.get_running_loop()
    async with listening("udp", "127.0.0.1", 0, HERE, hints) as (_, port):
        transport, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=("127.0.0.1", port))
        transport.sendto(JSON)
        await until(lambda: hints.count)
        transport.close()
        await asyncio.sleep(0)


@pytest.mark.parametrize("kind", ["tcp", "udp"])
async def test_others_are_not_listened_to(kind: Any) -> None:
    hints, loop = Hints(), asyncio.get_running_loop()
    async with listening(kind, "127.0.0.1", 0, frozenset({ip_address("192.0.2.1")}), hints) as (gate, port):
        if kind == "tcp":
            async with connected(port) as (reader, _):
                assert await reader.read() == b""
        else:
            transport, _ = await loop.create_datagram_endpoint(
                asyncio.DatagramProtocol, remote_addr=("127.0.0.1", port)
            )
            transport.sendto(JSON)
            await until(lambda: gate.refused)
            transport.close()
        assert (gate.refused, hints.count) == (1, 0)


async def test_connections_and_bytes_are_bounded() -> None:
    hints = Hints()
    async with listening("tcp", "127.0.0.1", 0, HERE, hints) as (gate, port):
        pairs = [await asyncio.open_connection("127.0.0.1", port) for _ in range(MOST_CONNECTIONS + 1)]
        await until(lambda: gate.refused == 1)
        assert await pairs[-1][0].read() == b""
        reader, writer = pairs[0]
        with pytest.raises(ConnectionError):  # noqa: PT012 - whichever of them notices it
            for _ in range(10 * MOST_BYTES // 65536):
                writer.write(b"x" * 65536)
                await writer.drain()
            await reader.read()
        for _, one in pairs:
            one.transport.abort()
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("peer", "is_admitted"),
    [
        (("127.0.0.1", 5), True),
        (("::ffff:127.0.0.1", 5, 0, 0), True),
        (("::1", 5, 0, 0), False),
        (("fe80::1%eth0", 5, 0, 0), False),
        (("nonsense", 5), False),
        ((), False),
        (None, False),
        ("/run/socket", False),
    ],
)
async def test_whose_socket_it_is(peer: object, is_admitted: bool) -> None:  # noqa: FBT001
    assert Gate(HERE, Hints()).admits(peer) is is_admitted


async def config_with(event_stream: str) -> SaltoSpaceConfig:
    return await asyncio.to_thread(
        lambda: SaltoSpaceConfig(host="stp://127.0.0.1:1", time_zone="UTC", event_stream=event_stream)
    )


async def test_a_port_that_is_taken_is_told_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    port = RecordingPort()
    with socket.create_server(("127.0.0.1", 0)) as taken, caplog.at_level(logging.WARNING):
        config = await config_with(f"tcp://127.0.0.1:{taken.getsockname()[1]}")
        await stream.listen(config, port, Hints())
    assert "cannot listen" in port.cautions[UNAVAILABLE]


async def test_without_a_stream_nobody_listens() -> None:
    port = RecordingPort()
    await stream.listen(await config_with(""), port, Hints())
    assert not port.cautions


async def test_a_name_that_cannot_be_resolved_admits_nobody() -> None:
    assert await stream.resolved("127.0.0.1", RecordingPort()) == HERE
    assert await stream.resolved("no-such-name.invalid", RecordingPort()) == frozenset()
