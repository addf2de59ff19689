"""Asks single devices: whether they are there, and what they are."""

from typing import Final

from hubd.driver import ActionError, ActionResult, Arguments, Progress
from hubd_drivers.zwave.care.catalogue import INTERVIEW_SECONDS
from hubd_drivers.zwave.care.interview import interviewed
from hubd_drivers.zwave.care.network import Network
from hubd_drivers.zwave.device import ZwaveDevice

PING_SECONDS: Final = 40.0
"""Three attempts, each by several routes, behind whatever the radio is sending."""
_NO_CONTACT: Final = "Check its batteries and its distance to the next mains-powered node."
_WAKE: Final = "Wake it, usually by its button, and start it again at once."


async def ping(network: Network, native_id: str | None, _: Arguments, progress: Progress) -> ActionResult:
    """Have the device acknowledge an empty frame."""
    device = network.device(native_id)
    progress.say("It is pinged.")
    milliseconds = await answers(network, device.node_id)
    if milliseconds is None:
        if device.is_asleep:
            raise ActionError("device_asleep", f"{device.description.name} sleeps and hears nothing.", _WAKE)
        raise ActionError("no_answer", f"{device.description.name} does not answer.", _NO_CONTACT)
    message = f"{device.description.name} answers, after {milliseconds} ms."
    return ActionResult(message=message, facts={"node_id": device.node_id, "milliseconds": milliseconds})


async def interview_again(network: Network, native_id: str | None, _: Arguments, progress: Progress) -> ActionResult:
    """Have zwave-js forget what it knows of a device, but its keys, and ask it anew."""
    device = network.device(native_id)
    name = device.description.name
    if device.is_asleep:
        raise ActionError("device_asleep", f"{name} sleeps and hears nothing.", _WAKE)
    if await answers(network, device.node_id) is None:
        message = f"{name} does not answer, so nothing that is known of it is thrown away."
        raise ActionError("no_answer", message, _NO_CONTACT)
    async with network.feed() as feed:
        progress.say("The interview begins; the device is not operated meanwhile.", share=0.0)
        await network.command("node.refresh_info", nodeId=device.node_id)
        again = await interviewed(network, feed, device.node_id, progress, INTERVIEW_SECONDS)
    if again is None:
        message = f"{name} was not interviewed to the end within {INTERVIEW_SECONDS} s."
        raise ActionError("interview_incomplete", message, f"{_NO_CONTACT} zwave-js goes on by itself.")
    known = again.description
    facts = {"node_id": again.node_id, "manufacturer": known.manufacturer, "model": known.model}
    return ActionResult(message=f"{known.name} is interviewed.", facts={**facts, "firmware": again.facts.firmware})


async def refuse_if_answering(network: Network, device: ZwaveDevice, progress: Progress) -> None:
    """Raise `ActionError` unless the device is silent."""
    progress.say(f"{device.description.name} is pinged.")
    if await answers(network, device.node_id) is not None:
        message = f"{device.description.name} answers, so it is not removed."
        raise ActionError("node_answers", message, "Exclude it instead, and include the new one.")


async def answers(network: Network, node_id: int) -> int | None:
    """Return after how many milliseconds a node acknowledged a ping; None if it did not."""
    before = network.port.clock.monotonic()
    answer = await network.command("node.ping", seconds=PING_SECONDS, nodeId=node_id)
    elapsed = network.port.clock.monotonic() - before
    return round(elapsed * 1000) if answer.get("responded") is True else None
