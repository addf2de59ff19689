"""The emulated locks and a driver that manages their codes."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, tzinfo
from typing import Any

from hubd_drivers.zwave import ZwaveConfig, ZwaveDriver

from hubd.driver import Clock
from hubd.driver.contract import RecordingPort, check_outcome, running
from hubd.model import (
    ClearCode,
    CodeCommand,
    CodeHintSeen,
    CodeSeen,
    DeviceDescription,
    Outcome,
    ReadCode,
    SetCode,
    TimeFrame,
)
from tests.drivers.zwave.conftest import SharedNetwork
from tests.sims.zwave.harness import FIRST_MODEL, ZwaveNetwork
from tests.support.site import eventually

NATIVE = {
    2: "7e570001-node-2-ffff.ffff.fffe",
    3: "7e570001-node-3-ffff.ffff.fffe",
    5: "7e570001-node-5-003b.0001.0469",
    7: "7e570001-node-7-ffff.ffff.fffe",
    8: "7e570001-node-8-ffff.ffff.fffe",
    FIRST_MODEL: "7e570001-node-20-fffd.0002.0001",
}
"""2: User Code, unencrypted, with Supervision. 3: User Credential, S2. 5: a Schlage's User Code, S0, without it.

7, 8: User Code with schedules, unencrypted, with Supervision and without it.
"""
QUIET = 0.4
"""Seconds after which nothing more is on its way at the fast pace."""


class Site:
    """A running driver, and what the hub would do with its locks."""

    def __init__(self, network: SharedNetwork | ZwaveNetwork, port: RecordingPort, driver: ZwaveDriver) -> None:
        self.network = network
        self.port = port
        self.driver = driver

    async def put(self, node: int, slot: int, pin: str, **more: Any) -> Outcome:
        at: dict[str, Any] = {"device_id": "d", "native_id": NATIVE[node], "slot": slot}
        return await self._do(SetCode(**at, pin_ref=self.port.seal(pin), **more))

    async def clear(self, node: int, slot: int) -> Outcome:
        return await self._do(ClearCode(device_id="d", native_id=NATIVE[node], slot=slot))

    async def read(self, node: int, slot: int) -> Outcome:
        return await self._do(ReadCode(device_id="d", native_id=NATIVE[node], slot=slot))

    async def _do(self, command: CodeCommand) -> Outcome:
        outcome = await self.driver.execute(command)
        check_outcome(outcome)
        return outcome

    def holds(self, outcome: Outcome) -> tuple[bool, str | None]:
        """What the outcome says was read: whether the slot is used, and with which PIN."""
        seen = outcome.seen[0]
        assert isinstance(seen, CodeSeen)
        assert not seen.is_cached
        return seen.is_used, None if seen.pin_ref is None else self.port.reveal(seen.pin_ref)

    async def pins(self, node: int) -> dict[str, str]:
        """What the lock holds in truth."""
        found: dict[str, str] = await self.network.op("codes", node=node)
        return found

    async def frames(self, node: int) -> dict[str, int]:
        """What was sent to the lock about codes since this was last asked."""
        counts: dict[str, int] = await self.network.op("code_frames", node=node, reset=True)
        return counts

    def is_timed(self, node: int) -> bool:
        """Whether the lock is described as one that keeps to time frames."""
        keypad = self.port.devices[NATIVE[node]].capabilities.keypad
        return keypad is not None and keypad.has_schedules

    def frame(self, outcome: Outcome) -> TimeFrame | None:
        """The time frame that was read."""
        seen = outcome.seen[0]
        assert isinstance(seen, CodeSeen)
        return seen.frame

    async def schedules(self, node: int) -> dict[str, str]:
        """The schedules that the lock has in truth, by the clock on the wall."""
        found: dict[str, str] = await self.network.op("schedules", node=node)
        return found

    def cached(self, node: int) -> dict[int, tuple[bool, str | None]]:
        """What was announced of each slot."""
        mine = [one for one in self.port.seen if isinstance(one, CodeSeen) and one.native_id == NATIVE[node]]
        assert all(one.is_cached for one in mine)
        return {one.slot: (one.is_used, None if one.pin_ref is None else self.port.reveal(one.pin_ref)) for one in mine}

    async def hints(self, node: int, count: int = 0) -> list[tuple[str, int | None]]:
        """Every hint since the driver began: once there are so many, and no more come for a while."""
        await eventually(lambda: len(self._hints(node)) >= count)
        await asyncio.sleep(QUIET)
        return self._hints(node)

    def _hints(self, node: int) -> list[tuple[str, int | None]]:
        mine = [one for one in self.port.seen if isinstance(one, CodeHintSeen) and one.native_id == NATIVE[node]]
        return [(one.change, one.slot) for one in mine]


@asynccontextmanager
async def site(
    network: SharedNetwork | ZwaveNetwork,
    *,
    zone: tzinfo = UTC,
    clock: Clock | None = None,
    known: Mapping[str, DeviceDescription] | None = None,
    **more: Any,
) -> AsyncIterator[Site]:
    quick = {"controller_check_seconds": 0.3, "command_timeout": 5.0, "attribution_ms": 250}
    driver = ZwaveDriver(ZwaveConfig(**{"url": network.url, **quick, **more}))
    port = RecordingPort(zone=zone, clock=clock)
    port.known = dict(known or {})
    async with running(driver, port):
        yield Site(network, port, driver)
