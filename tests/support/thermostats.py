"""A hub over a simulated network of thermostats, on a clock that stands, and ways to let time pass for both."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from hubd.core.climate.desk import Thermostats
from hubd.core.hub import Hub, Instance
from hubd.core.policy import Policy
from hubd.core.sources import Sources
from hubd.driver import DriverConfig, Manifest
from hubd.model import Climate, ClimateSetting
from hubd.store.climate import Preset, Schedule, ThermostatRecord
from hubd.store.records import Row
from tests.sims.thermostats import SimThermostat, ThermostatNetwork
from tests.support.clock import ManualClock
from tests.support.hub import bare_hub, until
from tests.support.passing import pass_time, quiet

ZONE = ZoneInfo("Europe/Berlin")


class ThermostatSite:
    """A running hub and its thermostats."""

    def __init__(self, hub: Hub, network: ThermostatNetwork, clock: ManualClock) -> None:
        self.hub = hub
        self.network = network
        self.clock = clock
        self._made = 0

    @property
    def desk(self) -> Thermostats:
        """The hub's desk for thermostats."""
        return self.hub.thermostats

    def thermostat(self, native_id: str = "1") -> SimThermostat:
        """Return a device."""
        return self.network.thermostats[native_id]

    def id_of(self, native_id: str = "1") -> str:
        """Return a device id."""
        (found,) = [d for d, r in self.hub.devices.items() if r.device.description.native_id == native_id]
        return found

    def record(self, native_id: str = "1") -> ThermostatRecord:
        """Return what the hub keeps of a thermostat."""
        return self.desk.get(self.id_of(native_id))

    def climate(self, native_id: str = "1") -> Climate:
        """Return how a thermostat stands, as the hub knows it."""
        known = self.hub.devices[self.id_of(native_id)].state.climate
        assert known is not None
        return known

    def at(self, **later: float) -> datetime:
        """Return a time that is so much later than now."""
        return self.clock.now() + timedelta(**later)

    async def set(self, native_id: str = "1", **members: Any) -> str:
        """Have a thermostat be set, and return the attempt."""
        return await self.desk.set(self.id_of(native_id), ClimateSetting(**members), "SET_HVAC_MODE", "test")

    async def preset(self, key: str, *, is_override_allowed: bool = True, **members: Any) -> None:
        """Make a climate preset of the first thermostat."""
        made = Preset(key, ClimateSetting(**members), is_override_allowed=is_override_allowed)
        await self.desk.create_preset(self.id_of(), made, "test")

    async def schedule(self, key: str, starts_at: datetime, ends_at: datetime, **members: Any) -> Schedule:
        """Make a schedule of the first thermostat."""
        self._made += 1
        known = Schedule(f"s{self._made}", self.id_of(), key, starts_at, ends_at, self.clock.now(), **members)
        return await self.desk.create_schedule(known, "test")

    async def attempt(self, attempt_id: str) -> str:
        """Return how an attempt stands: `pending`, `success` or its error."""
        found = await self.desk.attempt(attempt_id)
        assert found is not None
        return "pending" if found.ended_at is None else found.error or "success"

    async def quiet(self) -> None:
        """Return when nothing happens without time passing."""
        await quiet(self.hub.journal)

    async def wait(self, seconds: float) -> None:
        """Let time pass, stopping wherever somebody waits for it."""
        await pass_time(self.clock, seconds, self.quiet)

    async def rows(self) -> list[Row]:
        """Return the journal's rows about thermostats, in order."""
        return [row for row in await self.hub.journal.rows(0, 100_000) if row.type.startswith("thermostat.")]

    async def events(self) -> list[str]:
        """Return the types of these, without their first word."""
        return [row.type.removeprefix("thermostat.") for row in await self.rows()]

    async def public(self) -> list[str]:
        """Return their public types, in order."""
        return [row.public.removeprefix("thermostat.") for row in await self.rows() if row.public is not None]


@asynccontextmanager
async def thermostat_site(
    path: Path,
    network: ThermostatNetwork | None = None,
    *,
    clock: ManualClock | None = None,
    sources: Sources | None = None,
    **site: Any,
) -> AsyncIterator[ThermostatSite]:
    """Run a hub on a database, with a network; enters once every thermostat was announced. Again is a restart."""
    clock, network = clock or ManualClock(), network or ThermostatNetwork()
    manifest = Manifest(
        type="sim", title="Simulated site", config=DriverConfig, create=lambda _: network, hops=("stick",), budget=4
    )
    async with bare_hub(path, clock, sources, time_zone=ZONE.key, **site) as hub:
        hub.add(Instance("radio", manifest, network, Policy(("thermostat",))))
        await until(lambda: hub.health["radio"].is_connected)
        made = ThermostatSite(hub, network, clock)
        await made.quiet()
        yield made
