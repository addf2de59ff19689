import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hubd_drivers.salto_space.sim.options import SIMULATOR, SimOptions, serve
from hubd_drivers.salto_space.sim.server import Space
from hubd_drivers.salto_space.sim.web import KEY_HEADER, MEDIA_TYPE

from hubd.driver.fields import fields
from hubd.model.errors import HubError, InvalidInputError
from tests.drivers.salto_space.sim.asking import Line, request
from tests.support.tls import certificate, trusting


@asynccontextmanager
async def running(options: SimOptions) -> AsyncIterator[Space]:
    listening: asyncio.Future[Space] = asyncio.get_running_loop().create_future()
    said: list[str] = []
    task = asyncio.create_task(serve(options, said.append, ready=listening.set_result))
    both: set[asyncio.Future[Any]] = {task, listening}
    await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        await task
    assert str(listening.result().port) in said[0]
    yield listening.result()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_it_serves_until_it_is_cancelled() -> None:
    options = SimOptions(port=0, history=7, quirks="stp_version=01 page_cap=50", card_seconds=0.01)
    async with running(options) as space:
        line = await Line.to(space.port)
        line.send("SaltoDBAuditTrail.Read")
        frame = await line.frame()
        assert (frame.version, frame.body.count(b"<EventID>")) == ("01", 7)
        read = await line.ask("Encoder.ReadKey", "<EncoderID>Encoder#1</EncoderID><ReturnROMCode>1</ReturnROMCode>")
        assert read.value("ROMCode") == "04000000000001"
        await line.close()
        port = space.port
    with pytest.raises(ConnectionRefusedError):
        await Line.to(port)


async def test_a_big_site_in_another_zone_for_one_address() -> None:
    options = SimOptions(
        port=0,
        size="big",
        users=40,
        doors=16,
        zone="America/New_York",
        limited_to="10.0.0.5",
        life=False,
        card_seconds=0,
    )
    async with running(options) as space:
        assert (len(space.site.users), str(space.site.zone)) == (40, "America/New_York")
        line = await Line.to(space.port)
        with pytest.raises(EOFError):
            await line.frame()
        await line.close()
        assert space.encoders["Encoder#1"].habit is None


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    return certificate(tmp_path)


async def test_https_with_a_key(pem: Path) -> None:
    options = SimOptions(
        transport="https", port=0, auth="custom", password="k", certificate=str(pem), key=str(pem), life=False
    )
    client = await asyncio.to_thread(trusting, pem)
    async with running(options) as space, aiohttp.ClientSession() as session:
        url, headers = f"https://127.0.0.1:{space.port}/", {"Content-Type": MEDIA_TYPE}
        for given, status in (({KEY_HEADER: "k"}, 200), ({}, 401)):
            async with session.post(url, data=request("GetInfo"), headers=headers | given, ssl=client) as response:
                assert response.status == status


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (SimOptions(zone="Mars/Olympus"), "zone"),
        (SimOptions(quirks="wild"), "quirks"),
        (SimOptions(transport="https"), "certificate"),
        (SimOptions(transport="https", certificate="nowhere.pem", key="nowhere.pem"), "certificate"),
        (SimOptions(transport="http", auth="basic", user="hub"), "password"),
    ],
)
async def test_what_cannot_be_used_is_named(options: SimOptions, named: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        await serve(options, print)
    assert caught.value.field == named


async def test_a_port_that_is_taken_is_said() -> None:
    async with running(SimOptions(port=0)) as space:
        with pytest.raises(HubError) as caught:
            await serve(SimOptions(port=space.port), print)
    assert caught.value.code == "cannot_listen"


def test_a_command_line_can_give_every_option() -> None:
    known = {field.name: field for field in fields(SIMULATOR.options)}
    assert (SIMULATOR.name, known["port"].maximum, set(known["size"].choices)) == ("salto", 65535, {"demo", "big"})
    assert all(field.description and not field.required for field in known.values())


def test_a_password_is_not_shown() -> None:
    assert "hush" not in repr(SimOptions(auth="basic", user="hub", password="hush"))
