"""One life of the link: reads everything, then keeps up with it until the link is lost."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from hubd.driver import Port
from hubd.model import (
    Command,
    EditAccess,
    EncodeCredential,
    LockDoor,
    Outcome,
    UnlockDoor,
    rejected,
    unsupported,
)
from hubd_drivers.salto_space import stream
from hubd_drivers.salto_space.client import SpaceClient
from hubd_drivers.salto_space.config import SaltoSpaceConfig
from hubd_drivers.salto_space.doors import Doors
from hubd_drivers.salto_space.edits import Edits
from hubd_drivers.salto_space.encoders import Encoders
from hubd_drivers.salto_space.failures import driver_error
from hubd_drivers.salto_space.faults import Fault, FaultKind
from hubd_drivers.salto_space.mapping import encoder_name
from hubd_drivers.salto_space.nudge import Nudge
from hubd_drivers.salto_space.people import People
from hubd_drivers.salto_space.roster import Roster
from hubd_drivers.salto_space.sync import Sync
from hubd_drivers.salto_space.trail import Trail
from hubd_drivers.salto_space.transport import LinkError

NO_TRAIL = "audit_trail_not_readable"
MOST_REFUSALS = 3
"""So many in a row end a life."""


class Memory:
    """What outlives the link: what was read and told, so that a new life tells only what changed."""

    def __init__(self, config: SaltoSpaceConfig) -> None:
        self.people = People(config)
        self.roster = Roster(config)


class Life:
    """Made for one link."""

    def __init__(self, config: SaltoSpaceConfig, port: Port, client: SpaceClient, memory: Memory) -> None:
        self._config = config
        self._port = port
        self._client = client
        self._roster = memory.roster
        self._roster.connect(port)
        self._is_announced = False
        writing = asyncio.Lock()
        self._nudge = Nudge(port.clock)
        self._sync = Sync(client, port, config, memory.people, memory.roster, writing)
        self._trail = Trail(client, port, config, memory.roster.place, self._look_for_doors)
        self._has_trail = True
        self.doors = Doors(client, memory.roster, config.target, self._nudge.ordered)
        self._encoders = Encoders(client, memory.people, config, port.clock, writing)
        self._edits = Edits(client, memory.people, config, port.clock, writing)

    async def announce(self) -> None:
        """Read everything and tell it; first what happened while nobody listened. Raises `DriverError`."""
        with explained(self._config):
            await self._sync.check_clock()
            if await self._begin_trail():
                await self._trail.catch_up()
            await self._roster.announce(self._client, self._port)
            self._is_announced = True
            await self._sync.read_people()

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Keep up with the server in tasks of the group; they end with `DriverError` when the link is lost."""
        tasks.create_task(self._poll(), name="salto-status")
        tasks.create_task(self._read_trail(), name="salto-trail")
        tasks.create_task(self._go_around(), name="salto-sync")
        tasks.create_task(stream.listen(self._config, self._port, self._nudge.hint), name="salto-stream")

    async def execute(self, command: Command) -> Outcome:
        """See `Driver.execute`."""
        match command:
            case UnlockDoor():
                return await self.doors.open(command.native_id)
            case EditAccess():
                return await self._edits.make(command.change)
            case EncodeCredential():
                return await self._encoders.encode(command)
            case LockDoor() if self._roster.door(command.native_id) is not None:
                return unsupported("Space locks a door by itself; nothing needs to be ordered.")
            case _ if self._knows(command.native_id):
                return unsupported("A part of an access control system knows no such command.")
            case _:
                return rejected("device_unknown", "Space has no such door or encoder, or no longer.")

    def _knows(self, native_id: str) -> bool:
        return self._roster.door(native_id) is not None or encoder_name(native_id) in self._config.encoders

    async def _begin_trail(self) -> bool:
        """Find the place in the trail; False also where the server does not let it be read."""
        try:
            found = await self._trail.begin()
        except Fault as fault:
            if fault.kind not in {FaultKind.UNSUPPORTED, FaultKind.LICENCE}:
                raise
            self._has_trail = False
            message = f"Space does not let the hub read its audit trail: {fault.sentence} Nobody tells who used a door."
            self._port.caution(NO_TRAIL, message, fault.remedy)
            return False
        self._port.caution(NO_TRAIL, None)
        return found

    async def _look_for_doors(self) -> None:
        if self._is_announced:
            await self._roster.read_all(self._client, self._port)
        else:  # which of them are online must be known before they are announced
            await self._roster.announce(self._client, self._port)

    async def _poll(self) -> None:
        patience = Patience(self._port)
        with explained(self._config):
            while True:
                await self._port.clock.sleep(self._config.poll_seconds)
                with patience:
                    await self._roster.poll(self._client, self._port)

    async def _read_trail(self) -> None:
        patience = Patience(self._port)
        with explained(self._config):
            while self._has_trail:
                with patience:
                    await self._trail.catch_up()
                await self._nudge.wait(self._config.audit_seconds)

    async def _go_around(self) -> None:
        patience = Patience(self._port)
        with explained(self._config):
            while True:
                await self._port.clock.sleep(self._sync.pause)
                with patience:
                    await self._sync.step()


class Patience:
    """Bears some refusals in a row of what is asked again and again.

    Ending the life for one would close the connections on which orders and encoders are waited for, and have the whole
    site read anew by a server that may be busy with itself.
    """

    def __init__(self, port: Port) -> None:
        self._port = port
        self._refusals = 0

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> bool:
        if not isinstance(error, Fault):
            self._refusals = 0
            return False
        self._refusals += 1
        if self._refusals >= MOST_REFUSALS:
            return False
        self._port.log.warning("refused, and asked again: %s", error)
        return True


@contextmanager
def explained(config: SaltoSpaceConfig) -> Iterator[None]:
    """Raise what the link does as what a technician can act on: `DriverError`."""
    try:
        yield
    except (LinkError, Fault) as error:
        raise driver_error(error, config.target) from error
