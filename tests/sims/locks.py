"""A network of locks with keypads, in this process, on whatever clock it is given. Every fault is a member to set.

What a lock holds, and since when, stands in its `log`: what rules are checked against.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple, Protocol

from hubd.driver import Clock, DriverError, Port
from hubd.model import (
    Capabilities,
    ClearCode,
    CodeChange,
    CodeHintSeen,
    CodeSeen,
    Command,
    DeviceDescription,
    KeypadCapability,
    LockCapability,
    LockSeen,
    Outcome,
    OutcomeKind,
    ReachabilitySeen,
    ReadCode,
    SetCode,
    TimeFrame,
    done,
    rejected,
    sent_unconfirmed,
    unreachable,
    unsupported,
)

type Fault = Literal["none", "refuse", "mute", "deaf"]
"""`mute`: it obeys and does not answer. `deaf`: it neither obeys nor answers."""
type Hand = Literal["hub", "person"]

LATENCY = 1.0
PATIENCE = 8.0
"""Seconds until an exchange without an answer is given up."""


class Held(NamedTuple):
    """What a slot holds."""

    pin: str
    frame: TimeFrame | None = None
    is_enabled: bool = True


class Moved(NamedTuple):
    """A change of a slot: from then on it holds this; None: nothing."""

    at: datetime
    slot: int
    held: Held | None
    by: Hand = "hub"


class Witness(Protocol):
    """Who is told at once what happens to the slots of locks."""

    def wrote(self, lock: "SimLock", moved: Moved, before: Held | None) -> None:
        """Take in that a slot was written."""
        ...

    def read(self, lock: "SimLock", slot: int) -> None:
        """Take in that the hub was told what a slot holds."""
        ...

    def failed(self, lock: "SimLock") -> None:
        """Take in that an exchange did not do what was asked, or did not say so."""
        ...


class SimLock:
    """One lock."""

    def __init__(self, native_id: str, keypad: KeypadCapability, *, takes_twins: bool = False) -> None:
        self.native_id = native_id
        self.keypad = keypad
        self.takes_twins = takes_twins
        """It does not refuse a PIN that it has in another slot."""
        self.witness: Witness | None = None
        self.slots: dict[int, Held] = {}
        self.log: list[Moved] = []
        self.fault: Fault = "none"
        self.lies: set[int] = set()
        """Slots of which the next reading says wrongly that they are empty."""
        self.is_online = True
        self.sets = self.clears = self.reads = 0

    @property
    def description(self) -> DeviceDescription:
        """What is announced of it."""
        abilities = Capabilities(lock=LockCapability(), keypad=self.keypad)
        name = f"Room {self.native_id}"
        return DeviceDescription(self.native_id, "lock", "virtual_lock", name, capabilities=abilities)

    def write(self, at: datetime, slot: int, held: Held | None, by: Hand = "hub") -> None:
        """Change a slot."""
        before = self.slots.get(slot)
        self.lies.discard(slot)
        if held is None:
            self.slots.pop(slot, None)
        else:
            self.slots[slot] = held
        moved = Moved(at, slot, held, by)
        self.log.append(moved)
        if self.witness is not None:
            self.witness.wrote(self, moved, before)

    def pins(self) -> dict[int, str]:
        """Return the PINs by slot."""
        return {slot: held.pin for slot, held in sorted(self.slots.items())}

    def opens(self, pin: str, at: datetime) -> int | None:
        """Return the slot by which a PIN opens now."""
        for slot, held in self.slots.items():
            in_time = held.frame is None or held.frame.starts_at <= at < held.frame.ends_at
            if held.pin == pin and held.is_enabled and in_time:
                return slot
        return None


class LockNetwork:
    """Implements `hubd.driver.Driver` for some locks."""

    def __init__(
        self, locks: int | Sequence[SimLock], keypad: KeypadCapability | None = None, clock: Clock | None = None
    ) -> None:
        keypad = keypad or KeypadCapability(slots=10)
        if isinstance(locks, int):
            locks = [SimLock(str(101 + number), keypad) for number in range(locks)]
        self.locks = {lock.native_id: lock for lock in locks}
        self.latency = LATENCY
        self.exchanges = 0
        self.longest_queue = 0
        self.port: Port | None = None
        self.log: list[str] = []
        self.is_gone = False
        """The radio cannot be reached: no life begins."""
        self.is_late = False
        """What was under way when the hub or the life of the link ended still reaches its lock."""
        self._clock = clock
        self._lost = asyncio.Event()
        self._life = 0

    @property
    def living_port(self) -> Port:
        """The port of the life under way."""
        assert self.port is not None
        return self.port

    async def run(self, port: Port) -> None:
        """Live one life."""
        if self.is_gone:
            raise DriverError("stick", "stick_lost", "The stick is gone.")
        self.port = port
        self._clock = port.clock
        self._lost.clear()
        told: dict[str, bool] = {}
        while stale := [lock for name, lock in self.locks.items() if told.get(name) is not lock.is_online]:
            for lock in stale:  # one may come back while the others are announced
                told[lock.native_id] = lock.is_online
                await port.found(lock.description, ReachabilitySeen(native_id=lock.native_id, online=lock.is_online))
        port.ready()
        await self._lost.wait()
        raise DriverError("stick", "stick_lost", "The stick is gone.")

    def lose(self) -> None:
        """End the life under way."""
        self._life += 1
        self._lost.set()

    async def connect(self, native_id: str, *, online: bool) -> None:
        """Have a lock be reached, or not."""
        lock = self.locks[native_id]
        lock.is_online = online
        reason = None if online else "It does not answer."
        await self.living_port.publish(ReachabilitySeen(native_id=native_id, online=online, reason=reason))

    async def edit(self, native_id: str, slot: int, pin: str | None, *, is_told: bool = False) -> None:
        """Change a code at the keypad."""
        lock = self.locks[native_id]
        change: CodeChange = "removed" if pin is None else "changed" if slot in lock.slots else "added"
        lock.write(self.living_port.clock.now(), slot, None if pin is None else Held(pin), "person")
        if is_told:
            await self.living_port.publish(CodeHintSeen(native_id=native_id, slot=slot, change=change))

    async def enter(self, native_id: str, pin: str) -> bool:
        """Type a PIN at a keypad; tell whether it opened."""
        lock, at = self.locks[native_id], self.living_port.clock.now()
        slot = lock.opens(pin, at)
        if slot is not None:
            await self.living_port.publish(
                LockSeen(native_id=native_id, locked=False, method="keycode", user_slot=slot)
            )
        return slot is not None

    async def execute(self, command: Command) -> Outcome:
        """Do one exchange. The lock obeys halfway through it."""
        lock, clock, life = self.locks[command.native_id], self.living_port.clock, self._life
        self.exchanges += 1
        try:
            await clock.sleep(self.latency / 2)
        except asyncio.CancelledError:
            if self.is_late and lock.is_online and lock.fault in {"none", "mute"}:
                self._obey(lock, command, clock.now())
            raise
        if life != self._life and not self.is_late:
            return sent_unconfirmed("The connection ended.", "connection_lost")
        outcome = await self._answer(lock, command, clock)
        if life != self._life:
            outcome = sent_unconfirmed("The connection ended.", "connection_lost")
        if lock.witness is not None:
            if outcome.kind is not OutcomeKind.DONE:
                lock.witness.failed(lock)
            elif isinstance(command, SetCode | ClearCode | ReadCode):
                lock.witness.read(lock, command.slot)
        return outcome

    async def _answer(self, lock: SimLock, command: Command, clock: Clock) -> Outcome:
        fault = lock.fault
        if not lock.is_online:
            await clock.sleep(self.latency / 2)
            return unreachable("device_unreachable", "The lock does not answer.")
        if fault == "deaf":
            await clock.sleep(PATIENCE)
            return sent_unconfirmed("The lock did not answer.")
        if fault == "refuse" and not isinstance(command, ReadCode):
            await clock.sleep(self.latency / 2)
            return rejected("device_refused", "The lock refused it.")
        outcome = self._obey(lock, command, clock.now())
        await clock.sleep(PATIENCE if fault == "mute" else self.latency / 2)
        return sent_unconfirmed("The lock did not answer.") if fault == "mute" else outcome

    def _obey(self, lock: SimLock, command: Command, at: datetime) -> Outcome:
        match command:
            case SetCode(slot=slot, pin_ref=ref, frame=frame):
                lock.sets += 1
                pin = self.living_port.secrets.reveal(ref)
                if not lock.takes_twins and any(h.pin == pin and other != slot for other, h in lock.slots.items()):
                    return rejected("duplicate_code", "The lock has this PIN in another slot.")
                lock.write(at, slot, Held(pin, frame))
            case ClearCode(slot=slot):
                lock.clears += 1
                lock.write(at, slot, None)
            case ReadCode(slot=slot):
                lock.reads += 1
                if slot in lock.lies:
                    lock.lies.discard(slot)
                    return done(seen=(CodeSeen(native_id=lock.native_id, slot=slot, is_used=False),))
            case _:
                return unsupported("This lock only takes codes.")
        return done(seen=(self.reading(lock, slot),))

    def reading(self, lock: SimLock, slot: int) -> CodeSeen:
        """Return what a slot holds, as the lock tells it."""
        held = lock.slots.get(slot)
        if held is None:
            return CodeSeen(native_id=lock.native_id, slot=slot, is_used=False)
        ref = self.living_port.secrets.seal(held.pin) if lock.keypad.tells_pins else None
        return CodeSeen(
            native_id=lock.native_id,
            slot=slot,
            is_used=True,
            pin_ref=ref,
            is_enabled=held.is_enabled,
            frame=held.frame,
            is_frame_told=lock.keypad.has_schedules,
        )
