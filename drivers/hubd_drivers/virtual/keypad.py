"""The codes that a simulated lock holds, and what it makes of a PIN. Pure: the time is passed in."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

import msgspec
from msgspec.structs import replace

from hubd.model import CodeChange, CodeSeen, HubError, KeypadCapability, TimeFrame


class KeypadError(HubError):
    """The lock refuses; `code` is that of the outcome."""


class StoredCode(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one slot of the lock holds."""

    pin: str
    frame: TimeFrame | None = None
    is_one_time: bool = False
    is_enabled: bool = True
    """False: a one-time code that was used."""

    def __repr__(self) -> str:
        return "StoredCode(…)"


class Keypad(msgspec.Struct):
    """The keypad of one lock: its slots, from 1 on."""

    capability: KeypadCapability
    codes: dict[int, StoredCode] = {}

    def restore(self, codes: Mapping[int, StoredCode]) -> None:
        """Hold what the lock held before; what it has no slot for any more is gone."""
        self.codes = {slot: code for slot, code in codes.items() if 1 <= slot <= self.capability.slots}

    def put(self, slot: int, code: StoredCode) -> None:
        """Put a code into a slot, over whatever is there. Raises `KeypadError`; then nothing is changed."""
        self._check(slot)
        self._take(code.pin)
        if any(held.pin == code.pin for other, held in self.codes.items() if other != slot):
            raise KeypadError("duplicate_code", "The lock has this PIN in another slot.")
        self.codes[slot] = code

    def clear(self, slot: int) -> None:
        """Empty a slot. Raises `KeypadError`."""
        self._check(slot)
        self.codes.pop(slot, None)

    def edit(self, slot: int | None, pin: str | None) -> tuple[CodeChange, int | None] | None:
        """Do as somebody at the keypad does (see `SimulateKeypadEdit`). Raises `KeypadError`.

        Returns what such a lock then says: the change, and where, unless it was everywhere; None: nothing changed.
        """
        if pin is not None:
            slot = self._free() if slot is None else slot
            change: CodeChange = "changed" if slot in self.codes else "added"
            self.put(slot, StoredCode(pin))
            return change, slot
        before = len(self.codes)
        if slot is None:
            self.codes.clear()
        else:
            self.clear(slot)
        return None if len(self.codes) == before else ("removed", slot)

    def slot_of(self, pin: str) -> int | None:
        """Return the slot that holds a PIN."""
        return next((slot for slot, code in self.codes.items() if code.pin == pin), None)

    def use(self, slot: int, now: datetime) -> bool:
        """Tell whether the code of a slot opens now; if it is a one-time code, that was its time."""
        code = self.codes[slot]
        if not code.is_enabled or not (code.frame is None or code.frame.starts_at <= now < code.frame.ends_at):
            return False
        if code.is_one_time:
            self.codes[slot] = replace(code, is_enabled=False)
        return True

    def read(self, native_id: str, slot: int, seal: Callable[[str], str]) -> CodeSeen:
        """Tell what a slot holds, as far as such a lock tells. Raises `KeypadError`."""
        self._check(slot)
        code = self.codes.get(slot)
        if code is None:
            return CodeSeen(native_id=native_id, slot=slot, is_used=False)
        pin_ref = seal(code.pin) if self.capability.tells_pins else None
        return CodeSeen(
            native_id=native_id,
            slot=slot,
            is_used=True,
            pin_ref=pin_ref,
            is_enabled=code.is_enabled,
            frame=code.frame,
            is_frame_told=True,
        )

    def read_all(self, native_id: str, seal: Callable[[str], str]) -> tuple[CodeSeen, ...]:
        """Tell what every slot holds that the hub may read."""
        return tuple(self.read(native_id, slot, seal) for slot in self._usable())

    def _usable(self) -> Iterator[int]:
        slots = range(1, self.capability.slots + 1)
        return (slot for slot in slots if slot not in self.capability.reserved_slots)

    def _check(self, slot: int) -> None:
        if not 1 <= slot <= self.capability.slots:
            message = f"The lock has no slot {slot}; its slots are 1 to {self.capability.slots}."
            raise KeypadError("slot_not_usable", message)
        if slot in self.capability.reserved_slots:
            raise KeypadError("slot_not_usable", f"Slot {slot} is reserved on this lock.")

    def _take(self, pin: str) -> None:
        lengths = self.capability.code_lengths
        if not (pin.isascii() and pin.isdigit()) or len(pin) not in lengths:
            message = f"The lock takes PINs of {lengths[0]} to {lengths[-1]} digits."
            raise KeypadError("code_refused", message)

    def _free(self) -> int:
        for slot in self._usable():
            if slot not in self.codes:
                return slot
        raise KeypadError("no_space", f"All {self.capability.slots} slots of the lock are in use.")
