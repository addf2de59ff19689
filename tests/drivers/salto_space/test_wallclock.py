"""The server's clock."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hubd_drivers.salto_space.wallclock import CLOCK_OFF, ZONE_WRONG, complaint

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
MADRID = ZoneInfo("Europe/Madrid")


def shown(zone: ZoneInfo, off: timedelta = timedelta(0), now: datetime = NOW) -> datetime:
    return (now + off).astimezone(zone).replace(tzinfo=None)


@pytest.mark.parametrize("off", [0, 60, -110])
def test_a_clock_that_is_right(off: int) -> None:
    assert complaint(shown(MADRID, timedelta(seconds=off)), MADRID, NOW) is None


def test_both_passings_of_the_hour_that_is_there_twice() -> None:
    for minutes in range(0, 180, 10):
        now = datetime(2026, 10, 24, 23, tzinfo=UTC) + timedelta(minutes=minutes)
        assert complaint(shown(MADRID, now=now), MADRID, now) is None, now


@pytest.mark.parametrize(
    ("name", "word"), [("Europe/London", "UTC+1"), ("Asia/Kolkata", "UTC+5:30"), ("America/New_York", "UTC-4")]
)
def test_another_zone(name: str, word: str) -> None:
    found = complaint(shown(ZoneInfo(name)), MADRID, NOW)
    assert found is not None
    assert found.code == ZONE_WRONG
    assert word in found.message
    assert "time_zone" in found.remedy


@pytest.mark.parametrize(("off", "word"), [(7, "7 min ahead"), (-130, "2 h 10 min behind"), (100_000, "ahead")])
def test_a_clock_that_is_off(off: int, word: str) -> None:
    found = complaint(shown(MADRID, timedelta(minutes=off)), MADRID, NOW)
    assert found is not None
    assert found.code == CLOCK_OFF
    assert word in found.message
