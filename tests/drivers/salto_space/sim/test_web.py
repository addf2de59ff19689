import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from hubd_drivers.salto_space.sim.builders import demo_site
from hubd_drivers.salto_space.sim.mischief import Trouble
from hubd_drivers.salto_space.sim.server import Space
from hubd_drivers.salto_space.sim.web import KEY_HEADER, MEDIA_TYPE, Basic, Custom, Http

from tests.drivers.salto_space.sim.asking import params_of, request
from tests.support.tls import certificate, server_context, trusting

HEADERS = {"Content-Type": MEDIA_TYPE}


class Browser:
    def __init__(self, space: Space, session: aiohttp.ClientSession, scheme: str) -> None:
        self.space = space
        self.session = session
        self.url = f"{scheme}://127.0.0.1:{space.port}/"

    async def post(self, body: bytes, headers: Mapping[str, str] = HEADERS, path: str = "") -> tuple[int, bytes]:
        async with self.session.post(self.url + path, data=body, headers=headers) as response:
            return response.status, await response.read()


@asynccontextmanager
async def browsing(http: Http, scheme: str = "http", **session: aiohttp.BaseConnector) -> AsyncIterator[Browser]:
    async with Space(demo_site(), transport=http) as space:
        connector = session.get("connector")
        async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(10)) as client:
            yield Browser(space, client, scheme)


async def test_a_request_is_posted_to_the_root() -> None:
    async with browsing(Http()) as browser:
        for _ in range(2):
            status, body = await browser.post(request("GetInfo"))
            assert status == 200
            assert params_of(body).value("ProtocolID") == "SHIP"
        assert browser.space.counters.connections == browser.space.open_connections == 1
        status, body = await browser.post(b"HELLO")
        assert (status, b"<Code>500</Code>" in body) == (200, True)


@pytest.mark.parametrize(
    ("auth", "headers", "status"),
    [
        (None, {"Authorization": "Basic eA=="}, 200),
        (Basic("hub", "pässword"), {"Authorization": aiohttp.encode_basic_auth("hub", "pässword", "utf-8")}, 200),
        (Basic("hub", "password"), {"Authorization": aiohttp.encode_basic_auth("hub", "wrong")}, 401),
        (Basic("hub", "password"), {KEY_HEADER: "password"}, 401),
        (Custom("key"), {KEY_HEADER: "key"}, 200),
        (Custom("key"), {KEY_HEADER: "other"}, 401),
        (Custom("key"), {}, 401),
    ],
)
async def test_who_asks_is_checked(auth: Basic | Custom | None, headers: dict[str, str], status: int) -> None:
    async with browsing(Http(auth=auth)) as browser:
        assert (await browser.post(request("GetInfo"), HEADERS | headers))[0] == status
        assert browser.space.counters.total == (status == 200)


async def test_other_statuses_are_those_of_space() -> None:
    async with browsing(Http()) as browser:
        assert (await browser.post(request("GetInfo"), {"Content-Type": "text/xml"}))[0] == 415
        status, page = await browser.post(request("GetInfo"), path="ship")
        assert (status, page[:15]) == (404, b"<!DOCTYPE html>")
        async with browser.session.get(browser.url) as response:
            assert (response.status, response.content_type) == (200, "text/html")
    async with browsing(Http(is_active=False)) as browser:
        assert (await browser.post(request("GetInfo")))[0] == 501


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    return certificate(tmp_path)


async def test_https_with_a_given_certificate(pem: Path) -> None:
    server, client = await asyncio.to_thread(lambda: (server_context(pem), trusting(pem)))
    async with browsing(Http(tls=server), "https", connector=aiohttp.TCPConnector(ssl=client)) as browser:
        assert (await browser.post(request("GetInfo")))[0] == 200
    async with browsing(Http(tls=server), "https") as stranger:
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await stranger.post(request("GetInfo"))


async def test_what_is_dropped_or_cut_short_reaches_nobody() -> None:
    async with browsing(Http()) as browser:
        for spoil in (
            browser.space.faults.drop_reply,
            browser.space.faults.drop_request,
            lambda name: browser.space.faults.garble(name, Trouble.HALF),
        ):
            spoil("GetInfo")
            with pytest.raises(aiohttp.ClientError):
                await browser.post(request("GetInfo"))


async def test_a_web_page_or_junk_comes_instead_of_a_reply() -> None:
    async with browsing(Http()) as browser:
        browser.space.faults.garble("GetInfo", Trouble.HTML)
        browser.space.faults.garble("GetInfo", Trouble.JUNK)
        assert (await browser.post(request("GetInfo")))[1].startswith(b"<!DOCTYPE html>")
        assert (await browser.post(request("GetInfo")))[1].startswith(b"\x00\x01")


async def test_another_address_is_closed_without_a_byte() -> None:
    async with browsing(Http()) as browser:
        browser.space.limited_to = "10.0.0.5"
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await browser.post(request("GetInfo"))
        assert browser.space.counters.refused_connections >= 1
        assert browser.space.counters.total == 0


async def test_a_reply_comes_in_pieces() -> None:
    async with browsing(Http(piece=50, pause=0.001)) as browser:
        assert (await browser.post(request("GetInfo")))[0] == 200


async def test_stopping_ends_a_request_whose_client_has_gone() -> None:
    async with browsing(Http()) as browser:
        hold = browser.space.faults.hold("GetInfo")
        asked = asyncio.create_task(browser.post(request("GetInfo")))
        await hold.reached.wait()
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
        await browser.space.stop()
        assert browser.space.open_connections == 0


def test_secrets_are_not_shown() -> None:
    assert "password" not in repr(Http(auth=Basic("hub", "password")))
    assert "secret" not in repr(Custom("secret"))


async def test_a_client_that_hangs_up_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    async with browsing(Http()) as browser:
        held = browser.space.faults.hold("GetInfo", after=True)
        asked = asyncio.create_task(browser.post(request("GetInfo")))
        await held.reached.wait()
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
        for _ in range(20):  # turns of the loop, in which the server sees it
            await asyncio.sleep(0)
        held.release()
        assert (await browser.post(request("GetInfo")))[0] == 200
    assert not caplog.records
