import asyncio
import socket
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from hubd import app
from hubd.app import Running, serve
from hubd.box import Box
from hubd.config import parse
from hubd.core.climate.recorder import ROUND, points
from hubd.driver import Clock
from hubd.model import Climate, ClimateSeen, HubError, LockSeen, UnlockDoor
from hubd.model.errors import StoreError
from hubd.model.event import ActionEnded
from hubd.store.database import Database
from tests.support.clock import ManualClock, settle
from tests.support.hub import until
from tests.support.site import VIRTUAL, LiveSite, running_site
from tests.support.sources import Witnesses
from tests.support.store import refuse_writes, slow_disk, statement, take_writes


def config_of(data_dir: Path, drivers: str = VIRTUAL, port: int = 0) -> bytes:
    return f'[hub]\ndata_dir = "{data_dir}"\n[http]\nport = {port}\n{drivers}'.encode()


@asynccontextmanager
async def an_app(
    data_dir: Path, text: bytes | None = None, *, clock: Clock | None = None
) -> AsyncIterator[tuple[Running, "asyncio.Task[None]"]]:
    """Run the daemon; whether and how it ends is the block's affair."""
    config = await asyncio.to_thread(parse, text or config_of(data_dir))
    box = await asyncio.to_thread(Box, data_dir)
    ready: asyncio.Future[Running] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(config, box, clock=clock, on_ready=ready.set_result))
    either: set[asyncio.Future[Any]] = {task, ready}
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
        yield ready.result(), task
        ready.result().stop()
        await task
    finally:
        task.cancel()
        await asyncio.wait({task})
        box.close()


async def refused(data_dir: Path, text: bytes | None = None) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the tests say which
        async with an_app(data_dir, text):
            pass
    return caught.value


async def test_it_serves_and_is_the_same_hub_at_its_next_start(tmp_path: Path) -> None:
    ids, tokens = [], []
    for _ in range(2):
        async with running_site(tmp_path) as site:
            answer = await site.call("/devices/list", json={})
            ids.append([device["device_id"] for device in answer.body["devices"]])
            tokens.append(site.token)
            assert (await site.call("/hub/site")).body["hub_id"] == site.hub.site.hub_id
    assert len(ids[0]) == 4
    assert ids[0] == ids[1]
    assert tokens[0] == tokens[1]


async def test_filters_of_the_config_hold(tmp_path: Path) -> None:
    only_thermostats = VIRTUAL + 'include_kinds = ["thermostat"]\ninclude_ids = ["lock-2"]\n'
    async with running_site(tmp_path, only_thermostats) as site:
        managed = {r.device.description.native_id for r in site.hub.devices.values() if r.is_managed}
        assert managed == {"lock-2", "thermostat-1"}
        assert len(site.hub.devices) == 4


# -- the owner's key


async def test_the_hub_is_as_patient_as_the_config_says(tmp_path: Path) -> None:
    hub = "offline_grace_seconds = 7\nflaky_window_seconds = 70\nremoval_minutes = 0.5"
    async with running_site(tmp_path / "data", hub=hub) as site:
        found = site.hub.site
        assert (found.grace_seconds, found.flaky_seconds, found.removal_seconds) == (7, 70, 30)


async def test_the_owners_key_is_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "owner.key"
    async with an_app(tmp_path) as (running, _):
        token = await asyncio.to_thread(path.read_text)
        key = running.keys.verify(token.strip())
        assert key is not None
        assert (key.role, key.name) == ("owner", "owner")
        assert stat.S_IMODE((await asyncio.to_thread(path.stat)).st_mode) == 0o600
    await asyncio.to_thread(path.unlink)
    async with an_app(tmp_path) as (running, _):
        assert len(running.keys.list()) == 1
        assert not await asyncio.to_thread(path.exists), "a key that was taken away on purpose does not come back"


async def test_a_power_cut_while_the_owners_key_is_made_locks_nobody_out(tmp_path: Path) -> None:
    """The file is written before its key is valid; a next start without an owner writes it anew."""
    path = tmp_path / "owner.key"
    await asyncio.to_thread(path.write_text, "seam_dead_token\n")
    async with an_app(tmp_path) as (running, _):
        token = (await asyncio.to_thread(path.read_text)).strip()
        assert running.keys.verify(token) is not None


async def test_an_owners_key_that_cannot_be_delivered_stops_the_start(tmp_path: Path) -> None:
    await asyncio.to_thread((tmp_path / "owner.key").mkdir)
    error = await refused(tmp_path)
    assert isinstance(error, HubError)
    assert error.code == "owner_key_unwritable"
    await asyncio.to_thread((tmp_path / "owner.key").rmdir)
    async with an_app(tmp_path) as (running, _):
        assert len(running.keys.list()) == 1


# -- what stops it from starting


async def test_a_port_that_is_taken_is_one_plain_error(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        error = await refused(tmp_path, config_of(tmp_path, port=taken.getsockname()[1]))
    assert isinstance(error, HubError)
    assert error.code == "cannot_listen"
    async with an_app(tmp_path) as (running, _):
        assert running.server.port > 0


async def test_a_newer_database_is_one_plain_error(tmp_path: Path) -> None:
    async with an_app(tmp_path):
        pass
    database = await Database.open(tmp_path / "hubd.sqlite")
    await database.transact([statement("PRAGMA user_version = 99")])
    await database.close()
    error = await refused(tmp_path)
    assert isinstance(error, StoreError)
    assert error.code == "database_newer"


async def test_a_defect_stays_a_defect(tmp_path: Path) -> None:
    config, box = await asyncio.to_thread(parse, config_of(tmp_path)), await asyncio.to_thread(Box, tmp_path)

    def defect(_: Running) -> None:
        raise ZeroDivisionError

    with pytest.raises(ExceptionGroup) as caught:
        await serve(config, box, on_ready=defect)
    assert caught.group_contains(ZeroDivisionError)
    box.close()


# -- stopping


async def test_it_stops_though_the_disk_is_dead_and_a_command_is_under_way(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "DRAIN_SECONDS", 0.2)
    slow = VIRTUAL.replace("latency_ms = 0", "latency_ms = 300")
    async with asyncio.timeout(5):
        async with an_app(tmp_path, config_of(tmp_path, slow)) as (running, _):
            hub = running.hub
            await until(lambda: hub.health["site"].is_connected)
            await hub.submit(an_order(running), "me")
            await refuse_writes(hub.journal.database)
            await until(lambda: "is not recorded yet" in caplog.text)
    async with running_site(tmp_path) as site:
        (command,) = [row for row in await site.hub.journal.rows(0, 1000) if row.type == "command.settled"]
        assert command.event is not None
        assert "hub_restarted" in str(command.event)


async def test_callers_under_way_are_answered_before_it_stops(tmp_path: Path) -> None:
    slow = VIRTUAL.replace("latency_ms = 0", "latency_ms = 200")
    async with aiohttp.ClientSession() as client:
        async with an_app(tmp_path, config_of(tmp_path, slow)) as (running, _):
            await until(lambda: running.hub.health["site"].is_connected)
            order = an_order(running)
            _, token = await running.keys.create("test", "operator", "me")
            url = f"http://127.0.0.1:{running.server.port}/locks/unlock_door"
            headers = {"authorization": f"Bearer {token}"}
            call = asyncio.create_task(client.post(url, json={"device_id": order.device_id}, headers=headers))
            await until(lambda: running.hub.dispatcher.under_way)
        async with await call as response:
            assert (await response.json())["action_attempt"]["status"] == "success"


async def test_an_action_under_way_is_stopped_in_order(tmp_path: Path) -> None:
    slow = VIRTUAL.replace("latency_ms = 0", "latency_ms = 60000")
    async with running_site(tmp_path / "data", slow) as site:
        run = await site.hub.actions.start("site", "include", {}, "k")
    assert (run.state, run.is_engaged) == ("cancelled", False)
    async with running_site(tmp_path / "data", slow) as site:
        rows = await site.hub.journal.rows(0, 1000)
        ends = [row.event for row in rows if isinstance(row.event, ActionEnded)]
        assert [(end.state, end.message) for end in ends] == [("cancelled", "It was cancelled: the hub is stopping.")]


def an_order(running: Running) -> UnlockDoor:
    lock = next(r.device for r in running.hub.devices.values() if r.device.description.kind == "lock")
    return UnlockDoor(device_id=lock.device_id, native_id=lock.description.native_id)


# -- housekeeping and the watchdog, on a clock that stands


async def test_readings_reach_the_disk_and_old_rows_leave_it(tmp_path: Path) -> None:
    clock = ManualClock()
    async with an_app(tmp_path, clock=clock) as (running, _):
        hub = running.hub
        await until(lambda: hub.health["site"].is_connected)
        record = next(r for r in hub.devices.values() if r.device.description.kind == "thermostat")
        climate_id = record.device.device_id
        sql = "SELECT body FROM devices WHERE device_id = ?"

        async def on_disk() -> bool:
            ((body,),) = await hub.journal.database.read(sql, (climate_id,))
            return b"0.305" in body

        climate = ClimateSeen(native_id="thermostat-1", climate=Climate(relative_humidity=0.305))
        await hub.publish("site", (climate,))
        assert not await on_disk()
        await clock.advance(14)
        assert not await on_disk()
        await clock.advance(2)
        await eventually(on_disk)

        first = (await hub.journal.select("seq > ?", (0,)))[0].seq
        assert first == 1
        begin, end = clock.now() - timedelta(days=1), clock.now() + timedelta(days=1)

        async def is_in_history() -> bool:
            found = await points(hub.journal.database, climate_id, begin, end)
            return [point.relative_humidity for point in found] == [0.305]

        await clock.advance(ROUND)
        await eventually(is_in_history)
        clock.step(timedelta(days=401).total_seconds())
        await hub.publish("site", (LockSeen(native_id="lock-1", locked=True, method="manual"),))
        await refuse_writes(hub.journal.database)
        await clock.advance(15)
        await take_writes(hub.journal.database)

        async def is_cut() -> bool:
            await clock.advance(3600)
            return (await hub.journal.select("seq > ?", (0,)))[0].seq > 1

        await eventually(is_cut)

        async def is_history_cut() -> bool:
            return await points(hub.journal.database, climate_id, begin, end) == []

        await eventually(is_history_cut)


async def eventually(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not await condition():  # type: ignore[misc]
            await settle()


async def test_systemd_hears_only_of_a_writer_that_lives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = ManualClock()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(0)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "300000")
        monkeypatch.delenv("WATCHDOG_PID", raising=False)
        loop = asyncio.get_running_loop()

        async def heard() -> bytes:
            async with asyncio.timeout(5):
                return await loop.sock_recv(systemd, 100)

        async with an_app(tmp_path / "data", clock=clock) as (running, _):
            assert await heard() == b"READY=1"
            assert await heard() == b"WATCHDOG=1"
            await clock.advance(0.11)
            assert await heard() == b"WATCHDOG=1"
            await refuse_writes(running.hub.journal.database)
            await clock.advance(0.11)
            assert await heard() == b"WATCHDOG=1", "a disk that refuses is not mended by a restart"
            async with slow_disk(running.hub.journal):
                await clock.advance(0.11)
                await asyncio.sleep(0.3)
                await clock.advance(0.11)
                await asyncio.sleep(0.05)
                with pytest.raises(BlockingIOError):
                    systemd.recv(100)
            await take_writes(running.hub.journal.database)
        stopping = await heard()
        while stopping == b"WATCHDOG=1":
            stopping = await heard()
        assert stopping == b"STOPPING=1"


async def test_the_api_says_when_the_disk_refuses_and_when_it_is_well_again(tmp_path: Path) -> None:
    async with running_site(tmp_path) as site:
        assert (await site.call("/health")).body["ok"] is True
        await refuse_writes(site.hub.journal.database)
        device = await site.device("Room 101")
        refusal = await site.call("/locks/unlock_door", json={"device_id": device["device_id"]})
        assert (refusal.status, refusal.body["error"]["type"]) == (503, "read_only")
        sick = (await site.call("/health")).body
        assert (sick["ok"], sick["service_health_statuses"][0]["status"]) == (False, "degraded")
        await take_writes(site.hub.journal.database)
        healed = await site.call("/locks/unlock_door", json={"device_id": device["device_id"]})
        assert healed.body["action_attempt"]["status"] == "success"
        assert (await site.call("/health")).body["ok"] is True


async def test_page_and_api_share_the_listener(tmp_path: Path) -> None:
    async with running_site(tmp_path) as site, aiohttp.ClientSession() as client:
        async with client.get(site.url + "/", headers={"accept": "text/html"}) as page:
            assert page.headers["content-type"].startswith("text/html")
        async with client.get(site.url + "/nothing/here") as missing:
            assert (await missing.json())["error"]["type"] == "route_not_found"


async def test_a_boot_without_proof_of_the_time_is_told_until_somebody_vouches_for_it(tmp_path: Path) -> None:
    async def clock_of(site: LiveSite) -> dict[str, str]:
        parts = (await site.call("/health")).body["service_health_statuses"]
        (found,) = [part for part in parts if part["service"] == "clock"]
        return dict(found)

    for boot in ("first", "first"):
        async with running_site(tmp_path, sources=Witnesses(boot)) as site:
            assert (await clock_of(site))["status"] == "healthy", "the first start of all, and a restart"
    async with running_site(tmp_path, sources=Witnesses("second")) as site:
        told = await clock_of(site)
        assert told["status"] == "degraded"
        assert "no time server answered" in told["description"]
        await site.hub.sense.confirm()
        assert (await clock_of(site))["status"] == "healthy"
    async with running_site(tmp_path, hub='trust_clock = "always"', sources=Witnesses("third")) as site:
        assert (await clock_of(site))["status"] == "healthy"
