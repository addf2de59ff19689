"""Letting time pass for a hub whose clock stands, as fast as nobody does anything in between."""

from collections.abc import Awaitable, Callable

from hubd.store.journal import Journal
from tests.support.clock import ManualClock, settle

CALM = 3
"""How often in a row nothing was written, until nothing will be without time passing."""


async def _at_once() -> None:
    """Wait for nobody."""


async def quiet(journal: Journal, nothing_is_sent: Callable[[], Awaitable[None]] = _at_once) -> None:
    """Return when nothing happens without time passing.

    `nothing_is_sent` returns when no exchange is under way: for devices that keep what they hold on a real disk.
    """
    calm, head = 0, -1
    while calm < CALM:
        await nothing_is_sent()
        await journal.transact(lambda _: None)
        await settle()
        calm = calm + 1 if journal.head == head else 0
        head = journal.head


async def pass_time(clock: ManualClock, seconds: float, calm_down: Callable[[], Awaitable[None]]) -> None:
    """Let time pass, stopping wherever somebody waits for it."""
    end = clock.monotonic() + seconds
    await calm_down()
    while (left := end - clock.monotonic()) > 0:
        due = clock.next_due
        await clock.advance(left if due is None else min(left, max(due, 0.0)))
        await calm_down()
