"""What an online status says of a door, as readings of the hub. Pure.

The door's state is that of the leaf or of the lock, by installation, so nothing here says that a door is locked. Space
tells the worst of several states; what that one may hide is not named.
"""

from typing import Final

from hubd.model import DoorSeen, EntranceCondition, EntranceSeen, ReachabilitySeen, Seen
from hubd_drivers.salto_space.fields import BatteryState, CommState, DoorState, DoorType, TamperState
from hubd_drivers.salto_space.messages import OnlineStatus

_OPEN: Final = frozenset({DoorState.OPENED, DoorState.LEFT_OPENED, DoorState.INTRUSION})
_EMERGENCIES: Final[dict[EntranceCondition, DoorState]] = {
    "emergency_open": DoorState.EMERGENCY_OPEN,
    "emergency_close": DoorState.EMERGENCY_CLOSE,
}
_SILENT: Final = frozenset({None, DoorState.UNKNOWN, DoorState.INITIALIZING})

_LOST: Final = {
    DoorType.WIRELESS: "Space does not hear this door's lock over the radio; look at its batteries and at its gateway.",
    DoorType.CONTROL_UNIT: "Space does not reach this door's control unit; look at its power and network.",
}
_LOST_SOMEHOW: Final = "Space does not reach this door; look at its power, batteries and network."


def readings(native_id: str, status: OnlineStatus) -> tuple[Seen, ...]:
    """Return what a status says of a door that is online by its kind."""
    if status.comm is CommState.LOST:
        reason = _LOST_SOMEHOW if status.type is None else _LOST.get(status.type, _LOST_SOMEHOW)
        return (
            ReachabilitySeen(native_id=native_id, online=False, reason=reason),
            DoorSeen(native_id=native_id, open=None),
        )
    seen: list[Seen] = []
    if status.comm is CommState.OK:
        seen.append(ReachabilitySeen(native_id=native_id, online=True))
    seen.append(DoorSeen(native_id=native_id, open=_is_open(status.door)))
    if told := conditions(status):
        seen.append(EntranceSeen(native_id=native_id, conditions=told))
    return tuple(seen)


def conditions(status: OnlineStatus) -> dict[EntranceCondition, bool]:
    """Return the conditions that a status tells of; others are not known from it."""
    told: dict[EntranceCondition, bool] = {}
    door = status.door
    if door not in _SILENT:
        told |= {name: door is state for name, state in _EMERGENCIES.items()}
        if door not in _EMERGENCIES.values():
            told["intrusion"] = door is DoorState.INTRUSION
            if door is not DoorState.INTRUSION:
                told["left_open"] = door is DoorState.LEFT_OPENED
    if status.tamper not in {None, TamperState.UNKNOWN}:
        told["tamper"] = status.tamper is TamperState.ALARMED
    if status.battery not in {None, BatteryState.UNKNOWN}:
        told["low_battery"] = status.battery is not BatteryState.NORMAL
    return told


def _is_open(door: DoorState | None) -> bool | None:
    if door in _OPEN:
        return True
    return False if door is DoorState.CLOSED else None
