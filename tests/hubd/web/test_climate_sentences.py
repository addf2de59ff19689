from datetime import UTC, datetime
from typing import get_args

import pytest

from hubd.model import ClimateSetting
from hubd.model import event as ev
from hubd.web import climate_sentences
from hubd.web.climate_sentences import ClimateEvent, climate_sentence, climate_tone, setting_text, source_words
from hubd.web.scene import Scene

LATER = datetime(2026, 3, 1, 15, tzinfo=UTC)
SCENE = Scene(
    device="Room 101",
    link="",
    who=lambda by: "“Front desk”" if by == "k" else "somebody",
    order=lambda _: None,
    code=lambda _: "",
    moment=lambda at: f"{at:%d %b %H:%M}",
)
WARM = ClimateSetting(hvac_mode="heat", heating_set_point_celsius=23.0)

EXAMPLES: list[tuple[ClimateEvent, str]] = [
    (
        ev.ThermostatAdjusted(hvac_mode="heat", fan_mode="auto", heating_set_point_celsius=21.0),
        "Room 101 was set on the device: heat to 21.0 °C, fan auto.",
    ),
    (
        ev.ThermostatAdjusted(hvac_mode="eco", cooling_set_point_celsius=25.0, method="seam", by="k"),
        "Room 101 was set from the hub: economy, cool to 25.0 °C, by “Front desk”.",
    ),
    (ev.ThermostatAdjusted(hvac_mode="off", fan_mode="on"), "Room 101 was set on the device: off."),
    (ev.ThermostatAdjusted(), "Room 101 was set on the device: nothing that the hub can read."),
    (ev.ThermostatAdjusted(hvac_mode="cool", source="manual"), "Room 101 was set by hand: cool."),
    (
        ev.ThermostatAdjusted(hvac_mode="heat_cool", source="program"),
        "Room 101 was set by its own program: heat and cool.",
    ),
    (ev.ThermostatAdjusted(hvac_mode="heat", source="controller"), "Room 101 was set by another controller: heat."),
    (
        ev.PlanChanged(kind="schedule", plan_id="s", preset_key="night"),
        "Room 101 goes by a schedule now: the preset “night”.",
    ),
    (ev.PlanChanged(kind="program", preset_key="day"), "Room 101 goes by its weekly program now: the preset “day”."),
    (ev.PlanChanged(kind="fallback", preset_key="eco"), "Room 101 goes by its fallback now: the preset “eco”."),
    (ev.PlanChanged(kind="none"), "Nothing is planned for Room 101 any more."),
    (ev.PresetActivated(preset_key="day", by="k"), "Room 101 is set to the preset “day”, by “Front desk”."),
    (ev.PresetActivated(preset_key="day", schedule_id="s"), "Room 101 is set to the preset “day” by its schedule."),
    (ev.PresetActivated(preset_key="day", is_fallback=True), "Room 101 is set to the preset “day” as its fallback."),
    (
        ev.OverrideBegan(setting=WARM, source="manual", until=LATER),
        "Room 101 was set by hand, until 01 Mar 15:00: heat to 23.0 °C.",
    ),
    (
        ev.OverrideBegan(setting=WARM, source="api", by="k"),
        "Room 101 was set by a call, until the plan changes: heat to 23.0 °C, by “Front desk”.",
    ),
    (
        ev.OverrideEnded(reason="time_over"),
        "What was set on Room 101 instead of its plan is over: its time is over.",
    ),
    (
        ev.ClimateFailed(error_code="mute", message="It did not answer."),
        "Room 101 is not set as it should be: It did not answer.",
    ),
    (
        ev.ThermostatEdited(what="preset", change="created", name="night", by="k"),
        "The preset “night” of Room 101 was made, by “Front desk”.",
    ),
    (
        ev.ThermostatEdited(what="daily_program", change="deleted", name="id"),
        "A daily program of Room 101 was deleted.",
    ),
    (ev.ThermostatEdited(what="weekly_program", change="updated"), "The weekly program of Room 101 was changed."),
    (ev.ThermostatEdited(what="threshold", change="updated"), "The limits of Room 101 were changed."),
    (
        ev.ThresholdExceeded(temperature_celsius=9.5, lower_limit_celsius=10.0, upper_limit_celsius=30.0),
        "It is too cold at Room 101: 9.5 °C, below the limit of 10.0 °C.",
    ),
    (
        ev.ThresholdExceeded(temperature_celsius=31.0, lower_limit_celsius=10.0, upper_limit_celsius=30.0),
        "It is too warm at Room 101: 31.0 °C, above the limit of 30.0 °C.",
    ),
    (
        ev.ThresholdCleared(temperature_celsius=12.0, lower_limit_celsius=10.0),
        "Room 101 is within its limits again: 12.0 °C.",
    ),
    (
        ev.SetPointReached(temperature_celsius=21.1, desired_temperature_celsius=21.0),
        "The room of Room 101 has reached 21.0 °C: 21.1 °C.",
    ),
    (ev.TemperatureChanged(temperature_celsius=21.5), "It is 21.5 °C at Room 101."),
]


@pytest.mark.parametrize(
    ("event", "text"), EXAMPLES, ids=[f"{n}-{type(event).__name__}" for n, (event, _) in enumerate(EXAMPLES)]
)
def test_sentence(event: ClimateEvent, text: str) -> None:
    assert climate_sentence(event, SCENE).replace("\u00a0", " ") == text


def test_every_event_of_a_thermostat_has_an_example() -> None:
    assert {type(event) for event, _ in EXAMPLES} == members(ClimateEvent)


def members(union: object) -> set[object]:
    """Return the classes of a union of unions."""
    inner = get_args(getattr(union, "__value__", union))
    return {one for member in inner for one in members(member)} if inner else {union}


@pytest.mark.parametrize(
    ("event", "tone"),
    [
        (ev.ThresholdExceeded(temperature_celsius=9.0), "bad"),
        (ev.ThresholdCleared(temperature_celsius=12.0), "ok"),
        (ev.ClimateFailed(error_code="x", message=""), "warn"),
        (ev.OverrideEnded(reason="refused"), "bad"),
        (ev.OverrideEnded(reason="not_reached"), "warn"),
        (ev.OverrideEnded(reason="time_over"), "quiet"),
        (ev.PlanChanged(kind="none"), "quiet"),
    ],
)
def test_tone(event: ClimateEvent, tone: str) -> None:
    assert climate_tone(event) == tone


def test_every_end_of_an_override_has_words_of_its_own() -> None:
    reasons = get_args(ev.OverrideEnded.__annotations__["reason"])
    said = {climate_sentence(ev.OverrideEnded(reason=reason), SCENE) for reason in reasons}
    assert len(said) == len(reasons)


def test_settings_say_what_counts_in_their_mode() -> None:
    both = {"heating_set_point_celsius": 20.0, "cooling_set_point_celsius": 25.0}

    def said(mode: str | None) -> str:
        return setting_text(ClimateSetting(hvac_mode=mode, **both)).replace("\u00a0", " ")  # type: ignore[arg-type]

    assert said("heat") == "heat to 20.0 °C"
    assert said("cool") == "cool to 25.0 °C"
    assert said("heat_cool") == said(None) == "heat to 20.0 °C, cool to 25.0 °C"
    assert said("off") == "off"
    assert setting_text(ClimateSetting()) == ""
    assert setting_text(ClimateSetting(hvac_mode="off", fan_mode="on")) == "off, fan on"


def test_where_a_setting_came_from() -> None:
    assert {source_words(source) for source in (*climate_sentences.SOURCES, "api")} == {
        "by hand",
        "by its own program",
        "by another controller",
        "on the device",
        "by a call",
    }


def test_what_people_and_devices_say_cannot_disturb_the_line() -> None:
    for event in (
        ev.ClimateFailed(error_code="x", message="no\r\n\u202e" + "x" * 9999),
        ev.PresetActivated(preset_key="a\n\u202e" + "W" * 999),
        ev.ThermostatEdited(what="preset", change="created", name="a\n\u202e" + "W" * 999),
    ):
        said = climate_sentence(event, SCENE)
        assert not {"\r", "\n", "\u202e"} & set(said)
        assert len(said) < 400
