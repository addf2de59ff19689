from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hubd.core.climate.limits import problem
from hubd.core.climate.plan import LONGEST_REST, Plan, Step, plan
from hubd.core.lanes import Priority
from hubd.model import Climate, ClimateSetting
from hubd.store.climate import Base, Override, Pending, ThermostatRecord
from hubd.store.codes import Trouble
from tests.hubd.core.climate.plans import HOME, kept
from tests.sims.thermostats import NEW, PLAIN
from tests.support.clock import NOON

MINUTE = timedelta(minutes=1)
WANTED = kept(base=Base("fallback", None, "home", None, HOME), is_applied=False)
RESTING = Trouble("no_answer", "It is silent.", NOON, 1, NOON + MINUTE)


def planned(record: ThermostatRecord, climate: Climate | None = NEW, **members: Any) -> Plan:
    return plan(record, climate, PLAIN, NOON, **members)


def test_what_is_applied_is_left_alone() -> None:
    assert planned(kept()) == Plan()
    assert planned(replace(WANTED, is_applied=True)) == Plan()


def test_a_plan_sends_what_is_missing_and_asks_if_nothing_is() -> None:
    assert planned(WANTED) == Plan(Step(Priority.PRELOAD, ClimateSetting("heat", None, 21.0)))
    assert planned(WANTED, None) == Plan(Step(Priority.PRELOAD, HOME))
    stands = Climate(hvac_mode="heat", fan_mode="auto", heating_set_point_celsius=21.0)
    assert planned(WANTED, stands) == Plan(Step(Priority.PRELOAD))


def test_what_somebody_calls_for_is_sent_even_if_it_seems_to_be_so_and_goes_first() -> None:
    off = ClimateSetting("off")
    record = kept(override=Override(off, "api", NOON), is_applied=False, pending=(Pending("w", off),))
    assert planned(record) == Plan(Step(Priority.START, off))


def test_of_calls_that_wait_the_last_word_is_sent_in_one() -> None:
    pending = (Pending("one", ClimateSetting("heat", None, 20.0)), Pending("two", ClimateSetting(fan_mode="on")))
    record = kept(override=Override(ClimateSetting("heat", "on", 20.0), "api", NOON), is_applied=False, pending=pending)
    assert planned(record) == Plan(Step(Priority.START, ClimateSetting("heat", "on", 20.0)))


def test_who_is_unsure_asks_first() -> None:
    assert planned(replace(WANTED, trouble=RESTING), is_unsure=True) == Plan(Step(Priority.START))


def test_a_device_rests_after_a_failure_until_it_is_heard() -> None:
    record = replace(WANTED, trouble=RESTING)
    assert planned(record) == Plan(hold="retry_later", message="It is silent.", wake_at=NOON + MINUTE)
    assert planned(record, is_heard=True).step is not None
    assert plan(record, NEW, PLAIN, NOON + MINUTE).step is not None
    contested = replace(record, trouble=replace(RESTING, code="override_not_allowed"))
    assert planned(contested, is_heard=True).hold == "retry_later"


def test_a_clock_that_was_set_back_makes_no_rest_longer() -> None:
    record = replace(WANTED, trouble=replace(RESTING, retry_at=NOON + LONGEST_REST))
    assert planned(record).hold == "retry_later"
    record = replace(WANTED, trouble=replace(RESTING, retry_at=NOON + LONGEST_REST + MINUTE))
    assert planned(record).step is not None


def test_what_the_device_cannot_do_any_more_is_not_sent() -> None:
    record = kept(base=Base("fallback", None, "x", None, ClimateSetting("eco")), is_applied=False)
    found = planned(record)
    assert (found.step, found.hold) == (None, "setting_not_possible")
    assert found.message.startswith("The device has no mode eco")


SETTINGS = st.builds(
    ClimateSetting,
    st.sampled_from([None, "off", "heat", "cool", "heat_cool", "eco"]),
    st.sampled_from([None, "auto", "on", "circulate"]),
    st.none() | st.floats(-20, 60),
    st.none() | st.floats(-20, 60),
)


@given(SETTINGS, st.lists(SETTINGS, max_size=3), SETTINGS.map(lambda one: one.over(ClimateSetting("off"))))
def test_nothing_outside_the_range_of_the_device_is_ever_sent(
    base: ClimateSetting, calls: list[ClimateSetting], now: ClimateSetting
) -> None:
    climate = Climate(hvac_mode=now.hvac_mode, heating_set_point_celsius=now.heating_set_point_celsius)
    pending = tuple(Pending(str(number), one) for number, one in enumerate(calls))
    record = kept(base=Base("fallback", None, "x", None, base), is_applied=False, pending=pending)
    step = planned(record, climate).step
    if step is not None:
        assert problem(step.setting, PLAIN, climate) is None
