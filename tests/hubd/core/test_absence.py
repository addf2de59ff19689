from pathlib import Path

import pytest

from hubd.core.hub import Instance
from hubd.core.policy import Policy
from hubd.model import LockSeen
from hubd.model.errors import StoreError
from hubd.model.event import DeviceEdited, DeviceRemoved
from tests.support.clock import ManualClock
from tests.support.hub import LiveHub, ScriptedDriver, live_hub, lock, until
from tests.support.store import refuse_writes, take_writes

TEN_MINUTES = 600.0


async def removals(live: LiveHub) -> list[str]:
    """Return the native ids of what was removed."""
    names = {device_id: record.device.description.native_id for device_id, record in live.hub.devices.items()}
    return [names[row.device_id or ""] for row in await live.rows("device.removed")]


async def scan(live: LiveHub, *absent: str, after: float = 0.0) -> None:
    await live.clock.advance(after)
    await live.driver.living_port.missing(*absent)


async def test_three_whole_scans_over_ten_minutes_remove_a_device_once(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite", ScriptedDriver(lock("a"), lock("b"))) as live:
        await scan(live, "a")
        await scan(live, "a", after=300)
        assert await removals(live) == []
        assert live.hub.devices[live.id_of("a")].removed_at is None
        await scan(live, "a", after=300)
        await scan(live, "a", after=300)
        assert await removals(live) == ["a"]
        (row,) = await live.rows("device.removed")
        assert row.event == DeviceRemoved(reason="Its network no longer lists it: 3 complete scans did not find it.")
        assert row.public == "device.removed"
        assert list(live.hub.known("front")) == ["b"]


async def test_three_scans_in_less_than_ten_minutes_prove_nothing_yet(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite") as live:
        for _ in range(6):
            await scan(live, "a", after=100)
        assert await removals(live) == [], "the first and the last are 500 s apart"
        await scan(live, "a", after=100)
        assert await removals(live) == ["a"]


async def test_two_scans_prove_nothing_however_far_apart(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite") as live:
        await scan(live, "a")
        await scan(live, "a", after=86_400)
        assert await removals(live) == []


async def test_one_scan_that_finds_it_begins_the_count_anew(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite") as live:
        for absent in (["a"], ["a"], [], ["a"], ["a"]):
            await scan(live, *absent, after=TEN_MINUTES)
        assert await removals(live) == []
        await scan(live, "a", after=TEN_MINUTES)
        assert await removals(live) == ["a"]


async def test_a_device_that_is_announced_is_there(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite") as live:
        await scan(live, "a")
        await scan(live, "a", after=TEN_MINUTES)
        await live.driver.living_port.found(lock("a"))
        assert live.hub.devices[live.id_of("a")].absence is None
        await scan(live, "a", after=TEN_MINUTES)
        assert await removals(live) == []


async def test_a_step_of_the_clock_is_no_time_that_has_passed(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite") as live:
        await scan(live, "a")
        live.clock.step(86_400)
        await scan(live, "a", after=100)
        await scan(live, "a", after=100)
        assert await removals(live) == []
        live.clock.step(-2 * 86_400)
        await scan(live, "a", after=TEN_MINUTES)
        assert await removals(live) == ["a"]


async def test_a_restart_keeps_the_scans_and_makes_the_proof_take_longer_at_most(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    async with live_hub(path) as live:
        await scan(live, "a")
        await scan(live, "a", after=500)
        await live.hub.journal.flush()
    driver = ScriptedDriver()
    async with live_hub(path, driver, clock=ManualClock()) as live:
        await scan(live, "a")
        assert await removals(live) == [], "nobody knows how long the hub was down"
        await scan(live, "a", after=100)
        assert await removals(live) == ["a"]


async def test_what_is_missing_from_one_instance_says_nothing_of_another(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite") as live:
        side = ScriptedDriver(lock("a"))
        live.hub.add(Instance("side", side.manifest(), side, Policy(("lock",))))
        await until(lambda: live.hub.health["side"].is_connected)
        for _ in range(3):
            await scan(live, "a", "never", after=TEN_MINUTES)
            await side.living_port.missing()
        gone = [record.device.instance for record in live.hub.devices.values() if record.removed_at is not None]
        assert gone == ["front"]


@pytest.mark.parametrize("is_managed", [True, False])
async def test_it_comes_back_as_what_it_was(tmp_path: Path, *, is_managed: bool) -> None:
    async with live_hub(tmp_path / "x.sqlite") as live:
        device_id = live.id_of("a")
        edit = DeviceEdited(nickname="Suite", is_managed=is_managed, custom_metadata={"floor": "3"}, by="me")
        await live.hub.journal.transact(lambda view: view.emit(edit, instance="front", device_id=device_id))
        for _ in range(4):
            await scan(live, "a", after=TEN_MINUTES)
        await live.driver.living_port.publish(LockSeen(native_id="a", locked=True))
        assert (await live.public()).count("device.removed") == is_managed
        assert await live.driver.living_port.found(lock("a")) == device_id
        back = live.hub.present(device_id)
        assert (back.nickname, back.is_managed, back.custom_metadata) == ("Suite", is_managed, {"floor": "3"})
        assert (back.state.online, back.absence) == (True, None)
        await scan(live, "a", after=TEN_MINUTES)
        assert len(await live.rows("device.removed")) == 1, "the count begins anew"


async def test_a_scan_that_the_disk_did_not_take_is_none(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite") as live:
        await scan(live, "a")
        await scan(live, "a", after=TEN_MINUTES)
        await refuse_writes(live.hub.journal.database)
        with pytest.raises(StoreError):
            await scan(live, "a", after=TEN_MINUTES)
        await take_writes(live.hub.journal.database)
        assert await removals(live) == []
        await scan(live, "a", after=TEN_MINUTES)
        assert await removals(live) == ["a"]
