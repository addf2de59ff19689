"""No lock loses its codes because zwave-js has lost its cache: with the launcher, or with the driver alone."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from hubd_drivers.zwave import ZwaveConfig, ZwaveDriver

from hubd.driver.contract import RecordingPort, running
from tests.drivers.zwave.fake_server import Server
from tests.sims.zwave.fixtures import CacheFor
from tests.sims.zwave.harness import FAST, ZwaveNetwork
from tests.sims.zwave.launcher import Launcher

pytestmark = pytest.mark.node

LOCK = 2
CODES = {"3": "4711", "5": "135790"}


@pytest_asyncio.fixture
async def stick(zwave_cache: CacheFor, tmp_path: Path) -> AsyncIterator[ZwaveNetwork]:
    """Give a lock with codes that no server knows yet; the network's own is one that somebody set up wrongly."""
    await asyncio.to_thread(zwave_cache, (LOCK,))  # says what is missing
    network = ZwaveNetwork(
        nodes=(LOCK,), directory=tmp_path / "zwave", pace=FAST, query_all_user_codes=False, serve=False
    )
    async with network:
        for slot, code in CODES.items():
            await network.op("local_code", node=LOCK, slot=int(slot), code=code, report=False)
        yield network


async def test_with_the_launcher_neither_a_lost_cache_nor_a_lost_backup_wipes_them(
    stick: ZwaveNetwork, tmp_path: Path
) -> None:
    for interviews in (1, 2):
        async with Launcher(stick, tmp_path / "unit") as launcher:
            await launcher.wait_listening()
            await stick.wait_ready()
            log = await launcher.text()
            assert log.count("[Node 002] Beginning interview") == interviews
            assert await stick.op("codes", node=LOCK) == CODES
            assert not [code for code in CODES.values() if code in log]
        for directory in ("cache", "cache.backup"):
            await asyncio.to_thread(shutil.rmtree, launcher.state / directory)


async def test_with_the_launcher_a_lost_cache_comes_back_from_its_backup(
    stick: ZwaveNetwork, zwave_cache: CacheFor, tmp_path: Path
) -> None:
    unit = tmp_path / "unit"
    await asyncio.to_thread(shutil.copytree, zwave_cache((LOCK,)), unit / "state" / "cache")
    async with Launcher(stick, unit) as launcher:
        await launcher.wait_said("nodes known from the cache, which is backed up")
    await asyncio.to_thread(shutil.rmtree, unit / "state" / "cache")
    async with Launcher(stick, unit) as launcher:
        await launcher.wait_said("its cache was lost; restored 4 nodes from the backup of ")
        await launcher.wait_listening()
        await stick.wait_ready()
        assert "[Node 002] Beginning interview" not in await launcher.text()
        assert await stick.op("codes", node=LOCK) == CODES


async def test_a_server_that_was_set_up_wrongly_wipes_nothing_once_the_hub_is_connected(stick: ZwaveNetwork) -> None:
    """The lock is out of reach at first, so that its first interview begins under the hub's eyes."""
    await stick.op("dead", node=LOCK)
    await stick.start_server()
    await heard_of_in_log(stick, "Interview attempt (1/5) failed")
    driver, port = ZwaveDriver(ZwaveConfig(url=stick.url)), RecordingPort()
    async with running(driver, port):
        await stick.op("dead", node=LOCK, on=False)
        await stick.op("manual", node=LOCK, locked=True)  # heard again, it is interviewed from the start
        async with asyncio.timeout(30):
            while not port.devices:  # noqa: ASYNC110 - a recording port has no event for it
                await asyncio.sleep(0.05)
        assert await stick.op("codes", node=LOCK) == CODES

    await stick.stop_server()  # the control: without launcher and hub, what is kept from happening happens
    await asyncio.to_thread(shutil.rmtree, stick.directory / "cache")
    await stick.start_server()
    await stick.wait_ready()
    assert await stick.op("codes", node=LOCK) == {}


async def heard_of_in_log(network: ZwaveNetwork, words: str) -> None:
    async with asyncio.timeout(30):
        while words not in await asyncio.to_thread((network.directory / "server.log").read_text, encoding="utf-8"):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_a_server_that_will_not_keep_them_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    async def refuse(ws: web.WebSocketResponse, command: dict[str, Any]) -> None:
        refusal = {"success": False, "errorCode": "unknown_command", "message": "no", "args": {}}
        await ws.send_json({"type": "result", "messageId": command["messageId"], **refusal})

    server = Server(on_command=refuse, refuses_options="unknown_command")
    async with server.serving() as url, running(ZwaveDriver(ZwaveConfig(url=url)), RecordingPort()):
        warnings = [one.getMessage() for one in caplog.records if "codes of locks" in one.getMessage()]
    assert len(warnings) == 1
    assert "started by hubd-zwave" in warnings[0]
