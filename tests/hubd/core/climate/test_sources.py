from datetime import UTC, datetime, timedelta

import pytest

from hubd.core.climate.sources import guess
from tests.hubd.core.climate.plans import ZONE, berlin

YESTERDAY = (berlin("2026-03-01 22:00"),)


def test_what_the_driver_knows_counts() -> None:
    assert guess("controller", berlin("2026-03-02 22:00"), YESTERDAY, ZONE) == "controller"


@pytest.mark.parametrize("clock", ["21:59:30", "22:00:00", "22:01:10"])
def test_a_change_at_the_same_quarter_of_an_earlier_day_is_a_program(clock: str) -> None:
    at = datetime.fromisoformat(f"2026-03-02 {clock}").replace(tzinfo=ZONE)
    assert guess(None, at, YESTERDAY, ZONE) == "program"


def test_a_quarter_of_an_hour_alone_proves_nothing() -> None:
    assert guess(None, berlin("2026-03-02 22:15"), YESTERDAY, ZONE) == "unknown"
    assert guess(None, berlin("2026-03-01 22:00") + timedelta(seconds=5), YESTERDAY, ZONE) == "unknown"


def test_people_turn_knobs_at_any_time() -> None:
    assert guess(None, berlin("2026-03-02 22:07"), YESTERDAY, ZONE) == "manual"


def test_a_program_goes_by_the_clocks_of_the_site_over_a_change_of_these() -> None:
    before, after = berlin("2026-03-28 06:30"), berlin("2026-03-29 06:30")
    assert after.astimezone(UTC) - before.astimezone(UTC) == timedelta(hours=23)
    assert guess(None, after, (before,), ZONE) == "program"
