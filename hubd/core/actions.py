"""Running what people have drivers do: one exclusive action per instance, its progress, its questions, its end."""

import asyncio
import logging
import re
from collections import OrderedDict, deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from hubd.core.health import InstanceHealth
from hubd.driver.actions import Action, ActionError, ActionResult, Question
from hubd.driver.clock import Clock
from hubd.driver.protocol import ActingDriver, Driver, DriverError
from hubd.model import ids
from hubd.model.errors import BusyError, HubError, InvalidInputError, NotFoundError, RefusedError
from hubd.model.event import ActionEnded, ActionStarted
from hubd.store.journal import Journal
from hubd.store.tables import View

LOG = logging.getLogger(__name__)

KEPT_RUNS = 50
KEPT_MESSAGES = 200
LONGEST_ANSWER = 200

type RunState = Literal["running", "asking", "done", "failed", "cancelled"]


class Message(msgspec.Struct, frozen=True):
    """One thing that a running action said."""

    at: datetime
    text: str


class Failure(msgspec.Struct, frozen=True):
    """Why an action did not reach its end."""

    code: str
    message: str
    remedy: str = ""


class Run:
    """One run of an action. Read by everybody, changed in this module."""

    def __init__(self, instance: str, action: Action, device_id: str | None, by: str, clock: Clock) -> None:
        self.run_id = ids.new_id()
        self.instance = instance
        self.action = action
        self.device_id = device_id
        self.by = by
        self.started_at = clock.now()
        self.ended_at: datetime | None = None
        self.state: RunState = "running"
        self.messages: deque[Message] = deque(maxlen=KEPT_MESSAGES)
        self.until: datetime | None = None
        """The end of the countdown that is shown."""
        self.share: float | None = None
        """How much is done, 0 to 1."""
        self.question: Question | None = None
        self.result: ActionResult | None = None
        self.failure: Failure | None = None
        self.version = 0
        """Grows with each change."""
        self.task: asyncio.Task[None] | None = None
        self._clock = clock
        self._changed = asyncio.Event()
        self._answer: asyncio.Future[str] | None = None

    @property
    def is_over(self) -> bool:
        """Whether it has ended, one way or another."""
        return self.ended_at is not None

    # -- what the driver has of it: implements `hubd.driver.Progress` -------------------------------------------------

    def say(self, message: str, *, seconds: float | None = None, share: float | None = None) -> None:
        """Tell where it stands."""
        self.messages.append(Message(self._clock.now(), message))
        self.until = None if seconds is None else self._clock.now() + timedelta(seconds=seconds)
        self.share = share
        self.touch()

    async def ask(self, question: Question) -> str:
        """Ask the person, and wait for the answer."""
        self._answer = asyncio.get_running_loop().create_future()
        self.question, self.state = question, "asking"
        self.touch()
        try:
            return await self._answer
        finally:
            self.question, self._answer = None, None
            self.state = "running"
            self.touch()

    # -- what the hub does with it ------------------------------------------------------------------------------------

    def answer(self, text: str) -> None:
        """Give the answer. Raises `RefusedError` when nothing is asked, `InvalidInputError` when it cannot be right."""
        if self.question is None or self._answer is None or self._answer.done():
            raise RefusedError("nothing_asked", "This action asks nothing at the moment.", run_id=self.run_id)
        if len(text) > LONGEST_ANSWER or not re.fullmatch(self.question.pattern or ".*", text, re.DOTALL):
            raise InvalidInputError("answer", f"must be {self.question.hint or 'what was asked for'}")
        self._answer.set_result(text)

    def end(self, state: RunState) -> None:
        """Set its end."""
        self.state, self.ended_at = state, self._clock.now()
        self.until = None
        self.touch()

    def touch(self) -> None:
        """Wake who follows it."""
        self.version += 1
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait_beyond(self, version: int) -> None:
        """Return once it has changed since `version`."""
        while self.version <= version:
            await self._changed.wait()


class Actions:
    """All runs since the daemon started; the last fifty that ended are kept."""

    def __init__(self, journal: Journal, clock: Clock, group: asyncio.TaskGroup) -> None:
        self._journal = journal
        self._clock = clock
        self._group = group
        self._runs: OrderedDict[str, Run] = OrderedDict()
        self._drivers: dict[str, tuple[Driver, InstanceHealth]] = {}

    def attach(self, instance: str, driver: Driver, health: InstanceHealth) -> None:
        """Make an instance's actions known."""
        self._drivers[instance] = (driver, health)

    async def recover(self) -> None:
        """Journal the end of what a crash interrupted. Before any driver runs."""
        left_open = [(r.instance, r.open_action) for r in self._journal.tables.instances.values() if r.open_action]

        def end(view: View) -> None:
            for instance, one in left_open:
                message = "The daemon ended while this was under way; look at the device and start it again."
                event = ActionEnded(run_id=one.run_id, action=one.action, state="interrupted", message=message)
                view.emit(event, instance=instance, device_id=one.device_id)

        if left_open:
            await self._journal.transact(end)

    def catalogue(self, instance: str) -> tuple[Action, ...]:
        """Return what an instance can be asked to do."""
        return self._drivers[instance][1].manifest.actions if instance in self._drivers else ()

    @property
    def runs(self) -> Mapping[str, Run]:
        """Runs by id, oldest first."""
        return self._runs

    def run(self, run_id: str) -> Run:
        """Return a run. Raises `NotFoundError`."""
        run = self._runs.get(run_id)
        if run is None:
            message = "There is no such run; the last fifty since the daemon started are kept."
            raise NotFoundError("run_not_found", message, run_id=run_id)
        return run

    async def start(
        self,
        instance: str,
        name: str,
        arguments: Mapping[str, Any],
        by: str,
        *,
        device: tuple[str, str] | None = None,
    ) -> Run:
        """Start an action; its start is durable when this returns, if it is exclusive.

        `device` is (device id, native id). Raises `NotFoundError`, `InvalidInputError`, `BusyError`, `StoreError`.
        """
        if instance not in self._drivers:
            raise NotFoundError("driver_not_configured", f"No driver {instance!r} is configured on this hub.")
        driver, health = self._drivers[instance]
        action = next((one for one in health.manifest.actions if one.name == name), None)
        if action is None or not isinstance(driver, ActingDriver):
            known = ", ".join(one.name for one in health.manifest.actions) or "none"
            message = f"{health.manifest.title} has no action {name!r}; it has: {known}."
            raise NotFoundError("action_not_found", message)
        if action.on_device and device is None:
            raise InvalidInputError("device_id", "is needed: this action is done to one device")
        if not action.on_device and device is not None:
            raise InvalidInputError("device_id", "must be left out: this action is not done to a device")
        try:
            typed = msgspec.convert(dict(arguments), action.arguments)
        except msgspec.ValidationError as error:
            raise InvalidInputError("arguments", str(error)) from error
        if action.exclusive and (other := self._exclusive_of(instance)) is not None:
            message = f"{other.action.title!r} is under way; wait for its end or cancel it."
            raise BusyError("action_under_way", message, run_id=other.run_id)
        run = Run(instance, action, None if device is None else device[0], by, self._clock)
        self._remember(run)
        if action.exclusive:
            try:
                started = ActionStarted(run_id=run.run_id, action=name, by=by)
                await self._journal.transact(
                    lambda view: view.emit(started, instance=instance, device_id=run.device_id)
                )
            except HubError:
                del self._runs[run.run_id]
                raise
        native_id = None if device is None else device[1]
        run.task = self._group.create_task(
            self._live(run, driver, health, typed, native_id), name=f"action-{instance}-{name}"
        )
        return run

    def cancel(self, run_id: str) -> Run:
        """Have a run given up; what ended already stays as it is."""
        run = self.run(run_id)
        if run.task is not None and not run.is_over:
            run.task.cancel()
        return run

    def _exclusive_of(self, instance: str) -> Run | None:
        runs = self._runs.values()
        return next((r for r in runs if r.instance == instance and r.action.exclusive and not r.is_over), None)

    def _remember(self, run: Run) -> None:
        self._runs[run.run_id] = run
        over = [run_id for run_id, one in self._runs.items() if one.is_over]
        for run_id in over[: max(0, len(over) - KEPT_RUNS)]:
            del self._runs[run_id]

    async def _live(
        self, run: Run, driver: ActingDriver, health: InstanceHealth, arguments: Any, native_id: str | None
    ) -> None:
        state: RunState = "cancelled"
        try:
            async with self._clock.timeout(run.action.seconds):
                run.result = await driver.act(run.action.name, arguments, native_id, run)
            state = "done"
        except TimeoutError:
            state = "failed"
            run.failure = Failure("action_timeout", f"It did not end within {run.action.seconds:g} s.")
        except (ActionError, DriverError) as error:
            state, run.failure = "failed", Failure(error.code, error.message, error.remedy)
        except HubError as error:
            state, run.failure = "failed", Failure(error.code, error.message)
        except asyncio.CancelledError:
            if not self._is_asked_for():
                state = "failed"
                run.failure = Failure("link_lost", "The driver's connection was lost meanwhile.")
            else:
                raise
        except Exception as error:  # a defect of the driver; it is told as such, and the hub goes on
            LOG.exception("action %s of %s failed by a defect of the driver", run.action.name, health.instance)
            message = f"The driver failed by a defect of its own ({type(error).__name__}); the log has the details."
            state, run.failure = "failed", Failure("driver_defect", message, "Report it with the log.")
        finally:
            run.end(state)
            await self._record(run)

    @staticmethod
    def _is_asked_for() -> bool:
        task = asyncio.current_task()
        return task is not None and task.cancelling() > 0

    async def _record(self, run: Run) -> None:
        if not run.action.exclusive:
            return
        if run.state == "done" and run.result is not None:
            message = run.result.message
        elif run.failure is not None:
            message = run.failure.message
        else:
            message = "It was cancelled."
        state: Literal["done", "failed", "cancelled"] = run.state if run.state in {"done", "failed"} else "cancelled"
        event = ActionEnded(run_id=run.run_id, action=run.action.name, state=state, message=message)
        try:
            await self._journal.transact(lambda view: view.emit(event, instance=run.instance, device_id=run.device_id))
        except HubError as error:
            LOG.warning("the end of action %s is not in the journal: %s", run.action.name, error.message)
