"""A virtual thermostat behind the whole daemon, on a clock that a test moves, and people who turn its knob."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tests.hubd.api.caller import HttpCaller
from tests.scenarios.client import client_of, until
from tests.support.clock import ManualClock
from tests.support.passing import pass_time, quiet
from tests.support.site import LiveSite, running_site
from tests.support.sources import Witnesses

BERLIN = ZoneInfo("Europe/Berlin")
MORNING = datetime(2026, 2, 3, 8, 7, tzinfo=UTC)
"""Seven past nine in Berlin: no time at which a program of a device would do anything."""

type Json = dict[str, Any]


def berlin(text: str) -> datetime:
    """Return what the clocks of Berlin show; of a time that comes twice, the first."""
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC)


class Room:
    """A thermostat as the API shows it. Every answer is judged by the official schema."""

    def __init__(self, site: LiveSite, clock: ManualClock) -> None:
        self.site = site
        self.clock = clock
        self.client: HttpCaller = client_of(site)
        (self.device_id,) = (
            d for d, r in site.hub.devices.items() if r.device.description.capabilities.thermostat is not None
        )

    def at(self, **later: float) -> str:
        """Return a time that is so much later than now, as the API takes it."""
        return (self.clock.now() + timedelta(**later)).isoformat()

    async def post(self, path: str, **members: Any) -> Json:
        """Call a route about the thermostat, and return its answer."""
        body = {"device_id": self.device_id, **members}
        answer: Json = await self.client.ok(f"/thermostats/{path}", body)
        return answer

    async def refused(self, path: str, **members: Any) -> str:
        """Call a route that refuses, and return the type of the error."""
        answer = await self.client.call(f"/thermostats/{path}", {"device_id": self.device_id, **members})
        assert 400 <= answer.status < 500
        return str(answer.body["error"]["type"])

    async def preset(self, key: str, **members: Any) -> None:
        """Make a climate preset."""
        await self.post("create_climate_preset", climate_preset_key=key, **members)

    async def schedule(self, key: str, starts_at: str, ends_at: str, **members: Any) -> Json:
        """Make a schedule."""
        body = {"climate_preset_key": key, "starts_at": starts_at, "ends_at": ends_at, **members}
        made: Json = (await self.post("schedules/create", **body))["thermostat_schedule"]
        return made

    async def properties(self) -> Json:
        """Return the properties of the device."""
        answer = await self.client.ok("/devices/get", {"device_id": self.device_id})
        found: Json = answer["device"]["properties"]
        return found

    async def setting(self) -> tuple[Any, ...]:
        """Return mode and set-points as shown."""
        current = (await self.properties())["current_climate_setting"]
        points = (current.get(f"{kind}_set_point_celsius") for kind in ("heating", "cooling"))
        return current["hvac_mode_setting"], *(point for point in points if point is not None)

    async def turn(self, mode: str, **members: Any) -> None:
        """Have somebody turn the knob."""
        await self.post("simulate/hvac_mode_adjusted", hvac_mode=mode, **members)
        await self.quiet()

    async def warm(self, celsius: float) -> None:
        """Have the room be so warm."""
        await self.post("simulate/temperature_reached", temperature_celsius=celsius)
        await self.quiet()

    async def told(self, *types: str) -> list[Json]:
        """Return the events of the thermostat, of these types if any are given, oldest first."""
        found = (await self.client.ok("/events/list", {"device_id": self.device_id, "limit": 1000}))["events"]
        names = [event["event_type"].removeprefix("thermostat.") for event in found]
        return [event for event, name in zip(found, names, strict=True) if not types or name in types]

    async def wait(self, **span: float) -> None:
        """Let so much time pass."""
        await self.until(self.clock.now() + timedelta(**span))

    async def until(self, at: datetime) -> None:
        """Let time pass until then."""
        await pass_time(self.clock, (at - self.clock.now()).total_seconds(), self.quiet)

    async def quiet(self) -> None:
        """Return when nothing happens without time passing."""
        await quiet(self.site.hub.journal, nothing_is_sent)


async def nothing_is_sent() -> None:
    """Return when no exchange about codes or settings is under way."""

    async def is_still() -> bool:
        return not any(task.get_name().startswith(("codes-", "thermostat-")) for task in asyncio.all_tasks())

    await until(is_still)


@asynccontextmanager
async def room(
    data_dir: Path,
    start: datetime = MORNING,
    *,
    clock: ManualClock | None = None,
    witnesses: Witnesses | None = None,
    **keys: Any,
) -> AsyncIterator[Room]:
    """Run the daemon with one virtual thermostat; `keys` are of its driver. Again on the same folder is a restart."""
    clock = clock or ManualClock(start)
    lines = "".join(
        f"{name} = {str(value).lower() if isinstance(value, bool) else repr(value)}\n" for name, value in keys.items()
    )
    driver = f'[drivers.site]\ntype = "virtual"\nlocks = 0\nthermostats = 1\nlatency_ms = 0\n{lines}'
    async with running_site(
        data_dir, driver, hub='time_zone = "Europe/Berlin"', clock=clock, sources=witnesses
    ) as site:
        made = Room(site, clock)
        await made.quiet()
        yield made
