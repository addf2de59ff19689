"""A new lock in the place of one that broke: codes follow the id."""

from pathlib import Path

from hubd.core.replace import replace
from tests.sims.locks import LockNetwork
from tests.support.locks import FIRST_READ, lock_site


async def test_wishes_are_set_on_the_new_lock_and_what_was_on_it_comes_along(tmp_path: Path) -> None:
    network = LockNetwork(2)
    async with lock_site(tmp_path / "hub.db", network) as site:
        await site.network.edit("102", 7, "77310945")
        await site.network.edit("101", 5, "55310945")
        await site.wait(FIRST_READ)
        guest = await site.wish("101", pin="482915", starts_at=site.at(), ends_at=site.at(hours=9))
        leaving = await site.wish("101", pin="715302")
        early = await site.wish("102", pin="630218")
        await site.wait(10)
        await network.connect("101", online=False)
        await site.codes.delete(leaving.code_id, "test")
        old, new = site.id_of("101"), site.id_of("102")
        await replace(site.hub, old, new, "test")
        await site.wait(10)
        assert network.locks["102"].pins() == {1: "630218", 2: "482915", 7: "77310945"}
        found = {code.placement.slot: code for code in site.codes.of(old) if code.placement is not None}
        assert found[2].code_id == guest.code_id
        assert (found[1].code_id, found[7].is_managed) == (early.code_id, False)
        assert site.codes.of(new) == []
        assert site.codes.pin(found[7]) == "77310945"
        assert await site.status(leaving) == "gone"
        assert sorted(network.locks["101"].pins().values()) == ["482915", "55310945", "715302"]


async def test_an_exchange_under_way_says_nothing_of_the_lock_that_took_over(tmp_path: Path) -> None:
    network = LockNetwork(2)
    async with lock_site(tmp_path / "hub.db", network) as site:
        await site.wait(FIRST_READ)
        network.locks["101"].fault = "mute"
        code = await site.wish("101", pin="482915")
        await site.wait(3)
        await replace(site.hub, site.id_of("101"), site.id_of("102"), "test", is_old_present_ok=True)
        await site.wait(30)
        assert network.locks["102"].pins() == {1: "482915"}
        assert await site.status(code) == "set"
        assert network.locks["102"].sets == 1
