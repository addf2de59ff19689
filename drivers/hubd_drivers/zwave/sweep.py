"""Asks locks that do not report where their bolt is: each now and then, one at a time, when nothing else goes on."""

from collections.abc import Callable, Iterable
from typing import Final

from hubd.driver import Port
from hubd_drivers.zwave.bolts import Bolts, Memory
from hubd_drivers.zwave.device import ZwaveDevice
from hubd_drivers.zwave.facts import STATUS_ALIVE
from hubd_drivers.zwave.silent import is_silent

BUSY_SECONDS: Final = 5.0
"""How long a question steps back for an order."""


class Sweep:
    """Spreads its questions over the interval: waking fifty locks at once would hold up the radio for a minute."""

    def __init__(self, port: Port, bolts: Bolts, memory: Memory, seconds: float) -> None:
        """`seconds`: between two questions to one lock; 0 asks none."""
        self._clock = port.clock
        self._bolts = bolts
        self._memory = memory
        self._seconds = seconds
        self._heard: dict[str, float] = {}

    def heard(self, device: ZwaveDevice) -> None:
        """Take in that a lock has told of its bolt on its own, or was asked."""
        self._heard[device.native_id] = self._clock.monotonic()

    async def run(self, devices: Callable[[], Iterable[ZwaveDevice]]) -> None:
        """Ask for ever. What a lock answers arrives as an event."""
        begin = self._clock.monotonic()
        while self._seconds:
            silent = [device for device in devices() if self._is_to_be_asked(device)]
            await self._clock.sleep(self._seconds / max(1, len(silent)))
            while self._bolts.is_busy:
                await self._clock.sleep(BUSY_SECONDS)
            latest = self._clock.monotonic() - self._seconds
            due = [
                one for one in silent if self._heard.get(one.native_id, begin) <= latest and self._is_to_be_asked(one)
            ]
            if due:
                device = min(due, key=lambda one: self._heard.get(one.native_id, begin))
                self.heard(device)
                await self._bolts.ask_now(device)

    def _is_to_be_asked(self, device: ZwaveDevice) -> bool:
        is_there = device.bolt is not None and device.facts.status == STATUS_ALIVE
        return is_there and is_silent(device.facts) and device.native_id not in self._memory.talkative
