"""The driver: connects, lives, and passes commands to the life under way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from hubd.driver import ActionResult, Arguments, Clock, DriverError, Port, Progress, RecordingError, Tape
from hubd.model import Command, LockDoor, Outcome, UnlockDoor, unreachable
from hubd_drivers.zwave.bolts import Memory
from hubd_drivers.zwave.care.dispatch import act
from hubd_drivers.zwave.care.errors import CONNECT
from hubd_drivers.zwave.config import ZwaveConfig
from hubd_drivers.zwave.failures import SERVER, SERVER_LOST, CommandError, connect_error
from hubd_drivers.zwave.life import Life
from hubd_drivers.zwave.link import Link, connected
from hubd_drivers.zwave.recording.recorder import Recorder

_CODES_AT_RISK = (
    "zwave-js-server refuses to keep the codes of locks (%s): it may delete all codes of a lock that it interviews for "
    "the first time or after its cache was lost. Have it started by hubd-zwave, or set interview.queryAllUserCodes to "
    "true in its settings, and start it again."
)


class ZwaveDriver:
    """Z-Wave through zwave-js-server. See `hubd.driver.Driver`."""

    def __init__(self, config: ZwaveConfig) -> None:
        self._config = config
        self._memory = Memory()
        self._life: Life | None = None
        self._link: Link | None = None
        self._recorder: Recorder | None = None

    async def run(self, port: Port) -> None:
        """Live one life of the connection, with a client of its own. Raises `DriverError` at its end."""
        try:
            await self._live(port)
        except DriverError as error:
            self._memory.lost(error.code)
            raise

    async def _live(self, port: Port) -> None:
        async with connected(self._config.url, self._config.connect_timeout, port.clock, self._tap) as link:
            self._link = link
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
                    self._life.care.lost()
                self._life = self._link = None

    async def execute(self, command: Command) -> Outcome:
        """Do one command."""
        if self._life is None:
            return unreachable(SERVER_LOST, "There is no connection to zwave-js-server.", {"hop": SERVER})
        if isinstance(command, LockDoor | UnlockDoor):
            self._tap("order", command)
        return await self._life.execute(command)

    async def act(self, action: str, arguments: Arguments, native_id: str | None, progress: Progress) -> ActionResult:
        """See `hubd.driver.ActingDriver`."""
        if self._life is None:
            raise DriverError(SERVER, SERVER_LOST, "There is no connection to zwave-js-server.", CONNECT)
        return await act(self._life.care, action, arguments, native_id, progress)

    @asynccontextmanager
    async def record(self, clock: Clock) -> AsyncIterator[Tape]:
        """See `hubd.driver.RecordableDriver`."""
        if self._recorder is not None:
            raise RecordingError("recording_under_way", "This link is being recorded already.")
        self._recorder = Recorder(clock)
        retelling = asyncio.create_task(self._retell(), name="zwave-retell")
        try:
            yield self._recorder
        finally:
            self._recorder = None
            retelling.cancel()
            await asyncio.wait({retelling})

    async def _retell(self) -> None:
        """Without a link nothing is told: the next life begins with all of it."""
        if self._link is not None:
            with suppress(CommandError):
                await self._link.retell()

    def _tap(self, way: str, what: object) -> None:
        if self._recorder is not None:
            self._recorder.note(way, what)

    async def _begin(self, link: Link, tasks: asyncio.TaskGroup, port: Port) -> None:
        tasks.create_task(link.listen(), name="zwave-listen")
        try:
            async with port.clock.timeout(self._config.connect_timeout):
                await link.started()
        except TimeoutError as error:
            raise connect_error(error, self._config.url, self._config.connect_timeout) from error
        if link.refusal:
            port.log.warning(_CODES_AT_RISK, link.refusal)
        self._memory.back(port.clock.monotonic())
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
