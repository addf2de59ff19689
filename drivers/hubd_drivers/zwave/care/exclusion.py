"""Has devices leave the network: by exclusion, or struck off as broken."""

from functools import partial
from typing import Final

from hubd.driver import ActionError, ActionResult, Arguments, Progress
from hubd_drivers.zwave.care.catalogue import Exclude, NodeNumber
from hubd_drivers.zwave.care.events import AT_REST, EXCLUDING, ExclusionFailed, InclusionState
from hubd_drivers.zwave.care.network import Feed, Network
from hubd_drivers.zwave.care.upkeep import answers, refuse_if_answering
from hubd_drivers.zwave.events import NodeRemoved

EXCLUDED: Final = 0
"""`RemoveNodeReason` of zwave-js."""
DISABLE_SMART_START: Final = 1
"""`ExclusionStrategy` of zwave-js: a device on the SmartStart list stays there, and does not come back by itself."""
_PRESS: Final = (
    "The stick is in exclusion mode. Do at the device what its manual says for exclusion (often the same as for "
    "inclusion)."
)
_CLOSER: Final = "Bring it close to the stick and try again. A device that is broken can be removed as failed."
_REMOVE_SECONDS: Final = 60.0
"""zwave-js pings the node up to three times, two seconds apart, before it strikes it off."""


async def exclude(network: Network, arguments: Exclude, progress: Progress) -> ActionResult:
    """Have the device leave that answers first."""
    options = {"strategy": DISABLE_SMART_START}
    begin = partial(network.command, "controller.begin_exclusion", options=options)
    async with network.feed() as feed, network.mode.open("exclusion", begin):
        progress.say(_PRESS, seconds=arguments.seconds)
        try:
            async with network.port.clock.timeout(arguments.seconds):
                node_id = await _wait_for_device(feed)
        except TimeoutError as error:
            message = f"No device has asked to leave within {arguments.seconds} s."
            raise ActionError("nobody_left", message, _CLOSER) from error
    if node_id is None:
        message = "A device has answered that is not on this network. It can be included now."
        return ActionResult(message=message)
    name = network.name(node_id)
    which = name if name == f"Node {node_id}" else f"{name} (node {node_id})"
    message = f"{which} has left the network."
    return ActionResult(message=message, facts={"node_id": node_id, "name": name})


async def _wait_for_device(feed: Feed) -> int | None:
    """Return the node that left; None for a device of no, or another, network."""
    has_begun = False
    while True:
        match await feed.next():
            case NodeRemoved(node_id=node_id, reason=reason) if reason == EXCLUDED:
                return node_id
            case ExclusionFailed():
                raise ActionError("exclusion_failed", "The stick broke off the exclusion.", _CLOSER)
            case InclusionState(state=state) if state == EXCLUDING:
                has_begun = True
            case InclusionState(state=state) if has_begun and state in AT_REST:
                return None


async def remove_failed(network: Network, native_id: str | None, _: Arguments, progress: Progress) -> ActionResult:
    """Strike off a device that does not answer."""
    device = network.device(native_id)
    await refuse_if_answering(network, device, progress)
    return await _strike_off(network, device.node_id, progress)


async def remove_failed_node(network: Network, arguments: NodeNumber, progress: Progress) -> ActionResult:
    """Strike off a node by its number."""
    node_id = arguments.node
    if node_id not in network.node_ids:
        known = ", ".join(map(str, sorted(network.node_ids))) or "none"
        raise ActionError("device_unknown", f"The network has no node {node_id}; it has: {known}.")
    progress.say(f"{network.name(node_id)} is pinged.")
    if await answers(network, node_id) is not None:
        message = f"{network.name(node_id)} answers, so it is not removed."
        raise ActionError("node_answers", message, "Exclude it instead.")
    return await _strike_off(network, node_id, progress)


async def _strike_off(network: Network, node_id: int, progress: Progress) -> ActionResult:
    progress.say("It does not answer; the stick strikes it off.")
    name = network.name(node_id)
    await network.command("controller.remove_failed_node", seconds=_REMOVE_SECONDS, nodeId=node_id)
    message = f"{name} (node {node_id}) is removed from the network."
    return ActionResult(message=message, facts={"node_id": node_id, "name": name})
