import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubd.model.degrees import celsius, fahrenheit, is_same, snapped, tolerance

TEMPERATURES = st.floats(-40, 60).map(lambda degrees: round(degrees, 2))
SCALES = st.sampled_from(["celsius", "fahrenheit"])
STEPS = st.sampled_from([0.1, 0.5, 1.0])


@pytest.mark.parametrize(("one", "other"), [(0, 32), (21, 69.8), (21.5, 70.7), (-40, -40), (22.22, 72)])
def test_both_scales_agree(one: float, other: float) -> None:
    assert fahrenheit(one) == pytest.approx(other, abs=0.005)
    assert celsius(other) == pytest.approx(one, abs=0.005)


@given(TEMPERATURES)
def test_what_was_said_in_fahrenheit_is_said_again(degrees: float) -> None:
    assert fahrenheit(celsius(degrees)) == degrees


@given(TEMPERATURES, SCALES, STEPS)
def test_a_device_rounds_to_its_nearest_step_and_once(degrees: float, scale: str, step: float) -> None:
    found = snapped(degrees, scale, step)  # type: ignore[arg-type]
    raw = found if scale == "celsius" else fahrenheit(found)
    assert abs(raw / step - round(raw / step)) * step < 0.02
    assert is_same(degrees, found, scale, step)  # type: ignore[arg-type]
    assert snapped(found, scale, step) == found  # type: ignore[arg-type]


def test_where_a_device_does_not_say_half_a_fahrenheit_is_the_same() -> None:
    assert snapped(21.234, "celsius", None) == 21.23
    assert is_same(21.0, fahrenheit_step := 21.11, "celsius", None)
    assert fahrenheit_step == celsius(70).__round__(2)
    assert not is_same(21.0, 21.5, "celsius", None)
    assert not is_same(21.0, 21.56, "fahrenheit", 1.0)
    assert tolerance("fahrenheit", 1.0) == pytest.approx(0.288, abs=0.001)


def test_what_is_not_known_is_the_same_as_nothing_else() -> None:
    assert is_same(None, None, "celsius", None)
    assert not is_same(None, 21.0, "celsius", None)
    assert not is_same(21.0, None, "celsius", None)
