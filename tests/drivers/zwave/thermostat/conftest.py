"""The emulated thermostats, interviewed once."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest
import pytest_asyncio

from tests.drivers.zwave.conftest import SharedNetwork, shared
from tests.drivers.zwave.thermostat.valves import THERMOSTATS, Site, restore, site
from tests.sims.zwave.fixtures import CacheFor
from tests.sims.zwave.harness import FAST


@pytest.fixture(scope="package")
def thermostats(zwave_cache: CacheFor) -> Iterator[SharedNetwork]:
    """One network for all tests of this room; each leaves it as it likes.

    zwave-js verifies what was not confirmed as late as at a site: its questions would spoil the figures.
    """
    with shared(zwave_cache(THERMOSTATS), THERMOSTATS, replace(FAST, verify_delay_ms=5000)) as network:
        yield network


@pytest_asyncio.fixture
async def restored(thermostats: SharedNetwork) -> SharedNetwork:
    await restore(thermostats)
    return thermostats


@pytest_asyncio.fixture
async def h(restored: SharedNetwork) -> AsyncIterator[Site]:
    async with site(restored) as made:
        yield made
