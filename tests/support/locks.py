"""A hub over a simulated network of locks, on a clock that stands, and ways to let time pass for both."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from hubd.core.codes.desk import Codes
from hubd.core.codes.wishes import Wish
from hubd.core.hub import Hub, Instance
from hubd.core.policy import Policy
from hubd.driver import DriverConfig, Manifest
from hubd.store.codes import CodeRecord
from tests.sims.locks import LockNetwork, SimLock
from tests.support.clock import ManualClock
from tests.support.hub import bare_hub, until
from tests.support.passing import pass_time, quiet

FIRST_READ = 60.0
"""Seconds that are more than enough for a new lock's slots to be read."""


class LockSite:
    """A running hub and its locks."""

    def __init__(self, hub: Hub, network: LockNetwork, clock: ManualClock) -> None:
        self.hub = hub
        self.network = network
        self.clock = clock

    @property
    def codes(self) -> Codes:
        """The hub's desk for codes."""
        return self.hub.codes

    def lock(self, native_id: str = "101") -> SimLock:
        """Return a lock."""
        return self.network.locks[native_id]

    def id_of(self, native_id: str = "101") -> str:
        """Return a device id."""
        (found,) = [d for d, r in self.hub.devices.items() if r.device.description.native_id == native_id]
        return found

    def at(self, **later: float) -> datetime:
        """Return a time that is so much later than now."""
        return self.clock.now() + timedelta(**later)

    async def wish(self, native_id: str = "101", **members: object) -> CodeRecord:
        """Wish a code, and return it once it is durable."""
        wish = Wish(device_id=self.id_of(native_id), **members)  # type: ignore[arg-type]
        return (await self.codes.create([wish], "test"))[0]

    async def status(self, code: CodeRecord) -> str:
        """Return the status of a code; `gone` once there is none such."""
        await self.quiet()
        known = self.hub.journal.tables.codes.get(code.code_id)
        return "gone" if known is None else self.codes.status(known)

    async def quiet(self) -> None:
        """Return when nothing happens without time passing."""
        await quiet(self.hub.journal)

    async def wait(self, seconds: float) -> None:
        """Let time pass, stopping wherever somebody waits for it."""
        await pass_time(self.clock, seconds, self.quiet)

    async def history(self, code: CodeRecord) -> list[str]:
        """Return the types of a code's history, oldest first."""
        sql = "SELECT type FROM code_history WHERE code_id = ? ORDER BY id"
        return [kind for (kind,) in await self.hub.journal.database.read(sql, (code.code_id,))]

    async def public(self) -> list[str]:
        """Return the public types of codes in the journal, in order."""
        rows = await self.hub.journal.rows(0, 100_000)
        return [row.public for row in rows if row.public is not None and row.public.startswith("access_code.")]


@asynccontextmanager
async def lock_site(
    path: Path,
    network: LockNetwork | None = None,
    *,
    clock: ManualClock | None = None,
    sweep_hours: float = 24.0,
    **site: Any,
) -> AsyncIterator[LockSite]:
    """Run a hub on a database, with a network; enters once every lock was announced. `site`: of the hub's site."""
    clock, network = clock or ManualClock(), network or LockNetwork(1)
    manifest = Manifest(
        type="sim", title="Simulated locks", config=DriverConfig, create=lambda _: network, hops=("stick",), budget=1
    )
    async with bare_hub(path, clock, code_sweep_hours=sweep_hours, **site) as hub:
        hub.add(Instance("radio", manifest, network, Policy(("lock",))))
        await until(lambda: hub.health["radio"].is_connected)
        await asyncio.sleep(0)
        yield LockSite(hub, network, clock)
