"""One list of the server, read a page at a time, again and again.

A page whose reply is the same as in the last round is not parsed, and nothing of it is told.
"""

from collections.abc import Callable, Collection
from typing import Final

import msgspec

from hubd_drivers.salto_space.client import Read, SpaceClient
from hubd_drivers.salto_space.messages import Page, Request, SpaceDoor, SpaceGroup, SpaceUser, SpaceZone

type Record = SpaceUser | SpaceGroup | SpaceDoor | SpaceZone

_AGAIN: Final = 2
"""How often a page is read anew after one of its records was changed from here: what an order's outcome tells of it may
be taken in after the first time."""


class _Kept(msgspec.Struct, frozen=True):
    """A page as it was."""

    digest: bytes
    ids: tuple[str, ...]
    is_last: bool


class Step[T: Record](msgspec.Struct, frozen=True, kw_only=True):
    """What one question brought. `Listing.keep` takes it as told."""

    start: str
    digest: bytes
    ids: tuple[str, ...]
    fresh: tuple[T, ...]
    """The records that no earlier page of this round had; none if the page is as it was."""
    is_end: bool
    """The round is over."""
    is_last: bool
    is_broken: bool
    """A record of it could not be read: the round proves nothing to be gone."""


class Listing[T: Record]:
    """Made once; its memory outlives the link."""

    def __init__(self, request: Callable[[str], Request], read: Read[Page[T]]) -> None:
        self._request = request
        self._read = read
        self._pages: dict[str, _Kept] = {}
        self._touched: dict[str, int] = {}
        self._start = ""
        self._used: set[str] = set()
        self.begins_with_start: bool | None = None
        """Whether a page begins with the record that it is asked from; None: that was not seen yet."""
        self.seen: set[str] = set()
        """The ids of this round, so far."""
        self.is_whole = True
        """No page of this round had a record that could not be read."""
        self.count = 0
        """Pages of the last whole round."""

    @property
    def name(self) -> str:
        """The name of the request."""
        return self._request("").name

    def begin(self) -> None:
        """Begin a round."""
        self._start, self.seen, self.is_whole = "", set(), True
        self._used = set()

    def touch(self, record_id: str) -> None:
        """Say that a record was changed from here: what its page says is told anew, whatever was told before."""
        self._touched[record_id] = _AGAIN
        self.seen.add(record_id)

    def before(self, record_id: str) -> str | None:
        """Return what stood before a record in the last round; "" for the first one, None if it was not there."""
        for start, page in self._pages.items():
            if record_id in page.ids:
                place = page.ids.index(record_id)
                return page.ids[place - 1] if place else start
        return None

    @property
    def touched(self) -> Collection[str]:
        """The records that were changed from here."""
        return self._touched.keys()

    async def step(self, client: SpaceClient) -> Step[T]:
        """Read the next page. Raises `LinkError`, `Fault`."""
        kept = self._pages.get(self._start)
        if kept is not None and not self._touched.keys().isdisjoint(kept.ids):
            kept = None
        known = b"" if kept is None else kept.digest
        digest, page = await client.page_unless(self._request(self._start), self._read, known)
        if page is None and kept is not None:
            is_end = kept.is_last or self.seen.issuperset(kept.ids)
            return Step(
                start=self._start,
                digest=digest,
                ids=kept.ids,
                fresh=(),
                is_end=is_end,
                is_last=kept.is_last,
                is_broken=False,
            )
        records = () if page is None else page.records
        fresh = tuple({one.id: one for one in records if one.id not in self.seen or one.id in self._touched}.values())
        ids = tuple(one.id for one in records)
        if self._start and ids:
            self.begins_with_start = self.begins_with_start or self._start in ids
        is_last = page is None or bool(page.eof)
        return Step(
            start=self._start,
            digest=digest,
            ids=ids,
            fresh=fresh,
            is_end=is_last or self.seen.issuperset(ids),
            is_last=is_last,
            is_broken=page is not None and page.broken > 0,
        )

    def keep(self, step: Step[T]) -> None:
        """Take in that a step is told, and go on behind it."""
        if step.is_broken:
            self.is_whole = False
            self._pages.pop(step.start, None)
        else:
            self._pages[step.start] = _Kept(step.digest, step.ids, step.is_last)
        self._used.add(step.start)
        self.seen.update(step.ids)
        for one in self._touched.keys() & set(step.ids):
            self._touched[one] -= 1
            if self._touched[one] <= 0:
                del self._touched[one]
        if step.is_end:
            self.count = len(self._used)
            self._pages = {start: page for start, page in self._pages.items() if start in self._used}
        else:
            self._start = step.ids[-1]
