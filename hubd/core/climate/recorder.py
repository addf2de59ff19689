"""The history of rooms: temperature, humidity, set-points and what ran, kept small; telemetry, in no journal and chain.

Readings are looked at in rounds of five minutes of the hub's trusted time. A row stands for the round at whose end it
was written, and holds until the next one, at most for `HOLDS`. A thermostat gets one where something changed since its
last row, or where that is an hour old; one that cannot be reached gets a row in which nothing is known, once.
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from hubd.core.sense import Sense
from hubd.driver.clock import Clock
from hubd.model.errors import StoreError
from hubd.model.state import Climate
from hubd.store.database import Database
from hubd.store.journal import Journal
from hubd.store.records import DeviceRecord
from hubd.store.tables import View

LOG = logging.getLogger(__name__)

ROUND: Final = 300
"""Seconds; also the shortest time between two rows of a device."""
LOOK: Final = 20.0
"""Seconds between looks at what runs: a burner that starts and stops within a round is not missed."""
REPEAT: Final = 3600
"""Seconds after which what did not change is written again."""
HOLDS: Final = timedelta(seconds=REPEAT + 2 * ROUND)
"""How long a row stands for what came after it; beyond that the hub was off, or knew nothing."""
HEATING, COOLING, FAN = 1, 2, 4
_DEGREES: Final = 10
_HUMIDITY: Final = 10
"""What counts as a change: a tenth of a degree in hundredths, one per cent in thousandths."""
_PER_BUCKET: Final = 4

_INSERT = (
    "INSERT OR REPLACE INTO climate_history(device, at, temperature, humidity, heating, cooling, state)"
    " VALUES(?, ?, ?, ?, ?, ?, ?)"
)
_COLUMNS = "at, temperature, humidity, heating, cooling, state"
_BETWEEN = "FROM climate_history WHERE device = ?1 AND at >= ?2 AND at < ?3"
_ALL = f"SELECT {_COLUMNS} {_BETWEEN} ORDER BY at LIMIT ?4"
# Of each bucket the first row, the coldest, the warmest and the first in which nothing is known: SQLite takes the other
# columns from the row that the one aggregate is of.
_KEPT = " UNION ".join(
    f"SELECT {columns} {_BETWEEN}{where} GROUP BY (at - ?2) / ?4"
    for columns, where in (
        ("min(at), temperature, humidity, heating, cooling, state", ""),
        ("at, min(temperature), humidity, heating, cooling, state", ""),
        ("at, max(temperature), humidity, heating, cooling, state", ""),
        ("min(at), temperature, humidity, heating, cooling, state", " AND temperature IS NULL AND state IS NULL"),
    )
)
_THIN = f"SELECT * FROM ({_KEPT}) ORDER BY 1 LIMIT ?5"  # noqa: S608 - of constants
_PRUNE = "DELETE FROM climate_history WHERE device = ? AND at < ?"


class Reading(NamedTuple):
    """A row without its device and time, as it is stored."""

    temperature: int | None = None
    humidity: int | None = None
    heating: int | None = None
    cooling: int | None = None
    state: int | None = None


UNKNOWN: Final = Reading()


class Point(msgspec.Struct, frozen=True):
    """How a room was at a time. Degrees Celsius, humidity 0.0 to 1.0; None: not known, or not in force."""

    at: datetime
    temperature_celsius: float | None = None
    relative_humidity: float | None = None
    heating_set_point_celsius: float | None = None
    cooling_set_point_celsius: float | None = None
    is_heating: bool | None = None
    is_cooling: bool | None = None
    is_fan_running: bool | None = None

    @property
    def is_known(self) -> bool:
        """Whether anything is."""
        return any(getattr(self, name) is not None for name in self.__struct_fields__[1:])


class Recorder:
    """Made by the composition root, which runs it."""

    def __init__(
        self, journal: Journal, clock: Clock, sense: Sense, is_reachable: Callable[[DeviceRecord], bool]
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._sense = sense
        self._is_reachable = is_reachable
        self._round: int | None = None
        self._ran: dict[str, int] = {}
        """What ran on each device at any look of this round."""
        self._last: dict[str, tuple[int, Reading]] = {}
        """The last row of each device, with its time."""
        self._is_refused = False

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.look()
            await self._clock.sleep(LOOK)

    async def look(self) -> None:
        """Note what runs and, once in a round, write down what changed; nothing by a clock that may be wrong."""
        instant = self._sense.now()
        if not instant.is_trusted:
            return
        devices = self._thermostats()
        for device_id, record in devices.items():
            self._ran[device_id] = self._ran.get(device_id, 0) | (_state(self._climate(record)) or 0)
        number = int(instant.at.timestamp()) // ROUND
        if number == self._round:
            return
        is_first, self._round = self._round is None, number
        ran, self._ran = self._ran, {}
        found = {device_id: reading_of(self._climate(record), ran[device_id]) for device_id, record in devices.items()}
        self._last = {device_id: last for device_id, last in self._last.items() if device_id in devices}
        at = number * ROUND
        news = {
            device_id: reading
            for device_id, reading in found.items()
            if self._is_news(device_id, at, reading, is_first=is_first)
        }
        if news:
            await self._write(at, news)

    def _thermostats(self) -> dict[str, DeviceRecord]:
        return {
            device_id: record
            for device_id, record in self._journal.tables.devices.items()
            if record.removed_at is None
            and record.is_managed
            and record.device.description.capabilities.thermostat is not None
        }

    def _climate(self, record: DeviceRecord) -> Climate | None:
        return record.state.climate if self._is_reachable(record) else None

    def _is_news(self, device_id: str, at: int, reading: Reading, *, is_first: bool) -> bool:
        last = self._last.get(device_id)
        if reading == UNKNOWN:  # at the start of the hub it may just not be connected yet
            return not is_first if last is None else last[1] != UNKNOWN
        if last is None or not 0 <= at - last[0] < REPEAT:
            return True
        return is_other(last[1], reading)

    async def _write(self, at: int, news: dict[str, Reading]) -> None:
        def apply(view: View) -> None:
            for device_id, reading in news.items():
                view.execute(_INSERT, UUID(device_id).bytes, at, *reading)

        try:
            await self._journal.transact(apply)
        except StoreError as error:
            if not self._is_refused:
                LOG.warning("the history of thermostats is not recorded: %s", error.message)
            self._is_refused = True
            return
        self._is_refused = False
        self._last |= {device_id: (at, reading) for device_id, reading in news.items()}

    def prune(self, view: View, days: int) -> None:
        """Drop what is older than so many days. Only while the time is trusted."""
        before = int((view.now - timedelta(days=days)).timestamp())
        for device_id in self._journal.tables.devices:
            view.execute(_PRUNE, UUID(device_id).bytes, before)


def reading_of(climate: Climate | None, ran: int = 0) -> Reading:
    """Return a condition as it is stored; of the set-points those that its mode goes by. `ran`: see `Recorder`."""
    if climate is None:
        return UNKNOWN
    mode, state = climate.hvac_mode, _state(climate)
    return Reading(
        _scaled(climate.temperature_celsius, 100),
        _scaled(climate.relative_humidity, 1000),
        None if mode in {"off", "cool"} else _scaled(climate.heating_set_point_celsius, 100),
        None if mode in {"off", "heat"} else _scaled(climate.cooling_set_point_celsius, 100),
        None if state is None else state | ran,
    )


def is_other(one: Reading, other: Reading) -> bool:
    """Whether two readings differ by enough to be written down."""
    return (
        _differ(one.temperature, other.temperature, _DEGREES)
        or _differ(one.humidity, other.humidity, _HUMIDITY)
        or one[2:] != other[2:]
    )


async def points(
    database: Database, device_id: str, since: datetime, until: datetime, limit: int = 1000
) -> list[Point]:
    """Return the rows of a thermostat from `since` on and before `until`, oldest first. Raises `StoreError`.

    More than `limit` are thinned: the time is cut into equal parts, and of each the first row, the coldest, the warmest
    and the first in which nothing is known are kept. No row is made up, and no peak is lost.
    """
    key, begin, end = UUID(device_id).bytes, int(since.timestamp()), int(until.timestamp())
    rows = await database.read(_ALL, (key, begin, end, limit + 1))
    if len(rows) > limit:
        width = -(-(end - begin) // max(1, limit // _PER_BUCKET))
        rows = await database.read(_THIN, (key, begin, end, width, limit))
    return [_point(*row) for row in rows]


def _point(
    at: int, temperature: int | None, humidity: int | None, heating: int | None, cooling: int | None, state: int | None
) -> Point:
    return Point(
        datetime.fromtimestamp(at, UTC),
        _unscaled(temperature, 100),
        _unscaled(humidity, 1000),
        _unscaled(heating, 100),
        _unscaled(cooling, 100),
        *(None if state is None else bool(state & bit) for bit in (HEATING, COOLING, FAN)),
    )


def _state(climate: Climate | None) -> int | None:
    if climate is None:
        return None
    told = (climate.is_heating, climate.is_cooling, climate.is_fan_running)
    if told == (None, None, None):
        return None
    return sum(bit for bit, runs in zip((HEATING, COOLING, FAN), told, strict=True) if runs)


def _scaled(value: float | None, factor: int) -> int | None:
    return None if value is None else round(value * factor)


def _unscaled(value: int | None, factor: int) -> float | None:
    return None if value is None else value / factor


def _differ(one: int | None, other: int | None, least: int) -> bool:
    if one is None or other is None:
        return one is not other
    return abs(one - other) >= least
