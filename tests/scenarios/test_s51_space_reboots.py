"""S51 for Space: its computer restarts; the hub is back by itself, has what changed meanwhile, and lost no line."""

import asyncio
import re
import time
from pathlib import Path

import aiohttp
import pytest
from hubd_drivers.salto_space.sim import Wiring

from tests.scenarios.client import until
from tests.scenarios.space import TRANSPORTS, Premises, premises
from tests.scenarios.space_sides import agree

pytestmark = [pytest.mark.scenario, pytest.mark.timeout(90)]

AWAY = 2.0
"""Seconds, at least."""
QUIET = "offline_grace_seconds = 0"


async def opens(home: Premises, door: str, person: str) -> None:
    home.space.person.opens(home.floor.door_id(door), home.floor.user_id(person))


async def page_of(home: Premises, path: str) -> str:
    """Return a page as a technician sees it."""
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        url = home.live.url
        async with session.get(f"{url}/login") as form:
            csrf = (await form.text()).split('name="csrf" value="')[1].split('"')[0]
        fields = {"key": home.live.token, "csrf": csrf, "next": path}
        async with session.post(f"{url}/login", data=fields, headers={"origin": url}) as answer:
            assert answer.status == 200
            return await answer.text()


@pytest.mark.parametrize("way", list(TRANSPORTS))
async def test_windows_restarts_the_computer_of_space(way: str, tmp_path: Path) -> None:
    async with premises(tmp_path, TRANSPORTS[way], hub=QUIET) as home:
        operator, person = home.space.operator, home.space.person
        before = {name: one["acs_entrance_id"] for name, one in (await home.entrances()).items()}
        await opens(home, "Main entrance", "Ana García 0")
        await home.hears_all()

        await home.space.stop()
        stopped = time.monotonic()
        await until(home.is_cut_off, 10.0)
        assert "Nothing listens" in await page_of(home, "/driver/space")
        # Locks and people do not wait for a computer: what happened meanwhile is in the trail when it is back.
        await opens(home, "Main entrance", "Ana García 0")
        await opens(home, "Pool", "José García 1")
        person.leaves_open(home.floor.door_id("Garage"))
        guest = operator.add_user("Late", "Arrival")
        operator.join(guest, home.floor.group_id("Guests"))
        operator.delete_user(home.floor.user_id("Zoë García 2"))
        operator.add_door("New wing", Wiring.WIRED)
        operator.rename_door(home.floor.door_id("Spa"), "Hammam")
        await asyncio.sleep(max(0.0, AWAY - (time.monotonic() - stopped)))
        await home.space.start()
        started = time.monotonic()
        await until(home.is_connected, 30.0)
        away = time.monotonic() - stopped
        await opens(home, "Gym", "Ana García 0")

        await agree(home)
        await home.hears_all()
        again = {name: one["acs_entrance_id"] for name, one in (await home.entrances()).items()}
        assert again["Hammam"] == before["Spa"]
        assert again["New wing"] not in before.values()
        assert {name: again[name] for name in before if name != "Spa"} == {
            name: one for name, one in before.items() if name != "Spa"
        }
        assert "left_open" in await home.warnings("Garage")
        lost, back = [one for one in await home.rows("hop.lost", "hop.back") if one["instance"] == "space"][-2:]
        assert (lost["type"], back["type"]) == ("hop.lost", "hop.back")
        assert started - stopped <= back["body"]["away_seconds"] <= away + 1.0
        public = [one["event_type"] for one in await home.events("acs_system.disconnected", "acs_system.connected")]
        assert public == ["acs_system.connected", "acs_system.disconnected", "acs_system.connected"]

        page = await page_of(home, "/driver/space")
        assert "Nothing listens" not in page
        assert (await home.client.ok("/health", token=""))["ok"] is True
        assert await home.warnings("Main entrance") == set()


async def test_how_long_it_was_away_stands_on_the_front_page(tmp_path: Path) -> None:
    async with premises(tmp_path, hub=QUIET) as home:
        await home.space.stop()
        await until(home.is_cut_off, 10.0)
        await asyncio.sleep(1.2)
        await home.space.start()
        await until(home.is_connected, 30.0)

        async def is_told() -> bool:
            return any(row["body"].get("away_seconds") for row in await home.rows("hop.back"))

        await until(is_told, 10.0)
        text = re.sub("<[^>]*>", "", await page_of(home, "/"))
        assert re.search(r"is connected again after \d+\ssecond", text) is not None


@pytest.mark.parametrize(
    "moment", ["GetInfo", "SaltoDBUserList.Read", "SaltoDBDoorList.Read", "SaltoDBAuditTrail.Read"]
)
async def test_it_restarts_in_the_middle_of_a_reading(moment: str, tmp_path: Path) -> None:
    """Twice in a row at the same place: nothing is taken for gone that was not read, no line is lost or told twice."""
    async with premises(tmp_path, hub=QUIET, page_size=4) as home:
        for _ in range(2):
            home.space.person.goes_out(home.floor.door_id("Pool"))
            hold = home.space.faults.hold(moment)
            async with asyncio.timeout(10):
                await hold.reached.wait()
            await home.space.stop()
            hold.release()
            await opens(home, "Main entrance", "Ana García 0")
            await home.space.start()
            await until(home.is_connected, 30.0)
        await agree(home)
        await home.hears_all()
        assert await home.events("acs_user.deleted", "acs_entrance.removed", "acs_access_group.deleted") == []
