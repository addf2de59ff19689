import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from hubd.api.degree_params import given, needed
from hubd.model.degrees import fahrenheit
from hubd.model.errors import InvalidInputError


def test_either_scale_or_neither() -> None:
    assert given("t", 21.5, None) == 21.5
    assert given("t", None, 70.0) == pytest.approx(21.1111)
    assert given("t", 0.0, None) == 0.0
    assert given("t", None, None) is None


@for_all(st.floats(-60, 200))
def test_both_are_one_when_they_are_the_same_to_a_hundredth(celsius: float) -> None:
    assert given("t", celsius, fahrenheit(celsius)) == celsius


def test_two_temperatures_are_refused() -> None:
    with pytest.raises(InvalidInputError) as caught:
        given("heating_set_point", 21.0, 71.0)
    assert caught.value.field == "heating_set_point_celsius"
    assert "heating_set_point_fahrenheit" in caught.value.message


def test_none_is_refused_where_one_is_needed() -> None:
    assert needed("temperature", None, 32.0) == 0.0
    with pytest.raises(InvalidInputError) as caught:
        needed("temperature", None, None)
    assert caught.value.field == "temperature_celsius"
    assert "temperature_fahrenheit" in caught.value.message
