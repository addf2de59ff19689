from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from hubd.web import moments

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-11-23 15:00", "2026-11-23T14:00:00+00:00"),
        ("2026-11-23T15:00", "2026-11-23T14:00:00+00:00"),
        (" 2026-07-01 15:00:30 ", "2026-07-01T13:00:30+00:00"),
        ("2026-11-23T15:00Z", "2026-11-23T15:00:00+00:00"),
        ("2026-11-23 15:00+05:30", "2026-11-23T09:30:00+00:00"),
        ("2026-10-25 02:30+02:00", "2026-10-25T00:30:00+00:00"),
        ("2026-10-25 02:30+01:00", "2026-10-25T01:30:00+00:00"),
    ],
)
def test_a_typed_time_is_of_the_site(text: str, utc: str) -> None:
    assert moments.read(text, BERLIN) == datetime.fromisoformat(utc)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("tomorrow", "must be a time such as 2026-11-23 15:00"),
        ("", "must be a time such as 2026-11-23 15:00"),
        ("2026-11-23", "needs a time of day, such as 2026-11-23 15:00"),
        ("20261123", "needs a time of day, such as 2026-11-23 15:00"),
        ("2026-03-29 02:30", "does not exist: clocks are put forward then"),
        ("2026-10-25 02:30", "comes twice, as clocks are put back then; add +02:00 or +01:00"),
        ("0001-01-01 00:00+14:00", "is too far away"),
    ],
)
def test_a_time_that_cannot_be_told_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        moments.read(text, BERLIN)
    assert str(caught.value) == reason


@pytest.mark.parametrize(
    ("utc", "text"),
    [
        ("2026-11-23T14:00:00", "2026-11-23 15:00"),
        ("2026-07-01T13:00:30", "2026-07-01 15:00:30"),
        ("2026-10-25T00:30:00", "2026-10-25 02:30+02:00"),
        ("2026-10-25T01:30:00", "2026-10-25 02:30+01:00"),
    ],
)
def test_what_is_shown_can_be_typed_again(utc: str, text: str) -> None:
    moment = datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert moments.show(moment, BERLIN) == text
    assert moments.read(text, BERLIN) == moment


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "1 s"), (12.4, "12 s"), (60, "1 min"), (110, "1 min 50 s"), (3600, "1 h"), (7500, "2 h 5 min")],
)
def test_how_long(seconds: float, text: str) -> None:
    assert moments.rough(seconds) == text
