from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hubd.core.observe import Observer, battery_status
from hubd.model import (
    BatteryReading,
    BatterySeen,
    DenialSeen,
    DeviceState,
    DoorSeen,
    LockSeen,
    ReachabilitySeen,
    Seen,
    TamperSeen,
)
from hubd.model.event import (
    BatteryChanged,
    BatteryLow,
    DeviceConnected,
    DeviceDisconnected,
    DoorChanged,
    Event,
    LockChanged,
    LockDenied,
    LockUncertain,
    Tampered,
)
from hubd.store.records import DeviceRecord
from hubd.store.tables import Overlay, Tables, View
from tests.support.clock import NOON
from tests.support.store import device

LOCKED, UNLOCKED = True, False
NEW = DeviceState()
KNOWN = DeviceState(online=True, locked=True, door_open=False, battery=BatteryReading(0.9, NOON))
ORDER = ("request", False)
"""An order to unlock is under way."""


class Scene:
    """A device and what becomes of it."""

    def __init__(self, state: DeviceState = KNOWN, order: tuple[str, bool] | None = None, **changes: Any) -> None:
        record = replace(DeviceRecord(device("a"), state, is_managed=True, found_at=NOON), **changes)
        tables = Tables()
        tables.put_device(record)
        self.view = View(tables, Overlay(), NOON)
        self._observer = Observer(self.view, record, order)

    def see(self, *seen: Seen) -> list[Event]:
        """Apply readings and return the events they made."""
        before = len(self.view.own.drafts)
        for one in seen:
            self._observer.apply(one)
        return [draft.event for draft in self.view.own.drafts[before:]]

    @property
    def public(self) -> list[str | None]:
        return [draft.public for draft in self.view.own.drafts]

    @property
    def state(self) -> DeviceState:
        record = self.view.device("a")
        assert record is not None
        return record.state


def bolt(locked: bool | None, method: Any = None, **members: Any) -> LockSeen:  # noqa: FBT001 - it reads as the reading does
    return LockSeen(native_id="a", locked=locked, method=method, **members)


def moved(locked: bool, method: Any, request_id: str | None = None) -> LockChanged:  # noqa: FBT001 - likewise
    return LockChanged(locked=locked, method=method, request_id=request_id)


# -- the bolt


def test_the_first_reading_is_knowledge_not_an_event() -> None:
    scene = Scene(NEW)
    assert scene.see(bolt(LOCKED), bolt(LOCKED)) == []
    assert scene.state.locked is True


def test_a_reading_that_only_confirms_is_nothing() -> None:
    scene = Scene()
    assert scene.see(bolt(LOCKED), bolt(LOCKED)) == []
    assert scene.view.own.devices == {}


def test_a_bolt_found_moved_was_moved_by_somebody_unknown() -> None:
    scene = Scene()
    assert scene.see(bolt(UNLOCKED)) == [moved(UNLOCKED, "unknown")]
    assert (scene.state.locked, scene.public) == (False, ["lock.unlocked"])
    assert scene.see(bolt(LOCKED)) == [moved(LOCKED, "unknown")]
    assert scene.public[1:] == ["lock.locked"]


@pytest.mark.parametrize("method", ["keycode", "manual", "automatic", "card", "unknown"])
def test_a_use_of_the_lock_is_always_an_event(method: str) -> None:
    scene = Scene()
    twice = scene.see(bolt(LOCKED, method, user_slot=3), bolt(LOCKED, method, user_slot=3))
    assert twice == [LockChanged(locked=True, method=method, user_slot=3)] * 2  # type: ignore[arg-type]
    assert Scene(NEW).see(bolt(LOCKED, method)) == [moved(LOCKED, method)]


def test_the_devices_own_time_is_kept() -> None:
    scene = Scene()
    then = NOON - timedelta(hours=1)
    scene.see(bolt(UNLOCKED, "manual", occurred_at=then), bolt(LOCKED, "manual"))
    assert [draft.occurred_at for draft in scene.view.own.drafts] == [then, NOON]


# -- jams


def test_a_jam_is_told_once_and_leaves_the_position_unknown() -> None:
    scene = Scene()
    assert scene.see(bolt(None, jammed=True), bolt(LOCKED, jammed=True)) == [LockUncertain(jammed=True)]
    assert (scene.state.locked, scene.state.jammed, scene.public) == (None, True, [None])


@pytest.mark.parametrize(
    ("seen", "event"), [(bolt(LOCKED), moved(LOCKED, "unknown")), (bolt(UNLOCKED, "manual"), moved(UNLOCKED, "manual"))]
)
def test_a_jam_ends_when_the_bolt_is_seen_again(seen: LockSeen, event: Event) -> None:
    scene = Scene()
    scene.see(bolt(None, jammed=True))
    assert scene.see(seen) == [event]
    assert scene.state.jammed is False


def test_a_jam_ends_when_the_device_says_so_though_the_position_is_not_known() -> None:
    scene = Scene()
    scene.see(bolt(None, jammed=True))
    assert scene.see(bolt(None), bolt(None)) == [LockUncertain(jammed=False)]
    assert (scene.state.locked, scene.state.jammed) == (None, False)


def test_a_lost_position_is_told_once() -> None:
    scene = Scene()
    assert scene.see(bolt(None), bolt(None)) == [LockUncertain(jammed=False)]
    assert Scene(NEW).see(bolt(None)) == []
    assert Scene(NEW).see(bolt(None, jammed=True)) == [LockUncertain(jammed=True)]


# -- orders


@pytest.mark.parametrize("first", [bolt(UNLOCKED), bolt(UNLOCKED, "remote")], ids=["plain", "remote"])
@pytest.mark.parametrize("then", [bolt(UNLOCKED), bolt(UNLOCKED, "remote")], ids=["plain", "remote"])
def test_a_move_that_was_ordered_is_told_once_whichever_comes_first(first: LockSeen, then: LockSeen) -> None:
    """The driver's report and the order's own outcome, in any order."""
    scene = Scene(order=ORDER)
    assert scene.see(first, then, first) == [moved(UNLOCKED, "remote", "request")]
    assert scene.public == ["lock.unlocked"]


def test_the_first_reading_ever_may_be_that_of_an_order() -> None:
    assert Scene(NEW, ORDER).see(bolt(UNLOCKED)) == [moved(UNLOCKED, "remote", "request")]


def test_a_move_against_the_order_is_not_the_orders() -> None:
    scene = Scene(replace(KNOWN, locked=False), ORDER)
    assert scene.see(bolt(LOCKED)) == [moved(LOCKED, "unknown")]


def test_a_hand_at_the_lock_is_not_the_order() -> None:
    assert Scene(order=ORDER).see(bolt(UNLOCKED, "keycode", user_slot=2)) == [
        LockChanged(locked=False, method="keycode", user_slot=2)
    ]


def test_an_order_to_where_the_bolt_is_moves_nothing() -> None:
    assert Scene(order=("request", True)).see(bolt(LOCKED, "remote"), bolt(LOCKED)) == []


def test_a_remote_move_of_another_master_has_no_request() -> None:
    assert Scene().see(bolt(UNLOCKED, "remote"), bolt(UNLOCKED)) == [moved(UNLOCKED, "remote")]


# -- the leaf


def test_the_door_leaf() -> None:
    scene = Scene(NEW)
    assert scene.see(DoorSeen(native_id="a", open=True)) == []
    assert scene.see(DoorSeen(native_id="a", open=False), DoorSeen(native_id="a", open=False)) == [
        DoorChanged(open=False)
    ]
    assert scene.see(DoorSeen(native_id="a", open=None)) == [DoorChanged(open=None)]
    assert scene.state.door_open is None
    assert scene.see(DoorSeen(native_id="a", open=True)) == []
    assert scene.public == [None, None]


# -- reachability


def test_a_device_that_goes_and_comes() -> None:
    scene = Scene()
    gone = ReachabilitySeen(native_id="a", online=False, reason="It sleeps.")
    assert scene.see(gone, gone) == [DeviceDisconnected(error_code="device_disconnected", reason="It sleeps.")]
    assert scene.see(replace(gone, reason="Its battery is out."), replace(gone, reason=None)) == []
    assert replace(scene.state, changed_at=None) == replace(KNOWN, online=False, offline_reason="Its battery is out.")
    here = ReachabilitySeen(native_id="a", online=True)
    assert scene.see(here, here) == [DeviceConnected()]
    assert replace(scene.state, changed_at=None) == KNOWN
    assert scene.public == ["device.disconnected", "device.connected"]


def test_a_device_that_goes_without_a_word() -> None:
    (event,) = Scene().see(ReachabilitySeen(native_id="a", online=False))
    assert event == DeviceDisconnected(error_code="device_disconnected", reason="The device does not answer.")


# -- batteries


@pytest.mark.parametrize(
    ("level", "low", "status"),
    [
        (0.0, False, "critical"),
        (0.099, True, "critical"),
        (0.1, False, "low"),
        (0.249, False, "low"),
        (0.25, False, "good"),
        (0.25, True, "low"),
        (0.749, False, "good"),
        (0.75, False, "full"),
        (1.0, True, "low"),
    ],
)
def test_battery_classes(level: float, status: str, *, low: bool) -> None:
    assert battery_status(level, low=low) == status


def test_a_battery_is_news_when_its_class_changes() -> None:
    scene = Scene(NEW)
    levels = [0.9, 0.8, 0.6, 0.4, 0.2, 0.15, 0.05, 0.9]
    events = [scene.see(BatterySeen(native_id="a", level=level)) for level in levels]
    assert events == [
        [],
        [],
        [BatteryChanged(level=0.6, status="good")],
        [],
        [BatteryChanged(level=0.2, status="low"), BatteryLow(level=0.2)],
        [],
        [BatteryChanged(level=0.05, status="critical")],
        [BatteryChanged(level=0.9, status="full")],
    ]
    assert scene.state.battery == BatteryReading(0.9, NOON)
    assert scene.public.count("device.low_battery") == 1


def test_a_drop_that_cannot_be_true_waits_for_a_second_reading() -> None:
    scene = Scene()
    first = BatterySeen(native_id="a", level=0.2, occurred_at=NOON - timedelta(seconds=5))
    assert scene.see(first, first) == []
    assert scene.state.battery == BatteryReading(0.9, NOON, suspect_level=0.2, suspect_at=first.occurred_at)
    assert list(scene.view.own.devices) == ["a"]  # durable: the second reading may come after a restart
    assert scene.see(BatterySeen(native_id="a", level=0.15)) == [
        BatteryChanged(level=0.15, status="low"),
        BatteryLow(level=0.15),
    ]
    assert scene.state.battery == BatteryReading(0.15, NOON)


def test_the_devices_own_low_flag_does_not_wait() -> None:
    scene = Scene()
    assert scene.see(BatterySeen(native_id="a", level=0.0, low=True)) == [
        BatteryChanged(level=0.9, status="low"),
        BatteryLow(level=0.9),
    ]


def test_a_battery_that_is_low_at_first_sight_is_told() -> None:
    assert Scene(NEW).see(BatterySeen(native_id="a", level=0.05)) == [BatteryLow(level=0.05)]


@given(st.floats(-100, 100), st.booleans())
def test_a_battery_level_is_a_share(level: float, low: bool) -> None:  # noqa: FBT001 - as hypothesis gives it
    scene = Scene(NEW)
    scene.see(BatterySeen(native_id="a", level=level, low=low, occurred_at=NOON - timedelta(days=1)))
    battery = scene.state.battery
    assert battery == BatteryReading(min(1.0, max(0.0, level)), NOON - timedelta(days=1), low)


# -- people at the door


def test_refusals_and_tampering_are_always_events() -> None:
    scene = Scene()
    denied = DenialSeen(native_id="a", reason="expired_code", message="The code is over.")
    assert scene.see(denied, denied) == [LockDenied(reason="expired_code", message="The code is over.")] * 2
    assert scene.see(TamperSeen(native_id="a")) == [Tampered()]
    assert scene.public == ["lock.access_denied", "lock.access_denied", "device.tampered"]


# -- whose events are whose

EVERYTHING: list[Seen] = [
    ReachabilitySeen(native_id="a", online=False),
    ReachabilitySeen(native_id="a", online=True),
    bolt(UNLOCKED, "manual"),
    bolt(None, jammed=True),
    DoorSeen(native_id="a", open=True),
    BatterySeen(native_id="a", level=0.9, low=True),
    DenialSeen(native_id="a", reason="unknown_code", message="No."),
    TamperSeen(native_id="a"),
]


def test_an_unmanaged_device_says_only_whether_it_is_there() -> None:
    scene = Scene(is_managed=False)
    assert len(scene.see(*EVERYTHING)) == 9
    assert [public for public in scene.public if public] == [
        "device.unmanaged.disconnected",
        "device.unmanaged.connected",
    ]


def test_a_removed_device_says_nothing_any_more() -> None:
    scene = Scene(removed_at=NOON)
    assert scene.see(*EVERYTHING) == []
    assert scene.state == KNOWN


def test_every_event_stands_at_its_device_and_instance() -> None:
    scene = Scene()
    scene.see(*EVERYTHING)
    assert {(draft.device_id, draft.instance) for draft in scene.view.own.drafts} == {("a", "front")}
