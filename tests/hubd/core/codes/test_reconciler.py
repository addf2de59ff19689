"""Codes on their way to simulated locks and off them again, through the whole core."""

from pathlib import Path

from tests.sims.locks import LockNetwork
from tests.support.locks import FIRST_READ, lock_site


async def test_an_ongoing_code_is_set_read_back_and_removed(tmp_path: Path) -> None:
    async with lock_site(tmp_path / "hub.db") as site:
        await site.wait(FIRST_READ)
        code = await site.wish(name="Cleaner", pin="482915")
        assert await site.status(code) == "setting"
        await site.wait(2)
        assert await site.status(code) == "set"
        assert site.lock().pins() == {1: "482915"}
        assert (site.lock().sets, site.lock().reads) == (1, 10)
        await site.codes.delete(code.code_id, "test")
        assert await site.status(code) == "removing"
        await site.wait(2)
        assert await site.status(code) == "gone"
        assert site.lock().pins() == {}
        assert [public.removeprefix("access_code.") for public in await site.public()] == [
            "created",
            "set_on_device",
            "mutations_requested",
            "removed_from_device",
            "deleted",
        ]


async def test_a_time_bound_code_is_on_the_lock_within_its_time_only(tmp_path: Path) -> None:
    async with lock_site(tmp_path / "hub.db") as site:
        await site.wait(FIRST_READ)
        code = await site.wish(starts_at=site.at(hours=1), ends_at=site.at(hours=3))
        await site.wait(3590)
        assert (await site.status(code), site.lock().pins()) == ("unset", {})
        await site.wait(15)
        assert (await site.status(code), len(site.lock().pins())) == ("set", 1)
        await site.wait(7190)
        assert await site.status(code) == "set"
        await site.wait(15)
        assert (await site.status(code), site.lock().pins()) == ("gone", {})


async def test_two_hundred_ends_go_before_starts(tmp_path: Path) -> None:
    async with lock_site(tmp_path / "hub.db", LockNetwork(20)) as site:
        await site.wait(300)
        noon = site.at(hours=1)
        leaving = [await site.wish(name, starts_at=site.at(minutes=1), ends_at=noon) for name in site.network.locks]
        await site.wait(200)
        assert {await site.status(code) for code in leaving} == {"set"}
        coming = [await site.wish(name, starts_at=noon, ends_at=site.at(hours=5)) for name in site.network.locks]
        await site.wait(3600 - 200 + 21)
        assert {await site.status(code) for code in leaving} == {"gone"}
        assert [await site.status(code) for code in coming].count("set") <= 2
        await site.wait(25)
        assert {await site.status(code) for code in coming} == {"set"}
