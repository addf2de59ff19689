from datetime import datetime

import msgspec
import pytest
from hubd_drivers.zwave import mapping
from hubd_drivers.zwave.facts import NodeFacts, read_node
from hypothesis import given

from hubd.driver.contract import check_description
from hubd.model import BatterySeen, Capabilities, KeypadCapability, LockCapability
from tests.drivers.zwave.fakes import HOME_ID, lock_node, node, value
from tests.drivers.zwave.strategies import JSON, nodes

SCHLAGE = {"manufacturer": "Allegion", "label": "BE469ZP", "description": "Touchscreen Deadbolt Z-Wave Plus"}


def test_a_lock_is_described_whole() -> None:
    facts = lock_node(5, 0, value(128, "level", 87), deviceConfig=SCHLAGE, firmwareVersion="0.11")
    found = mapping.describe(facts, "id", HOME_ID, KeypadCapability(30, 4, 8))
    check_description(found)
    assert (found.kind, found.device_type, found.name) == ("lock", "schlage_lock", "Touchscreen Deadbolt Z-Wave Plus")
    assert (found.manufacturer, found.model, found.firmware) == ("Allegion", "BE469ZP", "0.11")
    assert found.capabilities == Capabilities(
        lock=LockCapability(), keypad=KeypadCapability(30, 4, 8), battery=True, battery_report_hours=168
    )
    assert found.hardware_ids == ("zwave-node:7e570001:5",)


@pytest.mark.parametrize(
    ("facts", "wake", "hours"),
    [
        (node(6, value(128, "level", 50), value(132, "wakeUpInterval", 3600), canSleep=True), 3600, 169),
        (node(6, value(128, "level", 50), canSleep=True), 86_400, 192),
        (node(6, value(128, "level", 50), value(132, "wakeUpInterval", 0), status=1), None, None),
        (node(6, value(132, "wakeUpInterval", 600), status=2), 600, None),
    ],
)
def test_sleepers_promise_what_their_wake_up_interval_promises(
    facts: NodeFacts, wake: float | None, hours: float | None
) -> None:
    assert mapping.sleeps(facts)
    assert mapping.wake_interval(facts) == wake
    assert mapping.battery_report_hours(facts) == hours


def test_an_alarm_that_zwave_js_has_put_into_a_state_does_not_stay_for_ever() -> None:
    state = value(113, "Power Management", 14, key="Battery level status")
    level = value(128, "level", 90)
    says_low = [
        mapping.battery(node(2, level, *more), "id") for more in ([state], [state, value(113, "alarmType", 167)])
    ]
    assert [seen is not None and seen.low for seen in says_low] == [True, False]


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        (lock_node(5, name="Front door", deviceConfig=SCHLAGE), "Front door"),
        (lock_node(5, location="Room 12", deviceConfig=SCHLAGE), "Touchscreen Deadbolt Z-Wave Plus (Room 12)"),
        (lock_node(5, deviceConfig={"manufacturer": "Yale", "label": "YRD256"}), "Yale YRD256"),
        (lock_node(5, deviceConfig={"manufacturer": "Yale"}), "Door lock 7e570001-5"),
        (lock_node(5), "Door lock 7e570001-5"),
        (node(4, value(64, "mode", 1)), "Thermostat 7e570001-4"),
        (node(6, value(49, "Air temperature", 20)), "Z-Wave device 7e570001-6"),
    ],
)
def test_names_are_the_device_s_own_and_no_placeholder(facts: NodeFacts, name: str) -> None:
    assert mapping.describe(facts, "id", HOME_ID, None).name == name


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"ready": False, "interviewStage": "NodeInfo"}, "under way (last completed stage: NodeInfo)"),
        ({"ready": False, "interviewStage": None}, "Its interview has just begun"),
        ({"ready": False, "interviewStage": "ProtocolInfo", "status": 1}, "wake it"),
        ({"ready": False, "interviewStage": "ProtocolInfo", "status": 3}, "does not answer"),
        ({"ready": False, "interviewStage": "Failed"}, "interview it again"),
        ({"manufacturerId": None, "classes": {98: 4, 114: 2}}, "who made it"),
    ],
)
def test_a_node_that_is_not_known_well_enough_waits_with_its_reason(more: dict[str, object], words: str) -> None:
    reason = mapping.why_pending(lock_node(2, **more))
    assert reason is not None
    assert words in reason
    assert reason.endswith(".")


def test_a_node_that_is_interviewed_need_not_be_awake() -> None:
    assert mapping.why_pending(lock_node(2, ready=False, status=3)) is None
    assert mapping.why_pending(lock_node(2)) is None


@pytest.mark.parametrize(
    ("pins", "expected"),
    [
        (
            {"numberOfCredentialSlots": 30, "minCredentialLength": 4, "maxCredentialLength": 10},
            KeypadCapability(30, 4, 10),
        ),
        ({"numberOfCredentialSlots": 30, "minCredentialLength": 10, "maxCredentialLength": 4}, KeypadCapability(30)),
        ({"numberOfCredentialSlots": 30}, KeypadCapability(30)),
        ({"numberOfCredentialSlots": 0}, None),
        ("?", None),
    ],
)
def test_keypads(pins: object, expected: KeypadCapability | None) -> None:
    assert mapping.keypad({"capabilities": {"supportedCredentialTypes": {"1": pins}}}) == expected


def test_a_lock_that_takes_letters_has_passwords_and_takes_digits_too() -> None:
    long = {"numberOfCredentialSlots": 30, "minCredentialLength": 4, "maxCredentialLength": 10}
    short = {**long, "maxCredentialLength": 8}
    for types, expected in (
        ({"2": long}, KeypadCapability(30, 4, 10)),
        ({"1": short, "2": long}, KeypadCapability(30, 4, 8)),
        ({"3": long}, None),
    ):
        assert mapping.keypad({"capabilities": {"supportedCredentialTypes": types}}) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([value(128, "level", 87)], (0.87, False)),
        ([value(128, "level", 9), value(128, "isLow", content=True)], (0.09, True)),
        ([value(128, "level", 40), value(128, "rechargeOrReplace", 2)], (0.4, True)),
        ([value(128, "level", 40), value(113, "Power Management", 11, key="Battery maintenance status")], (0.4, True)),
        ([value(128, "isLow", content=True)], (0.0, True)),
        ([value(128, "level", 255)], None),
        ([value(128, "level", "full")], None),
        ([], None),
    ],
)
def test_batteries(values: list[dict[str, object]], expected: tuple[float, bool] | None) -> None:
    found = mapping.battery(node(2, *values), "id")
    assert found == (None if expected is None else BatterySeen(native_id="id", level=expected[0], low=expected[1]))


def test_readings_are_only_what_the_device_measures() -> None:
    facts = lock_node(2, 0, value(98, "doorStatus", "open"), value(128, "level", 50))
    readings = mapping.readings(facts, "id", LockCapability(reports_door=True))
    assert (readings.battery is None, readings.door is None, readings.climate is None) == (False, False, True)
    assert mapping.readings(facts, "id", LockCapability()).door is None
    assert mapping.readings(node(4, value(64, "mode", 1)), "id", None).climate is not None


@given(nodes(), JSON)
def test_whatever_a_node_says_is_described_or_waits(raw: object, credentials: object) -> None:
    facts = read_node(raw)
    assert facts is not None
    reason = mapping.why_pending(facts)
    assert reason is None or reason.endswith(".")
    found = mapping.describe(facts, "id", HOME_ID, mapping.keypad(credentials))
    check_description(found)
    readings = mapping.readings(facts, "id", found.capabilities.lock)
    assert readings.battery is None or 0.0 <= readings.battery.level <= 1.0
    encoded = msgspec.json.encode([found, *readings], enc_hook=datetime.isoformat)
    assert msgspec.json.decode(encoded)
