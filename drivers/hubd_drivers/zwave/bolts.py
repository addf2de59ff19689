"""The bolts of one life: one order after another, and questions where nothing else tells how a bolt stands."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from msgspec.structs import replace

from hubd.driver import Port
from hubd.model import Outcome, Seen, unreachable, unsupported
from hubd_drivers.zwave.controller import ControllerWatch
from hubd_drivers.zwave.device import ZwaveDevice
from hubd_drivers.zwave.events import Event
from hubd_drivers.zwave.facts import STATUS_ALIVE
from hubd_drivers.zwave.failures import CONTROLLER, CommandError
from hubd_drivers.zwave.link import Link
from hubd_drivers.zwave.lock import Position
from hubd_drivers.zwave.orders import LockOrder, Watch, ask, failed

VERIFY_PAUSES: Final = (2.0, 6.0, 14.0, 30.0)
"""Seconds between questions to a lock whose order ended without proof."""
REFRESH_SECONDS: Final = 600.0
"""How often a reconnect may ask each lock anew where its bolt is."""
DEAF: Final = frozenset({"connection_refused", "controller_lost", "controller_not_ready", "controller_restarted"})
"""Losses during which zwave-js does not hear the locks, either: its values are then older than what was done."""
DEAF_TIMES: Final = 3
"""How many such losses within `REFRESH_SECONDS` have the locks asked out of turn: a server that ends again and again
must not empty their batteries."""


class Memory:
    """What a driver keeps from one life to the next."""

    def __init__(self) -> None:
        self.unproven: set[str] = set()
        """Locks whose value in zwave-js proves nothing until they are asked: their last order ended without proof."""
        self.positions: dict[str, Position] = {}
        """Where the bolts were told to be when the last life ended."""
        self.asked_at: dict[str, float] = {}
        self.talkative: set[str] = set()
        """Locks that have reported a turn by hand; those need not be asked."""
        self.unscheduled: dict[str, str] = {}
        """Locks that did not take a schedule as they should, and what was wrong; they are given none any more."""
        self.hiding: set[str] = set()
        """Locks that were seen to keep a code that does not open."""
        self.clocks_read_at: dict[str, float] = {}
        self.has_told_of_others = False
        """It was logged that devices of another network are known."""
        self._was_deaf = False
        self._deaf_at: list[float] = []

    def lost(self, code: str) -> None:
        """Note why a life ended or did not begin."""
        self._was_deaf |= code in DEAF

    def back(self, now: float) -> None:
        """A life begins; if zwave-js has not heard the locks since the last one, they are asked."""
        self._deaf_at = [at for at in self._deaf_at if now - at < REFRESH_SECONDS]
        if self._was_deaf and len(self._deaf_at) < DEAF_TIMES:
            self._deaf_at.append(now)
            self.asked_at.clear()
        self._was_deaf = False

    def doubts(self, native_id: str, position: Position) -> bool:
        """Tell whether a lock's value must be proven before it is told.

        One that differs from what was last told may be older than that: a zwave-js that was killed starts again
        from values it had saved some time before.
        """
        known = self.positions.pop(native_id, None)
        if known is not None and known is not position:
            self.unproven.add(native_id)
        return native_id in self.unproven


class Bolts:
    """Moves bolts, and knows which of them nobody has heard of since they were told to move."""

    def __init__(
        self,
        *,
        link: Link,
        port: Port,
        tasks: asyncio.TaskGroup,
        controller: ControllerWatch,
        memory: Memory,
        seconds: float,
        publish: Callable[[list[Seen]], Awaitable[None]],
    ) -> None:
        self._link = link
        self._port = port
        self._tasks = tasks
        self._controller = controller
        self._memory = memory
        self._seconds = seconds
        self._publish = publish
        self._seq = 0
        self._watches: set[Watch] = set()
        self._questions: dict[str, asyncio.Task[None]] = {}

    def note(self, event: Event, seq: int) -> None:
        """Take in an event at the instant it arrives."""
        self._seq = seq
        for watch in self._watches:
            watch.note(event)

    async def move(self, device: ZwaveDevice, *, target: bool) -> Outcome:
        """Carry out one order."""
        if device.bolt is None:
            return unsupported("The device has no bolt.", {"capability": "lock"})
        if (loss := self._controller.loss) is not None:
            return unreachable(loss.code, loss.message, {"hop": CONTROLLER})
        if device.is_asleep:
            message = "The device sleeps and cannot be woken over the air; nothing was sent."
            return unreachable("device_asleep", message)
        self.forget(device)
        order = LockOrder(
            link=self._link,
            clock=self._port.clock,
            node_id=device.node_id,
            native_id=device.native_id,
            bolt=device.bolt,
            target=target,
            seconds=self._seconds,
        )
        self._watches.add(order.watch)
        device.tracker.begin(target)
        try:
            return await order.run()
        except CommandError as error:
            if error.suspect and not await self._controller.check() and (loss := self._controller.loss) is not None:
                return unreachable(loss.code, loss.message, {"hop": CONTROLLER, "zwave_error": error.number})
            return failed(error, device.node_id)
        finally:
            self._watches.discard(order.watch)
            device.tracker.end(order.position, self._seq, jammed=order.is_jammed)
            if order.needs_verifying:
                self._memory.unproven.add(device.native_id)
                self.verify(device, target)

    def verify(self, device: ZwaveDevice, target: Position = None) -> None:
        """Have a lock of whom nothing is proven asked where its bolt is; its values count for nothing until then."""
        if device.native_id not in self._memory.unproven or device.native_id in self._questions:
            return
        device.tracker.is_verifying = True
        questions = self._ask_until_known(device, target)
        try:
            self._questions[device.native_id] = self._tasks.create_task(questions, name=f"verify-{device.node_id}")
        except RuntimeError:  # this life is over; the next one asks
            questions.close()

    def forget(self, device: ZwaveDevice) -> None:
        """Ask no more."""
        self._memory.unproven.discard(device.native_id)
        if (task := self._questions.pop(device.native_id, None)) is not None:
            task.cancel()

    @property
    def is_busy(self) -> bool:
        """An order is under way, or a lock is being asked what became of one."""
        return bool(self._watches or self._questions)

    async def ask_now(self, device: ZwaveDevice) -> None:
        """Ask a lock where its bolt is; the answer comes as an event."""
        if device.bolt is not None:
            await ask(self._link, self._port.clock, device.node_id, device.bolt)

    def ask_soon(self, device: ZwaveDevice) -> None:
        """Have a lock that was out of reach asked where its bolt is; the answer comes as an event."""
        self._tasks.create_task(self.ask_now(device), name=f"ask-{device.node_id}")

    def refresh_soon(self, device: ZwaveDevice) -> None:
        """Have a lock that zwave-js had not tried yet when this life began asked now, if its turn was missed."""
        self._tasks.create_task(self._refresh(device), name=f"refresh-{device.node_id}")

    async def keep_fresh(self, devices: Callable[[], Iterable[ZwaveDevice]]) -> None:
        """Ask every lock now and whenever the controller is back: what was done meanwhile at the door nobody tells."""
        while True:
            for device in devices():
                await self._refresh(device)
            await self._controller.recovered.wait()
            self._controller.recovered.clear()
            self._memory.asked_at.clear()

    async def _refresh(self, device: ZwaveDevice) -> None:
        now = self._port.clock.monotonic()
        before = self._memory.asked_at.get(device.native_id)
        is_due = before is None or now - before >= REFRESH_SECONDS
        if device.bolt is not None and device.facts.status == STATUS_ALIVE and is_due:
            self._memory.asked_at[device.native_id] = now
            await self.ask_now(device)

    async def _ask_until_known(self, device: ZwaveDevice, target: Position) -> None:
        for pause in VERIFY_PAUSES:
            await self._port.clock.sleep(pause)
            if device.bolt is None or not device.tracker.is_verifying:
                break
            position = await ask(self._link, self._port.clock, device.node_id, device.bolt)
            if position is None:
                continue
            read = device.tracker.read(position)
            await self._publish([replace(seen, method="remote") if position is target else seen for seen in read])
            if target is None or position is target:
                break
        device.tracker.is_verifying = False
        self._memory.unproven.discard(device.native_id)
        self._questions.pop(device.native_id, None)
