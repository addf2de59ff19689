"""Short ways to records of thermostats."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hubd.model import ClimateSetting
from hubd.store.climate import DailyProgram, Period, Preset, Schedule, ThermostatRecord
from tests.support.clock import NOON

ZONE = ZoneInfo("Europe/Berlin")
DEVICE = "a"
HOUR = timedelta(hours=1)
ECO = ClimateSetting("heat", None, 17.0)
HOME = ClimateSetting("heat", "auto", 21.0)
NIGHT = ClimateSetting("heat", None, 18.0)
PRESETS = (Preset("eco", ECO), Preset("home", HOME), Preset("night", NIGHT))
DAY = DailyProgram("day", NOON, (Period("06:30:00", "home"), Period("22:00:00", "night")))


def kept(**members: Any) -> ThermostatRecord:
    """Return what is kept of a thermostat with three presets."""
    return ThermostatRecord(DEVICE, presets=PRESETS, **members)


def weekly(**members: Any) -> ThermostatRecord:
    """Return one that runs the same program each day."""
    return kept(programs=(DAY,), week=("day",) * 7, **members)


def schedule(name: str, key: str, starts_at: datetime, ends_at: datetime, **members: Any) -> Schedule:
    """Return a schedule; of the same start, those count whose name is later."""
    return Schedule(name, DEVICE, key, starts_at, ends_at, NOON, **members)


def berlin(text: str) -> datetime:
    """Return what the clocks of Berlin show as `YYYY-MM-DD HH:MM`; of a time that comes twice, the first."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)
