import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, ClassVar, Literal

import msgspec
import pytest
from hubd_drivers.virtual import MANIFEST
from hubd_drivers.virtual.driver import VirtualConfig, VirtualDriver
from msgspec.structs import replace

from hubd.driver import CheckPort, DriverError, SystemClock, registry
from hubd.driver.contract import ContractSite, DriverContract, RecordingPort, check_outcome, running
from hubd.model import (
    Command,
    LockDoor,
    LockSeen,
    Outcome,
    OutcomeKind,
    ReachabilitySeen,
    SimulateConnection,
    SimulateHubConnection,
    SimulateKeypadCodeEntry,
    SimulateManualLock,
    SimulateRemoval,
    UnlockDoor,
)
from tests.support.clock import ManualClock, settle


class TestVirtualContract(DriverContract):
    """The suite that every driver passes."""

    keys: ClassVar[dict[str, Any]] = {"schedules": True}

    @pytest.fixture
    def site(self) -> ContractSite:
        created: list[VirtualDriver] = []

        def create(config: VirtualConfig) -> VirtualDriver:
            created.append(VirtualDriver(config))
            return created[-1]

        async def break_link() -> None:
            await created[-1].execute(SimulateHubConnection(device_id="d", native_id="lock-1", connected=False))

        config = VirtualConfig(locks=3, thermostats=2, latency_ms=0, **self.keys)
        return ContractSite(replace(MANIFEST, create=create), config, break_link=break_link)


class TestMaskedContract(TestVirtualContract):
    """The same with locks that tell no PINs."""

    keys: ClassVar[dict[str, Any]] = {"schedules": True, "masked": True}


class TestFahrenheitContract(TestVirtualContract):
    """The same with thermostats that count in Fahrenheit."""

    keys: ClassVar[dict[str, Any]] = {"thermostat_scale": "fahrenheit"}


class TestAsleepContract(TestVirtualContract):
    """The same with thermostats that sleep."""

    keys: ClassVar[dict[str, Any]] = {"thermostats_asleep": True}


@asynccontextmanager
async def a_site(clock: ManualClock | None = None, **keys: Any) -> AsyncIterator[tuple[VirtualDriver, RecordingPort]]:
    driver = VirtualDriver(VirtualConfig(**({"locks": 2, "thermostats": 1, "latency_ms": 0} | keys)))
    port = RecordingPort(clock=clock)
    async with running(driver, port):
        yield driver, port


def order(kind: type[Any], native_id: str = "lock-1", **members: Any) -> Command:
    command: Command = kind(device_id="d", native_id=native_id, **members)
    return command


def test_the_manifest_is_installed() -> None:
    assert registry.load("virtual") is MANIFEST
    assert MANIFEST.is_simulator


async def test_many_devices_are_all_announced() -> None:
    async with a_site(locks=450, thermostats=5) as (_, port):
        assert len(port.devices) == 455


async def test_an_order_takes_its_latency() -> None:
    clock = ManualClock()
    async with a_site(clock, latency_ms=250) as (driver, _):
        task = asyncio.create_task(driver.execute(order(UnlockDoor)))
        await clock.advance(0.249)
        assert not task.done()
        assert driver.devices["lock-1"].locked
        await clock.advance(0.002)
        assert (await task).seen == (LockSeen(native_id="lock-1", locked=False, method="remote"),)


@pytest.mark.parametrize(
    ("fault", "kind", "code", "moved"),
    [
        ("none", OutcomeKind.DONE, "done", True),
        ("refuse", OutcomeKind.REJECTED, "device_refused", False),
        ("jam", OutcomeKind.REJECTED, "lock_jammed", False),
        ("silent", OutcomeKind.SENT_UNCONFIRMED, "sent_unconfirmed", True),
    ],
)
async def test_faults(fault: str, kind: OutcomeKind, code: str, *, moved: bool) -> None:
    async with a_site(fault=fault) as (driver, _):
        outcome = await driver.execute(order(UnlockDoor))
        assert (outcome.kind, outcome.code) == (kind, code)
        check_outcome(outcome)
        lock = driver.devices["lock-1"]
        assert lock.locked is not moved
        assert lock.orders == (0 if fault == "refuse" else 1)


async def test_a_device_off_its_network_is_not_reached() -> None:
    async with a_site() as (driver, _):
        gone = await driver.execute(order(SimulateConnection, connected=False))
        assert gone.seen == (driver.devices["lock-1"].readings()[0],)
        outcome = await driver.execute(order(UnlockDoor))
        assert (outcome.kind, outcome.code) == (OutcomeKind.UNREACHABLE, "device_unreachable")
        assert (await driver.execute(order(UnlockDoor, "lock-2"))).kind is OutcomeKind.DONE
        await driver.execute(order(SimulateConnection, connected=True))
        assert (await driver.execute(order(UnlockDoor))).kind is OutcomeKind.DONE


async def test_people() -> None:
    async with a_site() as (driver, port):
        await driver.execute(order(UnlockDoor))
        (used,) = (await driver.execute(order(SimulateManualLock))).seen
        assert used == LockSeen(native_id="lock-1", locked=True, method="manual")
        (denied,) = (await driver.execute(order(SimulateKeypadCodeEntry, pin_ref=port.seal("4711")))).seen
        assert denied.native_id == "lock-1"


@pytest.mark.parametrize("kind", [LockDoor, UnlockDoor, SimulateManualLock])
async def test_a_thermostat_has_no_bolt(kind: type[Any]) -> None:
    async with a_site() as (driver, _):
        assert (await driver.execute(order(kind, "thermostat-1"))).kind is OutcomeKind.UNSUPPORTED


async def test_a_removed_device_is_gone_for_good() -> None:
    driver = VirtualDriver(VirtualConfig(locks=2, thermostats=0, latency_ms=0))
    port = RecordingPort()
    async with running(driver, port):
        await driver.execute(order(SimulateRemoval))
        assert port.gone.keys() == {"lock-1"}
        outcome = await driver.execute(order(LockDoor))
        assert (outcome.kind, outcome.code) == (OutcomeKind.REJECTED, "device_not_found")
    later = RecordingPort()
    async with running(driver, later):
        assert later.devices.keys() == {"lock-2"}


async def test_the_simulated_hop_is_lost_and_comes_back() -> None:
    driver = VirtualDriver(VirtualConfig(latency_ms=0))
    first = asyncio.create_task(driver.run(RecordingPort()))
    await settle()
    assert (await switch(driver, connected=False)).kind is OutcomeKind.DONE
    with pytest.raises(DriverError) as caught:
        await first
    assert (caught.value.hop, caught.value.code) == ("site", "simulated_outage")
    outcome = await driver.execute(order(LockDoor))
    assert (outcome.kind, outcome.detail) == (OutcomeKind.UNREACHABLE, {"hop": "site"})

    port = RecordingPort()
    second = asyncio.create_task(driver.run(port))
    await settle()
    assert not port.is_ready.is_set()
    await switch(driver, connected=True)
    await asyncio.wait_for(port.is_ready.wait(), 2)
    assert (await driver.execute(order(LockDoor))).kind is OutcomeKind.DONE
    second.cancel()
    await asyncio.wait({second})


async def switch(driver: VirtualDriver, *, connected: bool) -> Outcome:
    return await driver.execute(order(SimulateHubConnection, connected=connected))


async def test_a_device_taken_off_is_still_off_in_the_next_life() -> None:
    driver = VirtualDriver(VirtualConfig(latency_ms=0))
    async with running(driver, RecordingPort()):
        await driver.execute(order(SimulateConnection, connected=False))
    port = RecordingPort()
    async with running(driver, port):
        offline = [seen for seen in port.seen if isinstance(seen, ReachabilitySeen) and not seen.online]
        assert [seen.native_id for seen in offline] == ["lock-1"]


@pytest.mark.parametrize(
    ("keys", "wrong"),
    [
        ({"locks": -1}, ["locks: must be between 0 and 10000"]),
        ({"code_slots": 251}, ["code_slots: must be between 0 and 250"]),
        ({"thermostats": 10_001}, ["thermostats: must be between 0 and 10000"]),
        (
            {"locks": -1, "latency_ms": 60_001},
            ["locks: must be between 0 and 10000", "latency_ms: must be between 0 and 60000"],
        ),
    ],
)
def test_every_key_out_of_bounds_is_named(keys: dict[str, int], wrong: list[str]) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(keys, VirtualConfig)
    assert str(caught.value).splitlines() == wrong


@pytest.mark.parametrize("wrong", [{"thermostat_scale": "kelvin"}, {"thermostats_asleep": "yes"}])
def test_words_that_are_none_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError, match=next(iter(wrong))):
        msgspec.convert(wrong, VirtualConfig)


async def test_thermostats_are_as_the_config_says() -> None:
    async with a_site() as (driver, port):
        known = port.devices["thermostat-1"].capabilities.thermostat
        assert known is not None
        assert (known.scale, known.step, known.min_delta_celsius) == ("celsius", 0.5, 1.5)
        thermostat = driver.devices["thermostat-1"].thermostat
        assert thermostat is not None
        assert not thermostat.is_sleepy
    async with a_site(thermostat_scale="fahrenheit", thermostats_asleep=True) as (driver, port):
        known = port.devices["thermostat-1"].capabilities.thermostat
        assert known is not None
        assert (known.scale, known.step) == ("fahrenheit", 1.0)
        thermostat = driver.devices["thermostat-1"].thermostat
        assert thermostat is not None
        assert thermostat.is_sleepy


def test_bounds_are_inclusive() -> None:
    config = msgspec.convert({"locks": 0, "thermostats": 10_000, "latency_ms": 60_000}, VirtualConfig)
    assert (config.locks, config.thermostats) == (0, 10_000)


@pytest.mark.parametrize(("fault", "verdict", "code"), [("none", "ok", ""), ("jam", "warning", "simulated_fault")])
async def test_its_check_says_what_is_simulated(fault: Literal["none", "jam"], verdict: str, code: str) -> None:
    config = VirtualConfig(locks=7, thermostats=2, fault=fault)
    assert MANIFEST.doctor is not None
    (finding,) = [one async for one in MANIFEST.doctor(config, CheckPort("demo", SystemClock()))]
    assert (finding.hop, finding.verdict, finding.code) == ("site", verdict, code)
    assert finding.evidence.startswith("A site of locks (7) and thermostats (2) is simulated")
