"""Fixtures over the harness: nodes interviewed once per session, then a fresh network per test in about 2 s.

Load them with `pytest_plugins = ["tests.sims.zwave.fixtures"]` in the root conftest, or import them into
another one.
"""

import asyncio
import functools
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import pytest_asyncio

from tests.sims.zwave.harness import FAST, NODES, SLEEPERS, SimulatorError, ZwaveNetwork, require_node

type CacheFor = Callable[[Sequence[int]], Path]
"""Gives the cache directory of a network with these nodes, interviewed once in a session."""


@pytest.fixture(scope="session")
def zwave_cache(tmp_path_factory: pytest.TempPathFactory) -> CacheFor:
    """Interviewed caches by nodes, for `ZwaveNetwork(nodes=..., cache=...)`.

    It blocks for the seconds of an interview: in a coroutine, `await asyncio.to_thread(zwave_cache, nodes)`.
    """
    try:
        require_node()
    except SimulatorError as error:
        pytest.fail(str(error), pytrace=False)
    base = tmp_path_factory.getbasetemp()
    return lambda nodes: _interviewed(base, NODES if set(nodes) <= set(NODES) else tuple(nodes))


@pytest_asyncio.fixture
async def zwave_network(
    request: pytest.FixtureRequest, zwave_cache: CacheFor, tmp_path: Path
) -> AsyncIterator[ZwaveNetwork]:
    """A fresh network of already interviewed nodes, all ready, at the fast pace; its logs stay in `tmp_path`.

    Other nodes: `@pytest.mark.parametrize("zwave_network", [(2, 3)], indirect=True)`.
    """
    nodes = getattr(request, "param", NODES)
    cache = await asyncio.to_thread(zwave_cache, nodes)
    async with ZwaveNetwork(nodes=nodes, cache=cache, directory=tmp_path / "zwave", pace=FAST) as network:
        await network.wait_ready()
        yield network


@functools.cache
def _interviewed(base: Path, nodes: tuple[int, ...]) -> Path:
    """Memoised per process, not per fixture: two conftests that import the fixture have it interview once."""
    target = base / f"zwave-cache-{'-'.join(map(str, nodes))}"
    with ThreadPoolExecutor(max_workers=1) as thread:  # pytest-asyncio owns the loop of this thread
        thread.submit(asyncio.run, _interview(nodes, target)).result()
    return target


async def _interview(nodes: tuple[int, ...], target: Path) -> None:
    async with ZwaveNetwork(nodes=nodes, pace=FAST) as network:
        waking = asyncio.create_task(_wake(network, [node for node in SLEEPERS if node in nodes]))
        try:
            await network.wait_ready()
        finally:
            waking.cancel()
            await asyncio.wait({waking})
        await network.save_cache(target)


async def _wake(network: ZwaveNetwork, sleepers: list[int]) -> None:
    """Wake sleepers again and again: one that wakes before the driver comes to interview it is missed."""
    while sleepers:
        for node in sleepers:
            await network.op("wake", node=node)
        await asyncio.sleep(2)
