from datetime import UTC, datetime, timedelta
from typing import Any

from hubd_drivers.zwave.device import ZwaveDevice
from hubd_drivers.zwave.events import (
    BatteryWarned,
    MetadataReported,
    Notified,
    StatusChanged,
    ValueReported,
    read_event,
)
from hubd_drivers.zwave.facts import (
    STATUS_ALIVE,
    STATUS_ASLEEP,
    STATUS_AWAKE,
    STATUS_DEAD,
    NodeFacts,
    ValueId,
    read_node,
)
from hypothesis import given
from hypothesis import strategies as st

from hubd.driver.contract import check_description
from hubd.model import BatterySeen, ClimateSeen, DenialSeen, DoorSeen, LockSeen, ReachabilitySeen, Seen, TamperSeen
from tests.drivers.zwave.fakes import CURRENT, HOME_ID, LOCK_STATE, lock_node, node, value
from tests.drivers.zwave.strategies import events, nodes

DOOR = ValueId(113, 0, "Access Control", "Door state")
COVER = ValueId(113, 0, "Home Security", "Cover status")
KEYPAD_STATE = ValueId(113, 0, "Access Control", "Keypad state")
LEVEL = ValueId(128, 0, "level")


def device(facts: NodeFacts) -> ZwaveDevice:
    made = ZwaveDevice(facts, "id", HOME_ID, None, 0.7)
    made.first_readings(trust_bolt=True)
    return made


def report(target: ZwaveDevice, value_id: ValueId, content: object, seq: int = 1) -> list[Seen]:
    return target.value(ValueReported(2, value_id, content), 0.0, seq)


def test_first_readings_are_all_that_is_known() -> None:
    facts = lock_node(2, 255, value(98, "doorStatus", "closed"), value(128, "level", 50))
    seen = ZwaveDevice(facts, "id", HOME_ID, None, 0.7).first_readings(trust_bolt=True)
    assert seen == [
        ReachabilitySeen(native_id="id", online=True),
        LockSeen(native_id="id", locked=True),
        BatterySeen(native_id="id", level=0.5),
        DoorSeen(native_id="id", open=False),
    ]


def test_a_bolt_that_is_not_proven_is_not_read() -> None:
    seen = ZwaveDevice(lock_node(2, 255), "id", HOME_ID, None, 0.7).first_readings(trust_bolt=False)
    assert [type(one) for one in seen] == [ReachabilitySeen]


def test_of_a_node_nobody_has_heard_of_yet_nothing_is_said() -> None:
    assert ZwaveDevice(lock_node(2, status=0), "id", HOME_ID, None, 0.7).first_readings(trust_bolt=False) == []


def test_one_turn_of_a_key() -> None:
    lock = device(lock_node(2, 255))
    assert report(lock, CURRENT, 0) == []
    assert lock.notice(Notified(2, 6, 2), 0.01) == [LockSeen(native_id="id", locked=False, method="manual")]
    assert report(lock, CURRENT, 0, seq=2) == []


def test_a_jam_is_told_once_and_so_is_its_end() -> None:
    lock = device(lock_node(2, 255, value(113, "Access Control", 0, key="Lock state")))
    assert report(lock, LOCK_STATE, 11) == [LockSeen(native_id="id", locked=None, jammed=True)]
    assert report(lock, LOCK_STATE, 11) == []
    assert report(lock, LOCK_STATE, 0) == [LockSeen(native_id="id", locked=True)]
    assert lock.notice(Notified(2, 6, 8), 0.0) == [LockSeen(native_id="id", locked=None, jammed=True)]


def test_refusals_and_tampering() -> None:
    lock = device(lock_node(2))
    assert [type(seen) for seen in report(lock, KEYPAD_STATE, 16)] == [DenialSeen]
    assert [type(seen) for seen in lock.notice(Notified(2, 6, 50), 0.0)] == [DenialSeen]
    assert [type(seen) for seen in report(lock, COVER, 3)] == [TamperSeen]
    assert [type(seen) for seen in report(lock, COVER, 3)] == [TamperSeen], "each report is an incident of its own"
    assert report(lock, COVER, 0) == []
    assert lock.notice(Notified(2, 6, 14, 3), 0.0) == []


def test_something_that_is_no_lock_has_neither_uses_nor_refusals() -> None:
    sensor = device(node(2, value(113, "Home Security", 0, key="Cover status")))
    assert sensor.notice(Notified(2, 6, 6, 3), 0.0) == []
    assert sensor.notice(Notified(2, 7, 4), 0.0) == []
    assert [type(seen) for seen in sensor.notice(Notified(2, 7, 9), 0.0)] == [TamperSeen]


def test_a_door_is_told_when_it_moves() -> None:
    lock = device(lock_node(2, 0, value(113, "Access Control", 22, key="Door state"), classes={98: 2}))
    assert report(lock, DOOR, 22) == []
    assert report(lock, DOOR, 23) == [DoorSeen(native_id="id", open=False)]


def test_a_door_sensor_that_shows_itself_late_is_described() -> None:
    lock = device(lock_node(2, classes={98: 2}))
    assert report(lock, DOOR, 22) == [DoorSeen(native_id="id", open=True)]
    description = lock.described()
    assert description is not None
    assert description.capabilities.lock is not None
    assert description.capabilities.lock.reports_door
    assert lock.described() is None


def test_each_battery_level_is_told_for_its_time_and_a_warning_lasts_until_the_next() -> None:
    lock = device(lock_node(2, 0, value(128, "level", 50)))
    assert report(lock, LEVEL, 50) == [BatterySeen(native_id="id", level=0.5)]
    assert lock.battery_warned() == [BatterySeen(native_id="id", level=0.5, low=True)]
    assert report(lock, CURRENT, 0) == []
    assert report(lock, LEVEL, 90) == [BatterySeen(native_id="id", level=0.9)]


HEATING = ValueId(67, 0, "setpoint", 1)
MODE = ValueId(64, 0, "mode")


def thermostat(raw: float = 20, unit: str = "°C", **more: object) -> ZwaveDevice:
    return device(node(2, value(64, "mode", 0), value(67, "setpoint", raw, key=1, unit=unit), **more))


def test_a_thermostat_s_condition_is_told_as_a_whole_and_once_for_a_burst() -> None:
    made = thermostat()
    assert made.due() is None
    assert report(made, HEATING, 22) == report(made, MODE, 1) == []
    due = made.due()
    assert due is not None
    assert made.flush(due - 0.01) == []
    assert made.changes.settings == {HEATING, MODE}
    (seen,) = made.flush(due)
    assert isinstance(seen, ClimateSeen)
    assert (seen.climate.hvac_mode, seen.climate.heating_set_point_celsius, seen.source) == ("heat", 22.0, None)
    assert made.due() is None
    assert made.flush(99.0) == []
    assert made.changes.settings == set()


def test_a_value_that_comes_and_goes_is_not_told() -> None:
    made = thermostat()
    report(made, HEATING, 22)
    report(made, HEATING, 20)
    assert made.flush(99.0) == []


def test_what_an_outcome_tells_is_not_told_again() -> None:
    made = thermostat()
    made.changes.hold()
    report(made, HEATING, 22)
    assert made.flush(99.0) == []
    made.read_back({HEATING: 22})
    assert made.due() is None
    assert made.flush(99.0) == []
    made.changes.hold()
    report(made, HEATING, 23)
    made.read_back({})
    assert [type(one) for one in made.flush(99.0)] == [ClimateSeen], "nobody else tells it"


def test_a_thermostat_s_limits_and_steps_are_described_as_they_show() -> None:
    made = thermostat(68, "°F")
    assert made.capability is not None
    assert (made.capability.heating, made.capability.step) == (None, 1.0)
    made.metadata(MetadataReported(2, HEATING, {"unit": "°F", "min": 41, "max": 86}))
    assert made.described() is not None
    assert made.capability.heating is not None
    report(made, HEATING, 68.5)
    assert made.described() is not None
    report(made, HEATING, 68)
    assert made.described() is None, "a device that has halves keeps them"
    assert made.capability.step is None


def test_a_thermostat_that_wakes_is_told_each_time() -> None:
    made = thermostat(status=STATUS_ASLEEP)
    for _ in range(2):
        assert made.status(STATUS_AWAKE) == [ReachabilitySeen(native_id="id", online=True)]
        assert made.status(STATUS_ASLEEP) == []


def test_dead_and_alive_are_told_once_and_sleep_is_no_absence() -> None:
    lock = device(lock_node(2))
    assert lock.status(STATUS_ALIVE) == []
    gone = lock.status(STATUS_DEAD)
    assert [(type(seen), getattr(seen, "online", None)) for seen in gone] == [(ReachabilitySeen, False)]
    assert lock.is_dead
    assert lock.status(STATUS_DEAD) == []
    assert lock.status(STATUS_ASLEEP) == [ReachabilitySeen(native_id="id", online=True)]
    assert lock.is_asleep
    assert lock.status(STATUS_AWAKE) == []


NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def sleeper(**more: object) -> ZwaveDevice:
    return ZwaveDevice(
        node(6, value(132, "wakeUpInterval", 3600), status=STATUS_ASLEEP, **more), "id", HOME_ID, None, 0.7
    )


def test_a_sleeper_is_online_until_it_has_missed_three_wake_ups() -> None:
    made = sleeper(lastSeen="2026-11-22T09:00:00Z")
    assert made.overslept(NOON) == [ReachabilitySeen(native_id="id", online=True)]
    assert made.first_readings(trust_bolt=False) == []
    (gone,) = made.overslept(NOON + timedelta(minutes=1))
    assert isinstance(gone, ReachabilitySeen)
    assert not gone.online
    assert "missed 3 of its wake-ups; it was last heard: 2026-11-22 09:00 UTC." in str(gone.reason)
    assert made.overslept(NOON + timedelta(hours=1)) == []
    assert made.status(STATUS_AWAKE) == [ReachabilitySeen(native_id="id", online=True)]
    made.heard(NOON + timedelta(hours=1))
    assert made.status(STATUS_ASLEEP) == []
    assert made.overslept(NOON + timedelta(hours=4)) == []


def test_a_sleeper_nobody_ever_heard_is_given_its_time_from_now_on() -> None:
    made = sleeper()
    assert [getattr(seen, "online", None) for seen in made.overslept(NOON)] == [True]
    assert made.overslept(NOON + timedelta(hours=3)) == []
    assert len(made.overslept(NOON + timedelta(hours=3, seconds=1))) == 1


def test_a_sleeper_that_need_not_wake_is_never_late() -> None:
    made = sleeper(lastSeen="2020-01-01T00:00:00Z")
    made.facts = made.facts.with_value(ValueId(132, 0, "wakeUpInterval"), 0)
    assert [getattr(seen, "online", None) for seen in made.overslept(NOON)] == [True]


def test_what_listens_is_not_late_however_long_it_is_quiet() -> None:
    quiet = ZwaveDevice(lock_node(2, lastSeen="2020-01-01T00:00:00Z"), "id", HOME_ID, None, 0.7)
    assert [getattr(seen, "online", None) for seen in quiet.overslept(NOON)] == [True]


def test_an_incident_told_in_both_ways_is_one() -> None:
    lock = device(lock_node(2))
    for first, second in ((True, False), (False, True)):
        now = 10.0 if first else 20.0
        assert len(lock.notice(Notified(2, 6, 19, is_legacy=first), now)) == 1
        assert lock.notice(Notified(2, 6, 19, is_legacy=second), now + 0.1) == []
    assert len(lock.notice(Notified(2, 7, 3, is_legacy=True), 20.1)) == 1
    assert len(lock.notice(Notified(2, 6, 19), 30.0)) == 1


def test_an_alarm_of_the_battery_is_a_warning() -> None:
    lock = device(lock_node(2, 0, value(128, "level", 50)))
    assert lock.battery_level == 0.5
    assert lock.notice(Notified(2, 8, 10, is_legacy=True), 0.0) == [BatterySeen(native_id="id", level=0.5, low=True)]


@given(nodes(), st.lists(events(), max_size=6))
def test_nothing_that_arrives_is_too_odd(raw: Any, heard: list[dict[str, Any]]) -> None:
    facts = read_node(raw)
    assert facts is not None
    made = device(facts)
    for seq, event in enumerate((read_event(one) for one in heard), start=1):
        match event:
            case ValueReported():
                made.value(event, float(seq), seq)
            case MetadataReported():
                made.metadata(event)
            case Notified():
                made.notice(event, float(seq))
            case BatteryWarned():
                made.battery_warned()
            case StatusChanged():
                made.status(event.status)
            case _:
                pass
        made.described()
        check_description(made.description)
