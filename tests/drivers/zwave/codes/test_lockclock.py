"""One lock's clock, against a zwave-js of which the zone and the habits are drawn."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hubd_drivers.zwave.codes.lockclock import (
    NOT_SET,
    OTHER_ZONE,
    SILENT,
    STAYS_WRONG,
    TOLERANCE,
    ZONE_NOT_SET,
    LockClock,
    ServerZone,
)
from hubd_drivers.zwave.codes.walltimes import minutes
from hypothesis import given
from hypothesis import strategies as st

from hubd.driver.contract import RecordingPort
from tests.drivers.zwave.fakes import FakeLink, FastClock, lock_node

BERLIN, LONDON, UTC_ZONE = ZoneInfo("Europe/Berlin"), ZoneInfo("Europe/London"), ZoneInfo("UTC")
ZONES = [
    BERLIN,
    LONDON,
    UTC_ZONE,
    ZoneInfo("America/New_York"),
    ZoneInfo("Asia/Kolkata"),
    ZoneInfo("Australia/Lord_Howe"),
]
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class SetClock(FastClock):
    def __init__(self, at: datetime) -> None:
        super().__init__()
        self.at = at

    def now(self) -> datetime:
        return self.at


def half_a_year(at: datetime, months: int) -> datetime:
    year, month = divmod(at.year * 12 + at.month - 1 + months, 12)
    return at.replace(year=year, month=month + 1, day=min(at.day, 28))


class Server(FakeLink):
    """zwave-js in a zone, and one lock: what its clock shows and which zone it was told, by either command class."""

    def __init__(self, zone: ZoneInfo, *, asks: bool = False, time_version: int = 0) -> None:
        super().__init__()
        self.zone = zone
        self.is_utc = asks or time_version > 1
        self.asks = asks
        self.time_version = time_version
        self.shown = datetime(2000, 1, 1, tzinfo=UTC)
        self.offsets = {78: (0, 0), 138: (0, 0)}
        self.is_deaf = self.is_stuck = self.ignores_zone = self.is_mute = False
        self.frames = 0

    def dst_info(self, at: datetime) -> tuple[int, int]:
        here, before, after = (minutes(self.zone, half_a_year(at, months)) for months in (0, -6, 6))
        return (here, here) if here in {before, after} else (min(here, after), max(here, after))

    async def command(self, name: str, /, **arguments: Any) -> Mapping[str, object]:
        short = name.rpartition(".")[2]
        if short == "controls_cc":
            return {"controlled": self.asks}
        self.frames += 1
        if short == "get_date_and_time":
            at = self.shown if self.is_utc else self.shown.replace(tzinfo=self.zone).astimezone(UTC)
            parts = {"year": at.year, "month": at.month, "day": at.day, "hour": at.hour, "minute": at.minute}
            return {"dateAndTime": {} if self.is_mute else {**parts, "second": at.second}}
        if short == "set_date_and_time":
            return {"success": self.set(datetime.fromisoformat(arguments["date"]))}
        command_class, method, given_ = arguments["commandClass"], arguments["methodName"], arguments["args"]
        if method == "setTimezone":
            self.tell(command_class, (given_[0]["standardOffset"], given_[0]["dstOffset"]))
            return {}
        standard, summer = self.offsets[command_class]
        return {} if self.is_mute else {"response": {"standardOffset": standard, "dstOffset": summer}}

    def set(self, at: datetime) -> bool:
        if not self.is_stuck:
            self.shown = at if self.is_utc else at.astimezone(self.zone).replace(tzinfo=UTC)
        self.tell(138 if self.time_version > 1 else 78, self.dst_info(at))
        return not self.is_deaf

    def tell(self, command_class: int, zone: tuple[int, int]) -> None:
        if not self.ignores_zone:
            self.offsets[command_class] = zone


def check(server: Server, site: ZoneInfo, at: datetime = NOON, known: ServerZone | None = None) -> str | None:
    port = RecordingPort(clock=SetClock(at), zone=site)
    classes = {98: 4, 99: 1, 78: 3, 139: 1, **({138: server.time_version} if server.time_version else {})}
    lock = LockClock(server, port, lock_node(2, 0, classes=classes), known or ServerZone())
    return asyncio.run(lock.check())


moments = st.one_of(
    st.integers(0, 24 * 365 * 20).map(lambda passed: datetime(2026, 1, 1, 0, 30, tzinfo=UTC) + timedelta(hours=passed)),
    st.integers(-30, 30).map(lambda passed: datetime(2026, 10, 25, 1, 0, tzinfo=UTC) + timedelta(minutes=passed * 5)),
)
"""Some around the hour that passes twice in Europe."""
zones = st.sampled_from(ZONES)


@given(zones, zones, moments)
def test_a_lock_that_knows_the_wall_only_shows_the_sites_time_or_is_refused(
    site: ZoneInfo, runs_in: ZoneInfo, at: datetime
) -> None:
    server = Server(runs_in)
    wrong = check(server, site, at)
    assert wrong in {None, OTHER_ZONE}
    if wrong is None:
        assert server.shown == at.astimezone(site).replace(tzinfo=UTC)
        assert server.offsets[78] == (0, 0), "whether it adds the zone or not, it shows the same"
    assert wrong is None or site is not runs_in


@given(zones, zones, moments, st.sampled_from([0, 1, 2]))
def test_a_lock_that_knows_utc_is_told_how_far_ahead_the_site_is(
    site: ZoneInfo, runs_in: ZoneInfo, at: datetime, version: int
) -> None:
    server = Server(runs_in, asks=version < 2, time_version=version)
    wrong = check(server, site, at)
    assert wrong in {None, OTHER_ZONE}
    assert wrong is None or minutes(site, at) != minutes(runs_in, at) or site is not runs_in
    if wrong is None:
        assert server.shown == at
        assert server.offsets[78] == (minutes(site, at), minutes(site, at))


@pytest.mark.parametrize("asks", [True, False])
def test_a_clock_that_is_right_is_left_alone_and_costs_two_questions(*, asks: bool) -> None:
    server, known = Server(BERLIN, asks=asks), ServerZone()
    assert check(server, BERLIN, known=known) is None
    server.frames = 0
    assert check(server, BERLIN, NOON + timedelta(seconds=55), known) is None
    assert server.frames == 2
    shown = server.shown
    assert check(server, BERLIN, NOON + timedelta(seconds=70), known) is None
    assert server.shown == shown + timedelta(seconds=70)


@pytest.mark.parametrize("runs_in", [BERLIN, UTC_ZONE, LONDON])
@pytest.mark.parametrize("asks", [True, False])
@pytest.mark.parametrize("change", [datetime(2027, 3, 28, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)])
def test_at_a_change_of_the_clocks_it_is_told_anew(runs_in: ZoneInfo, change: datetime, *, asks: bool) -> None:
    """Also where it is zwave-js's clock that changes, in another zone."""
    server, known, wrongs = Server(runs_in, asks=asks), ServerZone(), []
    for seconds in (-30, 10, 1800, 3610, 7200):
        now = change + timedelta(seconds=seconds)
        server.shown = now if asks else (change - timedelta(seconds=30)).astimezone(BERLIN).replace(tzinfo=UTC)
        wrongs.append(check(server, BERLIN, now, known))
        if wrongs[-1] is None:
            told = timedelta(minutes=server.offsets[78][0])
            assert abs(server.shown + told - now.astimezone(BERLIN).replace(tzinfo=UTC)) <= TOLERANCE
    other = runs_in is LONDON or (asks and runs_in is UTC_ZONE)
    assert set(wrongs) == ({OTHER_ZONE} if other else {None})


def test_a_zwave_js_whose_zone_is_ours_half_of_the_year_only_is_found_out() -> None:
    lagos, known = ZoneInfo("Africa/Lagos"), ServerZone()
    server = Server(LONDON)
    assert check(server, lagos, datetime(2026, 4, 10, 12, tzinfo=UTC), known) is None
    assert check(server, lagos, datetime(2026, 10, 26, 12, tzinfo=UTC), known) == OTHER_ZONE


@pytest.mark.parametrize(
    ("habit", "reason"),
    [("is_deaf", NOT_SET), ("is_stuck", STAYS_WRONG), ("ignores_zone", ZONE_NOT_SET), ("is_mute", SILENT)],
)
def test_what_is_wrong_with_a_lock_is_said(habit: str, reason: str) -> None:
    server = Server(BERLIN)
    setattr(server, habit, True)
    assert check(server, BERLIN) == reason


def test_a_lock_that_falls_silent_later() -> None:
    server, known = Server(BERLIN), ServerZone()
    assert check(server, BERLIN, known=known) is None
    server.is_mute = True
    assert check(server, BERLIN, known=known) == SILENT
