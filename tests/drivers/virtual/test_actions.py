import asyncio
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hubd_drivers.virtual import MANIFEST
from hubd_drivers.virtual.actions import ACTIONS, PIN, Include
from hubd_drivers.virtual.driver import VirtualConfig, VirtualDriver

from hubd.driver import ActingDriver, ActionError, ActionResult, Arguments, DriverError, Question
from hubd.driver.contract import RecordingPort, check_description, running
from hubd.driver.fields import fields
from hubd.model import (
    DeviceDescription,
    KeypadCapability,
    LinkSeen,
    SetCode,
    SimulateConnection,
    SimulateHubConnection,
)
from tests.support.clock import NOON, ManualClock, settle


class Progress:
    """Keeps what an action says, and answers what it asks."""

    def __init__(self, answer: str = "12345") -> None:
        self.said: list[str] = []
        self.seconds: list[float] = []
        self.shares: list[float] = []
        self.asked: list[Question] = []
        self._answer = answer

    def say(self, message: str, *, seconds: float | None = None, share: float | None = None) -> None:
        self.said.append(message)
        self.seconds += [] if seconds is None else [seconds]
        self.shares += [] if share is None else [share]

    async def ask(self, question: Question) -> str:
        self.asked.append(question)
        return self._answer


class Site:
    """A running virtual driver."""

    def __init__(self, driver: VirtualDriver, port: RecordingPort) -> None:
        self.driver = driver
        self.port = port
        self.progress = Progress()

    async def do(self, action: str, native_id: str | None = None, **arguments: Any) -> ActionResult:
        typed = next(one.arguments for one in ACTIONS if one.name == action)
        return await self.driver.act(action, msgspec.convert(arguments, typed), native_id, self.progress)


@asynccontextmanager
async def a_site(storage: Path | None = None, clock: ManualClock | None = None, **keys: Any) -> AsyncIterator[Site]:
    driver = VirtualDriver(VirtualConfig(**({"locks": 2, "thermostats": 1, "latency_ms": 0} | keys)))
    port = RecordingPort(clock=clock)
    if storage is not None:
        port.__dict__["storage"] = storage
    async with running(driver, port):
        yield Site(driver, port)


def test_every_action_can_be_shown() -> None:
    assert MANIFEST.actions == ACTIONS
    assert isinstance(VirtualDriver(VirtualConfig()), ActingDriver)
    assert len({action.name for action in ACTIONS}) == len(ACTIONS)
    seconds, security = fields(Include)
    assert (seconds.title, seconds.minimum, seconds.maximum, seconds.default) == ("Wait", 5, 240, 60)
    assert security.choices == ("none", "pin")


async def test_a_lock_is_added() -> None:
    async with a_site() as site:
        result = await site.do("include")
        assert result.message == "Room 103 was added."
        assert result.facts == {"native_id": "lock-3", "name": "Room 103", "security": "pin"}
        check_description(site.port.devices["lock-3"])
        assert site.progress.said[0] == "Press the button on the new lock."
        assert (site.progress.seconds, site.progress.asked) == ([60], [PIN])
        assert site.progress.shares == sorted(site.progress.shares)
        assert "12345" not in str(result) + str(site.progress.said)
        assert site.port.waits == {}
        assert (await site.do("include", security="none")).facts["name"] == "Room 104"
        assert site.progress.asked == [PIN]


async def test_what_asks_to_join_waits_until_it_is_read() -> None:
    clock = ManualClock()
    async with a_site(clock=clock, latency_ms=100) as site:
        task = asyncio.create_task(site.do("include"))
        await clock.advance(1.05)
        assert site.port.waits == {"lock-3": ("Room 103", "It is being read.")}
        assert "lock-3" not in site.port.devices
        while not task.done():
            await clock.advance(0.1)
            await asyncio.sleep(0.001)
        assert site.port.waits == {}
        assert "lock-3" in site.port.devices


async def test_nobody_presses_the_button() -> None:
    clock = ManualClock()
    async with a_site(clock=clock, latency_ms=1000) as site:
        task = asyncio.create_task(site.do("include", seconds=9))
        await clock.advance(8.9)
        assert not task.done()
        await clock.advance(0.2)
        with pytest.raises(ActionError) as caught:
            await task
        assert (caught.value.code, caught.value.message) == ("nothing_pressed", "No button was pressed within 9 s.")


async def test_somebody_gives_up_while_a_lock_joins() -> None:
    clock = ManualClock()
    async with a_site(clock=clock, latency_ms=100) as site:
        task = asyncio.create_task(site.do("include"))
        await clock.advance(1.05)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()
        assert (site.port.waits, set(site.driver.devices)) == ({}, {"lock-1", "lock-2", "thermostat-1"})


async def test_a_device_is_taken_out() -> None:
    async with a_site() as site:
        assert (await site.do("exclude", "lock-1")).message == "Room 101 was taken out."
        assert site.port.gone == {"lock-1": "It was taken out of the simulated network."}
        with pytest.raises(ActionError) as caught:
            await site.do("exclude", "lock-1")
        assert caught.value.code == "device_not_found"
        assert (await site.do("include")).facts["native_id"] == "lock-3"


async def test_the_site_is_the_same_after_a_restart(tmp_path: Path) -> None:
    async with a_site(tmp_path) as site:
        await site.do("include")
        await site.do("include")
        await site.do("exclude", "lock-1")
        await site.do("exclude", "lock-3")
    async with a_site(tmp_path) as site:
        assert set(site.port.devices) == {"lock-2", "lock-4", "thermostat-1"}
        await site.do("exclude", "lock-4")
    async with a_site(tmp_path) as site:
        assert set(site.port.devices) == {"lock-2", "thermostat-1"}


async def test_a_lock_that_is_added_has_the_keypad_of_the_config() -> None:
    async with a_site(code_slots=7, masked=True) as site:
        await site.do("include")
        assert site.port.devices["lock-3"].capabilities.keypad == KeypadCapability(slots=7, tells_pins=False)


async def test_a_lock_that_is_taken_out_takes_its_codes_along(tmp_path: Path) -> None:
    async with a_site(tmp_path) as site:
        await site.do("include")
        pin_ref = site.port.seal("47110815")
        await site.driver.execute(SetCode(device_id="d", native_id="lock-3", slot=1, pin_ref=pin_ref))
        result = await site.do("backup")
        assert result.file is not None
        assert b"47110815" not in await asyncio.to_thread(result.file.read_bytes)
        await site.do("exclude", "lock-3")
    async with a_site(tmp_path) as site:
        await site.do("include")
        keypad = site.driver.devices["lock-3"].keypad
        assert keypad is not None
        assert keypad.codes == {}


async def test_ping_measures_and_tells_the_link() -> None:
    clock = ManualClock()
    async with a_site(clock=clock, latency_ms=250) as site:
        task = asyncio.create_task(site.do("ping", "lock-1"))
        await clock.advance(1)
        result = await task
        assert result.facts == {"round_trip_ms": 250.0, "signal_dbm": -62.0}
        assert [row["round_trip_ms"] for row in result.table] == [250.0] * 3
        link = next(seen for seen in site.port.seen if isinstance(seen, LinkSeen))
        assert (link.native_id, link.link.round_trip_ms) == ("lock-1", 250.0)
        assert link.link.measured_at == NOON + timedelta(seconds=0.75)


async def test_a_device_off_its_network_does_not_answer_a_ping() -> None:
    async with a_site() as site:
        await site.driver.execute(SimulateConnection(device_id="d", native_id="lock-1", connected=False))
        with pytest.raises(ActionError) as caught:
            await site.do("ping", "lock-1")
        assert (caught.value.code, caught.value.message) == ("device_unreachable", "Room 101 does not answer.")


async def test_a_backup_is_a_file_of_the_drivers_own(tmp_path: Path) -> None:
    async with a_site(tmp_path) as site:
        result = await site.do("backup")
        path = result.file
        assert path is not None
        content, mode = await asyncio.to_thread(lambda: (path.read_bytes(), path.stat().st_mode))
        assert path.parent == tmp_path
        assert stat.S_IMODE(mode) == 0o600
        described = msgspec.json.decode(content, type=list[DeviceDescription])
        assert {one.native_id for one in described} == set(site.driver.devices)
        assert result.facts == {"devices": 3, "bytes": len(content)}


@pytest.mark.parametrize("action", ["include", "exclude", "ping", "backup"])
async def test_while_the_site_is_disconnected_nothing_is_done(action: str) -> None:
    driver = VirtualDriver(VirtualConfig(latency_ms=0))
    site = Site(driver, RecordingPort())
    with pytest.raises(DriverError) as caught:
        await site.do(action, "lock-1" if action in {"exclude", "ping"} else None)
    assert (caught.value.hop, caught.value.code) == ("site", "hub_disconnected")


async def test_the_site_is_lost_while_a_lock_joins() -> None:
    clock = ManualClock()
    driver, port = VirtualDriver(VirtualConfig(latency_ms=100)), RecordingPort(clock=clock)
    life = asyncio.create_task(driver.run(port))
    await port.is_ready.wait()
    task = asyncio.create_task(driver.act("include", Include(), None, Progress()))
    await clock.advance(0.5)
    await driver.execute(SimulateHubConnection(device_id="d", native_id="lock-1", connected=False))
    await asyncio.wait({life})
    assert isinstance(life.exception(), DriverError)
    await clock.advance(1)
    with pytest.raises(DriverError):
        await task


async def test_no_action_takes_arguments_of_another() -> None:
    async with a_site() as site:
        assert (await site.driver.act("ping", Arguments(), "lock-1", site.progress)).message == "Room 101 answers."
        await settle()
