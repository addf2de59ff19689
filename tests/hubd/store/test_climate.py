from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from hubd.model import ClimateSetting
from hubd.store.climate import Base, DailyProgram, Override, Period, Preset, Schedule, ThermostatRecord
from hubd.store.tables import View
from tests.support.clock import NOON
from tests.support.store import open_journal

HEAT = ClimateSetting("heat", None, 21.0)
RECORD = ThermostatRecord(
    "a",
    presets=(Preset("home", HEAT, "Home", "home"),),
    programs=(DailyProgram("p", NOON, (Period("06:00:00", "home"),), "Day"),),
    week=("p",) * 7,
    base=Base("program", "p", "home", NOON, HEAT),
    override=Override(ClimateSetting("off"), "manual", NOON),
)
STAY = Schedule("s", "a", "home", NOON, NOON + timedelta(hours=1), NOON)


def test_what_is_in_force_is_the_override_else_the_plan() -> None:
    assert RECORD.in_force == ClimateSetting("off")
    assert msgspec.structs.replace(RECORD, override=None).in_force == HEAT
    assert not ThermostatRecord("a").in_force


def test_presets_and_programs_are_found_by_key_and_id() -> None:
    assert RECORD.preset("home") is RECORD.presets[0]
    assert RECORD.program("p") is RECORD.programs[0]
    assert (RECORD.preset(None), RECORD.preset("x"), RECORD.program(None)) == (None, None, None)


async def test_it_is_on_the_disk_and_read_again(tmp_path: Path) -> None:
    other = msgspec.structs.replace(STAY, schedule_id="t", starts_at=NOON - timedelta(hours=1))
    async with open_journal(tmp_path / "hub.db") as journal:

        def write(view: View) -> None:
            view.put_thermostat(RECORD)
            view.put_schedule(STAY)
            view.put_schedule(other)
            assert view.schedules_of("a") == [other, STAY]
            assert view.thermostat("a") == RECORD

        await journal.transact(write)
    async with open_journal(tmp_path / "hub.db") as journal:
        assert journal.tables.thermostat("a") == RECORD
        assert journal.tables.schedules_of("a") == [other, STAY]
        await journal.transact(lambda view: view.drop_schedule("t"))
        assert journal.tables.schedules_of("a") == [STAY]
        assert dict(journal.tables.schedules) == {"s": STAY}
    async with open_journal(tmp_path / "hub.db") as journal:
        assert dict(journal.tables.schedules) == {"s": STAY}
        assert journal.tables.thermostat("b") == ThermostatRecord("b")


async def test_a_transaction_that_fails_keeps_nothing(tmp_path: Path) -> None:
    async with open_journal(tmp_path / "hub.db") as journal:

        def fail(view: View) -> None:
            view.put_schedule(STAY)
            view.put_thermostat(RECORD)
            raise ValueError("no")

        with pytest.raises(ValueError, match="no"):
            await journal.transact(fail)
        assert (dict(journal.tables.schedules), journal.tables.thermostat("a")) == ({}, ThermostatRecord("a"))
