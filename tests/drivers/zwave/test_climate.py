import pytest
from hubd_drivers.zwave import climate
from hubd_drivers.zwave.facts import read_node
from hypothesis import given

from hubd.model import Climate, SetPointRange, ThermostatCapability
from tests.drivers.zwave.fakes import node, value
from tests.drivers.zwave.strategies import nodes

MODES = {"states": {"0": "Off", "1": "Heat", "2": "Cool", "3": "Auto", "10": "Auto changeover", "31": "Own"}}
FAN = {"states": {"0": "Auto low", "1": "Low", "6": "Circulation"}}


def setpoint(kind: int, degrees: object, unit: str = "°C", **bounds: object) -> dict[str, object]:
    return value(67, "setpoint", degrees, key=kind, unit=unit, **bounds)


def sensor(kind: int, name: str, reading: object, unit: str) -> dict[str, object]:
    return value(49, name, reading, unit=unit, ccSpecific={"sensorType": kind})


def test_what_it_can_do_is_what_the_device_says() -> None:
    facts = node(
        4,
        value(64, "mode", 1, **MODES),
        value(68, "mode", 0, **FAN),
        setpoint(1, 68, "°F", min=41, max=86),
        setpoint(2, 25, min=15, max=35),
        sensor(5, "Humidity", 44, "%"),
    )
    assert climate.is_thermostat(facts)
    assert climate.capability(facts) == ThermostatCapability(
        hvac_modes=("off", "heat", "cool", "heat_cool"),
        fan_modes=("auto", "on", "circulate"),
        heating=SetPointRange(5.0, 30.0),
        cooling=SetPointRange(15.0, 35.0),
        scale="fahrenheit",
        step=1.0,
        reports_humidity=True,
    )


@pytest.mark.parametrize(
    ("points", "has_fractions", "scale", "step"),
    [
        ([setpoint(1, 68, "°F"), setpoint(2, 77, "°F")], False, "fahrenheit", 1.0),
        ([setpoint(1, 68, "°F"), setpoint(2, 77.5, "°F")], False, "fahrenheit", None),
        ([setpoint(1, 68, "°F")], True, "fahrenheit", None),
        ([setpoint(1, None, "°F")], False, "fahrenheit", None),
        ([setpoint(1, 20)], False, "celsius", None),
        ([setpoint(1, 20.5)], False, "celsius", None),
        ([setpoint(2, 77, "°F")], False, "fahrenheit", 1.0),
        ([], False, "celsius", None),
    ],
)
def test_only_whole_degrees_fahrenheit_tell_of_a_step(
    points: list[dict[str, object]],
    has_fractions: bool,  # noqa: FBT001 - a parameter of the test
    scale: str,
    step: float | None,
) -> None:
    capability = climate.capability(node(4, *points), has_fractions=has_fractions)
    assert (capability.scale, capability.step) == (scale, step)


def test_a_mode_with_a_set_point_of_its_own_shows_that() -> None:
    points = [setpoint(1, 21), setpoint(11, 17), setpoint(2, 25)]
    for mode, heating in ((1, 21.0), (11, 17.0), (12, 21.0), (None, 21.0)):
        now = climate.climate(node(4, value(64, "mode", mode, **MODES), *points))
        assert (now.heating_set_point_celsius, now.cooling_set_point_celsius) == (heating, 25.0)
    without = node(4, value(64, "mode", 11, **MODES), setpoint(1, 21))
    assert climate.climate(without).heating_set_point_celsius == 21.0


@pytest.mark.parametrize(
    ("raw", "limits"),
    [
        (setpoint(1, 16, "°C", min=40, max=96), SetPointRange(4.44, 35.56)),
        (setpoint(1, 68, "°F", min=5, max=35), SetPointRange(5.0, 35.0)),
        (setpoint(1, 45, "°C", min=40, max=96), SetPointRange(40.0, 96.0)),
        (setpoint(1, None, "°C", min=40, max=96), SetPointRange(40.0, 96.0)),
        (setpoint(1, 3, "°C", min=8, max=28), SetPointRange(8.0, 28.0)),
        (setpoint(1, 21, "°C", min=60, max=120), SetPointRange(15.56, 48.89)),
        (setpoint(1, 5, "°C", min=60, max=120), None),
    ],
)
def test_limits_are_of_the_scale_that_has_room_for_the_set_point(
    raw: dict[str, object], limits: SetPointRange | None
) -> None:
    assert climate.capability(node(4, raw)).heating == limits


def test_emergency_heat_is_heat() -> None:
    facts = node(4, value(64, "mode", 4, states={"0": "Off", "1": "Heat", "4": "Auxiliary"}))
    assert climate.capability(facts).hvac_modes == ("off", "heat")
    assert climate.climate(facts).hvac_mode == "heat"


def test_how_it_stands() -> None:
    facts = node(
        4,
        value(64, "mode", 1, **MODES),
        value(68, "mode", 1, **FAN),
        value(66, "state", 1),
        setpoint(1, 68, "°F"),
        sensor(1, "Air temperature", 70.7, "°F"),
        sensor(5, "Humidity", 44, "%"),
    )
    assert climate.climate(facts) == Climate(
        temperature_celsius=21.5,
        relative_humidity=0.44,
        hvac_mode="heat",
        fan_mode="on",
        heating_set_point_celsius=20.0,
        is_heating=True,
        is_cooling=False,
    )


def test_the_fan() -> None:
    assert climate.climate(node(4, value(66, "state", 3))).is_fan_running is True
    assert climate.climate(node(4, value(66, "state", 3), value(69, "state", 0))).is_fan_running is False
    assert climate.climate(node(4, value(69, "state", 1))).is_fan_running is True


def test_what_makes_no_sense_is_not_known() -> None:
    facts = node(
        4,
        value(64, "mode", 99, states="?"),
        setpoint(1, "warm", min=30, max=5),
        setpoint(2, 25, min=None, max=35),
        sensor(1, "Air temperature", 999, "°C"),
        sensor(5, "Humidity", -1, "%"),
    )
    assert climate.climate(facts) == Climate(cooling_set_point_celsius=25.0)
    assert climate.capability(facts) == ThermostatCapability(reports_humidity=True)


@given(nodes())
def test_no_thermostat_is_too_odd(raw: object) -> None:
    facts = read_node(raw)
    assert facts is not None
    capability = climate.capability(facts)
    for limits in (capability.heating, capability.cooling):
        assert limits is None or climate.COLDEST <= limits.min_celsius < limits.max_celsius <= climate.HOTTEST
    temperature = climate.climate(facts).temperature_celsius
    assert temperature is None or climate.COLDEST <= temperature <= climate.HOTTEST
