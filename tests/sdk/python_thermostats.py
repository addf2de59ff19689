#!/usr/bin/env python3
"""Make every call on a thermostat with the official Python SDK, as property software would, and read back what it did.

``python -m tests.sdk.python_thermostats ENDPOINT KEY DEVICE_NAME``, in the manner of ``python_client``. The hub must
serve a virtual thermostat called DEVICE_NAME, without presets and plans, and a lock.
"""

import sys
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.sdk.python_client import Session, Step, check, eventually, iso, main, moment, refused, step

STEPS: list[Step] = []
HOUR = timedelta(hours=1)
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
PUSHED = ("success", "PUSH_THERMOSTAT_PROGRAMS")


def soon(hours: float) -> str:
    """Return a time so many hours from now."""
    return iso(datetime.now(UTC) + hours * HOUR)


def properties(session: Session) -> Any:
    """Return `device.properties` as they are now."""
    return session.seam.devices.get(device_id=session.thermostat_id).properties


def of(thing: Any, name: str) -> Any:
    """Return a member of what stands in a list: seam 1.x leaves such things as they came."""
    return thing[name] if isinstance(thing, dict) else getattr(thing, name)


def setting(session: Session) -> Any:
    """Return what the thermostat was read back to be set to."""
    return properties(session).current_climate_setting


def act(session: Session, action: str, action_type: str = "SET_HVAC_MODE", **members: Any) -> Any:
    """Call ``thermostats.<action>``, which waits for its attempt; return what is set then."""
    attempt = getattr(session.seam.thermostats, action)(device_id=session.thermostat_id, **members)
    check((attempt.status, attempt.action_type) == ("success", action_type), message=f"{action}: {attempt.status}")
    again = session.seam.action_attempts.get(action_attempt_id=attempt.action_attempt_id)
    check((again.status, again.action_type) == ("success", action_type), message=f"{action}, asked again")
    return setting(session)


def heats_to(session: Session, celsius: float) -> None:
    """Wait until the thermostat is read back with a heating set-point."""
    eventually(lambda: setting(session).heating_set_point_celsius == celsius, f"it was not set to {celsius} °C")


def event_types(session: Session) -> list[str]:
    """Return the types of the thermostat's events since the script began."""
    seen = session.seam.events.list(since=session.codes["since"], device_id=session.thermostat_id)
    return [event.event_type.removeprefix("thermostat.") for event in seen]


def happens(session: Session, event_type: str) -> None:
    """Wait until there is an event of a type."""
    eventually(lambda: event_type in event_types(session), f"there was no {event_type}")


@step("exactly one thermostat called DEVICE_NAME, with its modes and limits, and nothing planned", STEPS)
def find_thermostat(session: Session) -> object:
    """Find the thermostat, and a lock."""
    (found,) = [one for one in session.seam.thermostats.list() if one.display_name == session.name]
    session.thermostat_id, session.codes["since"] = found.device_id, soon(0)
    session.lock_id = session.seam.locks.list()[0].device_id
    check("thermostat" in found.capabilities_supported, message="capabilities_supported lacks thermostat")
    flags = (found.can_hvac_heat, found.can_hvac_cool, found.can_hvac_heat_cool, found.can_turn_off_hvac)
    check(flags == (True, True, True, True), message=f"flags {flags}")
    known = found.properties
    modes = set(known.available_hvac_mode_settings)
    check({"off", "heat", "cool", "heat_cool"} <= modes, message=f"modes {modes}")
    check(known.min_heating_set_point_celsius < known.max_heating_set_point_celsius, message="no range")
    check(known.available_climate_presets == [], message="there are presets already")
    check(known.fallback_climate_preset_key is None, message="there is a fallback already")
    return {"modes": sorted(modes), "fans": list(known.available_fan_mode_settings)}


@step("each attempt succeeds, and what is read back is what was asked for, in both scales", STEPS)
def modes(session: Session) -> object:
    """Set every mode, each by its own call and one by the common one."""
    now = act(session, "heat", heating_set_point_celsius=20)
    seen = (now.hvac_mode_setting, now.heating_set_point_celsius, now.heating_set_point_fahrenheit)
    check(seen == ("heat", 20, 68), message=f"heat: {seen}")
    now = act(session, "cool", cooling_set_point_fahrenheit=77)
    seen = (now.hvac_mode_setting, now.cooling_set_point_celsius, now.cooling_set_point_fahrenheit)
    check(seen == ("cool", 25, 77), message=f"cool: {seen}")
    now = act(session, "heat_cool", heating_set_point_celsius=19, cooling_set_point_celsius=26)
    seen = (now.hvac_mode_setting, now.heating_set_point_celsius, now.cooling_set_point_celsius)
    check(seen == ("heat_cool", 19, 26), message=f"heat_cool: {seen}")
    check(act(session, "off").hvac_mode_setting == "off", message="not off")
    now = act(session, "set_hvac_mode", hvac_mode_setting="heat", heating_set_point_celsius=21)
    check((now.hvac_mode_setting, now.heating_set_point_celsius) == ("heat", 21), message="set_hvac_mode")
    now = act(session, "set_fan_mode", "SET_FAN_MODE", fan_mode_setting="on")
    check((now.fan_mode_setting, properties(session).fan_mode_setting) == ("on", "on"), message="set_fan_mode")
    return now.fan_mode_setting


@step("400: set_point_out_of_range, mode_not_supported, device_type_not_supported; nothing is set", STEPS)
def impossible(session: Session) -> object:
    """Ask for what the thermostat, or a lock, cannot do."""
    seam, errors, device_id = session.seam, session.sdk, session.thermostat_id
    hot = refused(
        lambda: seam.thermostats.heat(device_id=device_id, heating_set_point_celsius=60),
        errors.SeamHttpApiError,
        400,
        "set_point_out_of_range",
    )
    eco = refused(
        lambda: seam.thermostats.set_hvac_mode(device_id=device_id, hvac_mode_setting="eco"),
        errors.SeamHttpApiError,
        400,
        "mode_not_supported",
    )
    refused(
        lambda: seam.thermostats.off(device_id=session.lock_id),
        errors.SeamHttpApiError,
        400,
        "device_type_not_supported",
    )
    check(setting(session).heating_set_point_celsius == 21, message="it was set")
    return [str(hot), str(eco)]


@step("both presets with their settings; the same key again is 409, climate_preset_exists", STEPS)
def presets(session: Session) -> object:
    """Make presets, and change one."""
    thermostats, device_id = session.seam.thermostats, session.thermostat_id
    for key, celsius in (("home", 21.5), ("away", 15)):
        thermostats.create_climate_preset(
            device_id=device_id,
            climate_preset_key=key,
            name=key.title(),
            climate_preset_mode=key,
            hvac_mode_setting="heat",
            heating_set_point_celsius=celsius,
            manual_override_allowed=True,
        )
    thermostats.update_climate_preset(
        device_id=device_id, climate_preset_key="away", name="Nobody in", heating_set_point_celsius=16
    )
    found = {of(one, "climate_preset_key"): one for one in properties(session).available_climate_presets}
    check(set(found) == {"home", "away"}, message=f"presets {set(found)}")
    names = ("name", "heating_set_point_celsius", "hvac_mode_setting")
    seen = tuple(of(found["away"], name) for name in names)
    check(seen == ("Nobody in", 16, "heat"), message=f"away: {seen}")
    error = refused(
        lambda: thermostats.create_climate_preset(
            device_id=device_id, climate_preset_key="home", hvac_mode_setting="off"
        ),
        session.sdk.SeamHttpApiError,
        409,
        "climate_preset_exists",
    )
    return str(error)


@step("the attempt succeeds, the preset is the current setting, and an event says so; 404 for an unknown one", STEPS)
def activate(session: Session) -> object:
    """Activate a preset."""
    now = act(session, "activate_climate_preset", "ACTIVATE_CLIMATE_PRESET", climate_preset_key="away")
    seen = (now.climate_preset_key, now.heating_set_point_celsius)
    check(seen == ("away", 16), message=f"got {seen}")
    happens(session, "climate_preset_activated")
    error = refused(
        lambda: session.seam.thermostats.activate_climate_preset(
            device_id=session.thermostat_id, climate_preset_key="sauna"
        ),
        session.sdk.SeamHttpApiError,
        404,
        "climate_preset_not_found",
    )
    return str(error)


@step("the fallback preset is in force", STEPS)
def fallback(session: Session) -> object:
    """Set the fallback preset."""
    thermostats, device_id = session.seam.thermostats, session.thermostat_id
    thermostats.set_fallback_climate_preset(device_id=device_id, climate_preset_key="home")
    heats_to(session, 21.5)
    check(properties(session).fallback_climate_preset_key == "home", message="another fallback")
    return "home"


@step("in force at once and shown as active, without errors; get and list show it as it was made", STEPS)
def schedule(session: Session) -> object:
    """Make a schedule that runs already."""
    schedules, starts_at = session.seam.thermostats.schedules, soon(-1)
    made = schedules.create(
        device_id=session.thermostat_id,
        climate_preset_key="away",
        name="Guest gone",
        starts_at=starts_at,
        ends_at=soon(5),
        max_override_period_minutes=90,
    )
    session.codes["schedule"] = made.thermostat_schedule_id
    heats_to(session, 16)
    eventually(
        lambda: properties(session).active_thermostat_schedule_id == made.thermostat_schedule_id, "it was not active"
    )
    check(properties(session).active_thermostat_schedule["name"] == "Guest gone", message="another active schedule")
    got = schedules.get(thermostat_schedule_id=made.thermostat_schedule_id)
    (listed,) = schedules.list(device_id=session.thermostat_id)
    for one in (got, listed):
        seen = (one.thermostat_schedule_id, one.name, one.climate_preset_key, one.is_override_allowed, one.errors)
        check(seen == (made.thermostat_schedule_id, "Guest gone", "away", True, []), message=f"got {seen}")
        check(moment(one.starts_at) == moment(starts_at), message=f"starts_at {one.starts_at}")
        check(one.max_override_period_minutes == 90, message=f"{one.max_override_period_minutes} minutes")
    return made.ends_at


@step("SeamHttpInvalidInputError: 400, invalid_input, naming ends_at; 404 for none; 409, climate_preset_in_use", STEPS)
def wrong_schedules(session: Session) -> object:
    """Make a schedule that ends before it starts, get one that nobody made, delete the preset of the one that runs."""
    schedules = session.seam.thermostats.schedules
    refused(
        lambda: session.seam.thermostats.delete_climate_preset(
            device_id=session.thermostat_id, climate_preset_key="away"
        ),
        session.sdk.SeamHttpApiError,
        409,
        "climate_preset_in_use",
    )
    error = refused(
        lambda: schedules.create(
            device_id=session.thermostat_id, climate_preset_key="away", starts_at=soon(2), ends_at=soon(1)
        ),
        session.sdk.SeamHttpInvalidInputError,
        400,
        "invalid_input",
    )
    check("ends_at" in str(error), message=f"the message does not name ends_at: {error}")
    refused(
        lambda: schedules.get(thermostat_schedule_id=str(uuid.uuid4())),
        session.sdk.SeamHttpApiError,
        404,
        "thermostat_schedule_not_found",
    )
    return str(error)


@step("a temporary override; once the schedule allows none, a call is 409, manual_override_not_allowed", STEPS)
def override(session: Session) -> object:
    """Set the thermostat during the schedule, then forbid that."""
    now = act(session, "heat", heating_set_point_celsius=23)
    check(now.heating_set_point_celsius == 23, message=f"{now.heating_set_point_celsius} °C")
    check(properties(session).is_temporary_manual_override_active is True, message="no override is shown")
    schedule_id = session.codes["schedule"]
    session.seam.thermostats.schedules.update(
        thermostat_schedule_id=schedule_id, starts_at=soon(-2), is_override_allowed=False, name="Locked"
    )
    heats_to(session, 16)
    check(properties(session).is_temporary_manual_override_active is False, message="the override is still shown")
    error = refused(
        lambda: session.seam.thermostats.heat(device_id=session.thermostat_id, heating_set_point_celsius=23),
        session.sdk.SeamHttpApiError,
        409,
        "manual_override_not_allowed",
    )
    check(session.seam.thermostats.schedules.get(thermostat_schedule_id=schedule_id).name == "Locked", message="name")
    return str(error)


@step("the fallback preset is in force again, and the schedule is nowhere: 404", STEPS)
def unschedule(session: Session) -> object:
    """Delete the schedule."""
    schedules, schedule_id = session.seam.thermostats.schedules, session.codes["schedule"]
    schedules.delete(thermostat_schedule_id=schedule_id)
    heats_to(session, 21.5)
    check(schedules.list(device_id=session.thermostat_id) == [], message="it is listed")
    check(properties(session).active_thermostat_schedule_id is None, message="it is still active")
    error = refused(
        lambda: schedules.delete(thermostat_schedule_id=schedule_id),
        session.sdk.SeamHttpApiError,
        404,
        "thermostat_schedule_not_found",
    )
    return str(error)


@step("the program is in force on every day, as it was made and as it was changed; then the fallback again", STEPS)
def programs(session: Session) -> object:
    """Make a daily program, have it run each day, change it, and delete it."""
    thermostats, device_id = session.seam.thermostats, session.thermostat_id
    daily, all_day = thermostats.daily_programs, [{"starts_at_time": "00:00:00", "climate_preset_key": "away"}]
    made = daily.create(device_id=device_id, name="Empty house", periods=all_day)
    program_id = made.thermostat_daily_program_id
    week = {f"{day}_program_id": program_id for day in DAYS}
    attempt = thermostats.update_weekly_program(device_id=device_id, **week)
    check((attempt.status, attempt.action_type) == PUSHED, message=f"the week: {attempt.status}")
    heats_to(session, 16)
    shown = properties(session)
    check([of(one, "name") for one in shown.thermostat_daily_programs] == ["Empty house"], message="another program")
    check({shown.thermostat_weekly_program[f"{day}_program_id"] for day in DAYS} == {program_id}, message="the week")
    home = [{"starts_at_time": "00:00:00", "climate_preset_key": "home"}]
    attempt = daily.update(thermostat_daily_program_id=program_id, name="Full house", periods=home)
    check((attempt.status, attempt.action_type) == PUSHED, message=f"the program: {attempt.status}")
    heats_to(session, 21.5)
    daily.delete(thermostat_daily_program_id=program_id)
    check(properties(session).thermostat_daily_programs == [], message="it is still there")
    error = refused(
        lambda: thermostats.update_weekly_program(device_id=device_id, friday_program_id=program_id),
        session.sdk.SeamHttpApiError,
        404,
        "thermostat_daily_program_not_found",
    )
    return str(error)


@step("what somebody does at the device is read back, told as external, and is a temporary override", STEPS)
def knob(session: Session) -> object:
    """Have somebody turn the knob."""
    session.seam.thermostats.simulate.hvac_mode_adjusted(
        device_id=session.thermostat_id, hvac_mode="heat", heating_set_point_celsius=24
    )
    heats_to(session, 24)
    eventually(lambda: properties(session).is_temporary_manual_override_active is True, "no override was shown")
    seen = session.seam.events.list(since=session.codes["since"], event_type="thermostat.manually_adjusted")
    methods = [event.method for event in seen if event.device_id == session.thermostat_id]
    check(methods[-1] == "external" and "seam" in methods, message=f"methods {methods}")
    session.seam.thermostats.set_fallback_climate_preset(device_id=session.thermostat_id, climate_preset_key="away")
    heats_to(session, 16)  # another plan ends what was set by hand
    return methods


@step("told once when it is too warm and once when it is not any more; the limits are shown in both scales", STEPS)
def threshold(session: Session) -> object:
    """Set limits, and have the room get too warm."""
    thermostats, device_id = session.seam.thermostats, session.thermostat_id
    thermostats.set_temperature_threshold(device_id=device_id, lower_limit_celsius=10, upper_limit_fahrenheit=80.6)
    shown = properties(session).temperature_threshold
    check((shown.lower_limit_fahrenheit, shown.upper_limit_celsius) == (50, 27), message=f"limits {shown}")
    thermostats.simulate.temperature_reached(device_id=device_id, temperature_celsius=30)
    happens(session, "temperature_threshold_exceeded")
    check(properties(session).temperature_fahrenheit == 86, message="another temperature")
    thermostats.simulate.temperature_reached(device_id=device_id, temperature_fahrenheit=68)
    happens(session, "temperature_threshold_no_longer_exceeded")
    types = event_types(session)
    for kind in ("temperature_threshold_exceeded", "temperature_threshold_no_longer_exceeded"):
        check(types.count(kind) == 1, message=f"{kind}: {types.count(kind)} times")
    check("temperature_changed" in types, message="the temperature was not told")
    return sorted(set(types))


@step("the preset that nothing needs is gone", STEPS)
def forget(session: Session) -> object:
    """Delete a preset."""
    session.seam.thermostats.delete_climate_preset(device_id=session.thermostat_id, climate_preset_key="home")
    left = [of(one, "climate_preset_key") for one in properties(session).available_climate_presets]
    check(left == ["away"], message=f"presets {left}")
    return left


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], STEPS))
