from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubd.web import words

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 22, 18, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Room 101", "Room 101"),
        ("  Room\n\t101 ", "Room 101"),
        ("a\u202eb\u2066c\u200fd\x00e\x1b[2J", "abcde[2J"),
        ("Çağ" + "\u0301" * 40, "Çağ\u0301\u0301"),
        ("شقة علوية", "شقة علوية"),
        ("👩\u200d🔧 Werkstatt", "👩\u200d🔧 Werkstatt"),
        ("x" * 10_000, "x" * 59 + "…"),
        ("", "lock-1"),
        ("\u202e\u2069 \n", "lock-1"),
    ],
)
def test_names_from_outside(text: str, shown: str) -> None:
    assert words.name(text, otherwise="lock-1") == shown


@given(st.text())
def test_any_text_becomes_one_short_harmless_line(text: str) -> None:
    shown = words.plain(text, 40)
    assert len(shown) <= 40
    assert "\n" not in shown
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\x00\x1b")
    assert words.plain(shown, 40) == shown


def test_a_name_of_another_script_is_isolated_within_a_sentence() -> None:
    assert words.within("Room 1") == "Room 1"
    assert words.within("شقة") == "\u2068شقة\u2069"


def test_names_are_sorted_as_people_do() -> None:
    names = ["Room 10", "room 9", "Lobby", "Room 9b", "10", "9", ""]
    assert sorted(names, key=words.sort_key) == ["9", "10", "", "Lobby", "room 9", "Room 9b", "Room 10"]


@given(st.lists(st.text(max_size=60)))
def test_any_names_can_be_sorted(names: list[str]) -> None:
    assert len(sorted(names, key=words.sort_key)) == len(names)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 11, 22, 17, 59, 1, tzinfo=UTC), "18:59:01"),
        (datetime(2026, 11, 21, 23, 30, tzinfo=UTC), "00:30:00"),
        (datetime(2026, 11, 21, 22, 30, tzinfo=UTC), "yesterday 23:30:00"),
        (datetime(2026, 3, 2, 12, 0, tzinfo=UTC), "2 Mar 13:00"),
        (datetime(2025, 7, 2, 12, 0, tzinfo=UTC), "2 Jul 2025, 14:00"),
        (datetime(9999, 12, 31, 23, 59, tzinfo=UTC), "31 Dec 9999, 23:59"),
    ],
)
def test_stamps_are_local_and_as_short_as_the_day_allows(moment: datetime, text: str) -> None:
    assert words.stamp(moment, NOW, BERLIN).text == text


def test_clock_face() -> None:
    face = words.clock_face(NOW, BERLIN)
    assert (face.text, face.iso) == ("Sun 22 Nov 2026, 19:04:12", "2026-11-22T19:04:12+01:00")


def test_numbers() -> None:
    assert words.percent(0.456) == "46\u00a0%"
    assert words.celsius(21.04) == "21.0\u00a0°C"
    assert words.seconds(0.3049) == "0.30\u00a0s"
    assert words.count(1, "device", "devices") == "1\u00a0device"
    assert words.count(2, "device", "devices") == "2\u00a0devices"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "1 second"), (59, "59 seconds"), (61, "1 minute"), (7300, "2 hours"), (1e6, "11 days")]
)
def test_durations(seconds: float, text: str) -> None:
    assert words.duration(seconds).replace("\u00a0", " ") == text
