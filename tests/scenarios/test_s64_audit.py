"""S64, the audit trail: every opening and refusal is an event, once, with person, door, method and the right time.

However often either side restarts, breaks or is killed, whichever zone its clock is in and however it pages.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hubd_drivers.salto_space.sim import Operation, Quirks, Site, add_history, demo_site
from hubd_drivers.salto_space.sim.people import subject
from hubd_drivers.salto_space.sim.trail import Happening

from tests.hubd.api.harness import ShiftedClock
from tests.scenarios.client import client_of, until
from tests.scenarios.space import (
    NOTICED,
    TRANSPORTS,
    Premises,
    at_home,
    premises,
    premises_of_process,
    served,
    table,
)
from tests.support.process import DaemonProcess
from tests.support.site import running_site

pytestmark = [pytest.mark.scenario, pytest.mark.timeout(90)]

READ = "SaltoDBAuditTrail.Read"
ANA, DOOR = "Ana García 0", "Main entrance"
NEW_YORK = ZoneInfo("America/New_York")


def uses(site: Site, chance: random.Random, *, at: datetime | None = None) -> None:
    """Have somebody use some door; with a time, as that door's lock will have it."""
    people = [user for user in site.users if user.is_set("CurrentKeyExists")]
    place, user = chance.choice(list(site.places())), chance.choice(people)
    when = site.now() if at is None else at
    site.trail.add(Happening(when, chance.choice((17, 16, 84, 87, 28, 60)), place.id, place.name, subject(user)))


@pytest.mark.parametrize("way", list(TRANSPORTS))
async def test_who_where_how_and_when(way: str, tmp_path: Path) -> None:
    site = demo_site(zone=NEW_YORK)
    async with premises(tmp_path, TRANSPORTS[way], site=site, time_zone="America/New_York") as home:
        person, ana = home.space.person, site.user_id(ANA)
        before = datetime.now(UTC).replace(microsecond=0)
        person.opens(site.door_id(DOOR), ana)
        person.opens(site.door_id("Garage"), ana, is_exit=True)
        person.goes_out(site.door_id("Pool"))
        site.happens(Operation.OPENED_BY_PIN, site.door_id("Gym"), subject(site.users[ana]))
        site.happens(Operation.OPENED_WITH_MECHANICAL_KEY, site.door_id("Spa"))
        await home.hears_all()
        after = datetime.now(UTC)

        ids = {name: one["acs_entrance_id"] for name, one in (await home.entrances()).items()}
        acs_user_id = await home.acs_user_id(ANA)
        events = await home.events("lock.unlocked", "lock.access_denied")
        seen = [(e["event_type"], e["acs_entrance_id"], e.get("method"), e.get("acs_user_id")) for e in events]
        assert seen == [
            ("lock.unlocked", ids[DOOR], "card", acs_user_id),
            ("lock.access_denied", ids["Garage"], None, acs_user_id),
            ("lock.unlocked", ids["Pool"], "manual", None),
            ("lock.unlocked", ids["Gym"], "keycode", acs_user_id),
            ("lock.unlocked", ids["Spa"], "manual", None),
        ]
        for event in events:
            assert before <= datetime.fromisoformat(event["occurred_at"]) <= after
            assert "device_id" not in event
        assert [row["body"]["is_exit"] for row in await home.audited() if "is_exit" in row["body"]][:1] == [True]


@asynccontextmanager
async def night(folder: Path, quirks: Quirks | None = None) -> AsyncIterator[tuple[Premises, ShiftedClock]]:
    """Have it be the morning after the clocks of Madrid went back, at 01:00 UTC on 25 October 2026."""
    clock = ShiftedClock()
    clock.ahead = datetime(2026, 10, 25, 5, 0, tzinfo=UTC) - datetime.now(UTC)
    site = demo_site(now=clock.now)
    add_history(site, 20, days=0.1)
    async with served(site=site, quirks=quirks) as space:
        drivers = await table(space, TRANSPORTS["stp"], folder)
        async with running_site(folder / "data", drivers, clock=clock) as live:
            yield Premises(space, client_of(live), live), clock


MINUTES = (-150, -90, -61, -59, -31, -1, 1, 29, 59, 61, 90, 150)
"""Before and after the clocks go back. From an hour before until an hour after, a wall clock cannot tell which."""


@pytest.mark.parametrize("ignored", [False, True])
async def test_the_night_in_which_the_clocks_go_back(ignored: bool, tmp_path: Path) -> None:  # noqa: FBT001
    async with night(tmp_path, Quirks(utc_ignored=ignored)) as (home, _):
        floor, change = home.floor, datetime(2026, 10, 25, 1, 0, tzinfo=UTC)
        times = [change + timedelta(minutes=minutes, seconds=7) for minutes in MINUTES]
        door, ana = floor.door_id("Kitchen"), floor.users[floor.user_id(ANA)]
        for at in times:
            floor.trail.add(Happening(at, Operation.OPENED_WITH_KEY, door, "Kitchen", subject(ana)))
        await home.hears_all()
        told = [datetime.fromisoformat(row["occurred_at"]) for row in await home.audited()]
        assert len(told) == len(times)
        for minutes, wanted, found in zip(MINUTES, times, told, strict=True):
            is_twice = ignored and -60 <= minutes < 60  # the hour that a wall clock shows twice
            assert abs(found - wanted) <= (timedelta(hours=1) if is_twice else timedelta()), minutes


async def test_a_server_in_another_zone_that_ignores_the_wish_for_utc(tmp_path: Path) -> None:
    site = demo_site(zone=NEW_YORK)
    quirks = Quirks(utc_ignored=True)
    async with premises(tmp_path, site=site, quirks=quirks, time_zone="America/New_York") as home:
        before = datetime.now(UTC).replace(microsecond=0)
        home.space.person.opens(site.door_id(DOOR), site.user_id(ANA))
        await home.hears_all()
        (event,) = await home.events("lock.unlocked")
        assert before <= datetime.fromisoformat(event["occurred_at"]) <= datetime.now(UTC)


@pytest.mark.parametrize(
    "quirks",
    [
        Quirks(),
        Quirks(descending="ignored", audit_eof=True),
        Quirks(descending="start_is_floor", page_cap=7),
        Quirks(page_start="exclusive", eof="late"),
    ],
    ids=["usual", "ignored", "floor-capped", "exclusive"],
)
async def test_the_past_is_not_told_and_many_lines_at_once_all_are(quirks: Quirks, tmp_path: Path) -> None:
    site = demo_site()
    await asyncio.to_thread(add_history, site, 300)
    async with premises(tmp_path, site=site, quirks=quirks, page_size=50) as home:
        assert await home.told() == []
        chance = random.Random(64)
        for _ in range(333):
            uses(site, chance)
        await home.hears_all()


async def test_what_nobody_knows_is_told_all_the_same(tmp_path: Path) -> None:
    """A number without a known meaning, a door that is no more, a person who was never there."""
    async with premises(tmp_path) as home:
        floor = home.floor
        ana = subject(floor.users[floor.user_id(ANA)])
        floor.trail.add(Happening(floor.now(), 4711, floor.door_id(DOOR), DOOR, ana))
        floor.trail.add(Happening(floor.now(), Operation.OPENED_WITH_KEY, "NOWHERE", "Old shed", ana))
        stranger = ana._replace(id="GHOST", name="Nobody", card="04")
        floor.trail.add(Happening(floor.now(), Operation.OPENED_WITH_KEY, floor.door_id(DOOR), DOOR, stranger))
        await home.hears_all()
        first, second, third = await home.audited()
        assert (first["body"]["operation"], first["body"]["name"]) == (4711, "operation 4711")
        assert (second["device_id"], second["body"]["entrance_name"]) == (None, "NOWHERE")
        assert third["event_type"] == "lock.unlocked"
        assert len(await home.events("lock.unlocked", "lock.access_denied")) == len([second, third])


async def test_a_new_door_is_known_before_its_first_line(tmp_path: Path) -> None:
    async with premises(tmp_path, sync_seconds=3600.0) as home:
        door = home.space.operator.add_door("Just built")
        user = home.floor.users[home.floor.user_id(ANA)]
        home.floor.trail.add(Happening(home.floor.now(), 17, door, "Just built", subject(user)))
        await home.hears_all()
        (event,) = await home.events("lock.unlocked")
        assert event["acs_entrance_id"] == (await home.entrance("Just built"))["acs_entrance_id"]


async def test_a_trail_that_was_purged_is_said_and_nothing_is_repeated(tmp_path: Path) -> None:
    async with premises(tmp_path, hub="offline_grace_seconds = 0") as home:
        chance = random.Random(1)
        for _ in range(20):
            uses(home.floor, chance)
        await home.hears_all()
        told = await home.told()
        await home.space.stop()
        await until(home.is_cut_off, NOTICED)
        for _ in range(10):
            uses(home.floor, chance)
        left = home.floor.trail.events[-4:]
        home.floor.trail.purge(left[0].id)
        await home.space.start()
        await until(home.is_connected, 30.0)

        async def has_all() -> bool:
            return len(await home.told()) == len(told) + len(left)

        await until(has_all, NOTICED)
        assert await home.told() == told + [str(one.id) for one in left]
        warnings = {one["hub_code"] for one in (await home.system())["warnings"]}
        assert warnings == {"audit_trail_gap"}


async def life_at(site: Site, chance: random.Random, seconds: float = 0.01) -> None:
    """Go on using doors until cancelled."""
    while True:
        uses(site, chance)
        await asyncio.sleep(seconds)


@pytest.mark.parametrize("way", list(TRANSPORTS))
async def test_no_line_twice_and_none_lost_whoever_restarts_or_crashes(way: str, tmp_path: Path) -> None:
    """The hub is killed at every stage of its work on the trail, the server restarts, and people go on."""
    chance = random.Random(f"64 {way}")
    async with premises_of_process(tmp_path, TRANSPORTS[way], page_size=10) as (space, daemon):
        begun_at = space.site.trail.last_id
        async with at_home(space, daemon) as home:
            await home.hears_all()
        people = asyncio.create_task(life_at(space.site, chance))
        try:
            for number in range(7):
                await trouble(number, space, daemon, chance)
        finally:
            people.cancel()
            await asyncio.wait({people})
        async with at_home(space, daemon, begun_at) as home:
            await home.hears_all(30.0)
            assert len(await home.told()) > 100  # there was something to lose
            assert max(Counter(await home.told()).values()) == 1


async def trouble(number: int, space: Any, daemon: DaemonProcess, chance: random.Random) -> None:
    """Have something go wrong; both run again afterwards."""
    await asyncio.sleep(chance.uniform(0.05, 0.4))
    if number % 3 == 0:  # killed while a page is on its way
        hold = space.faults.hold(READ, after=True)
        async with asyncio.timeout(NOTICED):
            await hold.reached.wait()
        hold.release()
        await asyncio.sleep(chance.uniform(0.0, 0.02))  # between the page and the disk
        await daemon.kill()
        await daemon.start()
    elif number % 3 == 1:
        await space.stop()
        await asyncio.sleep(chance.uniform(0.0, 0.3))
        await space.start()
    else:
        space.faults.drop_reply(READ)
        assert await daemon.stop() == 0
        await daemon.start()


@pytest.mark.soak
@pytest.mark.timeout(1800)
async def test_no_line_twice_and_none_lost_in_sixty_crashes(tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # noqa: T201 - shown when it fails, so that it can be repeated
    chance = random.Random(seed)
    async with premises_of_process(tmp_path, TRANSPORTS["stp"], page_size=10) as (space, daemon):
        begun_at = space.site.trail.last_id
        async with at_home(space, daemon):
            people = asyncio.create_task(life_at(space.site, chance))
        for _ in range(60):
            await trouble(chance.randrange(3), space, daemon, chance)
        people.cancel()
        await asyncio.wait({people})
        async with at_home(space, daemon, begun_at) as home:
            await home.hears_all(60.0)
