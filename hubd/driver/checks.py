"""Set-up checks: what a driver asks of the way to its devices, one question at a time, and changes nothing by it.

A manifest names them as `doctor`. `hubd doctor` runs them without a hub, and a running hub as the action `check`.
"""

from collections.abc import AsyncGenerator, Callable
from typing import Any, Final, Literal

import msgspec

from hubd.driver.clock import Clock

type Verdict = Literal["ok", "warning", "failed", "skipped"]
"""`warning`: it works, and somebody should look at it; `skipped`: it was not asked, for the reason in the evidence."""

CHECK: Final = "check"
"""The name of the action that a manifest with `doctor` gets; it may not list one of its own with this name."""


class Finding(msgspec.Struct, frozen=True):
    """What one check found."""

    hop: str
    """One of the manifest's hops: the one that is to blame when the check fails."""
    check: str
    """Its title: "Port". The same each time."""
    verdict: Verdict
    evidence: str
    """What was seen, in one sentence with its figures: "192.0.2.7 took the connection on port 443 after 3 ms." """
    code: str = ""
    """Stable; empty if all is well."""
    remedy: str = ""
    """What a technician does next, in one or two sentences."""

    @property
    def passed(self) -> bool:
        """Whether what builds on it can be checked."""
        return self.verdict in {"ok", "warning"}


class CheckPort(msgspec.Struct, frozen=True):
    """All that a check sees of the hub."""

    instance: str
    """The `<id>` of the driver's `[drivers.<id>]` table."""
    clock: Clock


type Doctor = Callable[[Any, CheckPort], AsyncGenerator[Finding]]
"""An async generator function: takes an instance of the manifest's `config`, and yields each finding as it is made.

There may be no hub, and no driver instance; while there is one, its connection stays as it is. Nothing on the site is
changed. Each question has a time-out of its own. A `DriverError` that it raises ends it as a failed check.
"""


def skipped(hop: str, *checks: str, because: str) -> tuple[Finding, ...]:
    """Return the findings of checks that are not made; `because` is a sentence."""
    return tuple(Finding(hop, check, "skipped", because) for check in checks)
