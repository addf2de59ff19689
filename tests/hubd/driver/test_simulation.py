import pytest

from hubd.driver import registry
from hubd.driver.fields import fields


@pytest.mark.parametrize("driver_type", registry.types())
def test_the_options_of_a_simulator_can_be_typed(driver_type: str) -> None:
    simulator = registry.load(driver_type).simulator
    if simulator is None:
        pytest.skip(f"{driver_type} has no simulator")
    options = fields(simulator.options)
    assert options
    assert not [field.name for field in options if field.required], "it must start with a name alone"
    assert all(field.description or field.title for field in options)
