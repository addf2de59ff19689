"""Around and around."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hubd_drivers.salto_space.people import People
from hubd_drivers.salto_space.roster import Roster
from hubd_drivers.salto_space.sim import Site, Space, Stp, demo_site
from hubd_drivers.salto_space.sync import Sync
from hubd_drivers.salto_space.wallclock import CLOCK_OFF, ZONE_WRONG

from hubd.driver.contract import RecordingPort
from tests.drivers.salto_space.linked import config_for, linked
from tests.drivers.salto_space.living import groups, users

PAGES = 1 + 1 + 5 + 4 + 2 + 1 + 1
"""Of the demo site by four: zones, access levels, users, doors, rooms, suites, lockers."""


class Bench(NamedTuple):
    space: Space
    port: RecordingPort
    sync: Sync
    writing: asyncio.Lock


@asynccontextmanager
async def bench(site: Site | None = None, **keys: Any) -> AsyncIterator[Bench]:
    async with linked(site=site) as (client, space):
        config = await config_for(space.port, Stp(), **({"page_size": 4} | keys))
        port, roster, writing = RecordingPort(), Roster(config), asyncio.Lock()
        roster.connect(port)
        sync = Sync(client, port, config, People(config), roster, writing)
        await roster.announce(client, port)
        await sync.read_people()
        yield Bench(space, port, sync, writing)


async def test_a_step_is_one_question_and_a_round_has_everything() -> None:
    async with bench() as b:
        b.space.counters.clear()
        b.port.noted.clear()
        names: list[str] = []
        for _ in range(PAGES + 1):
            before = dict(b.space.counters.requests)
            await b.sync.step()
            (name,) = [one for one, count in b.space.counters.requests.items() if count != before.get(one, 0)]
            names.append(name)
        assert b.space.counters.total == PAGES + 1
        assert len(set(names)) == 8
        assert names[-1] == "GetInfo"
        assert b.port.noted == []


async def test_a_round_takes_as_long_as_the_config_says() -> None:
    async with bench(sync_seconds=300.0, poll_seconds=1.0) as b:
        assert 300 / (PAGES + 3) <= b.sync.pause <= 300 / (PAGES - 3)
    async with bench(sync_seconds=10.0, poll_seconds=5.0) as b:
        assert b.sync.pause == 5.0, "never more questions than polls"


async def test_what_operators_do_shows_within_a_round() -> None:
    async with bench() as b:
        operator, site = b.space.operator, b.space.site
        user, group = site.user_id("Ana"), site.group_id("Guests")
        operator.rename_user(user, "Eva", "Ruiz")
        operator.rename_group(group, "Visitors")
        gone = site.user_id("Mary")
        operator.delete_user(gone)
        door = operator.add_door("New door")
        for _ in range(PAGES + 1):
            await b.sync.step()
        assert users(b.port)[user].full_name == "Eva Ruiz"
        assert gone not in users(b.port)
        assert groups(b.port)[group].name == "Visitors"
        assert b.port.devices[door].name == "New door"


async def test_no_page_is_told_while_somebody_edits() -> None:
    async with bench() as b:
        async with b.writing:
            task = asyncio.create_task(b.sync.step())
            for _ in range(20):
                await asyncio.sleep(0)
            before = b.space.counters.total
            await asyncio.sleep(0.05)
            assert b.space.counters.total == before
        await task


@pytest.mark.parametrize(
    ("zone", "code"), [("Europe/Madrid", None), ("Europe/London", ZONE_WRONG), ("Asia/Tokyo", ZONE_WRONG)]
)
async def test_a_wrong_zone_is_told(zone: str, code: str | None) -> None:
    site = demo_site(zone=await asyncio.to_thread(ZoneInfo, zone))
    async with bench(site) as b:
        await b.sync.check_clock()
        assert list(b.port.cautions) == ([code] if code else [])
        site.zone = await asyncio.to_thread(ZoneInfo, "Europe/Madrid")
        await b.sync.check_clock()
        assert not b.port.cautions


async def test_a_clock_that_is_off_is_told_where_the_hub_s_is_relied_on() -> None:
    site = demo_site(now=lambda: datetime(2020, 1, 1, tzinfo=UTC))
    async with bench(site) as b:
        await b.sync.check_clock()
        assert list(b.port.cautions) == [CLOCK_OFF]
        b.port.cautions.clear()
        b.port.is_time_trusted = False
        await b.sync.check_clock()
        assert not b.port.cautions
