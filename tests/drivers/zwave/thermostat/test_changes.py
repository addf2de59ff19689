from hubd_drivers.zwave.facts import ValueId
from hubd_drivers.zwave.thermostat.changes import LONGEST_SECONDS, QUIET_SECONDS, Changes

MODE, HEATING, SENSOR = ValueId(64, 0, "mode"), ValueId(67, 0, "setpoint", 1), ValueId(49, 0, "Air temperature")


def test_a_burst_is_over_when_it_is_quiet() -> None:
    changes = Changes()
    assert changes.due() is None
    changes.touch(10.0)
    changes.touch(10.2)
    assert changes.due() == 10.2 + QUIET_SECONDS
    changes.end()
    assert changes.due() is None


def test_a_thermostat_that_never_stops_is_heard_all_the_same() -> None:
    changes = Changes()
    for tenths in range(40):
        changes.touch(tenths / 10)
    assert changes.due() == LONGEST_SECONDS


def test_settings_are_known_until_they_were_told_and_measurements_are_none() -> None:
    changes = Changes()
    for value_id in (MODE, SENSOR, HEATING, MODE):
        changes.note(value_id)
    assert changes.settings == {MODE, HEATING}
    changes.end()
    assert changes.settings == set()


def test_nothing_is_due_while_a_command_is_under_way() -> None:
    changes = Changes()
    changes.hold()
    changes.touch(1.0)
    assert changes.due() is None
    changes.release()
    assert changes.due() == 1.0, "nothing else would wake who tells it"
    changes.touch(1.1)
    assert changes.due() == 1.1 + QUIET_SECONDS
