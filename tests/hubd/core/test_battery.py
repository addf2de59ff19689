from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hubd.core.battery import is_stale, judge, report_hours, stale_from
from hubd.model import BatteryReading, Capabilities
from tests.support.clock import NOON

HOUR = timedelta(hours=1)
FULL = BatteryReading(0.84, NOON)


def measured(level: float, hours: float, *, low: bool = False) -> BatteryReading:
    """Build a reading so many hours after noon."""
    return BatteryReading(level, NOON + hours * HOUR, low)


def after(before: BatteryReading | None, *readings: BatteryReading) -> BatteryReading:
    """Judge readings as they come."""
    for reading in readings:
        before = judge(before, reading, reading.measured_at)
    assert before is not None
    return before


@pytest.mark.parametrize(
    ("before", "new"),
    [
        (None, measured(0.01, 0)),
        (FULL, measured(0.64, 1)),
        (FULL, measured(0.84, 1)),
        (BatteryReading(0.02, NOON), measured(1.0, 0.1)),
        (FULL, measured(0.1, 24)),
    ],
    ids=["the first", "a drop of twenty points", "the same", "new batteries", "a drop within a day"],
)
def test_a_plausible_reading_is_believed(before: BatteryReading | None, new: BatteryReading) -> None:
    assert after(before, new) == new


def test_a_drop_that_cannot_be_true_is_kept_beside_the_level() -> None:
    suspect = measured(0.2, 3)
    assert after(FULL, suspect) == replace(FULL, suspect_level=0.2, suspect_at=suspect.measured_at)


@pytest.mark.parametrize("second", [0.1, 0.2, 0.3])
def test_a_second_reading_that_agrees_makes_it_the_level(second: float) -> None:
    assert after(FULL, measured(0.2, 3), measured(second, 4)) == measured(second, 4)


def test_a_second_reading_that_does_not_agree_is_the_new_suspect() -> None:
    third = measured(0.5, 4)
    judged = after(FULL, measured(0.2, 3), third)
    assert judged == replace(FULL, suspect_level=0.5, suspect_at=third.measured_at)


def test_a_plausible_reading_clears_the_suspect() -> None:
    assert after(FULL, measured(0.2, 3), measured(0.83, 4)) == measured(0.83, 4)


@pytest.mark.parametrize("hours", [3, 2.9])
def test_the_same_measurement_told_again_confirms_nothing(hours: float) -> None:
    """After a reconnect a driver announces what its network has in its cache."""
    suspect = measured(0.2, 3)
    once = after(FULL, suspect)
    assert judge(once, measured(0.2, hours), NOON + 5 * HOUR) == once


def test_a_suspect_of_a_clock_that_ran_ahead_stands_in_nobodys_way() -> None:
    ahead = replace(FULL, suspect_level=0.2, suspect_at=NOON + 1000 * HOUR)
    assert judge(ahead, measured(0.2, 3), NOON + 3 * HOUR) == measured(0.2, 3)


def test_the_devices_own_low_flag_counts_at_once() -> None:
    judged = after(FULL, measured(0.0, 1, low=True))
    assert (judged.level, judged.low, judged.suspect_level) == (0.84, True, 0.0)
    assert after(judged, measured(0.8, 2)).low is False


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0.01, 30)), min_size=1, max_size=20))
def test_what_is_shown_was_always_measured(steps: list[tuple[float, float]]) -> None:
    """And of two readings in a row that agree the last is shown."""
    at, readings = 0.0, []
    for level, hours in steps:
        at += hours
        readings.append(measured(level, at))
    judged = after(None, *readings)
    assert judged.level in {reading.level for reading in readings}
    again = measured(readings[-1].level, at + 1)
    assert after(judged, again).level == again.level


def test_a_reading_is_stale_after_three_intervals() -> None:
    assert stale_from(FULL, 24) == NOON + 72 * HOUR
    assert not is_stale(FULL, 24, NOON + 72 * HOUR)
    assert is_stale(FULL, 24, NOON + 73 * HOUR)


def test_the_interval_is_what_the_site_demands_or_the_device_promises() -> None:
    assert report_hours(Capabilities()) == 24
    assert report_hours(Capabilities(battery_report_hours=168)) == 168
    assert report_hours(Capabilities(battery_report_hours=168), 12) == 12
