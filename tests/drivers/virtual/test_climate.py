import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from hubd_drivers.virtual import memory as memory_module
from hubd_drivers.virtual.driver import VirtualConfig, VirtualDriver
from hubd_drivers.virtual.site import VirtualDevice
from hubd_drivers.virtual.thermostat import AWAKE_SECONDS

from hubd.driver import DriverError
from hubd.driver.contract import RecordingPort, check_outcome, running
from hubd.model import (
    Climate,
    ClimateSeen,
    ClimateSetting,
    Outcome,
    OutcomeKind,
    ReachabilitySeen,
    ReadClimate,
    SetClimate,
    SimulateConnection,
    SimulateHubConnection,
    SimulateHvacModeAdjusted,
    SimulateRemoval,
    SimulateTemperatureReached,
)
from tests.support.clock import ManualClock, settle

WARM = ClimateSetting(heating_set_point_celsius=23.0)
ORDERS: list[tuple[type[Any], dict[str, Any]]] = [(SetClimate, {"setting": WARM}), (ReadClimate, {})]


class Desk:
    """A running virtual driver, and somebody who lives with its thermostats."""

    def __init__(self, driver: VirtualDriver, port: RecordingPort) -> None:
        self.driver = driver
        self.port = port

    async def do(self, kind: type[Any], native_id: str = "thermostat-1", **members: Any) -> Outcome:
        outcome = await self.driver.execute(kind(device_id="d", native_id=native_id, **members))
        check_outcome(outcome)
        return outcome

    async def set(self, **members: Any) -> Outcome:
        return await self.do(SetClimate, setting=ClimateSetting(**members))

    async def turn(self, **members: Any) -> Outcome:
        return await self.do(SimulateHvacModeAdjusted, setting=ClimateSetting(**members))

    @property
    def device(self) -> VirtualDevice:
        return self.driver.devices["thermostat-1"]

    @property
    def climate(self) -> Climate:
        """How the thermostat really is."""
        assert self.device.thermostat is not None
        return self.device.thermostat.climate

    def told(self) -> list[Climate]:
        """Return what the driver said of the thermostat on its own account."""
        return [one.climate for one in self.port.seen if isinstance(one, ClimateSeen)]


@asynccontextmanager
async def a_desk(storage: Path | None = None, clock: ManualClock | None = None, **keys: Any) -> AsyncIterator[Desk]:
    driver = VirtualDriver(VirtualConfig(**({"locks": 1, "thermostats": 1, "latency_ms": 0} | keys)))
    port = RecordingPort(clock=clock)
    if storage is not None:
        port.__dict__["storage"] = storage
    async with running(driver, port):
        yield Desk(driver, port)


def only(outcome: Outcome) -> ClimateSeen:
    (seen,) = outcome.seen
    assert isinstance(seen, ClimateSeen)
    return seen


async def test_it_is_set_and_read_back_whole() -> None:
    async with a_desk() as desk:
        outcome = await desk.set(hvac_mode="heat_cool", heating_set_point_celsius=20.3, fan_mode="on")
        assert outcome.kind is OutcomeKind.DONE
        climate = only(outcome).climate
        assert (climate.hvac_mode, climate.heating_set_point_celsius, climate.fan_mode) == ("heat_cool", 20.5, "on")
        assert (climate.cooling_set_point_celsius, climate.temperature_celsius) == (25.0, 21.5)
        assert (climate.relative_humidity, climate.is_fan_running) == (0.44, True)
        read = await desk.do(ReadClimate)
        assert (read.kind, only(read).climate) == (OutcomeKind.DONE, climate)
        assert desk.device.orders == 1


async def test_it_refuses_by_name_and_says_how_it_stands() -> None:
    async with a_desk() as desk:
        before = desk.climate
        for members, code in (
            ({"heating_set_point_celsius": 31.0}, "set_point_out_of_range"),
            ({"hvac_mode": "eco"}, "mode_not_supported"),
            ({"fan_mode": "circulate"}, "fan_mode_not_supported"),
            ({"hvac_mode": "heat_cool", "heating_set_point_celsius": 24.5}, "set_points_too_close"),
        ):
            outcome = await desk.set(**members)
            assert (outcome.kind, outcome.code) == (OutcomeKind.REJECTED, code)
            assert only(outcome).climate == before
        assert (desk.climate, desk.device.orders) == (before, 0)


async def test_it_takes_its_latency_and_a_deadline_before_it_leaves_nothing() -> None:
    clock = ManualClock()
    async with a_desk(clock=clock, latency_ms=250) as desk:
        late = asyncio.create_task(desk.set(hvac_mode="off"))
        await clock.advance(0.1)
        late.cancel()
        with suppress(asyncio.CancelledError):
            await late
        task = asyncio.create_task(desk.set(heating_set_point_celsius=23.0))
        await clock.advance(0.249)
        assert (desk.climate.hvac_mode, desk.climate.heating_set_point_celsius) == ("heat", 21.0)
        assert not task.done()
        await clock.advance(0.002)
        assert only(await task).climate.heating_set_point_celsius == 23.0


@pytest.mark.parametrize(
    ("fault", "kind", "code", "changes"),
    [
        ("none", OutcomeKind.DONE, "done", True),
        ("jam", OutcomeKind.DONE, "done", True),
        ("refuse", OutcomeKind.REJECTED, "device_refused", False),
        ("silent", OutcomeKind.SENT_UNCONFIRMED, "sent_unconfirmed", True),
    ],
)
async def test_faults(fault: Any, kind: OutcomeKind, code: str, *, changes: bool) -> None:
    async with a_desk(fault=fault) as desk:
        outcome = await desk.set(heating_set_point_celsius=23.0)
        assert (outcome.kind, outcome.code, len(outcome.seen)) == (kind, code, 1 if kind is OutcomeKind.DONE else 0)
        assert desk.climate.heating_set_point_celsius == (23.0 if changes else 21.0)
        assert desk.device.orders == int(changes)
        assert (await desk.do(ReadClimate)).kind is kind
        assert (await desk.turn(hvac_mode="cool")).kind is OutcomeKind.DONE
        assert desk.climate.hvac_mode == "cool"


async def test_a_silent_thermostat_does_not_say_that_it_refuses() -> None:
    async with a_desk(fault="silent") as desk:
        assert (await desk.set(heating_set_point_celsius=31.0)).kind is OutcomeKind.SENT_UNCONFIRMED
        assert desk.climate.heating_set_point_celsius == 21.0


@pytest.mark.parametrize(
    ("kind", "members"),
    [
        (SetClimate, {"setting": WARM}),
        (ReadClimate, {}),
        (SimulateHvacModeAdjusted, {"setting": WARM}),
        (SimulateTemperatureReached, {"temperature_celsius": 20.0}),
    ],
)
async def test_a_lock_has_no_climate(kind: type[Any], members: dict[str, Any]) -> None:
    async with a_desk() as desk:
        assert (await desk.do(kind, "lock-1", **members)).kind is OutcomeKind.UNSUPPORTED


async def test_somebody_at_the_knob() -> None:
    async with a_desk() as desk:
        outcome = await desk.turn(heating_set_point_celsius=24.2)
        seen = only(outcome)
        assert (outcome.kind, seen.source, seen.climate) == (OutcomeKind.DONE, None, desk.climate)
        assert (seen.climate.heating_set_point_celsius, seen.climate.is_heating) == (24.0, True)
        assert desk.device.orders == 0
        refused = await desk.turn(heating_set_point_celsius=35.0)
        assert (refused.kind, refused.code, refused.seen) == (OutcomeKind.REJECTED, "set_point_out_of_range", ())


async def test_a_room_gets_colder() -> None:
    async with a_desk() as desk:
        outcome = await desk.do(SimulateTemperatureReached, temperature_celsius=17.256)
        climate = only(outcome).climate
        assert (climate.temperature_celsius, climate.is_heating, climate.heating_set_point_celsius) == (17.26, True, 21)
        refused = await desk.do(SimulateTemperatureReached, temperature_celsius=400.0)
        assert (refused.kind, refused.code) == (OutcomeKind.REJECTED, "temperature_out_of_range")
        assert desk.climate == climate


async def test_a_thermostat_off_its_network_is_turned_all_the_same() -> None:
    async with a_desk() as desk:
        await desk.do(SimulateConnection, connected=False)
        for kind, members in ORDERS:
            outcome = await desk.do(kind, **members)
            assert (outcome.kind, outcome.code) == (OutcomeKind.UNREACHABLE, "device_unreachable")
        assert (desk.climate.heating_set_point_celsius, desk.device.orders) == (21.0, 0)
        turned = await desk.turn(heating_set_point_celsius=24.0)
        assert (turned.kind, turned.seen) == (OutcomeKind.DONE, ())
        back = await desk.do(SimulateConnection, connected=True)
        online, climate = back.seen
        assert isinstance(online, ReachabilitySeen)
        assert online.online
        assert isinstance(climate, ClimateSeen)
        assert climate.climate.heating_set_point_celsius == 24.0


async def test_a_valve_that_sleeps_is_left_alone_until_it_wakes() -> None:
    clock = ManualClock()
    async with a_desk(clock=clock, thermostats_asleep=True, latency_ms=250) as desk:
        assert [one.heating_set_point_celsius for one in desk.told()] == [21.0]
        for kind, members in ORDERS:
            outcome = await desk.do(kind, **members)
            assert (outcome.kind, outcome.code, outcome.seen) == (OutcomeKind.UNREACHABLE, "device_asleep", ())
        assert (desk.climate.heating_set_point_celsius, desk.device.orders) == (21.0, 0)
        woken = await desk.do(SimulateConnection, connected=True)
        assert [type(seen) for seen in woken.seen] == [ReachabilitySeen, ClimateSeen]
        await clock.advance(AWAKE_SECONDS - 0.1)
        task = asyncio.create_task(desk.set(heating_set_point_celsius=23.0))
        await clock.advance(0.25)
        assert (await task).kind is OutcomeKind.DONE
        await clock.advance(AWAKE_SECONDS - 0.1)  # what speaks to it keeps it awake
        task = asyncio.create_task(desk.do(ReadClimate))
        await clock.advance(0.25)
        assert (await task).kind is OutcomeKind.DONE
        await clock.advance(AWAKE_SECONDS)
        assert (await desk.do(ReadClimate)).code == "device_asleep"


@pytest.mark.parametrize(
    ("kind", "members"),
    [(SimulateHvacModeAdjusted, {"setting": WARM}), (SimulateTemperatureReached, {"temperature_celsius": 20.0})],
)
async def test_what_happens_to_a_valve_wakes_it(kind: type[Any], members: dict[str, Any]) -> None:
    async with a_desk(thermostats_asleep=True) as desk:
        assert (await desk.do(ReadClimate)).code == "device_asleep"
        assert only(await desk.do(kind, **members)).climate == desk.climate
        assert (await desk.do(ReadClimate)).kind is OutcomeKind.DONE


async def test_a_lock_does_not_sleep() -> None:
    async with a_desk(thermostats_asleep=True) as desk:
        back = await desk.do(SimulateConnection, "lock-1", connected=True)
        assert len(back.seen) == 1


async def test_it_stands_after_a_restart_as_it_was_set(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as desk:
        await desk.set(hvac_mode="cool", cooling_set_point_celsius=22.0)
        await desk.turn(fan_mode="on")
        await desk.do(SimulateTemperatureReached, temperature_celsius=27.0)
        stood = desk.climate
        assert stood.is_cooling
    async with a_desk(tmp_path) as desk:
        assert desk.climate == stood
        assert desk.told() == [stood]


async def test_a_thermostat_that_is_taken_out_comes_back_new(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as desk:
        await desk.set(hvac_mode="off")
        assert (await desk.do(SimulateRemoval)).kind is OutcomeKind.DONE
    async with a_desk(tmp_path) as desk:
        assert desk.climate.hvac_mode == "heat"


async def test_a_knob_turned_while_the_site_is_cut_off_is_seen_at_the_next_connect(tmp_path: Path) -> None:
    driver, port = VirtualDriver(VirtualConfig(latency_ms=0)), RecordingPort()
    port.__dict__["storage"] = tmp_path
    desk = Desk(driver, port)
    assert (await desk.turn(hvac_mode="off")).kind is OutcomeKind.UNREACHABLE  # nobody knows yet what stands there
    life = asyncio.create_task(driver.run(port))
    await asyncio.wait_for(port.is_ready.wait(), 2)
    await desk.do(SimulateHubConnection, connected=False)
    with pytest.raises(DriverError):
        await life
    assert (await desk.set(hvac_mode="cool")).code == "hub_disconnected"
    turned = await desk.turn(heating_set_point_celsius=24.0)
    colder = await desk.do(SimulateTemperatureReached, temperature_celsius=17.0)
    assert [(one.kind, one.seen) for one in (turned, colder)] == [(OutcomeKind.DONE, ())] * 2
    assert len(desk.told()) == 1

    later = RecordingPort()
    second = asyncio.create_task(driver.run(later))
    await settle()
    await desk.do(SimulateHubConnection, connected=True)
    await asyncio.wait_for(later.is_ready.wait(), 2)
    (told,) = Desk(driver, later).told()
    assert (told.heating_set_point_celsius, told.temperature_celsius, told.is_heating) == (24.0, 17.0, True)
    second.cancel()
    await asyncio.wait({second})
    async with a_desk(tmp_path) as other:
        assert other.climate == told


@pytest.mark.parametrize(
    ("kind", "members"),
    [
        (SetClimate, {"setting": WARM}),
        (SimulateHvacModeAdjusted, {"setting": WARM}),
        (SimulateTemperatureReached, {"temperature_celsius": 20.0}),
        (SimulateRemoval, {}),
    ],
)
async def test_a_disk_that_refuses_is_an_outcome(
    kind: type[Any], members: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    async with a_desk() as desk:
        await desk.set(hvac_mode="cool")
        monkeypatch.setattr(memory_module, "remember", full)
        outcome = await desk.do(kind, **members)
        assert (outcome.kind, outcome.code) == (OutcomeKind.SENT_UNCONFIRMED, "not_kept")
        assert outcome.message.endswith("could not be written down: No space left on device.")


async def test_what_changes_nothing_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[object] = []
    async with a_desk() as desk:
        monkeypatch.setattr(memory_module, "remember", lambda *given: written.append(given))
        assert (await desk.set(heating_set_point_celsius=21.0)).kind is OutcomeKind.DONE
        assert (await desk.do(ReadClimate)).kind is OutcomeKind.DONE
        assert (await desk.turn(hvac_mode="heat")).kind is OutcomeKind.DONE
        assert written == []
