from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from hubd.core.codes.plan import LONGEST_RETRY
from hubd.core.pauses import PAUSES, pause


@given(st.integers(1, 1_000_000))
def test_a_rest_is_longer_each_time_and_never_for_good(attempts: int) -> None:
    usual = PAUSES[min(attempts, len(PAUSES)) - 1]
    assert 0.9 * usual <= pause(attempts).total_seconds() <= 1.1 * usual
    assert pause(attempts) < LONGEST_RETRY, "else a plan takes it for a clock that was set back"


def test_what_must_not_be_on_a_lock_is_tried_each_minute_for_an_hour() -> None:
    """With its exchange, that keeps to the sixty seconds within which a code is off once its lock can be reached."""
    rests = [pause(attempt, is_end=True).total_seconds() for attempt in range(1, 200)]
    assert max(rests[:72]) <= 55
    assert sum(rests[:72]) >= 3000
    assert max(rests) <= 330


def test_the_steps_do_not_overlap_however_they_jitter() -> None:
    assert all(1.1 * one < 0.9 * other for one, other in pairwise(PAUSES))


def test_many_locks_that_failed_together_do_not_return_together() -> None:
    assert len({pause(1) for _ in range(50)}) > 40


def test_before_the_first_failure_there_is_the_shortest_rest() -> None:
    assert pause(0).total_seconds() <= 1.1 * PAUSES[0]
