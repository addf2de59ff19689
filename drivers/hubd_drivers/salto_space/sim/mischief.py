"""What goes wrong on the way, at an exact point, as a test wants it; and what came in, counted."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from enum import Enum
from typing import Final

ANY: Final = "*"
"""In place of a request's name: whichever comes."""


class Trouble(Enum):
    """What happens to one request."""

    DROP_REQUEST = "drop_request"
    """The connection closes, and nothing was done."""
    DROP_REPLY = "drop_reply"
    """It is done, and the connection closes without a reply."""
    DELAY = "delay"
    """It waits before it is done."""
    HOLD = "hold"
    """It waits, before it is done or before it is answered, until the test lets it go."""
    REFUSE = "refuse"
    """Nothing is done, and the reply is an error of the test's choice."""
    HTML = "html"
    """It is done, and the reply is a web page."""
    HALF = "half"
    """It is done, and the connection closes in the middle of the reply."""
    LENGTH = "length"
    """It is done, and the reply announces one byte more than it has, then waits. Only by STP; by HTTP, HALF."""
    JUNK = "junk"
    """It is done, and the reply is no frame, or no XML."""


GARBLES: Final = frozenset({Trouble.HTML, Trouble.HALF, Trouble.LENGTH, Trouble.JUNK})


class Hold:
    """A request that is held: await `reached`, look at what there is to see, then `release`."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self._released = asyncio.Event()

    def release(self) -> None:
        """Let it go on."""
        self._released.set()

    async def passed(self) -> None:
        """Say that it is here, and wait. For the server."""
        self.reached.set()
        await self._released.wait()


class Fault:
    """One trouble for the next requests of a name."""

    def __init__(self, trouble: Trouble, name: str, times: int) -> None:
        self.trouble = trouble
        self.name = name
        self.times = times
        self.seconds = 0.0
        self.code = 0
        self.hold = Hold()
        self.is_after = False
        """Of HOLD: it is done already, and only the reply waits."""


class Faults:
    """What is to go wrong. Faults of one name are used in the order in which they were asked for, one per request."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._waiting)

    def drop_request(self, name: str = ANY, times: int = 1) -> None:
        """Close the connection before anything is done."""
        self._add(Fault(Trouble.DROP_REQUEST, name, times))

    def drop_reply(self, name: str = ANY, times: int = 1) -> None:
        """Do the work, and close the connection without the reply."""
        self._add(Fault(Trouble.DROP_REPLY, name, times))

    def delay(self, name: str, seconds: float, times: int = 1) -> None:
        """Wait before the work."""
        self._add(Fault(Trouble.DELAY, name, times)).seconds = seconds

    def hold(self, name: str = ANY, *, after: bool = False) -> Hold:
        """Hold the next such request before its work, or before its reply."""
        fault = self._add(Fault(Trouble.HOLD, name, 1))
        fault.is_after = after
        return fault.hold

    def refuse(self, name: str, code: int, times: int = 1) -> None:
        """Answer with an error code, doing nothing."""
        self._add(Fault(Trouble.REFUSE, name, times)).code = code

    def garble(self, name: str = ANY, how: Trouble = Trouble.JUNK, times: int = 1) -> None:
        """Do the work, and spoil the reply in one of the ways of `GARBLES`."""
        if how not in GARBLES:
            raise ValueError(f"{how} spoils no reply")
        self._add(Fault(how, name, times))

    def clear(self) -> None:
        """Let nothing more go wrong; what is held is released."""
        for fault in self._waiting:
            fault.hold.release()
        self._waiting.clear()

    def take(self, name: str) -> Fault | None:
        """Return what is to happen to this request, and count it."""
        for fault in self._waiting:
            if fault.name in {name, ANY}:
                fault.times -= 1
                if fault.times <= 0:
                    self._waiting.remove(fault)
                return fault
        return None

    def _add(self, fault: Fault) -> Fault:
        self._waiting.append(fault)
        return fault


class Counters:
    """What came in since the start, or since `clear`."""

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        """By name; what could not be read as ``?``."""
        self.connections = 0
        self.refused_connections = 0
        """Closed without a byte: from a computer that may not talk to this server."""
        self.bytes_out = 0
        """Of bodies."""

    @property
    def total(self) -> int:
        """How many requests came."""
        return self.requests.total()

    def clear(self) -> None:
        """Begin anew."""
        self.requests.clear()
        self.connections = self.refused_connections = self.bytes_out = 0
