"""One lock's clock, held against the hub's and set.

zwave-js gives a lock the time of its own process's zone, or UTC if the lock knows zones (Time CC), and tells it that
zone besides. So that neither reading of the two is wrong, a lock that gets the time on the wall is then told the zone
UTC: it shows the site's time whether it adds the zone or not. A lock that gets UTC is told how far the site is ahead at
the moment, without daylight saving time. At each change of the site's clocks they are told anew.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from hubd.driver import Port
from hubd_drivers.zwave.codes.walltimes import Offsets, minutes, offsets_of
from hubd_drivers.zwave.facts import SCHEDULE_ENTRY_LOCK, TIME, NodeFacts, integer, mapping
from hubd_drivers.zwave.link import Link

TOLERANCE: Final = timedelta(seconds=60)
SECONDS: Final = 30.0
"""For all of a check."""
_MOST_MINUTES: Final = 24 * 60
_KNOWS_ZONES: Final = 2
"""From this version of Time CC on a lock is told zone and changes, of the server's process, by zwave-js alone."""
_UTC: Final = Offsets(0, 0)
_MARK: Final = Offsets(1, 1)
"""The zone of no place."""

SILENT: Final = "it does not say what time it has."
NOT_SET: Final = "its clock could not be set."
ZONE_NOT_SET: Final = "its time zone could not be set."
OTHER_ZONE: Final = "zwave-js-server runs in another time zone than the site; give its service the site's, in TZ."
STAYS_WRONG: Final = "its clock is wrong after it was set."


class ServerZone:
    """In which zone zwave-js runs, learnt from what it tells a lock whose clock is set. Nothing else says so."""

    def __init__(self) -> None:
        self.is_ours = False
        self.is_utc = False
        """As in a container that nobody gave a zone."""

    def learn(self, told: Offsets, ours: Offsets, now: int) -> None:
        """Take in what zwave-js told a lock: both its offsets, but not which of them holds."""
        self.is_ours = told in {ours, (now, now)}
        self.is_utc = told == _UTC

    def forget(self) -> None:
        """Have it learnt anew."""
        self.is_ours = self.is_utc = False


class LockClock:
    """Made for one check. Raises `CommandError`."""

    def __init__(self, link: Link, port: Port, facts: NodeFacts, server: ServerZone) -> None:
        self._link = link
        self._port = port
        self._facts = facts
        self._server = server
        self._is_utc = False

    async def check(self) -> str | None:
        """Set the clock if it is wrong; returns what is wrong then, None if nothing is."""
        try:
            async with self._port.clock.timeout(SECONDS):
                return await self._check()
        except TimeoutError:
            return SILENT

    async def _check(self) -> str | None:
        version = self._facts.command_classes.get(TIME, 0)
        self._is_utc = version >= _KNOWS_ZONES or await self._asks_for_time()
        if self._shift() is not None and await self._is_right():
            return None
        return await self._learn(version) or await self._put_right()

    async def _is_right(self) -> bool | None:
        """Read clock and zone; None if the lock does not tell."""
        shift = self._shift()
        told = await self._time()
        zone = None if told is None else await self._zone(SCHEDULE_ENTRY_LOCK)
        if told is None or zone is None:
            return None
        if shift is None or zone != self._wanted_zone():
            return False
        now = self._now() + shift
        if not self._is_utc and self._server.is_ours:  # an hour that passes twice has one name on the wall
            told, now = (at.astimezone(self._port.zone).replace(tzinfo=None, fold=0) for at in (told, now))
        return abs(told - now) <= TOLERANCE

    async def _put_right(self) -> str | None:
        """Have a clock that zwave-js has just set show the site's time."""
        shift = self._shift()
        if shift is None:
            return OTHER_ZONE
        if shift and not await self._give(self._now() + shift):
            return NOT_SET
        await self._tell_zone(self._wanted_zone())
        after = await self._is_right()
        return None if after else SILENT if after is None else STAYS_WRONG

    async def _learn(self, version: int) -> str | None:
        """Have zwave-js set the clock, and learn its zone by that: it may have changed its clocks since the last time.

        A lock that ignores the zone that it is told must not be believed.
        """
        self._server.forget()
        has_zones = version >= _KNOWS_ZONES
        if not has_zones:
            await self._tell_zone(_MARK)
            taken = await self._zone(SCHEDULE_ENTRY_LOCK)
            if taken != _MARK:
                return SILENT if taken is None else ZONE_NOT_SET
        if not await self._give(self._now()):
            return NOT_SET
        told = await self._zone(TIME if has_zones else SCHEDULE_ENTRY_LOCK)
        if told is None:
            return SILENT
        self._server.learn(told, offsets_of(self._port.zone, self._now()), self._ahead())
        return None

    def _shift(self) -> timedelta | None:
        """Return by how much zwave-js is told another time than it is, so that the lock shows the site's."""
        if self._server.is_ours:
            return timedelta()
        is_shown = self._server.is_utc and not self._is_utc
        return timedelta(minutes=self._ahead()) if is_shown else None

    def _wanted_zone(self) -> Offsets:
        return Offsets(self._ahead(), self._ahead()) if self._is_utc else _UTC

    def _ahead(self) -> int:
        return minutes(self._port.zone, self._now())

    def _now(self) -> datetime:
        return self._port.clock.now()

    async def _asks_for_time(self) -> bool:
        answer = await self._link.command(
            "endpoint.controls_cc", nodeId=self._facts.node_id, endpoint=0, commandClass=TIME
        )
        return answer.get("controlled") is True

    async def _time(self) -> datetime | None:
        answer = await self._link.command("node.get_date_and_time", nodeId=self._facts.node_id)
        told = mapping(answer.get("dateAndTime"))
        parts = [integer(told.get(name)) for name in ("year", "month", "day", "hour", "minute", "second")]
        if any(part is None for part in parts):
            return None
        year, month, day, hour, minute, second = (part or 0 for part in parts)
        try:
            return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        except ValueError:
            return None

    async def _give(self, at: datetime) -> bool:
        date = at.astimezone(UTC).isoformat()
        answer = await self._link.command("node.set_date_and_time", nodeId=self._facts.node_id, date=date)
        return answer.get("success") is True

    async def _zone(self, command_class: int) -> Offsets | None:
        told = mapping(await self._api(command_class, "getTimezone"))
        standard = integer(told.get("standardOffset"), -_MOST_MINUTES, _MOST_MINUTES)
        summer = integer(told.get("dstOffset"), -_MOST_MINUTES, _MOST_MINUTES)
        return None if standard is None or summer is None else Offsets(standard, summer)

    async def _tell_zone(self, zone: Offsets) -> None:
        offsets = {"standardOffset": zone.standard, "dstOffset": zone.summer}
        await self._api(SCHEDULE_ENTRY_LOCK, "setTimezone", offsets)

    async def _api(self, command_class: int, method: str, *arguments: object) -> object:
        answer = await self._link.command(
            "endpoint.invoke_cc_api",
            nodeId=self._facts.node_id,
            endpoint=0,
            commandClass=command_class,
            methodName=method,
            args=list(arguments),
        )
        return answer.get("response")
