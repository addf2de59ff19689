"""The emulated Z-Wave network, for the scenarios that need a radio."""

from tests.drivers.zwave.conftest import module_network
from tests.sims.zwave.fixtures import zwave_cache, zwave_network

__all__ = ["module_network", "zwave_cache", "zwave_network"]
