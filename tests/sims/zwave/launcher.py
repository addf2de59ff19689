"""`hubd-zwave run` on the emulated stick, as its systemd unit runs it: with a state and a runtime directory, again."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from hubd_drivers.zwave.server.settings import write_private

from tests.sims.zwave.children import HERE, POLL_S, SimulatorError, in_thread, is_listening
from tests.sims.zwave.harness import ZwaveNetwork
from tests.sims.zwave.server_config import network_keys

RESTART_S = 0.5
"""As RestartSec of the unit, though shorter."""
LIMIT_S = 40.0

_RUN = """
import ctypes, os, signal, sys
libc = ctypes.CDLL(None)
if hasattr(libc, "prctl"):
    libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: a killed test run leaves nothing running
os.execv(sys.executable, [sys.executable, "-m", "hubd_drivers.zwave.server.service", *sys.argv[1:]])
"""


class Launcher:
    """Runs the launcher on the port of a network whose own server is stopped, and again whenever it ends.

    `stick` is what it is given, by default the network's stick behind TCP.
    """

    def __init__(self, network: ZwaveNetwork, directory: Path, stick: str | None = None) -> None:
        self.state = directory / "state"
        self.log = directory / "launcher.log"
        self.ended: list[int] = []
        """Exit statuses."""
        self._directory = directory
        self._network = network
        self._port = int(network.url.rpartition(":")[2])
        self._stick = stick or f"tcp://127.0.0.1:{network.stick_port}"
        self._process: asyncio.subprocess.Process | None = None
        self._unit: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._network.stop_server()
        await in_thread(self._prepare)
        self._unit = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Stop it, as systemctl would."""
        if self._unit is None:
            return
        self._unit.cancel()
        await asyncio.wait({self._unit})
        self._unit = None
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()

    def kill(self) -> None:
        """Kill whatever of it runs: the launcher, or the server that has taken its place."""
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)

    async def wait_listening(self) -> None:
        """Return when the server takes connections."""
        await self._until(lambda: is_listening(self._port), "open websocket port")

    async def wait_said(self, words: str, count: int = 1) -> None:
        """Return when the log has these words so often."""

        async def has_said() -> bool:
            return (await self.text()).count(words) >= count

        await self._until(has_said, repr(words))

    async def text(self) -> str:
        """Return the log."""
        return await asyncio.to_thread(self.log.read_text, encoding="utf-8", errors="replace")

    async def _until(self, holds: Callable[[], Awaitable[bool]], what: str) -> None:
        try:
            async with asyncio.timeout(LIMIT_S):
                while not await holds():  # noqa: ASYNC110 - another process
                    await asyncio.sleep(POLL_S)
        except TimeoutError as error:
            raise SimulatorError(f"no {what} from the launcher:\n{(await self.text())[-3000:]}") from error

    def _prepare(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        self.log.touch()
        keys = self._directory / "zwave-keys.json"
        if not keys.exists():
            write_private(keys, network_keys())

    async def _run(self) -> None:
        while True:
            await self._start()
            assert self._process is not None
            self.ended.append(await self._process.wait())
            if self.ended[-1] == 2:  # RestartPreventExitStatus
                return
            await asyncio.sleep(RESTART_S)

    async def _start(self) -> None:
        arguments = ("--stick", self._stick, "--port", str(self._port), "--prefix", str(HERE))
        env = os.environ | {
            "STATE_DIRECTORY": str(self.state),
            "RUNTIME_DIRECTORY": str(self._directory / "run"),
            "CREDENTIALS_DIRECTORY": str(self._directory),
            "NO_COLOR": "1",
        }
        log = await asyncio.to_thread(self.log.open, "ab")
        try:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", _RUN, "run", *arguments, stdout=log, stderr=log, env=env
            )
        finally:
            await asyncio.to_thread(log.close)


class SerialStick:
    """The emulated stick as a serial device, to be pulled and put back under a name that lasts."""

    def __init__(self, network: ZwaveNetwork, name: Path) -> None:
        self.name = name
        self._network = network
        self._process: asyncio.subprocess.Process | None = None

    async def plug(self) -> str:
        """Put it in; returns the name that the kernel has given out for it this time."""
        port = str(self._network.stick_port)
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, str(HERE / "serial_port.py"), port, str(self.name), stdin=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(LIMIT_S):
            while not await asyncio.to_thread(self.name.exists):  # noqa: ASYNC110 - another process
                await asyncio.sleep(POLL_S)
        return str(await asyncio.to_thread(self.name.resolve))

    async def pull(self) -> None:
        """Pull it out: the name is gone, whoever has it open reads its end."""
        if self._process is None:
            return
        process, self._process = self._process, None
        await process.communicate()


@asynccontextmanager
async def serial_stick(network: ZwaveNetwork, name: Path) -> AsyncIterator[SerialStick]:
    """Give a serial device that is plugged in; gone when the block is left."""
    await network.stop_server()  # which holds the other end
    stick = SerialStick(network, name)
    try:
        await stick.plug()
        yield stick
    finally:
        await stick.pull()
