import asyncio
import random
from pathlib import Path
from typing import Any

import pytest

from hubd.driver import DriverError, Port
from hubd.model import LockSeen
from hubd.model.errors import StoreError
from hubd.model.event import HopBack, HopLost
from tests.support.clock import NOON, settle
from tests.support.hub import LiveHub, ScriptedDriver, live_hub, lock, lost, until
from tests.support.store import refuse_writes, take_writes


@pytest.fixture
def longest_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away the jitter: each pause is as long as it may be."""
    monkeypatch.setattr(random, "uniform", lambda _, ceiling: ceiling)


async def hops(live: LiveHub) -> list[HopLost | HopBack]:
    return [row.event for row in await live.rows() if isinstance(row.event, HopLost | HopBack)]


async def lose(live: LiveHub, error: BaseException | None = None, lives: int = 1) -> None:
    """End the life under way, and wait until that is seen."""
    live.driver.end(error)
    await until(lambda: live.hub.health["front"].next_try_at is not None and live.driver.lives == lives)


async def test_first_connection(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite") as live:
        await until(lambda: live.hub.journal.tables.instances["front"].is_connected)
        assert await hops(live) == [HopBack(away_seconds=None)]
        assert live.hub.health["front"].is_connected


@pytest.mark.usefixtures("longest_pauses")
async def test_a_lost_link_is_told_once_and_tried_again(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite") as live:
        await lose(live, lost())
        health = live.hub.health["front"]
        assert [health.state, health.attempts] == ["lost", 1]
        assert health.next_try_at is not None
        assert (health.next_try_at - live.clock.now()).total_seconds() == 1.0
        await until(lambda: not live.hub.journal.tables.instances["front"].is_connected)
        await live.clock.advance(0.9)
        assert live.driver.lives == 1
        await live.clock.advance(0.2)
        await until(lambda: live.hub.journal.tables.instances["front"].is_connected)
        assert await hops(live) == [
            HopBack(),
            HopLost(hop="server", code="gone", reason="The server is gone.", since=NOON),
            HopBack(away_seconds=1.0),
        ]
        assert [health.state, health.attempts, health.next_try_at] == ["connected", 0, None]
        assert [public for public in await live.public() if public.startswith("connected_account")] == [
            "connected_account.connected",
            "connected_account.disconnected",
            "connected_account.connected",
        ]


class Unlucky(ScriptedDriver):
    """Never gets a connection."""

    async def run(self, port: Port) -> None:
        self.lives += 1
        port.log.debug("no luck")
        raise lost(code=f"gone-{min(self.lives, 3)}")


async def pauses(live: LiveHub, count: int) -> list[float]:
    """Return the pauses before the next so many lives."""
    found = []
    for _ in range(count):
        await until(lambda: live.hub.health["front"].next_try_at is not None)
        due = live.hub.health["front"].next_try_at
        assert due is not None
        found.append((due - live.clock.now()).total_seconds())
        lives = live.driver.lives
        await live.clock.advance(found[-1] + 0.001)
        await until(lambda lives=lives: live.driver.lives > lives)  # type: ignore[misc]
    return found


@pytest.mark.usefixtures("longest_pauses")
async def test_pauses_grow_to_a_minute(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite", Unlucky(), wait=False) as live:
        assert await pauses(live, 9) == pytest.approx([1, 2, 4, 8, 16, 32, 60, 60, 60], abs=0.01)
        await until(lambda: "front" in live.hub.journal.tables.instances)
        await until(lambda: live.hub.journal.tables.instances["front"].code == "gone-3")
        await settle()
        codes = [event.code for event in await hops(live) if isinstance(event, HopLost)]
        assert codes[-1] == "gone-3"
        assert len(codes) == len(set(codes)), "a loss that is the same as before is no news"


async def test_pauses_are_fully_jittered(tmp_path: Path) -> None:
    random.seed(4)
    async with live_hub(tmp_path / "x.sqlite", Unlucky(), wait=False) as live:
        found = await pauses(live, 12)
    ceilings = [1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 60]
    assert all(0 <= pause <= ceiling for pause, ceiling in zip(found, ceilings, strict=True))
    late = found[6:]
    assert min(late) < 20
    assert max(late) > 40


async def test_an_end_without_an_error_is_a_lost_link(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite") as live:
        await lose(live)
        error = live.hub.health["front"].error
        assert error is not None
        assert (error.hop, error.code) == ("server", "link_closed")


async def test_a_cancellation_from_inside_is_a_lost_link_and_not_the_end(tmp_path: Path) -> None:
    """Libraries cancel their futures when a connection breaks."""
    async with live_hub(tmp_path / "x.sqlite") as live:
        await lose(live, asyncio.CancelledError())
        error = live.hub.health["front"].error
        assert error is not None
        assert error.code == "link_closed"
        await live.clock.advance(1.1)
        await until(lambda: live.hub.health["front"].is_connected)
        assert live.driver.lives == 2


async def test_a_defect_is_loud_and_the_driver_is_started_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with live_hub(tmp_path / "x.sqlite") as live:
        await lose(live, ZeroDivisionError("by zero"))
        error = live.hub.health["front"].error
        assert error is not None
        assert (error.hop, error.code) == ("server", "driver_defect")
        assert "ZeroDivisionError" in error.message
        assert "by zero" not in error.message, "what a defect says is for the log"
        (record,) = [r for r in caplog.records if r.levelname == "ERROR"]
        assert record.name == "hubd.driver.front"
        assert "ZeroDivisionError: by zero" in caplog.text
        await live.clock.advance(1.1)
        await until(lambda: live.hub.health["front"].is_connected)


@pytest.mark.parametrize(
    ("errors", "code", "loud"),
    [
        ([lost(code="first"), lost(code="second")], "first", False),
        ([ExceptionGroup("inner", [lost(code="deep")])], "deep", False),
        ([lost(code="first"), ValueError("a defect")], "driver_defect", True),
        ([StoreError("disk_full", "The disk is full."), lost(code="second")], "disk_full", False),
    ],
)
async def test_what_comes_out_of_a_drivers_task_group(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, errors: list[Exception], code: str, *, loud: bool
) -> None:
    async with live_hub(tmp_path / "x.sqlite") as live:
        await lose(live, ExceptionGroup("unhandled errors in a TaskGroup", errors))
        error = live.hub.health["front"].error
        assert error is not None
        assert error.code == code
        assert any(record.levelname == "ERROR" for record in caplog.records) is loud


async def test_a_disk_that_does_not_take_what_the_driver_saw(tmp_path: Path) -> None:
    async def publish(port: Port) -> None:
        if driver.lives == 1:
            raise StoreError("disk_full", "The disk is full.")
        await port.publish(LockSeen(native_id="a", locked=True))

    driver = ScriptedDriver(lock("a"))
    driver.on_start = publish
    async with live_hub(tmp_path / "x.sqlite", driver, wait=False) as live:
        await until(lambda: live.hub.health["front"].error is not None)
        error = live.hub.health["front"].error
        assert error is not None
        assert error.code == "disk_full"
        assert error.message == "The hub could not take in what the driver saw: The disk is full."
        await live.clock.advance(1.1)
        await until(lambda: live.hub.health["front"].is_connected)


async def test_a_hop_behind_the_link_goes_and_comes_while_the_driver_runs(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite") as live:
        port = live.driver.living_port
        await until(lambda: live.hub.journal.tables.instances["front"].is_connected)
        port.hop_back("controller")
        port.hop_lost(lost("controller", "pulled", "The stick was pulled."))
        port.hop_lost(lost("controller", "pulled", "The stick was pulled."))
        await until(lambda: not live.hub.journal.tables.instances["front"].is_connected)
        port.hop_back("server")
        assert not live.hub.health["front"].is_connected
        await live.clock.advance(42)
        port.hop_back("controller")
        port.hop_back("controller")
        await until(lambda: live.hub.journal.tables.instances["front"].is_connected)
        assert live.driver.lives == 1
        assert await hops(live) == [
            HopBack(),
            HopLost(hop="controller", code="pulled", reason="The stick was pulled.", since=NOON),
            HopBack(away_seconds=42.0),
        ]


async def test_a_loss_that_changes_its_face_is_told_but_is_no_second_loss(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite") as live:
        await until(lambda: live.hub.journal.tables.instances["front"].is_connected)
        live.driver.living_port.hop_lost(lost("controller"))
        await until(lambda: live.hub.journal.tables.instances["front"].hop == "controller")
        live.driver.end(lost("server"))
        await until(lambda: live.hub.journal.tables.instances["front"].hop == "server")
        assert [type(event) for event in await hops(live)] == [HopBack, HopLost, HopLost]
        assert (await live.public()).count("connected_account.disconnected") == 1


async def test_of_a_flurry_only_the_last_state_counts(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite") as live:
        await until(lambda: live.hub.journal.tables.instances["front"].is_connected)
        for _ in range(5):
            live.driver.living_port.hop_lost(lost("controller"))
            live.driver.living_port.hop_back("controller")
        await settle()
        await live.hub.journal.transact(lambda _: None)
        assert await hops(live) == [HopBack()]


async def test_what_an_old_life_says_about_health_is_not_heard(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite") as live:
        old = live.driver.living_port
        await lose(live, lost())
        old.ready()
        old.hop_back("server")
        assert live.hub.health["front"].state == "lost"
        await live.clock.advance(1.1)
        await until(lambda: live.hub.health["front"].is_connected)
        old.hop_lost(lost("controller"))
        assert live.hub.health["front"].is_connected
        await old.publish(LockSeen(native_id="a", locked=True))
        assert live.hub.devices[live.id_of("a")].state.locked is True


async def test_health_that_cannot_be_recorded_is_recorded_later(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite") as live:
        await until(lambda: live.hub.journal.tables.instances["front"].is_connected)
        await refuse_writes(live.hub.journal.database)
        live.driver.living_port.hop_lost(lost("controller"))
        await until(lambda: live.hub.journal.problem is not None)
        assert not live.hub.health["front"].is_connected
        await take_writes(live.hub.journal.database)
        await settle()
        await live.clock.advance(5.1)
        await until(lambda: not live.hub.journal.tables.instances["front"].is_connected)
        assert live.hub.journal.problem is None


async def test_a_restart_goes_on_where_health_was(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    async with live_hub(path) as live:
        await until(lambda: live.hub.journal.tables.instances["front"].is_connected)
        await lose(live, lost())
        await until(lambda: not live.hub.journal.tables.instances["front"].is_connected)
    async with live_hub(path, Unlucky(), wait=False) as live:
        await until(lambda: live.driver.lives)
        await until(lambda: live.hub.journal.tables.instances["front"].code == "gone-1")
        assert (await live.public()).count("connected_account.disconnected") == 1


async def test_stop_is_cancellation_and_is_waited_for(tmp_path: Path) -> None:
    order: list[str] = []

    async def tidy(_: Port) -> None:
        order.append("up")
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            order.append("tidied")

    driver: Any = ScriptedDriver()
    driver.on_start = tidy
    async with live_hub(tmp_path / "x.sqlite", driver, wait=False):
        await until(lambda: order)
    assert order == ["up", "tidied"]


async def test_a_driver_knows_the_sites_zone_and_whether_the_time_is_relied_on(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite") as live:
        port = live.driver.living_port
        assert str(port.zone) == live.hub.site.time_zone
        assert port.is_time_trusted is live.hub.sense.now().is_trusted


async def test_a_life_that_is_over_does_not_set_the_bookmark_back(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite", access_system="salto_space") as live:
        old = live.driver.living_port
        await old.note(bookmark="4")
        await lose(live, lost())
        await live.clock.advance(1)
        await until(lambda: live.hub.health["front"].is_connected)
        await live.driver.living_port.note(bookmark="9")
        with pytest.raises(DriverError) as caught:
            await old.note(bookmark="5")
        assert caught.value.code == "life_over"
        assert old.bookmark == "9"
