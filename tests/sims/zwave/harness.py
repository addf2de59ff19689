"""A Z-Wave network in a box: an emulated USB stick with its nodes, under the real zwave-js-server.

    async with ZwaveNetwork(nodes=(2, 3)) as network:
        ...  # connect a client to network.url
        await network.op("keypad", node=2, locked=False, user=3)

The operations are listed in ops.mjs, the nodes in network.mjs. Everything listens on loopback, on ports that
the kernel chose; every process started here is gone when the block is left.
"""

import asyncio
import functools
import json
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import aiohttp

from tests.sims.zwave.children import (
    HERE,
    Child,
    SimulatorError,
    in_thread,
    is_listening,
    require_node,
    reserve_port,
)
from tests.sims.zwave.server_config import FAST, Pace, ServerConfig

__all__ = ["FAST", "FIRST_MODEL", "NODES", "SLEEPERS", "Pace", "SimulatorError", "ZwaveNetwork", "require_node"]

NODES: Final = (2, 3, 4, 5)
"""Unsecured lock, S2 lock, thermostat, Schlage S0 lock. There are also 6 and 9, a sensor and a valve that sleep.

And 7 and 8, locks whose codes may have schedules, with and without Supervision, and 10, a thermostat that counts in
Fahrenheit.
"""

SLEEPERS: Final = (6, 9)

FIRST_MODEL: Final = 20
"""The node that the first of a network's models is; the others follow in order, as in models.mjs."""

SCHEMA: Final = 50  # of @zwave-js/server 3.10
OP_LIMIT_S: Final = 15.0
STOP_GRACE_S: Final = 10.0
SHORTEST_BLIP_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class _Running:
    """What a started network holds and must give back."""

    node: str
    stick: Child
    server: Child
    http: aiohttp.ClientSession
    holders: dict[str, socket.socket]
    lifeline: tuple[int, int]
    """A pipe that nobody writes to: its end tells the children that this process is gone."""

    def port(self, name: str) -> int:
        port: int = self.holders[name].getsockname()[1]
        return port

    async def start(self, child: Child, *arguments: str) -> None:
        watch = (HERE / "exit-with-parent.mjs").as_uri()
        await child.start([self.node, "--import", watch, *arguments], stdin=self.lifeline[0])

    async def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        async with self.http.post(f"http://127.0.0.1:{self.port('control')}/", json=request) as response:
            answer: dict[str, Any] = await response.json()
            return answer

    async def close(self) -> None:
        """End everything, without an await until both processes have their SIGKILL."""
        self.server.kill()
        self.stick.kill()
        for holder in self.holders.values():
            holder.close()
        for end in self.lifeline:
            os.close(end)
        await self.server.wait_ended()
        await self.stick.wait_ended()
        await self.http.close()


class ZwaveNetwork:
    """The simulated network and its server, as an async context manager; use it once.

    `nodes`: which of network.mjs take part. `models`: files of makers' models that take part too (see models.mjs).
    `cache`: a directory that `save_cache` left, copied for this run;
    without it every node is interviewed first (4 s and up). `directory`: where logs, config and cache go and
    stay; by default a temporary one that is removed. `reconnect`: whether zwave-server outlives its stick
    (closing the websocket meanwhile) or exits with it. `query_all_user_codes` False makes the driver delete
    the codes of a lock that it interviews for the first time. `optimistic` False: the driver reports a value
    that it has set only once the node confirms it. `serve` False leaves the server to the caller.
    `start_limit_s` bounds each wait for a process to come up.
    """

    def __init__(  # noqa: PLR0913 - every switch of the simulator, by keyword
        self,
        *,
        nodes: Sequence[int] = NODES,
        models: Sequence[Path] = (),
        cache: Path | None = None,
        directory: Path | None = None,
        pace: Pace | None = None,
        reconnect: bool = True,
        query_all_user_codes: bool = True,
        optimistic: bool = True,
        log_level: str = "info",
        serve: bool = True,
        start_limit_s: float = 60.0,
    ) -> None:
        self.nodes = (*nodes, *range(FIRST_MODEL, FIRST_MODEL + len(models)))
        self.models = tuple(models)
        self.pace = pace or Pace()
        self._cache = cache
        self._pulled_at = 0.0
        self._given_directory = directory
        self._directory: Path | None = directory
        self._reconnect = reconnect
        self._config = functools.partial(
            ServerConfig,
            pace=self.pace,
            query_all_user_codes=query_all_user_codes,
            optimistic=optimistic,
            log_level=log_level,
            models=self.models,
        )
        self._serve = serve
        self._start_limit_s = start_limit_s
        self._running: _Running | None = None

    @property
    def url(self) -> str:
        """Where a client finds the server: the same address for the whole life of the network."""
        return f"ws://127.0.0.1:{self._up.port('server')}"

    @property
    def stick_port(self) -> int:
        """Where the stick's serial port is, on loopback; one server at a time may open it."""
        return self._up.port("stick")

    @property
    def directory(self) -> Path:
        """Where stick.log, server.log, server.json and cache/ are."""
        if self._directory is None:
            raise SimulatorError("the network is not running")
        return self._directory

    @property
    def pids(self) -> dict[str, int]:
        """The processes that live: "stick", "server". The server may live without listening."""
        if self._running is None:
            return {}
        found = {"stick": self._running.stick.pid, "server": self._running.server.pid}
        return {name: pid for name, pid in found.items() if pid is not None}

    async def __aenter__(self) -> Self:
        try:
            await self._enter()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self._close()

    async def op(self, name: str, /, **arguments: Any) -> Any:
        """Run one operation of ops.mjs and return its result; SimulatorError if the stick refuses it."""
        up = self._up
        try:
            answer = await up.ask({**arguments, "op": name})
        except (aiohttp.ClientError, TimeoutError) as error:
            end = await up.stick.log_end()
            raise SimulatorError(f"{name}: no answer from the stick ({error!r}):\n{end}") from error
        if not answer["ok"]:
            raise SimulatorError(f"{name}: {answer['error']}")
        return answer["result"]

    async def unplug(self) -> None:
        """Pull the stick out: the driver loses its port and cannot open it again."""
        await self.op("unplug")
        self._pulled_at = time.monotonic()

    async def plug(self) -> None:
        """Put the stick back in, a second after it was pulled at the earliest.

        No kernel is faster; a port that is back within milliseconds under a frame leaves the driver waiting for
        its end, and the controller counts as unresponsive after half a minute.
        """
        await asyncio.sleep(max(0.0, self._pulled_at + SHORTEST_BLIP_S - time.monotonic()))
        await self.op("plug")

    async def start_server(self, *, wait: bool = True) -> None:
        """Start the server, on the same port as before; with `wait`, return when it listens.

        The lock directory is emptied first, as systemd empties a RuntimeDirectory: after a SIGKILL the driver
        would refuse its own cache for 10 s.
        """
        await in_thread(self._clear_locks)
        await self._spawn_server()
        if wait:
            await self.wait_listening()

    async def stop_server(self) -> None:
        """Stop the server; its cache directory is then complete."""
        await self._up.server.terminate(STOP_GRACE_S)

    async def kill_server(self) -> None:
        """Kill the server with SIGKILL: it writes nothing more and closes no connection in order."""
        self._up.server.kill()
        await self._up.server.wait_ended()

    async def wait_listening(self) -> None:
        """Return when the server accepts connections, which it does once its driver has opened the stick."""
        port = self._up.port("server")
        await self._up.server.wait_for("open websocket port", lambda: is_listening(port), self._start_limit_s)

    async def wait_not_listening(self) -> None:
        """Return when the server accepts no connections.

        A client that connects while the server closes its port, for want of a stick, may never be answered, and
        the server does not go on before that client hangs up.
        """

        async def is_deaf() -> bool:
            return not await is_listening(port)

        port = self._up.port("server")
        await self._up.server.wait_for("closed websocket port", is_deaf, self._start_limit_s)

    async def wait_server_ended(self) -> None:
        """Return when the server process is gone, whoever ended it."""
        await self._up.server.wait_ended()

    async def wait_ready(self, limit_s: float = 60.0) -> None:
        """Return when the driver calls every node ready: interviewed, now or in the cache, and tried once."""
        try:
            async with asyncio.timeout(limit_s):
                await self._nodes_ready()
        except (aiohttp.ClientError, TimeoutError) as error:
            end = await self._up.server.log_end()
            raise SimulatorError(f"the nodes are not ready ({error!r}):\n{end}") from error

    async def save_cache(self, target: Path) -> None:
        """Stop the server and copy its cache directory to `target`, for another network's `cache`."""
        await self.stop_server()
        await in_thread(lambda: _copy_tree(self.directory / "cache", target))

    @property
    def _up(self) -> _Running:
        if self._running is None:
            raise SimulatorError("the network is not running")
        return self._running

    async def _enter(self) -> None:
        node = await asyncio.to_thread(require_node)
        await in_thread(self._prepare_directory)
        self._running = up = _Running(
            node=node,
            stick=Child("the emulated stick", self.directory / "stick.log"),
            server=Child("zwave-server", self.directory / "server.log"),
            http=aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=OP_LIMIT_S)),
            holders={name: reserve_port() for name in ("stick", "control", "server")},
            lifeline=os.pipe(),
        )
        await self._spawn_stick()
        if self._serve:
            await self._spawn_server()  # at once: the stick's port is open long before the driver has loaded
        await up.stick.wait_for("answer on the control channel", self._answers, self._start_limit_s)
        if self._serve:
            await self.wait_listening()

    async def _answers(self) -> bool:
        try:
            await self._up.ask({"op": "ping"})
        except aiohttp.ClientConnectorError:
            return False
        return True

    async def _spawn_stick(self) -> None:
        up = self._up
        await up.start(
            up.stick,
            str(HERE / "mock-controller.mjs"),
            f"--port={up.port('stick')}",
            f"--control={up.port('control')}",
            f"--nodes={','.join(map(str, self.nodes))}",
            *(f"--model={path}" for path in self.models),
            f"--tx-delay={self.pace.tx_delay_ms}",
            f"--no-ack-delay={self.pace.no_ack_ms}",
            f"--bolt-travel={self.pace.bolt_travel_ms}",
        )

    async def _spawn_server(self) -> None:
        up = self._up
        await up.start(
            up.server,
            str(HERE / "node_modules" / ".bin" / "zwave-server"),
            f"tcp://127.0.0.1:{up.port('stick')}",
            "--config",
            str(self.directory / "server.json"),
            "--host",
            "127.0.0.1",
            "--port",
            str(up.port("server")),
            "--disable-dns-sd",
            *(["--reconnect"] if self._reconnect else []),
        )

    async def _nodes_ready(self) -> None:
        async with self._up.http.ws_connect(self.url, max_msg_size=0) as websocket:
            await websocket.send_json({"messageId": "1", "command": "initialize", "schemaVersion": SCHEMA})
            await websocket.send_json({"messageId": "2", "command": "start_listening"})
            waiting = set(self.nodes)
            async for message in websocket:
                waiting -= _ready_nodes(json.loads(message.data))
                if not waiting:
                    return
        raise SimulatorError(f"the server closed the websocket; not ready: {sorted(waiting)}")

    def _prepare_directory(self) -> None:
        if self._directory is None:
            self._directory = Path(tempfile.mkdtemp(prefix="hubd-zwave-"))
        cache = self._directory / "cache"
        cache.mkdir(parents=True, exist_ok=True)
        if self._cache is not None:
            _copy_tree(self._cache, cache)
        self._clear_locks()
        self._config(self._directory).write()

    def _clear_locks(self) -> None:
        locks = self.directory / "locks"
        shutil.rmtree(locks, ignore_errors=True)
        locks.mkdir()

    async def _close(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            await running.close()
        if self._given_directory is None and self._directory is not None:
            directory, self._directory = self._directory, None
            await in_thread(lambda: shutil.rmtree(directory, ignore_errors=True))


def _ready_nodes(message: dict[str, Any]) -> set[int]:
    """Return the nodes that one message of the server tells to be ready."""
    match message:
        case {"type": "result", "success": False}:
            raise SimulatorError(f"the server refused: {message}")
        case {"type": "result", "result": {"state": {"nodes": nodes}}}:
            return {node["nodeId"] for node in nodes if node["ready"]}
        case {"type": "event", "event": {"source": "node", "event": "ready", "nodeId": int(node_id)}}:
            return {node_id}
        case _:
            return set()


def _copy_tree(source: Path, target: Path) -> None:
    shutil.copytree(source, target, dirs_exist_ok=True)
