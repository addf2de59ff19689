"""What goes on by itself at a site that is left running: made up, and the same each time for a seed."""

from random import Random

from hubd.driver import Clock
from hubd_drivers.salto_space.sim.locks import Wiring
from hubd_drivers.salto_space.sim.people import Person
from hubd_drivers.salto_space.sim.records import Record
from hubd_drivers.salto_space.sim.state import Site

_SHUT, _LEFT_OPEN, _COLLECTED = 0.25, 0.3, 0.4
"""Below these somebody shuts a door, leaves one open, brings an offline lock's events; above, uses one."""


class Life:
    """Something happens every `seconds` on average, for as long as `run` is run."""

    def __init__(self, site: Site, clock: Clock, *, seconds: float = 20.0, seed: int = 1) -> None:
        self._site = site
        self._clock = clock
        self._seconds = seconds
        self._chance = Random(seed)  # noqa: S311 - made up
        self._person = Person(site)

    async def run(self) -> None:
        """Live until cancelled."""
        while True:
            await self._clock.sleep(self._chance.uniform(0.2, 1.8) * self._seconds)
            self.step()

    def step(self) -> None:
        """Let one thing happen."""
        dice = self._chance.random()
        places = sorted(self._site.places(), key=lambda place: place.id)
        standing = [place for place in places if self._site.locks[place.id].stands_open]
        online = [place for place in places if self._site.locks[place.id].is_online]
        telling = [place for place in places if self._untold(place)]
        if dice < _SHUT and standing:
            self._person.shuts(self._chance.choice(standing).id)
        elif _SHUT <= dice < _LEFT_OPEN and online:
            self._person.leaves_open(self._chance.choice(online).id)
        elif _LEFT_OPEN <= dice < _COLLECTED and telling:
            self._site.collect(self._chance.choice(telling).id)
        else:
            self._use(places)

    def _untold(self, place: Record) -> bool:
        lock = self._site.locks[place.id]
        return lock.wiring is Wiring.OFFLINE and bool(lock.untold)

    def _use(self, places: list[Record]) -> None:
        users = sorted(user.id for user in self._site.users if user.is_set("CurrentKeyExists"))
        if users and places:
            self._person.opens(self._chance.choice(places).id, self._chance.choice(users))
