"""Carries commands from durable acceptance to a durable end: deadlines, at-most-once, one thing at a time per device.

`CommandStarted` is on the disk before the driver is called. When nothing waits, acceptance and start share one
transaction, and the end shares one with what was read, so a command costs two commits.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import timedelta

from hubd.core.lanes import Lanes, Priority
from hubd.core.presence import Presence
from hubd.core.settle import cannot_reach, settle
from hubd.core.supervisor import Supervisor, is_cancelled
from hubd.driver import intake
from hubd.driver.clock import Clock
from hubd.driver.protocol import DriverError
from hubd.model.command import (
    ClimateCommand,
    CodeCommand,
    Command,
    EditAccess,
    LockDoor,
    Order,
    SimulateHubConnection,
    UnlockDoor,
)
from hubd.model.errors import BusyError, HubError, RefusedError, StoreError
from hubd.model.event import CommandAccepted, CommandStarted
from hubd.model.outcome import Outcome, expired, sent_unconfirmed, unreachable
from hubd.model.seen import Seen
from hubd.store.journal import Journal
from hubd.store.tables import View, native_key

LOG = logging.getLogger(__name__)

MAX_WAITING_PER_DEVICE = 16
SETTLE_RETRY = 1.0


class Job:
    """One command on its way. Compared and hashed by identity."""

    def __init__(
        self, request_id: str, command: Order, by: str, expires: float, settled: "asyncio.Future[None]"
    ) -> None:
        self.request_id = request_id
        self.command = command
        self.by = by
        self.expires = expires
        """On the monotonic clock."""
        self.settled = settled
        self.turn = asyncio.Event()
        """Set once its lane lets it go."""
        self.statement: tuple[str, tuple[str | bytes | int | None, ...]] | None = None


class Errand:
    """A turn on a device for what the hub does by itself. Compared and hashed by identity."""

    def __init__(self) -> None:
        self.turn = asyncio.Event()
        """Set once its lane lets it go."""


class Dispatcher:
    """Owner of every command under way."""

    def __init__(self, journal: Journal, clock: Clock, group: asyncio.TaskGroup, presence: Presence) -> None:
        self._journal = journal
        self._presence = presence
        self._clock = clock
        self._group = group
        self._lanes: dict[str, tuple[Supervisor, Lanes[Job | Errand]]] = {}
        self._jobs: dict[str, Job] = {}
        self._orders: dict[str, tuple[str, bool]] = {}
        self._latest: dict[str, str] = {}
        self.is_closing = False
        self.take_in: Callable[[View, str, Sequence[Seen]], None] = lambda *_: None
        """Takes in, in the transaction of a command's end, what the device said of its codes and settings meanwhile."""
        self.ended: Callable[[View, str, str, Order, Outcome], None] = lambda *_: None
        """Takes in, in that transaction, what came of a command: of which instance, its request id, itself."""
        self.tell: Callable[[str, tuple[Seen, ...]], None] = lambda *_: None
        """Is told what was read, once that is durable."""

    def attach(self, supervisor: Supervisor) -> None:
        """Take commands for a driver instance."""
        lanes: Lanes[Job | Errand] = Lanes(supervisor.manifest.budget, MAX_WAITING_PER_DEVICE)
        self._lanes[supervisor.instance] = (supervisor, lanes)

    def order_of(self, device_id: str) -> tuple[str, bool] | None:
        """Return request id and target position of the lock order under way on a device."""
        return self._orders.get(device_id)

    def latest_order(self, device_id: str) -> str | None:
        """Return the request id of the last lock order that was sent to a device: the one its bolt can speak for."""
        return self._latest.get(device_id)

    def note_order(self, device_id: str, request_id: str | None) -> None:
        """Set that order; None when somebody moved the bolt since, so that it speaks for no order any more."""
        if request_id is None:
            self._latest.pop(device_id, None)
        else:
            self._latest[device_id] = request_id

    def waiting(self, instance: str, device_id: str) -> int:
        """Return how many commands wait for a device."""
        return self._lanes[instance][1].waiting(device_id)

    def is_busy(self, device_id: str) -> bool:
        """Whether a command to a device is accepted, or about to be, and not settled."""
        return any(job.command.device_id == device_id for job in self._jobs.values())

    @property
    def under_way(self) -> int:
        """How many commands are accepted and not settled."""
        return len(self._jobs)

    async def submit(self, instance: str, job: Job, deadline_seconds: float) -> None:
        """Make a command durable and put it in its queue. Raises `BusyError` or `StoreError`; then nothing was kept."""
        supervisor, lanes = self._lanes[instance]
        if self.is_closing:
            raise BusyError("stopping", "The hub is stopping; try again when it is back.")
        if lanes.is_full(job.command.device_id):
            raise BusyError("device_queue_full", f"{MAX_WAITING_PER_DEVICE} commands already wait for this device.")
        refusal = None if isinstance(job.command, SimulateHubConnection) else cannot_reach(supervisor.health)
        if refusal is not None:
            try:
                await self._journal.transact(lambda view: self._refuse(view, instance, job, refusal, deadline_seconds))
            finally:
                job.settled.set_result(None)
            return
        self._jobs[job.request_id] = job
        accepted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._go(lanes.offer(job.command.device_id, job))
        carry = self._carry(instance, job, accepted, deadline_seconds, at_once=job.turn.is_set())
        self._group.create_task(carry, name=f"command-{job.request_id}")
        await asyncio.shield(accepted)

    async def _carry(
        self, instance: str, job: Job, accepted: "asyncio.Future[None]", seconds: float, *, at_once: bool
    ) -> None:
        """Make a command durable, wait for its turn, run it. A task of its own: the caller may go away."""
        try:
            await self._journal.transact(lambda view: self._accept(view, instance, job, seconds, at_once=at_once))
        except HubError as error:
            self._forget(instance, job)
            accepted.set_exception(error)
            accepted.exception()  # the caller may be gone
            return
        accepted.set_result(None)
        supervisor, lanes = self._lanes[instance]
        refusal: Outcome | None = None
        if not at_once:
            try:
                async with self._clock.timeout(job.expires - self._clock.monotonic()):
                    await job.turn.wait()
            except TimeoutError:
                self._go(lanes.withdraw(job.command.device_id, job) or [])
                refusal = expired("It waited behind other commands until its deadline passed; nothing was sent.")
            refusal = refusal or await self._start_late(supervisor, job)
        left = job.expires - self._clock.monotonic()
        if refusal is None and left <= 0:
            refusal = expired("Its deadline passed before it was sent; nothing was sent.")
        await self._finish(instance, job, refusal or await self._execute(supervisor, job, left))

    async def drain(self, seconds: float) -> None:
        """Take nothing new and give what is under way a little time."""
        self.is_closing = True
        pending = [job.settled for job in self._jobs.values()]
        if pending:
            await asyncio.wait(pending, timeout=seconds)

    def _accept(self, view: View, instance: str, job: Job, seconds: float, *, at_once: bool) -> None:
        if job.statement is not None:
            view.execute(job.statement[0], *job.statement[1])
        device = view.device(job.command.device_id)
        if device is not None and native_key(device) != (instance, job.command.native_id):
            message = "Another device was put in this one's place just now; look at it and repeat the order."
            raise RefusedError("device_replaced", message, device_id=job.command.device_id)
        event = CommandAccepted(
            request_id=job.request_id, command=job.command, deadline=view.now + timedelta(seconds=seconds), by=job.by
        )
        row_instance = None if device is None else instance
        view.emit(event, instance=row_instance, device_id=job.command.device_id)
        if at_once:
            self._start(view, job)

    def _refuse(self, view: View, instance: str, job: Job, outcome: Outcome, seconds: float) -> None:
        self._accept(view, instance, job, seconds, at_once=False)
        settle(view, job.request_id, outcome, None)

    @staticmethod
    def _start(view: View, job: Job) -> None:
        if view.command(job.request_id) is None:
            raise StoreError("not_accepted", "The command was never recorded as accepted.")
        record = view.device(job.command.device_id)
        instance = None if record is None else record.device.instance
        view.emit(CommandStarted(request_id=job.request_id), instance=instance, device_id=job.command.device_id)

    async def _start_late(self, supervisor: Supervisor, job: Job) -> Outcome | None:
        """Record that a command that had to wait is started; returns why it cannot be."""
        if not isinstance(job.command, SimulateHubConnection):
            refusal = cannot_reach(supervisor.health)
            if refusal is not None:
                return refusal
        try:
            await self._journal.transact(lambda view: self._start(view, job))
        except StoreError as error:
            return expired(f"It could not be recorded as started ({error.code}); nothing was sent.", "not_recorded")
        return None

    async def _execute(self, supervisor: Supervisor, job: Job, left: float) -> Outcome:
        command = job.command
        if isinstance(command, LockDoor | UnlockDoor):
            self._orders[command.device_id] = (job.request_id, isinstance(command, LockDoor))
            self.note_order(command.device_id, job.request_id)
        try:
            async with self._clock.timeout(left):
                return await self._ask(supervisor, command)
        except TimeoutError:
            return sent_unconfirmed("No confirmation came before the deadline; the command may have been carried out.")

    # -- what the hub does by itself -----------------------------------------------------------------------------------

    def budget(self, instance: str) -> int:
        """Return how many errands of an instance may be under way at a time; 1 of one that is not configured."""
        return self._lanes[instance][1].budget if instance in self._lanes else 1

    def queue(self, instance: str, device_id: str, errand: Errand, priority: Priority) -> None:
        """Have an errand wait for its turn on a device; it is to be ended by `end`, or taken back by `withdraw`."""
        self._go(self._lanes[instance][1].offer(device_id, errand, priority))

    def withdraw(self, instance: str, device_id: str, errand: Errand) -> bool:
        """Take back an errand that waits; False when its turn has come."""
        started = self._lanes[instance][1].withdraw(device_id, errand)
        self._go(started or [])
        return started is not None

    def end(self, instance: str, device_id: str) -> None:
        """Say that the errand whose turn had come has ended."""
        self._go(self._lanes[instance][1].done(device_id))

    async def ask(self, instance: str, command: CodeCommand | ClimateCommand | EditAccess, seconds: float) -> Outcome:
        """Have the driver do what the hub wants. Of a device, the errand's turn must have come."""
        supervisor = self._lanes[instance][0]
        refusal = cannot_reach(supervisor.health)
        if refusal is not None:
            return refusal
        try:
            async with self._clock.timeout(seconds):
                return await self._ask(supervisor, command)
        except TimeoutError:
            return sent_unconfirmed(f"The device did not answer within {seconds:g} s.", "no_answer")

    @staticmethod
    async def _ask(supervisor: Supervisor, command: Command) -> Outcome:
        """Call the driver. Whatever it does, there is an outcome; only the deadline and the end of the hub pass."""
        try:
            return intake.outcome(await supervisor.driver.execute(command))
        except DriverError as error:
            return unreachable(error.code, error.message, error.data)
        except asyncio.CancelledError:
            if is_cancelled():
                raise
            return sent_unconfirmed("The connection ended while the command was under way.", "connection_lost")
        except Exception:
            LOG.exception("driver %s failed on %s by a defect of its own", supervisor.instance, type(command).__name__)
            return sent_unconfirmed("The driver failed while sending; the hub's log has the details.", "driver_defect")

    async def _finish(self, instance: str, job: Job, outcome: Outcome) -> None:
        order = self._orders.get(job.command.device_id)

        def end(view: View) -> None:
            settle(view, job.request_id, outcome, order, self._presence.silence(instance))
            self.take_in(view, job.command.device_id, outcome.seen)
            self.ended(view, instance, job.request_id, job.command, outcome)

        while True:
            try:
                await self._journal.transact(end)
                break
            except StoreError as error:
                LOG.error("the end of %s is not recorded yet: %s", job.request_id, error.message)  # noqa: TRY400
                await self._clock.sleep(SETTLE_RETRY)
        self._presence.look_at((job.command.device_id,))
        self.tell(job.command.device_id, outcome.seen)
        self._forget(instance, job)

    def _forget(self, instance: str, job: Job) -> None:
        device_id = job.command.device_id
        self._jobs.pop(job.request_id, None)
        if (order := self._orders.get(device_id)) is not None and order[0] == job.request_id:
            del self._orders[device_id]
        if not job.settled.done():
            job.settled.set_result(None)
        lanes = self._lanes[instance][1]
        if job.turn.is_set():
            self._go(lanes.done(device_id))
        else:
            self._go(lanes.withdraw(device_id, job) or [])

    @staticmethod
    def _go(jobs: list[Job | Errand]) -> None:
        for job in jobs:
            job.turn.set()
