import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hubd import client as client_module
from hubd import tls
from hubd.box import URL_FILE, Box
from hubd.client import Client, ClientError
from hubd.config import HttpTable
from hubd.core.message import Request, Response
from hubd.model.event import DeviceFound
from hubd.server import HostCheck, Server
from tests.support.site import LiveSite, running_site
from tests.support.store import device, tell


@asynccontextmanager
async def listening(
    tmp_path: Path, handle: Callable[[Request], Awaitable[Response]], context: Any = None
) -> AsyncIterator[Server]:
    """Stand in a data directory as a running hub does, and answer as the test says."""
    box = await asyncio.to_thread(Box, tmp_path)
    server = Server(handle, HostCheck(()), context)
    await server.start("127.0.0.1", 0)
    await asyncio.to_thread((tmp_path / URL_FILE).write_text, f"{server.scheme}://127.0.0.1:{server.port}\n")
    await asyncio.to_thread(box.owner_key.write_text, "seam_1_2\n")
    try:
        yield server
    finally:
        await server.stop()
        box.close()


async def a_client(data_dir: Path, certificate: Path | None = None) -> Client:
    return await asyncio.to_thread(Client, data_dir, certificate)


async def client_of(site: LiveSite) -> Client:
    """A client of a real hub; in a test it writes its address by hand."""
    await asyncio.to_thread((site.data_dir / URL_FILE).write_text, site.url + "\n")
    return await a_client(site.data_dir)


def refused(data_dir: Path) -> ClientError:
    with pytest.raises(ClientError) as caught:
        Client(data_dir)
    return caught.value


async def failing(call: Awaitable[object]) -> ClientError:
    with pytest.raises(ClientError) as caught:
        await call
    return caught.value


# -- finding the hub


def test_no_hub_ever_ran(tmp_path: Path) -> None:
    assert refused(tmp_path).code == refused(tmp_path / "gone").code == "hub_not_running"


def test_a_hub_that_is_starting_has_no_address_yet(tmp_path: Path) -> None:
    with Box(tmp_path):
        assert refused(tmp_path).code == "hub_not_running"


def test_the_address_of_a_killed_hub_is_not_trusted_with_the_key(tmp_path: Path) -> None:
    """Who listens there now may be anybody."""
    with Box(tmp_path):
        (tmp_path / URL_FILE).write_text("http://127.0.0.1:8470\n")
        (tmp_path / "owner.key").write_text("seam_1_2\n")
        assert Client(tmp_path).url == "http://127.0.0.1:8470"
    assert refused(tmp_path).code == "hub_not_running"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with Box(tmp_path):
        (tmp_path / URL_FILE).mkdir()
        assert refused(tmp_path).code == "data_dir_unreadable"
        (tmp_path / URL_FILE).rmdir()
        (tmp_path / URL_FILE).write_text("http://127.0.0.1:8470\n")
        assert refused(tmp_path).code == "owner_key_unreadable"
        (tmp_path / "owner.key").write_bytes(b"\xff")
        damaged = refused(tmp_path)
        assert damaged.code == "owner_key_unreadable"
        assert "run as the user hubd runs as" in damaged.message


# -- calls


async def test_calls_of_a_real_hub(tmp_path: Path) -> None:
    async with running_site(tmp_path) as site, await client_of(site) as client:
        assert len((await client.call("/devices/list"))["devices"]) == 4
        assert len((await client.call("/devices/list", limit=2))["devices"]) == 2
        error = await failing(client.call("/devices/get", device_id=site.hub.site.hub_id))
        assert (error.code, error.data["status"]) == ("device_not_found", 404)


async def test_a_client_works_inside_its_block_only(tmp_path: Path) -> None:
    async with running_site(tmp_path) as site:
        client = await client_of(site)
        with pytest.raises(RuntimeError, match="async with"):
            await client.call("/devices/list")
        async with client:
            pass


async def test_a_hub_that_went_away_meanwhile(tmp_path: Path) -> None:
    async def never(_: Request) -> Response:
        raise AssertionError("not asked")

    async with listening(tmp_path, never) as server:
        client = await a_client(tmp_path)
        await server.stop()
        async with client:
            error = await failing(client.call("/devices/list"))
    assert error.code == "hub_not_reachable"
    assert "is it running?" in error.message


async def test_a_hub_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = asyncio.Event()

    async def slow(_: Request) -> Response:
        await free.wait()
        return Response(body=b"{}")

    monkeypatch.setattr(client_module, "TIMEOUT", 0.05)
    async with listening(tmp_path, slow), await a_client(tmp_path) as client:
        error = await failing(client.call("/devices/list"))
        free.set()
    assert error.code == "hub_not_reachable"


@pytest.mark.parametrize(
    ("body", "kind"),
    [(b"<html>a router</html>", "text/html"), (b"{half", "application/json"), (b"\xff", "application/json")],
)
async def test_something_else_that_answers(tmp_path: Path, body: bytes, kind: str) -> None:
    async def other(_: Request) -> Response:
        return Response(status=502, body=body, headers={"content-type": kind})

    async with listening(tmp_path, other), await a_client(tmp_path) as client:
        error = await failing(client.call("/devices/list"))
    assert error.code == "hub_not_reachable"
    assert "is not a hub (status 502)" in error.message


@pytest.mark.parametrize("own", [True, False])
async def test_over_tls_the_certificate_is_pinned(tmp_path: Path, *, own: bool) -> None:
    async def greet(request: Request) -> Response:
        body = json.dumps({"key": request.headers["authorization"]}).encode()
        return Response(body=body, headers={"content-type": "application/json"})

    data_dir, site = tmp_path / "data", tmp_path / "site"
    for folder in (data_dir, site):
        await asyncio.to_thread(folder.mkdir)
        await asyncio.to_thread(tls.make, folder / tls.CERTIFICATE, folder / tls.KEY)
    files = HttpTable(tls="files", tls_certificate=str(site / tls.CERTIFICATE), tls_key=str(site / tls.KEY))
    http = HttpTable(tls="auto") if own else files
    context = await asyncio.to_thread(tls.context, http, data_dir)
    certificate = None if own else site / tls.CERTIFICATE
    async with listening(data_dir, greet, context):
        async with await a_client(data_dir, certificate) as client:
            assert await client.call("/x") == {"key": "Bearer seam_1_2"}
        async with await a_client(data_dir, site / tls.CERTIFICATE if own else None) as stranger:
            assert (await failing(stranger.call("/x"))).code == "hub_not_reachable"


# -- following


async def test_following_a_real_hub(tmp_path: Path) -> None:
    async with running_site(tmp_path) as site, await client_of(site) as client:
        head = site.hub.journal.head
        following = client.follow(head - 1)
        assert (await anext(following))["seq"] == head
        await tell(site.hub.journal, DeviceFound(device=device("x"), is_managed=False))
        row = await anext(following)
        assert (row["seq"], row["type"]) == (head + 1, "device.found")
        await following.aclose()  # type: ignore[attr-defined]  # an async generator has it


async def test_a_stream_that_ends_is_broken(tmp_path: Path) -> None:
    async def two(_: Request) -> Response:
        async def chunks() -> Any:
            yield b": hello\n\ndata: 1\n\n"
            yield b"data: 2\n\n"

        return Response(stream=chunks())

    async with listening(tmp_path, two), await a_client(tmp_path) as client:
        seen: list[object] = []

        async def follow() -> None:
            async for row in client.follow(0):
                seen.append(row)  # noqa: PERF401 - what came before the error counts

        error = await failing(follow())
    assert (seen, error.code) == ([1, 2], "stream_broken")


async def test_a_stream_that_is_refused_says_why(tmp_path: Path) -> None:
    async with running_site(tmp_path) as site:
        await asyncio.to_thread((site.data_dir / "owner.key").write_text, "seam_wrong_key\n")
        async with await client_of(site) as client:
            error = await failing(anext(client.follow(0)))
    assert (error.code, error.data["status"]) == ("unauthorized", 401)
