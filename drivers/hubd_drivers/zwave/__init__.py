"""Z-Wave locks and thermostats, through zwave-js-server.

Nothing is imported before it is asked for: `hubd-zwave`, which starts that server, needs none of the driver's
libraries.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hubd_drivers.zwave.config import ZwaveConfig
    from hubd_drivers.zwave.driver import ZwaveDriver
    from hubd_drivers.zwave.manifest import MANIFEST

__all__ = ["MANIFEST", "ZwaveConfig", "ZwaveDriver"]

_HOMES = {"MANIFEST": "manifest", "ZwaveConfig": "config", "ZwaveDriver": "driver"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
