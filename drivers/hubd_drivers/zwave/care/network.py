"""The network as a running action has it: commands, names, and what zwave-js says meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from hubd.driver import ActionError, DriverError, Port
from hubd_drivers.zwave.care.errors import action_error, link_lost
from hubd_drivers.zwave.care.events import CareEvent
from hubd_drivers.zwave.care.mode import Mode
from hubd_drivers.zwave.device import ZwaveDevice
from hubd_drivers.zwave.events import (
    DriverRestarted,
    InterviewChanged,
    NodeAdded,
    NodeReady,
    NodeRemoved,
    StatusChanged,
    Told,
)
from hubd_drivers.zwave.facts import Json, mapping, text
from hubd_drivers.zwave.failures import SERVER, CommandError
from hubd_drivers.zwave.link import Link
from hubd_drivers.zwave.roster import Roster

LONGEST_ANSWER_SECONDS: Final = 30.0
"""Until a command that only asks zwave-js or its stick counts as lost: the radio before it may be busy."""

QUEUE_SIZE: Final = 2000
"""Events that an action may leave unread; a large network that is rebuilt says a few hundred."""
CHRISTENING_SECONDS: Final = 3.0

_HEARD: Final = CareEvent | NodeAdded | NodeReady | NodeRemoved | InterviewChanged | StatusChanged | DriverRestarted


class Announced(CareEvent, frozen=True):
    """A node is a device of the hub now; said by the driver itself."""

    node_id: int


class Feed:
    """What zwave-js says while an action runs, in its order."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Told | DriverError] = asyncio.Queue(QUEUE_SIZE)

    def put(self, item: Told | DriverError) -> None:
        """Add what was said, or the end of the link. What is never read ends the feed as a lost link would."""
        if self._queue.full():
            self._queue.get_nowait()
            overflow = DriverError(SERVER, "events_overflow", f"More than {QUEUE_SIZE} events of zwave-js waited.")
            item = item if isinstance(item, DriverError) else overflow
        self._queue.put_nowait(item)

    async def until[A, B](self, one: type[A], other: type[B] | None = None) -> A | B:
        """Return the next thing of these kinds; passes over everything else."""
        while True:
            item = await self.next()
            if isinstance(item, one) or (other is not None and isinstance(item, other)):
                return item

    async def next(self) -> Told:
        """Return the next thing that is said. Raises `DriverError` when the link is lost."""
        item = await self._queue.get()
        if isinstance(item, DriverError):
            self.put(item)
            raise item
        return item


class Network:
    """Made for one life of the link."""

    def __init__(self, link: Link, port: Port, roster: Roster, keys_file: str = "") -> None:
        self.port = port
        self.keys_file = keys_file
        """Where the security keys of the network stand; empty where nobody said."""
        self.mode = Mode(link, port)
        self.node_ids: set[int] = set()
        """Every node but the controller, devices of the hub or not."""
        self._link = link
        self._roster = roster
        self._feeds: set[Feed] = set()
        self._left: dict[int, str] = {}

    @property
    def own_node_id(self) -> int:
        """The controller's number."""
        return self._link.own_node_id

    @property
    def home_id(self) -> int:
        """The network's number."""
        return self._link.home_id

    def note(self, event: Told) -> None:
        """Take in an event at the instant it arrives; never waits."""
        if isinstance(event, NodeAdded):
            self.node_ids.add(event.node_id)
        if isinstance(event, NodeRemoved):
            self._left[event.node_id] = self.name(event.node_id)
            self.node_ids.discard(event.node_id)
        if isinstance(event, _HEARD):
            for feed in self._feeds:
                feed.put(event)

    def met(self, device: ZwaveDevice) -> None:
        """Take in that a device was announced to the hub."""
        self._left.pop(device.node_id, None)
        for feed in self._feeds:
            feed.put(Announced(device.node_id))

    def lost(self) -> None:
        """Take in that the link has ended: whatever waits ends with it."""
        for feed in self._feeds:
            feed.put(link_lost())

    @asynccontextmanager
    async def feed(self) -> AsyncIterator[Feed]:
        """Hear what zwave-js says from now on."""
        feed = Feed()
        self._feeds.add(feed)
        try:
            yield feed
        finally:
            self._feeds.discard(feed)

    async def command(self, name: str, /, *, seconds: float = LONGEST_ANSWER_SECONDS, **arguments: object) -> Json:
        """Send a command. Raises `ActionError`, or `DriverError` when the link is lost."""
        try:
            async with self.port.clock.timeout(seconds):
                return await self._link.command(name, **arguments)
        except CommandError as error:
            raise action_error(error) from error
        except TimeoutError as error:
            message = f"zwave-js did not answer within {seconds:g} s."
            raise ActionError("no_answer", message, "Try again; if it stays so, restart zwave-js-server.") from error

    async def state(self, node_id: int) -> Json:
        """Return a node as zwave-js dumps it."""
        answer = await self.command("node.get_state", nodeId=node_id)
        return mapping(answer.get("state"))

    def device(self, native_id: str | None) -> ZwaveDevice:
        """Return the device an action is done to. Raises `ActionError`."""
        found = None if native_id is None else self._roster.named(native_id)
        if found is None:
            message = "The device is not, or no longer, on the Z-Wave network."
            raise ActionError("device_unknown", message, "Include it again.")
        return found

    def at(self, node_id: int) -> ZwaveDevice | None:
        """Return the device that a node is."""
        return self._roster.at(node_id)

    def name(self, node_id: int) -> str:
        """Return what people call a node, even if it has just left."""
        device = self._roster.at(node_id)
        if device is not None:
            return device.description.name
        return self._left.get(node_id, f"Node {node_id}")

    async def christen(self, node_id: int) -> None:
        """Give a new node the name that its entry in the SmartStart list has."""
        try:
            async with self.port.clock.timeout(CHRISTENING_SECONDS):
                answer = await self._link.command("controller.get_provisioning_entry", dskOrNodeId=node_id)
                name = text(mapping(answer.get("entry")).get("name"))
                if name is not None:
                    await self._link.command("node.set_name", nodeId=node_id, name=name, updateCC=False)
        except (CommandError, TimeoutError) as error:
            self.port.log.debug("the SmartStart entry of node %d is not known: %s", node_id, error)
