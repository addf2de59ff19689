"""S61, standalone doors: no remote unlock, and they say so; what happened at them comes late, with its own time."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hubd_drivers.salto_space.sim import Operation, Quirks, Wiring, demo_site

from tests.hubd.api.harness import ShiftedClock
from tests.scenarios.client import client_of
from tests.scenarios.space import TRANSPORTS, Premises, premises, served, table
from tests.support.site import running_site

pytestmark = pytest.mark.scenario

STANDALONE, ONLINE = "Plant room", "Main entrance"


@pytest.mark.parametrize("way", list(TRANSPORTS))
async def test_a_standalone_door_has_no_remote_unlock_and_says_so(way: str, tmp_path: Path) -> None:
    async with premises(tmp_path, TRANSPORTS[way]) as home:
        entrances = await home.entrances()
        wiring = {place.name: home.floor.locks[place.id].wiring for place in home.floor.places()}
        for name, one in entrances.items():
            is_offline = wiring[name] is Wiring.OFFLINE
            assert one["can_unlock_with_cloud_key"] is not is_offline, name
            assert one["can_unlock_with_card"] is True
            assert one["errors"] == [], "nothing is wrong with it"
            assert ("standalone" in {w.get("hub_code") for w in one["warnings"]}) is is_offline, name
        body = {"acs_entrance_id": entrances[STANDALONE]["acs_entrance_id"]}
        error = await home.client.refused("/acs/entrances/unlock", body)
        assert (error["status"], error["type"]) == (400, "not_supported")
        assert "cannot be opened from afar" in error["message"]
        assert home.space.counters.requests["OnlineDoor.Open"] == 0


@pytest.mark.parametrize(
    "quirks",
    [Quirks(unknown_door="missing"), Quirks(unknown_door="error"), Quirks(page_start="exclusive")],
    ids=["missing", "error", "exclusive"],
)
async def test_whichever_way_the_server_tells_of_them(quirks: Quirks, tmp_path: Path) -> None:
    async with premises(tmp_path, quirks=quirks) as home:
        shown = {name: one["can_unlock_with_cloud_key"] for name, one in (await home.entrances()).items()}
        locks = home.floor.locks
        assert shown == {place.name: locks[place.id].wiring is not Wiring.OFFLINE for place in home.floor.places()}


async def test_a_door_that_gets_wired_can_be_opened_from_then_on(tmp_path: Path) -> None:
    async with premises(tmp_path) as home:
        lock = home.floor.locks[home.floor.door_id(STANDALONE)]
        lock.wiring, lock.is_connected = Wiring.WIRED, True

        async def can_be_opened() -> bool:
            return bool((await home.entrance(STANDALONE))["can_unlock_with_cloud_key"])

        await home.sees(can_be_opened)
        assert await home.warnings(STANDALONE) == set()
        assert (await home.unlock(STANDALONE))["status"] == "success"
        assert home.space.opened[-1].door_id == home.floor.door_id(STANDALONE)


async def test_what_happened_at_them_comes_late_with_its_own_time(tmp_path: Path) -> None:
    clock = ShiftedClock()
    site = demo_site(now=clock.now)
    async with served(site=site) as space:
        drivers = await table(space, TRANSPORTS["stp"], tmp_path)
        async with running_site(tmp_path / "data", drivers, clock=clock) as live:
            home = Premises(space, client_of(live), live)
            door, user = site.door_id(STANDALONE), site.user_id("Łukasz García 3")
            clock.ahead = -timedelta(hours=5)
            used_at = datetime.now(UTC) - timedelta(hours=5)
            assert space.person.opens(door, user) is Operation.OPENED_WITH_KEY
            space.person.tampers(door)
            clock.ahead = timedelta()
            assert space.person.opens(site.door_id(ONLINE), site.user_id("Ana García 0")) is Operation.OPENED_WITH_KEY
            await home.hears_all()
            assert len(await home.told()) == 1, "nobody has been at the standalone door yet"
            space.operator.collects(door)
            await home.hears_all()
            first, second = [row for row in await home.audited() if row["body"]["operation"] in {17, 61}][-2:]
            for row in (first, second):
                assert abs(datetime.fromisoformat(row["occurred_at"]) - used_at) < timedelta(seconds=10)
            assert first["body"]["user_id"] == await home.acs_user_id("Łukasz García 3")
            assert "tamper" in await home.warnings(STANDALONE)
