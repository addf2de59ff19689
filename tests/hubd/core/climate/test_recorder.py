import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from hubd.core.climate import recorder
from hubd.core.climate.recorder import LOOK, REPEAT, ROUND, UNKNOWN, Point, Reading, Recorder, is_other, reading_of
from hubd.core.sense import Sense
from hubd.model import Capabilities, Climate, Device, DeviceDescription, LockCapability, ThermostatCapability
from hubd.model.event import DeviceFound
from hubd.store.journal import Journal
from hubd.store.tables import View
from tests.support.clock import NOON, ManualClock
from tests.support.sources import Witnesses
from tests.support.store import open_journal, refuse_writes, take_writes, tell

ROOM = "6f0c1b0e-7f0e-4a58-9d3d-0d7ad3a1c001"
OTHER = "6f0c1b0e-7f0e-4a58-9d3d-0d7ad3a1c002"
DOOR = "6f0c1b0e-7f0e-4a58-9d3d-0d7ad3a1c003"
WARM = Climate(
    temperature_celsius=20.0,
    relative_humidity=0.4,
    hvac_mode="heat_cool",
    heating_set_point_celsius=21.0,
    cooling_set_point_celsius=25.0,
    is_heating=False,
    is_cooling=False,
)
DAY = timedelta(days=1)


class Rooms:
    """A recorder over devices whose readings a test says."""

    def __init__(self, journal: Journal, clock: ManualClock, sense: Sense) -> None:
        self.journal = journal
        self.clock = clock
        self.silent: set[str] = set()
        self.recorder = Recorder(journal, clock, sense, lambda record: record.device.device_id not in self.silent)

    async def find(self, device_id: str = ROOM, *, is_managed: bool = True) -> None:
        abilities = (
            Capabilities(lock=LockCapability())
            if device_id == DOOR
            else Capabilities(thermostat=ThermostatCapability())
        )
        kind = "lock" if device_id == DOOR else "thermostat"
        description = DeviceDescription(device_id, kind, "virtual", device_id, capabilities=abilities)  # type: ignore[arg-type]
        device = Device(device_id, "front", description)
        await tell(self.journal, DeviceFound(device=device, is_managed=is_managed))

    async def read(self, climate: Climate | None = WARM, device_id: str = ROOM, **members: Any) -> None:
        """Let a device say how it stands."""

        def apply(view: View) -> None:
            known = view.device(device_id)
            assert known is not None
            after = None if climate is None else replace(climate, **members)
            view.put_telemetry(replace(known, state=replace(known.state, climate=after)))

        await self.journal.transact(apply)

    async def look(self, seconds: float = ROUND) -> None:
        """Let time pass, and look."""
        await self.clock.advance(seconds)
        await self.recorder.look()

    async def points(self, since: timedelta = DAY, limit: int = 1000, device_id: str = ROOM) -> list[Point]:
        now = self.clock.now()
        return await recorder.points(self.journal.database, device_id, now - since, now + DAY, limit)


@asynccontextmanager
async def rooms(path: Path, sources: Witnesses | None = None) -> AsyncIterator[Rooms]:
    clock = ManualClock()
    async with open_journal(path / "hubd.sqlite", clock) as journal:
        sense = Sense(journal, clock, sources)
        await sense.open()
        yield Rooms(journal, clock, sense)


def temperatures(found: list[Point]) -> list[float | None]:
    return [point.temperature_celsius for point in found]


async def test_a_reading_is_kept_whole_and_told_as_it_was(tmp_path: Path) -> None:
    async with rooms(tmp_path) as house:
        await house.find()
        await house.read(is_heating=True, is_fan_running=True)
        await house.recorder.look()
        assert await house.points() == [
            Point(NOON, 20.0, 0.4, 21.0, 25.0, is_heating=True, is_cooling=False, is_fan_running=True)
        ]


async def test_a_row_is_written_for_what_changed_at_most_every_five_minutes(tmp_path: Path) -> None:
    async with rooms(tmp_path) as house:
        await house.find()
        await house.read()
        await house.recorder.look()
        for number in range(1, ROUND // 20):
            await house.read(temperature_celsius=20.0 + number)
            await house.look(20.0)
        assert temperatures(await house.points()) == [20.0]
        await house.look(20.0)
        found = await house.points()
        assert temperatures(found) == [20.0, 34.0]
        assert [point.at for point in found] == [NOON, NOON + timedelta(seconds=ROUND)]


@pytest.mark.parametrize(
    ("change", "is_written"),
    [
        ({"temperature_celsius": 20.09}, False),
        ({"temperature_celsius": 20.1}, True),
        ({"temperature_celsius": None}, True),
        ({"relative_humidity": 0.409}, False),
        ({"relative_humidity": 0.39}, True),
        ({"heating_set_point_celsius": 21.05}, True),
        ({"cooling_set_point_celsius": 24.0}, True),
        ({"hvac_mode": "off"}, True),
        ({"is_cooling": True}, True),
        ({"fan_mode": "on"}, False),
    ],
)
async def test_what_counts_as_a_change(tmp_path: Path, change: dict[str, Any], is_written: bool) -> None:  # noqa: FBT001
    async with rooms(tmp_path) as house:
        await house.find()
        await house.read()
        await house.recorder.look()
        await house.read(**change)
        await house.look()
        assert len(await house.points()) == 1 + is_written


async def test_a_slow_drift_is_not_lost(tmp_path: Path) -> None:
    async with rooms(tmp_path) as house:
        await house.find()
        for hundredths in range(0, 50, 4):
            await house.read(temperature_celsius=20 + hundredths / 100)
            await house.look()
        assert temperatures(await house.points()) == [20.0, 20.12, 20.24, 20.36, 20.48]


async def test_what_stays_as_it_is_is_written_once_an_hour(tmp_path: Path) -> None:
    async with rooms(tmp_path) as house:
        await house.find()
        await house.read()
        for _ in range(6 * REPEAT // ROUND):
            await house.look()
        assert len(await house.points()) == 6


async def test_what_ran_between_two_rounds_is_not_missed(tmp_path: Path) -> None:
    async with rooms(tmp_path) as house:
        await house.find()
        await house.read()
        await house.recorder.look()
        await house.read(is_heating=True)
        await house.look(LOOK)
        await house.read(is_heating=False)
        await house.look(ROUND - LOOK)
        await house.look()
        assert [point.is_heating for point in await house.points()] == [False, True, False]


async def test_a_device_that_is_not_reached_leaves_a_gap_in_one_row(tmp_path: Path) -> None:
    async with rooms(tmp_path) as house:
        await house.find()
        await house.read()
        await house.recorder.look()
        house.silent.add(ROOM)
        for _ in range(2 * REPEAT // ROUND):
            await house.look()
        found = await house.points()
        assert [point.is_known for point in found] == [True, False]
        house.silent.clear()
        await house.look()
        assert [point.is_known for point in await house.points()] == [True, False, True]


async def test_what_is_not_connected_yet_when_the_hub_starts_is_no_gap(tmp_path: Path) -> None:
    async with rooms(tmp_path) as house:
        await house.find()
        await house.read()
        house.silent.add(ROOM)
        await house.recorder.look()
        assert await house.points() == []
        await house.look()
        assert [point.is_known for point in await house.points()] == [False]


async def test_only_managed_thermostats_that_are_there(tmp_path: Path) -> None:
    async with rooms(tmp_path) as house:
        await house.find(DOOR)
        await house.find(OTHER, is_managed=False)
        for device_id in (DOOR, OTHER):
            await house.read(device_id=device_id)
        await house.recorder.look()
        for device_id in (DOOR, OTHER):
            assert await house.points(device_id=device_id) == []


async def test_nothing_is_written_by_a_clock_that_may_be_wrong(tmp_path: Path) -> None:
    clock = ManualClock()
    async with open_journal(tmp_path / "hubd.sqlite", clock) as journal:
        await Sense(journal, clock, Witnesses()).open()  # the first start of all is believed
    async with open_journal(tmp_path / "hubd.sqlite", clock) as journal:
        sense = Sense(journal, clock, Witnesses("boot-2"))
        await sense.open()
        house = Rooms(journal, clock, sense)
        await house.find()
        await house.read()
        await house.recorder.look()
        assert await house.points() == []
        await sense.confirm()
        await house.recorder.look()
        assert len(await house.points()) == 1


async def test_a_clock_that_is_set_back_writes_over_what_it_wrote(tmp_path: Path) -> None:
    async with rooms(tmp_path) as house:
        await house.find()
        await house.read()
        await house.recorder.look()
        house.clock.step(-7200)
        await house.read(temperature_celsius=15.0)
        await house.recorder.look()
        house.clock.step(7200)
        await house.read(temperature_celsius=16.0)
        await house.recorder.look()
        assert temperatures(await house.points()) == [15.0, 16.0]


async def test_a_restart_within_a_round_keeps_to_one_row(tmp_path: Path) -> None:
    async with rooms(tmp_path) as house:
        await house.find()
        await house.read()
        await house.recorder.look()
        again = Rooms(house.journal, house.clock, Sense(house.journal, house.clock))
        await again.read(temperature_celsius=20.5)
        await again.look(60)
        assert temperatures(await house.points()) == [20.5]


async def test_a_disk_that_refuses_is_told_once_and_costs_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with rooms(tmp_path) as house:
        await house.find()
        await house.read()
        await refuse_writes(house.journal.database)
        with caplog.at_level(logging.WARNING, logger=recorder.__name__):
            for _ in range(3):
                await house.look()
        (said,) = caplog.records
        assert said.getMessage().startswith("the history of thermostats is not recorded: hubd.sqlite: ")
        await take_writes(house.journal.database)
        await house.look()
        assert temperatures(await house.points()) == [20.0]
        await refuse_writes(house.journal.database)
        await house.read(temperature_celsius=25.0)
        await house.look()
        assert len(caplog.records) == 2
        await take_writes(house.journal.database)


async def test_it_runs_by_itself_until_cancelled(tmp_path: Path) -> None:
    async with rooms(tmp_path) as house:
        await house.find()
        await house.read()
        task = asyncio.create_task(house.recorder.run())
        async with asyncio.timeout(5):
            while len(await house.points()) < 2:
                await house.clock.advance(ROUND)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()


async def fill(house: Rooms, rows: int) -> None:
    """Write a row for each round, with one peak and one gap in it."""

    def apply(view: View) -> None:
        for number in range(rows):
            temperature: int | None = 2000 + number % 7
            if number == rows // 3:
                temperature = 3100
            state: int | None = 0
            if number == rows // 2:
                temperature, state = None, None
            at = int(NOON.timestamp()) + number * ROUND
            view.execute(
                "INSERT INTO climate_history VALUES(?, ?, ?, ?, ?, ?, ?)",
                UUID(ROOM).bytes, at, temperature, None, None, None, state,
            )  # fmt: skip

    await house.journal.transact(apply)


async def test_many_rows_are_thinned_without_losing_peak_or_gap(tmp_path: Path) -> None:
    async with rooms(tmp_path) as house:
        await fill(house, 2016)
        end = NOON + timedelta(days=7)
        whole = await recorder.points(house.journal.database, ROOM, NOON, end, 2016)
        assert len(whole) == 2016
        thin = await recorder.points(house.journal.database, ROOM, NOON, end, 200)
        assert 100 < len(thin) <= 200
        assert [point.at for point in thin] == sorted({point.at for point in thin})
        assert set(thin) <= set(whole)
        assert max(point.temperature_celsius or 0 for point in thin) == 31.0
        assert sum(not point.is_known for point in thin) == 1
        assert thin[0] == whole[0]


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 17])
async def test_there_are_never_more_points_than_asked_for(tmp_path: Path, limit: int) -> None:
    async with rooms(tmp_path) as house:
        await fill(house, 300)
        found = await recorder.points(house.journal.database, ROOM, NOON, NOON + DAY, limit)
        assert 0 < len(found) <= limit


async def test_the_end_of_a_time_is_not_part_of_it(tmp_path: Path) -> None:
    async with rooms(tmp_path) as house:
        await fill(house, 3)
        second = NOON + timedelta(seconds=ROUND)
        found = await recorder.points(house.journal.database, ROOM, second, second + timedelta(seconds=ROUND))
        assert [point.at for point in found] == [second]


async def test_what_is_old_is_dropped(tmp_path: Path) -> None:
    async with rooms(tmp_path) as house:
        await house.find()
        await fill(house, 600)
        await house.clock.advance(DAY.total_seconds() * 2)
        await house.journal.transact(lambda view: house.recorder.prune(view, 1))
        left = await house.points(timedelta(days=9))
        assert left[0].at == NOON + DAY
        assert len(left) == 600 - 288


def test_set_points_are_those_of_the_mode() -> None:
    by_mode = {mode: reading_of(replace(WARM, hvac_mode=mode)) for mode in ("off", "heat", "cool", "heat_cool", "eco")}
    points = {mode: (reading.heating, reading.cooling) for mode, reading in by_mode.items()}
    assert points == {
        "off": (None, None),
        "heat": (2100, None),
        "cool": (None, 2500),
        "heat_cool": (2100, 2500),
        "eco": (2100, 2500),
    }


def test_what_is_not_told_is_not_known() -> None:
    assert reading_of(None, 1) == UNKNOWN
    assert reading_of(Climate()) == UNKNOWN
    assert reading_of(Climate(is_heating=False)) == Reading(state=0)
    assert reading_of(Climate(temperature_celsius=20.0), 0).state is None
    assert not Point(datetime(2026, 1, 1, tzinfo=UTC)).is_known


def test_two_readings_that_are_one() -> None:
    assert not is_other(UNKNOWN, UNKNOWN)
    assert not is_other(Reading(temperature=2000), Reading(temperature=2009))
    assert is_other(UNKNOWN, Reading(state=0))
