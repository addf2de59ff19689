"""The slots of a keypad as they stand, for whoever asks what occupies a lock. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

from hubd.model.capability import KeypadCapability
from hubd.store.codes import CodeBook, CodeRecord

type Holding = Literal["free", "managed", "unmanaged", "reserved", "unread"]


class Slot(msgspec.Struct, frozen=True):
    """One slot, and what the hub believes it holds."""

    number: int
    holding: Holding
    """`reserved`: never used by the hub. `unread`: the lock never told of it, so no code is put there."""
    code_id: str | None = None
    """Of the code that is in it, or was told to be, or to be gone, without an answer yet."""
    doubted_at: datetime | None = None
    """When it was last read to hold something else; a second reading decides."""
    is_hinted: bool = False
    """The lock says that somebody changed it; it is read soon."""


class Filling(msgspec.Struct, frozen=True):
    """How many slots of a keypad hold what. `total` counts all of them, the reserved ones too."""

    total: int
    managed: int
    unmanaged: int
    reserved: int
    unread: int
    free: int


def slots(keypad: KeypadCapability, codes: Sequence[CodeRecord], book: CodeBook) -> list[Slot]:
    """Return every slot of a keypad, in order."""
    held = {code.placement.slot: code for code in codes if code.placement is not None}
    doubts = {doubt.slot: doubt.at for doubt in book.doubts}
    return [
        Slot(
            number,
            _holding(number, keypad, held, book),
            held[number].code_id if number in held else None,
            doubts.get(number),
            number in book.hints,
        )
        for number in range(1, keypad.slots + 1)
    ]


def _holding(number: int, keypad: KeypadCapability, held: dict[int, CodeRecord], book: CodeBook) -> Holding:
    if number in held:
        return "managed" if held[number].is_managed else "unmanaged"
    if number in keypad.reserved_slots:
        return "reserved"
    return "free" if book.is_known(number) else "unread"


def filling(found: Sequence[Slot]) -> Filling:
    """Count slots by what they hold."""
    numbers = {holding: sum(slot.holding == holding for slot in found) for holding in _HOLDINGS}
    return Filling(len(found), **numbers)


_HOLDINGS: tuple[Holding, ...] = ("managed", "unmanaged", "reserved", "unread", "free")
