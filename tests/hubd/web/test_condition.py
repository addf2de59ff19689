from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from hubd.core.health import InstanceHealth
from hubd.driver import DriverConfig, DriverError, Manifest
from hubd.model import BatteryReading, Capabilities, Device, DeviceDescription, DeviceState, LockCapability
from hubd.model.capability import EntranceCapability
from hubd.model.device import Kind
from hubd.model.state import EntranceCondition, Mark
from hubd.store.records import DeviceRecord
from hubd.web import condition
from hubd.web.condition import Rank
from tests.hubd.web.stage import LOCK, Script
from tests.support.clock import ManualClock

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WELL = DeviceState(online=True, locked=True)


def record(state: DeviceState = WELL, capabilities: Capabilities = LOCK) -> DeviceRecord:
    description = DeviceDescription("n", "lock", "zwave_lock", "Room 101", capabilities=capabilities)
    return DeviceRecord(Device("d", "radio", description), state, is_managed=True, found_at=NOON)


def of_kind(kind: Kind, one: DeviceRecord) -> DeviceRecord:
    """Return a device that is of another kind."""
    return replace(one, device=replace(one.device, description=replace(one.device.description, kind=kind)))


def door(*conditions: EntranceCondition, **entrance: Any) -> DeviceRecord:
    """Build a door that is in these conditions."""
    capabilities = Capabilities(lock=LockCapability(can_lock=False), entrance=EntranceCapability(**entrance))
    marks = {condition: Mark(is_on=True, since=NOON) for condition in conditions}
    return of_kind("entrance", record(DeviceState(online=True, conditions=marks), capabilities))


def health(state: str = "connected") -> InstanceHealth:
    manifest = Manifest(
        type="x", title="Z-Wave", config=DriverConfig, create=lambda _: Script(), hops=("server", "controller")
    )
    health = InstanceHealth("radio", manifest, ManualClock())
    if state == "connected":
        health.connected()
    elif state == "lost":
        health.lost(DriverError("controller", "gone", "The stick is gone.", "Plug it in."))
    return health


def test_a_device_that_answers() -> None:
    assert condition.reach(record(), health()) == condition.ANSWERS


@pytest.mark.parametrize(
    ("state", "how", "text"),
    [
        (WELL, "lost", "Behind the lost controller of Z-Wave."),
        (WELL, "starting", "Z-Wave is still connecting."),
        (DeviceState(offline_reason="It sleeps."), "connected", "It sleeps."),
        (DeviceState(), "connected", "The device does not answer."),
        (DeviceState(offline_reason="It sleeps."), "lost", "Behind the lost controller of Z-Wave."),
    ],
)
def test_why_a_device_cannot_be_reached(state: DeviceState, how: str, text: str) -> None:
    reached = condition.reach(record(state), health(how))
    assert (reached.ok, reached.text) == (False, text)


def test_a_driver_that_is_gone_and_a_device_that_is_gone() -> None:
    assert condition.reach(record(), None).text == "Its driver “radio” is not configured any more."
    gone = replace(record(DeviceState(offline_reason="It was excluded.")), removed_at=NOON)
    assert condition.reach(gone, health()).text == "Removed: It was excluded."


@pytest.mark.parametrize(
    ("state", "rank"),
    [
        (WELL, None),
        (DeviceState(online=True, jammed=True), Rank.JAMMED),
        (DeviceState(locked=True), Rank.SILENT),
        (DeviceState(online=True), Rank.POSITION),
        (replace(WELL, battery=BatteryReading(0.05, NOON)), Rank.BATTERY_CRITICAL),
        (replace(WELL, battery=BatteryReading(0.2, NOON)), Rank.BATTERY_LOW),
        (replace(WELL, battery=BatteryReading(0.9, NOON, low=True)), Rank.BATTERY_LOW),
        (replace(WELL, battery=BatteryReading(0.5, NOON)), None),
        (DeviceState(online=True, jammed=True, battery=BatteryReading(0.05, NOON)), Rank.JAMMED),
    ],
)
def test_the_worst_trouble_is_named(state: DeviceState, rank: Rank | None) -> None:
    one = record(state)
    found = condition.trouble(one, condition.reach(one, health()))
    assert (found.rank if found else None) == rank


def test_a_lost_link_is_not_the_devices_trouble() -> None:
    one = record(DeviceState())
    assert condition.trouble(one, condition.reach(one, health("lost"))) is None


def test_a_device_without_a_bolt_needs_no_position() -> None:
    one = record(DeviceState(online=True), Capabilities())
    assert condition.trouble(one, condition.reach(one, health())) is None


@pytest.mark.parametrize(
    ("conditions", "rank", "tone"),
    [
        ((), None, None),
        (("office_mode", "privacy_mode"), None, None),
        (("left_open", "office_mode"), Rank.LEFT_OPEN, "warn"),
        (("low_battery",), Rank.BATTERY_LOW, "warn"),
        (("low_battery", "left_open", "intrusion"), Rank.ALARM, "bad"),
        (("emergency_open",), Rank.ALARM, "bad"),
    ],
)
def test_what_a_door_is_in_is_a_trouble_unless_somebody_wants_it(
    conditions: tuple[EntranceCondition, ...], rank: Rank | None, tone: str | None
) -> None:
    one = door(*conditions)
    found = condition.trouble(one, condition.reach(one, health()))
    assert (found.rank if found else None, found.tone if found else None) == (rank, tone)


def test_an_alarm_comes_before_silence_and_silence_before_a_door_that_was_left_open() -> None:
    silent = replace(door("left_open"), state=replace(door("left_open").state, online=False))
    found = condition.trouble(silent, condition.reach(silent, health()))
    assert found is not None
    assert found.rank is Rank.SILENT
    forced = replace(silent, state=replace(door("intrusion").state, online=False))
    found = condition.trouble(forced, condition.reach(forced, health()))
    assert found is not None
    assert found.rank is Rank.ALARM


def test_a_door_that_only_cards_reach_is_as_it_should_be() -> None:
    one = door(is_standalone=True)
    assert condition.reach(one, health()) == condition.NOT_WIRED
    assert condition.trouble(one, condition.NOT_WIRED) is None
    assert condition.reach(one, health("lost")).ok is False
