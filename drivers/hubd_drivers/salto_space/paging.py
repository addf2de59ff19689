"""Reading a list to its end, whichever way the server counts.

Not public, so right either way: whether a page begins with the record it was asked from or behind it, whether pages are
ordered by id, whether the server sends fewer records than it was asked for, and whether it says which page is the last.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

from hubd_drivers.salto_space.messages import Page

type Ask[T] = Callable[[str], Awaitable[Page[T]]]
"""Asks for the page from an id on; the empty one is the beginning. A page has room for two records or more."""


async def pages[T](ask: Ask[T], start: str = "", known: frozenset[str] = frozenset()) -> AsyncGenerator[Page[T]]:
    """Yield page after page, each record once by its `id` and none that is `known`; raises what `ask` raises.

    The end is where the server says so, or where nothing new comes. A page that is shorter than it could be is no end:
    a server may send fewer than it is asked for. So a server that never says so is asked once more than needed.
    """
    seen = set(known)
    while True:
        page = await ask(start)
        fresh = _fresh(page, seen)
        yield fresh
        if page.eof or not fresh.records:
            return
        start = _id(page.records[-1])


def _fresh[T](page: Page[T], seen: set[str]) -> Page[T]:
    """Return a page without what was seen before, which then is seen, too."""
    records: list[T] = []
    raw = []
    for at, record in enumerate(page.records):
        key = _id(record)
        if key in seen:
            continue
        seen.add(key)
        records.append(record)
        if page.raw:
            raw.append(page.raw[at])
    return Page(records=tuple(records), eof=page.eof, broken=page.broken, raw=tuple(raw))


def _id(record: Any) -> str:
    return str(record.id)
