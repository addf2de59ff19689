"""The simulator's own tests use its fixtures."""

from tests.sims.zwave.fixtures import zwave_cache, zwave_network

__all__ = ["zwave_cache", "zwave_network"]
