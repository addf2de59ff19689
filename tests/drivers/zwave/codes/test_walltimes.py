from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hubd_drivers.zwave.codes.walltimes import (
    Offsets,
    WallFrame,
    frame_of,
    of_wire,
    offsets_of,
    to_wire,
    wall_of,
)
from hypothesis import given
from hypothesis import strategies as st

from hubd.model import TimeFrame

BERLIN = ZoneInfo("Europe/Berlin")
NAMES = ("Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Santiago", "UTC")
ZONES = [ZoneInfo(name) for name in NAMES]
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)

moments = st.integers(0, 60 * 24 * 365 * 97).map(
    lambda passed: datetime(2001, 1, 1, tzinfo=UTC) + timedelta(minutes=passed)
)
spans = st.integers(1, 60 * 24 * 40).map(lambda length: timedelta(minutes=length))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def wall(start: str, stop: str) -> WallFrame:
    return WallFrame(datetime.fromisoformat(start), datetime.fromisoformat(stop))


def test_a_frame_over_the_beginning_of_summer_time_is_told_by_the_clock_on_the_wall() -> None:
    frame = TimeFrame(utc("2027-03-27 14:00"), utc("2027-03-29 09:00"))
    told = wall_of(frame, BERLIN, LONG_AGO)
    assert told == wall("2027-03-27 15:00", "2027-03-29 11:00")
    assert frame_of(told, BERLIN) == frame


@pytest.mark.parametrize(
    ("start", "end", "now", "expected"),
    [
        # The hour from 2 to 3 passes twice on 2026-10-25: from 00:00 and from 01:00 UTC.
        ("2026-10-25 00:30", "2026-10-26 09:00", "2026-10-24 12:00", ("2026-10-25 02:30", "2026-10-26 10:00")),
        ("2026-10-25 01:30", "2026-10-26 09:00", "2026-10-24 12:00", ("2026-10-25 03:30", "2026-10-26 10:00")),
        ("2026-10-25 01:30", "2026-10-26 09:00", "2026-10-25 01:30", ("2026-10-25 00:30", "2026-10-26 10:00")),
        ("2026-10-25 00:30", "2026-10-26 09:00", "2026-10-25 00:40", ("2026-10-24 23:30", "2026-10-26 10:00")),
        ("2026-10-24 12:00", "2026-10-25 00:30", "2026-10-24 10:00", ("2026-10-24 14:00", "2026-10-25 03:30")),
        ("2026-10-24 12:00", "2026-10-25 01:30", "2026-10-24 10:00", ("2026-10-24 14:00", "2026-10-25 03:30")),
        ("2026-10-25 00:10", "2026-10-25 01:50", "2026-10-24 10:00", ("2026-10-25 02:10", "2026-10-25 03:50")),
    ],
)
def test_in_the_hour_that_passes_twice_nobody_is_let_in_early_or_shut_out(
    start: str, end: str, now: str, expected: tuple[str, str]
) -> None:
    told = wall_of(TimeFrame(utc(start), utc(end)), BERLIN, utc(now))
    assert told == wall(*expected)
    assert frame_of(told, BERLIN) is None, "what was shifted is not told: it is not what was asked"


def test_a_time_that_never_is_on_the_wall_is_not_told() -> None:
    assert frame_of(wall("2027-03-28 02:30", "2027-03-29 10:00"), BERLIN) is None
    assert frame_of(wall("2027-03-20 12:00", "2027-03-20 12:00"), BERLIN) is None


@given(moments, spans, st.sampled_from(ZONES))
def test_what_is_read_back_is_what_was_asked_or_is_not_told(start: datetime, span: timedelta, zone: ZoneInfo) -> None:
    frame = TimeFrame(start, start + span)
    told = wall_of(frame, zone, LONG_AGO - timedelta(days=10_000))
    assert told is not None
    assert told.start < told.stop
    assert frame_of(told, zone) in {frame, None}
    assert of_wire(to_wire(told)) == told


@given(moments, spans, st.sampled_from(ZONES))
def test_a_lock_whose_clock_follows_the_wall_opens_for_no_code_ahead_of_time(
    start: datetime, span: timedelta, zone: ZoneInfo
) -> None:
    told = wall_of(TimeFrame(start, start + span), zone, start - timedelta(hours=1))
    assert told is not None
    for early in (timedelta(minutes=1), timedelta(minutes=31), timedelta(hours=1), timedelta(hours=2)):
        shown = (start - early).astimezone(zone).replace(tzinfo=None)
        assert not told.start <= shown < told.stop


@pytest.mark.parametrize(("start", "end"), [(1999, 2026), (2026, 2100)])
def test_years_that_locks_have_no_number_for(start: int, end: int) -> None:
    assert (
        wall_of(TimeFrame(datetime(start, 6, 1, tzinfo=UTC), datetime(end, 6, 1, tzinfo=UTC)), BERLIN, LONG_AGO) is None
    )


@pytest.mark.parametrize(
    "change", [{"startMonth": 13}, {"stopDay": 31, "stopMonth": 2}, {"startHour": None}, {"stopYear": 255}]
)
def test_a_schedule_that_no_calendar_knows_is_none(change: dict[str, Any]) -> None:
    good = to_wire(wall("2026-02-01 12:00", "2026-02-03 12:00"))
    assert of_wire(good) is not None
    assert of_wire({**good, **change}) is None


def test_the_offsets_of_a_zone_over_a_year() -> None:
    for month in (1, 4, 7, 10):
        assert offsets_of(BERLIN, datetime(2026, month, 15, tzinfo=UTC)) == Offsets(60, 120)
    assert offsets_of(ZoneInfo("Asia/Kathmandu"), LONG_AGO) == Offsets(345, 345)
