"""One command about one slot, followed until the lock's own word is known: at most one set and one get.

A second get is spent only on a lock that neither confirmed nor refused and shows the old content: some need longer than
half a second to store. Whatever zwave-js says of success, DONE rests on what the lock holds.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from hubd.driver import Clock, Secrets
from hubd.model import CodeSeen, Detail, Outcome, OutcomeKind, done, rejected
from hubd_drivers.zwave.codes.books import Book, Word
from hubd_drivers.zwave.codes.held import Held
from hubd_drivers.zwave.failures import CommandError

STORE_SECONDS: Final = 0.5
"""What a lock gets that has not confirmed; its own "code added" ends the wait."""
SLOW_SECONDS: Final = 1.5
TWIN_SECONDS: Final = 3.0
"""Why a code was refused is worth asking, but not much waiting."""

type _Fits = Callable[[Held], bool]


class Exchange:
    """Made for one command."""

    def __init__(
        self,
        *,
        book: Book,
        clock: Clock,
        secrets: Secrets,
        native_id: str,
        slot: int,
        tells_pins: bool,
        seconds: float,
    ) -> None:
        self._book = book
        self._clock = clock
        self._secrets = secrets
        self._native_id = native_id
        self._slot = slot
        self._tells_pins = tells_pins
        self._seconds = seconds
        self._spoke = asyncio.Event()
        self._is_clearing = False
        self._is_duplicate = False
        self._has_left = False
        self._is_open = False
        """The lock did not answer when it was asked last."""
        self._last: Held | None = None

    def told(self, *, is_duplicate: bool) -> None:
        """Take in that the lock has said, besides, that its codes changed, or why not."""
        self._is_duplicate = self._is_duplicate or is_duplicate
        self._spoke.set()

    @property
    def is_masked(self) -> bool:
        """The lock did not say which PIN it holds."""
        return self._last is not None and self._last.is_masked

    async def put(self, pin: str) -> Outcome:
        """Write a PIN. Raises `CommandError` for one that did not leave, or of which nothing else is known."""

        def fits(held: Held) -> bool:
            return held.is_used and held.is_enabled and held.pin in {pin, None}

        return await self._change(self._book.put(self._slot, pin), fits, lambda word: self._not_stored(pin, word))

    async def hide(self, change: Awaitable[Word], pin: str, *, is_sure: bool) -> Outcome:
        """Write a PIN that does not open, by `change`. `is_sure`: a lock that does not refuse is not asked for it."""

        def fits(held: Held) -> bool:
            return held.is_used and not held.is_enabled and held.pin in {pin, None}

        return await self._change(change, fits, lambda word: self._not_stored(pin, word), is_sure=is_sure)

    @property
    def has_left(self) -> bool:
        """Something was changed, or may have been."""
        return self._has_left

    @property
    def held(self) -> Held | None:
        """What the slot was last read to hold."""
        return self._last

    async def clear(self) -> Outcome:
        """Empty the slot. Raises as `put`."""

        async def kept(_: Word) -> Outcome:
            message = f"The lock did not clear slot {self._slot}; a code is still in it."
            return rejected("device_refused", message, {"slot": self._slot}, self._seen())

        self._is_clearing = True  # a duplicate is then somebody else's, at the keypad
        return await self._change(self._book.empty(self._slot), lambda held: not held.is_used, kept)

    async def read(self) -> Outcome:
        """Ask what the slot holds. Raises `CommandError`."""
        try:
            async with self._clock.timeout(self._seconds):
                self._last = await self._book.read(self._slot)
        except TimeoutError:
            pass
        if self._last is None:
            return self.silent("The lock did not say what the slot holds.")
        return done("The lock said what the slot holds.", self._seen())

    async def _change(
        self,
        change: Awaitable[Word],
        fits: _Fits,
        otherwise: Callable[[Word], Awaitable[Outcome]],
        *,
        is_sure: bool = False,
    ) -> Outcome:
        word = Word.NOTHING
        try:
            async with self._clock.timeout(self._seconds):
                word = await change
                self._has_left = True
                if is_sure and not self._is_refused(word):
                    return done("The lock did not refuse it.")
                if await self._shows(fits, word):
                    return done("The lock was read back and holds it.", self._seen())
        except TimeoutError:
            self._is_open = True
        except CommandError as error:
            if not self._has_left:
                raise
            if not self._is_refused(word):
                return self.silent(error.message, error.code)
        if self._is_open and not self._is_refused(word):
            return self.silent("The lock did not say what the slot holds now; the change was sent to it.")
        return await otherwise(word)

    def _is_refused(self, word: Word) -> bool:
        return (self._is_duplicate and not self._is_clearing) or word in {Word.REFUSED, Word.DUPLICATE, Word.RULES}

    async def _shows(self, fits: _Fits, word: Word) -> bool:
        """Read the slot back; once more for a lock that may be slow."""
        if word is Word.NOTHING:
            await self._wait(STORE_SECONDS)
        await self._look()
        is_unsure = word is Word.NOTHING and not self._is_duplicate
        if is_unsure and self._last is not None and not fits(self._last):
            await self._wait(SLOW_SECONDS)
            if not self._is_duplicate:
                await self._look()
        if self._last is None or self._is_open:
            return False
        return fits(self._last) and not (self._last.is_masked and self._is_refused(word))

    async def _look(self) -> None:
        held = await self._book.read(self._slot)
        self._is_open = held is None
        self._last = held or self._last

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with self._clock.timeout(seconds):
                await self._spoke.wait()
        self._spoke.clear()

    async def _not_stored(self, pin: str, word: Word) -> Outcome:
        detail: Detail = {"slot": self._slot, "sent_length": len(pin)}
        if self._last is not None and self._last.pin is not None:
            detail["held_length"] = len(self._last.pin)
        has_told = self._is_duplicate or word is Word.DUPLICATE
        twin, proof = await self._twin(pin, is_certain=has_told)
        if has_told or twin is not None:
            message = "The lock did not take the code: it has the same PIN in another slot."
            return rejected("duplicate_code", message, {**detail, "other_slot": twin}, self._seen() + proof)
        if word is Word.RULES:
            message = "The lock did not take the code: its maker's rules forbid this PIN."
        elif word is Word.REFUSED:
            message = "The lock refused the code; it gave no reason."
        else:
            message = "The lock received the code and does not hold it; it gave no reason."
        return rejected("code_refused", message, detail, self._seen())

    async def _twin(self, pin: str, *, is_certain: bool) -> tuple[int | None, tuple[CodeSeen, ...]]:
        """Return another slot that holds the PIN, and what was read of it.

        Unless the lock itself has said that there is one, it is asked: what zwave-js knows of other slots may be old.
        """
        with suppress(CommandError, TimeoutError):
            async with self._clock.timeout(TWIN_SECONDS):
                known = await self._book.cached()
                twin = next((slot for slot, held in known.items() if slot != self._slot and held.pin == pin), None)
                if twin is None or is_certain:
                    return twin, ()
                held = await self._book.read(twin)
                if held is not None and held.pin == pin:
                    return twin, (self._seen_of(held, twin),)
        return None, ()

    def silent(self, message: str, code: str = "no_answer", *, is_told: bool = True) -> Outcome:
        """Return that it is not known what became of the command. `is_told` False: nor what the slot holds."""
        seen = self._seen() if is_told else ()
        return Outcome(OutcomeKind.SENT_UNCONFIRMED, code, message, {"slot": self._slot}, seen)

    def _seen(self) -> tuple[CodeSeen, ...]:
        if self._last is None:
            return ()
        return (self._seen_of(self._last, self._slot),)

    def _seen_of(self, held: Held, slot: int) -> CodeSeen:
        return seen_of(held, self._native_id, slot, self._secrets, tells_pins=self._tells_pins)


def seen_of(
    held: Held, native_id: str, slot: int, secrets: Secrets, *, tells_pins: bool = True, is_cached: bool = False
) -> CodeSeen:
    """Return what the hub is told of a slot."""
    return CodeSeen(
        native_id=native_id,
        slot=slot,
        is_used=held.is_used,
        pin_ref=secrets.seal(held.pin) if tells_pins and held.pin is not None else None,
        is_enabled=held.is_enabled,
        is_cached=is_cached,
    )
