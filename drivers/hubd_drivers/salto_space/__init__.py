"""Salto ProAccess Space over SHIP, the Salto Host Interface Protocol.

Nothing is imported before it is asked for: the simulated server needs none of the driver.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hubd_drivers.salto_space.config import SaltoSpaceConfig
    from hubd_drivers.salto_space.driver import SaltoSpaceDriver
    from hubd_drivers.salto_space.manifest import MANIFEST

__all__ = ["MANIFEST", "SaltoSpaceConfig", "SaltoSpaceDriver"]

_HOMES = {"MANIFEST": "manifest", "SaltoSpaceConfig": "config", "SaltoSpaceDriver": "driver"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
