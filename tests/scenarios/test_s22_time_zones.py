"""S22: times with any offset, a night in which clocks change, clocks that are set, and a boot with a wrong clock."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.hubd.api.caller import HttpCaller
from tests.scenarios.client import client_of, until
from tests.scenarios.rooms import BERLIN as BERLIN_ZONE
from tests.scenarios.rooms import nothing_is_sent, room
from tests.support.clock import ManualClock
from tests.support.passing import pass_time, quiet
from tests.support.site import LiveSite, running_site
from tests.support.sources import Witnesses

pytestmark = pytest.mark.scenario

BERLIN = 'time_zone = "Europe/Berlin"'
LOCK = '[drivers.site]\ntype = "virtual"\nlocks = 1\nthermostats = 0\nlatency_ms = 0\n'
NIGHT = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
"""Half an hour before the clocks in Berlin go from two to three."""


class Night:
    """A daemon whose clock a test moves."""

    def __init__(self, site: LiveSite, clock: ManualClock) -> None:
        self.site = site
        self.clock = clock
        self.client: HttpCaller = client_of(site)
        (self.device_id,) = site.hub.devices

    async def create(self, starts_at: str, ends_at: str, **members: Any) -> dict[str, Any]:
        params = {"device_id": self.device_id, "starts_at": starts_at, "ends_at": ends_at, **members}
        created: dict[str, Any] = (await self.client.ok("/access_codes/create", params))["access_code"]
        return created

    async def until(self, at: datetime) -> None:
        """Let time pass until then."""
        await pass_time(self.clock, (at - self.clock.now()).total_seconds(), self._quiet)

    async def _quiet(self) -> None:
        """Return when nothing happens without time passing. A lock writes to a real disk: no exchange is under way."""
        await quiet(self.site.hub.journal, nothing_is_sent)

    async def tells(self, *types: str) -> None:
        """Return when exactly these events of codes were told; a lock keeps its codes on a real disk."""

        async def does() -> bool:
            return await self.told() == list(types)

        await until(does)

    async def told(self) -> list[str]:
        events = (await self.client.ok("/events/list", {"limit": 1000}))["events"]
        types = [event["event_type"] for event in events]
        return [one.removeprefix("access_code.") for one in types if one.startswith("access_code.")]


@asynccontextmanager
async def night(data_dir: Path, clock: ManualClock, witnesses: Witnesses | None = None) -> AsyncIterator[Night]:
    async with running_site(data_dir, LOCK, hub=BERLIN, clock=clock, sources=witnesses) as site:
        yield Night(site, clock)


async def test_s22_a_code_over_the_night_in_which_the_clocks_change(tmp_path: Path) -> None:
    clock = ManualClock(NIGHT)
    async with night(tmp_path, clock) as here:
        code = await here.create("2026-03-29T01:45:00+01:00", "2026-03-29T03:15:00+02:00")
        assert (code["starts_at"], code["ends_at"]) == ("2026-03-29T00:45:00Z", "2026-03-29T01:15:00Z")
        await here.until(NIGHT + timedelta(minutes=14, seconds=59))
        assert await here.told() == ["created"]
        await here.until(NIGHT + timedelta(minutes=15, seconds=15))
        await here.tells("created", "set_on_device")
        await here.until(NIGHT + timedelta(minutes=44, seconds=59))
        assert await here.told() == ["created", "set_on_device"]
        await here.until(NIGHT + timedelta(minutes=45, seconds=15))
        await here.tells("created", "set_on_device", "removed_from_device", "deleted")


@pytest.mark.parametrize("offset", ["Z", "+00:00", "+05:45", "-03:30", "+14:00"])
async def test_s22_any_offset_is_the_same_instant(tmp_path: Path, offset: str) -> None:
    async with night(tmp_path, ManualClock(NIGHT)) as here:
        zone = datetime.fromisoformat(f"2026-01-01T00:00:00{offset}").tzinfo
        starts, ends = (NIGHT + timedelta(hours=1)).astimezone(zone), (NIGHT + timedelta(hours=2)).astimezone(zone)
        code = await here.create(starts.isoformat(), ends.isoformat())
        assert (code["starts_at"], code["ends_at"]) == ("2026-03-29T01:30:00Z", "2026-03-29T02:30:00Z")


async def test_s22_a_time_without_an_offset_is_refused(tmp_path: Path) -> None:
    async with night(tmp_path, ManualClock(NIGHT)) as here:
        params = {"device_id": here.device_id, "starts_at": "2026-03-29T03:00:00", "ends_at": "2026-03-29T04:00:00Z"}
        await here.client.wrong("starts_at", "/access_codes/create", params)


@pytest.mark.parametrize("step", [-50.0, 50.0])
async def test_s22_a_step_of_the_clock_neither_loses_nor_repeats(tmp_path: Path, step: float) -> None:
    clock = ManualClock(NIGHT)
    async with night(tmp_path, clock, Witnesses(synchronised=True)) as here:
        starts, ends = NIGHT + timedelta(minutes=10), NIGHT + timedelta(minutes=30)
        await here.create(starts.isoformat(), ends.isoformat())
        for boundary in (starts, ends):
            await here.until(boundary - timedelta(seconds=20))
            clock.step(step)
            await here.until(boundary + timedelta(seconds=15))
            clock.step(-step)
            await here.until(boundary + timedelta(minutes=3))
        await here.tells("created", "set_on_device", "removed_from_device", "deleted")


async def test_s22_a_boot_with_a_wrong_clock_removes_what_is_over_and_lets_nobody_in(tmp_path: Path) -> None:
    clock, starts, ends = ManualClock(NIGHT), NIGHT + timedelta(minutes=10), NIGHT + timedelta(minutes=30)
    async with night(tmp_path, clock, Witnesses()) as here:
        await here.create(starts.isoformat(), ends.isoformat(), name="leaving")
        await here.until(starts + timedelta(seconds=15))
        arriving = await here.create((ends + timedelta(hours=1)).isoformat(), (ends + timedelta(hours=9)).isoformat())
        await here.tells("created", "set_on_device", "created")
        await here.until(ends - timedelta(seconds=2))
    clock.step(-3600.0)
    witnesses = Witnesses("boot-2")
    async with night(tmp_path, clock, witnesses) as here:
        await here.until(clock.now() + timedelta(minutes=3))  # what is surely past was written up to a minute before
        before = ("removed_from_device", "created", "set_on_device", "created")
        await here.tells(*before)  # in the order of their times, of which the first is wrong
        parts = (await here.client.ok("/health", token=""))["service_health_statuses"]
        assert {part["service"]: part["status"] for part in parts}["clock"] == "degraded"
        clock.step(3600.0 * 3)
        await here.until(clock.now() + timedelta(minutes=5))
        waiting = await here.client.ok("/access_codes/get", {"access_code_id": arriving["access_code_id"]})
        assert (await here.told()).count("set_on_device") == 1
        assert "time" in waiting["access_code"]["pending_mutations"][0]["message"]
        witnesses.synchronised = True
        await here.until(clock.now() + timedelta(minutes=1))
        await here.tells(*before, "deleted", "delay_in_setting_on_device", "set_on_device")


# -- thermostats

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WARM: dict[str, Any] = {"hvac_mode_setting": "heat", "heating_set_point_celsius": 21}
COOL: dict[str, Any] = {"hvac_mode_setting": "heat", "heating_set_point_celsius": 17}


@pytest.mark.parametrize(
    ("evening", "changes"),
    [  # the clocks skip half past two: the period begins when they are set forward, and lasts as long as it is shown
        ("2026-03-28T21:00:00+01:00", [("22:00:00", 17.0), ("03:00:00", 21.0), ("06:00:00", 17.0)]),
        # they show it twice: it begins the first time, and only then
        ("2026-10-24T21:00:00+02:00", [("22:00:00", 17.0), ("02:30:00", 21.0), ("06:00:00", 17.0)]),
    ],
)
async def test_a_program_goes_by_the_clocks_on_the_wall(
    tmp_path: Path, evening: str, changes: list[tuple[str, float]]
) -> None:
    start = datetime.fromisoformat(evening).astimezone(UTC)
    async with room(tmp_path, start) as there:
        await there.preset("warm", **WARM)
        await there.preset("cool", **COOL)
        starts = {"02:30:00": "warm", "06:00:00": "cool", "22:00:00": "cool"}
        periods = [{"starts_at_time": clock, "climate_preset_key": key} for clock, key in starts.items()]
        made = (await there.post("daily_programs/create", name="Day", periods=periods))["thermostat_daily_program"]
        week = {f"{day}_program_id": made["thermostat_daily_program_id"] for day in DAYS}
        await there.post("update_weekly_program", **week)
        await there.wait(hours=11)
        told = await there.told("climate_preset_activated")
        found = []
        for event in told[1:]:
            at = datetime.fromisoformat(event["occurred_at"]).astimezone(BERLIN_ZONE)
            found.append((f"{at:%H:%M:%S}", 21.0 if event["climate_preset_key"] == "warm" else 17.0))
        assert found == changes
        assert datetime.fromisoformat(told[-2]["occurred_at"]) - start in {timedelta(hours=5), timedelta(hours=5.5)}


async def test_a_schedule_is_taken_with_any_offset_and_shown_in_utc(tmp_path: Path) -> None:
    async with room(tmp_path) as there:
        await there.preset("warm", **WARM)
        made = await there.schedule("warm", "2026-03-29T01:30:00+05:30", "2026-03-29T00:00:00-03:00")
        assert (made["starts_at"], made["ends_at"]) == ("2026-03-28T20:00:00Z", "2026-03-29T03:00:00Z")


async def test_a_clock_that_is_not_known_begins_no_plan_and_keeps_the_one_in_force(tmp_path: Path) -> None:
    async with room(tmp_path, witnesses=Witnesses(synchronised=True)) as there:
        await there.preset("warm", **WARM)
        await there.schedule("warm", there.at(hours=1), there.at(hours=2))
        await there.wait(minutes=1)
        clock = there.clock
    clock.step(90 * 60)
    async with room(tmp_path, clock=clock, witnesses=Witnesses("boot-2")) as there:
        await there.wait(minutes=5)
        assert (await there.properties())["active_thermostat_schedule"] is None
        await there.client.ok("/hub/clock/confirm")
        await there.wait(seconds=5)
        shown = (await there.properties())["active_thermostat_schedule"]
        assert shown["climate_preset_key"] == "warm"
