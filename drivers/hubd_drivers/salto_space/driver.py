"""The driver: connects, lives, and passes commands to the life under way."""

import asyncio

from hubd.driver import ActionError, ActionResult, Arguments, DriverError, Port, Progress
from hubd.model import Command, Outcome, unreachable
from hubd_drivers.salto_space.client import SpaceClient
from hubd_drivers.salto_space.config import SaltoSpaceConfig
from hubd_drivers.salto_space.doors import OFFICE
from hubd_drivers.salto_space.failures import SERVER
from hubd_drivers.salto_space.life import Life, Memory, explained
from hubd_drivers.salto_space.transport import prepare

NO_LINK = "server_not_connected"
_NO_LINK_WORDS = "There is no connection to the Space server."


class SaltoSpaceDriver:
    """Salto ProAccess Space over SHIP. See `hubd.driver.ActingDriver`."""

    def __init__(self, config: SaltoSpaceConfig) -> None:
        self._config = config
        self._memory = Memory(config)
        self._life: Life | None = None

    async def run(self, port: Port) -> None:
        """Live one life of the link. Raises `DriverError` at its end."""
        with explained(self._config):
            transport = await prepare(self._config, port.clock)
        client = SpaceClient(transport, self._config, port.clock)
        try:
            await self._live(port, client)
        except BaseExceptionGroup as group:
            lost, defects = group.split(DriverError)
            if lost is None or defects is not None:
                raise
            raise _first(lost) from None
        finally:
            self._life = None
            await client.close()

    async def _live(self, port: Port, client: SpaceClient) -> None:
        life = Life(self._config, port, client, self._memory)
        await life.announce()
        async with asyncio.TaskGroup() as tasks:
            life.start(tasks)
            self._life = life
            port.ready()

    async def execute(self, command: Command) -> Outcome:
        """Do one command."""
        if self._life is None:
            return unreachable(NO_LINK, _NO_LINK_WORDS, {"hop": SERVER})
        return await self._life.execute(command)

    async def act(self, action: str, arguments: Arguments, native_id: str | None, progress: Progress) -> ActionResult:
        """See `hubd.driver.ActingDriver`."""
        del arguments, progress  # no action has any, and each is one request
        if action not in OFFICE:
            raise ActionError("action_not_found", f"The Salto Space driver has no action {action!r}.")
        if self._life is None:
            raise DriverError(SERVER, NO_LINK, _NO_LINK_WORDS, "See why in the driver's state (hubd doctor).")
        return await self._life.doors.office(action, native_id)


def _first(group: BaseExceptionGroup[DriverError]) -> DriverError:
    """Return the error that came first; the others follow from it."""
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
