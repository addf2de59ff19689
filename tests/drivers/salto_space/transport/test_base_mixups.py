"""Replies that are late, cut or cancelled, at any instant: none is ever taken for the answer to another request."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from random import Random

import pytest
from hubd_drivers.salto_space.codec import encode
from hubd_drivers.salto_space.transport.base import LinkError, Transport
from hubd_drivers.salto_space.transport.http import HttpTransport
from hubd_drivers.salto_space.transport.stp import StpTransport

from tests.drivers.salto_space.transport.test_http import reply, request
from tests.drivers.salto_space.wire import HOST, frame, listening


async def http_body(reader: asyncio.StreamReader) -> bytes:
    return (await request(reader))[2]


async def stp_body(reader: asyncio.StreamReader) -> bytes:
    return (await frame(reader)).body


async def mixed_up(rounds: int, transport: Callable[[int], Transport], chance: Random, *, is_stp: bool) -> int:
    """Return how many of so many requests were answered; each answer names its request."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            body = b"re:" + await (stp_body(reader) if is_stp else http_body(reader))
            whole = encode(body) if is_stp else reply(body)
            cut = chance.randrange(len(whole))
            await asyncio.sleep(chance.random() * 0.004)
            writer.write(whole[:cut])
            await asyncio.sleep(chance.random() * 0.002)
            if chance.random() < 0.05:
                return
            writer.write(whole[cut:])

    answered = 0
    async with listening(script) as listener:
        link = transport(listener.port)
        for number in range(rounds):
            body = b"<q%d/>" % number
            seconds, fresh = chance.choice([0.003, 0.005, 5.0]), chance.random() < 0.2
            call = asyncio.create_task(link.call(body, seconds=seconds, fresh=fresh, repeatable=chance.random() < 0.5))
            if chance.random() < 0.3:
                await asyncio.sleep(chance.random() * 0.006)
                call.cancel()
            with suppress(LinkError, asyncio.CancelledError):
                assert await call == b"re:" + body
                answered += 1
        await link.close()
    return answered


WAYS = pytest.mark.parametrize(
    ("transport", "is_stp"),
    [(lambda port: StpTransport(HOST, port), True), (lambda port: HttpTransport(f"http://{HOST}:{port}"), False)],
    ids=["stp", "http"],
)


@WAYS
async def test_no_reply_answers_another_request(transport: Callable[[int], Transport], *, is_stp: bool) -> None:
    assert await mixed_up(150, transport, Random(1), is_stp=is_stp) > 15


@pytest.mark.soak
@WAYS
async def test_no_reply_answers_another_request_for_long(
    transport: Callable[[int], Transport], *, is_stp: bool
) -> None:
    assert await mixed_up(5000, transport, Random(2), is_stp=is_stp) > 500
