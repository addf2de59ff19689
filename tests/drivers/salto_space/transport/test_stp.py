import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hubd_drivers.salto_space.codec import FrameError, encode
from hubd_drivers.salto_space.transport.base import ClosedError, LinkError, Stage
from hubd_drivers.salto_space.transport.stp import StpTransport

from tests.drivers.salto_space.wire import HOST, Listener, Script, closed_port, frame, listening, silence, slam
from tests.support.site import eventually


@asynccontextmanager
async def linked(script: Script, *, ceiling: int = 2**20) -> AsyncIterator[tuple[StpTransport, Listener]]:
    async with listening(script) as listener:
        transport = StpTransport(HOST, listener.port, ceiling=ceiling)
        try:
            yield transport, listener
        finally:
            await transport.close()


async def failure(transport: StpTransport, *, fresh: bool = False, seconds: float = 5.0) -> LinkError:
    with pytest.raises(LinkError) as raised:
        await transport.call(b"<a/>", seconds=seconds, fresh=fresh)
    return raised.value


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        asked = await frame(reader)
        writer.write(encode(b"re:" + asked.body, "01"))


async def test_one_connection_is_kept_for_reading() -> None:
    async with linked(echo) as (transport, listener):
        assert await transport.call(b"<a/>", seconds=5) == b"re:<a/>"
        assert await transport.call(b"<b/>", seconds=5) == b"re:<b/>"
        assert (listener.connections, transport.connections) == (1, 1)
        assert transport.seen_version == "01"


async def test_requests_on_it_go_one_after_the_other() -> None:
    under_way = most = 0

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal under_way, most
        while True:
            asked = await frame(reader)
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0)
            under_way -= 1
            writer.write(encode(asked.body))

    async with linked(script) as (transport, listener):
        bodies = [b"<a%d/>" % number for number in range(20)]
        assert await asyncio.gather(*(transport.call(body, seconds=5) for body in bodies)) == bodies
        assert (most, listener.connections) == (1, 1)


async def test_an_order_does_not_wait_behind_a_page_of_users() -> None:
    released = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await frame(reader)
        if asked.body == b"<users/>":
            await released.wait()
        writer.write(encode(asked.body))
        await reader.read()

    async with linked(script) as (transport, listener):
        page = asyncio.create_task(transport.call(b"<users/>", seconds=5))
        assert await transport.call(b"<open/>", seconds=5, fresh=True) == b"<open/>"
        await listener.closed.wait()  # the order's own connection is not kept
        assert not page.done()
        released.set()
        assert await page == b"<users/>"
        assert listener.connections == 2


async def test_a_reply_in_pieces() -> None:
    body = b"<x>" + b"y" * 200_000 + b"</x>"

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await frame(reader)
        reply = encode(body)
        for at in range(20):
            writer.write(reply[at : at + 1])
            await writer.drain()
        for at in range(20, len(reply), 7001):
            writer.write(reply[at : at + 7001])
            await writer.drain()
            await asyncio.sleep(0)
        await reader.read()

    async with linked(script) as (transport, _):
        assert await transport.call(b"<a/>", seconds=5) == body


@pytest.mark.parametrize("fresh", [False, True])
async def test_a_closed_port(*, fresh: bool) -> None:
    transport = StpTransport(HOST, await closed_port())
    error = await failure(transport, fresh=fresh)
    assert (error.stage, error.sent) == (Stage.CONNECT, False)
    assert isinstance(error.cause, ConnectionRefusedError)
    assert not error.is_lost
    await transport.close()


async def test_a_name_that_does_not_resolve() -> None:
    transport = StpTransport("space..local", 9100)
    error = await failure(transport)
    assert (error.stage, error.sent) == (Stage.CONNECT, False)
    assert isinstance(error.cause, OSError | UnicodeError)


async def test_a_refusal_by_every_address_of_a_name() -> None:
    error = await failure(StpTransport("localhost", await closed_port()))
    assert isinstance(error.cause, ConnectionRefusedError)


@pytest.mark.parametrize("fresh", [False, True])
async def test_a_silent_server(*, fresh: bool) -> None:
    async with linked(silence) as (transport, listener):
        error = await failure(transport, seconds=0.1, fresh=fresh)
        assert (error.stage, error.sent, error.received) == (Stage.REPLY, True, 0)
        assert isinstance(error.cause, TimeoutError)
        assert error.is_lost
        await listener.closed.wait()
        assert listener.open == 0


async def test_the_ip_limit() -> None:
    async with linked(slam) as (transport, listener):
        error = await failure(transport)
        assert isinstance(error.cause, ClosedError | ConnectionError)
        assert (error.received, error.was_kept, error.is_worth_repeating) == (0, False, True)
        assert listener.connections == 1  # nothing is repeated on a new connection


async def test_a_connection_that_was_closed_while_idle_is_made_anew() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await frame(reader)
        writer.write(encode(asked.body))
        await writer.drain()

    async with linked(script) as (transport, listener):
        for body in (b"<a/>", b"<b/>", b"<c/>"):
            assert await transport.call(body, seconds=5) == body
            await eventually(lambda: not transport.is_connected)
        assert listener.connections == 3


async def close_at_the_second(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer once, take a second request, and close."""
    asked = await frame(reader)
    writer.write(encode(asked.body))
    await frame(reader)


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


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "not_stp"),
        (b"<html>", "not_stp"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "not_stp"),
        (b"STP/00/many/", "bad_length"),
        (b"STP/00/99999999/<a/>", "too_long"),
        (b"SSH", "not_stp"),
    ],
)
async def test_what_is_no_frame(reply: bytes, code: str) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await frame(reader)
        writer.write(reply)
        await writer.drain()
        writer.write_eof()
        await reader.read()

    async with linked(script) as (transport, listener):
        error = await failure(transport)
        assert isinstance(error.cause, FrameError)
        assert error.cause.code == code
        assert (error.stage, error.sent, error.received) == (Stage.REPLY, True, len(reply))
        assert not error.is_lost
        await listener.closed.wait()
        assert listener.open == 0


@pytest.mark.parametrize("reply", [b"STP/00/99/<a/>", b"STP/0"])
async def test_a_connection_that_closes_in_the_middle_of_a_reply(reply: bytes) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await frame(reader)
        writer.write(reply)
        await writer.drain()
        writer.write_eof()
        await reader.read()

    async with linked(script) as (transport, listener):
        error = await failure(transport)
        assert isinstance(error.cause, ClosedError)
        assert (error.sent, error.received) == (True, len(reply))
        with pytest.raises(LinkError):
            await transport.call(b"<a/>", seconds=5, repeatable=True)
        assert listener.connections == 3  # once more, and then no more


async def test_a_connection_that_is_reset_in_the_middle_of_a_reply() -> None:
    begun = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await frame(reader)
        writer.write(b"STP/00/99/<a")
        await writer.drain()
        await begun.wait()
        writer.transport.abort()

    async with linked(script) as (transport, _):
        call = asyncio.create_task(failure(transport))
        begun.set()
        error = await call
        assert error.sent
        assert isinstance(error.cause, ClosedError | ConnectionError)


async def test_a_reply_that_comes_too_late_is_not_the_answer_of_the_next_request() -> None:
    late = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            asked = await frame(reader)
            if asked.body == b"<a/>":
                await late.wait()
            writer.write(encode(asked.body))

    async with linked(script) as (transport, listener):
        assert isinstance((await failure(transport, seconds=0.1)).cause, TimeoutError)
        second = asyncio.create_task(transport.call(b"<b/>", seconds=5))
        late.set()
        assert await second == b"<b/>"
        assert listener.connections == 2


async def test_what_nobody_asked_for_ends_the_connection() -> None:
    told = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await frame(reader)
        writer.write(encode(asked.body))
        if told.is_set():
            await reader.read()
            return
        told.set()
        await writer.drain()
        writer.write(encode(b"<stale/>"))
        await reader.read()

    async with linked(script) as (transport, listener):
        assert await transport.call(b"<a/>", seconds=5) == b"<a/>"
        await listener.closed.wait()
        assert await transport.call(b"<b/>", seconds=5) == b"<b/>"
        assert listener.connections == 2


@pytest.mark.parametrize("more", [b"STP", encode(b"<stale/>"), b"\r\n"])
async def test_more_than_the_reply_in_one_piece(more: bytes) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await frame(reader)
        writer.write(encode(asked.body) + more)
        await reader.read()

    async with linked(script) as (transport, listener):
        assert await transport.call(b"<a/>", seconds=5) == b"<a/>"
        assert await transport.call(b"<b/>", seconds=5) == b"<b/>"
        assert listener.connections == 2


@pytest.mark.parametrize("fresh", [False, True])
async def test_cancellation_closes_the_connection(*, fresh: bool) -> None:
    asked = asyncio.Event()

    async def script(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await frame(reader)
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
        await frame(reader)
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


async def test_a_request_over_the_ceiling_does_not_leave() -> None:
    transport = StpTransport(HOST, 1, ceiling=10)
    with pytest.raises(LinkError) as raised:
        await transport.call(b"x" * 11, seconds=1)
    assert (raised.value.stage, raised.value.sent) == (Stage.SETUP, False)


async def test_a_large_reply() -> None:
    body = b"<x>" + b"y" * 5_000_000 + b"</x>"

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await frame(reader)
        writer.write(encode(body))
        await reader.read()

    async with linked(script, ceiling=8 * 2**20) as (transport, _):
        assert await transport.call(b"<a/>", seconds=5) == body
