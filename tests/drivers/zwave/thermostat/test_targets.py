from typing import Any

import pytest
from hubd_drivers.zwave import climate
from hubd_drivers.zwave.facts import NodeFacts, Value, ValueId
from hubd_drivers.zwave.thermostat.targets import Targets, points_in_use, raw_of, targets
from hypothesis import given
from hypothesis import strategies as st

from hubd.model import ClimateSetting, Outcome, OutcomeKind
from tests.drivers.zwave.fakes import node, value

MODE, FAN = ValueId(64, 0, "mode"), ValueId(68, 0, "mode")
HEATING, COOLING, SAVING = (ValueId(67, 0, "setpoint", key) for key in (1, 2, 11))


def thermostat(
    mode: int = 1, modes: tuple[int, ...] = (0, 1, 2, 3), fan: int = 0, fans: tuple[int, ...] = (0, 1, 6), **more: Any
) -> NodeFacts:
    points = {1: (20, 5, 30), 2: (25, 15, 35), 11: (17, 4, 20)} | more.get("points", {})
    unit = more.get("unit", "°C")
    return node(
        4,
        value(64, "mode", mode, states={str(one): "?" for one in modes}),
        value(68, "mode", fan, states={str(one): "?" for one in fans}),
        *[
            value(67, "setpoint", now, key=key, unit=unit, **({} if low is None else {"min": low, "max": high}))
            for key, (now, low, high) in points.items()
        ],
    )


def of(facts: NodeFacts, step: float | None = None, **members: Any) -> Targets:
    found = targets(ClimateSetting(**members), facts, step)
    assert isinstance(found, Targets), found
    return found


def refused(facts: NodeFacts, **members: Any) -> Outcome:
    found = targets(ClimateSetting(**members), facts, None)
    assert isinstance(found, Outcome)
    return found


@pytest.mark.parametrize(
    ("now", "modes", "wanted", "raw"),
    [
        (0, (0, 1, 2, 3), "heat", 1),
        (0, (0, 4, 1), "heat", 1),
        (0, (0, 4), "heat", 4),
        (4, (0, 1, 4), "heat", 4),  # it means the same already
        (0, (0, 3, 10), "heat_cool", 3),
        (0, (0, 10), "heat_cool", 10),
        (0, (0, 11, 12), "eco", 11),
        (12, (0, 11, 12), "eco", 12),
        (1, (0, 1), "off", 0),
    ],
)
def test_of_several_modes_the_plain_one_is_taken(now: int, modes: tuple[int, ...], wanted: Any, raw: int) -> None:
    target = of(thermostat(now, modes), hvac_mode=wanted).mode
    assert target is not None
    assert (target.id, target.raw, target.name) == (MODE, raw, "hvac_mode")


@pytest.mark.parametrize(
    ("now", "fans", "wanted", "raw"),
    [(1, (0, 1, 6), "auto", 0), (0, (2, 3), "on", 3), (0, (0, 1, 6, 7), "circulate", 6), (3, (0, 1, 3), "on", 3)],
)
def test_of_several_fan_modes_the_plain_one_is_taken(now: int, fans: tuple[int, ...], wanted: Any, raw: int) -> None:
    target = of(thermostat(fan=now, fans=fans), fan_mode=wanted).fan
    assert target is not None
    assert (target.id, target.raw) == (FAN, raw)


def test_only_what_is_given_is_set() -> None:
    assert of(thermostat()) == Targets()
    found = of(thermostat(), cooling_set_point_celsius=26.0)
    assert (found.mode, found.heating, found.fan) == (None, None, None)
    assert found.cooling is not None
    assert (found.cooling.id, found.cooling.raw) == (COOLING, 26.0)


def test_the_set_point_is_that_of_the_mode_that_is_wished() -> None:
    eco = thermostat(modes=(0, 1, 11))
    saving = of(eco, hvac_mode="eco", heating_set_point_celsius=16.0).heating
    plain = of(eco, heating_set_point_celsius=16.0).heating
    assert saving is not None
    assert plain is not None
    assert (saving.id, plain.id) == (SAVING, HEATING)


@pytest.mark.parametrize(
    "members",
    [
        {"hvac_mode": "eco"},
        {"fan_mode": "circulate"},
        {"cooling_set_point_celsius": 22.0},
    ],
)
def test_what_it_has_not_got_is_not_supported(members: dict[str, Any]) -> None:
    facts = node(
        4,
        value(64, "mode", 1, states={"1": "Heat"}),
        value(68, "mode", 0, states={"0": "Auto"}),
        value(67, "setpoint", 20, key=1),
    )
    assert refused(facts, **members).kind is OutcomeKind.UNSUPPORTED
    assert refused(node(4, value(67, "setpoint", 20, key=1)), hvac_mode="off").kind is OutcomeKind.UNSUPPORTED


@pytest.mark.parametrize(("kind", "celsius"), [("heating", 4.9), ("heating", 30.2), ("cooling", 14.0)])
def test_out_of_its_range_is_told_with_the_range(kind: str, celsius: float) -> None:
    outcome = refused(thermostat(), **{f"{kind}_set_point_celsius": celsius})
    assert (outcome.kind, outcome.code) == (OutcomeKind.REJECTED, "set_point_out_of_range")
    assert outcome.detail["set_point"] == kind
    assert f"to {celsius:g} °C" in outcome.message


@pytest.mark.parametrize(
    ("heating", "cooling", "order"),
    [
        (23.0, 28.0, [COOLING, HEATING]),
        (18.0, 21.0, [HEATING, COOLING]),
        (18.0, 28.0, [HEATING, COOLING]),
        (20.0, 22.0, [HEATING, COOLING]),
        (22.0, None, [HEATING]),
        (None, 22.0, [COOLING]),
    ],
)
def test_the_set_points_move_apart_before_they_move_together(
    heating: float | None, cooling: float | None, order: list[ValueId]
) -> None:
    facts = thermostat()
    found = of(facts, heating_set_point_celsius=heating, cooling_set_point_celsius=cooling)
    assert [target.id for target in found.in_order(facts)] == order


@given(st.tuples(*[st.floats(16, 29)] * 4))
def test_on_the_way_they_are_never_closer_than_at_the_ends(degrees: tuple[float, float, float, float]) -> None:
    before, after = sorted(degrees[:2]), sorted(degrees[2:])
    facts = thermostat(points={1: (before[0], 5, 30), 2: (before[1], 15, 35)})
    wanted = of(facts, heating_set_point_celsius=after[0], cooling_set_point_celsius=after[1])
    now = {HEATING: before[0], COOLING: before[1]}
    least = min(before[1] - before[0], after[1] - after[0]) - 0.11  # tenths
    for target in wanted.in_order(facts):
        now[target.id] = target.raw
        assert now[COOLING] - now[HEATING] >= least


@pytest.mark.parametrize(
    ("now", "used"),
    [(0, [HEATING, COOLING]), (1, [HEATING]), (2, [COOLING]), (3, [HEATING, COOLING]), (11, [SAVING]), (4, [HEATING])],
)
def test_which_set_points_a_mode_uses(now: int, used: list[ValueId]) -> None:
    assert [place.id for place in points_in_use(thermostat(now))] == used


def test_without_modes_all_set_points_are_in_use() -> None:
    assert [place.id for place in points_in_use(node(4, value(67, "setpoint", 20, key=1)))] == [HEATING]


@pytest.mark.parametrize(
    ("celsius", "unit", "step", "limits", "raw"),
    [
        (21.3, "°F", 1.0, (40, 90), 70),
        (21.3, "°F", None, (40, 90), 70.3),
        (21.34, "°C", None, (5, 30), 21.3),
        (21.3, "°C", 1.0, (5, 30), 21.3),  # a step is one of Fahrenheit
        (1.67, "°F", 1.0, (35, 95), 35),
        (4.73, "°F", 1.0, (40.6, 90), 41),  # not down to 40, which is out of its range
        (32.4, "°F", 1.0, (40, 90.4), 90),
        (21.3, None, None, (None, None), 21.3),
    ],
)
def test_in_the_scale_and_the_steps_of_the_device(
    celsius: float, unit: str | None, step: float | None, limits: tuple[float | None, float | None], raw: float
) -> None:
    metadata = {"unit": unit, "min": limits[0], "max": limits[1]}
    place = climate.Place(HEATING, Value(60 if unit == "°F" else 20, metadata))
    assert raw_of(celsius, place, step) == raw


@given(st.floats(5, 30), st.sampled_from(["°C", "°F"]), st.sampled_from([None, 1.0]))
def test_what_is_sent_is_within_the_range_and_close_to_the_wish(celsius: float, unit: str, step: float | None) -> None:
    low, high = (5, 30) if unit == "°C" else (41, 86)
    place = climate.Place(HEATING, Value(low + 1, {"unit": unit, "min": low, "max": high}))
    raw = raw_of(round(celsius, 2), place, step)
    assert low <= raw <= high
    back = climate.to_celsius(raw, unit)
    assert back is not None
    assert abs(back - celsius) <= 0.3
