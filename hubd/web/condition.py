"""How one device is, in a technician's words: whether it can be reached, and what is wrong with it."""

from enum import IntEnum

import msgspec

from hubd.core.health import InstanceHealth
from hubd.core.observe import battery_status
from hubd.store.records import DeviceRecord
from hubd.web import words
from hubd.web.words import Tone, plain


class Rank(IntEnum):
    """Kinds of trouble, worst first."""

    STORAGE = 0
    CLOCK = 1
    LINK = 2
    JAMMED = 3
    SILENT = 4
    BATTERY_CRITICAL = 5
    POSITION = 6
    BATTERY_LOW = 7
    ROOM = 8
    CLIMATE = 9
    CODES = 10
    CAUTION = 11
    STARTING = 12


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

_JAMMED = Trouble(Rank.JAMMED, "bad", "the bolt is jammed. Somebody has to look at the door.")
_POSITION = Trouble(Rank.POSITION, "warn", "the position of the bolt is not known.")


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
    return ANSWERS


def link_words(health: InstanceHealth) -> str:
    """Say why nothing behind a driver's link can be reached."""
    title = health.manifest.title
    if health.error is None:
        return f"{title} is still connecting."
    return f"Behind the lost {plain(health.error.hop, 40)} of {title}."


def trouble(record: DeviceRecord, reached: Reach) -> Trouble | None:
    """Return the worst that is wrong with the device itself; what its link suffers is not counted again."""
    state = record.state
    if state.jammed:
        return _JAMMED
    if reached.is_own:
        return Trouble(Rank.SILENT, "bad", f"not reachable. {reached.text}")
    battery = state.battery
    status = None if battery is None else battery_status(battery.level, low=battery.low)
    if battery is not None and status == "critical":
        return Trouble(Rank.BATTERY_CRITICAL, "bad", f"the battery is nearly empty ({words.percent(battery.level)}).")
    if reached.ok and state.locked is None and record.device.description.capabilities.lock is not None:
        return _POSITION
    if battery is not None and status == "low":
        return Trouble(Rank.BATTERY_LOW, "warn", f"the battery is low ({words.percent(battery.level)}).")
    return None
