"""The hub's picture of one list of the server: what is new or changed is told, and what is gone once that is sure."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from hubd.driver import Port
from hubd.model import AcsGone, AcsGroup, AcsUser, AcsZone
from hubd.model.access import HeldKind
from hubd_drivers.salto_space.client import SpaceClient
from hubd_drivers.salto_space.listing import Listing, Record, Step

_NOUNS: Final[dict[HeldKind, str]] = {"user": "users", "group": "user access levels", "zone": "zones"}

type Held = AcsUser | AcsGroup | AcsZone
type IsThere = Callable[[SpaceClient, str], Awaitable[bool]]
"""Asks for one record by itself; a False of a server whose pages begin behind the id asked from proves nothing."""

CHUNK: Final = 20
"""Records that are asked for by themselves, or told of as gone, at a time."""
FEW: Final = 3
"""So many are believed to be gone whatever share of all they are."""
DOUBT_SECONDS: Final = 600.0
"""How long most of a list must be missing until that is believed: a server that starts, or lost its database or the
rights to it, shows empty lists for a while."""


class Mirror[T: Record, N: Held]:
    """Of users, access levels or zones. Its memory outlives the link; it is used under the lock of the edits."""

    def __init__(self, kind: HeldKind, listing: Listing[T], convert: Callable[[T], N], is_there: IsThere) -> None:
        self.kind: HeldKind = kind
        self.listing = listing
        self._convert = convert
        self._is_there = is_there
        self._told: dict[str, int] = {}
        """What was told of each, as a hash."""
        self._doubted_at: float | None = None
        """Since when most of what was there is missing; by the clock's `monotonic`."""
        self._missed: frozenset[str] = frozenset()
        """What the last whole round did not find, on a server that cannot be asked for one record."""

    def __len__(self) -> int:
        return len(self._told)

    async def step(self, client: SpaceClient, port: Port) -> Step[T]:
        """Read a page and tell what is new in it. Raises `LinkError`, `Fault`, `StoreError`."""
        step = await self.listing.step(client)
        touched = self.listing.touched
        found = [self._convert(one) for one in step.fresh]
        news = [
            (one, made)
            for one in found
            if self._told.get(one.native_id) != (made := hash(one)) or one.native_id in touched
        ]
        if news:
            await port.note(*(one for one, _ in news))
        self._told.update((one.native_id, made) for one, made in news)
        self.listing.keep(step)
        return step

    async def settle(self, client: SpaceClient, port: Port) -> Sequence[str]:
        """After a whole round: tell what is gone; returns their ids. To be called once per round."""
        listing = self.listing
        if not listing.is_whole:
            return ()
        known = self._told.keys() | port.held(self.kind)
        missing = sorted(known - listing.seen)
        if self._is_doubtful(len(missing), len(known), port):
            return ()
        if missing and listing.begins_with_start is None and listing.seen:
            listing.begins_with_start = await self._is_there(client, min(listing.seen))
        gone: list[str] = []
        for at in range(0, len(missing), CHUNK):
            gone += await self._tell_gone(client, port, missing[at : at + CHUNK])
        self._missed = frozenset(missing).difference(gone)
        return gone

    def _is_doubtful(self, missing: int, known: int, port: Port) -> bool:
        """Tell whether so much is missing that it is not believed yet; a technician is told of it."""
        code = f"{self.kind}s_missing"
        if missing <= FEW or 2 * missing <= known:
            self._doubted_at = None
            port.caution(code, None)
            return False
        now = port.clock.monotonic()
        if self._doubted_at is None:
            self._doubted_at = now
        if now - self._doubted_at >= DOUBT_SECONDS:
            port.caution(code, None)
            return False
        port.caution(
            code,
            f"Space no longer shows {missing} of {known} {_NOUNS[self.kind]}. They are kept here for ten minutes more.",
            "If nobody deleted them in ProAccess Space, look at its database and at what SHIP may see.",
        )
        return True

    async def _tell_gone(self, client: SpaceClient, port: Port, missing: Sequence[str]) -> list[str]:
        gone = []
        for one in missing:
            if await self._is_there(client, one):
                continue
            if self.listing.begins_with_start or one in self._missed:
                gone.append(one)
        if gone:
            await port.note(*(AcsGone(kind=self.kind, native_id=one) for one in gone))
        for one in gone:
            self._told.pop(one, None)
        return gone

    def changed(self, record_id: str, held: N | None) -> None:
        """Take in what was read of a record that was changed from here; None: it is gone."""
        self.listing.touch(record_id)
        if held is None:
            self._told.pop(record_id, None)
        else:
            self._told[record_id] = hash(held)
