"""Room on a lock: how many codes are on it at one time, and whether one more fits. Pure."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from itertools import accumulate
from typing import Final

import msgspec

from hubd.model.capability import KeypadCapability

type Frame = tuple[datetime | None, datetime | None]
"""From when to when, in UTC; None: since ever, for ever. The end is the first instant after it."""

NEARLY_FULL_PERCENT: Final = 80
"""Of its slots; from there on, people are warned."""

_EVER: Final = datetime.min.replace(tzinfo=UTC)
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


class Room(msgspec.Struct, frozen=True):
    """How a lock is filled, as one more code sees it."""

    slots: int
    """Those the hub may use."""
    used_now: int
    peak: int
    """The most other codes that are on the lock at one time within the frame of the new one."""


def peak(frames: Iterable[Frame], within: Frame) -> int:
    """Return the largest number of frames that hold at one time within another one."""
    first, last = _bounds(within)
    cut = [(max(start, first), min(end, last)) for start, end in map(_bounds, frames)]
    # At the same instant, ends (-1) sort before starts (+1): a slot that is left is free for the next one.
    edges = sorted(edge for start, end in cut if start < end for edge in ((start, 1), (end, -1)))
    return max(accumulate(step for _, step in edges), default=0)


def usable_slots(keypad: KeypadCapability) -> int:
    """Return how many slots of a keypad the hub may use."""
    return len(set(range(1, keypad.slots + 1)).difference(keypad.reserved_slots))


def measure(keypad: KeypadCapability, others: Collection[Frame], within: Frame, now: datetime) -> Room:
    """Return the room for one more code, on for the frame `within`.

    `others` are the codes that have or will have a usable slot, with what nobody wished, which is there for ever.
    """
    used_now = sum(start <= now < end for start, end in map(_bounds, others))
    return Room(usable_slots(keypad), used_now, peak(others, within))


def has_room(room: Room) -> bool:
    """Whether one more code can ever fit.

    The peak alone decides: a code takes any slot that is free at its start, and one is free as long as fewer codes than
    slots are there.
    """
    return room.peak < room.slots


def is_nearly_full(active: int, slots: int) -> bool:
    """Whether so many codes on so many usable slots are worth a warning."""
    return active * 100 >= slots * NEARLY_FULL_PERCENT


def _bounds(frame: Frame) -> tuple[datetime, datetime]:
    start, end = frame
    return start or _EVER, end or _NEVER
