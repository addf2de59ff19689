"""Card encoders, and the people who put cards on them."""

import asyncio
from typing import NamedTuple

from hubd.driver import Clock
from hubd_drivers.salto_space.sim.replies import RefusalError

BUSY, TOO_LATE, BROKEN, ABORTED, NO_COMMUNICATION = 402, 403, 404, 405, 401


class Habit(NamedTuple):
    """Somebody who always puts a card on this encoder once it waits. Other ROM each time if `rom` is empty."""

    seconds: float
    rom: str = ""


class Encoder:
    """One Ethernet encoder. It serves one request at a time, and waits at most `seconds` for a card."""

    def __init__(self, name: str, *, seconds: float = 15.0) -> None:
        self.name = name
        self.seconds = seconds
        self.is_online = True
        self.is_broken = False
        """Writing fails: error 404."""
        self.habit: Habit | None = None
        self.waits = asyncio.Event()
        """Set while a request waits for a card."""
        self._card: asyncio.Future[str] | None = None
        self._lying: str | None = None
        self._made = 0

    def __repr__(self) -> str:
        return f"<Encoder {self.name}>"

    def present(self, rom: str) -> None:
        """Put a card on it. It lies there until it is taken away."""
        self._lying = rom
        if self._card is not None and not self._card.done():
            self._card.set_result(rom)

    def take_away(self) -> None:
        """Take the card away."""
        self._lying = None

    def abort(self) -> None:
        """Break off what is under way, as an operator does on Space's screen: error 405."""
        if self._card is not None and not self._card.done():
            self._card.set_exception(RefusalError(ABORTED))

    async def card(self, clock: Clock) -> str:
        """Wait for a card and return its ROM code. Raises `RefusalError` with 401, 402, 403, 404 or 405."""
        if not self.is_online:
            raise RefusalError(NO_COMMUNICATION, self.name)
        if self._card is not None:
            raise RefusalError(BUSY, self.name)
        self._card = asyncio.get_running_loop().create_future()
        self.waits.set()
        try:
            rom = await self._presented(clock)
        finally:
            self._card = None
            self.waits.clear()
        if self.is_broken:
            raise RefusalError(BROKEN, self.name)
        return rom

    async def _presented(self, clock: Clock) -> str:
        if self._lying is not None:
            return self._lying
        assert self._card is not None  # noqa: S101 - for the type checker: its only caller has just made it
        if self.habit is not None and self.habit.seconds <= self.seconds:
            await clock.sleep(self.habit.seconds)
            self._made += 1
            return self.habit.rom or f"04{self._made:012X}"
        try:
            async with clock.timeout(self.seconds):
                return await self._card
        except TimeoutError:
            raise RefusalError(TOO_LATE, self.name) from None
