from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from hubd.core.health import InstanceHealth
from hubd.core.settle import cannot_reach, is_by_hand, recover, resolve, settle
from hubd.driver.contract import check_outcome
from hubd.model import (
    DeviceState,
    LockDoor,
    LockSeen,
    Order,
    Outcome,
    OutcomeKind,
    SimulateConnection,
    UnlockDoor,
    done,
    rejected,
    sent_unconfirmed,
)
from hubd.model.event import CommandResolved, CommandSettled, LockChanged
from hubd.store.records import CommandRecord, DeviceRecord
from hubd.store.tables import Overlay, Tables, View
from tests.support.clock import NOON, ManualClock
from tests.support.hub import ScriptedDriver, lost
from tests.support.store import device

LOCKED, UNLOCKED = True, False
LOCK = LockDoor(device_id="a", native_id="a")
UNLOCK = UnlockDoor(device_id="a", native_id="a")
LOST = sent_unconfirmed("No answer came.")


def a_view(command: Order = UNLOCK, *, managed: bool = True, known: bool = True, **changes: Any) -> View:
    tables = Tables()
    if known:
        tables.put_device(DeviceRecord(device("a"), DeviceState(locked=True), is_managed=managed, found_at=NOON))
    tables.put_command(CommandRecord("r", command, "me", NOON, NOON, **changes))
    return View(tables, Overlay(), NOON)


def events(view: View) -> list[tuple[Any, str | None]]:
    return [(draft.event, draft.public) for draft in view.own.drafts]


# -- a dead hop


def health() -> InstanceHealth:
    return InstanceHealth("front", ScriptedDriver().manifest(), ManualClock())


def test_a_dead_hop_is_named() -> None:
    front = health()
    starting = cannot_reach(front)
    assert starting is not None
    assert (starting.kind, starting.detail) == (OutcomeKind.UNREACHABLE, {"hop": "server"})
    check_outcome(starting)
    front.connected()
    assert cannot_reach(front) is None
    front.hop_lost(lost("controller", "pulled", "The stick was pulled."))
    dead = cannot_reach(front)
    assert dead is not None
    assert (dead.code, dead.detail) == ("hub_disconnected", {"hop": "controller", "reason": "pulled"})
    assert dead.message == "The controller of Scripted is not reachable: The stick was pulled."


# -- settling


def test_what_was_read_comes_before_the_end_and_the_end_without_it() -> None:
    view = a_view()
    settle(view, "r", done(seen=(LockSeen(native_id="a", locked=False, method="remote"),)), ("r", False))
    assert events(view) == [
        (LockChanged(locked=False, method="remote", request_id="r"), "lock.unlocked"),
        (CommandSettled(request_id="r", outcome=done()), "action_attempt.unlock_door.succeeded"),
    ]
    record = view.command("r")
    assert record is not None
    assert record.outcome == done()


def test_twice_is_once() -> None:
    view = a_view()
    settle(view, "r", done(), None)
    settle(view, "r", rejected("lock_jammed", "The bolt is jammed."), None)
    settle(view, "never", done(), None)
    assert [event for event, _ in events(view)] == [CommandSettled(request_id="r", outcome=done())]


@pytest.mark.parametrize("outcome", [LOST, rejected("lock_jammed", "The bolt is jammed.")])
def test_whatever_is_not_done_has_failed(outcome: Outcome) -> None:
    view = a_view(LOCK)
    settle(view, "r", outcome, None)
    assert events(view)[-1][1] == "action_attempt.lock_door.failed"


def test_the_hubs_own_actions_and_unmanaged_devices_make_no_public_events() -> None:
    own = a_view(SimulateConnection(device_id="a", native_id="a", connected=True))
    settle(own, "r", done(), None)
    unmanaged = a_view(managed=False)
    settle(unmanaged, "r", done(), None)
    unknown = a_view(known=False)
    settle(unknown, "r", done(seen=(LockSeen(native_id="a", locked=False),)), None)
    assert [public for view in (own, unmanaged, unknown) for _, public in events(view)] == [None, None, None]


# -- the crash rule


def test_what_was_not_started_is_expired_and_what_was_is_not_known() -> None:
    waiting, started = a_view(), a_view(started_at=NOON)
    for view in (waiting, started):
        record = view.command("r")
        assert record is not None
        recover(view, [record])
    ends = [events(view)[-1][0].outcome for view in (waiting, started)]
    assert [(end.kind, end.code) for end in ends] == [
        (OutcomeKind.EXPIRED, "hub_restarted"),
        (OutcomeKind.SENT_UNCONFIRMED, "hub_restarted"),
    ]
    for end in ends:
        check_outcome(end)
    assert "nothing was sent" in ends[0].message


# -- what the bolt says later


def bolt(locked: bool | None, method: Any = None) -> LockSeen:  # noqa: FBT001 - it reads as the reading does
    return LockSeen(native_id="a", locked=locked, method=method)


@pytest.mark.parametrize("method", [None, "remote"])
@pytest.mark.parametrize(
    ("command", "locked", "reached"), [(LOCK, LOCKED, True), (LOCK, UNLOCKED, False), (UNLOCK, UNLOCKED, True)]
)
def test_the_bolt_decides_once(command: Order, method: str | None, *, locked: bool, reached: bool) -> None:
    view = a_view(command, outcome=LOST, settled_at=NOON)
    resolve(view, "r", bolt(locked, method))
    resolve(view, "r", bolt(not locked, method))
    ((event, public),) = events(view)
    assert isinstance(event, CommandResolved)
    assert (event.request_id, event.reached) == ("r", reached)
    assert ("as ordered" in event.message) is reached
    action = "lock_door" if isinstance(command, LockDoor) else "unlock_door"
    assert public == (f"action_attempt.{action}.succeeded" if reached else None)
    record = view.command("r")
    assert record is not None
    assert record.resolution is not None
    assert record.resolution.reached is reached
    assert record.outcome == LOST


@pytest.mark.parametrize(
    ("command", "outcome", "seen"),
    [
        (UNLOCK, None, bolt(UNLOCKED)),
        (UNLOCK, done(), bolt(LOCKED)),
        (UNLOCK, rejected("lock_jammed", "The bolt is jammed."), bolt(UNLOCKED)),
        (UNLOCK, LOST, bolt(None)),
        (UNLOCK, LOST, bolt(UNLOCKED, "keycode")),
        (UNLOCK, LOST, bolt(LOCKED, "manual")),
        (UNLOCK, LOST, LockSeen(native_id="in its place", locked=UNLOCKED)),
        (SimulateConnection(device_id="a", native_id="a", connected=True), LOST, bolt(LOCKED)),
    ],
)
def test_what_decides_nothing(command: Order, outcome: Outcome | None, seen: LockSeen) -> None:
    view = a_view(command, outcome=outcome)
    resolve(view, "r", seen)
    resolve(view, "never", seen)
    assert events(view) == []


def test_before_the_deadline_a_bolt_may_still_be_on_its_way() -> None:
    view = a_view(outcome=LOST)
    record = view.command("r")
    assert record is not None
    view.put_command(replace(record, deadline=NOON + timedelta(seconds=1)))
    resolve(view, "r", bolt(LOCKED))
    assert events(view) == []
    resolve(view, "r", bolt(UNLOCKED))
    assert [event.reached for event, _ in events(view)] == [True]


def test_an_unmanaged_devices_order_is_decided_in_silence() -> None:
    view = a_view(outcome=LOST, managed=False)
    resolve(view, "r", bolt(UNLOCKED))
    assert [public for _, public in events(view)] == [None]


@pytest.mark.parametrize(
    ("method", "hand"), [(None, False), ("remote", False), ("manual", True), ("unknown", True), ("card", True)]
)
def test_whose_hand(method: str | None, *, hand: bool) -> None:
    assert is_by_hand(replace(bolt(LOCKED), method=method)) is hand
