"""A year in a minute: locks, people and faults by chance, over months of virtual time, held against the rules."""

import pytest
from blockbuster import BlockBuster
from hypothesis import given, settings

from tests.support.virtual import allow_blocking
from tests.support.year import live_through
from tests.support.year_operations import Create, Operation, Wait, script


@pytest.fixture(scope="module", autouse=True)
def _no_time_passes(nothing_blocks: BlockBuster) -> None:
    allow_blocking(nothing_blocks)


def test_a_quiet_month() -> None:
    year = live_through([Create(0), Create(1, 3600, 86_400), Wait(30 * 86_400)])
    assert [len(lock.slots) for lock in year.locks] == [1, 0, 0, 0]


@settings(max_examples=30)
@given(script(16))
def test_the_rules_hold(operations: list[Operation]) -> None:
    live_through(operations)


@pytest.mark.soak
@settings(max_examples=500)  # some four seconds each
@given(script(60))
def test_the_rules_hold_for_long(operations: list[Operation]) -> None:
    live_through(operations)
