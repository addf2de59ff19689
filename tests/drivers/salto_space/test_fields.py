"""Texts as values: what is known is typed, everything else is None."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hubd_drivers.salto_space.fields import (
    FIRST_YEAR,
    LONGEST_ID,
    BatteryState,
    DoorState,
    KeyStatus,
    digit,
    door_state,
    flag,
    identifier,
    local,
    member,
    moment,
    number,
    words,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.drivers.salto_space.strategies import VALUES

MADRID = ZoneInfo("Europe/Madrid")
ZONES = st.sampled_from(["Europe/Madrid", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]).map(
    ZoneInfo
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-09-02T12:30:20", "2024-09-02T10:30:20"),
        ("2024-9-2T12:30:20", "2024-09-02T10:30:20"),
        ("2024-9-2T2:3:4", "2024-09-02T00:03:04"),
        (" 2024-09-02 12:30 \r\n", "2024-09-02T10:30:00"),
        ("2024-09-02", "2024-09-01T22:00:00"),
        ("2024-12-31T24:00:00", "2024-12-31T23:00:00"),
        ("2024-02-28T24:00:00", "2024-02-28T23:00:00"),
        ("2024-09-02T12:30:20.25", "2024-09-02T10:30:20.250000"),
        ("2024-09-02T12:30:20.123456789", "2024-09-02T10:30:20.123456"),
        ("2024-09-02T12:30:20Z", "2024-09-02T12:30:20"),
        ("2024-09-02T12:30:20-05:30", "2024-09-02T18:00:20"),
    ],
)
def test_a_moment_is_an_instant(text: str, expected: str) -> None:
    assert moment(text, MADRID) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "2024-02-30T00:00:00",
        "2024-13-01T00:00:00",
        "2024-01-01T24:00:01",
        "2024-01-01T25:00:00",
        "2024-01-01T00:60:00",
        "24-01-01T00:00:00",
        "0000-01-01T00:00:00",
        "9999-12-31T24:00:00",
        "0001-01-01T00:00:00+02:00",
        "2024-01-01T00:00:00+99:99",
        "٢٠٢٤-01-01T00:00:00",
        "2024-01-01T00:00:00\n2024-01-01T00:00:00",
    ],
)
def test_what_is_no_moment_is_none(text: str) -> None:
    assert moment(text, MADRID) is None


def test_without_a_zone_it_is_what_the_clock_shows() -> None:
    assert moment("2004-9-2T24:00:00", None) == datetime(2004, 9, 3)  # noqa: DTZ001 - the wall's


def test_sentinels_are_none_where_asked() -> None:
    assert moment("1900-01-01T00:00:00", UTC, first_year=FIRST_YEAR) is None
    assert moment("1899-12-30T00:00:00", UTC, first_year=FIRST_YEAR) is None
    assert moment("1900-01-01T00:00:00", UTC) == datetime(1900, 1, 1, tzinfo=UTC)
    assert moment("1901-01-01T00:00:00", UTC, first_year=FIRST_YEAR) == datetime(1901, 1, 1, tzinfo=UTC)


def test_a_time_that_comes_twice_is_its_first_passing() -> None:
    assert moment("2024-10-27T02:30:00", MADRID) == datetime(2024, 10, 27, 0, 30, tzinfo=UTC)


def test_a_time_that_is_skipped_moves_on() -> None:
    found = moment("2024-03-31T02:30:00", MADRID)
    assert found == datetime(2024, 3, 31, 1, 30, tzinfo=UTC)
    assert local(found, MADRID) == "2024-03-31T03:30:00"


def test_the_end_of_a_day_on_which_clocks_change() -> None:
    assert moment("2024-10-27T24:00:00", MADRID) == datetime(2024, 10, 27, 23, tzinfo=UTC)
    assert moment("2024-03-31T24:00:00", MADRID) == datetime(2024, 3, 31, 22, tzinfo=UTC)


@given(st.datetimes(datetime(1950, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)), ZONES)  # noqa: DTZ001
def test_a_moment_that_is_written_is_read(at: datetime, zone: ZoneInfo) -> None:
    found = moment(local(at, zone), zone)
    whole = at.replace(microsecond=0)
    second_passing = at.astimezone(zone).fold == 1
    assert found is not None
    assert found == whole if not second_passing else timedelta() < whole - found <= timedelta(hours=2)


@given(st.datetimes(datetime(1950, 1, 1), datetime(2200, 1, 1)), ZONES)  # noqa: DTZ001
def test_padding_changes_nothing(wall: datetime, zone: ZoneInfo) -> None:
    wall = wall.replace(microsecond=0)
    bare = f"{wall.year}-{wall.month}-{wall.day}T{wall.hour}:{wall.minute}:{wall.second}"
    assert moment(bare, zone) == moment(wall.isoformat(), zone)
    assert moment(bare, None) == wall


def test_the_last_and_first_hours_that_there_are() -> None:
    east, west = ZoneInfo("Asia/Tokyo"), ZoneInfo("America/New_York")
    assert local(datetime.max.replace(tzinfo=UTC), east) == "9999-12-31T23:59:59"
    assert local(datetime.min.replace(tzinfo=UTC), west) == "0001-01-01T00:00:00"


def test_a_time_without_zone_is_not_written() -> None:
    with pytest.raises(ValueError, match="zone"):
        local(datetime(2024, 1, 1), MADRID)  # noqa: DTZ001 - that is the point


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0", False), (" 1\n", True), ("True", True), ("FALSE", False), ("", None), ("2", None), ("-1", None)],
)
def test_flags(text: str, expected: bool | None) -> None:  # noqa: FBT001 - a table
    assert flag(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        (" 007 ", 7),
        ("-1", -1),
        ("2147483647", 2**31 - 1),
        ("2147483648", None),
        ("-2147483649", None),
        ("", None),
        ("-", None),
        ("--1", None),
        ("+1", None),
        ("1.0", None),
        ("1e3", None),
        ("1_000", None),
        ("٤", None),
        ("²", None),
        ("9" * 5000, None),
    ],
)
def test_numbers(text: str, expected: int | None) -> None:
    assert number(text) == expected


def test_a_number_has_the_bounds_that_are_asked_for() -> None:
    assert number("101", 0, 100) is None
    assert number("-1", 0) is None
    assert number("12345678901234567890", high=10**24) == 12345678901234567890


def test_members_that_are_not_known_are_none() -> None:
    assert member(KeyStatus, 5) is KeyStatus.EXPIRED
    assert member(BatteryState, -1) is BatteryState.UNKNOWN
    assert member(KeyStatus, 6) is None
    assert member(KeyStatus, None) is None


def test_both_numbers_of_initializing_are_taken() -> None:
    assert door_state(6) is door_state(99) is DoorState.INITIALIZING
    assert door_state(2) is DoorState.LEFT_OPENED
    assert door_state(7) is None
    assert door_state(None) is None


def test_ids_are_matched_exactly_and_never_cut() -> None:
    assert identifier(" Door 1 \n") == "Door 1"
    assert identifier(" ") is None
    assert identifier("x" * LONGEST_ID) == "x" * LONGEST_ID
    assert identifier("x" * (LONGEST_ID + 1)) is None


def test_words_are_trimmed_and_cut() -> None:
    assert words(" Room 1 ") == "Room 1"
    assert len(words("x" * 10_000)) == 500


def test_switches_are_written_as_digits() -> None:
    assert (digit(True), digit(False)) == ("1", "0")  # noqa: FBT003 - a switch is what it writes


@given(VALUES | st.text(max_size=60), ZONES)
def test_nothing_raises_for_what_a_server_sends(text: str, zone: ZoneInfo) -> None:
    found = moment(text, zone)
    assert found is None or found.tzinfo is UTC
    assert flag(text) in {True, False, None}
    value = number(text)
    assert value is None or abs(value) <= 2**31
