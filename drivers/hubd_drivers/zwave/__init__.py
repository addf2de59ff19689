"""Z-Wave locks and thermostats, through zwave-js-server."""

from hubd.driver import Manifest
from hubd_drivers.zwave.config import ZwaveConfig
from hubd_drivers.zwave.driver import ZwaveDriver
from hubd_drivers.zwave.failures import CONTROLLER, SERVER

MANIFEST = Manifest(
    type="zwave",
    title="Z-Wave",
    config=ZwaveConfig,
    create=ZwaveDriver,
    hops=(SERVER, CONTROLLER),
    kinds=("lock",),
    budget=1,
)

__all__ = ["MANIFEST", "ZwaveConfig", "ZwaveDriver"]
