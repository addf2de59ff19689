"""Real sockets on loopback; what no loopback can do (no route, no answer from DNS) is put in at the system's calls."""

import asyncio
import errno
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from hubd.driver import Finding, SystemClock, reach
from tests.support.tls import certificate, server_context, trusting

CLOCK = SystemClock()

type Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def found(host: str, port: int, **options: Any) -> list[Finding]:
    return [one async for one in reach("server", host, port, CLOCK, **({"seconds": 5.0} | options))]


def verdicts(findings: list[Finding]) -> list[tuple[str, str, str]]:
    return [(one.check, one.verdict, one.code) for one in findings]


async def silence(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        await reader.read()


@asynccontextmanager
async def serving(handle: Handle = silence, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    writers: list[asyncio.StreamWriter] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await handle(reader, writer)
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        for writer in writers:
            writer.transport.abort()
        server.close()
        await server.wait_closed()


@pytest.fixture
def closed_port() -> Any:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


async def test_an_open_port() -> None:
    async with serving() as port:
        name, answer = await found("127.0.0.1", port)
    assert name.evidence == "127.0.0.1 is an address; no name has to be resolved."
    assert answer.evidence.startswith(f"127.0.0.1 took the connection on port {port} after ")
    assert verdicts([name, answer]) == [("Host name", "ok", ""), ("Port", "ok", "")]


async def test_a_name_is_shown_with_its_addresses() -> None:
    async with serving() as port:
        name, answer = await found("localhost", port)
    assert "127.0.0.1" in name.evidence
    assert answer.verdict == "ok"  # though nobody listens at ::1


async def test_a_name_that_is_none(closed_port: int) -> None:
    findings = await found("no-such-host.invalid", closed_port, tls=ssl.create_default_context())
    assert verdicts(findings) == [
        ("Host name", "failed", "name_not_resolved"),
        ("Port", "skipped", ""),
        ("TLS", "skipped", ""),
    ]
    assert "resolvectl query no-such-host.invalid" in findings[0].remedy
    assert findings[1].evidence == "Host name failed, so this could not be checked."
    (url, _) = await found("http://box/ship", closed_port)
    assert url.remedy == "Give the host name alone, without http:// and without a path."
    (long, _) = await found("a" * 80 + ".local", closed_port)
    assert long.code == "name_not_resolved"


async def test_a_name_that_nobody_answers_for(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = Event()

    def hang(*_: object, **__: object) -> list[Any]:
        answered.wait(10)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    try:
        (name, port) = await found("box", 80, seconds=0.05)
    finally:
        answered.set()
    assert (name.code, port.verdict) == ("name_timeout", "skipped")
    assert name.evidence == "Nobody said within 0.05 s which address box has."


async def test_a_closed_port(closed_port: int) -> None:
    findings = await found("127.0.0.1", closed_port, tls=ssl.create_default_context())
    assert verdicts(findings)[1:] == [("Port", "failed", "connection_refused"), ("TLS", "skipped", "")]
    assert findings[1].evidence == f"The machine answers, but nothing listens at 127.0.0.1:{closed_port}."
    assert findings[1].remedy.startswith("Start the program")
    told = await found("127.0.0.1", closed_port, remedies={"connection_refused": "Start hubd-zwave."})
    assert told[1].remedy == "Start hubd-zwave."


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (OSError(errno.EHOSTUNREACH, "No route to host"), "no_route", "There is no way to 192.0.2.1:80: No route"),
        (TimeoutError(errno.ETIMEDOUT, "Connection timed out"), "connect_timeout", "192.0.2.1:80 did not answer"),
        (PermissionError(errno.EACCES, "Permission denied"), "connection_failed", "failed: Permission denied."),
    ],
)
async def test_ways_of_not_connecting(monkeypatch: pytest.MonkeyPatch, error: OSError, code: str, words: str) -> None:
    async def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", refuse, raising=False)
    (_, port) = await found("192.0.2.1", 80)
    assert (port.verdict, port.code) == ("failed", code)
    assert words in port.evidence
    assert port.remedy.endswith(".")


async def test_packets_that_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    async def wait(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", wait, raising=False)
    (_, port) = await found("192.0.2.1", 4711, seconds=0.05)
    assert (port.code, port.evidence) == ("connect_timeout", "192.0.2.1:4711 did not answer within 0.05 s.")
    assert "firewall drops the packets: open TCP port 4711" in port.remedy


async def test_tls_that_is_trusted(tmp_path: Path) -> None:
    path = await asyncio.to_thread(certificate, tmp_path)
    client = await asyncio.to_thread(trusting, path)
    async with serving(context=await asyncio.to_thread(server_context, path)) as port:
        tls = (await found("127.0.0.1", port, tls=client))[2]
        client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
        unchecked = (await found("127.0.0.1", port, tls=client))[2]
    assert tls.verdict == "ok"
    assert "speaks TLSv1.3; its certificate is trusted until " in tls.evidence
    assert tls.evidence.endswith("299 days from now.")
    assert unchecked.evidence.endswith("its certificate is not checked.")


@pytest.mark.parametrize(
    ("name", "span", "trusts", "verdict", "code"),
    [
        ("127.0.0.1", (-30, 5), True, "warning", "tls_expires_soon"),
        ("127.0.0.1", (-30, -1), True, "failed", "tls_expired"),
        ("127.0.0.1", (1, 30), True, "failed", "tls_not_yet_valid"),
        ("127.0.0.2", (-30, 300), True, "failed", "tls_wrong_name"),
        ("space.local", (-30, 300), True, "failed", "tls_wrong_name"),
        ("127.0.0.1", (-30, 300), False, "failed", "tls_not_trusted"),
    ],
)
async def test_certificates_each_in_its_own_words(
    tmp_path: Path, name: str, span: tuple[float, float], *, trusts: bool, verdict: str, code: str
) -> None:
    path = await asyncio.to_thread(certificate, tmp_path, name, from_days=span[0], to_days=span[1])
    client = await asyncio.to_thread(trusting, path) if trusts else ssl.create_default_context()
    async with serving(context=await asyncio.to_thread(server_context, path)) as port:
        tls = (await found("127.0.0.1", port, tls=client))[2]
    assert (tls.verdict, tls.code) == (verdict, code)
    assert tls.evidence.endswith(".")
    assert tls.remedy.endswith(".")


async def test_what_speaks_no_tls() -> None:
    async def http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    async def hang_up(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read(10_000)

    client = ssl.create_default_context()
    async with serving(http) as port:
        tls = (await found("127.0.0.1", port, tls=client))[2]
    assert (tls.code, tls.hop) == ("tls_not_spoken", "server")
    assert tls.evidence.endswith("does not speak TLS: its answer begins with 'HTTP/1.1 400 Bad'.")
    async with serving(hang_up) as port:
        tls = (await found("127.0.0.1", port, tls=client))[2]
    assert tls.code == "tls_not_spoken"
    async with serving() as port:
        tls = (await found("127.0.0.1", port, tls=client, seconds=0.1))[2]
    assert tls.code == "tls_timeout"


@pytest.mark.parametrize(
    ("alert", "code", "words"),
    [
        (70, "tls_too_old", "speaks only versions of TLS that are not safe any more."),
        (40, "tls_failed", "handshake failure."),
        (80, "tls_failed", "internal error."),
    ],
)
async def test_a_handshake_that_the_server_refuses(alert: int, code: str, words: str) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10_000)
        for byte in bytes((0x15, 3, 3, 0, 2, 2, alert)):  # a fatal alert, byte by byte
            writer.write(bytes((byte,)))
            await writer.drain()
            await asyncio.sleep(0)

    async with serving(refuse) as port:
        tls = (await found("127.0.0.1", port, tls=ssl.create_default_context()))[2]
    assert (tls.verdict, tls.code) == ("failed", code)
    assert words in tls.evidence
