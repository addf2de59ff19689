"""What the hub knows of this driver before it runs."""

from hubd.driver import Manifest
from hubd_drivers.zwave.care.catalogue import ACTIONS
from hubd_drivers.zwave.config import ZwaveConfig
from hubd_drivers.zwave.doctor import check
from hubd_drivers.zwave.driver import ZwaveDriver
from hubd_drivers.zwave.failures import CONTROLLER, SERVER
from hubd_drivers.zwave.recording.replay import replay

MANIFEST = Manifest(
    type="zwave",
    title="Z-Wave",
    config=ZwaveConfig,
    create=ZwaveDriver,
    hops=(SERVER, CONTROLLER),
    kinds=("lock",),
    budget=1,
    doctor=check,
    replay=replay,
    actions=ACTIONS,
)
