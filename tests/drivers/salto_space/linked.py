"""The driver's client beside the simulated server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from hubd_drivers.salto_space.client import SpaceClient
from hubd_drivers.salto_space.config import SaltoSpaceConfig
from hubd_drivers.salto_space.sim.builders import demo_site
from hubd_drivers.salto_space.sim.quirks import Quirks
from hubd_drivers.salto_space.sim.server import Space
from hubd_drivers.salto_space.sim.state import Site
from hubd_drivers.salto_space.sim.stp import Stp
from hubd_drivers.salto_space.sim.web import Http
from hubd_drivers.salto_space.transport import prepare

from hubd.driver import Clock, SystemClock
from tests.drivers.salto_space.wire import HOST


class Pair(NamedTuple):
    client: SpaceClient
    space: Space


class HastyClock(SystemClock):
    """Time is real, but nobody sleeps: pauses are only noted."""

    def __init__(self) -> None:
        self.pauses: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(0)


async def config_for(port: int, transport: Stp | Http, **keys: Any) -> SaltoSpaceConfig:
    scheme = "stp" if isinstance(transport, Stp) else "http" if transport.tls is None else "https"
    given = {"time_zone": "Europe/Madrid", "timeout": 5.0, **keys}
    return await asyncio.to_thread(lambda: SaltoSpaceConfig(host=f"{scheme}://{HOST}:{port}", **given))


@asynccontextmanager
async def linked(
    *,
    transport: Stp | Http | None = None,
    quirks: Quirks | None = None,
    site: Site | None = None,
    clock: Clock | None = None,
    **keys: Any,
) -> AsyncIterator[Pair]:
    """Run a simulated server and a client of it, which asks for pages of 4 unless told otherwise."""
    transport, clock = transport or Stp(), clock or SystemClock()
    async with Space(site or demo_site(), transport=transport, quirks=quirks) as space:
        config = await config_for(space.port, transport, **({"page_size": 4} | keys))
        client = SpaceClient(await prepare(config, clock), config, clock)
        try:
            yield Pair(client, space)
        finally:
            await client.close()
            assert not space.disasters
