from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from hubd.core.climate.recorder import HOLDS, Point
from hubd.web.chart import SPANS, Band, Chart, Span, Tick, chart
from tests.support.clock import NOON

BERLIN = ZoneInfo("Europe/Berlin")
SANTIAGO = ZoneInfo("America/Santiago")  # its clocks skip midnight
SLOT = timedelta(minutes=5)
HOUR = timedelta(hours=1)


def draw(points: list[Point], until: datetime = NOON, span: Span = "day", zone: ZoneInfo = BERLIN) -> Chart:
    return chart(points, until, zone, span, "d")


def steady(begin: datetime, end: datetime, **members: float | bool | None) -> list[Point]:
    """Return a row an hour, as the recorder writes what does not change."""
    found = []
    while begin < end:
        found.append(Point(begin, **members))  # type: ignore[arg-type]
        begin += HOUR
    return found


def test_nothing_is_known() -> None:
    found = draw([])
    assert (found.temperature, found.humidity, found.gaps) == (None, None, ())
    assert found.summary == "Nothing is known of this time."
    assert draw([Point(NOON - HOUR)]).summary == "Nothing is known of this time."


def test_a_line_goes_in_steps_from_edge_to_edge() -> None:
    points = steady(NOON - 25 * HOUR, NOON - 12 * HOUR, temperature_celsius=20.0)
    points += steady(NOON - 12 * HOUR, NOON, temperature_celsius=21.0)
    plot = draw(points).temperature
    assert plot is not None
    assert plot.levels == tuple(
        Tick(at, text) for at, text in ((0.0, "21.5°"), (25.0, "21°"), (50.0, "20.5°"), (75.0, "20°"), (100.0, "19.5°"))
    )
    assert plot.line.startswith("M0 75H")
    assert "V75H500V25H" in plot.line
    assert plot.line.endswith("H1000")
    assert plot.line.count("M") == 1


def test_a_line_breaks_where_nothing_was_known_or_written() -> None:
    told = Point(NOON - 12 * HOUR, temperature_celsius=20.0)
    found = draw([told])
    assert found.temperature is not None
    width = round(HOLDS / SPANS["day"] * 1000, 1)
    assert found.temperature.line == f"M500 50H{500 + width:g}"
    assert found.gaps == (Band(0.0, 500.0), Band(500 + width, round(500 - width, 1)))
    ended = draw([told, Point(told.at + SLOT), Point(told.at + 2 * SLOT, temperature_celsius=20.0)])
    assert ended.temperature is not None
    assert ended.temperature.line.count("M") == 2
    assert ended.gaps[1] == Band(503.5, 3.4)


def test_set_points_and_what_ran() -> None:
    begin = NOON - 2 * HOUR
    points = [
        Point(begin, 20.0, None, 21.0, 25.0, is_heating=True),
        Point(begin + SLOT, 20.5, None, 21.0, 25.0, is_heating=True),
        Point(begin + 2 * SLOT, 25.5, None, None, 25.0, is_heating=False, is_cooling=True),
        Point(begin + 3 * SLOT, 24.5, None, None, 25.0, is_heating=False, is_cooling=False),
    ]
    plot = draw(points).temperature
    assert plot is not None
    assert len(plot.heats) == len(plot.cools) == 1
    assert plot.heats[0].x + plot.heats[0].width == plot.cools[0].x
    assert plot.heating.count("M") == plot.cooling.count("M") == 1
    assert [tick.text for tick in plot.levels] == ["26°", "24°", "22°", "20°", "18°"]


def test_humidity_has_a_plot_of_its_own() -> None:
    plot = draw(steady(NOON - 24 * HOUR, NOON, relative_humidity=0.41)).humidity
    assert plot is not None
    assert [tick.text for tick in plot.levels] == ["50\u00a0%", "30\u00a0%"]
    assert plot.line.startswith("M0 45H")
    assert (plot.heating, plot.heats) == ("", ())
    assert draw(steady(NOON - HOUR, NOON, temperature_celsius=20.0)).humidity is None


@pytest.mark.parametrize("value", [-40.0, 0.0, 50.0, 0.04])
@pytest.mark.parametrize("other", [0.0, 0.1, 3.3, 90.0])
def test_whatever_is_measured_stays_within_the_box(value: float, other: float) -> None:
    points = [Point(NOON - 2 * SLOT, value, 0.0), Point(NOON - SLOT, value + other, 1.0)]
    found = draw(points)
    for plot in (found.temperature, found.humidity):
        assert plot is not None
        heights = [float(part.split("H")[0]) for part in plot.line.replace("M", "V").replace(" ", "V").split("V")[2:]]
        assert heights
        assert all(0 <= height <= 100 for height in heights)
        assert [plot.levels[0].at, plot.levels[-1].at] == [0.0, 100.0]
        assert len(plot.levels) <= 8


def test_times_are_those_of_the_site() -> None:
    assert [tick.text for tick in draw([]).times] == ["16:00", "20:00", "00:00", "04:00", "08:00", "12:00"]
    assert [tick.text for tick in draw([], span="week").times] == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    assert draw([]).times[0].at == 12.5


def test_a_day_of_twenty_three_hours_has_its_marks() -> None:
    until = datetime(2026, 3, 29, 20, tzinfo=UTC)
    ticks = draw([], until).times
    assert [tick.text for tick in ticks] == ["00:00", "04:00", "08:00", "12:00", "16:00", "20:00"]
    gaps = [later.at - earlier.at for earlier, later in pairwise(ticks)]
    assert gaps[0] == pytest.approx(100 * 3 / 24, abs=0.1)
    assert gaps[1] == pytest.approx(100 * 4 / 24, abs=0.1)


def test_a_midnight_that_is_skipped_is_marked_where_the_day_begins() -> None:
    ticks = draw([], datetime(2026, 9, 6, 20, tzinfo=UTC), zone=SANTIAGO).times
    assert [tick.text for tick in ticks] == ["20:00", "01:00", "04:00", "08:00", "12:00", "16:00"]


def test_the_same_in_words() -> None:
    points = steady(
        NOON - 24 * HOUR, NOON - 12 * HOUR, temperature_celsius=20.0, relative_humidity=0.4, is_heating=True
    )
    points += steady(
        NOON - 12 * HOUR, NOON - 3 * HOUR, temperature_celsius=22.0, relative_humidity=0.5, is_heating=False
    )
    points.append(Point(NOON - 3 * HOUR))
    assert draw(points).summary.replace("\u00a0", " ") == (
        "20.0 °C to 22.0 °C, 20.9 °C on average. Humidity 40 % to 50 %. Heated for about 12 h. Nothing is known of 3 h."
    )
    idle = steady(NOON - 24 * HOUR, NOON, temperature_celsius=20.0, is_heating=False, is_cooling=False)
    assert draw(idle).summary.endswith("Not heated.")
    cooled = steady(NOON - 90 * timedelta(minutes=1), NOON, temperature_celsius=20.0, is_cooling=True)
    assert "Cooled for about 1\u00a0h 30\u00a0min." in draw(cooled).summary
