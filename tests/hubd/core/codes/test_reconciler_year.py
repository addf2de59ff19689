"""A year in a minute: locks, people and faults by chance, over months of virtual time, held against the rules."""

import pytest
from blockbuster import BlockBuster
from hypothesis import given, settings

from tests.support.virtual import allow_blocking
from tests.support.year import PINS, live_through
from tests.support.year_operations import Break, Crash, Create, Disk, Hand, Leave, Operation, Pool, Repin, Wait, script


@pytest.fixture(scope="module", autouse=True)
def _no_time_passes(nothing_blocks: BlockBuster) -> None:
    allow_blocking(nothing_blocks)


def test_a_quiet_month() -> None:
    year = live_through([Create(0), Create(1, 3600, 86_400), Wait(30 * 86_400)])
    assert [len(lock.slots) for lock in year.locks] == [1, 0, 0, 0]


READ, SOON, DAY, DAYS = Wait(100), Wait(3), Wait(86_400), Wait(3 * 86_400)


@pytest.mark.parametrize(
    "operations",
    [
        pytest.param([Break(0, "deaf", 30), Create(0, 0, 2 * 86_400, pin=3), SOON, Hand(0, 4, 3)], id="a wish"),
        pytest.param(
            [Break(0, "deaf", 30), Create(0, 691_200, 60, pin=3), Create(0, 0, 172_800, pin=3), SOON, Hand(0, 4, 3)],
            id="one of two wishes",
        ),
        pytest.param([Break(0, "deaf", 30), Create(0, 0, pin=3), SOON, Hand(0, 2, 3)], id="what was sent"),
        pytest.param([Break(2, "deaf", 30), Create(2, 0, pin=3), SOON, Hand(2, 1, 2)], id="what may have been sent"),
        pytest.param(
            [Create(0, 0, 60), Wait(55), Break(0, "mute", 30), Wait(12), Hand(0, 2, 2)], id="what was to be emptied"
        ),
    ],
)
def test_what_passes_for_the_hubs_own_comes_off_its_lock_with_it(operations: list[Operation]) -> None:
    """Somebody does by hand what the hub does, and nothing that a lock tells says who it was."""
    year = live_through([READ, *operations, DAYS])
    assert [lock.slots for lock in year.locks] == [{}] * 4


def test_the_pin_of_a_wish_that_has_not_begun_is_not_the_hubs_who_found_it() -> None:
    year = live_through([DAY, Hand(1, 4, 3), Create(1, 432_000, 600, pin=3, prefers_native=False), Wait(6 * 86_400)])
    (moved,) = year.locks[1].log
    assert (moved.slot, moved.by) == (4, "person")


def test_a_hint_comes_too_late_for_a_command_that_is_under_way() -> None:
    live_through([READ, Create(1, pin=1), Hand(1, 1, 2, is_told=True), READ])


def test_spare_codes_that_are_not_on_their_lock_yet_go_with_the_pool() -> None:
    live_through([READ, Pool(1), Pool(1, is_wanted=False), READ])


def test_a_pin_that_was_changed_to_one_that_a_lock_has_already_opens_no_longer() -> None:
    year = live_through([Hand(2, 2, 0), READ, Create(2, pin=1), READ, Repin(0, 0), READ])
    assert year.locks[2].pins() == {2: PINS[0]}


def test_a_code_that_a_lock_refuses_stays_due_and_is_tried_now_and_then() -> None:
    year = live_through([Hand(2, 2, 0), READ, Create(2, pin=0), READ])
    assert year.locks[2].pins() == {2: PINS[0]}


def test_what_the_disk_does_not_take_of_a_driver_the_next_life_of_its_link_says() -> None:
    live_through([READ, Leave(1, 5), Wait(5), Disk(3), DAY, Pool(1), READ])


def test_a_lock_that_comes_back_while_a_life_of_its_link_begins_is_not_taken_for_gone() -> None:
    live_through([READ, Leave(0, 1800, is_told=False), Create(0), Crash(0)])  # all is healed at the end, just then


@settings(max_examples=20)
@given(script(16))
def test_the_rules_hold(operations: list[Operation]) -> None:
    live_through(operations)


@pytest.mark.soak
@settings(max_examples=500)  # some four seconds each
@given(script(60))
def test_the_rules_hold_for_long(operations: list[Operation]) -> None:
    live_through(operations)
