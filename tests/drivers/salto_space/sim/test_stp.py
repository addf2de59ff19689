import asyncio
from collections.abc import AsyncIterator

import pytest
from hubd_drivers.salto_space.codec import FrameError
from hubd_drivers.salto_space.sim.builders import big_site, demo_site
from hubd_drivers.salto_space.sim.mischief import Trouble
from hubd_drivers.salto_space.sim.quirks import Quirks
from hubd_drivers.salto_space.sim.server import Space
from hubd_drivers.salto_space.sim.stp import Stp

from tests.drivers.salto_space.sim.asking import Line, params_of
from tests.support.clock import settle

INFO = "GetInfo"


@pytest.fixture
async def space() -> AsyncIterator[Space]:
    async with Space(demo_site(), transport=Stp()) as made:
        yield made


async def test_one_connection_carries_many_requests(space: Space) -> None:
    line = await Line.to(space.port)
    for _ in range(3):
        assert (await line.ask(INFO)).value("ProtocolID") == "SHIP"
    assert (space.counters.connections, space.open_connections) == (1, 1)
    await line.close()


async def test_the_version_is_echoed_or_its_own() -> None:
    for quirks, sent, wanted in (
        (Quirks(), "01", "01"),
        (Quirks(stp_version="01"), "00", "01"),
        (Quirks(stp_accepts=("01",)), "01", "01"),
    ):
        async with Space(demo_site(), transport=Stp(), quirks=quirks) as space:
            line = await Line.to(space.port)
            line.send(INFO, version=sent)
            assert (await line.frame()).version == wanted
            await line.close()


@pytest.mark.parametrize("sent", [b"POST / HTTP/1.1\r\nHost: x\r\n\r\n", b"HELLO", b"STP/00/99999999999/"])
async def test_what_is_no_frame_ends_the_connection(space: Space, sent: bytes) -> None:
    line = await Line.to(space.port)
    line.send_raw(sent)
    with pytest.raises(EOFError):
        await line.frame()
    await line.close()


async def test_a_body_that_is_no_xml_gets_an_exception_and_the_connection_stays(space: Space) -> None:
    line = await Line.to(space.port)
    line.send_raw(b"STP/00/5/HELLO")
    assert b"<Code>500</Code>" in (await line.frame()).body
    assert (await line.ask(INFO)).value("ProtocolID") == "SHIP"
    await line.close()


async def test_a_server_may_close_after_each_reply_or_not_know_the_version() -> None:
    for quirks, answers in ((Quirks(closes_after_reply=True), True), (Quirks(stp_accepts=("01",)), False)):
        async with Space(demo_site(), transport=Stp(), quirks=quirks) as space:
            line = await Line.to(space.port)
            if answers:
                await line.ask(INFO)
            line.send(INFO)
            with pytest.raises(EOFError):
                await line.frame()
            await line.close()


async def test_only_so_many_connections_are_served() -> None:
    async with Space(demo_site(), transport=Stp(most=1)) as space:
        first, second = await Line.to(space.port), await Line.to(space.port)
        await first.ask(INFO)
        with pytest.raises(EOFError):
            await second.frame()
        await first.close()
        await second.close()


async def test_a_reply_comes_in_pieces_with_pauses() -> None:
    async with Space(demo_site(), transport=Stp(piece=100, pause=0.002)) as space:
        line = await Line.to(space.port)
        assert (await line.ask(INFO)).value("ProtocolID") == "SHIP"
        assert line.pieces > 1
        await line.close()


async def test_a_reply_of_several_megabytes() -> None:
    site = await asyncio.to_thread(big_site, 1500, 40)
    async with Space(site, transport=Stp(piece=65_536)) as space:
        line = await Line.to(space.port)
        line.send("SaltoDBUserList.Read")
        frame = await line.frame()
        assert len(frame.body) > 2_000_000
        assert len(params_of(frame.body).children[0].children) == 1500
        await line.close()


@pytest.mark.parametrize(
    ("how", "code"), [(Trouble.HALF, "cut_short"), (Trouble.JUNK, "not_stp"), (Trouble.LENGTH, "cut_short")]
)
async def test_a_spoiled_reply(space: Space, how: Trouble, code: str) -> None:
    line = await Line.to(space.port)
    space.faults.garble(INFO, how)
    line.send(INFO)
    reading = asyncio.create_task(line.frame())
    if how is Trouble.LENGTH:
        await settle()
        assert not reading.done()
        await space.drop_connections()
    with pytest.raises(FrameError) as caught:
        await reading
    assert caught.value.code == code
    await line.close()


async def test_dropped_requests_and_replies_close_without_a_byte(space: Space) -> None:
    for drop in (space.faults.drop_request, space.faults.drop_reply):
        drop(INFO)
        line = await Line.to(space.port)
        line.send(INFO)
        with pytest.raises(EOFError):
            await line.frame()
        await line.close()
    assert space.counters.requests[INFO] == 2
