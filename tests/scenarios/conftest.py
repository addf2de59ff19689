"""The emulated Z-Wave network, for the scenarios that need a radio."""

from tests.sims.zwave.fixtures import zwave_cache, zwave_network

__all__ = ["zwave_cache", "zwave_network"]
