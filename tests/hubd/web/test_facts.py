from datetime import UTC, timedelta

import pytest
from msgspec.structs import replace

from hubd.model import (
    BatteryReading,
    Capabilities,
    Climate,
    DeviceState,
    KeypadCapability,
    LinkQuality,
    LockCapability,
    ThermostatCapability,
)
from hubd.model.capability import EncoderCapability
from hubd.model.event import DoorChanged, HopBack, LockChanged, LockUncertain
from hubd.store.records import Row
from hubd.web import facts, words
from hubd.web.condition import ANSWERS
from hubd.web.survey import Known
from tests.hubd.web.stage import LOCK, THERMOSTAT
from tests.hubd.web.test_condition import NOON, door, record

STAMP = words.stamp(NOON, NOON, UTC)


def told(found: facts.Facts) -> dict[str, str]:
    return {fact.label: fact.text.replace("\u00a0", " ") for fact in found.facts}


def test_identity() -> None:
    one = replace(record(), nickname="Suite")
    found = told(facts.identity(one, "Floor 1", STAMP, None))
    assert found["Name on its network"] == "Room 101"
    assert found["Nickname"] == "Suite"
    assert found["Native id"] == "n"
    assert found["Reached through"] == "Floor 1 (radio)"
    assert not found.keys() & {"Firmware", "Manufacturer", "Removed"}
    gone = replace(one, is_managed=False, removed_at=NOON)
    assert facts.identity(gone, "Floor 1", STAMP, STAMP).facts[-1] == facts.Fact("Removed", "", STAMP)
    assert told(facts.identity(gone, "Floor 1", STAMP, STAMP))["Managed"].startswith("no")


def test_notes() -> None:
    one = replace(record(), custom_metadata={"room": "101", "vip": True, "old": False, "gone": None})
    assert told(facts.notes(one)) == {"room": "101", "vip": "yes", "old": "no"}
    many = replace(record(), custom_metadata={str(number): "x" * 1000 for number in range(200)})
    assert len(facts.notes(many).facts) == facts.MAX_NOTES


def test_abilities_of_a_lock() -> None:
    assert told(facts.abilities(LOCK)) == {
        "Bolt": "locks and unlocks on order; tells whether its door is open",
        "Keypad": "30 slots, codes of 4 to 8 digits",
        "Power": "battery, level reported",
    }
    opener = Capabilities(lock=LockCapability(can_lock=False), keypad=KeypadCapability(1, 6, 6), simulated=True)
    found = told(facts.abilities(opener))
    assert found["Bolt"] == "unlocks on order; does not tell whether its door is open"
    assert found["Keypad"] == "1 slot, codes of 6 digits"
    assert found["Simulated"].startswith("yes")
    sensor = Capabilities(lock=LockCapability(can_lock=False, can_unlock=False))
    assert told(facts.abilities(sensor))["Bolt"].startswith("only reports")


def test_abilities_of_a_thermostat() -> None:
    assert told(facts.abilities(THERMOSTAT)) == {
        "Modes": "off, heat, heat and cool",
        "Fan": "auto, on",
        "Heating set-point": "5.0 °C to 30.0 °C",
        "Cooling set-point": "cannot be set",
        "Humidity": "not reported",
        "Power": "reports no battery",
    }
    bare = told(facts.abilities(Capabilities(thermostat=ThermostatCapability(reports_humidity=True))))
    assert (bare["Modes"], bare["Fan"], bare["Humidity"]) == ("none", "cannot be set", "reported")


def test_readings_of_a_lock_with_their_times() -> None:
    state = DeviceState(online=True, locked=True, door_open=False, battery=BatteryReading(0.8, NOON, low=True))
    since = {"lock": STAMP}
    found = facts.readings(Known(record(state), "Room 101", ANSWERS, None), STAMP, STAMP, since)
    assert found.facts == (
        facts.Fact("Reached", "Answers", STAMP),
        facts.Fact("Bolt", "Locked", STAMP),
        facts.Fact("Door", "Closed", None),
        facts.Fact("Battery", "80\u00a0%; the device itself says it is low", STAMP, "read"),
    )


def test_what_is_not_known_is_not_shown_as_a_value() -> None:
    found = told(facts.readings(Known(record(DeviceState(online=True)), "Room 101", ANSWERS, None), None, None, {}))
    assert found == {"Reached": "Answers", "Bolt": "Unknown", "Door": "not known"}
    state = DeviceState(online=True, climate=Climate())
    thermostat = Known(record(state, THERMOSTAT), "Climate 101", ANSWERS, None)
    found = told(facts.readings(thermostat, None, None, {}))
    assert {found[label] for label in ("Temperature", "Humidity", "Mode", "Set to", "Fan")} == {"not known"}


@pytest.mark.parametrize(
    ("link", "said"),
    [
        (LinkQuality(NOON), "not known"),
        (LinkQuality(NOON, signal_dbm=-67.0, route=()), "-67 dBm; reached directly"),
        (
            LinkQuality(NOON, round_trip_ms=45.4, route=("Hall", "Lobby"), lost_ratio=0.02),
            "through Hall, Lobby; answers in 45 ms; 2 % of the commands to it lost",
        ),
    ],
)
def test_how_well_a_device_is_reached(link: LinkQuality, said: str) -> None:
    known = Known(record(DeviceState(online=True, link=link)), "Room 101", ANSWERS, None)
    assert told(facts.readings(known, None, None, {}, STAMP))["Radio"] == said


def test_last_moves() -> None:
    def row(seq: int, event: LockChanged | LockUncertain | DoorChanged | HopBack) -> Row:
        at = NOON + timedelta(seconds=seq)
        return Row(seq, "", None, None, "d", at, at, event)

    rows = [
        row(5, HopBack()),
        row(4, LockUncertain(jammed=True)),
        row(3, DoorChanged(open=True)),
        row(2, LockChanged(locked=True, method="manual")),
        row(1, DoorChanged(open=False)),
    ]
    assert {what: moved.seq for what, moved in facts.last_moves(rows).items()} == {"lock": 4, "door": 3}
    assert facts.last_moves([]) == {}


def test_how_a_thermostat_is_set_can_be_left_to_another_place() -> None:
    thermostat = Known(record(DeviceState(online=True, climate=Climate()), THERMOSTAT), "Climate 101", ANSWERS, None)
    found = told(facts.readings(thermostat, None, None, {}, has_settings=False))
    assert list(found) == ["Reached", "Temperature", "Humidity"]


def test_readings_of_a_door_have_its_conditions_and_no_bolt() -> None:
    one = door("privacy_mode")
    found = facts.readings(
        Known(one, "Main", ANSWERS, None), STAMP, None, {}, conditions=facts.conditions(one.state, lambda _: STAMP)
    )
    assert found.facts == (
        facts.Fact("Reached", "Answers", STAMP),
        facts.Fact("Privacy mode", "yes: keys do not open it", STAMP),
    )
    ajar = replace(one, state=replace(one.state, door_open=True))
    assert told(facts.readings(Known(ajar, "Main", ANSWERS, None), None, None, {}))["Door"] == "Open"


def test_abilities_of_doors_and_encoders() -> None:
    found = told(facts.abilities(door(description="<b>2nd</b>").device.description.capabilities))
    assert found == {
        "Type": "Door",
        "Description": "<b>2nd</b>",
        "Opening": "opens on order; it locks itself again",
        "Openings": "not kept on keys",
        "Power": "reports no battery",
    }
    assert told(facts.abilities(Capabilities(encoder=EncoderCapability()))) == {
        "Encoder": "writes cards, one at a time"
    }
