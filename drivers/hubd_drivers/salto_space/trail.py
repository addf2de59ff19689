"""The audit trail: told once, line by line, from where it was last told on.

The trail is asked from the last line that was told, itself included, so that each time it is seen whether it is still
the same trail. Where pages begin behind the id that they are asked from, the id before is asked from.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from msgspec.structs import replace

from hubd.driver import Port
from hubd_drivers.salto_space.audit import REMEMBERED, Find, Mark, entry, is_utc, read_mark, sign, taken_as_local
from hubd_drivers.salto_space.client import SpaceClient
from hubd_drivers.salto_space.config import SaltoSpaceConfig
from hubd_drivers.salto_space.messages import AuditEvent

GAP: Final = "audit_trail_gap"
SAY_SECONDS: Final = 86_400.0
"""How long a gap stands on the page."""
MOST_UNKNOWN: Final = 1000
"""Doors that nobody knows and that are not looked for again."""
MOST_SEARCHES: Final = 3
_ENOUGH: Final = 10
"""Lines from which on their times tell an old trail from a new one."""


class Trail:
    """For one life of the link."""

    def __init__(
        self,
        client: SpaceClient,
        port: Port,
        config: SaltoSpaceConfig,
        find: Find,
        look_again: Callable[[], Awaitable[None]],
    ) -> None:
        """`look_again` reads the doors, for the sake of a line about one that is not known."""
        self._client = client
        self._port = port
        self._zone = config.zone
        self._count = max(config.page_size, REMEMBERED + 2)
        self._find = find
        self._look_again = look_again
        self._mark = Mark()
        self._begins_behind = False
        self._is_empty = False
        """It held lines once, and none the last time."""
        self._is_utc: bool | None = None
        self._asked = 0
        """The line that was last asked for in both ways."""
        self._unknown: set[str] = set()
        self._said_at = port.clock.monotonic()
        """When a gap was told, in this life or, at the latest, in the one before."""

    async def begin(self) -> bool:
        """Find the place to go on from; returns whether there was one from before. Raises `LinkError`, `Fault`.

        The first time that is the newest line, and nothing of the past is told.
        """
        mark = read_mark(self._port.bookmark)
        if mark is not None:
            self._mark = mark
            return True
        newest = await self._client.newest_event()
        if newest is not None:
            (newest,) = await self._timed([newest])
            oldest = await self._oldest(2)
            first = sign(oldest[0]) if oldest else ""
            self._mark = Mark(id=newest.id, sign=sign(newest), first=first, latest=newest.at)
        await self._port.note(bookmark=self._mark.write())
        return False

    async def catch_up(self) -> int:
        """Tell what is new, page by page; returns how many lines. On a quiet site that is one request."""
        told = searches = 0
        if self._port.clock.monotonic() - self._said_at > SAY_SECONDS:
            self._port.caution(GAP, None)
        while True:
            mark = self._mark
            if await self._is_still_empty():
                return told
            lines = await self._read(mark)
            if mark.id and not _recognised(lines, mark):
                searches += 1
                if searches > MOST_SEARCHES:  # it changes while it is read; the next round has another look
                    return told
                await self._find_place(mark)
                continue
            fresh = [line for line in lines if line.id > mark.id]
            if not fresh:
                return told
            new = [line for line in fresh if not mark.is_told(line)]
            await self._tell(new, fresh)
            told += len(new)

    async def _is_still_empty(self) -> bool:
        if self._is_empty:
            self._is_empty = not await self._oldest(2)
        return self._is_empty

    async def _read(self, mark: Mark) -> list[AuditEvent]:
        if mark.id == 0:
            return await self._oldest()
        return await self._from(mark.id - 1 if self._begins_behind else mark.id)

    async def _oldest(self, count: int = 0) -> list[AuditEvent]:
        return await self._timed(_in_order((await self._client.audit(None, count or self._count)).records))

    async def _from(self, event_id: int) -> list[AuditEvent]:
        return await self._timed(_in_order((await self._client.audit(event_id, self._count)).records))

    async def _tell(self, new: Sequence[AuditEvent], fresh: Sequence[AuditEvent]) -> None:
        doors = {line.door for line in new if line.door and self._find(line.door) is None} - self._unknown
        if doors:
            await self._look_again()
            self._unknown.update(door for door in doors if self._find(door) is None)
            while len(self._unknown) > MOST_UNKNOWN:
                self._unknown.pop()
        now = self._port.clock.now()
        mark = self._mark.after(*fresh)
        trusted = self._port.is_time_trusted
        told = [entry(line, self._find, now, is_time_trusted=trusted) for line in new]
        await self._port.note(*told, bookmark=mark.write())
        self._mark = mark

    # -- times ---------------------------------------------------------------------------------------------------------

    async def _timed(self, lines: Sequence[AuditEvent]) -> list[AuditEvent]:
        """Return lines, read as if their times were UTC, with their true times."""
        if self._is_utc is None:
            self._is_utc = await self._heeds_utc(lines)
        if self._is_utc is not False:
            return list(lines)
        return [line if line.at is None else replace(line, at=taken_as_local(line.at, self._zone)) for line in lines]

    async def _heeds_utc(self, lines: Sequence[AuditEvent]) -> bool | None:
        """Ask for one line in both ways, where that tells anything."""
        telling = (one for one in reversed(lines) if one.at and one.at.astimezone(self._zone).utcoffset())
        line = next(telling, None)
        if line is None or line.at is None or line.id == self._asked:
            return None
        self._asked = line.id
        start = line.id - 1 if self._begins_behind else line.id
        page = await self._client.audit(start, 2, zone=self._zone, utc=False)
        same = next((one for one in page.records if one.id == line.id), None)
        if same is None or same.at is None:
            return None
        heeds = is_utc(line.at, same.at, self._zone)
        if heeds is False:
            self._port.log.info("Space gives the times of its audit trail in its own zone; they are read so")
        return heeds

    # -- a place that is gone ------------------------------------------------------------------------------------------

    async def _find_place(self, mark: Mark) -> None:
        """Find where to go on when the last line that was told is not there.

        The trail was purged, or begun anew, or set back by a backup; or its pages begin behind the id asked from. While
        it is empty the place is kept: a server that starts may show nothing yet, and later what was told before.
        """
        if not self._begins_behind and _recognised(await self._from(mark.id - 1), mark):
            self._begins_behind = True
            return
        oldest = await self._oldest()
        self._is_empty = not oldest
        if self._is_empty:
            self._say("is empty")
            return
        found, words = await self._place(mark, oldest)
        self._say(words)
        await self._port.note(bookmark=found.write())
        self._mark = found

    async def _place(self, mark: Mark, oldest: Sequence[AuditEvent]) -> tuple[Mark, str]:
        first = sign(oldest[0])
        if oldest[0].id > mark.id:
            return Mark(first=first, latest=mark.latest), "was purged"
        anchor = await self._anchor(mark)
        if anchor is not None:
            return anchor, "was set back"
        dated = [line.at for line in oldest if line.at is not None]
        earlier = [at for at in dated if mark.latest is not None and at <= mark.latest]
        if first == mark.first or (len(dated) >= _ENOUGH and 2 * len(earlier) > len(dated)):
            skip = Mark(first=first, latest=mark.latest, skip_to=mark.id, skip_at=mark.latest)
            return skip, "was set back"
        return Mark(first=first, latest=mark.latest), "was begun anew"

    async def _anchor(self, mark: Mark) -> Mark | None:
        """Return the mark at the last line that is there and was told; None if none of those remembered is."""
        if not mark.told:
            return None
        start, lines = mark.told[0][0] - 1, dict[int, str]()
        while True:
            fresh = {line.id: sign(line) for line in await self._from(start) if line.id not in lines}
            lines |= fresh
            if not fresh or max(lines) >= mark.id:
                break
            start = max(lines)
        there = [at for at, (event_id, known) in enumerate(mark.told) if lines.get(event_id) == known]
        if not there:
            return None
        last = there[-1]
        event_id, known = mark.told[last]
        return replace(mark, id=event_id, sign=known, told=mark.told[:last], skip_to=0, skip_at=None)

    def _say(self, words: str) -> None:
        message = (
            f"The audit trail of Space {words}: lines that were taken out of it before the hub read them are lost."
        )
        self._port.log.warning("%s", message)
        self._said_at = self._port.clock.monotonic()
        self._port.caution(GAP, message, "Nothing is to be done unless nobody on site knows why.")


def _in_order(lines: Sequence[AuditEvent]) -> list[AuditEvent]:
    return sorted({line.id: line for line in lines}.values(), key=lambda line: line.id)


def _recognised(lines: Sequence[AuditEvent], mark: Mark) -> bool:
    return any(line.id == mark.id and sign(line) == mark.sign for line in lines)
