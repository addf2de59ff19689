from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from hubd.core.hub import Instance
from hubd.core.policy import Policy
from hubd.driver import Port
from hubd.model import Command, Outcome, ReachabilitySeen, done
from hubd.model.event import AccountEdited, DeviceDisconnected, HopBack, HopLost
from hubd.store.records import DeviceRecord, InstanceRecord, Loss
from tests.support.clock import NOON, ManualClock, settle
from tests.support.hub import LiveHub, ScriptedDriver, bare_hub, live_hub, lock, lost, until
from tests.support.store import refuse_writes, take_writes

GRACE = 30.0
DEVICE = ("device.disconnected", "device.connected")
HOP = ("hop.lost", "hop.back")


def word(native_id: str = "a", *, online: bool) -> ReachabilitySeen:
    return ReachabilitySeen(native_id=native_id, online=online, reason=None if online else "It does not answer.")


def record(live: LiveHub, native_id: str = "a") -> DeviceRecord:
    return live.hub.devices[live.id_of(native_id)]


def instance(live: LiveHub) -> InstanceRecord:
    return live.hub.journal.tables.instances["front"]


async def told(live: LiveHub, *types: str) -> list[str]:
    """Return what was told since the first connection."""
    await live.hub.journal.transact(lambda _: None)
    rows = await live.rows()
    began = max(row.seq for row in rows if row.type == "hub.started" or row.event == HopBack())
    return [row.type for row in rows if row.seq > began and (not types or row.type in types)]


@asynccontextmanager
async def site(path: Path, *names: str, clock: ManualClock | None = None) -> AsyncIterator[LiveHub]:
    """Run a hub with locks and grace."""
    driver = ScriptedDriver(*(lock(name) for name in names or ("a",)))
    async with live_hub(path, driver, clock=clock, grace=GRACE) as live:
        yield live


# -- devices


async def test_a_blip_of_a_device_shows_and_is_no_event(tmp_path: Path) -> None:
    async with site(tmp_path / "x.sqlite") as live:
        await live.driver.living_port.publish(word(online=False))
        assert not live.hub.is_reachable(record(live))
        await live.clock.advance(GRACE - 0.1)
        await live.driver.living_port.publish(word(online=True))
        assert live.hub.is_reachable(record(live))
        await live.clock.advance(10 * GRACE)
        assert await told(live) == []
        assert record(live).drops == ()


async def test_a_device_that_stays_away_is_told_once_with_the_time_of_its_loss(tmp_path: Path) -> None:
    async with site(tmp_path / "x.sqlite") as live:
        await live.clock.advance(7)
        await live.driver.living_port.publish(word(online=False))
        await live.clock.advance(GRACE - 0.1)
        assert await told(live) == []
        await live.clock.advance(0.1)
        await until(lambda: record(live).untold_since is None)
        (row,) = await live.rows("device.disconnected")
        since = NOON + timedelta(seconds=7)
        assert row.event == DeviceDisconnected(
            error_code="device_disconnected", reason="It does not answer.", since=since
        )
        assert (row.occurred_at, row.created_at) == (since, since + timedelta(seconds=GRACE))
        assert record(live).state.changed_at == since
        await live.driver.living_port.publish(word(online=False))
        await live.clock.advance(10 * GRACE)
        await live.driver.living_port.publish(word(online=True))
        assert await told(live) == list(DEVICE)


async def test_each_device_has_a_grace_of_its_own(tmp_path: Path) -> None:
    async with site(tmp_path / "x.sqlite", "a", "b", "c") as live:
        port = live.driver.living_port
        for name in "abc":
            await port.publish(word(name, online=False))
            await live.clock.advance(10)
        await port.publish(word("b", online=True))
        await live.clock.advance(1)
        await until(lambda: record(live, "a").untold_since is None)
        assert await told(live) == ["device.disconnected"]
        await live.clock.advance(20)
        await until(lambda: record(live, "c").untold_since is None)
        assert await told(live) == ["device.disconnected", "device.disconnected"]
        times = [row.created_at for row in await live.rows("device.disconnected")]
        assert times == [NOON + timedelta(seconds=30), NOON + timedelta(seconds=50)]


async def test_a_device_that_blips_again_has_the_whole_grace_again(tmp_path: Path) -> None:
    async with site(tmp_path / "x.sqlite") as live:
        port = live.driver.living_port
        for _ in range(5):
            await port.publish(word(online=False))
            await live.clock.advance(20)
            await port.publish(word(online=True), word(online=False))
            await live.clock.advance(20)
            await port.publish(word(online=True))
        assert await told(live) == []


async def test_what_an_order_finds_out_is_told_after_the_grace_too(tmp_path: Path) -> None:
    async def find_out(command: Command) -> Outcome:
        return done(seen=(word(command.native_id, online=False),))

    async with site(tmp_path / "x.sqlite") as live:
        live.driver.on_execute = find_out
        await live.hub.submit(live.lock("a"), "me", wait_seconds=5)
        assert not record(live).state.online
        assert await told(live, *DEVICE) == []
        await live.clock.advance(GRACE)
        await until(lambda: record(live).untold_since is None)
        assert await told(live, *DEVICE) == ["device.disconnected"]


async def test_a_step_of_the_clock_neither_shortens_nor_lengthens_the_grace(tmp_path: Path) -> None:
    async with site(tmp_path / "x.sqlite", "a", "b") as live:
        await live.driver.living_port.publish(word(online=False))
        live.driver.living_port.hop_back("controller")
        live.clock.step(86_400)
        await live.clock.advance(GRACE - 1)
        assert await told(live) == []
        live.clock.step(-2 * 86_400)
        await live.clock.advance(1)
        await until(lambda: record(live).untold_since is None)
        live.driver.living_port.hop_lost(lost("controller"))
        await until(lambda: instance(live).untold_loss is not None)
        live.clock.step(86_400)
        await live.clock.advance(GRACE - 1)
        assert await told(live, *HOP) == []
        await live.clock.advance(1)
        await until(lambda: not instance(live).is_connected)
        live.clock.step(-86_400)
        await live.clock.advance(5)
        live.driver.living_port.hop_back("controller")
        await until(lambda: instance(live).is_connected)
        (back,) = [row.event for row in await live.rows("hop.back")][1:]
        assert back == HopBack(away_seconds=GRACE + 5)


async def test_a_device_that_is_removed_while_it_is_silent_is_told_once(tmp_path: Path) -> None:
    async with site(tmp_path / "x.sqlite") as live:
        await live.driver.living_port.publish(word(online=False))
        await live.driver.living_port.removed("a", "It was excluded.")
        await live.clock.advance(10 * GRACE)
        assert await told(live) == ["device.removed"]


async def test_a_device_that_is_announced_again_is_as_silent_as_before(tmp_path: Path) -> None:
    """A network that was just started does not know yet who answers."""
    async with site(tmp_path / "x.sqlite") as live:
        await live.driver.living_port.publish(word(online=False))
        await live.driver.living_port.found(lock("a"))
        assert not record(live).state.online
        await live.driver.living_port.found(lock("a"), word(online=True))
        assert record(live).state.online
        assert await told(live) == []


# -- hops


async def test_a_blip_of_a_hop_shows_and_leaves_no_row(tmp_path: Path) -> None:
    async with site(tmp_path / "x.sqlite") as live:
        live.driver.living_port.hop_lost(lost("controller"))
        assert not live.hub.is_reachable(record(live))
        await until(lambda: instance(live).untold_loss is not None)
        await live.clock.advance(GRACE - 0.1)
        live.driver.living_port.hop_back("controller")
        await until(lambda: instance(live).untold_loss is None)
        assert live.hub.is_reachable(record(live))
        await live.clock.advance(10 * GRACE)
        assert await told(live) == []


async def test_a_hop_that_stays_away_is_told_once_and_its_return_counts_from_the_loss(tmp_path: Path) -> None:
    async with site(tmp_path / "x.sqlite") as live:
        await live.clock.advance(5)
        live.driver.living_port.hop_lost(lost("controller", "pulled", "It was pulled."))
        await until(lambda: instance(live).untold_loss is not None)
        await live.clock.advance(GRACE)
        await until(lambda: not instance(live).is_connected)
        (row,) = await live.rows("hop.lost")
        since = NOON + timedelta(seconds=5)
        assert row.event == HopLost(hop="controller", code="pulled", reason="It was pulled.", since=since)
        assert (row.public, row.occurred_at) == ("connected_account.disconnected", since)
        await live.clock.advance(12)
        live.driver.living_port.hop_back("controller")
        await until(lambda: instance(live).is_connected)
        assert [row.event for row in await live.rows("hop.back")] == [HopBack(), HopBack(away_seconds=GRACE + 12)]


async def test_a_loss_that_changes_its_face_in_the_grace_is_told_as_what_it_is_then(tmp_path: Path) -> None:
    async with site(tmp_path / "x.sqlite") as live:
        live.driver.living_port.hop_lost(lost("controller", "silent"))
        await until(lambda: instance(live).untold_loss is not None)
        await live.clock.advance(10)
        live.driver.living_port.hop_lost(lost("controller", "pulled", "It was pulled."))
        expected = Loss("controller", "pulled", "It was pulled.", NOON)
        await until(lambda: instance(live).untold_loss == expected)
        await live.clock.advance(20)
        await until(lambda: not instance(live).is_connected)
        live.driver.living_port.hop_lost(lost("controller", "on fire"))
        await until(lambda: instance(live).code == "on fire")
        rows = await live.rows("hop.lost")
        assert [(row.public, row.event.since) for row in rows if isinstance(row.event, HopLost)] == [
            ("connected_account.disconnected", NOON),
            (None, NOON),
        ]


async def test_a_first_connection_that_takes_longer_than_the_grace_is_a_loss(tmp_path: Path) -> None:
    async def fail(_: Port) -> None:
        raise lost()

    driver = ScriptedDriver()
    driver.on_start = fail
    async with live_hub(tmp_path / "x.sqlite", driver, wait=False, grace=GRACE) as live:
        await until(lambda: "front" in live.hub.journal.tables.instances)
        edit = AccountEdited(display_name="Radio", by="me")
        await live.hub.journal.transact(lambda view: view.emit(edit, instance="front"))
        await live.clock.advance(GRACE - 1)
        assert await live.rows(*HOP) == []
        await live.clock.advance(1)
        await until(lambda: instance(live).hop == "server")
        driver.on_start = None
        await live.clock.advance(120)
        await until(lambda: instance(live).is_connected)
        assert await live.public() == ["connected_account.disconnected", "connected_account.connected"]


async def test_the_record_of_an_account_that_was_never_connected_is_no_loss(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    async with live_hub(path, ScriptedDriver(), wait=False) as live:
        edit = AccountEdited(display_name="Radio", by="me")
        await live.hub.journal.transact(lambda view: view.emit(edit, instance="side"))
        driver = ScriptedDriver()
        live.hub.add(Instance("side", driver.manifest(), driver, Policy(("lock",))))
        await until(lambda: live.hub.journal.tables.instances["side"].is_connected)
        rows = [row.event for row in await live.rows("hop.back") if row.instance == "side"]
        assert rows == [HopBack(away_seconds=None)]


# -- devices behind a lost hop


async def test_the_loss_of_a_hop_is_one_event_whatever_its_devices_say(tmp_path: Path) -> None:
    names = tuple("abcd")
    async with site(tmp_path / "x.sqlite", *names) as live:
        port = live.driver.living_port
        await port.publish(word("a", online=False))  # the network notices one before the hop itself
        await live.clock.advance(5)
        port.hop_lost(lost("controller"))
        await until(lambda: instance(live).untold_loss is not None)
        await port.publish(*(word(name, online=False) for name in names))
        await live.clock.advance(10 * GRACE)
        await until(lambda: not instance(live).is_connected)
        assert await told(live) == ["hop.lost"]
        port.hop_back("controller")
        await live.clock.advance(GRACE - 1)
        await port.publish(*(word(name, online=True) for name in names))
        await live.clock.advance(10 * GRACE)
        assert await told(live) == list(HOP)
        assert all(live.hub.is_reachable(one) and one.drops == () for one in live.hub.devices.values())


async def test_a_device_that_is_still_silent_when_its_hop_is_back_gets_a_whole_grace(tmp_path: Path) -> None:
    async with site(tmp_path / "x.sqlite") as live:
        port = live.driver.living_port
        await port.publish(word(online=False))
        await live.clock.advance(GRACE - 1)
        port.hop_lost(lost("controller"))
        await until(lambda: instance(live).untold_loss is not None)
        await live.clock.advance(5)
        port.hop_back("controller")
        await until(lambda: instance(live).untold_loss is None)
        await live.clock.advance(GRACE - 1)
        assert await told(live) == []
        await live.clock.advance(1)
        await until(lambda: record(live).untold_since is None)
        (row,) = await live.rows("device.disconnected")
        assert row.occurred_at == NOON


async def test_without_grace_devices_behind_a_lost_hop_are_told_when_it_is_back(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite", ScriptedDriver(lock("a"), lock("b"))) as live:
        port = live.driver.living_port
        await until(lambda: instance(live).is_connected)
        port.hop_lost(lost("controller"))
        await port.publish(word("a", online=False), word("b", online=False), word("b", online=True))
        await until(lambda: not instance(live).is_connected)
        assert await live.rows("device.disconnected") == []
        port.hop_back("controller")
        await until(lambda: record(live).untold_since is None)
        assert [row.device_id for row in await live.rows("device.disconnected")] == [live.id_of("a")]


async def test_only_the_devices_of_the_lost_hop_wait_for_it(tmp_path: Path) -> None:
    async with site(tmp_path / "x.sqlite") as live:
        side = ScriptedDriver(lock("b"))
        live.hub.add(Instance("side", side.manifest(), side, Policy(("lock",))))
        await until(lambda: live.hub.health["side"].is_connected)
        live.driver.living_port.hop_lost(lost("controller"))
        await until(lambda: instance(live).untold_loss is not None)
        await live.driver.living_port.publish(word("a", online=False))
        await side.living_port.publish(word("b", online=False))
        await live.clock.advance(GRACE)
        await until(lambda: record(live, "b").untold_since is None)
        assert record(live, "a").untold_since is not None
        assert [row.device_id for row in await live.rows("device.disconnected")] == [live.id_of("b")]


# -- restarts


async def test_a_restart_goes_on_with_the_grace_of_a_hop(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    async with site(path) as live:
        live.driver.living_port.hop_lost(lost("controller"))
        await until(lambda: instance(live).untold_loss is not None)

    async def fail(_: Port) -> None:
        raise lost()

    driver = ScriptedDriver()
    driver.on_start = fail
    clock = ManualClock(NOON + timedelta(seconds=20))
    async with live_hub(path, driver, wait=False, clock=clock, grace=GRACE) as live:
        await until(lambda: instance(live).untold_loss == Loss("server", "gone", "The server is gone.", NOON))
        await live.clock.advance(9)
        assert await live.rows("hop.lost") == []
        await live.clock.advance(1)
        await until(lambda: not instance(live).is_connected)
    driver.on_start = None
    clock = ManualClock(NOON + timedelta(seconds=100))
    async with live_hub(path, driver, clock=clock, grace=GRACE) as live:
        await until(lambda: instance(live).is_connected)
        assert [row.event for row in await live.rows("hop.back")][1:] == [HopBack(away_seconds=100.0)]
        assert (await live.public()).count("connected_account.disconnected") == 1


async def test_a_hop_that_is_back_after_a_restart_leaves_no_row(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    async with site(path) as live:
        live.driver.living_port.hop_lost(lost("controller"))
        await until(lambda: instance(live).untold_loss is not None)
    async with site(path, clock=ManualClock(NOON + timedelta(hours=1))) as live:
        await until(lambda: instance(live).untold_loss is None)
        await live.clock.advance(10 * GRACE)
        assert await told(live) == []


@pytest.mark.parametrize(("down", "left"), [(5, 25), (3600, 10), (-3600, 30)])
async def test_a_restart_goes_on_with_the_grace_of_a_device(tmp_path: Path, down: float, left: float) -> None:
    """After a long while it gets a little time to be heard; after a step back of the clock all of the grace."""
    path = tmp_path / "x.sqlite"
    async with site(path) as live:
        await live.driver.living_port.publish(word(online=False))
    async with site(path, clock=ManualClock(NOON + timedelta(seconds=down))) as live:
        assert record(live).untold_since == NOON, "it is on the disk, though nobody flushed it there"
        await live.clock.advance(left - 1)
        assert await told(live) == []
        await live.clock.advance(1)
        await until(lambda: record(live).untold_since is None)
        assert await told(live) == ["device.disconnected"]


async def test_a_device_that_answers_after_a_restart_is_no_event(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    async with site(path) as live:
        await live.driver.living_port.publish(word(online=False))
    driver = ScriptedDriver(lock("a"))
    driver.first_readings["a"] = (word(online=True),)
    async with live_hub(path, driver, clock=ManualClock(NOON + timedelta(hours=1)), grace=GRACE) as live:
        await live.clock.advance(10 * GRACE)
        assert await live.rows("device.disconnected") == []
        assert len(await live.rows("device.connected")) == 1


# -- the disk


async def test_what_cannot_be_told_is_told_later(tmp_path: Path) -> None:
    async with site(tmp_path / "x.sqlite", "a", "b") as live:
        await live.driver.living_port.publish(word(online=False))
        await refuse_writes(live.hub.journal.database)
        await live.clock.advance(GRACE)
        await until(lambda: live.hub.journal.problem is not None)
        live.driver.living_port.hop_lost(lost("controller"))
        await settle()
        live.driver.living_port.hop_back("controller")
        await take_writes(live.hub.journal.database)
        await live.clock.advance(2 * GRACE)
        await until(lambda: record(live).untold_since is None)
        assert await told(live) == ["device.disconnected"]


async def test_an_instance_that_is_not_configured_any_more_tells_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    async with site(path) as live:
        await live.driver.living_port.publish(word(online=False))
    clock = ManualClock()
    async with bare_hub(path, clock, grace_seconds=GRACE) as hub:
        await clock.advance(10 * GRACE)
        await hub.journal.transact(lambda _: None)
        assert not [row for row in await hub.journal.rows(0) if row.type == "device.disconnected"]
