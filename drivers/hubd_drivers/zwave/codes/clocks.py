"""The clocks of locks that keep to time frames: read when a life begins and once a day, set when they are wrong.

A lock whose clock is not known to be right is given no time frames: it is then described as one without schedules, and
the hub sets its codes when they begin. A lock that is out of reach keeps what it had until it can be asked.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from hubd.driver import Port
from hubd_drivers.zwave.bolts import Bolts, Memory
from hubd_drivers.zwave.codes.lockclock import LockClock, ServerZone
from hubd_drivers.zwave.codes.walltimes import minutes
from hubd_drivers.zwave.controller import ControllerWatch
from hubd_drivers.zwave.device import ZwaveDevice
from hubd_drivers.zwave.failures import CommandError, Kind
from hubd_drivers.zwave.link import Link

DAY: Final = 86_400.0
AGAIN: Final = 600.0
"""Seconds until a lock that was out of reach, or a time that was not relied on, is tried again."""
LOOK: Final = 20.0
"""How often the driver looks whether a check is due: after a change of the clocks, that many seconds at most."""
BUSY_SECONDS: Final = 1.0
STEP: Final = 30.0
"""By how much the hub's clock must be set for the locks' clocks to be held against it."""


class Clocks:
    """Made for one life; asks one lock at a time, and none while a bolt is being moved."""

    def __init__(
        self,
        *,
        link: Link,
        port: Port,
        bolts: Bolts,
        controller: ControllerWatch,
        memory: Memory,
        describe: Callable[[ZwaveDevice], Awaitable[None]],
    ) -> None:
        self._link = link
        self._port = port
        self._bolts = bolts
        self._controller = controller
        self._memory = memory
        self._describe = describe
        self._server = ServerZone()
        self._due: dict[str, float] = {}
        self._told: dict[str, str] = {}
        """The reasons that were logged."""
        self._poked = asyncio.Event()

    def met(self, device: ZwaveDevice) -> None:
        """Take in that a life begins with a lock. A server that ends again and again must not empty its batteries."""
        read_at = self._memory.clocks_read_at.get(device.native_id)
        if read_at is not None:
            self._due[device.native_id] = read_at + AGAIN

    def check_soon(self, device: ZwaveDevice) -> None:
        """Have a lock asked that was interviewed, or is back: its batteries may have been changed."""
        self._due.pop(device.native_id, None)
        self._poked.set()

    async def run(self, devices: Callable[[], Iterable[ZwaveDevice]]) -> None:
        """Check for ever."""
        clock, before = self._port.clock, self._face()
        while True:
            if not self._is_as(before):
                self._due.clear()
                before = self._face()
            for device in devices():
                if self._is_due(device):
                    await self._check(device)
            try:
                async with clock.timeout(LOOK):
                    await self._poked.wait()
            except TimeoutError:
                pass
            self._poked.clear()

    def _face(self) -> tuple[float, int]:
        """Return how the hub's clock is set, and the site's against UTC."""
        now = self._port.clock.now()
        return now.timestamp() - self._port.clock.monotonic(), minutes(self._port.zone, now)

    def _is_as(self, before: tuple[float, int]) -> bool:
        now = self._face()
        return abs(now[0] - before[0]) <= STEP and now[1] == before[1]

    def _is_due(self, device: ZwaveDevice) -> bool:
        if device.keypad is None or not device.keypad.can_schedule or device.native_id in self._memory.unscheduled:
            return False
        is_there = not device.is_dead and not device.is_asleep and self._controller.loss is None
        return is_there and self._due.get(device.native_id, 0.0) <= self._port.clock.monotonic()

    async def _check(self, device: ZwaveDevice) -> None:
        while self._bolts.is_busy:
            await self._port.clock.sleep(BUSY_SECONDS)
        self._due[device.native_id] = self._port.clock.monotonic() + AGAIN
        if not self._port.is_time_trusted:
            return
        before = self._face()
        try:
            wrong = await LockClock(self._link, self._port, device.facts, self._server).check()
        except CommandError as error:
            if error.kind in {Kind.UNREACHABLE, Kind.UNCERTAIN}:
                return
            wrong = error.message
        if not self._is_as(before):
            return  # what was found is of another time; all of them are asked again
        self._memory.clocks_read_at[device.native_id] = self._port.clock.monotonic()
        self._due[device.native_id] = self._port.clock.monotonic() + DAY
        await self._settle(device, wrong)

    async def _settle(self, device: ZwaveDevice, wrong: str | None) -> None:
        if device.keypad is None or device.native_id in self._memory.unscheduled:
            return
        device.keypad = device.keypad.timed(is_right=wrong is None)
        await self._describe(device)
        before = self._told.get(device.native_id)
        if wrong is not None and wrong != before:
            name = device.description.name
            self._port.log.warning("%s is given no time frames, its codes are set when they begin: %s", name, wrong)
        elif wrong is None and before is not None:
            self._port.log.info("%s keeps to time frames again", device.description.name)
        self._told.pop(device.native_id, None)
        if wrong is not None:
            self._told[device.native_id] = wrong
