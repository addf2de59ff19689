import asyncio
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hubd_drivers.salto_space import survey
from hubd_drivers.salto_space.config import SaltoSpaceConfig
from hubd_drivers.salto_space.messages import Info
from hubd_drivers.salto_space.sim.builders import add_history, demo_site
from hubd_drivers.salto_space.sim.locks import Wiring
from hubd_drivers.salto_space.sim.quirks import Quirks
from hubd_drivers.salto_space.sim.state import Site
from hubd_drivers.salto_space.sim.stp import Stp

from hubd.driver import Finding, SystemClock
from tests.drivers.salto_space.linked import Pair, config_for, linked
from tests.support.clock import ManualClock

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
SUMMER = "Europe/Madrid"


async def surveyed(pair: Pair, *titles: str, **keys: Any) -> list[Finding]:
    """Return the findings of these checks, or of all."""
    config, clock = await config_for(pair.space.port, Stp(), **keys), SystemClock()
    async with aclosing(survey.survey(pair.client, await pair.client.info(), config, clock)) as findings:
        found = [finding async for finding in findings]
    assert [one.check for one in found] == list(survey.CHECKS)
    return [one for one in found if not titles or one.check in titles]


async def the_one(pair: Pair, title: str, **keys: Any) -> Finding:
    [finding] = await surveyed(pair, title, **keys)
    return finding


async def test_no_licence_skips_the_rest() -> None:
    async with linked(quirks=Quirks(licence="info_only")) as pair:
        first, *rest = await surveyed(pair)
        assert (first.verdict, first.code) == ("failed", "licence_missing")
        assert {one.verdict for one in rest} == {"skipped"}


async def test_a_lost_link_skips_the_rest() -> None:
    async with linked() as pair:
        pair.space.faults.drop_request("SaltoDBDoorList.Read", times=2)
        findings = await surveyed(pair)
        assert [one.verdict for one in findings] == ["ok", "ok", "failed", "skipped", "skipped", "skipped"]


async def test_a_refusal_skips_nothing() -> None:
    async with linked() as pair:
        pair.space.faults.refuse("SaltoDBDoorList.Read", 4)
        findings = await surveyed(pair)
        assert [one.verdict for one in findings] == ["ok", "ok", "failed", "ok", "ok", "ok"]
        assert findings[2].code == "general_error"


# -- the clock ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wall", "code", "words"),
    [
        ("2026-07-01 14:00:30", "", "right for Europe/Madrid"),
        ("2026-07-01 13:59:10", "", "right for Europe/Madrid"),
        (
            "2026-07-01 12:00:00",
            "time_zone_wrong",
            "2 h behind in Europe/Madrid: it seems to be set to another time zone (UTC+0). That is the time of UTC",
        ),
        (
            "2026-07-01 13:00:20",
            "time_zone_wrong",
            "1 h behind in Europe/Madrid: it seems to be set to another time zone (UTC+1)",
        ),
        ("2026-07-01 08:00:00", "time_zone_wrong", "(UTC-4). That is the time of America/New_York"),
        (
            "2026-07-01 17:30:00",
            "time_zone_wrong",
            "3 h 30 min ahead in Europe/Madrid: it seems to be set to another time zone (UTC+5:30)",
        ),
        ("2026-07-01 14:07:00", "clock_off", "7 min ahead"),
        ("2026-07-03 14:00:00", "clock_off", "48 h ahead"),
        (None, "clock_unknown", "does not say"),
    ],
)
async def test_the_clock_and_what_its_error_looks_like(wall: str | None, code: str, words: str) -> None:
    config = await asyncio.to_thread(lambda: SaltoSpaceConfig(host="http://10.0.0.5", time_zone=SUMMER))
    info = Info(wall=None if wall is None else datetime.fromisoformat(wall))
    found = await survey.clock_finding(info, config, ManualClock(NOON))
    assert (found.code, found.verdict) == (code, "warning" if code else "ok")
    assert words in found.evidence
    assert bool(found.remedy) == bool(code)


async def test_a_server_in_another_zone() -> None:
    site = demo_site(zone=ZoneInfo("America/New_York"))
    async with linked(site=site) as pair:
        found = await the_one(pair, survey.CLOCK)
        assert found.code == "time_zone_wrong"
        assert "America/New_York" in found.evidence
        assert (await the_one(pair, survey.CLOCK, time_zone="America/New_York")).verdict == "ok"


def test_zones_by_their_offset() -> None:
    assert survey.zones_at(timedelta(hours=5, minutes=30), NOON) == ["Asia/Kolkata"]
    assert survey.zones_at(timedelta(hours=13, minutes=30), NOON) == []


# -- what there is -----------------------------------------------------------------------------------------------------


async def test_how_many_doors() -> None:
    async with linked() as pair:
        found = await the_one(pair, survey.DOORS)
        assert found.verdict == "ok"
        assert found.evidence == (
            "Space has 12 doors, 3 lockers, 6 rooms, 1 suite; 6 are online and can be opened from here."
        )


async def test_doors_that_space_does_not_reach() -> None:
    async with linked() as pair:
        lost = pair.space.site.door_id("Main entrance")
        pair.space.operator.loses(lost)
        found = await the_one(pair, survey.DOORS)
        assert (found.verdict, found.code) == ("warning", "doors_not_reached")
        assert lost in found.evidence


async def test_no_doors_and_no_access_levels() -> None:
    async with linked(site=Site(zone=ZoneInfo(SUMMER), now=lambda: datetime.now(UTC))) as pair:
        findings = await surveyed(pair, survey.DOORS, survey.LEVELS)
        assert [one.code for one in findings] == ["no_doors", "no_access_levels"]
        assert {one.verdict for one in findings} == {"warning"}


async def test_a_server_that_knows_no_hotel() -> None:
    async with linked() as pair:
        pair.space.faults.refuse("SaltoDBHotelRoomList.Read", 502)
        pair.space.faults.refuse("SaltoDBHotelSuiteList.Read", 502)
        found = await the_one(pair, survey.DOORS)
        assert (found.verdict, "room" in found.evidence) == ("ok", False)


async def test_access_levels_that_cannot_be_read() -> None:
    async with linked(quirks=Quirks(group_list=False)) as pair:
        found = await the_one(pair, survey.LEVELS)
        assert (found.verdict, found.code) == ("warning", "access_levels_unreadable")


@pytest.mark.parametrize("ignored", [False, True])
async def test_whether_the_trail_is_in_utc(*, ignored: bool) -> None:
    site = demo_site()
    add_history(site, 5)
    async with linked(site=site, quirks=Quirks(utc_ignored=ignored)) as pair:
        assert await pair.client.tells_utc() is not ignored
        found = await the_one(pair, survey.AUDIT)
        assert (found.verdict, found.code) == (("warning", "audit_not_utc") if ignored else ("ok", ""))


async def test_an_empty_trail_tells_nothing_of_its_zone() -> None:
    async with linked() as pair:
        found = await the_one(pair, survey.AUDIT)
        assert found.verdict == "ok"
        assert "does not show" in found.evidence


# -- encoders ----------------------------------------------------------------------------------------------------------


async def test_encoders_by_their_names() -> None:
    async with linked() as pair:
        none = await the_one(pair, survey.ENCODERS)
        assert (none.verdict, "no cards" in none.evidence) == ("ok", True)
        pair.space.encoders["Encoder#2"].is_online = False
        wrong = await the_one(pair, survey.ENCODERS, encoders=("Encoder 1", "Encoder#2"))
        assert (wrong.verdict, wrong.code) == ("failed", "encoder_unknown")
        assert "Encoder 1: Space has no encoder of this name." in wrong.evidence
        away = await the_one(pair, survey.ENCODERS, encoders=("Encoder#2",))
        assert (away.verdict, away.code) == ("warning", "encoder_unreachable")


async def test_an_encoder_that_waits_for_a_card_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "_ENCODER_SECONDS", 0.2)
    async with linked() as pair:
        for _ in range(2):  # the second time it is busy, or waits again
            found = await the_one(pair, survey.ENCODERS, encoders=("Encoder#1",))
            assert (found.verdict, found.evidence) == ("ok", "Space knows Encoder#1.")
        pair.space.present_card("Encoder#2", "04A1B2C3D4E5F6")
        assert (await the_one(pair, survey.ENCODERS, encoders=("Encoder#2",))).verdict == "ok"


async def test_the_link_is_lost_at_an_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "_ENCODER_SECONDS", 0.5)
    async with linked() as pair:
        pair.space.faults.drop_request("Encoder.ReadKey")
        found = await the_one(pair, survey.ENCODERS, encoders=("Encoder#1", "Encoder#2"))
        assert (found.verdict, found.code) == ("failed", "closed_without_reply")


def test_a_wired_door_is_online() -> None:
    """What the counts above stand on."""
    locks = demo_site().locks.values()
    assert sum(lock.wiring is not Wiring.OFFLINE for lock in locks) == 6
