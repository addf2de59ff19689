from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from hubd.model import (
    BatteryReading,
    Capabilities,
    Climate,
    DeviceState,
    EncodeCredential,
    LockDoor,
    Order,
    SimulateRemoval,
    UnlockDoor,
)
from hubd.model.capability import EncoderCapability
from hubd.web import rows
from hubd.web.condition import ANSWERS, NOT_WIRED, Reach
from hubd.web.survey import Known
from tests.hubd.web.test_condition import NOON, door, of_kind, record

SILENT = Reach(ok=False, text="The device does not answer.", is_own=True)


def known(state: DeviceState, reach: Reach = ANSWERS, capabilities: Capabilities | None = None) -> Known:
    one = record(state) if capabilities is None else record(state, capabilities)
    return Known(one, "Room 101", reach, None)


def row(one: Known, *, acts: bool = True) -> rows.DeviceRow:
    return rows.device_row(one, None, NOON, UTC, acts=acts)


@pytest.mark.parametrize(
    ("state", "text", "tone"),
    [
        (DeviceState(online=True, locked=True), "Locked", "ok"),
        (DeviceState(online=True, locked=False), "Unlocked", "note"),
        (DeviceState(online=True, jammed=True), "Jammed", "bad"),
        (DeviceState(online=True), "Unknown", "warn"),
    ],
)
def test_the_bolt(state: DeviceState, text: str, tone: str) -> None:
    badge = rows.badge(known(state))
    assert badge is not None
    assert (badge.text, badge.tone, badge.is_stale) == (text, tone, False)


def test_a_state_that_cannot_be_asked_for_is_only_the_last_known() -> None:
    badge = rows.badge(known(DeviceState(locked=True), SILENT))
    assert badge is not None
    assert badge.is_stale
    unknown = rows.badge(known(DeviceState(), SILENT))
    assert unknown is not None
    assert (unknown.text, unknown.is_stale) == ("Unknown", False)


def test_a_thermostat() -> None:
    climate = Climate(
        temperature_celsius=20.5,
        relative_humidity=0.44,
        hvac_mode="heat",
        heating_set_point_celsius=21.0,
        cooling_set_point_celsius=25.0,
        is_heating=True,
    )
    one = row(known(DeviceState(online=True, climate=climate), capabilities=Capabilities()))
    assert one.badge is not None
    assert one.badge.text == "20.5\u00a0°C"
    assert one.note.replace("\u00a0", " ") == "44 % humidity · heat to 21.0 °C · heating now"
    assert (one.can_lock, one.can_unlock, one.door, one.battery) == (False, False, "", None)


@pytest.mark.parametrize(
    ("climate", "text"),
    [
        (Climate(hvac_mode="off", heating_set_point_celsius=21.0), "off"),
        (Climate(hvac_mode="cool", cooling_set_point_celsius=25.0, is_cooling=True), "cool to 25.0 °C · cooling now"),
        (Climate(hvac_mode="heat_cool"), "heat cool"),
        (Climate(is_fan_running=True), "fan running"),
        (Climate(), ""),
    ],
)
def test_settings(climate: Climate, text: str) -> None:
    one = row(known(DeviceState(online=True, climate=climate), capabilities=Capabilities()))
    assert one.note.replace("\u00a0", " ") == text
    assert one.badge is not None
    assert one.badge.text == "No reading"


def test_a_device_without_a_state() -> None:
    assert rows.badge(known(DeviceState(online=True), capabilities=Capabilities())) is None


@pytest.mark.parametrize(
    ("level", "low", "text", "tone"),
    [(0.9, False, "90 %", "quiet"), (0.2, False, "20 %, low", "warn"), (0.05, False, "5 %, critical", "bad")],
)
def test_the_battery(level: float, text: str, tone: str, *, low: bool) -> None:
    battery = rows.battery_words(BatteryReading(level, NOON, low), NOON, UTC)
    assert (battery.text.replace("\u00a0", " "), battery.tone, battery.read_at) == (text, tone, None)


def test_an_old_reading_tells_its_time() -> None:
    old = datetime(2026, 2, 27, 12, tzinfo=UTC)
    read_at = rows.battery_words(BatteryReading(0.9, old), NOON, UTC).read_at
    assert read_at is not None
    assert read_at.text == "27 Feb 12:00"
    assert rows.battery_words(BatteryReading(0.9, NOON - timedelta(hours=24)), NOON, UTC).read_at is None


def test_buttons_are_for_those_who_act_on_managed_locks() -> None:
    one = known(DeviceState(online=True, locked=True))
    assert row(one).can_lock
    assert row(one).can_unlock
    assert not row(one, acts=False).can_unlock
    unmanaged = Known(replace(one.record, is_managed=False), one.name, one.reach, None)
    assert not row(unmanaged).can_unlock
    removed = Known(replace(one.record, removed_at=NOON), one.name, one.reach, None)
    assert not row(removed).can_unlock


@pytest.mark.parametrize(
    ("order", "text"),
    [
        (None, ""),
        (LockDoor(device_id="d", native_id="n"), "Locking…"),
        (UnlockDoor(device_id="d", native_id="n"), "Unlocking…"),
        (SimulateRemoval(device_id="d", native_id="n"), "An order is under way…"),
        (
            EncodeCredential(device_id="d", native_id="n", user="u", credential_id="c", is_new_key=True),
            "Writing a card…",
        ),
    ],
)
def test_what_is_under_way(order: Order | None, text: str) -> None:
    assert rows.doing_words(order) == text


def test_codes_with_errors_are_counted() -> None:
    one = known(DeviceState(online=True, locked=True))
    assert row(one).codes == ""
    for number, text in ((1, "1 code with an error"), (3, "3 codes with errors")):
        assert row(replace(one, wrong_codes=number)).codes.replace("\u00a0", " ") == text


def test_a_door_says_what_it_is_in_since_when() -> None:
    one = row(Known(door("office_mode", "intrusion", type="suite"), "Main", ANSWERS, None))
    assert one.badge == rows.Badge("Online", "ok", "ok")
    assert [(notice.text, notice.tone, notice.since.text) for notice in one.notices] == [
        ("Opened by force", "bad", "12:00:00"),
        ("Office mode", "warn", "12:00:00"),
    ]
    assert (one.about, one.can_lock, one.can_unlock, one.battery) == ("Suite", False, True, None)
    assert row(known(DeviceState(online=True, locked=True))).notices == ()


def test_doors_and_encoders_that_are_not_there_or_not_wired() -> None:
    assert rows.badge(Known(door(), "Main", SILENT, None)) == rows.Badge("Offline", "bad", "broken")
    alone = Known(door(is_standalone=True), "Room", NOT_WIRED, None)
    assert rows.badge(alone) == rows.Badge("Standalone", "quiet", "off")
    assert row(alone).reach == "Not wired"
    encoder = of_kind("encoder", record(DeviceState(online=True), Capabilities(encoder=EncoderCapability())))
    at_desk = row(Known(encoder, "Desk", ANSWERS, None))
    assert at_desk.badge == rows.Badge("Online", "ok", "ok")
    assert (at_desk.about, at_desk.can_unlock) == ("Encoder", False)


def test_a_door_that_tells_no_level_tells_that_its_battery_is_low() -> None:
    low = row(Known(door("low_battery"), "Room", ANSWERS, None))
    assert low.battery == rows.Battery("Low", "warn", None)
    both = replace(door("low_battery"), state=replace(door("low_battery").state, battery=BatteryReading(0.9, NOON)))
    battery = row(Known(both, "Room", ANSWERS, None)).battery
    assert battery is not None
    assert battery.text == "90\u00a0%"


def test_the_make() -> None:
    assert rows.about("lock", "Yale", "YRD256") == "Lock, Yale YRD256"
    assert rows.about("other", None, None) == "Other"
    assert rows.about("lock", None, "x" * 5000) == "Lock, " + "x" * 59 + "…"
