"""What both transports share: one request's way through faults, desk and counters; what it says to the transport."""

import asyncio
from typing import Final, NamedTuple

from hubd.driver import Clock
from hubd_drivers.salto_space.sim.handlers import Desk, read
from hubd_drivers.salto_space.sim.mischief import GARBLES, Counters, Faults, Trouble

PAGE: Final = b"<!DOCTYPE html><html><head><title>ProAccess SPACE</title></head><body>Log in</body></html>"


class Reply(NamedTuple):
    """What the transport is to send; `body` None: close the connection without a byte."""

    body: bytes | None
    spoiled: Trouble | None = None


class Service:
    """Answers bodies. `is_hanging`: what comes in waits for ever, until it is False again or the server stops."""

    def __init__(self, desk: Desk, faults: Faults, counters: Counters, clock: Clock) -> None:
        self._desk = desk
        self._faults = faults
        self._counters = counters
        self._clock = clock
        self._goes_on = asyncio.Event()
        self._goes_on.set()
        self.limited_to: str | None = None
        """"Limit communications to one server": the only address that is served; None: any."""

    @property
    def is_hanging(self) -> bool:
        """Whether requests are left without an answer."""
        return not self._goes_on.is_set()

    @is_hanging.setter
    def is_hanging(self, hangs: bool) -> None:
        if hangs:
            self._goes_on.clear()
        else:
            self._goes_on.set()

    def connected(self, peer: object) -> bool:
        """Count a connection, and tell whether this peer may talk to this server. `peer`: a socket's peer name."""
        self._counters.connections += 1
        address = str(peer[0]) if isinstance(peer, tuple) and peer else ""
        if self.limited_to is None or address == self.limited_to:
            return True
        self._counters.refused_connections += 1
        return False

    async def answer(self, body: bytes) -> Reply:
        """Do one request, with what is to go wrong on the way."""
        asked = read(body)
        self._counters.requests[asked.name] += 1
        await self._goes_on.wait()
        fault = self._faults.take(asked.name)
        trouble = fault.trouble if fault is not None else None
        if fault is not None:
            if trouble is Trouble.DROP_REQUEST:
                return Reply(None)
            if trouble is Trouble.REFUSE:
                return self._sent(self._desk.refused(asked, fault.code))
            if trouble is Trouble.DELAY:
                await self._clock.sleep(fault.seconds)
            elif trouble is Trouble.HOLD and not fault.is_after:
                await fault.hold.passed()
        done = await self._desk.answer(asked)
        if fault is not None and trouble is Trouble.HOLD and fault.is_after:
            await fault.hold.passed()
        if trouble is Trouble.DROP_REPLY:
            return Reply(None)
        return self._sent(PAGE if trouble is Trouble.HTML else done, trouble if trouble in GARBLES else None)

    def _sent(self, body: bytes, spoiled: Trouble | None = None) -> Reply:
        self._counters.bytes_out += len(body)
        return Reply(body, spoiled)
