from hubd.model import Climate, ClimateSetting, ThermostatCapability
from hubd.model.climate import changed, setting_of

DEVICE = ThermostatCapability(step=0.5)
HEAT = ClimateSetting("heat", None, 21.0)
STANDS = Climate(hvac_mode="heat", fan_mode="auto", heating_set_point_celsius=20.0)


def test_an_empty_setting_sets_nothing() -> None:
    assert not ClimateSetting()
    assert ClimateSetting(fan_mode="on")
    assert ClimateSetting(heating_set_point_celsius=0.0)


def test_one_setting_over_another_leaves_what_it_does_not_name() -> None:
    below = ClimateSetting("cool", "on", 18.0, 25.0)
    assert HEAT.over(below) == ClimateSetting("heat", "on", 21.0, 25.0)
    assert ClimateSetting().over(below) == below


def test_what_a_device_is_not_set_to_is_missing() -> None:
    assert HEAT.missing(None, DEVICE) == HEAT
    assert HEAT.missing(STANDS, DEVICE) == ClimateSetting(heating_set_point_celsius=21.0)
    near = Climate(hvac_mode="heat", heating_set_point_celsius=21.2)
    assert not HEAT.missing(near, DEVICE)
    assert HEAT.missing(Climate(hvac_mode="heat"), DEVICE) == ClimateSetting(heating_set_point_celsius=21.0)


def test_a_setting_changed_if_it_was_known_and_is_another_one() -> None:
    after = Climate(hvac_mode="off", fan_mode="auto", heating_set_point_celsius=20.2, temperature_celsius=25.0)
    assert changed(STANDS, after, DEVICE) == ("hvac_mode",)
    assert changed(Climate(), after, DEVICE) == ()
    assert changed(after, Climate(temperature_celsius=10.0), DEVICE) == ()


def test_the_setting_of_a_condition_holds_what_can_be_set() -> None:
    assert setting_of(STANDS) == ClimateSetting("heat", "auto", 20.0)
