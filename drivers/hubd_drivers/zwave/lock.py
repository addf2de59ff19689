"""The two command classes that move a bolt: Door Lock (98) and the older Lock (118)."""

from typing import Final

import msgspec

from hubd.model import LockCapability
from hubd_drivers.zwave.facts import DOOR_LOCK, LOCK, NOTIFICATION, Json, NodeFacts, ValueId, integer, states

type Position = bool | None
"""Of a bolt: True locked, False unlocked, None not known."""

SECURED: Final = 0xFF
UNSECURED: Final = 0x00
UNSECURED_WITH_TIMEOUT: Final = 0x01
_OPEN_MODES: Final = frozenset({0x00, 0x01, 0x10, 0x11, 0x20, 0x21})
"""Door Lock CC, "Door Lock Mode". Only Secured counts as locked: the others let somebody through from one side."""
_DOOR_BITS_ARE_TRUE: Final = 4
"""From this version of Door Lock on, a lock says whether it has a door sensor; before, the bit may mean nothing."""

ACCESS_CONTROL: Final = "Access Control"
LOCK_STATE: Final = "Lock state"
DOOR_STATE: Final = "Door state"
SIMPLE_DOOR_STATE: Final = "Door state (simple)"
JAMMED: Final = 11
_DOOR_OPEN: Final = frozenset({22, 0x1600, 0x1601})
_DOOR_CLOSED: Final = 23


class Bolt(msgspec.Struct, frozen=True):
    """Where a node's bolt is read and set."""

    current: ValueId
    target: ValueId
    lock_value: int | bool
    unlock_value: int | bool
    capability: LockCapability

    def position(self, value: object) -> Position:
        """Return what a value of `current` says: locked, unlocked, or None for neither."""
        if self.current.command_class == LOCK:
            return value if isinstance(value, bool) else None
        mode = integer(value, high=0xFF)
        if mode == SECURED:
            return True
        return False if mode in _OPEN_MODES else None


def find_bolt(facts: NodeFacts) -> Bolt | None:
    """Return the bolt of a lock, Door Lock before Lock and the lowest endpoint first; None for what is no lock."""
    for command_class, current, target in ((DOOR_LOCK, "currentMode", "targetMode"), (LOCK, "locked", "locked")):
        values = facts.of_class(command_class)
        if not values and command_class not in facts.command_classes:
            continue
        endpoint = next((found.endpoint for found in values if found.name == current), 0)
        ids = (ValueId(command_class, endpoint, current), ValueId(command_class, endpoint, target))
        known = facts.values.get(ids[1])
        return _bolt(*ids, {} if known is None else known.metadata, has_door=door_open(facts, endpoint) is not None)
    return None


def _bolt(current: ValueId, target: ValueId, metadata: Json, *, has_door: bool) -> Bolt:
    is_writeable = metadata.get("writeable") is not False
    if current.command_class == LOCK:
        capability = LockCapability(can_lock=is_writeable, can_unlock=is_writeable, reports_door=has_door)
        return Bolt(current, target, lock_value=True, unlock_value=False, capability=capability)
    modes = states(metadata)
    can_lock = is_writeable and (not modes or SECURED in modes)
    unlock = UNSECURED if not modes or UNSECURED in modes else UNSECURED_WITH_TIMEOUT
    can_unlock = is_writeable and (not modes or unlock in modes)
    capability = LockCapability(can_lock=can_lock, can_unlock=can_unlock, reports_door=has_door)
    return Bolt(current, target, SECURED, unlock, capability)


def is_jammed(facts: NodeFacts) -> bool:
    """Tell whether the lock says that its bolt is stuck."""
    found = [value.value for value_id, value in facts.of_class(NOTIFICATION).items() if value_id.key == LOCK_STATE]
    return JAMMED in found


def door_open(facts: NodeFacts, endpoint: int = 0) -> bool | None:
    """Tell whether the door stands open, or None where nothing measures it."""
    status = facts.get(ValueId(DOOR_LOCK, endpoint, "doorStatus"))
    if facts.command_classes.get(DOOR_LOCK, 0) >= _DOOR_BITS_ARE_TRUE and status in ("open", "closed"):
        return status == "open"
    for key in (DOOR_STATE, SIMPLE_DOOR_STATE):
        state = integer(facts.get(ValueId(NOTIFICATION, endpoint, ACCESS_CONTROL, key)))
        if state in _DOOR_OPEN:
            return True
        if state == _DOOR_CLOSED:
            return False
    return None
