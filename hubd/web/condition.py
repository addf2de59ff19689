"""How one device is, in a technician's words: whether it can be reached, and what is wrong with it."""

from enum import IntEnum

import msgspec

from hubd.core.health import InstanceHealth
from hubd.core.observe import battery_status
from hubd.model.state import EntranceCondition
from hubd.store.records import DeviceRecord
from hubd.web import doors, words
from hubd.web.words import Tone, plain


class Rank(IntEnum):
    """Kinds of trouble, worst first."""

    STORAGE = 0
    CLOCK = 1
    LINK = 2
    ALARM = 3
    JAMMED = 4
    SILENT = 5
    BATTERY_CRITICAL = 6
    POSITION = 7
    LEFT_OPEN = 8
    BATTERY_LOW = 9
    ROOM = 10
    CLIMATE = 11
    CODES = 12
    EDITS = 13
    CAUTION = 14
    STARTING = 15


class Reach(msgspec.Struct, frozen=True):
    """Whether an order would get to the device. `is_own`: the device itself is silent, not a hop before it."""

    ok: bool
    text: str
    is_own: bool = False


class Trouble(msgspec.Struct, frozen=True):
    """What is wrong with a device, to be said after its name."""

    rank: Rank
    tone: Tone
    text: str


ANSWERS = Reach(ok=True, text="Answers")
NOT_WIRED = Reach(ok=True, text=doors.NOT_WIRED)
"""Nothing is wrong with a door that only cards reach."""

_JAMMED = Trouble(Rank.JAMMED, "bad", "the bolt is jammed. Somebody has to look at the door.")
_POSITION = Trouble(Rank.POSITION, "warn", "the position of the bolt is not known.")
_DOORS: dict[EntranceCondition, Rank] = {"left_open": Rank.LEFT_OPEN, "low_battery": Rank.BATTERY_LOW}
"""All other conditions of a door that are a trouble are alarms."""


def reach(record: DeviceRecord, health: InstanceHealth | None) -> Reach:
    """Say whether a device can be reached, and if not, why."""
    if record.removed_at is not None:
        return Reach(ok=False, text=f"Removed: {plain(record.state.offline_reason or 'its network said so.')}")
    if health is None:
        return Reach(ok=False, text=f"Its driver “{words.name(record.device.instance)}” is not configured any more.")
    if not health.is_connected:
        return Reach(ok=False, text=link_words(health))
    if not record.state.online:
        return Reach(ok=False, text=plain(record.state.offline_reason or "The device does not answer."), is_own=True)
    return NOT_WIRED if doors.is_standalone(record.device.description.capabilities) else ANSWERS


def link_words(health: InstanceHealth) -> str:
    """Say why nothing behind a driver's link can be reached."""
    title = health.manifest.title
    if health.error is None:
        return f"{title} is still connecting."
    return f"Behind the lost {plain(health.error.hop, 40)} of {title}."


def trouble(record: DeviceRecord, reached: Reach) -> Trouble | None:
    """Return the worst that is wrong with the device itself; what its link suffers is not counted again."""
    state, at_door = record.state, _door(record)
    if at_door is not None and at_door.rank is Rank.ALARM:
        return at_door
    if state.jammed:
        return _JAMMED
    if reached.is_own:
        return Trouble(Rank.SILENT, "bad", f"not reachable. {reached.text}")
    battery = state.battery
    status = None if battery is None else battery_status(battery.level, low=battery.low)
    if battery is not None and status == "critical":
        return Trouble(Rank.BATTERY_CRITICAL, "bad", f"the battery is nearly empty ({words.percent(battery.level)}).")
    if reached.ok and state.locked is None and _has_bolt(record):
        return _POSITION
    if at_door is not None:
        return at_door
    if battery is not None and status == "low":
        return Trouble(Rank.BATTERY_LOW, "warn", f"the battery is low ({words.percent(battery.level)}).")
    return None


def _has_bolt(record: DeviceRecord) -> bool:
    """Whether a device tells where its bolt is; a door of an access control system only opens."""
    capabilities = record.device.description.capabilities
    return capabilities.lock is not None and capabilities.entrance is None


def _door(record: DeviceRecord) -> Trouble | None:
    """Return the worst of what a door is in and nobody wants it to be in."""
    for one in doors.in_force(record.state):
        if one.words.trouble:
            return Trouble(_DOORS.get(one.condition, Rank.ALARM), one.words.tone, one.words.trouble)
    return None
