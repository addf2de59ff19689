from datetime import UTC, datetime, timedelta, timezone
from math import inf, nan
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hubd.driver import ActionResult, Finding, intake
from hubd.model import (
    BatterySeen,
    Capabilities,
    Climate,
    ClimateSeen,
    DeviceDescription,
    LockSeen,
    Outcome,
    OutcomeKind,
    ReachabilitySeen,
    SetPointRange,
    ThermostatCapability,
    done,
    rejected,
)
from tests.support.hub import lock, thermostat

WHOLE = Climate(-100.0, 1.0, "heat_cool", "circulate", 20.0, 150.0, is_heating=True, is_cooling=False)
KNOWN = ThermostatCapability(
    hvac_modes=("off", "heat"),
    fan_modes=("auto",),
    heating=SetPointRange(5.0, 30.0),
    cooling=SetPointRange(20.0, 20.0),
    min_delta_celsius=0.0,
    scale="fahrenheit",
    step=10.0,
)
WHEN = datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=2)))


def test_what_is_sound_passes_as_it_is() -> None:
    seen = (
        LockSeen(native_id="a", locked=True, method="keycode", user_slot=3, occurred_at=WHEN),
        ReachabilitySeen(native_id="a", online=False, reason="It sleeps."),
        ClimateSeen(native_id="a", climate=Climate(hvac_mode="eco")),
        ClimateSeen(native_id="a", climate=WHOLE, source="program", occurred_at=WHEN),
    )
    assert intake.readings(seen) == seen
    assert intake.description(lock("a")) == lock("a")
    outcome = rejected("lock_jammed", "The bolt is jammed.", {"tries": 2, "code": None}, seen)
    assert intake.outcome(outcome) == outcome


def test_a_number_that_is_none_is_not_known() -> None:
    (seen,) = intake.readings((ClimateSeen(native_id="a", climate=Climate(temperature_celsius=float("nan"))),))
    assert seen == ClimateSeen(native_id="a", climate=Climate())


@pytest.mark.parametrize("name", ["temperature_celsius", "heating_set_point_celsius", "cooling_set_point_celsius"])
@pytest.mark.parametrize("value", [nan, inf, -inf, -100.1, 150.1, 1e300])
def test_a_temperature_that_cannot_be_is_not_known(name: str, value: float) -> None:
    given = ClimateSeen(native_id="a", climate=replace(WHOLE, **{name: value}), source="manual")
    assert intake.readings((given,)) == (replace(given, climate=replace(WHOLE, **{name: None})),)


@pytest.mark.parametrize("value", [nan, inf, -0.01, 1.01, 44.0])
def test_a_humidity_that_cannot_be_is_not_known(value: float) -> None:
    given = ClimateSeen(native_id="a", climate=replace(WHOLE, relative_humidity=value))
    expected = replace(given, climate=replace(WHOLE, relative_humidity=None))
    assert intake.readings((given,)) == (expected,)
    assert intake.outcome(done(seen=(given,))) == done(seen=(expected,))


UNSOUND: list[Any] = [
    BatterySeen(native_id="a", level=float("nan")),
    BatterySeen(native_id="a", level="high"),  # type: ignore[arg-type]
    LockSeen(native_id="a", locked=True, method="magic"),  # type: ignore[arg-type]
    LockSeen(native_id="a", locked=True, occurred_at=datetime(2026, 1, 1)),  # noqa: DTZ001 - that is what is wrong
    LockSeen(native_id="\ud800", locked=True),
    LockSeen(native_id=7, locked=True),  # type: ignore[arg-type]
    ClimateSeen(native_id="a", climate=Climate(hvac_mode="turbo")),  # type: ignore[arg-type]
    ClimateSeen(native_id="a", climate=None),  # type: ignore[arg-type]
    ClimateSeen(native_id="a", climate=Climate(fan_mode="gale")),  # type: ignore[arg-type]
    ClimateSeen(native_id="a", climate=Climate(temperature_celsius="warm")),  # type: ignore[arg-type]
    ClimateSeen(native_id="a", climate=Climate(is_heating=1)),  # type: ignore[arg-type]
    ClimateSeen(native_id="a", climate=Climate(), source="ghost"),  # type: ignore[arg-type]
    "locked",
    None,
]


@pytest.mark.parametrize("seen", UNSOUND, ids=repr)
def test_a_reading_that_could_not_be_read_back_is_refused(seen: Any) -> None:
    with pytest.raises(TypeError, match="the driver handed over readings that cannot be kept"):
        intake.readings((LockSeen(native_id="a", locked=True), seen))


@pytest.mark.parametrize(
    "changes", [{"name": "\udcff"}, {"kind": "door"}, {"capabilities": None}, {"firmware": object()}]
)
def test_a_description_that_could_not_be_read_back_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="a device description"):
        intake.description(replace(lock("a"), **changes))


def thermostat_of(**changes: Any) -> DeviceDescription:
    return replace(thermostat("a"), capabilities=Capabilities(thermostat=replace(KNOWN, **changes)))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"step": None, "min_delta_celsius": None, "heating": None, "cooling": None},
        {"hvac_modes": (), "fan_modes": ()},
        {"heating": SetPointRange(-100.0, 150.0)},
    ],
)
def test_a_thermostat_that_can_be_passes_as_it_is(changes: dict[str, Any]) -> None:
    assert intake.description(thermostat_of(**changes)) == thermostat_of(**changes)


@pytest.mark.parametrize(
    ("name", "value"),
    [("step", value) for value in (0.0, -0.5, nan, inf, 10.1)]
    + [("min_delta_celsius", value) for value in (-0.1, nan, inf, 30.1)]
    + [
        (name, SetPointRange(*ends))
        for name in ("heating", "cooling")
        for ends in ((30.0, 5.0), (-100.1, 30.0), (5.0, 1e9))
    ],
)
def test_what_a_thermostat_cannot_be_is_not_known(name: str, value: Any) -> None:
    assert intake.description(thermostat_of(**{name: value})) == thermostat_of(**{name: None})


@pytest.mark.parametrize(
    "changes",
    [
        {"hvac_modes": ("off", "turbo")},
        {"hvac_modes": "off"},
        {"hvac_modes": None},
        {"fan_modes": ("gale",)},
        {"scale": "kelvin"},
        {"step": "0.5"},
        {"heating": SetPointRange(nan, 30.0)},
        {"cooling": SetPointRange(5.0, inf)},
        {"heating": (5.0, 30.0)},
    ],
    ids=repr,
)
def test_a_thermostat_that_could_not_be_read_back_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="a device description"):
        intake.description(thermostat_of(**changes))


NUMBERS = st.none() | st.floats() | st.integers(-500, 500)


@given(st.builds(Climate, NUMBERS, NUMBERS, heating_set_point_celsius=NUMBERS, cooling_set_point_celsius=NUMBERS))
def test_whatever_numbers_come_what_is_left_can_be(climate: Climate) -> None:
    seen: Any
    (seen,) = intake.readings((ClimateSeen(native_id="a", climate=climate),))
    taken = seen.climate
    points = taken.temperature_celsius, taken.heating_set_point_celsius, taken.cooling_set_point_celsius
    assert all(point is None or -100.0 <= point <= 150.0 for point in points)
    assert taken.relative_humidity is None or 0.0 <= taken.relative_humidity <= 1.0
    assert intake.readings((seen,)) == (seen,)


@pytest.mark.parametrize(
    "outcome",
    [
        None,
        True,
        Outcome("fine", "done", "Done."),  # type: ignore[arg-type]
        done(detail={"error": ValueError("x")}),  # type: ignore[dict-item]
        done(detail={"nested": {"a": 1}}),  # type: ignore[dict-item]
        done(seen=(BatterySeen(native_id="a", level=float("inf")),)),
    ],
    ids=repr,
)
def test_an_outcome_that_could_not_be_read_back_is_refused(outcome: Any) -> None:
    with pytest.raises(TypeError, match="an outcome"):
        intake.outcome(outcome)


def test_a_plain_word_for_a_kind_is_taken_for_it() -> None:
    assert intake.outcome(Outcome("done", "done", "Done.")).kind is OutcomeKind.DONE  # type: ignore[arg-type]
    assert WHEN.astimezone(UTC) == WHEN


def test_a_result_is_as_it_will_be_sent() -> None:
    facts: dict[str, Any] = {"node": 7, "signal_dbm": float("nan"), "name": None}
    given = ActionResult(message="Done.", facts=facts, table=({"a": True},), file=Path("x"))
    assert intake.result(given) == replace(given, facts=facts | {"signal_dbm": None})


@pytest.mark.parametrize(
    "given",
    [None, ActionResult(message="x", facts={"x": object()}), ActionResult(message="x", file="x")],  # type: ignore[dict-item, arg-type]
    ids=["none", "fact", "file"],
)
def test_what_is_no_result_is_refused(given: Any) -> None:
    with pytest.raises(TypeError, match="the driver handed over"):
        intake.result(given)


def test_a_finding_is_as_it_will_be_sent() -> None:
    given = Finding("server", "Port", "ok", "It is \udc80.")
    assert intake.finding(given) == replace(given, evidence="It is ?.")
    for wrong in (None, Finding("server", "Port", "fine", "It is so."), Finding("server", "Port", "ok", 7)):  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="the driver handed over"):
            intake.finding(wrong)
