"""Codes on a lock that keeps to time frames: what one costs, and what keeps it from opening outside its frame.

The lock is first given the PIN as one that does not open, then the schedule; once it has taken that, the PIN opens.
Whatever breaks off in between, also the hub's end, leaves a code that opens no door. If the lock does not take the
schedule, or loses it, the slot is emptied.
"""

from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from hubd.driver import Clock
from hubd.model import CodeSeen, Outcome, OutcomeKind, TimeFrame, rejected
from hubd_drivers.zwave.codes.books import UserCodes, Word
from hubd_drivers.zwave.codes.exchange import STORE_SECONDS, Exchange
from hubd_drivers.zwave.codes.schedules import NOTHING, Kept, Schedules
from hubd_drivers.zwave.codes.walltimes import WallFrame
from hubd_drivers.zwave.failures import CommandError, Kind

REFUSED: Final = "schedule_refused"

_OPENS: Final = "It lets a code in that it was told to keep disabled"
_HIDES_NOT: Final = "It refuses a code that is to be disabled until it has its schedule"
_REFUSES: Final = "It refuses the schedule of a code"
SILENT: Final = "It does not say which schedule a code has"
"""It may do so again; what else is wrong is wrong for good."""
_OTHER: Final = "It does not keep the schedule that a code was given"


class Framed:
    """Made for one command. `give_up` is called with what is wrong with the lock's schedules."""

    def __init__(
        self,
        *,
        exchange: Exchange,
        book: UserCodes,
        schedules: Schedules,
        clock: Clock,
        slot: int,
        seconds: float,
        give_up: Callable[[str], None],
    ) -> None:
        self._exchange = exchange
        self._book = book
        self._schedules = schedules
        self._clock = clock
        self._slot = slot
        self._seconds = seconds
        self._give_up = give_up

    # -- with a time frame ---------------------------------------------------------------------------------------------

    async def put(self, pin: str, frame: TimeFrame, wall: WallFrame, *, hides: bool) -> Outcome:
        """Write a PIN that opens within a time frame. `hides`: the lock was seen to keep a disabled code.

        Raises `CommandError` if nothing was changed.
        """
        try:
            async with self._clock.timeout(self._seconds):
                return await self._put(pin, frame, wall, hides=hides)
        except TimeoutError:
            return self._broken_off("The lock took too long; the code does not open unless it has its schedule.")
        except CommandError as error:
            if not self._exchange.has_left:
                raise
            return self._broken_off(error.message, error.code)

    def _broken_off(self, message: str, code: str = "no_answer") -> Outcome:
        """What was read of a code that opens is not told: it would count as proof, though its schedule is not known."""
        held = self._exchange.held
        return self._exchange.silent(message, code, is_told=held is None or not held.is_enabled)

    async def _put(self, pin: str, frame: TimeFrame, wall: WallFrame, *, hides: bool) -> Outcome:
        is_hidden = await self._is_hidden(pin)
        if not is_hidden:
            hidden = await self._exchange.hide(self._book.hide(self._slot, pin), pin, is_sure=hides)
            if hidden.kind is not OutcomeKind.DONE:
                return await self._not_hidden(hidden, pin, hides=hides)
        wrong = await self._bind(wall, is_first=not is_hidden)
        if wrong is not None:
            return await self._take_back(wrong)
        outcome = await self._exchange.put(pin)
        if outcome.kind is not OutcomeKind.DONE:
            return outcome
        kept = await self._schedules.read(self._slot)
        if kept is None:
            return self._exchange.silent("The lock did not say which schedule the code has.", is_told=False)
        if kept.wall != wall:
            return await self._take_back(_OTHER)
        return _framed(outcome, frame)

    async def _is_hidden(self, pin: str) -> bool:
        """Tell whether an attempt before this one has come so far; it is not repeated then."""
        known = (await self._book.cached()).get(self._slot)
        return known is not None and known.is_used and not known.is_enabled and known.pin == pin

    async def _not_hidden(self, outcome: Outcome, pin: str, *, hides: bool) -> Outcome:
        held = self._exchange.held
        if outcome.code != "code_refused" or hides:
            return outcome
        if held is not None and held.is_used and held.is_enabled and held.pin in {pin, None}:
            return await self._take_back(_OPENS)
        self._give_up(_HIDES_NOT)  # or it refuses the PIN, as it then does when the code begins
        return outcome

    async def _bind(self, wall: WallFrame, *, is_first: bool) -> str | None:
        """Give the code its schedule; returns what is wrong with the lock."""
        word = Word.NOTHING
        if is_first or await self._schedules.cached(self._slot) != Kept(is_set=True, wall=wall):
            try:
                word = await self._schedules.put(self._slot, wall)
            except CommandError as error:
                if error.kind in {Kind.REFUSED, Kind.UNSUPPORTED}:
                    return _REFUSES
                raise
        if word is Word.REFUSED:
            return _REFUSES
        if word is Word.STORED:
            return None
        await self._clock.sleep(STORE_SECONDS)
        kept = await self._schedules.read(self._slot)
        if kept is None:
            return SILENT
        return None if kept.wall == wall else _OTHER

    async def _take_back(self, wrong: str) -> Outcome:
        """Empty the slot of a code that is not kept to its frame."""
        cleared = await self._exchange.clear()
        is_empty = cleared.kind is OutcomeKind.DONE
        if is_empty or wrong != SILENT:
            self._give_up(wrong)
        if is_empty:
            message = f"{wrong}; the code was taken off, and is set when it begins."
            return rejected(REFUSED, message, {"slot": self._slot}, cleared.seen)
        message = f"{wrong}, and the lock did not confirm that the code was taken off."
        return self._exchange.silent(message, REFUSED, is_told=False)

    # -- without one ---------------------------------------------------------------------------------------------------

    async def free(self, pin: str) -> Outcome:
        """Write a PIN that opens at any time, whatever schedule the slot had. Raises `CommandError` as `put`."""
        is_free = await self._erase()
        outcome = await self._exchange.put(pin)
        if outcome.kind is not OutcomeKind.DONE or is_free:
            return outcome
        if await self._erase():  # some take a schedule for a code that is there only
            return outcome
        return self._exchange.silent("The lock did not confirm that the slot has no schedule.", is_told=False)

    async def _erase(self) -> bool:
        """Tell whether the slot has no schedule any more."""
        try:
            async with self._clock.timeout(self._seconds):
                word = await self._schedules.erase(self._slot)
                if word is Word.STORED:
                    return True
                await self._clock.sleep(STORE_SECONDS)
                return await self._schedules.read(self._slot) == NOTHING
        except TimeoutError:
            return False
        except CommandError as error:
            if error.kind in {Kind.REFUSED, Kind.UNSUPPORTED} or self._exchange.has_left:
                return False
            raise

    async def read(self, told: Callable[[WallFrame], TimeFrame | None]) -> Outcome:
        """Ask what the slot holds, and if it is used, its schedule, which `told` puts into the hub's words."""
        outcome = await self._exchange.read()
        held = self._exchange.held
        if outcome.kind is not OutcomeKind.DONE or held is None or not held.is_used:
            return outcome
        try:
            async with self._clock.timeout(self._seconds):
                kept = await self._schedules.read(self._slot)
        except TimeoutError:
            kept = None
        if kept is None:
            self._give_up(SILENT)
            return self._exchange.silent("The lock did not say which schedule the code has.", is_told=False)
        frame = None if kept.wall is None else told(kept.wall)
        return _framed(outcome, frame, is_told=frame is not None or not kept.is_set)


def _framed(outcome: Outcome, frame: TimeFrame | None, *, is_told: bool = True) -> Outcome:
    seen = (
        replace(one, frame=frame, is_frame_told=is_told) if isinstance(one, CodeSeen) else one for one in outcome.seen
    )
    return replace(outcome, seen=tuple(seen))
