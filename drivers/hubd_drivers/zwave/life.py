"""One life of the link: takes in what zwave-js says, in order, and passes it on."""

import asyncio
from typing import Final, assert_never

from hubd.driver import DriverError, Port
from hubd.model import Command, LockDoor, Outcome, Seen, UnlockDoor, rejected, unsupported
from hubd_drivers.zwave.bolts import Bolts, Memory
from hubd_drivers.zwave.config import ZwaveConfig
from hubd_drivers.zwave.controller import ControllerWatch
from hubd_drivers.zwave.device import ZwaveDevice
from hubd_drivers.zwave.events import (
    AllNodesReady,
    BatteryWarned,
    ControllerChanged,
    DriverFailed,
    DriverRestarted,
    Event,
    InterviewChanged,
    MetadataReported,
    NodeAdded,
    NodeReady,
    NodeRemoved,
    Notified,
    StatusChanged,
    ValueReported,
)
from hubd_drivers.zwave.facts import STATUS_ALIVE, NodeFacts
from hubd_drivers.zwave.failures import CONTROLLER, SERVER
from hubd_drivers.zwave.identity import home, in_order_of_claim
from hubd_drivers.zwave.link import Link
from hubd_drivers.zwave.roster import Roster

QUEUE_SIZE: Final = 2000
"""Events; a use of a lock makes about ten."""
FINISH_SECONDS: Final = 2.0

type DeviceEvent = ValueReported | MetadataReported | Notified | BatteryWarned | StatusChanged | InterviewChanged


class Life:
    """Made for one connection, whose events it takes in `note`. Lives in the tasks it starts."""

    def __init__(self, config: ZwaveConfig, port: Port, link: Link, tasks: asyncio.TaskGroup, memory: Memory) -> None:
        self._port = port
        self._link = link
        self._memory = memory
        self._queue: asyncio.Queue[tuple[int, Event]] = asyncio.Queue(QUEUE_SIZE)
        self._seq = 0
        self._has_overflown = False
        self._roster = Roster(link, port, config.attribution_ms / 1000)
        self._controller = ControllerWatch(link, port, config.controller_check_seconds)
        self._bolts = Bolts(
            link=link,
            port=port,
            tasks=tasks,
            controller=self._controller,
            memory=memory,
            seconds=config.command_timeout,
            publish=self._publish,
        )

    def note(self, event: Event) -> None:
        """Take in an event at the instant it arrives; never waits."""
        self._seq += 1
        self._bolts.note(event, self._seq)
        try:
            self._queue.put_nowait((self._seq, event))
        except asyncio.QueueFull:
            self._has_overflown = True

    async def announce(self) -> None:
        """Announce every node that is known."""
        nodes = await self._link.nodes()
        self._port.log.info(
            "connected to zwave-js-server %s: home %s, %d nodes with the controller",
            self._link.versions,
            home(self._link.home_id),
            len(nodes),
        )
        for facts in in_order_of_claim(nodes):
            await self._meet(facts)

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Keep up with the network in tasks of the group."""
        tasks.create_task(self._drain(), name="zwave-events")
        tasks.create_task(self._controller.run(), name="zwave-controller")
        tasks.create_task(self._bolts.keep_fresh(lambda: self._roster), name="zwave-refresh")

    async def finish(self) -> None:
        """Publish what arrived before the connection broke; gives up after a while."""
        try:
            async with self._port.clock.timeout(FINISH_SECONDS):
                await self._queue.join()
        except TimeoutError:
            self._port.log.warning("%d events of zwave-js were not taken in before its loss", self._queue.qsize())

    def remember(self) -> None:
        """Leave to the next life what was told."""
        self._memory.positions |= {device.native_id: device.tracker.position for device in self._roster}

    async def execute(self, command: Command) -> Outcome:
        """See `Driver.execute`."""
        device = self._roster.named(command.native_id)
        if device is None:
            return rejected("device_unknown", "The device is not, or no longer, on the Z-Wave network.")
        match command:
            case LockDoor() | UnlockDoor():
                return await self._bolts.move(device, target=isinstance(command, LockDoor))
            case _:
                return unsupported("A Z-Wave device cannot be simulated.")

    async def _drain(self) -> None:
        while True:
            seq, event = await self._next()
            if self._has_overflown:
                message = f"More than {QUEUE_SIZE} events of zwave-js waited; everything is read anew."
                raise DriverError(SERVER, "events_overflow", message)
            if event is None:
                now = self._port.clock.monotonic()
                await self._publish([seen for device in self._roster for seen in device.tracker.flush(now)])
            else:
                await self._handle(event, seq)
                self._queue.task_done()

    async def _next(self) -> tuple[int, Event | None]:
        """Return the next event, or None when a movement has waited long enough for its explanation."""
        due = [at for device in self._roster if (at := device.tracker.due()) is not None]
        if not due:
            return await self._queue.get()
        try:
            async with self._port.clock.timeout(max(0.0, min(due) - self._port.clock.monotonic())):
                return await self._queue.get()
        except TimeoutError:
            return 0, None

    async def _handle(self, event: Event, seq: int) -> None:
        match event:
            case NodeReady():
                await self._meet(event.facts)
            case NodeRemoved():
                device = await self._roster.leave(event)
                if device is not None:
                    self._bolts.forget(device)
            case NodeAdded():
                self._port.log.info("node %d was included; it is pending until it is interviewed", event.node_id)
            case ControllerChanged():
                self._controller.status(event.status)
            case DriverRestarted():
                message = "zwave-js has restarted its controller; everything is read anew."
                raise DriverError(CONTROLLER, "controller_restarted", message)
            case DriverFailed():
                self._port.log.warning("zwave-js reports: %s", event.message)
                self._controller.suspect()
            case AllNodesReady():
                self._port.log.info("zwave-js calls all nodes ready")
            case _:
                await self._happen(event, seq)

    async def _happen(self, event: DeviceEvent, seq: int) -> None:
        device = self._roster.at(event.node_id)
        if device is not None:
            await self._happen_to(device, event, seq)
        elif isinstance(event, StatusChanged | InterviewChanged):
            self._roster.wait_on(event)

    async def _happen_to(self, device: ZwaveDevice, event: DeviceEvent, seq: int) -> None:
        now = self._port.clock.monotonic()
        match event:
            case ValueReported():
                await self._publish(device.value(event, now, seq))
                if event.is_new:
                    await self._roster.describe(device)
            case MetadataReported():
                device.metadata(event)
                await self._roster.describe(device)
            case Notified():
                await self._publish(device.notice(event, now))
            case BatteryWarned():
                await self._publish(device.battery_warned())
            case StatusChanged():
                was_dead = device.is_dead
                await self._publish(device.status(event.status))
                if was_dead and event.status == STATUS_ALIVE:
                    self._bolts.ask_soon(device)
            case InterviewChanged():
                self._port.log.debug("node %d is interviewed anew: %s", event.node_id, event.stage or "begun")
            case _:
                assert_never(event)

    async def _meet(self, facts: NodeFacts) -> None:
        device = await self._roster.meet(facts, self._memory.doubts)
        if device is not None and device.bolt is not None:
            self._bolts.verify(device)

    async def _publish(self, seen: list[Seen]) -> None:
        if seen:
            await self._port.publish(*seen)
