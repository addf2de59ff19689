"""The whole daemon in this process, on a free port, for tests that want to reach inside it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from hubd.app import Running, serve
from hubd.box import Box
from hubd.config import parse
from hubd.core.hub import Hub
from hubd.core.keys import Keys
from hubd.core.sources import Sources
from hubd.driver import Clock

VIRTUAL = """
[drivers.site]
type = "virtual"
locks = 3
thermostats = 1
latency_ms = 0
"""


@dataclass
class Answer:
    """Status, decoded body and headers of a call."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str]


@dataclass
class LiveSite:
    """A running hub and a client of it."""

    hub: Hub
    keys: Keys
    url: str
    token: str
    data_dir: Path
    session: aiohttp.ClientSession

    async def call(self, path: str, method: str = "POST", token: str | None = None, **options: Any) -> Answer:
        """Call the API; `json=`, `params=`, `data=` and `headers=` as for aiohttp."""
        headers = {"authorization": f"Bearer {token or self.token}"} | options.pop("headers", {})
        async with self.session.request(method, self.url + path, headers=headers, **options) as response:
            return Answer(response.status, await response.json(), dict(response.headers))

    async def device(self, name: str) -> dict[str, Any]:
        """Return a managed device by name, as the API gives it."""
        return dict((await self.call("/devices/get", json={"name": name})).body["device"])


async def eventually(condition: Any, seconds: float = 5.0) -> None:
    """Wait until a condition (a callable without arguments) holds. Raises `TimeoutError`."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - conditions of every kind, none with an event
            await asyncio.sleep(0.01)


@asynccontextmanager
async def running_site(
    data_dir: Path,
    drivers: str = VIRTUAL,
    http: str = "",
    hub: str = "",
    clock: Clock | None = None,
    sources: Sources | None = None,
) -> AsyncIterator[LiveSite]:
    """Run the daemon on `data_dir`; enters once every driver is connected. Running it again on it is a restart."""
    text = f'[hub]\nname = "Test site"\ndata_dir = "{data_dir}"\n{hub}\n[http]\nport = 0\n{http}\n{drivers}'
    config = await asyncio.to_thread(parse, text.encode())
    box = await asyncio.to_thread(Box, data_dir)
    ready: asyncio.Future[Running] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(config, box, clock=clock, sources=sources, on_ready=ready.set_result))
    try:
        starting: set[asyncio.Future[Any]] = {task, ready}
        await asyncio.wait(starting, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            await task
        running = ready.result()
        running_hub = running.hub
        await eventually(lambda: all(health.is_connected for health in running_hub.health.values()))
        told = running_hub.journal.tables.instances  # the journal has it a moment later
        await eventually(lambda: all(name in told and told[name].is_connected for name in running_hub.health))
        token = (await asyncio.to_thread(box.owner_key.read_text)).strip()
        url = f"http://127.0.0.1:{running.server.port}"
        async with aiohttp.ClientSession() as session:
            yield LiveSite(running_hub, running.keys, url, token, data_dir, session)
        running.stop()
        await task
    finally:
        task.cancel()
        await asyncio.wait({task})
        box.close()
