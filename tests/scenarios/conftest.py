"""The emulated Z-Wave network, for the scenarios that need a radio, and what those with a browser need."""

from collections.abc import Iterator

import pytest
from blockbuster import BlockBuster

from tests.drivers.zwave.conftest import module_network, module_timed_network, timed_network
from tests.sims.zwave.fixtures import zwave_cache, zwave_network

__all__ = [
    "harness_may_block",
    "module_network",
    "module_timed_network",
    "timed_network",
    "zwave_cache",
    "zwave_network",
]


@pytest.fixture(scope="module")
def harness_may_block(nothing_blocks: BlockBuster) -> Iterator[None]:
    """Let Playwright read the source files of its callers: the loop that must not wait is in the daemon's process."""
    nothing_blocks.deactivate()
    yield
    nothing_blocks.activate()
