from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from hubd.driver import ActionResult, intake
from hubd.model import (
    BatterySeen,
    Climate,
    ClimateSeen,
    LockSeen,
    Outcome,
    OutcomeKind,
    ReachabilitySeen,
    done,
    rejected,
)
from tests.support.hub import lock

WHEN = datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=2)))


def test_what_is_sound_passes_as_it_is() -> None:
    seen = (
        LockSeen(native_id="a", locked=True, method="keycode", user_slot=3, occurred_at=WHEN),
        ReachabilitySeen(native_id="a", online=False, reason="It sleeps."),
        ClimateSeen(native_id="a", climate=Climate(hvac_mode="eco")),
    )
    assert intake.readings(seen) == seen
    assert intake.description(lock("a")) == lock("a")
    outcome = rejected("lock_jammed", "The bolt is jammed.", {"tries": 2, "code": None}, seen)
    assert intake.outcome(outcome) == outcome


def test_a_number_that_is_none_is_not_known() -> None:
    (seen,) = intake.readings((ClimateSeen(native_id="a", climate=Climate(temperature_celsius=float("nan"))),))
    assert seen == ClimateSeen(native_id="a", climate=Climate())


UNSOUND: list[Any] = [
    BatterySeen(native_id="a", level=float("nan")),
    BatterySeen(native_id="a", level="high"),  # type: ignore[arg-type]
    LockSeen(native_id="a", locked=True, method="magic"),  # type: ignore[arg-type]
    LockSeen(native_id="a", locked=True, occurred_at=datetime(2026, 1, 1)),  # noqa: DTZ001 - that is what is wrong
    LockSeen(native_id="\ud800", locked=True),
    LockSeen(native_id=7, locked=True),  # type: ignore[arg-type]
    ClimateSeen(native_id="a", climate=Climate(hvac_mode="turbo")),  # type: ignore[arg-type]
    ClimateSeen(native_id="a", climate=None),  # type: ignore[arg-type]
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
