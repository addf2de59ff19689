"""A network of locks that notes what it is asked for, and answers as a test says."""

import asyncio
from collections.abc import Callable

from hubd.model import ClearCode, Command, KeypadCapability, Outcome, ReadCode, SetCode
from tests.sims.locks import LockNetwork


class Watched(LockNetwork):
    """Notes what it is asked for."""

    def __init__(self, locks: int = 1, keypad: KeypadCapability | None = None) -> None:
        super().__init__(locks, keypad)
        self.asked: list[tuple[str, str, int]] = []
        self.instead: Callable[[Command], Outcome | None] | None = None
        """Answers in place of the lock, where it does."""
        self.is_hanging = False

    async def execute(self, command: Command) -> Outcome:
        assert isinstance(command, SetCode | ClearCode | ReadCode)
        kind = type(command).__name__.removesuffix("Code").lower()
        self.asked.append((command.native_id, kind, command.slot))
        if self.is_hanging:
            await asyncio.Event().wait()
        if self.instead is not None and (answer := self.instead(command)) is not None:
            await self.living_port.clock.sleep(self.latency)
            return answer
        return await super().execute(command)

    def kinds(self) -> list[str]:
        """Return what was asked for since the last call."""
        asked, self.asked = self.asked, []
        return [kind for _, kind, _ in asked]
