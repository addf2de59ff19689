"""Sleepers that somebody waits for: kept awake for a moment when they wake.

zwave-js sends a node back to sleep 250 ms after its last frame, and what is sent later waits in zwave-js for the next
wake-up, when it may long be out of date. So nothing is ever sent to a node that may sleep: it is told what is wished
when it wakes, and zwave-js is asked to keep it awake only where a command had found it asleep.
"""

import asyncio
from typing import Final

from hubd.driver import Port
from hubd_drivers.zwave.device import ZwaveDevice
from hubd_drivers.zwave.events import Event, StatusChanged, ValueReported
from hubd_drivers.zwave.facts import STATUS_ASLEEP, STATUS_AWAKE
from hubd_drivers.zwave.failures import CommandError
from hubd_drivers.zwave.link import Link
from hubd_drivers.zwave.mapping import sleeps

AWAKE_SECONDS: Final = 8.0
"""A node that woke listens for ten seconds after the last frame, whatever zwave-js believes."""
WOKEN_SECONDS: Final = 4.0
"""What the hub gets to ask again when a node has woken that it waited for."""
NEXT_SECONDS: Final = 1.0
"""What it gets for another command."""
ASK_SECONDS: Final = 10.0


class Vigil:
    """Knows which nodes listen, and how long each is still needed."""

    def __init__(self, link: Link, port: Port, tasks: asyncio.TaskGroup) -> None:
        self._link = link
        self._port = port
        self._tasks = tasks
        self._heard: dict[int, float] = {}
        self._wanted: set[int] = set()
        self._held: set[int] = set()
        self._endings: dict[int, asyncio.Task[None]] = {}

    def note(self, event: Event) -> None:
        """Take in an event at the instant it arrives."""
        match event:
            case StatusChanged(status=status) if status == STATUS_AWAKE:
                self._heard[event.node_id] = self._port.clock.monotonic()
                if event.node_id in self._wanted:
                    self._wanted.discard(event.node_id)
                    self._end_soon(event.node_id, WOKEN_SECONDS, is_new=True)
            case StatusChanged(status=status) if status == STATUS_ASLEEP:
                self._heard.pop(event.node_id, None)
            case ValueReported() if event.node_id in self._heard:
                self._heard[event.node_id] = self._port.clock.monotonic()
            case _:
                pass

    def met(self, device: ZwaveDevice) -> None:
        """Take in a thermostat: an earlier life that broke off must not have it kept awake for ever."""
        if sleeps(device.facts) and device.node_id not in self._held:
            self._tasks.create_task(self._keep(device.node_id, is_awake=False), name=f"awake-{device.node_id}")

    def forget(self, node_id: int) -> None:
        """Forget a node that is gone."""
        self._stop_ending(node_id)
        self._heard.pop(node_id, None)
        self._wanted.discard(node_id)
        self._held.discard(node_id)

    def listens(self, device: ZwaveDevice) -> bool:
        """Tell whether a device hears what is sent now; if not, it is waited for."""
        if not sleeps(device.facts):
            return True
        heard_at = self._heard.get(device.node_id)
        if heard_at is not None and self._port.clock.monotonic() - heard_at <= AWAKE_SECONDS:
            return True
        self._wanted.add(device.node_id)
        return False

    async def hold(self, device: ZwaveDevice) -> None:
        """A command needs the device awake."""
        if sleeps(device.facts):
            self._stop_ending(device.node_id)
            await self._keep(device.node_id, is_awake=True)

    async def let_go(self, device: ZwaveDevice) -> None:
        """The next frame is a command's last: zwave-js sends the device to sleep after it."""
        if sleeps(device.facts):
            self._stop_ending(device.node_id)
            await self._keep(device.node_id, is_awake=False)

    def end(self, device: ZwaveDevice) -> None:
        """A command is over; if no frame was its last, the device is let go a moment later."""
        if device.node_id in self._held:
            self._end_soon(device.node_id, NEXT_SECONDS)

    def _end_soon(self, node_id: int, seconds: float, *, is_new: bool = False) -> None:
        self._stop_ending(node_id)
        ending = self._end(node_id, seconds, is_new=is_new)
        try:
            self._endings[node_id] = self._tasks.create_task(ending, name=f"awake-{node_id}")
        except RuntimeError:  # this life is over; the next one lets it go
            ending.close()

    def _stop_ending(self, node_id: int) -> None:
        if (task := self._endings.pop(node_id, None)) is not None:
            task.cancel()

    async def _end(self, node_id: int, seconds: float, *, is_new: bool) -> None:
        if is_new:
            await self._keep(node_id, is_awake=True)
        await self._port.clock.sleep(seconds)
        await self._keep(node_id, is_awake=False)
        if node_id in self._heard:
            await self._ask("node.ping", node_id)  # only after a frame does zwave-js send it to sleep
        self._endings.pop(node_id, None)

    async def _keep(self, node_id: int, *, is_awake: bool) -> None:
        (self._held.add if is_awake else self._held.discard)(node_id)
        await self._ask("node.set_keep_awake", node_id, keepAwake=is_awake)

    async def _ask(self, command: str, node_id: int, **arguments: object) -> None:
        try:
            async with self._port.clock.timeout(ASK_SECONDS):
                await self._link.command(command, nodeId=node_id, **arguments)
        except (TimeoutError, CommandError) as error:
            self._port.log.debug("node %d: %s came to nothing: %r", node_id, command, error)
