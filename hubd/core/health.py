"""Live health of a driver instance, hop by hop. What is durable of it is `HopLost` and `HopBack`."""

from datetime import datetime
from typing import Literal

import msgspec

from hubd.driver.clock import Clock
from hubd.driver.protocol import DriverError, Manifest

type LinkState = Literal["starting", "connected", "lost", "not_configured"]


class HopHealth(msgspec.Struct, frozen=True):
    """One hop as the page and `/hub/health` show it. A hop behind a broken one is not judged (`ok` None)."""

    name: str
    ok: bool | None
    code: str | None = None
    message: str | None = None
    remedy: str | None = None


class InstanceHealth:
    """Changes as the supervisor and the driver tell it; read by everybody."""

    def __init__(self, instance: str, manifest: Manifest, clock: Clock) -> None:
        self.instance = instance
        self.manifest = manifest
        self.state: LinkState = "starting"
        self.since: datetime = clock.now()
        self.error: DriverError | None = None
        self.next_try_at: datetime | None = None
        self.attempts = 0
        """Failed lives in a row."""
        self._clock = clock

    @property
    def is_connected(self) -> bool:
        """Whether commands can reach the devices."""
        return self.state == "connected"

    def connected(self) -> None:
        """Every hop works."""
        if self.state != "connected":
            self.state, self.since = "connected", self._clock.now()
        self.error, self.next_try_at, self.attempts = None, None, 0

    def lost(self, error: DriverError) -> None:
        """A hop is gone."""
        if self.state != "lost":
            self.state, self.since = "lost", self._clock.now()
        self.error = error

    def hops(self) -> list[HopHealth]:
        """Return the hops, nearest first."""
        if self.state == "starting":
            return [HopHealth(name, None) for name in self.manifest.hops]
        broken = self.error
        result: list[HopHealth] = []
        for name in self.manifest.hops:
            if broken is not None and name == broken.hop:
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
