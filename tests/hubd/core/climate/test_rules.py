from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from hubd.core.climate import rules
from hubd.core.climate.rules import PUT_BACK, WISH_LIFE, Turn
from hubd.model import Climate, ClimateSetting
from hubd.model.event import ClimateFailed, OverrideBegan, OverrideEnded, PlanChanged, PresetActivated
from hubd.store.climate import Pending, Preset, Schedule, ThermostatRecord
from tests.hubd.core.climate.plans import ECO, HOME, HOUR, ZONE, kept, schedule
from tests.sims.thermostats import PLAIN
from tests.support.clock import NOON

MINUTE = timedelta(minutes=1)
HOME_NOW = Climate(
    temperature_celsius=19.0,
    hvac_mode="heat",
    fan_mode="auto",
    heating_set_point_celsius=21.0,
    cooling_set_point_celsius=26.0,
)
"""A device that is set as the preset `home` says."""


def passed(record: ThermostatRecord, at: datetime, *schedules: Schedule, **members: Any) -> Turn:
    return rules.pass_time(record, schedules, at, ZONE, **members)


def stay(**members: Any) -> Schedule:
    return schedule("s", "home", NOON, NOON + 5 * HOUR, **members)


def at_home(*schedules: Schedule, **members: Any) -> ThermostatRecord:
    """Return a thermostat on which the schedule is in force and was read back."""
    record = passed(kept(fallback_key="eco", **members), NOON, *(schedules or (stay(),))).record
    return rules.hear(record, HOME_NOW, PLAIN).record


def turned(record: ThermostatRecord, at: datetime = NOON + MINUTE, **members: Any) -> Turn:
    return rules.adjusted(record, replace(HOME_NOW, **members), "manual", PLAIN, at)


def wished(record: ThermostatRecord, setting: ClimateSetting, name: str = "w", at: datetime = NOON + MINUTE) -> Turn:
    return rules.wish(record, setting, Pending(name, setting), at, by="key")


# -- time


def test_a_plan_begins_once_and_is_activated_once_it_was_read_back() -> None:
    turn = passed(kept(), NOON, stay())
    assert turn.events == (PlanChanged(kind="schedule", plan_id="s", preset_key="home"),)
    assert (turn.record.is_applied, turn.record.is_base_applied) == (False, False)
    assert passed(turn.record, NOON + HOUR, stay()) == Turn(turn.record)
    assert rules.hear(turn.record, replace(HOME_NOW, hvac_mode="off"), PLAIN) == Turn(turn.record)
    heard = rules.hear(turn.record, HOME_NOW, PLAIN)
    assert heard.events == (PresetActivated(preset_key="home", schedule_id="s"),)
    assert (heard.record.is_applied, heard.record.is_base_applied) == (True, True)
    assert rules.hear(heard.record, HOME_NOW, PLAIN) == Turn(heard.record)


def test_a_clock_that_is_not_trusted_begins_and_ends_nothing() -> None:
    assert passed(kept(), NOON, stay(), is_trusted=False) == Turn(kept())
    record = at_home()
    assert passed(record, NOON + 9 * HOUR, stay(), is_trusted=False) == Turn(record)


def test_the_fallback_returns_when_the_schedule_is_over_and_says_so() -> None:
    turn = passed(at_home(), NOON + 5 * HOUR, stay())
    assert turn.events == (PlanChanged(kind="fallback", preset_key="eco"),)
    eco = replace(HOME_NOW, heating_set_point_celsius=17.0)
    assert rules.hear(turn.record, eco, PLAIN).events == (PresetActivated(preset_key="eco", is_fallback=True),)


def test_without_a_plan_the_device_is_left_as_it_is() -> None:
    record = replace(at_home(), fallback_key=None)
    turn = passed(record, NOON + 5 * HOUR, stay())
    assert (turn.record.base.kind, turn.record.is_applied, turn.record.in_force) == ("none", True, ClimateSetting())


def test_a_preset_that_is_edited_is_set_anew() -> None:
    record = at_home()
    warmer = replace(
        record, presets=(*record.presets[:1], Preset("home", ClimateSetting("heat", None, 23.0)), *record.presets[2:])
    )
    after = passed(warmer, NOON + MINUTE, stay()).record
    assert (after.is_applied, after.in_force.heating_set_point_celsius) == (False, 23.0)
    assert after.is_base_applied  # the schedule itself began long ago
    heard = rules.hear(after, replace(HOME_NOW, heating_set_point_celsius=23.0), PLAIN)
    assert heard.events == (PresetActivated(preset_key="home", schedule_id="s"),)


def test_when_to_wake() -> None:
    record = at_home(stay(max_override_minutes=30))
    schedules: Sequence[Schedule] = (stay(max_override_minutes=30),)
    assert rules.wake_at(record, schedules, NOON, ZONE) == NOON + 5 * HOUR
    override = turned(record, NOON + MINUTE, heating_set_point_celsius=24.0).record
    assert rules.wake_at(override, schedules, NOON + MINUTE, ZONE) == NOON + 31 * MINUTE
    assert rules.wake_at(kept(), (), NOON, ZONE) is None
    call = wished(kept(), HOME).record
    assert rules.wake_at(call, (), NOON + 2 * MINUTE, ZONE) == NOON + MINUTE + WISH_LIFE


# -- calls


def test_a_call_is_an_override_until_the_plan_changes() -> None:
    turn = wished(at_home(), ClimateSetting(heating_set_point_celsius=23.0))
    whole = ClimateSetting("heat", "auto", 23.0)
    assert turn.events == (OverrideBegan(setting=whole, source="api", by="key"),)
    assert (turn.record.in_force, turn.record.is_applied) == (whole, False)
    done = rules.hear(turn.record, replace(HOME_NOW, heating_set_point_celsius=23.0), PLAIN)
    assert (done.ended, done.record.pending) == ((("w", None, "The device was read back and is as asked."),), ())
    over = passed(done.record, NOON + 5 * HOUR, stay())
    assert over.events[1] == OverrideEnded(reason="plan_changed")
    assert over.record.override is None


def test_a_later_call_takes_the_place_of_what_it_contradicts_and_goes_along_with_the_rest() -> None:
    first = wished(kept(), ClimateSetting("heat", None, 20.0), "one").record
    second = wished(first, ClimateSetting(fan_mode="on"), "two")
    assert (second.ended, [one.attempt_id for one in second.record.pending]) == ((), ["one", "two"])
    third = wished(second.record, ClimateSetting(heating_set_point_celsius=22.0), "three")
    assert [(name, error) for name, error, _ in third.ended] == [("one", "superseded")]
    assert third.record.in_force == ClimateSetting("heat", "on", 22.0)
    assert OverrideEnded(reason="replaced") in third.events


def test_what_a_plan_change_overtakes_has_ended() -> None:
    call = wished(kept(fallback_key=None), ClimateSetting("heat", None, 25.0)).record
    turn = passed(call, NOON + HOUR, schedule("s", "home", NOON + HOUR, NOON + 2 * HOUR))
    assert [(name, error) for name, error, _ in turn.ended] == [("w", "superseded")]
    assert turn.record.in_force == HOME


def test_what_a_device_never_took_is_not_wished_for_more_than_a_day() -> None:
    call = wished(kept(), HOME).record
    assert passed(call, NOON + 23 * HOUR) == Turn(call)
    turn = passed(call, NOON + MINUTE + WISH_LIFE)
    assert ([error for _, error, _ in turn.ended], turn.record.in_force) == (["not_reached"], ClimateSetting())
    reached = rules.hear(call, HOME_NOW, PLAIN).record
    assert passed(reached, NOON + 3 * WISH_LIFE) == Turn(reached)


def test_an_override_is_ended_by_hand() -> None:
    turn = rules.cancel(wished(at_home(), ClimateSetting("off")).record)
    assert (turn.events, turn.record.in_force) == ((OverrideEnded(reason="cancelled"),), HOME)
    assert turn.ended[0][1] == "superseded"
    assert rules.cancel(kept()) == Turn(kept())


def test_who_may_override() -> None:
    assert rules.may_override(kept())
    assert rules.may_override(at_home())
    assert not rules.may_override(at_home(stay(is_override_allowed=False)))


# -- hands at the device


def test_a_knob_is_an_override_for_its_time_and_turning_on_does_not_prolong_it() -> None:
    record = at_home(stay(max_override_minutes=30))
    one = turned(record, NOON + MINUTE, heating_set_point_celsius=24.0)
    until = NOON + 31 * MINUTE
    assert one.events == (
        OverrideBegan(setting=ClimateSetting("heat", "auto", 24.0, 26.0), source="manual", until=until),
    )
    two = turned(one.record, NOON + 20 * MINUTE, heating_set_point_celsius=25.0)
    assert two.events == ()
    assert two.record.override is not None
    assert (two.record.override.until, two.record.in_force.heating_set_point_celsius) == (until, 25.0)
    over = passed(two.record, until, stay(max_override_minutes=30))
    assert over.events == (OverrideEnded(reason="time_over"),)
    assert (over.record.in_force, over.record.is_applied) == (HOME, False)
    assert rules.hear(over.record, HOME_NOW, PLAIN).events == (PresetActivated(preset_key="home", schedule_id="s"),)


def test_who_turns_back_to_the_plan_ends_the_override() -> None:
    one = turned(at_home(), heating_set_point_celsius=24.0).record
    turn = turned(one, heating_set_point_celsius=21.0)
    assert turn.events == (OverrideEnded(reason="returned"), PresetActivated(preset_key="home", schedule_id="s"))
    assert (turn.record.override, turn.record.is_applied) == (None, True)


def test_a_setting_that_the_plan_does_not_name_is_nobodys_override() -> None:
    record = at_home()
    assert turned(record, cooling_set_point_celsius=30.0) == Turn(record)


def test_what_is_not_allowed_is_set_back_ever_more_slowly_and_forgotten_in_time() -> None:
    record, at = at_home(stay(is_override_allowed=False)), NOON
    for seconds in (*PUT_BACK, PUT_BACK[-1]):
        at += MINUTE
        record = turned(record, at, hvac_mode="off").record
        assert record.trouble is not None
        assert (record.trouble.retry_at - at, record.override, record.is_applied) == (
            timedelta(seconds=seconds),
            None,
            False,
        )
        record = rules.hear(record, HOME_NOW, PLAIN).record
        assert record.trouble is None
    record = turned(record, at + 3 * HOUR, hvac_mode="off").record
    assert record.contests == 1


def test_a_plan_that_the_device_was_not_set_to_yet_outlives_a_knob() -> None:
    record = passed(kept(), NOON, stay()).record
    assert turned(record, heating_set_point_celsius=28.0) == Turn(record)


def test_a_plan_that_forbids_overrides_from_now_on_ends_the_one_there_is() -> None:
    one = turned(at_home(), heating_set_point_celsius=24.0).record
    turn = passed(one, NOON + HOUR, stay(is_override_allowed=False))
    assert (turn.events, turn.record.in_force) == ((OverrideEnded(reason="plan_changed"),), HOME)


def test_a_program_of_the_devices_own_is_no_override() -> None:
    record = at_home()
    turn = rules.adjusted(record, replace(HOME_NOW, heating_set_point_celsius=15.0), "program", PLAIN, NOON + MINUTE)
    assert (turn.events, turn.record.override, turn.record.is_applied) == ((), None, False)
    assert turn.record.trouble is not None
    assert turn.record.trouble.message.startswith("A program of its own set the thermostat")


def test_an_override_that_was_reached_and_is_set_back_is_not_given_up() -> None:
    call = rules.hear(wished(at_home(), ClimateSetting("off")).record, replace(HOME_NOW, hvac_mode="off"), PLAIN).record
    at = NOON + 30 * HOUR
    long = stay().__replace__(ends_at=NOON + 99 * HOUR)
    contested = rules.adjusted(call, HOME_NOW.__replace__(heating_set_point_celsius=9.0), "program", PLAIN, at).record
    assert not contested.is_applied
    assert passed(contested, at + MINUTE, long).record.override == call.override


def test_a_call_that_waits_for_its_device_outlives_a_knob() -> None:
    call = wished(at_home(), ClimateSetting("off")).record
    assert turned(call, heating_set_point_celsius=28.0) == Turn(call)


def test_without_a_plan_the_last_hand_counts() -> None:
    call = rules.hear(wished(kept(), HOME).record, HOME_NOW, PLAIN).record
    assert call.override is not None
    turn = turned(call, heating_set_point_celsius=28.0)
    assert (turn.record.override, turn.record.is_applied, turn.events) == (
        None,
        True,
        (OverrideEnded(reason="replaced"),),
    )


# -- failures


def test_a_device_that_says_no_ends_a_call_and_not_a_plan() -> None:
    call = wished(at_home(), ClimateSetting("cool")).record
    turn = rules.failed(call, "device_refused", "No.", NOON, is_final=True)
    assert turn.ended == (("w", "device_refused", "No."),)
    assert turn.events == (ClimateFailed(error_code="device_refused", message="No."), OverrideEnded(reason="refused"))
    assert turn.record.in_force == HOME
    plan = passed(kept(fallback_key="eco"), NOON).record
    failed = rules.failed(plan, "device_refused", "No.", NOON, is_final=True).record
    assert (failed.in_force, failed.trouble is not None) == (ECO, True)


def test_failures_in_a_row_with_one_reason_are_told_once_and_rest_longer() -> None:
    record = passed(kept(fallback_key="eco"), NOON).record
    pauses = []
    for number in range(8):
        turn = rules.failed(record, "no_answer", "It is silent.", NOON, is_final=False)
        assert len(turn.events) == (number == 0)
        record = turn.record
        assert record.trouble is not None
        pauses.append((record.trouble.retry_at - NOON).total_seconds())
    assert record.trouble is not None
    assert (record.trouble.attempts, record.trouble.since) == (8, NOON)
    assert pauses[0] < 6
    assert 1600 < pauses[-1] < 2000
    other = rules.failed(record, "device_refused", "No.", NOON + HOUR, is_final=False)
    assert (other.record.trouble is not None and other.record.trouble.attempts, len(other.events)) == (9, 1)


def test_the_room_is_on_its_way_to_the_set_point_that_it_has_not_reached() -> None:
    cold = Climate(
        temperature_celsius=18.0, hvac_mode="heat_cool", heating_set_point_celsius=21.0, cooling_set_point_celsius=25.0
    )
    assert rules.way(cold) == 21.0
    assert rules.way(replace(cold, temperature_celsius=27.0)) == 25.0
    assert rules.way(replace(cold, temperature_celsius=23.0)) is None
    assert rules.way(replace(cold, hvac_mode="off")) is None
    assert rules.way(replace(cold, hvac_mode="cool")) is None
    assert rules.way(Climate(hvac_mode="heat", heating_set_point_celsius=21.0)) is None


def test_a_hand_is_no_failure_and_makes_none_longer() -> None:
    contested = rules.adjusted(at_home(), replace(HOME_NOW, hvac_mode="off"), "program", PLAIN, NOON + MINUTE).record
    assert contested.trouble is not None
    failed = rules.failed(contested, "no_answer", "It is silent.", NOON + HOUR, is_final=False).record
    assert (failed.trouble is not None and failed.trouble.attempts) == 1


def test_an_override_of_a_time_that_nobody_knew_counts_from_when_it_is_known() -> None:
    plan = stay(max_override_minutes=30)
    wish, waits = ClimateSetting(None, None, 25.0), Pending("w", ClimateSetting(None, None, 25.0))
    called = rules.wish(at_home(plan), wish, waits, NOON - 40 * HOUR, by="key", is_trusted=False).record
    hot = replace(HOME_NOW, heating_set_point_celsius=25.0)
    by_hand = rules.adjusted(at_home(plan), hot, "manual", PLAIN, NOON - 40 * HOUR, is_trusted=False).record
    for record in (called, by_hand):
        assert record.override is not None
        assert record.override.until is None
        later = passed(record, NOON + HOUR, plan).record
        assert later.pending == record.pending
        assert later.override is not None
        assert (later.override.since, later.override.until) == (NOON + HOUR, NOON + HOUR + 30 * MINUTE)
        assert passed(later, NOON + HOUR + 30 * MINUTE, plan).record.override is None


def test_a_clock_that_is_set_back_makes_no_override_longer() -> None:
    plan = stay(max_override_minutes=30)
    record = wished(at_home(plan), ClimateSetting(None, None, 25.0), at=NOON + 4 * HOUR).record
    back = passed(record, NOON + HOUR, plan).record
    assert back.override is not None
    assert back.override.until == NOON + HOUR + 30 * MINUTE


def test_calls_to_a_device_that_is_gone_end() -> None:
    record = wished(at_home(), ClimateSetting("off")).record
    turn = rules.dismiss(record, "It was removed.")
    assert turn.ended == (("w", "not_reached", "It was removed."),)
    assert (turn.record.override, turn.record.pending) == (None, ())
    assert rules.dismiss(turn.record, "It was removed.") == Turn(turn.record)


def test_what_proves_that_a_device_is_as_it_should_be() -> None:
    nothing, hot = ClimateSetting(), ClimateSetting(None, None, 25.0)
    assert rules.is_proof(at_home(), nothing)
    assert not rules.is_proof(at_home(), hot)
    called = wished(at_home(), hot).record
    assert not rules.is_proof(called, nothing)
    assert rules.is_proof(called, hot)
    assert not rules.is_proof(called, replace(hot, fan_mode="on"))


def test_a_call_whose_time_is_over_before_the_device_is_so_gave_way_to_the_plan() -> None:
    plan = stay(max_override_minutes=30)
    record = wished(at_home(plan), ClimateSetting("off"), at=NOON).record
    turn = passed(record, NOON + 30 * MINUTE, plan)
    assert [(name, error) for name, error, _ in turn.ended] == [("w", "superseded")]
    assert turn.events == (OverrideEnded(reason="time_over"),)
