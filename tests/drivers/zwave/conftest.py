"""The emulated network: one of one's own for tests that pull its stick, one for all others of a module."""

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from tests.sims.zwave.fixtures import CacheFor, zwave_cache, zwave_network
from tests.sims.zwave.harness import FAST, NODES, Pace, ZwaveNetwork

__all__ = ["zwave_cache", "zwave_network"]

LOCKS = (2, 3, 5)
TIMED = (7, 8)
"""Locks whose codes may have schedules; with Supervision and without."""


class SharedNetwork:
    """A network on a loop of its own, so that it outlives the loops of the tests; starting one takes 2 s."""

    def __init__(self, network: ZwaveNetwork, loop: asyncio.AbstractEventLoop) -> None:
        self.network = network
        self._loop = loop

    @property
    def url(self) -> str:
        return self.network.url

    async def op(self, name: str, /, **arguments: Any) -> Any:
        return await self._there(self.network.op(name, **arguments))

    async def restore(self) -> None:
        """Have every lock obedient, open, in reach and known to be so."""
        locks = [node for node in self.network.nodes if node in {*LOCKS, *TIMED}]
        for node in locks:
            await self.op("faults", node=node)
            await self.op("habits", node=node)
            await self.op("dead", node=node, on=False)
        for node in locks:
            await self.op("unjam", node=node)
            await self.op("manual", node=node, locked=False)
            await self.op("lock_sets", node=node, reset=True)
            for slot in await self.op("codes", node=node):
                await self.op("local_code", node=node, slot=int(slot), code=None)
            for slot in await self.op("schedules", node=node):
                await self.op("local_erase", node=node, slot=int(slot))
            await self.op("code_frames", node=node, reset=True)
        await self.wait_ready()

    async def wait_ready(self) -> None:
        await self._there(self.network.wait_ready())

    async def _there[T](self, coroutine: Coroutine[Any, Any, T]) -> T:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, self._loop))


@pytest.fixture(scope="module")
def module_network(zwave_cache: CacheFor) -> Iterator[SharedNetwork]:
    with shared(zwave_cache(NODES)) as network:
        yield network


@pytest.fixture(scope="module")
def module_timed_network(zwave_cache: CacheFor) -> Iterator[SharedNetwork]:
    with shared(zwave_cache(TIMED), TIMED) as network:
        yield network


@pytest_asyncio.fixture
async def timed_network(module_timed_network: SharedNetwork) -> AsyncIterator[SharedNetwork]:
    await module_timed_network.restore()
    yield module_timed_network


@pytest.fixture(scope="session")
def session_network(zwave_cache: CacheFor) -> Iterator[SharedNetwork]:
    """For network care, whose tests stand in several modules and leave the network as they found it."""
    with shared(zwave_cache(NODES)) as network:
        yield network


@contextmanager
def shared(cache: Path, nodes: Sequence[int] = NODES, pace: Pace = FAST) -> Iterator[SharedNetwork]:
    """A network of nodes that were interviewed, for the tests of a module or more."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="zwave-network")
    thread.start()
    network = ZwaveNetwork(nodes=nodes, cache=cache, pace=pace)
    try:
        asyncio.run_coroutine_threadsafe(network.__aenter__(), loop).result(60)
        yield SharedNetwork(network, loop)
    finally:
        asyncio.run_coroutine_threadsafe(network.__aexit__(None, None, None), loop).result(30)
        asyncio.run_coroutine_threadsafe(loop.shutdown_default_executor(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest_asyncio.fixture
async def care_network(session_network: SharedNetwork) -> AsyncIterator[SharedNetwork]:
    await session_network.restore()
    yield session_network


@pytest_asyncio.fixture
async def network(module_network: SharedNetwork) -> AsyncIterator[SharedNetwork]:
    await module_network.restore()
    yield module_network


class Proxy:
    """A TCP proxy before a server, so that a connection can be cut without harm to the server."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname, parts.port)
        self._pipes: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        """Cut every connection and take no more."""
        self._server.close()
        for pipe in self._pipes:
            pipe.cancel()
        if self._pipes:
            await asyncio.wait(self._pipes)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onward_reader, onward_writer = await asyncio.open_connection(*self._target)
        pipes = {
            asyncio.create_task(_pipe(reader, onward_writer)),
            asyncio.create_task(_pipe(onward_reader, writer)),
        }
        self._pipes |= pipes
        await asyncio.wait(pipes, return_when=asyncio.FIRST_COMPLETED)
        for end in (writer, onward_writer):
            end.close()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except (ConnectionError, asyncio.CancelledError):
        return
