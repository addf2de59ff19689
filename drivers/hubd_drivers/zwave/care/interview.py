"""Waits for the end of an interview, and says how far it is."""

from typing import Final

from hubd.driver import Progress
from hubd_drivers.zwave.care.events import InterviewProgress
from hubd_drivers.zwave.care.network import Announced, Feed, Network
from hubd_drivers.zwave.device import ZwaveDevice
from hubd_drivers.zwave.events import InterviewChanged, NodeRemoved
from hubd_drivers.zwave.facts import FAILED

_STAGES: Final = {
    "None": "beginning",
    "ProtocolInfo": "asking what kind of device it is",
    "NodeInfo": "asking what it can do",
    "CommandClasses": "reading its functions and settings",
    "OverwriteConfig": "applying what is known of this model",
    "Complete": "done",
}
_STEP: Final = 0.1


async def interviewed(
    network: Network, feed: Feed, node_id: int, progress: Progress, seconds: float
) -> ZwaveDevice | None:
    """Return the device once it is interviewed and announced; None when that takes too long, or it leaves."""
    said: tuple[str, float] | None = None
    try:
        async with network.port.clock.timeout(seconds):
            while True:
                match await feed.next():
                    case Announced() as event if event.node_id == node_id:
                        return network.at(node_id)
                    case NodeRemoved() as event if event.node_id == node_id:
                        return None
                    case InterviewChanged(stage=stage) as event if event.node_id == node_id and stage == FAILED:
                        progress.say("The interview failed; zwave-js tries again up to five times.")
                    case InterviewProgress(stage=stage, share=share) as event if event.node_id == node_id:
                        if said is None or said[0] != stage or share >= said[1] + _STEP:
                            said = (stage, share)
                            progress.say(f"Interview, {share:.0%}: {_STAGES.get(stage, stage)}.", share=share)
    except TimeoutError:
        return None
