"""The driver against the real zwave-js-server on an emulated stick."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from hubd_drivers.zwave import MANIFEST, ZwaveConfig, ZwaveDriver

from hubd.driver import DriverError
from hubd.driver.contract import ContractSite, DriverContract, RecordingPort, check_outcome, running
from hubd.model import (
    Command,
    DenialSeen,
    DoorSeen,
    LinkSeen,
    LockDoor,
    LockSeen,
    Outcome,
    OutcomeKind,
    ReachabilitySeen,
    Seen,
    TamperSeen,
    UnlockDoor,
)
from tests.drivers.zwave.conftest import Proxy, SharedNetwork
from tests.sims.zwave.fixtures import CacheFor
from tests.sims.zwave.harness import FAST, Pace, ZwaveNetwork

pytestmark = pytest.mark.node

PLAIN, S2, THERMOSTAT, SCHLAGE = (
    "7e570001-node-2-ffff.ffff.fffe",
    "7e570001-node-3-ffff.ffff.fffe",
    "7e570001-node-4-ffff.ffff.fffe",
    "7e570001-node-5-003b.0001.0469",
)
NODES = {PLAIN: 2, S2: 3, SCHLAGE: 5}
QUIET = 0.5
"""Seconds after which nothing more is on its way at the fast pace; longer than the attribution window of the tests."""


def config(network: ZwaveNetwork | SharedNetwork, **more: Any) -> ZwaveConfig:
    quick = {"controller_check_seconds": 0.3, "command_timeout": 2.0, "attribution_ms": 250}
    return ZwaveConfig(**{"url": network.url, **quick, **more})


@pytest_asyncio.fixture
async def site(network: SharedNetwork) -> AsyncIterator[ContractSite]:
    async with Proxy(network.url) as proxy:
        yield ContractSite(MANIFEST, config(network, url=proxy.url), break_link=proxy.stop)


class TestZwaveContract(DriverContract):
    pass


class Hub:
    """The hub's side of a running driver."""

    def __init__(self, port: RecordingPort, driver: ZwaveDriver, task: asyncio.Task[None]) -> None:
        self.port = port
        self.driver = driver
        self.task = task

    async def order(self, native_id: str, *, locked: bool) -> Outcome:
        command: Command = (LockDoor if locked else UnlockDoor)(device_id="device", native_id=native_id)
        outcome = await self.driver.execute(command)
        check_outcome(outcome)
        return outcome

    async def told(self, kind: type[Seen], native_id: str) -> list[Any]:
        """Wait until nothing more comes, then return and forget what was published."""
        await asyncio.sleep(QUIET)
        told = [seen for seen in self.port.seen if isinstance(seen, kind) and seen.native_id == native_id]
        self.port.seen.clear()
        return told


@asynccontextmanager
async def hub(
    network: ZwaveNetwork | SharedNetwork, driver: ZwaveDriver | None = None, **more: Any
) -> AsyncIterator[Hub]:
    made, port = driver or ZwaveDriver(config(network, **more)), RecordingPort()
    async with running(made, port) as task:
        yield Hub(port, made, task)


async def until(holds: Callable[[], object], seconds: float) -> float:
    """Wait until something holds; returns how long it took."""
    before = time.monotonic()
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - a recording port has no event for it
            await asyncio.sleep(0.02)
    return time.monotonic() - before


async def test_devices_are_described_whole(network: SharedNetwork) -> None:
    async with hub(network) as h:
        found = h.port.devices
        assert {native_id: device.device_type for native_id, device in found.items()} == {
            PLAIN: "zwave_lock",
            S2: "zwave_lock",
            THERMOSTAT: "zwave_thermostat",
            SCHLAGE: "schlage_lock",
        }
        assert (found[SCHLAGE].manufacturer, found[SCHLAGE].model) == ("Allegion", "BE469ZP")
        assert found[PLAIN].name == "Door lock 7e570001-2"
        keypads = {native_id: device.capabilities.keypad for native_id, device in found.items()}
        assert {native_id: keypad.slots for native_id, keypad in keypads.items() if keypad} == {
            PLAIN: 30,
            S2: 20,
            SCHLAGE: 30,
        }
        doors = {native_id for native_id, device in found.items() if (c := device.capabilities.lock) and c.reports_door}
        assert doors == {PLAIN}
        thermostat = found[THERMOSTAT].capabilities.thermostat
        assert thermostat is not None
        assert thermostat.hvac_modes == ("off", "heat", "cool", "heat_cool")
        assert thermostat.heating is not None
        assert (thermostat.heating.min_celsius, thermostat.heating.max_celsius) == (5, 30)
        assert (await h.order(THERMOSTAT, locked=True)).kind is OutcomeKind.UNSUPPORTED


async def test_devices_tell_what_they_are_known_by_and_how_they_are_reached(network: SharedNetwork) -> None:
    await network.op("route", node=2, repeaters=[4], rssi=-71)
    async with hub(network) as h:
        assert (await h.order(PLAIN, locked=False)).kind is OutcomeKind.DONE
    async with hub(network, scan_minutes=0.01) as h:
        assert h.port.devices[SCHLAGE].hardware_ids[-1] == "zwave-node:7e570001:5"
        assert h.port.devices[PLAIN].capabilities.battery_report_hours == 168
        assert (await h.order(PLAIN, locked=True)).kind is OutcomeKind.DONE
        seen = await h.port.wait_for(lambda one: isinstance(one, LinkSeen) and one.native_id == PLAIN)
        assert isinstance(seen, LinkSeen)
        assert (seen.link.route, seen.link.signal_dbm) == (("Thermostat 7e570001-4",), -71)
        assert seen.link.lost_ratio is not None
        await network.op("route", node=2)
        await until(lambda: len(h.port.scans) > 1, 10.0)
        assert set(h.port.scans) == {()}, "each scan finds all that is known"


async def test_orders_are_confirmed_and_told_once(network: SharedNetwork) -> None:
    async with hub(network) as h:
        await asyncio.sleep(QUIET)
        h.port.seen.clear()
        for native_id, node in NODES.items():
            for habit in (False, True):
                await network.op("habits", node=node, reportsAfterSet=habit)
                for locked in (True, False):
                    outcome = await h.order(native_id, locked=locked)
                    assert outcome.kind is OutcomeKind.DONE, (native_id, outcome)
                    assert outcome.seen == (LockSeen(native_id=native_id, locked=locked, method="remote"),)
                    assert await network.op("locked", node=node) is locked
                    await asyncio.sleep(0.1)  # the habit is to tell it again 20 ms later
            assert await network.op("lock_sets", node=node) == 4
        assert [seen for seen in h.port.seen if isinstance(seen, LockSeen)] == []
        assert await h.told(LockSeen, PLAIN) == []


async def test_whatever_somebody_does_at_the_door_is_one_fact(network: SharedNetwork) -> None:
    async with hub(network) as h:
        await h.told(LockSeen, PLAIN)
        for op, arguments, method, slot in (
            ("keypad", {"locked": True, "user": 3}, "keycode", 3),
            ("manual", {"locked": False}, "manual", None),
            ("auto_lock", {}, "automatic", None),
            ("rf", {"locked": False}, "remote", None),
            ("keypad", {"locked": True, "user": 4, "report": False}, "keycode", 4),
        ):
            for node in NODES.values():
                await network.op(op, node=node, **arguments)
            await asyncio.sleep(QUIET)
            seen = [(one.native_id, one.method, one.user_slot) for one in h.port.seen if isinstance(one, LockSeen)]
            assert sorted(seen) == sorted((native_id, method, slot) for native_id in NODES), op
            h.port.seen.clear()
        await network.op("notify", node=2, type=6, event=16)
        assert [seen.reason for seen in await h.told(DenialSeen, PLAIN)] == ["too_many_attempts"]
        await network.op("door", node=2, open=True, event=True)
        assert [seen.open for seen in await h.told(DoorSeen, PLAIN)] == [True]


async def test_a_jam_and_its_end(network: SharedNetwork) -> None:
    async with hub(network) as h:
        await h.told(LockSeen, PLAIN)
        await network.op("jam", node=2)
        assert [(seen.locked, seen.jammed) for seen in await h.told(LockSeen, PLAIN)] == [(None, True)]
        await network.op("unjam", node=2)
        assert [(seen.locked, seen.jammed) for seen in await h.told(LockSeen, PLAIN)] == [(False, False)]
        for native_id, node in NODES.items():
            await network.op("faults", node=node, jamOnSet=True)
            outcome = await h.order(native_id, locked=True)
            assert (outcome.kind, outcome.code) == (OutcomeKind.REJECTED, "lock_jammed"), native_id
            assert await h.told(LockSeen, native_id) == [], "the outcome tells it"


async def test_locks_that_do_not_obey(network: SharedNetwork) -> None:
    async with hub(network) as h:
        await asyncio.sleep(QUIET)
        for native_id, kind, code in (
            (PLAIN, OutcomeKind.REJECTED, "device_refused"),
            (S2, OutcomeKind.REJECTED, "device_refused"),
            (SCHLAGE, OutcomeKind.SENT_UNCONFIRMED, "not_confirmed"),  # no Supervision: it refuses in silence
        ):
            await network.op("faults", node=NODES[native_id], rejectSets=True)
            h.port.seen.clear()
            outcome = await h.order(native_id, locked=True)
            assert (outcome.kind, outcome.code) == (kind, code), outcome
            await network.op("faults", node=NODES[native_id])
            assert outcome.seen == ((LockSeen(native_id=SCHLAGE, locked=False),) if native_id == SCHLAGE else ())
            assert [seen.locked for seen in await h.told(LockSeen, native_id)] == [], "it never moved"


@pytest.mark.parametrize(("native_id", "fault"), [(S2, "failLate"), (S2, "claimsSuccess"), (PLAIN, "claimsSuccess")])
async def test_a_lock_that_promises_and_does_not_move(network: SharedNetwork, native_id: str, fault: str) -> None:
    """What it has accepted, or called done, is not done; what is shown is where it says that its bolt is."""
    async with hub(network) as h:
        await h.told(LockSeen, native_id)
        await network.op("faults", node=NODES[native_id], **{fault: True})
        outcome = await h.order(native_id, locked=True)
        assert (outcome.kind, outcome.code) == (OutcomeKind.SENT_UNCONFIRMED, "not_confirmed")
        assert outcome.seen == (LockSeen(native_id=native_id, locked=False),)
        assert await network.op("lock_sets", node=NODES[native_id]) == 1
        assert [seen.locked for seen in await h.told(LockSeen, native_id)] == [], "it never moved"
        await network.op("faults", node=NODES[native_id])
        assert (await h.order(native_id, locked=True)).kind is OutcomeKind.DONE


async def test_what_an_old_lock_says_in_its_maker_s_numbers(network: SharedNetwork) -> None:
    async with hub(network) as h:
        await h.told(LockSeen, SCHLAGE)
        for alarm_type, level, locked, method, slot in (
            (18, 4, True, "keycode", 4),
            (22, 1, False, "manual", None),
            (27, 1, True, "automatic", None),
            (16, 7, False, "keycode", 7),
        ):
            await network.op("v1alarm", node=5, type=alarm_type, level=level)
            seen = [(one.locked, one.method, one.user_slot) for one in await h.told(LockSeen, SCHLAGE)]
            assert seen == [(locked, method, slot)]
        await network.op("v1alarm", node=5, type=161, level=2)
        assert len(await h.told(TamperSeen, SCHLAGE)) == 1
        await network.op("v1alarm", node=5, type=9, level=1)
        assert [seen.jammed for seen in await h.told(LockSeen, SCHLAGE)] == [True]


async def test_a_lock_that_does_not_report_is_asked(network: SharedNetwork) -> None:
    async with hub(network, silent_poll_minutes=0.02) as h:
        await h.told(LockSeen, SCHLAGE)
        await network.op("set_state", node=5, key="DoorLock_currentMode", value=255)
        seen = await h.port.wait_for(lambda one: isinstance(one, LockSeen) and one.native_id == SCHLAGE, 15.0)
        assert seen == LockSeen(native_id=SCHLAGE, locked=True), "nobody can say who did it"
        h.port.seen.clear()
        await network.op("manual", node=5, locked=False)
        assert [seen.method for seen in await h.told(LockSeen, SCHLAGE)] == ["manual"]
        await network.op("set_state", node=5, key="DoorLock_currentMode", value=255)
        await asyncio.sleep(3.0)
        assert await h.told(LockSeen, SCHLAGE) == [], "it reports after all, so it is left alone"


async def test_a_lock_that_says_nothing_is_neither_locked_nor_unlocked(network: SharedNetwork) -> None:
    async with hub(network) as h:
        await h.told(LockSeen, PLAIN)
        await network.op("faults", node=2, ignoreCCs=[98])
        outcome = await h.order(PLAIN, locked=True)
        assert (outcome.kind, outcome.seen) == (OutcomeKind.SENT_UNCONFIRMED, ())
        assert await h.told(LockSeen, PLAIN) == [], "what zwave-js expects is no reading"
        await network.op("faults", node=2)
        await network.op("set_state", node=2, key="DoorLock_currentMode", value=255)
        seen = await h.port.wait_for(lambda one: isinstance(one, LockSeen) and one.native_id == PLAIN, 15.0)
        assert seen == LockSeen(native_id=PLAIN, locked=True, method="remote")


async def test_a_dead_lock_is_tried_once_and_heals(network: SharedNetwork) -> None:
    async with hub(network) as h:
        await h.told(LockSeen, S2)
        await network.op("dead", node=3)
        for _ in range(2):
            outcome = await h.order(S2, locked=True)
            assert (outcome.kind, outcome.code) == (OutcomeKind.SENT_UNCONFIRMED, "device_unreachable")
        gone = await h.told(ReachabilitySeen, S2)
        assert [seen.online for seen in gone] == [False]
        assert "batteries" in gone[0].reason
        await network.op("dead", node=3, on=False)
        assert (await h.order(S2, locked=True)).kind is OutcomeKind.DONE
        assert [seen.online for seen in await h.told(ReachabilitySeen, S2)] == [True]


async def test_a_device_that_vanished_while_nobody_listened_is_missed(zwave_network: ZwaveNetwork) -> None:
    driver, port = ZwaveDriver(config(zwave_network, scan_minutes=0.01)), RecordingPort()
    async with running(driver, port):
        await until(lambda: port.scans, 10.0)
        assert set(port.scans) == {()}
    await zwave_network.stop_server()
    await zwave_network.op("vanish", node=2)
    await zwave_network.start_server()
    later = RecordingPort()
    later.known = {**port.devices, "aaaaaaaa-node-2-ffff.ffff.fffe": port.devices[PLAIN]}
    async with running(driver, later):
        await until(lambda: len(later.scans) > 1, 10.0)
        assert set(later.scans) == {(PLAIN,)}, "and devices of another network are not"
        assert PLAIN not in later.devices
        assert not later.gone, "the hub decides"


async def test_a_sleeper_waits_until_it_was_interviewed(zwave_cache: CacheFor, tmp_path: Path) -> None:
    cache = await asyncio.to_thread(zwave_cache, (2,))
    async with ZwaveNetwork(nodes=(2, 6), cache=cache, directory=tmp_path / "zwave", pace=FAST) as network:
        await network.op("sleep", node=6)
        async with hub(network) as h:
            assert PLAIN in h.port.devices
            await until(lambda: "wake it" in h.port.waits.get("node-6", ("", ""))[1], 10.0)
            sensor = "7e570001-node-6-ffff.ffff.fffe"
            for _ in range(10):
                await network.op("wake", node=6)
                with suppress(TimeoutError):
                    await until(lambda: sensor in h.port.devices, 3.0)
                    break
            assert h.port.waits == {}
            assert h.port.devices[sensor].capabilities.battery_report_hours == 169


async def test_the_stick_is_pulled_and_put_back(zwave_cache: CacheFor, tmp_path: Path) -> None:
    pace = Pace(**{**{name: getattr(FAST, name) for name in Pace.__slots__}, "open_attempts": 20})
    cache = await asyncio.to_thread(zwave_cache, (2, 3))
    async with ZwaveNetwork(nodes=(2, 3), cache=cache, directory=tmp_path / "zwave", pace=pace) as network:
        await network.wait_ready()
        async with hub(network) as h:
            await network.unplug()
            assert await until(lambda: h.port.lost_hops, 10.0) < 2.0
            assert h.port.lost_hops["controller"].code == "controller_lost"
            outcome = await h.order(PLAIN, locked=True)
            assert (outcome.kind, outcome.code) == (OutcomeKind.UNREACHABLE, "controller_lost")
            await network.plug()
            assert await until(lambda: not h.port.lost_hops, 10.0) < 5.0
            assert (await h.order(PLAIN, locked=True)).kind is OutcomeKind.DONE
            assert not h.task.done(), "the server held out, so did the connection"


async def test_a_stick_that_is_pulled_with_an_order_on_its_way_is_noticed_as_fast(
    zwave_cache: CacheFor, tmp_path: Path
) -> None:
    """Then whatever the stick is asked waits behind the order; zwave-js's log tells."""
    pace = Pace(**{**{name: getattr(FAST, name) for name in Pace.__slots__}, "open_attempts": 20})
    cache = await asyncio.to_thread(zwave_cache, (2, 3))
    async with ZwaveNetwork(nodes=(2, 3), cache=cache, directory=tmp_path / "zwave", pace=pace) as network:
        await network.wait_ready()
        async with hub(network) as h:
            orders = [asyncio.create_task(h.order(PLAIN, locked=locked)) for locked in (True, False)]
            await asyncio.sleep(0.05)
            await network.unplug()
            assert await until(lambda: h.port.lost_hops, 10.0) < 4.0
            assert h.port.lost_hops["controller"].code == "controller_lost"
            for order in orders:
                order.cancel()
            await asyncio.wait(orders)


async def test_the_stick_stays_away_until_the_server_gives_up(zwave_network: ZwaveNetwork) -> None:
    driver = ZwaveDriver(config(zwave_network))
    async with hub(zwave_network, driver) as h:
        await zwave_network.unplug()
        await asyncio.wait({h.task}, timeout=10.0)
        error = h.task.exception()
        assert isinstance(error, DriverError)
        assert (error.hop, error.code) == ("controller", "controller_lost")
    await zwave_network.wait_not_listening()
    with pytest.raises(DriverError, match="Nothing listens"):
        await driver.run(RecordingPort())
    await zwave_network.plug()
    await zwave_network.wait_listening()
    async with hub(zwave_network, driver) as h:
        assert (await h.order(PLAIN, locked=True)).kind is OutcomeKind.DONE


async def test_the_server_is_killed_and_comes_back_with_a_dead_lock(zwave_network: ZwaveNetwork) -> None:
    driver = ZwaveDriver(config(zwave_network))
    async with hub(zwave_network, driver) as h:
        await h.order(PLAIN, locked=True)
        before = time.monotonic()
        await zwave_network.kill_server()
        await asyncio.wait({h.task}, timeout=10.0)
        assert time.monotonic() - before < 2.0
        error = h.task.exception()
        assert isinstance(error, DriverError)
        assert error.hop == "server"
        assert (await h.order(PLAIN, locked=True)).kind is OutcomeKind.UNREACHABLE
    await zwave_network.op("dead", node=2)
    await zwave_network.start_server()
    async with hub(zwave_network, driver) as h:
        assert set(h.port.devices) == {PLAIN, S2, THERMOSTAT, SCHLAGE}
        assert h.port.position(PLAIN) is not False, "what a killed server saved last is older than what was told"
        await until(lambda: any(_is_offline(seen, PLAIN) for seen in h.port.seen), 5.0)
        assert (await h.order(SCHLAGE, locked=True)).kind is OutcomeKind.DONE


def _is_offline(seen: Seen, native_id: str) -> bool:
    return isinstance(seen, ReachabilitySeen) and seen.native_id == native_id and not seen.online


async def test_a_server_that_freezes_is_noticed_within_ten_seconds(network: SharedNetwork) -> None:
    async with hub(network) as h:
        server = network.network.pids["server"]
        os.kill(server, signal.SIGSTOP)
        before = time.monotonic()
        try:
            await asyncio.wait({h.task}, timeout=12.0)
        finally:
            os.kill(server, signal.SIGCONT)
        assert time.monotonic() - before < 10.0
        error = h.task.exception()
        assert isinstance(error, DriverError)
        assert (error.hop, error.code) == ("server", "server_silent")


async def test_zwave_js_restarts_under_the_server(network: SharedNetwork) -> None:
    async with hub(network) as h:
        life = h.driver._life  # noqa: SLF001 - the only way to the server's own commands
        assert life is not None
        await life._link.command("driver.soft_reset_and_restart")  # noqa: SLF001
        await asyncio.wait({h.task}, timeout=25.0)
        error = h.task.exception()
        assert isinstance(error, DriverError)
        assert error.code == "controller_restarted"
    await network.wait_ready()
    async with hub(network, h.driver) as again:
        assert (await again.order(S2, locked=True)).kind is OutcomeKind.DONE
