from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hubd.core.climate.calendar import base_at, instant
from hubd.store.climate import Base, DailyProgram, Period, ThermostatRecord
from tests.hubd.core.climate.plans import ECO, HOME, HOUR, ZONE, berlin, kept, schedule, weekly
from tests.support.clock import NOON


def key_at(record: ThermostatRecord, at: datetime) -> str | None:
    return base_at(record, [], at, ZONE)[0].preset_key


def test_without_a_plan_nothing_governs() -> None:
    assert base_at(kept(), [], NOON, ZONE) == (Base(), None)
    assert base_at(kept(fallback_key="gone"), [], NOON, ZONE) == (Base(), None)


def test_a_schedule_goes_before_the_program_and_that_before_the_fallback() -> None:
    stay = schedule("s", "eco", NOON, NOON + HOUR, max_override_minutes=30)
    record = weekly(fallback_key="night")
    base, ahead = base_at(record, [stay], NOON, ZONE)
    assert base == Base("schedule", "s", "eco", NOON, ECO, is_override_allowed=True, max_override_minutes=30)
    assert ahead == NOON + HOUR
    base, ahead = base_at(record, [stay], NOON + HOUR, ZONE)
    assert (base.kind, base.plan_id, base.preset_key) == ("program", "day", "home")
    assert (base.since, ahead) == (berlin("2026-03-01 06:30"), berlin("2026-03-01 22:00"))
    assert base_at(kept(fallback_key="eco"), [], NOON, ZONE) == (Base("fallback", None, "eco", None, ECO), None)


def test_of_schedules_that_overlap_the_later_start_counts_and_the_earlier_goes_on_after_it() -> None:
    long, short = schedule("a", "eco", NOON, NOON + 5 * HOUR), schedule("b", "home", NOON + HOUR, NOON + 2 * HOUR)
    found = [base_at(kept(), [long, short], NOON + hours * HOUR, ZONE)[0].plan_id for hours in range(6)]
    assert found == ["a", "b", "a", "a", "a", None]


def test_both_must_allow_that_somebody_overrides() -> None:
    strict = schedule("s", "home", NOON, NOON + HOUR, is_override_allowed=False)
    assert not base_at(kept(), [strict], NOON, ZONE)[0].is_override_allowed
    record = kept()
    record = replace(record, presets=(replace(record.presets[0], is_override_allowed=False), *record.presets[1:]))
    assert not base_at(record, [schedule("s", "eco", NOON, NOON + HOUR)], NOON, ZONE)[0].is_override_allowed


def test_the_last_period_of_a_day_goes_on_until_the_next_one_begins() -> None:
    record = weekly()
    assert key_at(record, berlin("2026-03-02 06:29")) == "night"
    assert key_at(record, berlin("2026-03-02 06:30")) == "home"
    assert key_at(record, berlin("2026-03-02 21:59")) == "home"
    assert key_at(record, berlin("2026-03-02 22:00")) == "night"


def test_a_week_with_one_day_runs_its_last_period_all_week() -> None:
    sunday = kept(programs=(DailyProgram("day", NOON, (Period("06:30:00", "home"),)),), week=(None,) * 6 + ("day",))
    base, ahead = base_at(sunday, [], berlin("2026-03-07 12:00"), ZONE)
    assert (base.since, ahead) == (berlin("2026-03-01 06:30"), berlin("2026-03-08 06:30"))
    assert base_at(sunday, [], berlin("2026-03-08 06:29"), ZONE)[0].since == berlin("2026-03-01 06:30")


def test_periods_whose_preset_is_gone_are_passed_over() -> None:
    record = replace(weekly(), presets=weekly().presets[:2])
    assert key_at(record, berlin("2026-03-02 23:00")) == "home"


@pytest.mark.parametrize(
    ("day", "clock", "utc"),
    [
        ("2026-03-28", "02:30:00", "2026-03-28T01:30:00"),
        ("2026-03-29", "01:59:59", "2026-03-29T00:59:59"),
        ("2026-03-29", "02:30:00", "2026-03-29T01:00:00"),  # skipped: when the clocks are set forward
        ("2026-03-29", "03:00:00", "2026-03-29T01:00:00"),
        ("2026-10-25", "02:30:00", "2026-10-25T00:30:00"),  # comes twice: the first time
        ("2026-10-25", "03:00:00", "2026-10-25T02:00:00"),
    ],
)
def test_times_of_day_go_by_the_clocks_of_the_site(day: str, clock: str, utc: str) -> None:
    assert instant(date.fromisoformat(day), clock, ZONE) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@given(st.integers(0, 400 * 24 * 60), st.integers(1, 600))
def test_nothing_changes_before_it_was_said_to(minutes: int, step: int) -> None:
    at = NOON + timedelta(minutes=minutes)
    schedules = [schedule("s", "eco", NOON + 30 * HOUR, NOON + 50 * HOUR)]
    base, ahead = base_at(weekly(), schedules, at, ZONE)
    assert ahead is not None
    assert at < ahead <= at + timedelta(hours=26)
    before = min(at + timedelta(minutes=step), ahead - timedelta(microseconds=1))
    assert base_at(weekly(), schedules, before, ZONE)[0] == base


def test_a_preset_brings_its_setting_along() -> None:
    base, _ = base_at(weekly(), [], berlin("2026-03-02 12:00"), ZONE)
    assert base.setting == HOME
