"""The simulated server: one site, one or more transports, the people there, and what goes wrong."""

from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Self

from hubd.driver import Clock, SystemClock
from hubd_drivers.salto_space.sim.encoders import Encoder
from hubd_drivers.salto_space.sim.handlers import Desk
from hubd_drivers.salto_space.sim.mischief import Counters, Faults
from hubd_drivers.salto_space.sim.people import Operator, Person
from hubd_drivers.salto_space.sim.quirks import Quirks
from hubd_drivers.salto_space.sim.service import Service
from hubd_drivers.salto_space.sim.state import Disaster, Opened, Site
from hubd_drivers.salto_space.sim.stp import Stp, StpListener
from hubd_drivers.salto_space.sim.web import Http, HttpListener

type Transport = Stp | Http


class Space:
    """``async with Space(site, transport=Stp()) as space``: it listens at `space.port` until the block ends.

    `clock` is what its waits go by: encoders, delays, pauses within replies. The site has its own `now`; give both the
    same source. `stop` and `start` within the block are a restart of the computer: connections drop, state stays.
    """

    def __init__(
        self,
        site: Site,
        *,
        transport: Transport | Sequence[Transport],
        quirks: Quirks | None = None,
        encoders: Iterable[str] = ("Encoder#1", "Encoder#2"),
        clock: Clock | None = None,
    ) -> None:
        self.site = site
        self.quirks = quirks or Quirks()
        self.encoders = {name: Encoder(name) for name in encoders}
        self.faults = Faults()
        self.counters = Counters()
        self.person = Person(site)
        self.operator = Operator(site)
        clock = clock or SystemClock()
        self._service = Service(Desk(site, self.quirks, self.encoders, clock), self.faults, self.counters, clock)
        transports = (transport,) if isinstance(transport, Stp | Http) else tuple(transport)
        self._listeners = [self._listener(one, clock) for one in transports]
        self._is_running = False

    def _listener(self, transport: Transport, clock: Clock) -> StpListener | HttpListener:
        if isinstance(transport, Stp):
            return StpListener(transport, self._service, self.quirks, clock)
        return HttpListener(transport, self._service, clock)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def port(self) -> int:
        """The port of the first transport."""
        return self.ports[0]

    @property
    def ports(self) -> tuple[int, ...]:
        """The port of each transport; kept over a restart."""
        return tuple(listener.port for listener in self._listeners)

    @property
    def open_connections(self) -> int:
        """How many clients are connected now."""
        return sum(listener.open_connections for listener in self._listeners)

    @property
    def opened(self) -> list[Opened]:
        """The doors that were unlocked over SHIP, in order."""
        return self.site.opened

    @property
    def disasters(self) -> list[Disaster]:
        """The door commands that named no door. A test of a driver asserts that there are none."""
        return self.site.disasters

    @property
    def hang(self) -> bool:
        """Whether it accepts connections and answers nothing."""
        return self._service.is_hanging

    @hang.setter
    def hang(self, hangs: bool) -> None:
        self._service.is_hanging = hangs

    @property
    def limited_to(self) -> str | None:
        """The only address that is served; another one's connections close without a byte. None: all are served."""
        return self._service.limited_to

    @limited_to.setter
    def limited_to(self, address: str | None) -> None:
        self._service.limited_to = address

    async def start(self) -> None:
        """Listen on every transport; none, if one cannot. Raises `OSError`."""
        if self._is_running:
            return
        self._is_running = True
        try:
            for listener in self._listeners:
                await listener.start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Listen no more and drop every connection; what an encoder waits for is broken off. State stays."""
        self._is_running = False
        for encoder in self.encoders.values():
            encoder.abort()
        for listener in self._listeners:
            await listener.stop()

    async def drop_connections(self) -> None:
        """Drop every connection and go on listening."""
        for listener in self._listeners:
            await listener.drop()

    def present_card(self, encoder: str, rom: str) -> None:
        """Put a card on an encoder, where it lies until it is taken away."""
        self.encoders[encoder].present(rom)
