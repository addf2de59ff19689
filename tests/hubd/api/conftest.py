"""A fresh hub with a virtual site for each test, and one daemon for the fuzzers."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.hubd.api.access import Acs, running_acs
from tests.hubd.api.daemon import Daemon, running_daemon
from tests.hubd.api.harness import Api, running_api


@pytest_asyncio.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    """The API of a site of three locks (Room 101 to 103) and a thermostat (Climate 101), without latency."""
    async with running_api(tmp_path / "data") as running:
        yield running


@pytest_asyncio.fixture
async def acs(tmp_path: Path) -> AsyncIterator[Acs]:
    """The same with an access control system beside it."""
    async with running_acs(tmp_path / "data") as running:
        yield running


@pytest.fixture(scope="session")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """One daemon for all fuzzers."""
    with running_daemon(tmp_path_factory.mktemp("fuzzed")) as running:
        yield running
