"""Live health of a driver instance, hop by hop. What is durable of it is `HopLost` and `HopBack`."""

from datetime import datetime
from typing import Literal, NamedTuple

import msgspec

from hubd.driver.clock import Clock
from hubd.driver.protocol import DriverError, Manifest
from hubd.model.errors import writable

MOST_WAITING = 1000
LONGEST_NAME, LONGEST_REASON = 200, 500

type LinkState = Literal["starting", "connected", "lost", "not_configured"]


class HopHealth(msgspec.Struct, frozen=True):
    """One hop as the page and `/hub/health` show it. A hop behind a broken one is not judged (`ok` None)."""

    name: str
    ok: bool | None
    code: str | None = None
    message: str | None = None
    remedy: str | None = None


class Waiting(msgspec.Struct, frozen=True):
    """Something on the network that cannot be announced yet, with the reason, as a technician reads it."""

    name: str
    reason: str
    since: datetime


class Caution(msgspec.Struct, frozen=True):
    """Something about the system that is not as it should be, though it works."""

    code: str
    message: str
    remedy: str
    since: datetime


class Moment(NamedTuple):
    """An instant: what the wall clock said, and the monotonic seconds that no step of it changes."""

    at: datetime
    monotonic: float


class InstanceHealth:
    """Changes as the supervisor and the driver tell it; read by everybody."""

    def __init__(self, instance: str, manifest: Manifest, clock: Clock) -> None:
        self.instance = instance
        self.manifest = manifest
        self.state: LinkState = "starting"
        self.since: datetime = clock.now()
        self.lost_since: Moment | None = None
        """When the way to the devices was lost, whatever was lost of it since; None while it works, and at first."""
        self.error: DriverError | None = None
        self.next_try_at: datetime | None = None
        self.attempts = 0
        """Failed lives in a row."""
        self.waiting: dict[str, Waiting] = {}
        """By the driver's own key."""
        self.cautions: dict[str, Caution] = {}
        """By code."""
        self._clock = clock
        self._is_linked = False
        self._behind: dict[str, DriverError] = {}

    @property
    def is_connected(self) -> bool:
        """Whether commands can reach the devices."""
        return self.state == "connected"

    def connected(self) -> None:
        """The link works; so does every hop behind it that was not said to be lost."""
        self._is_linked = True
        self.next_try_at, self.attempts = None, 0
        self._judge()

    def lost(self, error: DriverError) -> None:
        """The link is gone, and with it what was known of the hops behind it."""
        self._is_linked = False
        self._behind.clear()
        self.waiting.clear()
        self._enter("lost", error)

    def hop_lost(self, error: DriverError) -> None:
        """A hop behind the living link is gone."""
        self._behind[error.hop] = error
        self._judge()

    def hop_back(self, hop: str) -> None:
        """Such a hop works again. Ignored for one that was not lost."""
        if self._behind.pop(hop, None) is not None:
            self._judge()

    def wait_on(self, key: str, name: str, reason: str | None) -> None:
        """Something waits to be announced; with no reason it does so no more."""
        if reason is None:
            self.waiting.pop(key, None)
            return
        known = self.waiting.get(key)
        since = self._clock.now() if known is None else known.since
        if known is not None or len(self.waiting) < MOST_WAITING:
            self.waiting[key] = Waiting(writable(name)[:LONGEST_NAME], writable(reason)[:LONGEST_REASON], since)

    def warn(self, code: str, message: str | None, remedy: str = "") -> None:
        """Something is not as it should be; with no message it is so no more."""
        if message is None:
            self.cautions.pop(code, None)
            return
        known = self.cautions.get(code)
        since = self._clock.now() if known is None else known.since
        if known is not None or len(self.cautions) < MOST_WAITING:
            self.cautions[code] = Caution(
                code, writable(message)[:LONGEST_REASON], writable(remedy)[:LONGEST_REASON], since
            )

    def _judge(self) -> None:
        hops = self.manifest.hops
        nearest = min(self._behind.values(), key=lambda e: hops.index(e.hop) if e.hop in hops else 0, default=None)
        if nearest is not None:
            self._enter("lost", nearest)
        else:
            self._enter("connected" if self._is_linked else "starting", None)

    def _enter(self, state: LinkState, error: DriverError | None) -> None:
        if self.state != state:
            self.state, self.since = state, self._clock.now()
        if state == "connected":
            self.lost_since = None
        elif state == "lost" and self.lost_since is None:
            self.lost_since = Moment(self._clock.now(), self._clock.monotonic())
        self.error = error

    def hops(self) -> list[HopHealth]:
        """Return the hops, nearest first."""
        if self.state == "starting":
            return [HopHealth(name, None) for name in self.manifest.hops]
        broken = self.error
        hops = self.manifest.hops
        dead = None if broken is None else broken.hop if broken.hop in hops else hops[0]
        result: list[HopHealth] = []
        for name in hops:
            if broken is not None and name == dead:
                result.append(HopHealth(name, ok=False, code=broken.code, message=broken.message, remedy=broken.remedy))
            elif result and result[-1].ok is not True:
                result.append(HopHealth(name, ok=None))
            else:
                result.append(HopHealth(name, ok=True))
        return result

    def sentence(self) -> str:
        """Say in one sentence how the instance is."""
        if self.error is not None:
            return f"{self.manifest.title}: {self.error.message}"
        words = {"starting": "connecting", "connected": "connected"}
        return f"{self.manifest.title}: {words.get(self.state, self.state)}."
