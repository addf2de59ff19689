"""What became of thermostats, as sentences for a technician. Pure; closed over the events of thermostats."""

from typing import Final, assert_never

from hubd.model import event as ev
from hubd.model.capability import FanMode, HvacMode
from hubd.model.climate import ClimateSetting, ClimateSource
from hubd.web import words
from hubd.web.scene import Scene, by
from hubd.web.words import Tone, plain

type _PlanEvent = ev.PlanChanged | ev.PresetActivated | ev.OverrideBegan | ev.OverrideEnded | ev.ThermostatEdited
type _RoomEvent = ev.ThresholdExceeded | ev.ThresholdCleared | ev.SetPointReached | ev.TemperatureChanged
type ClimateEvent = _PlanEvent | _RoomEvent | ev.ThermostatAdjusted | ev.ClimateFailed

MODES: Final[dict[HvacMode, str]] = {
    "off": "off",
    "heat": "heat",
    "cool": "cool",
    "heat_cool": "heat and cool",
    "eco": "economy",
}
FANS: Final[dict[FanMode, str]] = {"auto": "by itself", "on": "always on", "circulate": "circulating"}
SOURCES: Final[dict[ClimateSource, str]] = {
    "manual": "by hand",
    "program": "by its own program",
    "controller": "by another controller",
    "unknown": "on the device",
}
_ENDINGS: Final = {
    "time_over": "its time is over",
    "plan_changed": "the plan changed",
    "returned": "somebody set it back to the plan",
    "replaced": "something else was set",
    "not_reached": "the device was not as asked within a day",
    "refused": "the device does not take it",
    "cancelled": "it was called off",
}
_KEPT: Final = {
    "preset": "The preset",
    "fallback": "The fallback preset",
    "daily_program": "A daily program",
    "weekly_program": "The weekly program",
    "schedule": "A schedule",
    "threshold": "The limits",
}
_CHANGES: Final = {"created": "made", "updated": "changed", "deleted": "deleted"}


def climate_sentence(event: ClimateEvent, scene: Scene) -> str:
    """Say what happened."""
    name = scene.device
    match event:
        case ev.ThermostatAdjusted():
            setting = adjusted_words(event) or "nothing that the hub can read"
            return f"{name} was set {_whence(event)}: {setting}{by(event.by, scene)}."
        case ev.ClimateFailed(message=message):
            return f"{name} is not set as it should be: {plain(message)}"
        case ev.PlanChanged() | ev.PresetActivated() | ev.OverrideBegan() | ev.OverrideEnded() | ev.ThermostatEdited():
            return _of_plan(event, scene)
        case ev.ThresholdExceeded() | ev.ThresholdCleared() | ev.SetPointReached() | ev.TemperatureChanged():
            return _of_room(event, name)
        case _:
            assert_never(event)


def climate_tone(event: ClimateEvent) -> Tone:
    """Return how loud an event is shown."""
    match event:
        case ev.ThresholdExceeded() | ev.OverrideEnded(reason="refused"):
            return "bad"
        case ev.ClimateFailed() | ev.OverrideEnded(reason="not_reached"):
            return "warn"
        case ev.ThresholdCleared():
            return "ok"
        case _:
            return "quiet"


def setting_text(setting: ClimateSetting) -> str:
    """Say what a thermostat is to be set to; empty for nothing."""
    parts: list[str] = []
    heating, cooling = setting.heating_set_point_celsius, setting.cooling_set_point_celsius
    if setting.hvac_mode == "off":
        parts.append("off")
        heating = cooling = None
    elif setting.hvac_mode is not None and (setting.hvac_mode == "eco" or (heating is None and cooling is None)):
        parts.append(MODES[setting.hvac_mode])
    if heating is not None and setting.hvac_mode != "cool":
        parts.append(f"heat to {words.celsius(heating)}")
    if cooling is not None and setting.hvac_mode != "heat":
        parts.append(f"cool to {words.celsius(cooling)}")
    if setting.fan_mode is not None:
        parts.append(f"fan {setting.fan_mode}")
    return ", ".join(parts)


def adjusted_words(event: ev.ThermostatAdjusted) -> str:
    """Say what a thermostat was set to."""
    points = event.heating_set_point_celsius, event.cooling_set_point_celsius
    if event.hvac_mode == "off":
        return "off"
    return setting_text(ClimateSetting(event.hvac_mode, event.fan_mode, *points))


def preset_words(key: str | None) -> str:
    """Name a climate preset within a sentence."""
    return "a preset" if key is None else f"the preset “{words.within(words.name(key))}”"


def source_words(source: str) -> str:
    """Say how a setting came about that is not the plan's."""
    return SOURCES.get(source, "by a call")  # type: ignore[call-overload,no-any-return]


def _whence(event: ev.ThermostatAdjusted) -> str:
    if event.method == "seam":
        return "from the hub"
    return SOURCES["unknown"] if event.source is None else SOURCES[event.source]


def _of_plan(event: _PlanEvent, scene: Scene) -> str:
    name = scene.device
    match event:
        case ev.PlanChanged(kind=kind, preset_key=key):
            match kind:
                case "schedule":
                    return f"{name} goes by a schedule now: {preset_words(key)}."
                case "program":
                    return f"{name} goes by its weekly program now: {preset_words(key)}."
                case "fallback":
                    return f"{name} goes by its fallback now: {preset_words(key)}."
                case "none":
                    return f"Nothing is planned for {name} any more."
                case _:
                    assert_never(kind)
        case ev.PresetActivated(preset_key=key, is_fallback=is_fallback):
            why = " by its schedule" if event.schedule_id is not None else " as its fallback" if is_fallback else ""
            return f"{name} is set to {preset_words(key)}{why}{by(event.by, scene)}."
        case ev.OverrideBegan(setting=setting, until=until):
            end = "until the plan changes" if until is None else f"until {scene.moment(until)}"
            what = setting_text(setting) or "nothing that the hub can read"
            return f"{name} was set {source_words(event.source)}, {end}: {what}{by(event.by, scene)}."
        case ev.OverrideEnded(reason=reason):
            return f"What was set on {name} instead of its plan is over: {_ENDINGS[reason]}."
        case ev.ThermostatEdited(what=what, change=change, name=key):
            called = f" “{words.within(words.name(key))}”" if what in {"preset", "fallback"} and key else ""
            verb = "were" if what == "threshold" else "was"
            done = _CHANGES["updated"] if what in {"fallback", "threshold", "weekly_program"} else _CHANGES[change]
            return f"{_KEPT[what]}{called} of {name} {verb} {done}{by(event.by, scene)}."
        case _:
            assert_never(event)


def _of_room(event: _RoomEvent, name: str) -> str:
    now = words.celsius(event.temperature_celsius)
    match event:
        case ev.ThresholdExceeded(lower_limit_celsius=low) if low is not None and event.temperature_celsius < low:
            return f"It is too cold at {name}: {now}, below the limit of {words.celsius(low)}."
        case ev.ThresholdExceeded(upper_limit_celsius=high):
            limit = "" if high is None else f", above the limit of {words.celsius(high)}"
            return f"It is too warm at {name}: {now}{limit}."
        case ev.ThresholdCleared():
            return f"{name} is within its limits again: {now}."
        case ev.SetPointReached(desired_temperature_celsius=desired):
            return f"The room of {name} has reached {words.celsius(desired)}: {now}."
        case ev.TemperatureChanged():
            return f"It is {now} at {name}."
        case _:
            assert_never(event)
