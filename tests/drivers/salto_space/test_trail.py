"""The audit trail, told once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hubd_drivers.salto_space.audit import Place
from hubd_drivers.salto_space.client import SpaceClient
from hubd_drivers.salto_space.config import SaltoSpaceConfig
from hubd_drivers.salto_space.messages import AuditEvent, Page
from hubd_drivers.salto_space.sim import Quirks, Site, Space, add_history, demo_site
from hubd_drivers.salto_space.sim.trail import Happening, Operation, Subject, SubjectType
from hubd_drivers.salto_space.trail import GAP, Trail

from hubd.driver import SystemClock
from hubd.driver.contract import RecordingPort
from tests.drivers.salto_space.linked import linked
from tests.drivers.salto_space.living import audits, lines
from tests.drivers.salto_space.named import named_by

TRAIL = "SaltoDBAuditTrail.Read"
SOMEBODY = Subject(SubjectType.CARDHOLDER, "u", "Ana", "04")


class Bench(NamedTuple):
    space: Space
    client: SpaceClient
    port: RecordingPort
    config: SaltoSpaceConfig
    looks: list[int]

    @property
    def site(self) -> Site:
        return self.space.site

    def trail(self) -> Trail:
        def find(ext_id: str) -> Place | None:
            place = self.site.place(ext_id)
            return None if place is None else Place(ext_id, place.name, self.site.locks[ext_id].is_online)

        async def look() -> None:
            self.looks.append(1)

        return Trail(self.client, self.port, self.config, find, look)

    async def begun(self) -> Trail:
        trail = self.trail()
        await trail.begin()
        return trail

    def happens(self, count: int = 1, *, at: datetime | None = None) -> list[int]:
        door = self.site.door_id("Main entrance")
        made = []
        for _ in range(count):
            what = Happening(at or self.site.now(), Operation.OPENED_WITH_KEY, door, "Main entrance", SOMEBODY)
            made.append(self.site.trail.add(what).id)
        return made


@asynccontextmanager
async def bench(quirks: Quirks | None = None, history: int = 0, **keys: Any) -> AsyncIterator[Bench]:
    zone = await asyncio.to_thread(ZoneInfo, keys.pop("time_zone", "Europe/Madrid"))
    site = demo_site(zone=zone)
    add_history(site, history)
    async with linked(site=site, quirks=quirks, time_zone=zone.key, **keys) as (client, space):
        config = SaltoSpaceConfig(host=f"stp://127.0.0.1:{space.port}", time_zone=zone.key, **keys)
        yield Bench(space, client, RecordingPort(), config, [])


ALL_QUIRKS = (
    Quirks(),
    Quirks(descending="ignored"),
    Quirks(descending="start_is_floor"),
    Quirks(utc_ignored=True),
    Quirks(audit_eof=True),
    Quirks(page_cap=2),
    Quirks(descending="ignored", page_cap=3, line_breaks=True),
)


@pytest.mark.parametrize("quirks", ALL_QUIRKS, ids=named_by)
async def test_nothing_of_the_past_and_everything_from_then_on_once(quirks: Quirks) -> None:
    async with bench(quirks, history=60) as b:
        trail = await b.begun()
        assert await trail.catch_up() == 0
        made = b.happens(7)
        assert await trail.catch_up() == 7
        made += b.happens(1)
        await trail.catch_up()
        assert lines(b.port) == made
        again = b.trail()
        assert await again.begin()
        await again.catch_up()
        made += b.happens(130)
        await again.catch_up()
        assert lines(b.port) == made
        assert not b.port.cautions


@pytest.mark.parametrize("quirks", [Quirks(), Quirks(utc_ignored=True)], ids=named_by)
@pytest.mark.parametrize("zone", ["Europe/Madrid", "Asia/Kolkata", "Europe/London", "America/St_Johns"])
async def test_times_are_right_whether_or_not_utc_is_heeded(quirks: Quirks, zone: str) -> None:
    async with bench(quirks, history=3, time_zone=zone) as b:
        trail = await b.begun()
        late = b.site.now() - timedelta(days=170)  # the other side of a change of the clocks
        b.happens(1, at=late)
        b.happens(1)
        await trail.catch_up()
        old, new = audits(b.port)
        assert abs(old.at - late) < timedelta(seconds=2)
        assert abs(new.at - datetime.now(UTC)) < timedelta(seconds=60)
        again = b.trail()
        await again.begin()
        b.happens(1)
        assert await again.catch_up() == 1
        assert not b.port.cautions, "the line is recognised by another life"


async def test_a_quiet_trail_is_one_question() -> None:
    async with bench(history=20) as b:
        trail = await b.begun()
        await trail.catch_up()
        b.space.counters.clear()
        for _ in range(5):
            assert await trail.catch_up() == 0
        assert b.space.counters.total == 5


async def test_an_empty_trail_and_its_first_line() -> None:
    async with bench() as b:
        trail = await b.begun()
        assert b.port.bookmark is not None
        assert await trail.catch_up() == 0
        made = b.happens(3)
        await trail.catch_up()
        await trail.catch_up()
        assert lines(b.port) == made


async def test_pages_are_read_on_at_once_each_with_its_bookmark() -> None:
    async with bench(page_size=100) as b:
        trail = await b.begun()
        made = b.happens(1000)
        assert await trail.catch_up() == 1000
        assert lines(b.port) == made


class Behind(SpaceClient):
    """Of a server whose trail begins behind the id that it is asked from."""

    async def audit(self, start: int | None, *arguments: Any, **keys: Any) -> Page[AuditEvent]:
        return await super().audit(None if start is None else start + 1, *arguments, **keys)


async def test_a_trail_that_begins_behind_the_id_asked_from() -> None:
    async with bench(history=20) as usual:
        b = usual._replace(client=Behind(usual.client._transport, usual.config, usual.port.clock))  # noqa: SLF001
        trail = await b.begun()
        await trail.catch_up()
        made = b.happens(5)
        await trail.catch_up()
        made += b.happens(5)
        await trail.catch_up()
        assert lines(b.port) == made
        b.space.counters.clear()
        await trail.catch_up()
        assert b.space.counters.total == 1, "it is known by then"
        assert not b.port.cautions


async def test_a_purge_is_said_and_what_is_left_is_told_once() -> None:
    async with bench(history=20) as b:
        trail = await b.begun()
        made = b.happens(6)
        b.site.trail.purge(made[3])
        await trail.catch_up()
        await trail.catch_up()
        assert lines(b.port) == made[3:]
        assert "purged" in b.port.cautions[GAP]
        made += b.happens(2)
        await trail.catch_up()
        assert lines(b.port) == made[3:]


async def test_a_purge_of_everything() -> None:
    async with bench(history=20) as b:
        trail = await b.begun()
        b.site.trail.purge(10**9)
        await trail.catch_up()
        b.space.counters.clear()
        await trail.catch_up()
        assert b.space.counters.total == 1
        made = b.happens(3)
        await trail.catch_up()
        assert lines(b.port) == made
        assert GAP in b.port.cautions


async def test_a_trail_that_is_empty_for_a_while_is_not_told_again() -> None:
    async with bench(history=20) as b:
        trail = await b.begun()
        made = b.happens(6)
        await trail.catch_up()
        kept = list(b.site.trail.events)
        b.site.trail.events.clear()
        await trail.catch_up()
        other = b.trail()
        assert await other.begin(), "the hub was started again meanwhile"
        await other.catch_up()
        b.site.trail.events[:] = kept
        made += b.happens(2)
        await other.catch_up()
        await other.catch_up()
        assert lines(b.port) == made
        assert "empty" in b.port.cautions[GAP]


async def test_an_emptied_trail_whose_numbers_begin_anew() -> None:
    async with bench(history=20) as b:
        trail = await b.begun()
        made = b.happens(30)
        await trail.catch_up()
        b.site.trail.events.clear()
        await trail.catch_up()
        b.site.trail.next_id = 1
        made += b.happens(4)
        await trail.catch_up()
        await trail.catch_up()
        assert lines(b.port) == made


async def test_a_line_whose_user_was_deleted_since_is_the_same_line() -> None:
    async with bench(history=20) as b:
        trail = await b.begun()
        made = b.happens(3)
        await trail.catch_up()
        last = b.site.trail.events[-1]
        nobody = Subject(SubjectType.CARDHOLDER, "", "", "")
        b.site.trail.events[-1] = last._replace(what=last.what._replace(subject=nobody))
        made += b.happens(1)
        await trail.catch_up()
        assert lines(b.port) == made
        assert not b.port.cautions


async def test_a_trail_that_is_begun_anew() -> None:
    async with bench(history=20) as b:
        trail = await b.begun()
        made = b.happens(30)
        await trail.catch_up()
        b.site.trail.events.clear()
        b.site.trail.next_id = 1
        again = b.happens(2, at=b.site.now() - timedelta(days=3))  # of an offline lock
        again += b.happens(4)
        await trail.catch_up()
        await trail.catch_up()
        assert lines(b.port) == made + again
        assert "anew" in b.port.cautions[GAP]
        more = b.happens(100)
        await trail.catch_up()
        assert lines(b.port) == made + again + more


@pytest.mark.parametrize("lost", [5, 30, 90])
@pytest.mark.parametrize("page_size", [4, 500])
async def test_a_trail_that_was_set_back_by_a_backup(lost: int, page_size: int) -> None:
    async with bench(history=50, page_size=page_size) as b:
        trail = await b.begun()
        start = b.site.now()
        made = [b.happens(1, at=start + timedelta(milliseconds=number))[0] for number in range(200)]
        await trail.catch_up()
        events = b.site.trail.events
        del events[-lost:]
        b.site.trail.next_id = events[-1].id + 1
        new = b.happens(3, at=start + timedelta(hours=1))
        await trail.catch_up()
        await trail.catch_up()
        assert lines(b.port) == made + new
        assert "set back" in b.port.cautions[GAP]
        new += b.happens(150, at=start + timedelta(hours=2))
        await trail.catch_up()
        assert lines(b.port) == made + new


async def test_a_line_of_a_door_that_nobody_knows_has_the_doors_read_once() -> None:
    async with bench() as b:
        trail = await b.begun()
        what = Happening(b.site.now(), Operation.OPENED_WITH_KEY, "nowhere", "Nowhere", SOMEBODY)
        for _ in range(3):
            b.site.trail.add(what)
            await trail.catch_up()
        assert len(b.looks) == 1
        assert {one.entrance_name for one in audits(b.port)} == {"nowhere"}
        assert {one.entrance for one in audits(b.port)} == {None}


async def test_the_bookmark_is_kept_with_the_lines_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    async with bench() as b:
        trail = await b.begun()
        made = b.happens(3)
        before, note = b.port.bookmark, b.port.note

        async def fails(*_: Any, **__: Any) -> None:
            raise OSError("the disk is full")

        monkeypatch.setattr(b.port, "note", fails)
        with pytest.raises(OSError, match="full"):
            await trail.catch_up()
        assert b.port.bookmark == before
        monkeypatch.setattr(b.port, "note", note)
        await trail.catch_up()
        assert lines(b.port) == made


async def test_a_gap_stands_on_the_page_for_a_day() -> None:
    class Later(SystemClock):
        passed = 0.0

        def monotonic(self) -> float:
            return super().monotonic() + self.passed

    async with bench(history=20) as b:
        b.port.clock = clock = Later()
        trail = await b.begun()
        b.site.trail.purge(10**9)
        await trail.catch_up()
        clock.passed = 3600.0
        await trail.catch_up()
        assert GAP in b.port.cautions
        clock.passed = 90_000.0
        await trail.catch_up()
        assert GAP not in b.port.cautions
