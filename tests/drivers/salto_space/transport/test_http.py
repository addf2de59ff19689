import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from hubd_drivers.salto_space.codec import encode
from hubd_drivers.salto_space.transport.base import (
    ClosedError,
    HtmlError,
    LinkError,
    NotHttpError,
    PinError,
    Stage,
    StatusError,
    TooLongError,
)
from hubd_drivers.salto_space.transport.http import CONTENT_TYPE, HttpTransport
from hubd_drivers.salto_space.transport.tls import Trust

from tests.drivers.salto_space.wire import (
    HOST,
    Listener,
    Script,
    closed_port,
    identity,
    listening,
    silence,
    slam,
)
from tests.support.site import eventually

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n"


async def request(reader: asyncio.StreamReader) -> tuple[str, dict[str, str], bytes]:
    """Read one HTTP request: its first line, headers and body."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): text for name, _, text in (line.partition(": ") for line in lines)}
    return first, headers, await reader.readexactly(int(headers.get("content-length", "0")))


def reply(body: bytes) -> bytes:
    return OK + b"Content-Length: %d\r\n\r\n" % len(body) + body


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        _, _, body = await request(reader)
        writer.write(reply(b"re:" + body))


def saying(words: bytes, *, then_close: bool = False) -> Script:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(words)
        await writer.drain()
        if then_close:
            writer.write_eof()
        await reader.read()

    return script


@asynccontextmanager
async def linked(
    script: Script, *, ceiling: int = 2**20, headers: dict[str, str] | None = None
) -> AsyncIterator[tuple[HttpTransport, Listener]]:
    async with listening(script) as listener:
        transport = HttpTransport(f"http://{HOST}:{listener.port}", headers, ceiling=ceiling)
        try:
            yield transport, listener
        finally:
            await transport.close()


async def failure(transport: HttpTransport, *, fresh: bool = False, seconds: float = 5.0) -> LinkError:
    with pytest.raises(LinkError) as raised:
        await transport.call(b"<a/>", seconds=seconds, fresh=fresh)
    return raised.value


async def failure_at(url: str, trust: Trust | None = None, seconds: float = 5.0) -> LinkError:
    transport = HttpTransport(url, trust=trust)
    try:
        return await failure(transport, seconds=seconds)
    finally:
        await transport.close()


async def test_a_post_to_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    seen: list[tuple[str, dict[str, str], bytes]] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await request(reader))
        writer.write(OK + b"Set-Cookie: a=b\r\nContent-Length: 4\r\n\r\n<r/>")
        seen.append(await request(reader))
        writer.write(reply(b"<s/>"))
        await reader.read()

    async with linked(script, headers={"Salto-SHIP-Key": "k1"}) as (transport, listener):
        assert await transport.call(b"<a/>", seconds=5) == b"<r/>"
        assert await transport.call(b"<b/>", seconds=5) == b"<s/>"
        assert listener.connections == 1
    first, headers, body = seen[0]
    assert (first, body) == ("POST / HTTP/1.1", b"<a/>")
    assert headers["content-type"] == CONTENT_TYPE
    assert headers["salto-ship-key"] == "k1"
    assert headers["accept-encoding"] == "identity"
    assert "cookie" not in seen[1][1]


async def test_an_order_has_a_connection_of_its_own() -> None:
    released = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, _, body = await request(reader)
        if body == b"<users/>":
            await released.wait()
        writer.write(reply(body))
        await reader.read()

    async with linked(script) as (transport, listener):
        page = asyncio.create_task(transport.call(b"<users/>", seconds=5))
        for _ in range(2):
            assert await transport.call(b"<open/>", seconds=5, fresh=True) == b"<open/>"
            await listener.closed.wait()
            listener.closed.clear()
        assert not page.done()
        released.set()
        assert await page == b"<users/>"
        assert listener.connections == 3


async def test_an_order_waits_for_no_encoder() -> None:
    released = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, _, body = await request(reader)
        if body == b"<encode/>":
            await released.wait()
        writer.write(reply(body))
        await reader.read()

    async with linked(script) as (transport, listener):
        cards = [asyncio.create_task(transport.call(b"<encode/>", seconds=5, fresh=True)) for _ in range(15)]
        assert await transport.call(b"<open/>", seconds=2, fresh=True) == b"<open/>"
        assert not any(card.done() for card in cards)
        released.set()
        await asyncio.gather(*cards)
        assert listener.connections == 16


async def test_a_reply_in_pieces_and_chunks() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        for piece in (
            OK[:9],
            OK[9:],
            b"Transfer-Encoding: chunked\r\n\r\n",
            b"3\r\n<a>\r",
            b"\n4\r\n</a>\r\n0\r\n\r\n",
        ):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        await reader.read()

    async with linked(script) as (transport, _):
        assert await transport.call(b"<a/>", seconds=5) == b"<a></a>"


async def test_a_closed_port() -> None:
    error = await failure_at(f"http://{HOST}:{await closed_port()}")
    assert (error.stage, error.sent) == (Stage.CONNECT, False)
    assert isinstance(error.cause, ConnectionRefusedError)


async def test_a_name_that_does_not_resolve(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    error = await failure_at("http://space.invalid:8100")
    assert (error.stage, error.sent) == (Stage.CONNECT, False)
    assert isinstance(error.cause, socket.gaierror)


@pytest.mark.parametrize("fresh", [False, True])
async def test_a_silent_server(*, fresh: bool) -> None:
    async with linked(silence) as (transport, listener):
        error = await failure(transport, seconds=0.1, fresh=fresh)
        assert (error.stage, error.sent, error.received) == (Stage.REPLY, True, 0)
        assert isinstance(error.cause, TimeoutError)
        await listener.closed.wait()
        assert listener.open == 0


async def test_a_server_that_closes_without_a_word() -> None:
    async with linked(slam) as (transport, listener):
        error = await failure(transport)
        assert (error.received, error.sent, error.was_kept) == (0, True, False)
        assert isinstance(error.cause, ClosedError | ConnectionError)
        assert listener.connections == 1


async def close_at_the_second(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    _, _, body = await request(reader)
    writer.write(reply(body))
    await request(reader)


async def test_a_repeatable_request_is_sent_once_more_on_a_stale_connection() -> None:
    async with linked(close_at_the_second) as (transport, listener):
        assert await transport.call(b"<a/>", seconds=5) == b"<a/>"
        assert await transport.call(b"<b/>", seconds=5, repeatable=True) == b"<b/>"
        assert listener.connections == 2


async def test_what_is_not_repeatable_is_never_sent_twice() -> None:
    async with linked(close_at_the_second) as (transport, listener):
        assert await transport.call(b"<a/>", seconds=5) == b"<a/>"
        error = await failure(transport)
        assert error.sent
        assert error.was_kept
        assert listener.connections == 1


@pytest.mark.parametrize("status", [301, 401, 403, 404, 405, 415, 500, 501, 503])
async def test_another_status_than_200(status: int) -> None:
    words = b"HTTP/1.1 %d X\r\nLocation: https://space/\r\nContent-Length: 3\r\n\r\nno." % status
    async with linked(saying(words)) as (transport, listener):
        error = await failure(transport)
        assert isinstance(error.cause, StatusError)
        assert (error.cause.status, error.cause.location) == (status, "https://space/")
        assert not error.is_lost
        assert listener.connections == 1  # no redirection is followed


async def test_a_page_for_people() -> None:
    words = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 6\r\n\r\n<html>"
    async with linked(saying(words)) as (transport, _):
        assert isinstance((await failure(transport)).cause, HtmlError)


async def test_a_reply_over_the_ceiling_is_not_read_to_its_end() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(OK + b"\r\n")
        while True:  # for ever
            writer.write(b"y" * 65536)
            await writer.drain()

    async with linked(script, ceiling=300_000) as (transport, listener):
        error = await failure(transport)
        assert isinstance(error.cause, TooLongError)
        assert 300_000 < error.received < 3_000_000
        await listener.closed.wait()
        assert listener.open == 0


async def test_a_connection_that_closes_in_the_middle_of_a_reply() -> None:
    async with linked(saying(OK + b"Content-Length: 99\r\n\r\n<a", then_close=True)) as (transport, _):
        error = await failure(transport)
        assert isinstance(error.cause, ClosedError)
        assert (error.sent, error.received) == (True, 2)


async def test_a_reply_that_comes_too_late_is_not_the_answer_of_the_next_request() -> None:
    late = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            _, _, body = await request(reader)
            if body == b"<a/>":
                await late.wait()
            writer.write(reply(body))

    async with linked(script) as (transport, listener):
        assert isinstance((await failure(transport, seconds=0.1)).cause, TimeoutError)
        second = asyncio.create_task(transport.call(b"<b/>", seconds=5))
        late.set()
        assert await second == b"<b/>"
        assert listener.connections == 2


@pytest.mark.parametrize("fresh", [False, True])
async def test_cancellation_closes_the_connection(*, fresh: bool) -> None:
    asked = asyncio.Event()

    async def script(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await request(reader)
        asked.set()
        await reader.read()

    async with linked(script) as (transport, listener):
        call = asyncio.create_task(transport.call(b"<a/>", seconds=5, fresh=fresh))
        await asked.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await listener.closed.wait()
        assert listener.open == 0
        listener.script = echo
        assert await transport.call(b"<b/>", seconds=5) == b"re:<b/>"


@pytest.mark.parametrize("fresh", [False, True])
async def test_close_ends_what_is_under_way_and_what_waits(*, fresh: bool) -> None:
    asked = asyncio.Event()

    async def script(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await request(reader)
        asked.set()
        await reader.read()

    async def ask() -> LinkError:
        with pytest.raises(LinkError) as raised:
            await transport.call(b"<a/>", seconds=5, fresh=fresh, repeatable=not fresh)
        return raised.value

    async with linked(script) as (transport, listener):
        under_way, waiting = asyncio.create_task(ask()), asyncio.create_task(ask())
        await asked.wait()
        await transport.close()
        assert {type((await one).cause) for one in (under_way, waiting)} == {ClosedError}
        late = await ask()
        assert (late.stage, late.sent) == (Stage.CONNECT, False)
        await eventually(lambda: listener.open == 0)
        assert listener.connections <= 2


async def test_stp_is_spoken_there() -> None:
    async with linked(saying(encode(b"<RequestResponse/>"), then_close=True)) as (transport, _):
        error = await failure(transport)
        assert isinstance(error.cause, NotHttpError)
        assert "STP/" in error.cause.seen


# -- TLS ---------------------------------------------------------------------------------------------------------------


def trusting(path: Path | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=path)
    context.verify_flags &= ~ssl.VerifyFlags.VERIFY_X509_STRICT
    return context


async def over_tls(context: ssl.SSLContext, trust: Trust, host: str = HOST) -> bytes | LinkError:
    """Return the answer of a server with this certificate, or why it was not asked."""
    asked = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        asked.set()
        writer.write(reply(b"<r/>"))
        await reader.read()

    async with listening(script, context) as listener:
        transport = HttpTransport(f"https://{host}:{listener.port}", trust=trust)
        try:
            found: bytes | LinkError = await transport.call(b"<a/>", seconds=5)
        except LinkError as error:
            found = error
        finally:
            await transport.close()
    if isinstance(found, LinkError):
        assert not asked.is_set()  # not a byte of a request goes to whom nobody believes
        assert (found.stage, found.sent) == (Stage.TLS, False)
    return found


@pytest.fixture
def self_signed(tmp_path: Path) -> Trust:
    return trusting(identity(tmp_path, "other")[1])


async def test_a_certificate_that_nobody_signed(tmp_path: Path) -> None:
    shown, trusted = await asyncio.to_thread(identity, tmp_path)
    refused = await over_tls(shown.context, await asyncio.to_thread(trusting))
    assert isinstance(refused, LinkError)
    assert isinstance(refused.cause, ssl.SSLCertVerificationError)
    assert await over_tls(shown.context, await asyncio.to_thread(trusting, trusted)) == b"<r/>"


async def test_a_certificate_that_the_house_signed(tmp_path: Path, self_signed: Trust) -> None:
    shown, trusted = await asyncio.to_thread(identity, tmp_path, issuer=True)
    assert await over_tls(shown.context, await asyncio.to_thread(trusting, trusted)) == b"<r/>"
    refused = await over_tls(shown.context, self_signed)
    assert isinstance(refused, LinkError)
    assert isinstance(refused.cause, ssl.SSLCertVerificationError)


async def test_a_pinned_certificate(tmp_path: Path) -> None:
    shown, _ = await asyncio.to_thread(identity, tmp_path, names=("another.name",), days=-1)
    assert await over_tls(shown.context, aiohttp.Fingerprint(shown.sha256)) == b"<r/>"
    refused = await over_tls(shown.context, aiohttp.Fingerprint(bytes(32)))
    assert isinstance(refused, LinkError)
    assert isinstance(refused.cause, PinError)
    assert refused.cause.found == shown.sha256


@pytest.mark.parametrize(("names", "days", "verify_code"), [(("space.local",), 30, 64), ((HOST,), -1, 10)])
async def test_a_certificate_for_another_name_or_time(
    tmp_path: Path, names: tuple[str, ...], days: int, verify_code: int
) -> None:
    shown, trusted = await asyncio.to_thread(identity, tmp_path, names=names, days=days)
    refused = await over_tls(shown.context, await asyncio.to_thread(trusting, trusted))
    assert isinstance(refused, LinkError)
    assert isinstance(refused.cause, ssl.SSLCertVerificationError)
    assert refused.cause.verify_code == verify_code


@pytest.mark.parametrize("script", [saying(b""), silence, slam])
async def test_no_tls_is_spoken_there(self_signed: Trust, script: Script) -> None:
    async def http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        await reader.read()

    async with listening(script if script in {silence, slam} else http) as listener:
        error = await failure_at(f"https://{HOST}:{listener.port}", self_signed, 0.3)
        assert error.stage is not Stage.REPLY
        assert not error.sent
        assert isinstance(error.cause, OSError)
