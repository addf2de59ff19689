"""Devices that come and go, what people are told of what waits, and PINs that are left nowhere."""

import asyncio
import logging
from pathlib import Path

import pytest

from hubd.core.codes.wishes import Change
from hubd.model.event import CodeDelayed, DeviceEdited
from tests.hubd.core.codes.watched import Watched
from tests.support.clock import ManualClock
from tests.support.hub import bare_hub
from tests.support.locks import FIRST_READ, LockSite, lock_site

HOUR = 3600.0
DAY = 24 * HOUR
PIN, OTHER = "48213077", "59104826"


async def test_of_a_device_that_is_not_managed_only_ends_are_carried_out(tmp_path: Path) -> None:
    network = Watched()
    async with lock_site(tmp_path / "hub.db", network, sweep_hours=0.1) as site:
        await site.wait(FIRST_READ)
        ending = await site.wish(pin=PIN, starts_at=site.at(), ends_at=site.at(minutes=10))
        coming = await site.wish(pin=OTHER, starts_at=site.at(minutes=5), ends_at=site.at(hours=9))
        await site.wait(10)
        await edit(site, is_managed=False)
        network.kinds()
        await network.edit("101", 1, None, is_told=True)
        await network.edit("101", 1, PIN)
        await site.wait(900)
        assert (network.kinds(), site.lock().pins()) == (["clear"], {})
        assert await site.status(ending) == "gone"
        await edit(site, is_managed=True)
        site.codes.reconciler.touch(site.id_of())
        await site.wait(10)
        assert (await site.status(coming), site.lock().pins()) == ("set", {1: OTHER})


async def edit(site: LockSite, *, is_managed: bool) -> None:
    event = DeviceEdited(is_managed=is_managed, by="test")
    await site.hub.journal.transact(lambda view: view.emit(event, device_id=site.id_of()))


async def test_codes_outlive_the_absence_of_their_device(tmp_path: Path) -> None:
    network = Watched()
    async with lock_site(tmp_path / "hub.db", network) as site:
        await site.wait(FIRST_READ)
        there = await site.wish(pin=PIN)
        coming = await site.wish(pin=OTHER, starts_at=site.at(minutes=5), ends_at=site.at(hours=9))
        await site.wait(10)
        network.kinds()
        await network.living_port.removed("101", "It was excluded.")
        await site.wait(600)
        assert network.kinds() == []
        assert {code.code_id for code in site.codes.of(site.id_of())} == {there.code_id, coming.code_id}
        await network.living_port.found(network.locks["101"].description)
        await site.wait(10)
        assert [await site.status(code) for code in (there, coming)] == ["set", "set"]
        assert (site.lock().pins(), network.kinds().count("set")) == ({1: PIN, 2: OTHER}, 1)


async def test_a_lock_that_is_included_later_is_read_like_the_others(tmp_path: Path) -> None:
    """Its driver announces it, and says nothing more of it."""
    network, late = Watched(), Watched(2)
    async with lock_site(tmp_path / "hub.db", network) as site:
        await site.wait(FIRST_READ)
        network.locks["102"] = late.locks["102"]
        network.kinds()
        await network.living_port.found(late.locks["102"].description)
        await site.wait(FIRST_READ)
        assert network.asked == [("102", "read", slot) for slot in range(1, 11)]


async def test_a_code_whose_driver_is_not_configured_any_more_is_still_told_of(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    async with lock_site(path) as site:
        await site.wait(FIRST_READ)
        made = await site.wish(pin=PIN)
        device_id = site.id_of()
    async with bare_hub(path, ManualClock()) as hub:
        code = hub.codes.get(made.code_id)
        assert hub.codes.status(code) == "setting"
        assert hub.codes.why(code, None)
        assert hub.codes.expected_wait(code) == 0
        assert hub.codes.backlog("radio").steps == 0
        await hub.codes.delete(made.code_id, "test")
        assert device_id in hub.devices


# -- what people are told


async def test_a_code_that_is_late_is_told_once_and_why(tmp_path: Path) -> None:
    async with lock_site(tmp_path / "hub.db") as site:
        await site.wait(FIRST_READ)
        await site.network.connect("101", online=False)
        code = await site.wish(pin=PIN)
        await site.wait(299)
        assert await delays(site) == []
        await site.wait(2)
        assert await delays(site) == [CodeDelayed(code_id=code.code_id, doing="setting", reason="It does not answer.")]
        await site.wait(600)
        assert len(await delays(site)) == 1
        await site.network.connect("101", online=True)
        await site.wait(5)
        await site.network.connect("101", online=False)
        await site.codes.delete(code.code_id, "test")
        await site.wait(301)
        assert [event.doing for event in await delays(site)] == ["setting", "removing"]


async def delays(site: LockSite) -> list[CodeDelayed]:
    rows = await site.hub.journal.rows(0, 10_000)
    return [row.event for row in rows if isinstance(row.event, CodeDelayed)]


async def test_the_backlog_is_what_waits_and_the_wait_what_is_before(tmp_path: Path) -> None:
    network = Watched(10)
    async with lock_site(tmp_path / "hub.db", network) as site:
        await site.wait(250)
        assert site.codes.backlog("radio").steps == 0
        leaving = [await site.wish(name, pin=PIN) for name in network.locks]
        await site.wait(30)
        for code in leaving[:5]:
            await site.codes.delete(code.code_id, "test")
        coming = [await site.wish(name, pin=OTHER) for name in network.locks]
        await site.wait(0)
        backlog = site.codes.backlog("radio")
        assert backlog.steps == 15
        assert 12 <= backlog.seconds <= 18
        ends = site.codes.expected_wait(site.codes.get(leaving[0].code_id))
        starts = site.codes.expected_wait(coming[0])
        assert 4 <= ends <= 6
        assert starts == backlog.seconds
        await site.wait(ends + 1)
        assert [await site.status(code) for code in leaving[:5]] == ["gone"] * 5
        await site.wait(starts - ends + 1)
        assert {await site.status(code) for code in coming} == {"set"}


async def test_no_pin_is_left_behind_anywhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    network = Watched()
    async with lock_site(tmp_path / "hub.db", network) as site:
        await site.network.edit("101", 7, OTHER)
        await site.wait(FIRST_READ)
        code = await site.wish(pin=PIN)
        await site.wait(5)
        network.locks["101"].fault = "refuse"
        await site.codes.update(code.code_id, Change(pin="60718293"), "test")
        await site.wait(60)
        await site.network.edit("101", 7, "20394851", is_told=True)
        await site.wait(60)
        network.locks["101"].fault = "none"
        await site.wait(90)  # nothing is under way then
        assert repr(site.hub.vault) == "Vault(0 sealed)"
        pins = [PIN, OTHER, "60718293", "20394851"]
        bodies = await site.hub.journal.database.read(
            "SELECT body FROM journal UNION ALL SELECT body FROM access_codes UNION ALL SELECT body FROM code_history"
        )
        stored = b"".join(body for (body,) in bodies)
        shown = f"{site.codes.of(site.id_of())!r}{site.codes.plan(site.id_of())!r}{vars(site.codes)!r}{caplog.text}"
        assert not [pin for pin in pins if pin.encode() in stored or pin in shown]
        assert {site.codes.pin(each) for each in site.codes.of(site.id_of())} == {"60718293", "20394851"}


async def test_a_lock_that_comes_back_after_it_was_gone_is_read_anew(tmp_path: Path) -> None:
    """Whoever excludes a lock and includes it again has often emptied it."""
    network = Watched()
    async with lock_site(tmp_path / "hub.db", network) as site:
        await site.wait(FIRST_READ)
        code = await site.wish(pin=PIN)
        await site.wait(5)
        await network.living_port.removed("101", "excluded")
        site.lock().slots.clear()
        await site.wait(5)
        await network.living_port.found(site.lock().description)
        await site.wait(FIRST_READ)
        assert (await site.status(code), site.lock().pins()) == ("set", {1: PIN})


async def test_a_lock_that_goes_and_comes_back_amid_an_exchange_has_one_task(tmp_path: Path) -> None:
    network = Watched()
    async with lock_site(tmp_path / "hub.db", network) as site:
        await site.wait(FIRST_READ)
        network.is_hanging = True
        await site.wish(pin=PIN)
        await site.wait(1)
        await network.living_port.removed("101", "excluded")
        site.codes.reconciler.touch(site.id_of())
        await site.wait(1)
        await network.living_port.found(site.lock().description)
        await site.wait(1)
        assert [t.get_name() for t in asyncio.all_tasks()].count(f"codes-{site.id_of()}") == 1
