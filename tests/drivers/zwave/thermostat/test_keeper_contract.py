"""What every driver must do with thermostats, done with one that sleeps and one that counts in Fahrenheit."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from hubd_drivers.zwave import MANIFEST, ZwaveConfig

from hubd.driver.contract import ContractSite, DriverContract
from tests.drivers.zwave.conftest import Proxy, SharedNetwork

pytestmark = pytest.mark.node


@pytest_asyncio.fixture
async def site(restored: SharedNetwork) -> AsyncIterator[ContractSite]:
    async with Proxy(restored.url) as proxy:
        config = ZwaveConfig(url=proxy.url, controller_check_seconds=0.3, command_timeout=5.0, attribution_ms=250)
        yield ContractSite(MANIFEST, config, break_link=proxy.stop)


class TestThermostatContract(DriverContract):
    pass
