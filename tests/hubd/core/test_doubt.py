from datetime import timedelta

import pytest

from hubd.core.doubt import PLAUSIBLE, span, stepped, unproven
from tests.support.clock import NOON


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        ((), "it has no hardware clock (RTC) that can be read"),
        ((NOON - timedelta(days=9000),), "its battery may be empty"),
        ((NOON + 2 * PLAUSIBLE,), "more than a year ahead"),
        ((NOON + timedelta(hours=5),), "do not agree"),
        ((NOON - timedelta(days=9000), NOON + timedelta(hours=5)), "do not agree"),
    ],
)
def test_what_is_missing_after_a_boot_is_named(shown: tuple[()], said: str) -> None:
    doubt = unproven(NOON, shown)
    assert doubt.code == "clock_unproven"
    assert said in doubt.message
    assert "time server (NTP)" in doubt.remedy
    assert "due to begin wait" in doubt.sentence


@pytest.mark.parametrize(
    ("gap", "said", "counts"),
    [
        (timedelta(hours=3), "set forward by 3 h,", True),
        (timedelta(hours=-3), "set back by 3 h,", False),
        (2 * PLAUSIBLE, "set forward by 732 days,", False),
    ],
)
def test_a_step_is_told_with_what_becomes_of_it(gap: timedelta, said: str, *, counts: bool) -> None:
    doubt = stepped(gap)
    assert doubt.code == "clock_set"
    assert said in doubt.message
    assert ("after ten minutes" in doubt.remedy) is counts


def test_spans_are_rough() -> None:
    assert [span(seconds) for seconds in (2, 90, 130, 7300, 200_000)] == ["2 s", "90 s", "2 min", "2 h", "2 days"]
