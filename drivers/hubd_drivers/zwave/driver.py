"""The driver: connects, lives, and passes commands to the life under way."""

import asyncio

from hubd.driver import DriverError, Port
from hubd.model import Command, Outcome, unreachable
from hubd_drivers.zwave.bolts import Memory
from hubd_drivers.zwave.config import ZwaveConfig
from hubd_drivers.zwave.failures import SERVER, SERVER_LOST, connect_error
from hubd_drivers.zwave.life import Life
from hubd_drivers.zwave.link import Link, connected


class ZwaveDriver:
    """Z-Wave through zwave-js-server. See `hubd.driver.Driver`."""

    def __init__(self, config: ZwaveConfig) -> None:
        self._config = config
        self._memory = Memory()
        self._life: Life | None = None

    async def run(self, port: Port) -> None:
        """Live one life of the connection, with a client of its own. Raises `DriverError` at its end."""
        async with connected(self._config.url, self._config.connect_timeout, port.clock) as link:
            try:
                async with asyncio.TaskGroup() as tasks:
                    await self._begin(link, tasks, port)
            except BaseExceptionGroup as group:
                lost, defects = group.split(DriverError)
                if lost is None or defects is not None:
                    raise
                raise _first(lost) from None
            finally:
                if self._life is not None:
                    self._life.remember()
                self._life = None

    async def execute(self, command: Command) -> Outcome:
        """Do one command."""
        if self._life is None:
            return unreachable(SERVER_LOST, "There is no connection to zwave-js-server.", {"hop": SERVER})
        return await self._life.execute(command)

    async def _begin(self, link: Link, tasks: asyncio.TaskGroup, port: Port) -> None:
        tasks.create_task(link.listen(), name="zwave-listen")
        try:
            async with port.clock.timeout(self._config.connect_timeout):
                await link.started()
        except TimeoutError as error:
            raise connect_error(error, self._config.url, self._config.connect_timeout) from error
        life = Life(self._config, port, link, tasks, self._memory)
        link.subscribe(life.note, life.finish)
        await life.announce()
        life.start(tasks)
        self._life = life
        port.ready()


def _first(group: BaseExceptionGroup[DriverError]) -> DriverError:
    """Return the error that came first; the others follow from it."""
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
