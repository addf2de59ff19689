from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from hubd.model import BatteryReading, DeviceState, LockDoor, done
from hubd.model.event import (
    AccountEdited,
    BatteryChanged,
    CommandAccepted,
    CommandResolved,
    CommandSettled,
    CommandStarted,
    DeviceConnected,
    DeviceDescribed,
    DeviceDisconnected,
    DeviceEdited,
    DeviceFound,
    DeviceRemoved,
    DeviceReplaced,
    DoorChanged,
    DuplicateNoticed,
    Event,
    HopBack,
    HopLost,
    HubStarted,
    LockChanged,
    LockDenied,
    LockUncertain,
)
from hubd.store.fold import fold
from hubd.store.records import DROPS, CommandRecord, DeviceRecord, InstanceRecord, Loss, Resolution
from hubd.store.tables import Overlay, Tables, View
from tests.support.clock import NOON
from tests.support.store import device

LATER = NOON + timedelta(minutes=5)
STATE = DeviceState(
    online=True, changed_at=NOON, locked=True, jammed=False, door_open=False, battery=BatteryReading(0.5, NOON)
)
KNOWN = DeviceRecord(device("a"), STATE, is_managed=True, found_at=NOON, nickname="Suite", custom_metadata={"k": "v"})


def folded(*events: Event, known: DeviceRecord | None = KNOWN) -> View:
    tables = Tables()
    if known is not None:
        tables.put_device(known)
    view = View(tables, Overlay(), LATER)
    for event in events:
        fold(view, event, "front", "a", LATER)
    return view


@pytest.mark.parametrize(
    ("event", "changes"),
    [
        (
            DeviceDisconnected(error_code="device_disconnected", reason="No."),
            {"online": False, "offline_reason": "No."},
        ),
        (LockChanged(locked=False, method="manual"), {"locked": False}),
        (LockUncertain(jammed=True), {"locked": None, "jammed": True}),
        (LockUncertain(jammed=False), {"locked": None, "jammed": False}),
        (DoorChanged(open=True), {"door_open": True}),
        (DoorChanged(open=None), {"door_open": None}),
        (BatteryChanged(level=0.1, status="low"), {}),
        (LockDenied(reason="unknown_code", message="No."), {}),
    ],
)
def test_state(event: Event, changes: dict[str, Any]) -> None:
    expected = {name: getattr(STATE, name) for name in STATE.__struct_fields__} | changes
    if "online" in changes:
        expected["changed_at"] = LATER
    record = folded(event).device("a")
    assert record is not None
    assert record.state == DeviceState(**expected)
    assert (record.nickname, record.is_managed, record.found_at) == ("Suite", True, NOON)


def test_a_jammed_bolt_that_moves_is_jammed_no_more() -> None:
    record = folded(LockUncertain(jammed=True), LockChanged(locked=True, method="unknown")).device("a")
    assert record is not None
    assert (record.state.locked, record.state.jammed) == (True, False)


def test_back_online_has_no_reason() -> None:
    gone = DeviceDisconnected(error_code="device_disconnected", reason="No.")
    record = folded(gone, DeviceConnected()).device("a")
    assert record is not None
    assert (record.state.online, record.state.offline_reason, record.state.changed_at) == (True, None, LATER)


def test_a_loss_that_is_told_later_counts_from_when_it_began() -> None:
    early = NOON + timedelta(minutes=4)
    silent = replace(KNOWN, untold_since=early)
    gone = DeviceDisconnected(error_code="device_disconnected", reason="No.", since=early, flaky_since=LATER)
    record = folded(gone, known=silent).device("a")
    assert record is not None
    assert (record.untold_since, record.state.changed_at) == (None, early)
    assert (record.drops, record.flaky_since) == ((early,), LATER)
    more = folded(*[DeviceDisconnected(error_code="device_disconnected", reason="No.")] * 9).device("a")
    assert more is not None
    assert (more.drops, more.flaky_since) == ((LATER,) * DROPS, None)
    removed = folded(DeviceRemoved(reason="excluded"), known=silent).device("a")
    assert removed is not None
    assert removed.untold_since is None


def test_a_device_that_returns_keeps_what_people_set() -> None:
    removed = folded(DeviceRemoved(reason="excluded"))
    gone = removed.device("a")
    assert gone is not None
    assert (gone.removed_at, gone.state.online, gone.state.offline_reason) == (LATER, False, "excluded")
    fold(removed, DeviceFound(device=device("a", instance="x"), is_managed=False), "x", "a", LATER)
    back = removed.device("a")
    assert back is not None
    assert (back.removed_at, back.nickname, back.custom_metadata) == (None, "Suite", {"k": "v"})
    assert (back.found_at, back.is_managed, back.device.instance) == (NOON, False, "x")


def test_a_new_device_starts_unknown() -> None:
    record = folded(DeviceFound(device=device("a"), is_managed=True), known=None).device("a")
    assert record == DeviceRecord(device("a"), DeviceState(changed_at=LATER), is_managed=True, found_at=LATER)


def test_edits_touch_what_they_name() -> None:
    record = folded(DeviceEdited(nickname=None)).device("a")
    assert record is not None
    assert (record.name, record.is_managed, record.custom_metadata) == ("a", True, {"k": "v"})
    record = folded(DeviceEdited(is_managed=False, custom_metadata={})).device("a")
    assert record is not None
    assert (record.name, record.is_managed, record.custom_metadata) == ("Suite", False, {})
    record = folded(DeviceDescribed(device=device("a", battery=True))).device("a")
    assert record is not None
    assert record.device.description.capabilities.battery
    assert record.nickname == "Suite"


@pytest.mark.parametrize(
    "event",
    [
        LockChanged(locked=True, method="manual"),
        DeviceRemoved(reason="x"),
        DeviceEdited(nickname="x"),
        HubStarted(version="1"),
    ],
)
def test_events_about_what_is_not_known_change_nothing(event: Event) -> None:
    view = folded(event, CommandStarted(request_id="r"), known=None)
    assert (view.own.devices, view.own.commands, view.own.instances) == ({}, {}, {})


def test_a_command_gathers_the_time_of_each_stage() -> None:
    order = LockDoor(device_id="a", native_id="a")
    view = folded(CommandAccepted(request_id="r", command=order, deadline=LATER, by="me"))
    assert view.command("r") == CommandRecord("r", order, "me", LATER, LATER)
    fold(view, CommandStarted(request_id="r"), None, "a", LATER + timedelta(seconds=1))
    fold(view, CommandSettled(request_id="r", outcome=done()), None, "a", LATER + timedelta(seconds=2))
    fold(view, CommandResolved(request_id="r", reached=True, message="So."), None, "a", LATER + timedelta(seconds=3))
    record = view.command("r")
    assert record is not None
    assert (record.started_at, record.settled_at) == (LATER + timedelta(seconds=1), LATER + timedelta(seconds=2))
    assert record.outcome == done()
    assert record.resolution == Resolution(LATER + timedelta(seconds=3), reached=True, message="So.")


def test_an_instance_is_as_its_first_broken_hop() -> None:
    view = folded(HopLost(hop="stick", code="gone", reason="It is out."), AccountEdited(display_name="Front desk"))
    lost = InstanceRecord("front", LATER, display_name="Front desk", hop="stick", code="gone", reason="It is out.")
    assert view.instance("front") == lost
    fold(view, HopBack(away_seconds=1.0), "front", None, LATER + timedelta(seconds=9))
    back = InstanceRecord("front", LATER + timedelta(seconds=9), is_connected=True, display_name="Front desk")
    assert view.instance("front") == back
    view.put_instance(replace(back, untold_loss=Loss("stick", "gone", "It is out.", LATER)))
    event = HopLost(hop="stick", code="gone", reason="It is out.", since=LATER)
    fold(view, event, "front", None, LATER + timedelta(seconds=30))
    assert view.instance("front") == lost
    fold(view, HopBack(away_seconds=1.0), "front", None, LATER + timedelta(seconds=9))
    fold(view, AccountEdited(custom_metadata={"k": True}), "front", None, LATER)
    again = view.instance("front")
    assert again is not None
    assert (again.display_name, again.custom_metadata, again.since) == ("Front desk", {"k": True}, back.since)


def pair() -> View:
    """A view on `KNOWN`, which broke, and `b`, which is to take its place."""
    tables = Tables()
    tables.put_device(replace(KNOWN, removed_at=NOON, state=replace(STATE, online=False, offline_reason="Gone.")))
    tables.put_device(replace(KNOWN, device=device("b"), state=replace(STATE, locked=False), nickname="New"))
    return View(tables, Overlay(), LATER)


def test_a_replacement_swaps_what_two_ids_stand_for() -> None:
    view = pair()
    heir, old = replace(device("b"), device_id="a"), replace(device("a"), device_id="b")
    fold(view, DeviceReplaced(device=heir, replaced=old, by="k"), "front", "a", LATER)
    kept, spent = view.device("a"), view.device("b")
    assert kept is not None
    assert spent is not None
    assert (kept.device, kept.nickname, kept.custom_metadata, kept.removed_at) == (heir, "Suite", {"k": "v"}, None)
    assert (kept.state.locked, kept.state.online, kept.state.offline_reason) == (False, False, "Gone.")
    assert (spent.device, spent.nickname, spent.custom_metadata, spent.state.locked) == (old, None, {}, True)
    fold(view, DeviceReplaced(device=heir, replaced=device("nobody"), by="k"), "front", "a", LATER)
    assert view.device("a") == kept


def test_twins_know_each_other_once() -> None:
    view = pair()
    event = DuplicateNoticed(device_ids=("a", "b"), other_name="b", hardware_id="mac:1")
    for _ in range(2):
        fold(view, event, "front", "a", LATER)
        found = view.device("a"), view.device("b")
        assert [one.twins for one in found if one is not None] == [("b",), ("a",)]
    fold(view, DuplicateNoticed(device_ids=("a", "z"), other_name="z", hardware_id="mac:1"), "front", "a", LATER)
    assert view.device("z") is None
