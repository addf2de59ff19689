"""What an online status says of a door."""

import pytest
from hubd_drivers.salto_space.condition import conditions, readings
from hubd_drivers.salto_space.fields import BatteryState, CommState, DoorState, DoorType, TamperState
from hubd_drivers.salto_space.messages import OnlineStatus

from hubd.model import DoorSeen, EntranceSeen, LockSeen, ReachabilitySeen

NONE = dict.fromkeys(("emergency_open", "emergency_close", "intrusion", "left_open"), False)


@pytest.mark.parametrize(
    ("door", "is_open", "told"),
    [
        (DoorState.OPENED, True, NONE),
        (DoorState.CLOSED, False, NONE),
        (DoorState.LEFT_OPENED, True, NONE | {"left_open": True}),
        (DoorState.INTRUSION, True, {"emergency_open": False, "emergency_close": False, "intrusion": True}),
        (DoorState.EMERGENCY_OPEN, None, {"emergency_open": True, "emergency_close": False}),
        (DoorState.EMERGENCY_CLOSE, None, {"emergency_open": False, "emergency_close": True}),
        (DoorState.INITIALIZING, None, {}),
        (DoorState.UNKNOWN, None, {}),
        (None, None, {}),
    ],
)
def test_states(door: DoorState | None, is_open: bool | None, told: dict[str, bool]) -> None:  # noqa: FBT001
    status = OnlineStatus(id="d", comm=CommState.OK, door=door)
    seen = readings("n", status)
    assert seen[0] == ReachabilitySeen(native_id="n", online=True)
    assert seen[1] == DoorSeen(native_id="n", open=is_open)
    assert conditions(status) == told
    assert [one.conditions for one in seen if isinstance(one, EntranceSeen)] == ([told] if told else [])
    assert not any(isinstance(one, LockSeen) for one in seen), "it may be the leaf"


def test_battery_and_tamper() -> None:
    quiet = OnlineStatus(id="d", battery=BatteryState.NORMAL, tamper=TamperState.NORMAL)
    assert conditions(quiet) == {"low_battery": False, "tamper": False}
    loud = OnlineStatus(id="d", battery=BatteryState.VERY_LOW, tamper=TamperState.ALARMED)
    assert conditions(loud) == {"low_battery": True, "tamper": True}
    assert conditions(OnlineStatus(id="d", battery=BatteryState.UNKNOWN, tamper=TamperState.UNKNOWN)) == {}


@pytest.mark.parametrize(("kind", "word"), [(DoorType.WIRELESS, "radio"), (DoorType.CONTROL_UNIT, "control unit")])
def test_a_door_that_space_does_not_reach(kind: DoorType, word: str) -> None:
    seen = readings("n", OnlineStatus(id="d", type=kind, comm=CommState.LOST, door=DoorState.CLOSED))
    gone, leaf = seen
    assert isinstance(gone, ReachabilitySeen)
    assert not gone.online
    assert gone.reason is not None
    assert word in gone.reason
    assert leaf == DoorSeen(native_id="n", open=None), "what it was is not what it is"
