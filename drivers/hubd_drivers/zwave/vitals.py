"""How devices are besides their bolts: how well they are reached, whether sleepers still wake, what batteries say."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from hubd.driver import Port
from hubd.model import BatterySeen, LinkQuality, LinkSeen, Seen
from hubd_drivers.zwave import mapping
from hubd_drivers.zwave.device import ZwaveDevice
from hubd_drivers.zwave.facts import Statistics
from hubd_drivers.zwave.failures import CommandError
from hubd_drivers.zwave.link import Link

CHECK_SECONDS: Final = 30.0
LINK_SECONDS: Final = 60.0
"""zwave-js tells its statistics with every frame; once a minute for a node is enough to see it fade."""
MOST_DROP: Final = 0.20
"""A battery that has lost more than this between two readings has most likely been measured wrong."""
DOUBT_SECONDS: Final = 60.0
"""A measurement under load, as the motor turns, has recovered by then."""
ASK_SECONDS: Final = 30.0

type Names = Callable[[int], str]


class Vitals:
    """Publishes what the devices' statistics and the passing of time tell."""

    def __init__(
        self, link: Link, port: Port, tasks: asyncio.TaskGroup, publish: Callable[[list[Seen]], Awaitable[None]]
    ) -> None:
        self._link = link
        self._port = port
        self._tasks = tasks
        self._publish = publish
        self._levels: dict[str, float] = {}
        self._told_at: dict[str, float] = {}
        self._untold: dict[str, LinkSeen] = {}

    async def met(self, device: ZwaveDevice, names: Names) -> None:
        """Take in a device that was announced."""
        if device.battery_level is not None:
            self._levels[device.native_id] = device.battery_level
        if device.facts.statistics.sent:
            await self.heard(device, device.facts.statistics, names)

    async def heard(self, device: ZwaveDevice, statistics: Statistics, names: Names) -> None:
        """Take in a node's statistics; `names` gives what a node is called."""
        device.heard(statistics.heard_at)
        self._untold[device.native_id] = LinkSeen(
            native_id=device.native_id,
            link=LinkQuality(
                measured_at=self._port.clock.now(),
                signal_dbm=statistics.signal_dbm,
                round_trip_ms=statistics.round_trip_ms,
                route=None if statistics.repeaters is None else tuple(map(names, statistics.repeaters)),
                lost_ratio=lost_ratio(statistics),
            ),
        )
        await self._tell_links()

    def measured(self, device: ZwaveDevice, seen: Iterable[Seen]) -> None:
        """Have a battery that says it has lost much at once measured again."""
        for reading in seen:
            if isinstance(reading, BatterySeen):
                before = self._levels.get(device.native_id, reading.level)
                self._levels[device.native_id] = reading.level
                if round(before - reading.level, 4) > MOST_DROP:
                    self._tasks.create_task(self._measure_again(device), name=f"battery-{device.node_id}")

    def forget(self, device: ZwaveDevice) -> None:
        """Forget a device that is gone."""
        for memory in (self._levels, self._told_at, self._untold):
            memory.pop(device.native_id, None)

    async def run(self, devices: Callable[[], Iterable[ZwaveDevice]]) -> None:
        """Keep watch for ever."""
        while True:
            await self._port.clock.sleep(CHECK_SECONDS)
            now = self._port.clock.now()
            await self._publish([seen for device in devices() for seen in device.overslept(now)])
            await self._tell_links()

    async def _tell_links(self) -> None:
        now = self._port.clock.monotonic()
        due = [one for one in self._untold if now - self._told_at.get(one, -LINK_SECONDS) >= LINK_SECONDS]
        self._told_at.update(dict.fromkeys(due, now))
        await self._publish([self._untold.pop(native_id) for native_id in due])

    async def _measure_again(self, device: ZwaveDevice) -> None:
        """Ask the device itself, once; its answer arrives as an event. One that sleeps answers when it wakes."""
        await self._port.clock.sleep(DOUBT_SECONDS)
        try:
            async with self._port.clock.timeout(ASK_SECONDS):
                await self._link.poll(device.node_id, mapping.battery_level_id(device.facts))
        except (TimeoutError, CommandError) as error:
            self._port.log.debug("node %d did not measure its battery again: %r", device.node_id, error)


def lost_ratio(statistics: Statistics) -> float | None:
    """Return the share of the commands to a node that were not answered; None if there were none."""
    tried = statistics.sent + statistics.unsent
    return round(min(1.0, (statistics.unsent + statistics.unanswered) / tried), 4) if tried else None
