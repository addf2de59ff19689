import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubd.core import ratelimit
from hubd.core.ratelimit import RateLimit

RATES = st.floats(0.01, 1000)
BURSTS = st.floats(1, 100)
GAPS = st.lists(st.floats(0, 30), max_size=40)


@given(RATES, BURSTS, GAPS)
def test_never_more_than_the_burst_and_the_rate(rate: float, burst: float, gaps: list[float]) -> None:
    limit, now, taken = RateLimit(rate, burst), 0.0, 0
    for gap in gaps:
        now += gap
        empty = limit.is_empty("k", now)
        wait = limit.take("k", now)
        assert empty is (wait > 0)
        taken += wait == 0
        assert taken <= burst + now * rate + 0.001


@given(RATES, BURSTS, GAPS)
def test_who_waits_as_long_as_told_is_let_through(rate: float, burst: float, gaps: list[float]) -> None:
    limit, now = RateLimit(rate, burst), 100.0
    for gap in gaps:
        wait = limit.take("k", now)
        if wait:
            assert wait <= 1 / rate + 0.001
            now += wait
            assert limit.take("k", now) == 0
        now += gap / 30 / rate


def test_names_do_not_share() -> None:
    limit = RateLimit(1, 2)
    assert [limit.take("a", 0) for _ in range(3)] == [0, 0, 1]
    assert limit.take("b", 0) == 0
    assert limit.take("a", 0.5) == pytest.approx(0.5)
    assert limit.take("a", 1) == 0


def test_memory_is_bounded_and_the_busy_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ratelimit, "CAPACITY", 10)
    limit = RateLimit(0.001, 1)
    limit.take("busy", 0)
    for number in range(100):
        assert limit.take(f"address-{number}", 0) == 0
        assert limit.take("busy", 0) > 0
    assert limit.take("address-0", 0) == 0, "forgotten long ago"
