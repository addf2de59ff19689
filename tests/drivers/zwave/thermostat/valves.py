"""The emulated thermostats and a driver that sets them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from hubd_drivers.zwave import ZwaveConfig, ZwaveDriver

from hubd.driver.contract import RecordingPort, check_outcome, running
from hubd.model import Climate, ClimateSeen, ClimateSetting, Outcome, ReachabilitySeen, ReadClimate, SetClimate
from tests.drivers.zwave.conftest import SharedNetwork
from tests.sims.zwave.harness import ZwaveNetwork
from tests.support.site import eventually

MAINS, VALVE, FAHRENHEIT = THERMOSTATS = (4, 9, 10)
"""4: heat, cool, auto, a fan, sensors; confirms. 9: sleeps, has an eco mode. 10: counts in whole °F. 9 and 10 do not
confirm."""
QUIET = 0.6
"""Seconds after which nothing more is on its way at the fast pace, nor gathered."""
FOUND: dict[int, dict[str, Any]] = {
    MAINS: {"mode": 1, "fanMode": 0, "setpoints": {1: 20, 2: 25}},
    VALVE: {"mode": 1, "setpoints": {1: 21, 11: 17}},
    FAHRENHEIT: {"mode": 1, "fanMode": 0, "setpoints": {1: 68, 2: 77}},
}
"""How each stands when a test begins."""


def native(node: int) -> str:
    return f"7e570001-node-{node}-ffff.ffff.fffe"


async def restore(network: SharedNetwork) -> None:
    """Have every thermostat obedient, in reach and set as `FOUND`; the valve asleep."""
    for node in THERMOSTATS:
        await network.op("faults", node=node)
        await network.op("habits", node=node)
        await network.op("dead", node=node, on=False)
    await network.op("wake", node=VALVE)
    for node, found in FOUND.items():
        await network.op("thermostat", node=node, mode=found["mode"])
        for kind, value in found["setpoints"].items():
            await network.op("thermostat", node=node, setpoint={"type": kind, "value": value})
        if "fanMode" in found:
            await network.op("thermostat", node=node, fanMode=found["fanMode"])
    await network.wait_ready()
    await falls_asleep(network)


async def falls_asleep(network: SharedNetwork | ZwaveNetwork) -> None:
    async with asyncio.timeout(10.0):
        while not (await network.op("state", node=VALVE)).get("sim.asleep"):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)


class Site:
    """A running driver, and what the hub would do with its thermostats."""

    def __init__(self, network: SharedNetwork | ZwaveNetwork, port: RecordingPort, driver: ZwaveDriver) -> None:
        self.network = network
        self.port = port
        self.driver = driver

    async def set(self, node: int, **members: Any) -> Outcome:
        setting = ClimateSetting(**members)
        return await self._do(SetClimate(device_id="d", native_id=native(node), setting=setting))

    async def read(self, node: int) -> Outcome:
        return await self._do(ReadClimate(device_id="d", native_id=native(node)))

    async def _do(self, command: SetClimate | ReadClimate) -> Outcome:
        outcome = await self.driver.execute(command)
        check_outcome(outcome)
        return outcome

    async def truth(self, node: int) -> dict[str, Any]:
        """How the thermostat itself is set."""
        found: dict[str, Any] = await self.network.op("climate", node=node)
        return {**found, "setpoints": {int(kind): value for kind, value in found["setpoints"].items()}}

    async def frames(self, node: int) -> dict[str, int]:
        """The commands that reached the thermostat since this was last asked."""
        counts: dict[str, int] = await self.network.op("climate_frames", node=node, reset=True)
        return {name.removeprefix("Thermostat").replace("CC", ""): count for name, count in counts.items()}

    async def on_air(self, node: int) -> int:
        """How many frames were sent to the thermostat since this was last asked, heard or not."""
        count: int = await self.network.op("frames_on_air", node=node, reset=True)
        return count

    async def told(self, node: int, count: int = 0) -> list[ClimateSeen]:
        """What was published of it since this was last asked: once there are so many, and no more come for a while."""
        await eventually(lambda: len(self._told(node)) >= count)
        await asyncio.sleep(QUIET)
        told = self._told(node)
        self.port.seen.clear()
        return told

    def _told(self, node: int) -> list[ClimateSeen]:
        return [one for one in self.port.seen if isinstance(one, ClimateSeen) and one.native_id == native(node)]

    async def wakes(self, **how: Any) -> None:
        """The valve wakes, and the driver says so."""
        self.port.seen.clear()
        await self.network.op("wake", node=VALVE, **how)
        await self.port.wait_for(lambda one: isinstance(one, ReachabilitySeen) and one.native_id == native(VALVE))


def seen(outcome: Outcome) -> Climate:
    """How the thermostat stands, as the outcome tells it."""
    (one,) = outcome.seen
    assert isinstance(one, ClimateSeen)
    return one.climate


@asynccontextmanager
async def site(network: SharedNetwork | ZwaveNetwork, **more: Any) -> AsyncIterator[Site]:
    quick = {"controller_check_seconds": 0.3, "command_timeout": 5.0, "attribution_ms": 250}
    driver, port = ZwaveDriver(ZwaveConfig(**{"url": network.url, **quick, **more})), RecordingPort()
    async with running(driver, port):
        made = Site(network, port, driver)
        for node in THERMOSTATS:
            await made.frames(node)
            await made.on_air(node)
        port.seen.clear()
        yield made
