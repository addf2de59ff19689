import asyncio
import gzip
import json
import logging
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from hubd import server as server_module
from hubd import tls
from hubd.config import HttpTable
from hubd.core.message import Request, Response
from hubd.model import HubError
from hubd.server import MAX_BODY, HostCheck, Server
from tests.support.hub import until
from tests.support.seam_schema import validate_error


class Echo:
    """Answers with what it was asked."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    async def __call__(self, request: Request) -> Response:
        self.requests.append(request)
        if request.path == "/defect":
            raise ZeroDivisionError("a secret of ours")
        return Response(status=201, body=request.body or b"-", headers={"x-path": request.path})


@asynccontextmanager
async def serving(handle: Any, context: Any = None) -> AsyncIterator[Server]:
    server = Server(handle, HostCheck(("box.example",)), context)
    await server.start("127.0.0.1", 0)
    try:
        yield server
    finally:
        await server.stop()


async def raw(port: int, sent: bytes, *later: bytes) -> bytes:
    """Send bytes, and more a moment later; return all that comes until the hub closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent)
        for more in later:
            await asyncio.sleep(0.02)
            writer.write(more)
        async with asyncio.timeout(5):
            return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()


def parsed(answer: bytes) -> tuple[int, dict[str, str], dict[str, Any]]:
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return int(status.split()[1]), headers, json.loads(body)


def check_refusal(answer: bytes, status: int, code: str) -> None:
    """It is in the envelope, has its request id, and closes no differently from what the API says."""
    got, headers, body = parsed(answer)
    assert (got, body["error"]["type"], body["ok"]) == (status, code, False)
    assert body["error"]["message"].endswith(".")
    assert headers["content-type"] == "application/json; charset=utf-8"
    assert headers["seam-request-id"] == body["error"]["request_id"]
    assert validate_error(body) == []


def post(body: bytes, *headers: str, host: str = "127.0.0.1") -> bytes:
    lines = ["POST /x HTTP/1.1", f"Host: {host}", "Connection: close", *headers]
    if not any(line.lower().startswith(("content-length", "transfer-encoding")) for line in headers):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


# -- requests


async def test_a_request_is_handed_over_whole() -> None:
    echo = Echo()
    async with serving(echo) as server, aiohttp.ClientSession() as client:
        url = f"http://localhost:{server.port}/devices/list?b=1&a=2&b=%C3%A9"
        async with client.put(url, data=b'{"x":1}', headers={"X-Thing": "Y"}) as response:
            assert (response.status, await response.read()) == (201, b'{"x":1}')
            assert response.headers["x-path"] == "/devices/list"
    (request,) = echo.requests
    assert (request.method, request.path, request.body) == ("PUT", "/devices/list", b'{"x":1}')
    assert request.query == (("b", "1"), ("a", "2"), ("b", "é"))
    assert request.headers["x-thing"] == "Y"
    assert (request.remote, request.origin) == ("127.0.0.1", f"http://localhost:{server.port}")


async def test_a_connection_serves_many_requests() -> None:
    echo = Echo()
    async with serving(echo) as server:
        one = post(b"1").replace(b"Connection: close\r\n", b"")
        answer = await raw(server.port, one + one + post(b"2"))
        assert answer.count(b"HTTP/1.1 201") == 3
    assert [request.body for request in echo.requests] == [b"1", b"1", b"2"]
    assert len({request.request_id for request in echo.requests}) == 3


async def test_over_tls(tmp_path: Path) -> None:
    context = await asyncio.to_thread(tls.context, HttpTable(tls="auto"), tmp_path)
    echo = Echo()
    async with serving(echo, context) as server, aiohttp.ClientSession() as client:
        assert server.scheme == "https"
        digest = bytes.fromhex((await asyncio.to_thread(tls.fingerprint, tmp_path / tls.CERTIFICATE)).replace(":", ""))
        async with client.get(f"https://127.0.0.1:{server.port}/x", ssl=aiohttp.Fingerprint(digest)) as response:
            assert response.status == 201
    assert echo.requests[0].origin.startswith("https://")


# -- whose host


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("127.0.0.1", True),
        ("127.0.0.1:8470", True),
        ("192.168.1.7:80", True),
        ("[::1]:8470", True),
        ("[fe80::1]", True),
        ("localhost", True),
        ("LocalHost:1", True),
        ("localhost.", True),
        (socket.gethostname(), True),
        (f"{socket.gethostname()}.local:8470", True),
        ("box.example", True),
        ("BOX.example.:8470", True),
        ("", False),
        ("evil.example", False),
        ("evil.example:8470", False),
        ("127.0.0.1.evil.example", False),
        ("localhost.evil.example", False),
        ("box.example.evil.example", False),
        ("xbox.example", False),
        ("2130706433", False),
        ("evil.example/@localhost", False),
        ("[::1", False),
        ("[nonsense]", False),
    ],
)
def test_whose_host(host: str, *, allowed: bool) -> None:
    assert HostCheck(("Box.Example",)).allows(host) is allowed


async def test_a_name_that_is_not_ours_is_refused() -> None:
    """DNS rebinding: a page of somebody else's, whose name now leads here."""
    echo = Echo()
    async with serving(echo) as server:
        check_refusal(await raw(server.port, post(b"x", host="evil.example")), 421, "unknown_host")
        answer = await raw(server.port, b"GET / HTTP/1.0\r\n\r\n")
        check_refusal(answer, 421, "unknown_host")
    assert echo.requests == []


# -- bodies


async def test_a_body_of_the_largest_size_and_one_larger() -> None:
    echo = Echo()
    async with serving(echo) as server:
        largest = await raw(server.port, post(bytes(MAX_BODY)))
        assert largest.startswith(b"HTTP/1.1 201")
        check_refusal(await raw(server.port, post(bytes(MAX_BODY + 1))), 413, "body_too_large")
        chunked = b"".join(b"10000\r\n" + bytes(0x10000) + b"\r\n" for _ in range(17)) + b"0\r\n\r\n"
        check_refusal(await raw(server.port, post(chunked, "Transfer-Encoding: chunked")), 413, "body_too_large")
    assert len(echo.requests) == 1


async def test_a_compressed_body_is_refused_unopened() -> None:
    bomb = gzip.compress(bytes(20 * MAX_BODY))
    assert len(bomb) < MAX_BODY / 10
    echo = Echo()
    async with serving(echo) as server:
        answer = await raw(server.port, post(bomb, "Content-Encoding: gzip"))
        check_refusal(answer, 415, "encoding_not_supported")
        assert (await raw(server.port, post(b"x", "Content-Encoding: Identity"))).endswith(b"x")
    assert len(echo.requests) == 1


async def test_a_body_that_is_not_in_chunks_as_its_headers_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "LINGER_SECONDS", 0.05)
    echo = Echo()
    async with serving(echo) as server:
        answer = await raw(server.port, post(b"ZZ\r\nhello\r\n0\r\n\r\n", "Transfer-Encoding: chunked"))
        check_refusal(answer, 400, "bad_request")
        begun = post(b"5\r\nhello\r\n", "Transfer-Encoding: chunked")
        monkeypatch.setattr(server_module, "BODY_SECONDS", 0.1)
        assert (await raw(server.port, begun, b"ZZ\r\n")).startswith(b"HTTP/1.1 408 ")
    assert echo.requests == []


async def test_a_body_that_does_not_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "BODY_SECONDS", 0.05)
    monkeypatch.setattr(server_module, "LINGER_SECONDS", 0.05)
    async with serving(Echo()) as server:
        check_refusal(await raw(server.port, post(b"half", "Content-Length: 100")), 408, "body_too_slow")


async def test_a_caller_who_leaves_in_the_middle_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(Echo()) as server:
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(post(b"half", "Content-Length: 100"))
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        assert (await raw(server.port, post(b"x"))).startswith(b"HTTP/1.1 201")
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


# -- what is no HTTP


@pytest.mark.parametrize(
    "sent",
    [
        b"hello\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nBad Header\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\x00b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64),
    ],
    ids=["words", "version", "header", "nul", "long header", "long path", "length", "smuggling", "tls"],
)
async def test_what_is_no_http(sent: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """A typed answer and a closed connection; nothing of what was sent is in the answer or makes a noise in the log."""
    echo = Echo()
    async with serving(echo) as server:
        answer = await raw(server.port, sent)
        check_refusal(answer, 400, "bad_request")
        assert b"a" * 20 not in answer
        assert (await raw(server.port, post(b"x"))).startswith(b"HTTP/1.1 201")
    assert len(echo.requests) == 1
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


# -- what goes wrong here


async def test_a_defect_is_logged_here_and_not_told_there(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(Echo()) as server:
        answer = await raw(server.port, post(b"").replace(b"/x", b"/defect"))
        check_refusal(answer, 500, "internal_error")
        assert b"secret of ours" not in answer
    assert "ZeroDivisionError: a secret of ours" in caplog.text


async def test_a_port_that_is_taken() -> None:
    async with serving(Echo()) as server:
        second = Server(Echo(), HostCheck(()))
        with pytest.raises(HubError) as caught:
            await second.start("127.0.0.1", server.port)
        assert caught.value.code == "cannot_listen"
        assert f"port {server.port}" in caught.value.message
        assert "is another hubd running?" not in caught.value.message or "in use" in caught.value.message


@pytest.mark.parametrize("host", ["no-such-host.invalid", "192.0.2.1", "x" * 70, "a..b"])
async def test_a_host_that_is_not_here(host: str) -> None:
    with pytest.raises(HubError) as caught:
        await Server(Echo(), HostCheck(())).start(host, 0)
    assert caught.value.code == "cannot_listen"
    assert caught.value.message.startswith(f"cannot listen on {host} port 0: ")


# -- streams


class Stream:
    """Answers with chunks for ever; tells whether it was closed."""

    def __init__(self, *, fails: bool = False) -> None:
        self.closed = 0
        self._fails = fails

    async def __call__(self, _: Request) -> Response:
        return Response(headers={"content-type": "text/event-stream"}, stream=self._chunks())

    async def _chunks(self) -> AsyncGenerator[bytes]:
        try:
            for number in range(1_000_000):
                yield b"data: %d\n\n" % number
                await asyncio.sleep(0.005)
                if self._fails:
                    raise ZeroDivisionError
        finally:
            self.closed += 1


async def test_a_stream_ends_when_its_listener_leaves(caplog: pytest.LogCaptureFixture) -> None:
    stream = Stream()
    async with serving(stream) as server, aiohttp.ClientSession() as client:
        async with client.get(f"http://127.0.0.1:{server.port}/") as response:
            assert response.headers["content-type"] == "text/event-stream"
            assert await response.content.readline() == b"data: 0\n"
        await until(lambda: stream.closed == 1)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize("listens", [True, False])
async def test_a_stream_ends_with_the_server(*, listens: bool) -> None:
    """At once, though nothing comes; also one whose listener left without the hub having noticed."""
    silent = asyncio.Event()
    closed = []

    async def handle(_: Request) -> Response:
        async def chunks() -> AsyncGenerator[bytes]:
            try:
                yield b": hello\n"
                await silent.wait()
            finally:
                closed.append(True)

        return Response(stream=chunks())

    async with asyncio.timeout(1), aiohttp.ClientSession() as client:
        async with serving(handle) as server:
            response = await client.get(f"http://127.0.0.1:{server.port}/")
            await response.content.readline()
            if not listens:
                response.close()
                await asyncio.sleep(0.02)
        assert closed == [True]
        response.close()


async def test_a_stream_that_fails_breaks_off_visibly() -> None:
    """It must not look like one that came to its end."""
    stream = Stream(fails=True)
    async with serving(stream) as server, aiohttp.ClientSession() as client:
        response = await client.get(f"http://127.0.0.1:{server.port}/")
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()
    assert stream.closed == 1
