"""Asks nodes that zwave-js calls dead whether they are back: it never asks them again by itself."""

from collections.abc import Callable, Iterable
from typing import Final

from hubd.driver import Port
from hubd_drivers.zwave.bolts import Bolts
from hubd_drivers.zwave.controller import ControllerWatch
from hubd_drivers.zwave.device import ZwaveDevice
from hubd_drivers.zwave.failures import CommandError
from hubd_drivers.zwave.link import Link

TICK_SECONDS: Final = 5.0
ASK_SECONDS: Final = 30.0
LONGEST: Final = 12
"""How many times its first pause a node's pause grows to: a question to a dead node holds up the radio for seconds."""


class Revival:
    """Pings dead nodes one at a time, ever more rarely, and all of them anew once the stick is back."""

    def __init__(self, link: Link, port: Port, bolts: Bolts, controller: ControllerWatch, seconds: float) -> None:
        """`seconds`: the first pause; 0 asks none."""
        self._link = link
        self._port = port
        self._bolts = bolts
        self._controller = controller
        self._seconds = seconds
        self._due: dict[str, tuple[float, float]] = {}
        """When a dead node is asked next, and the pause after that."""
        self._recoveries = 0

    async def run(self, devices: Callable[[], Iterable[ZwaveDevice]]) -> None:
        """Ask for ever. What answers is called alive by zwave-js, which arrives as an event."""
        while self._seconds:
            await self._port.clock.sleep(min(TICK_SECONDS, self._seconds))
            if self._controller.loss is not None or self._bolts.is_busy:
                continue
            dead = {device.native_id: device for device in devices() if device.is_dead}
            self._plan(dead)
            now = self._port.clock.monotonic()
            due = [native_id for native_id in dead if self._due[native_id][0] <= now]
            if due:
                first = min(due, key=lambda native_id: self._due[native_id][0])
                pause = self._due[first][1]
                self._due[first] = (now + pause, min(2 * pause, LONGEST * self._seconds))
                await self._ping(dead[first])

    def _plan(self, dead: Iterable[str]) -> None:
        now = self._port.clock.monotonic()
        if self._recoveries != self._controller.recoveries:
            self._recoveries = self._controller.recoveries
            self._due = dict.fromkeys(dead, (now, self._seconds))
        first = (now + self._seconds, 2 * self._seconds)
        self._due = {native_id: self._due.get(native_id, first) for native_id in dead}

    async def _ping(self, device: ZwaveDevice) -> None:
        try:
            async with self._port.clock.timeout(ASK_SECONDS):
                await self._link.command("node.ping", nodeId=device.node_id)
        except (TimeoutError, CommandError) as error:
            self._port.log.debug("node %d was not asked whether it is back: %r", device.node_id, error)
