"""Reads all that the server holds: once at the beginning of a life, then around and around, one page at a time."""

import asyncio
from typing import Final

from hubd.driver import Port
from hubd_drivers.salto_space.client import SpaceClient
from hubd_drivers.salto_space.config import SaltoSpaceConfig
from hubd_drivers.salto_space.people import AnyMirror, People
from hubd_drivers.salto_space.roster import Roster
from hubd_drivers.salto_space.wallclock import CLOCK_OFF, ZONE_WRONG, complaint

_OTHERS: Final = 1
"""Questions of a round besides those for pages: what the server's clock shows."""


class Sync:
    """For one life of the link; what it compares with outlives it, in `people` and `roster`.

    `writing` is held from before a page is read until it is told, so that no edit comes between.
    """

    def __init__(
        self,
        client: SpaceClient,
        port: Port,
        config: SaltoSpaceConfig,
        people: People,
        roster: Roster,
        writing: asyncio.Lock,
    ) -> None:
        self._client = client
        self._port = port
        self._config = config
        self._people = people
        self._roster = roster
        self._writing = writing
        self._mirrors: tuple[AnyMirror, ...] = (people.zones, people.groups, people.users)
        self._turn = 0
        for mirror in self._mirrors:
            mirror.listing.begin()

    @property
    def pause(self) -> float:
        """Seconds between two steps, so that a round takes as long as the config says; never less than a poll."""
        pages = self._roster.pages + sum(max(1, mirror.listing.count) for mirror in self._mirrors) + _OTHERS
        return max(self._config.poll_seconds, self._config.sync_seconds / pages)

    async def check_clock(self) -> None:
        """Compare the server's clock with the hub's, where that one is relied on. Raises `LinkError`, `Fault`."""
        info = await self._client.info()
        if info.wall is None or not self._port.is_time_trusted:
            return
        found = complaint(info.wall, self._config.zone, self._port.clock.now())
        for code in (ZONE_WRONG, CLOCK_OFF):
            if found is None or found.code != code:
                self._port.caution(code, None)
        if found is not None:
            self._port.caution(found.code, found.message, found.remedy)

    async def read_people(self) -> None:
        """Read and tell all zones, access levels and users. Raises `LinkError`, `Fault`, `StoreError`."""
        for mirror in self._mirrors:
            is_through = False
            while not is_through:
                is_through = await self._step(mirror)

    async def step(self) -> None:
        """Read one page of what is next; to be called again after `pause`. Raises as `read_people`."""
        turn = self._turn
        if turn < len(self._mirrors):
            is_through = await self._step(self._mirrors[turn])
        elif turn == len(self._mirrors):
            is_through = await self._roster.step(self._client, self._port)
        else:
            await self.check_clock()
            is_through = True
        if is_through:
            self._turn = (turn + 1) % (len(self._mirrors) + 2)

    async def _step(self, mirror: AnyMirror) -> bool:
        async with self._writing:
            is_through = await self._people.step(mirror, self._client, self._port)
            if is_through:
                await self._people.settle(mirror, self._client, self._port)
                mirror.listing.begin()
        return is_through
