"""The part of the contract suite that is about codes: each check is done at one lock with a keypad.

A check leaves the lock as it found it, and asks no more exchanges of it than it must: the network may be slow.
"""

import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from itertools import cycle, islice
from typing import Any

from hubd.driver.clock import Clock
from hubd.driver.protocol import Secrets
from hubd.model.capability import KeypadCapability
from hubd.model.code import TimeFrame
from hubd.model.command import ClearCode, ReadCode, SetCode
from hubd.model.outcome import Outcome, OutcomeKind
from hubd.model.seen import CodeSeen, Seen

type Execute = Callable[..., Awaitable[Outcome]]
"""Gives a command to the driver, from its type and its members, and checks the form of its outcome."""

_SEEDS = ("47382951", "82614739", "59174826")
"""No two begin alike, and none breaks a maker's rule (`CodeRule`)."""
_NO = {OutcomeKind.REJECTED, OutcomeKind.UNSUPPORTED}


class Bench:
    """One lock with a keypad, and two of its slots that were empty."""

    def __init__(self, native_id: str, keypad: KeypadCapability, secrets: Secrets, clock: Clock, do: Execute) -> None:
        self.native_id = native_id
        self.keypad = keypad
        self.clock = clock
        self.pins = [_pin(seed, length) for seed, length in zip(_SEEDS, _lengths(keypad), strict=True)]
        self.slots: tuple[int, ...] = ()
        self._secrets = secrets
        self._do = do
        self._said: list[str] = []

    async def execute(self, order: type[Any], slot: int, **members: Any) -> Outcome:
        """Give a command for a slot."""
        outcome = await self._do(order, self.native_id, slot=slot, **members)
        self._said += [repr(outcome), str(outcome), outcome.message, str(outcome.detail)]
        return outcome

    async def set(self, slot: int, pin: str, **members: Any) -> Outcome:
        """Put a PIN into a slot."""
        return await self.execute(SetCode, slot, pin_ref=self._secrets.seal(pin), **members)

    async def holds(self, slot: int, pin: str | None) -> None:
        """Read a slot at the lock, and check what it holds; None: nothing."""
        self.proves(await self.execute(ReadCode, slot), slot, pin)

    def proves(self, outcome: Outcome, slot: int, pin: str | None) -> CodeSeen:
        """Check that a command is DONE and what was read of its slot; returns that."""
        assert outcome.kind is OutcomeKind.DONE, outcome
        check_codes_seen(outcome.seen, self.native_id, self.keypad)
        told = [seen for seen in outcome.seen if isinstance(seen, CodeSeen) and seen.slot == slot]
        assert told, f"{outcome.code}: nothing was seen of slot {slot}"
        seen = told[-1]
        assert not seen.is_cached, f"slot {slot}: it was not read from the lock"
        assert seen.is_used is (pin is not None), f"slot {slot}: is_used is {seen.is_used}"
        if pin is not None:
            assert seen.is_enabled, f"slot {slot}: the PIN is there and does not open"
        if pin is not None and self.keypad.tells_pins:
            assert seen.pin_ref is not None, f"slot {slot}: the lock tells its PINs, and this one is missing"
            assert self._secrets.reveal(seen.pin_ref) == pin, f"slot {slot}: another PIN was read back"
        return seen

    def check_said(self, logged: list[str]) -> None:
        """Check that no PIN was said. Each must stand alone to count: a number in an id may hold its digits."""
        for pin in self.pins:
            alone = re.compile(rf"(?<![0-9a-fA-F]){pin}(?![0-9a-fA-F])")
            assert not any(alone.search(text) for text in self._said), "an outcome holds a PIN"
            assert not any(alone.search(text) for text in logged), "a PIN was logged"


async def codes_are_set_and_cleared(bench: Bench) -> None:
    """Set, read, set another and the same again, clear, clear what is empty."""
    slot, first, second = bench.slots[0], bench.pins[0], bench.pins[1]
    bench.proves(await bench.set(slot, first), slot, first)
    await bench.holds(slot, first)
    bench.proves(await bench.set(slot, second), slot, second)
    bench.proves(await bench.set(slot, second), slot, second)
    await bench.holds(slot, second)
    for _ in range(2):
        bench.proves(await bench.execute(ClearCode, slot), slot, None)
    await bench.holds(slot, None)


async def a_duplicate_is_refused(bench: Bench) -> None:
    """The lock has the PIN in another slot: neither slot changes."""
    first, second = bench.slots
    pin = bench.pins[0]
    bench.proves(await bench.set(first, pin), first, pin)
    outcome = await bench.set(second, pin)
    assert (outcome.kind, outcome.code) == (OutcomeKind.REJECTED, "duplicate_code"), outcome
    await bench.holds(second, None)
    await bench.holds(first, pin)


async def a_slot_that_is_not_there_is_refused(bench: Bench) -> None:
    """Slot 0, which is all slots to some systems, and the one after the last."""
    slot, pin = bench.slots[0], bench.pins[0]
    bench.proves(await bench.set(slot, pin), slot, pin)
    for wrong in (0, bench.keypad.slots + 1):
        for outcome in (
            await bench.set(wrong, bench.pins[1]),
            await bench.execute(ClearCode, wrong),
            await bench.execute(ReadCode, wrong),
        ):
            assert outcome.kind in _NO, f"slot {wrong}: {outcome}"
    await bench.holds(slot, pin)


async def a_pin_that_is_not_known_is_refused(bench: Bench) -> None:
    """The hub has forgotten the PIN: nothing is sent."""
    outcome = await bench.execute(SetCode, bench.slots[0], pin_ref="no-such-pin")
    assert outcome.kind is OutcomeKind.REJECTED, outcome
    await bench.holds(bench.slots[0], None)


async def a_time_frame_is_taken(bench: Bench) -> None:
    """A code that begins tomorrow; the lock may not tell its frame, but tells no other."""
    slot, pin = bench.slots[0], bench.pins[0]
    start = (bench.clock.now() + timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
    frame = TimeFrame(start, start + timedelta(days=2))
    seen = bench.proves(await bench.set(slot, pin, frame=frame), slot, pin)
    assert seen.frame in {None, frame}, f"the lock keeps to {seen.frame}"
    without = bench.proves(await bench.set(slot, pin), slot, pin)
    assert without.frame is None, "the frame is still there"


def check_codes_seen(seen: tuple[Seen, ...] | list[Seen], native_id: str, keypad: KeypadCapability) -> None:
    """Check that what is told of a lock's codes can be true of it."""
    for code in seen:
        if not isinstance(code, CodeSeen) or code.native_id != native_id:
            continue
        where = f"{native_id}, slot {code.slot}"
        assert 1 <= code.slot <= keypad.slots, f"{where}: there is no such slot"
        assert code.slot not in keypad.reserved_slots, f"{where}: the slot is reserved"
        assert code.is_used or code.pin_ref is None, f"{where}: an empty slot has a PIN"
        assert keypad.tells_pins or code.pin_ref is None, f"{where}: a PIN of a lock that tells none"


def usable(keypad: KeypadCapability) -> list[int]:
    """Return the slots that the hub may use, the last one first."""
    return [slot for slot in range(keypad.slots, 0, -1) if slot not in keypad.reserved_slots]


@asynccontextmanager
async def at(bench: Bench) -> AsyncIterator[Bench]:
    """Find two empty slots, and empty them again when the block ends. Checks that no PIN was said or logged."""
    with _listening() as logged:
        for slot in usable(bench.keypad):
            outcome = await bench.execute(ReadCode, slot)
            assert outcome.kind is OutcomeKind.DONE, f"slot {slot} cannot be read: {outcome}"
            check_codes_seen(outcome.seen, bench.native_id, bench.keypad)
            if any(isinstance(seen, CodeSeen) and seen.slot == slot and not seen.is_used for seen in outcome.seen):
                bench.slots = (*bench.slots, slot)
            if len(bench.slots) == 2:  # noqa: PLR2004 - what the checks use
                break
        assert len(bench.slots) == 2, f"{bench.native_id} has no two empty slots"  # noqa: PLR2004 - as above
        try:
            yield bench
        finally:
            for slot in bench.slots:
                await bench.execute(ClearCode, slot)
        bench.check_said(logged)


class _Ear(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(self.format(record))


@contextmanager
def _listening() -> Iterator[list[str]]:
    """Hear all that is logged, at the most talkative level that a site can set."""
    root, ear = logging.getLogger(), _Ear()
    level = root.level
    root.addHandler(ear)
    root.setLevel(logging.DEBUG)
    try:
        yield ear.heard
    finally:
        root.setLevel(level)
        root.removeHandler(ear)


def _lengths(keypad: KeypadCapability) -> tuple[int, int, int]:
    """Return the lengths of the PINs: the longest, the shortest, and the longest again."""
    lengths = keypad.code_lengths
    return lengths[-1], lengths[0], lengths[-1]


def _pin(seed: str, length: int) -> str:
    return "".join(islice(cycle(seed), length))
