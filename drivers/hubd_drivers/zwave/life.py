"""One life of the link: takes in what zwave-js says, in order, and passes it on."""

import asyncio
from typing import Final, assert_never

from hubd.driver import DriverError, Port
from hubd.model import (
    ClearCode,
    Command,
    LockDoor,
    Outcome,
    ReadClimate,
    ReadCode,
    Seen,
    SetClimate,
    SetCode,
    UnlockDoor,
    rejected,
    unsupported,
)
from hubd_drivers.zwave import alarms
from hubd_drivers.zwave.bolts import Bolts, Memory
from hubd_drivers.zwave.care.events import CareEvent
from hubd_drivers.zwave.care.network import Network
from hubd_drivers.zwave.codes.clocks import Clocks
from hubd_drivers.zwave.codes.keeper import Codes
from hubd_drivers.zwave.config import ZwaveConfig
from hubd_drivers.zwave.controller import ControllerWatch
from hubd_drivers.zwave.device import ZwaveDevice
from hubd_drivers.zwave.events import (
    AllNodesReady,
    BatteryWarned,
    CodeReported,
    ControllerChanged,
    CredentialTold,
    DriverFailed,
    DriverRestarted,
    Event,
    InterviewChanged,
    MetadataReported,
    NodeAdded,
    NodeReady,
    NodeRemoved,
    Notified,
    SerialPortTold,
    StatisticsReported,
    StatusChanged,
    Told,
    ValueReported,
)
from hubd_drivers.zwave.facts import (
    NAMING,
    NOTIFICATION,
    STATUS_ALIVE,
    STATUS_AWAKE,
    THERMOSTAT_SETPOINT,
    NodeFacts,
)
from hubd_drivers.zwave.failures import CONTROLLER, SERVER
from hubd_drivers.zwave.identity import home, in_order_of_claim
from hubd_drivers.zwave.link import Link
from hubd_drivers.zwave.notices import use_of
from hubd_drivers.zwave.revival import Revival
from hubd_drivers.zwave.roster import Roster
from hubd_drivers.zwave.scan import Scan
from hubd_drivers.zwave.sweep import Sweep
from hubd_drivers.zwave.thermostat.keeper import Thermostats
from hubd_drivers.zwave.vitals import Vitals

QUEUE_SIZE: Final = 2000
"""Events; a use of a lock makes about ten."""
FINISH_SECONDS: Final = 2.0

type DeviceEvent = (
    ValueReported
    | MetadataReported
    | Notified
    | BatteryWarned
    | StatisticsReported
    | StatusChanged
    | InterviewChanged
    | CodeReported
    | CredentialTold
)


class Life:
    """Made for one connection, whose events it takes in `note`. Lives in the tasks it starts."""

    def __init__(self, config: ZwaveConfig, port: Port, link: Link, tasks: asyncio.TaskGroup, memory: Memory) -> None:
        self._port = port
        self._link = link
        self._memory = memory
        self._has_schedules = config.schedules
        self._queue: asyncio.Queue[tuple[int, Event]] = asyncio.Queue(QUEUE_SIZE)
        self._seq = 0
        self._has_overflown = False
        self._roster = Roster(link, port, config.attribution_ms / 1000, self._is_timed)
        self.care = Network(link, port, self._roster, config.keys_file)
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
        self._codes = Codes(
            link=link,
            port=port,
            controller=self._controller,
            seconds=config.command_timeout,
            describe=self._roster.describe,
            memory=memory,
        )
        self._clocks = Clocks(
            link=link,
            port=port,
            bolts=self._bolts,
            controller=self._controller,
            memory=memory,
            describe=self._roster.describe,
        )
        self._thermostats = Thermostats(
            link=link,
            port=port,
            tasks=tasks,
            controller=self._controller,
            seconds=config.command_timeout,
            publish=self._publish,
        )
        self._vitals = Vitals(link, port, tasks, self._publish)
        self._sweep = Sweep(port, self._bolts, memory, config.silent_poll_minutes * 60)
        self._scan = Scan(link, port, self._roster, self._controller, memory, config.scan_minutes * 60)
        self._revival = Revival(link, port, self._bolts, self._controller, config.dead_ping_minutes * 60)
        self._alarm_types: dict[int, object] = {}

    def note(self, event: Told) -> None:
        """Take in an event at the instant it arrives; never waits."""
        self.care.note(event)
        if isinstance(event, CareEvent):
            return
        self._put(event)
        if (alarm := self._alarm(event)) is not None:
            self._put(alarm)

    def _put(self, event: Event) -> None:
        self._seq += 1
        self._bolts.note(event, self._seq)
        self._codes.note(event)
        if not self._thermostats.note(event):
            return
        try:
            self._queue.put_nowait((self._seq, event))
        except asyncio.QueueFull:
            self._has_overflown = True

    def _alarm(self, event: Event) -> Notified | None:
        """Return what a lock has said in its maker's own numbers; its type arrives before its level."""
        if not isinstance(event, ValueReported) or event.id.command_class != NOTIFICATION:
            return None
        if event.id.name == alarms.ALARM_TYPE:
            self._alarm_types[event.node_id] = event.value
        device = self._roster.at(event.node_id)
        if event.id.name != alarms.ALARM_LEVEL or device is None or device.bolt is None:
            return None
        alarm_type = self._alarm_types.pop(event.node_id, None)
        return alarms.translate(event.node_id, device.facts.manufacturer_id, alarm_type, event.value)

    async def announce(self) -> None:
        """Announce every node that is known."""
        nodes = await self._link.nodes()
        self._port.log.info(
            "connected to zwave-js-server %s: home %s, %d nodes with the controller",
            self._link.versions,
            home(self._link.home_id),
            len(nodes),
        )
        self.care.node_ids = {facts.node_id for facts in nodes if not facts.is_controller}
        for facts in in_order_of_claim(nodes):
            if (met := await self._meet(facts)) is not None:
                self._clocks.met(met)
        for device in self._roster:  # a route is told by names, so not before all have theirs
            await self._vitals.met(device, self._roster.name)

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Keep up with the network in tasks of the group."""
        tasks.create_task(self._drain(), name="zwave-events")
        tasks.create_task(self._controller.hear_log(), name="zwave-log")
        tasks.create_task(self._controller.run(), name="zwave-controller")
        tasks.create_task(self.care.mode.recover(), name="zwave-mode")
        tasks.create_task(self._bolts.keep_fresh(lambda: self._roster), name="zwave-refresh")
        tasks.create_task(self._scan.run(), name="zwave-scan")
        tasks.create_task(self._sweep.run(lambda: self._roster), name="zwave-sweep")
        tasks.create_task(self._revival.run(lambda: self._roster), name="zwave-revival")
        tasks.create_task(self._clocks.run(lambda: self._roster), name="zwave-clocks")
        tasks.create_task(self._vitals.run(lambda: self._roster), name="zwave-vitals")

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
            case SetCode() | ClearCode() | ReadCode():
                return await self._codes.execute(device, command)
            case SetClimate() | ReadClimate():
                return await self._thermostats.execute(device, command)
            case _:
                return unsupported("A Z-Wave device cannot be simulated.")

    async def _drain(self) -> None:
        while True:
            seq, event = await self._next()
            if self._has_overflown:
                message = f"More than {QUEUE_SIZE} events of zwave-js waited; everything is read anew."
                raise DriverError(SERVER, "events_overflow", message)
            if event is None:
                await self._publish(await self._thermostats.flush(self._roster))
            else:
                await self._handle(event, seq)
                self._queue.task_done()

    async def _next(self) -> tuple[int, Event | None]:
        """Return the next event, or None when something has waited long enough for what belongs to it."""
        due = [at for device in self._roster if (at := device.due()) is not None]
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
                device = await self._meet(event.facts)
                if device is not None:
                    await self._vitals.met(device, self._roster.name)
                    self._clocks.check_soon(device)
            case NodeRemoved():
                device = await self._roster.leave(event)
                if device is not None:
                    self._bolts.forget(device)
                    self._vitals.forget(device)
                    self._codes.forget(device)
                    self._thermostats.forget(device)
            case NodeAdded():
                self._port.log.info("node %d was included; it waits until it is interviewed", event.node_id)
                self._roster.expect(event)
                await self.care.christen(event.node_id)
            case ControllerChanged():
                self._controller.status(event.status)
            case DriverRestarted():
                message = "zwave-js has restarted its controller; everything is read anew."
                raise DriverError(CONTROLLER, "controller_restarted", message)
            case DriverFailed():
                self._port.log.warning("zwave-js reports: %s", event.message)
                self._controller.suspect()
            case SerialPortTold():
                self._controller.port(is_open=event.is_open)
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
                await self._take_value(device, event, now, seq)
            case MetadataReported():
                device.metadata(event)
                await self._roster.describe(device)
            case Notified():
                self._take_use(device, event)
                await self._publish([*device.notice(event, now), *self._codes.heard(device, event)])
            case CodeReported() | CredentialTold():
                await self._publish(self._codes.heard(device, event))
            case StatisticsReported():
                await self._vitals.heard(device, event.statistics, self._roster.name)
            case BatteryWarned():
                await self._publish(device.battery_warned())
            case StatusChanged():
                was_dead = device.is_dead
                if event.status == STATUS_AWAKE:
                    device.heard(self._port.clock.now())
                await self._publish(device.status(event.status))
                if event.status == STATUS_ALIVE:
                    if was_dead:
                        self._clocks.check_soon(device)
                    (self._bolts.ask_soon if was_dead else self._bolts.refresh_soon)(device)
            case InterviewChanged():
                self._port.log.debug("node %d is interviewed anew: %s", event.node_id, event.stage or "begun")
            case _:
                assert_never(event)

    async def _take_value(self, device: ZwaveDevice, event: ValueReported, now: float, seq: int) -> None:
        if device.bolt is not None and event.id == device.bolt.current:
            self._sweep.heard(device)
        seen = device.value(event, now, seq)
        self._vitals.measured(device, seen)
        await self._publish(seen)
        if event.is_new or event.id.command_class in {NAMING, THERMOSTAT_SETPOINT}:
            await self._roster.describe(device)

    def _take_use(self, device: ZwaveDevice, event: Notified) -> None:
        use = use_of(event)
        if use is not None:
            self._sweep.heard(device)
            if use.method == "manual":
                self._memory.talkative.add(device.native_id)

    async def _meet(self, facts: NodeFacts) -> ZwaveDevice | None:
        device = await self._roster.meet(facts, self._memory.doubts)
        if device is not None:
            self.care.met(device)
            self._thermostats.met(device)
            if device.bolt is not None:
                self._bolts.verify(device)
        return device

    def _is_timed(self, device: ZwaveDevice) -> bool:
        return self._has_schedules and device.native_id not in self._memory.unscheduled

    async def _publish(self, seen: list[Seen]) -> None:
        if seen:
            await self._port.publish(*seen)
