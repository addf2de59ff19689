"""The Node processes of the simulator: found, started, watched and ended."""

import asyncio
import contextlib
import json
import os
import shutil
import socket
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
POLL_S: Final = 0.02
LOG_TAIL_BYTES: Final = 3000
INSTALL: Final = "run `npm ci --no-audit --no-fund` in tests/sims/zwave"

# With NODE_ENV=test or CI set, zwave-js takes other paths than in production; the others redirect its log.
_UNWANTED_ENV: Final = frozenset({"CI", "NODE_ENV", "LOGLEVEL", "LOGTOFILE", "LOG_NODES", "NO_CACHE"})


class SimulatorError(Exception):
    """The simulator could not do what it was asked; the text ends with the log of the process to blame."""


def require_node() -> str:
    """Return the path of `node`, all packages being installed; else SimulatorError says what to run."""
    node = shutil.which("node")
    if node is None:
        raise SimulatorError(f"the Z-Wave simulator needs Node.js 20 or newer on PATH; then {INSTALL}")
    manifest = json.loads((HERE / "package.json").read_bytes())
    for name, version in manifest["dependencies"].items():
        package = HERE / "node_modules" / name / "package.json"
        if not package.exists():
            raise SimulatorError(f"the Z-Wave simulator lacks {name} {version}: {INSTALL}")
        found = json.loads(package.read_bytes())["version"]
        if found != version:
            raise SimulatorError(f"the Z-Wave simulator has {name} {found}, not {version}: {INSTALL}")
    return node


def reserve_port() -> socket.socket:
    """Hold a free loopback port for a child.

    The socket is bound but never listens. A process that sets SO_REUSEADDR (as Node does) may listen on the
    port, stop and listen again, while the kernel gives it to nobody else.
    """
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    return holder


async def is_listening(port: int) -> bool:
    """Tell whether somebody accepts connections on this loopback port."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


async def in_thread(work: Callable[[], None]) -> None:
    """Run blocking work in a thread, to its end even when cancelled."""
    task = asyncio.create_task(asyncio.to_thread(work))
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


class Child:
    """One Node process, all its output in a log file that is appended to across restarts."""

    def __init__(self, name: str, log: Path) -> None:
        self.name = name
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """The id of the process, None if it was not started or has ended."""
        if self._process is None or self._process.returncode is not None:
            return None
        return self._process.pid

    async def start(self, command: Sequence[str], *, stdin: int) -> None:
        """Start `command`, which ends by itself when `stdin` reaches its end."""
        if self.pid is not None:
            raise SimulatorError(f"{self.name} is already running")
        env = {k: v for k, v in os.environ.items() if k not in _UNWANTED_ENV and not k.startswith("ZWAVEJS_")}
        log = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._process = await asyncio.create_subprocess_exec(
                *command, stdin=stdin, stdout=log, stderr=log, cwd=HERE, env={**env, "NO_COLOR": "1"}
            )
        finally:
            os.close(log)

    async def wait_for(self, what: str, probe: Callable[[], Awaitable[bool]], limit_s: float) -> None:
        """Return once `probe` holds; SimulatorError if the process ends before that, or `limit_s` passes."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + limit_s
        while not await probe():
            if self.pid is None:
                raise SimulatorError(f"{self.name} ended before {what}:\n{await self.log_end()}")
            if loop.time() > deadline:
                end = await self.log_end()
                raise SimulatorError(f"no {what} within {limit_s:g} s from {self.name}:\n{end}")
            await asyncio.sleep(POLL_S)

    async def wait_ended(self) -> None:
        """Return when the process is gone."""
        if self._process is not None:
            await self._process.wait()

    async def log_end(self) -> str:
        """Return what the process wrote last."""
        return await asyncio.to_thread(_tail, self._log)

    async def terminate(self, grace_s: float) -> None:
        """Ask the process to end, and make it after `grace_s`."""
        if self._process is None or self.pid is None:
            return
        self._process.terminate()
        try:
            async with asyncio.timeout(grace_s):
                await self._process.wait()
        except TimeoutError:
            self.kill()
            await self._process.wait()

    def kill(self) -> None:
        """Send SIGKILL, if there is a process."""
        if self._process is not None and self.pid is not None:
            self._process.kill()


def _tail(path: Path) -> str:
    try:
        return path.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace")
    except FileNotFoundError:
        return "(nothing logged)"
