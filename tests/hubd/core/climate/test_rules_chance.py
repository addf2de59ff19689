"""Plans, hands, outages and restarts by chance, over changes of the clocks, held against the rules of thermostats."""

from datetime import UTC, datetime

import pytest
from blockbuster import BlockBuster
from hypothesis import given, settings
from hypothesis import strategies as st

from hubd.model import ClimateSetting
from tests.support.seasons import Call, Operation, Stay, Turn, Wait, live_through, script
from tests.support.virtual import allow_blocking

STARTS = st.sampled_from(
    [
        datetime(2026, 2, 3, 9, 7, tzinfo=UTC),
        datetime(2026, 3, 28, 18, 7, tzinfo=UTC),  # a night before the clocks are set forward
        datetime(2026, 10, 24, 18, 7, tzinfo=UTC),  # and back
    ]
)


@pytest.fixture(scope="module", autouse=True)
def _no_time_passes(nothing_blocks: BlockBuster) -> None:
    allow_blocking(nothing_blocks)


def test_a_quiet_day() -> None:
    stay = Stay("home", 10, 1500, is_allowed=True, most=None)
    seasons = live_through(
        [stay, Wait(60), Turn(ClimateSetting(fan_mode="on"))], datetime(2026, 2, 3, 9, 7, tzinfo=UTC)
    )
    assert seasons.device.climate.heating_set_point_celsius == 20.0
    assert seasons.device.climate.fan_mode == "on"
    assert len(seasons.device.settings) == 1


def test_a_call_without_a_plan_is_carried_out() -> None:
    seasons = live_through([Call(ClimateSetting("cool", None, None, 24.0))], datetime(2026, 2, 3, 9, 7, tzinfo=UTC))
    assert (seasons.device.climate.hvac_mode, seasons.device.climate.cooling_set_point_celsius) == ("cool", 24.0)


@settings(max_examples=100)
@given(script(14), STARTS)
def test_the_rules_hold(operations: list[Operation], start: datetime) -> None:
    live_through(operations, start)


@pytest.mark.soak
@settings(max_examples=600)
@given(script(50), STARTS)
def test_the_rules_hold_for_long(operations: list[Operation], start: datetime) -> None:
    live_through(operations, start)
