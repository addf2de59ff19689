"""The whole daemon in this process, living on a recording."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from hubd.app import Running, serve
from hubd.box import Box
from hubd.config import DriverTable, FilterKeys, parse
from hubd.core.hub import Hub
from hubd.driver import Recording, registry
from hubd.tapes import Orders, QuickClock
from tests.support.site import eventually

TOLD = ("locked", "method", "user_slot", "hvac_mode")


@asynccontextmanager
async def living_on(recording: Recording, data_dir: Path, speed: float) -> AsyncIterator[Hub]:
    """Run the daemon as `hubd replay` does; enters once the driver is connected."""
    manifest = await asyncio.to_thread(registry.load, recording.header.driver)
    config = await asyncio.to_thread(parse, f'[hub]\ndata_dir = "{data_dir}"\n[http]\nport = 0\n'.encode())
    clock = QuickClock(speed)
    orders = Orders(manifest.type, clock)
    running: asyncio.Future[Running] = asyncio.get_running_loop().create_future()

    def ready(made: Running) -> None:
        orders.begin(made)
        running.set_result(made)

    assert manifest.replay is not None
    box = await asyncio.to_thread(Box, data_dir)
    async with manifest.replay(recording, clock, orders.give) as driver:
        table = DriverTable(id=manifest.type, manifest=manifest, filters=FilterKeys(type=manifest.type), config=driver)
        whole = msgspec.structs.replace(config, drivers=(table,))
        task = asyncio.create_task(serve(whole, box, clock=clock, on_ready=ready))
        try:
            hub = (await running).hub
            await eventually(lambda: hub.health[manifest.type].is_connected)
            yield hub
            (await running).stop()
            await task
        finally:
            task.cancel()
            await asyncio.wait({task})
            box.close()


async def story(hub: Hub) -> list[tuple[Any, ...]]:
    """Return what happened to the devices, in order: type, native id, and what was told; without orders' own rows."""
    found = []
    for row in await hub.journal.rows(0, 1000):
        if row.device_id is not None and not row.type.startswith("command."):
            native_id = hub.devices[row.device_id].device.description.native_id
            body = msgspec.to_builtins(row.event)
            found.append((row.type, row.public, native_id, {name: body[name] for name in TOLD if name in body}))
    return found
