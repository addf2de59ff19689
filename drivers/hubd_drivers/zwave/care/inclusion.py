"""Includes a device, or another in the place of a broken one: stick, keys, interview."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from hubd.driver import ActionError, ActionResult, DriverError, Fact, Progress, Question
from hubd_drivers.zwave.care import keys
from hubd_drivers.zwave.care.catalogue import INTERVIEW_SECONDS, KEY_SECONDS, Include, Replace
from hubd_drivers.zwave.care.events import (
    AT_REST,
    INCLUDING,
    InclusionFailed,
    InclusionState,
    KeysAborted,
    KeysAsked,
    NodeFound,
    PinAsked,
)
from hubd_drivers.zwave.care.interview import interviewed
from hubd_drivers.zwave.care.network import Feed, Network
from hubd_drivers.zwave.care.upkeep import refuse_if_answering
from hubd_drivers.zwave.device import ZwaveDevice
from hubd_drivers.zwave.events import NodeAdded, Told
from hubd_drivers.zwave.facts import Json, integer, text

_PRESS: Final = (
    "The stick is in inclusion mode. Do at the device what its manual says for inclusion (locks: usually the "
    "programming code, then a number; or a button)."
)
_NOT_YET: Final = "Its interview is not over; it is shown as waiting, with the reason, until then."
_CLOSER: Final = "Bring it close to the stick and try again. If it was in a network before, exclude it first."
_LONGEST_BEGIN: Final = 40.0
"""Replacing pings the broken device first, three times."""


async def include(network: Network, arguments: Include, progress: Progress) -> ActionResult:
    """Include a device."""
    strategy = keys.STRATEGIES[arguments.security]
    options = {"strategy": strategy} if strategy else {"strategy": strategy, "forceSecurity": True}
    begin = partial(network.command, "controller.begin_inclusion", options=options)
    return await Joining(network, arguments, progress).run(begin)


async def replace_failed(
    network: Network, native_id: str | None, arguments: Replace, progress: Progress
) -> ActionResult:
    """Include a device in the place of one that does not answer any more."""
    device = network.device(native_id)
    await refuse_if_answering(network, device, progress)
    # Nothing is known of a replacement before it has its keys, so which kind has to be said beforehand.
    wish = "s2" if arguments.security == "auto" else arguments.security
    begin = partial(
        network.command,
        "controller.replace_failed_node",
        seconds=_LONGEST_BEGIN,
        nodeId=device.node_id,
        options={"strategy": keys.STRATEGIES[wish]},
    )
    return await Joining(network, arguments, progress, is_lock=device.bolt is not None).run(begin)


class Joining:
    """One device on its way into the network."""

    def __init__(self, network: Network, arguments: Include, progress: Progress, *, is_lock: bool = False) -> None:
        self._network = network
        self._arguments = arguments
        self._progress = progress
        self._is_lock = is_lock
        self._node_id: int | None = None

    async def run(self, begin: Callable[[], Awaitable[Json]]) -> ActionResult:
        """Bring it in. Raises `ActionError` also where it has joined, but not as it should."""
        async with self._network.feed() as feed:
            try:
                async with self._network.mode.open("inclusion", begin):
                    self._progress.say(_PRESS, seconds=self._arguments.seconds)
                    await self._wait_for_device(feed)
                    added = await self._exchange_keys(feed)
            except (asyncio.CancelledError, DriverError):
                self._tell_leftover()
                raise
            security = await self._security(added)
            weak = keys.weakness(added.weakness, security, self._arguments.security, is_lock=self._is_lock)
            if weak is not None and self._is_lock and not self._arguments.allow_insecure:
                raise ActionError(weak.code, f"Node {added.node_id} has joined, but: {weak.message}", weak.remedy)
            await self._christen(added.node_id)
            self._progress.say(f"Node {added.node_id} has joined with {keys.name_of(security)}.")
            device = await interviewed(self._network, feed, added.node_id, self._progress, INTERVIEW_SECONDS)
        return self._result(added.node_id, device, security, weak)

    async def _wait_for_device(self, feed: Feed) -> None:
        seconds, has_begun = self._arguments.seconds, False
        try:
            async with self._network.port.clock.timeout(seconds):
                while True:
                    match await feed.next():
                        case NodeFound() as found:
                            self._meet(found)
                            return
                        case InclusionState(state=state) if state == INCLUDING:
                            has_begun = True
                        case InclusionFailed():
                            message = "The stick broke off the inclusion."
                            raise ActionError("inclusion_failed", message, _CLOSER)
                        case InclusionState(state=state) if has_begun and state in AT_REST:
                            message = "Inclusion ended without a new device. It may be on this network already."
                            raise ActionError("not_joined", message, _CLOSER)
        except TimeoutError as error:
            message = f"No device has asked to join within {seconds} s."
            raise ActionError("nobody_joined", message, _CLOSER) from error

    def _meet(self, found: NodeFound) -> None:
        self._node_id = found.node_id
        self._is_lock = self._is_lock or found.is_lock
        kind = "" if found.kind is None else f" ({found.kind})"
        self._progress.say(f"A device{kind} has joined as node {found.node_id}; keys are exchanged.")

    async def _exchange_keys(self, feed: Feed) -> NodeAdded:
        try:
            async with self._network.port.clock.timeout(KEY_SECONDS):
                early: Told | None = None
                while True:
                    event = early or await feed.next()
                    early = None
                    match event:
                        case KeysAsked(classes=classes):
                            await self._grant(classes)
                        case PinAsked(rest=rest):
                            early = await self._enter_pin(feed, rest)
                        case KeysAborted():
                            self._progress.say("The exchange of keys was broken off.")
                        case NodeAdded(node_id=node_id) if node_id == self._node_id:
                            return event
        except TimeoutError as error:
            message = f"Node {self._node_id} has joined, but the exchange of keys did not end."
            raise ActionError("keys_timeout", message, "Exclude it, then include it again.") from error

    async def _grant(self, asked: tuple[int, ...]) -> None:
        classes = keys.granted(asked, self._arguments.security)
        grant = {"securityClasses": list(classes), "clientSideAuth": False}
        await self._network.command("controller.grant_security_classes", inclusionGrant=grant)
        names = ", ".join(keys.name_of(one) for one in asked) or "nothing"
        given = ", ".join(keys.name_of(one) for one in classes) or "nothing"
        self._progress.say(f"It asks for {names}; it gets {given}.")

    async def _enter_pin(self, feed: Feed, rest: str) -> KeysAborted | NodeAdded | None:
        """Ask for the digits and pass them on; returns what zwave-js said if it gave up waiting for them."""
        question = Question(
            text=f"Enter the first five digits of the DSK on the device's label; it goes on with {rest}.",
            pattern="[0-9]{5}",
            hint="5 digits",
        )
        asking = asyncio.create_task(self._progress.ask(question), name="zwave-ask")
        hearing = asyncio.create_task(feed.until(KeysAborted, NodeAdded), name="zwave-hear")
        try:
            await asyncio.wait({asking, hearing}, return_when=asyncio.FIRST_COMPLETED)
            if hearing.done():
                return hearing.result()
            pin = asking.result()
        finally:
            asking.cancel()
            hearing.cancel()
            await asyncio.wait({asking, hearing})
        self._progress.say("The digits are tried.")
        await self._network.command("controller.validate_dsk_and_enter_pin", pin=pin)
        return None

    async def _security(self, added: NodeAdded) -> int | None:
        answer = await self._network.command("node.get_highest_security_class", nodeId=added.node_id)
        return integer(answer.get("highestSecurityClass"), low=keys.UNENCRYPTED, high=keys.S0)

    async def _christen(self, node_id: int) -> None:
        name = text(self._arguments.name)
        if name is not None:
            await self._network.command("node.set_name", nodeId=node_id, name=name, updateCC=False)

    def _tell_leftover(self) -> None:
        if self._node_id is not None:
            self._progress.say(f"Node {self._node_id} has joined without its keys: exclude it before the next try.")

    def _result(
        self, node_id: int, device: ZwaveDevice | None, security: int | None, weak: keys.Weakness | None
    ) -> ActionResult:
        encryption = keys.name_of(security)
        facts: dict[str, Fact] = {"node_id": node_id, "security": encryption, "interviewed": device is not None}
        warning = "" if weak is None else f" But: {weak.message} {weak.remedy}"
        if device is None:
            message = f"Node {node_id} has joined with {encryption}. {_NOT_YET}{warning}"
            return ActionResult(message=message, facts=facts)
        known = device.description
        message = f"{known.name} (node {node_id}) is included with {encryption}.{warning}"
        more: dict[str, Fact] = {"name": known.name, "manufacturer": known.manufacturer, "model": known.model}
        return ActionResult(message=message, facts={**facts, **more, "firmware": device.facts.firmware})
