"""Running what people have drivers do: one exclusive action per instance, journaled from its start to its end.

The driver works in a task of its own. Asked to stop (a person gave up, its time is over, the daemon stops) it has
`CLEAN_UP_SECONDS` to leave nothing half done; what it then says of its end counts, whatever was asked.
"""

import asyncio
import logging
import traceback
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from hubd.core import check
from hubd.core.arguments import convert, has_words
from hubd.core.health import InstanceHealth
from hubd.core.runs import LONGEST_MESSAGE, End, Failure, Message, Run, RunState
from hubd.core.supervisor import is_cancelled
from hubd.driver import intake
from hubd.driver.actions import Action, ActionError
from hubd.driver.clock import Clock
from hubd.driver.protocol import ActingDriver, Driver, DriverConfig, DriverError
from hubd.model.errors import BusyError, HubError, InvalidInputError, NotFoundError, StoreError
from hubd.model.event import ActionEnded, ActionStarted
from hubd.store.journal import Journal
from hubd.store.tables import View

__all__ = ["Actions", "Failure", "Message", "Run", "RunState"]

LOG = logging.getLogger(__name__)

KEPT_RUNS = 50
MAX_RUNNING = 16
"""Runs of one instance at a time."""
CLEAN_UP_SECONDS = 15.0
END_RETRY = 1.0
"""Seconds until the end of an action is written again, after the disk refused it."""

_NONE_SUCH = "There is no such run; the last fifty since the daemon started are kept."
_CUT_OFF = "The driver's connection was lost meanwhile."


class Actions:
    """All runs since the daemon started; the last fifty that ended are kept."""

    def __init__(self, journal: Journal, clock: Clock, group: asyncio.TaskGroup) -> None:
        self._journal = journal
        self._clock = clock
        self._group = group
        self._runs: OrderedDict[str, Run] = OrderedDict()
        self._drivers: dict[str, tuple[Driver, InstanceHealth]] = {}
        self._checks: dict[str, check.Act] = {}
        self._is_closing = False

    def attach(self, instance: str, driver: Driver, health: InstanceHealth, config: DriverConfig | None = None) -> None:
        """Make an instance's actions known; with its config, the checks of its driver are one."""
        self._drivers[instance] = (driver, health)
        checks = None if config is None else check.checker(instance, health.manifest, config, self._clock)
        if checks is not None:
            self._checks[instance] = checks

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
        if instance not in self._drivers:
            return ()
        own = self._drivers[instance][1].manifest.actions
        return (check.ACTION, *own) if instance in self._checks else own

    def find(self, instance: str, name: str) -> Action:
        """Return an action of an instance. Raises `NotFoundError`."""
        return self._acting(instance, name)[0]

    @property
    def runs(self) -> Mapping[str, Run]:
        """Runs by id, oldest first."""
        return self._runs

    def run(self, run_id: str) -> Run:
        """Return a run. Raises `NotFoundError`."""
        run = self._runs.get(run_id)
        if run is None:
            raise NotFoundError("run_not_found", _NONE_SUCH, run_id=run_id)
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

        `device` is (device id, native id). Raises `NotFoundError`, `InvalidInputError`, `BusyError`, `StoreError`;
        then nothing was started. Cancelling the caller does not take the action back.
        """
        action, does = self._acting(instance, name)
        if action.on_device and device is None:
            raise InvalidInputError("device_id", "is needed: this action is done to one device")
        if not action.on_device and device is not None:
            raise InvalidInputError("device_id", "must be left out: this action is not done to a device")
        typed = convert(action.arguments, arguments)
        self._admit(instance, action)
        run = Run(instance, action, None if device is None else device[0], by, self._clock)
        run.has_words = has_words(typed)
        self._remember(run)
        started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        act = partial(does, typed, None if device is None else device[1], run)
        self._group.create_task(self._live(run, act, started), name=f"action-{instance}-{name}")
        await asyncio.shield(started)
        return run

    def cancel(self, run_id: str) -> Run:
        """Have a run given up; what ended already stays as it is. Raises `NotFoundError`."""
        run = self.run(run_id)
        run.given_up.set()
        return run

    async def drain(self, seconds: float) -> None:
        """Take nothing new, and give what is under way a little time to stop and to write down its end."""
        self._is_closing = True
        left = [run for run in self._runs.values() if run.is_engaged]
        for run in left:
            run.given_up.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                for run in left:
                    while run.is_engaged:
                        await run.wait_beyond(run.version)

    # -- whether it may start ------------------------------------------------------------------------------------------

    def _acting(self, instance: str, name: str) -> tuple[Action, check.Act]:
        if instance not in self._drivers:
            raise NotFoundError("driver_not_configured", f"No driver {instance!r} is configured on this hub.")
        driver, health = self._drivers[instance]
        if name == check.ACTION.name and instance in self._checks:
            return check.ACTION, self._checks[instance]
        action = next((one for one in health.manifest.actions if one.name == name), None)
        if action is None or not isinstance(driver, ActingDriver):
            known = ", ".join(one.name for one in self.catalogue(instance)) or "none"
            message = f"{health.manifest.title} has no action {name!r}; it has: {known}."
            raise NotFoundError("action_not_found", message)
        return action, partial(driver.act, name)

    def _admit(self, instance: str, action: Action) -> None:
        if self._is_closing:
            raise BusyError("stopping", "The hub is stopping; try again when it is back.")
        engaged = [run for run in self._runs.values() if run.instance == instance and run.is_engaged]
        other = next((run for run in engaged if run.action.exclusive), None)
        if action.exclusive and other is not None:
            message = f"“{other.action.title}” is under way; wait for its end or cancel it."
            raise BusyError("action_under_way", message, run_id=other.run_id)
        if len(engaged) >= MAX_RUNNING:
            message = f"{MAX_RUNNING} actions of this driver are under way; wait until one has ended."
            raise BusyError("too_many_runs", message)

    def _remember(self, run: Run) -> None:
        self._runs[run.run_id] = run
        over = [run_id for run_id, one in self._runs.items() if not one.is_engaged]
        for run_id in over[: max(0, len(over) - KEPT_RUNS)]:
            del self._runs[run_id]

    # -- the life of a run ---------------------------------------------------------------------------------------------

    async def _live(self, run: Run, act: partial[Any], started: "asyncio.Future[None]") -> None:
        """Live one run. A task of its own: who started it may go away."""
        try:
            if not await self._begin(run, started):
                return
            if run.given_up.is_set():
                await self._finish(run, End("cancelled"))
                return
            work = self._group.create_task(self._work(run, act), name=f"act-{run.instance}-{run.action.name}")
            await self._finish(run, await self._follow(run, work))
            if not work.done():
                await asyncio.wait({work})
        finally:  # also when the whole daemon falls: then the next start writes down that it was interrupted
            started.cancel()
            run.end(End("cancelled"))
            run.is_engaged = False
            run.touch()

    async def _begin(self, run: Run, started: "asyncio.Future[None]") -> bool:
        try:
            if run.action.exclusive:
                await self._journal.transact(partial(_start, run=run))
        except HubError as error:
            del self._runs[run.run_id]
            started.set_exception(error)
            started.exception()  # the caller may be gone
            return False
        started.set_result(None)
        return True

    async def _work(self, run: Run, act: partial[Any]) -> End:
        """Call the driver. Whatever it does, there is an end; only being stopped passes."""
        try:
            return End("done", intake.result(await act()))
        except (ActionError, DriverError) as error:
            return _failed(error.code, error.message, error.remedy)
        except HubError as error:
            return _failed(error.code, error.message)
        except asyncio.CancelledError:
            if is_cancelled():
                raise
            return _failed("link_lost", _CUT_OFF, "Look at what became of it, then start it again.")
        except Exception as error:  # noqa: BLE001 - a defect of the driver is told as such, and the hub goes on
            _log_defect(run, error)
            message = f"The driver failed by a defect of its own ({type(error).__name__}); the log has the details."
            return _failed("driver_defect", message, "Report it with the log.")

    async def _follow(self, run: Run, work: "asyncio.Task[End]") -> End:
        """Wait until the driver has ended or must: its time is over, or somebody gave up."""
        is_late = False
        giving_up = self._group.create_task(run.given_up.wait(), name=f"given-up-{run.run_id}")
        try:
            async with self._clock.timeout(run.action.seconds):
                await asyncio.wait({work, giving_up}, return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            is_late = True
        finally:
            giving_up.cancel()
        if not work.done():
            work.cancel()
            with suppress(TimeoutError):
                async with self._clock.timeout(CLEAN_UP_SECONDS):
                    await asyncio.wait({work})
        if not work.done():
            LOG.error("action %s of %s does not stop", run.action.name, run.instance)
            message = f"It did not stop within {CLEAN_UP_SECONDS:g} s of being told to, and may still be at work."
            return _failed("action_stuck", message, "Restart the hub before the next attempt.")
        if not work.cancelled():
            return work.result()
        if is_late:
            message = f"It did not end within {run.action.seconds:g} s, and was stopped."
            return _failed("action_timeout", message, "Look at the device, then start it again.")
        return End("cancelled")

    async def _finish(self, run: Run, end: End) -> None:
        """Write down the end, then show it; a disk that refuses holds up the first, not the second."""
        while run.action.exclusive:
            try:
                await self._journal.transact(partial(_end, run=run, end=end, is_closing=self._is_closing))
                break
            except StoreError as error:
                LOG.warning("the end of action %s is not recorded yet: %s", run.action.name, error.message)
                run.end(end)
                await self._clock.sleep(END_RETRY)
        run.end(end)


def _failed(code: str, message: str, remedy: str = "") -> End:
    return End("failed", failure=Failure(code, message[:LONGEST_MESSAGE], remedy[:LONGEST_MESSAGE]))


def _log_defect(run: Run, error: Exception) -> None:
    """Log where the driver failed; with the words of the exception only if they cannot quote what a person typed."""
    about = (run.action.name, run.instance)
    if not run.has_words:
        LOG.error("action %s of %s failed by a defect of the driver", *about, exc_info=error)
        return
    places = "".join(traceback.format_tb(error.__traceback__))
    LOG.error("action %s of %s failed by a defect of the driver: %s\n%s", *about, type(error).__name__, places)


def _start(view: View, run: Run) -> None:
    started = ActionStarted(run_id=run.run_id, action=run.action.name, by=run.by)
    view.emit(started, instance=run.instance, device_id=run.device_id)


def _end(view: View, run: Run, end: End, *, is_closing: bool) -> None:
    message = "It was cancelled: the hub is stopping." if is_closing else "It was cancelled."
    if end.failure is not None:
        message = end.failure.message
    elif end.result is not None:
        message = end.result.message[:LONGEST_MESSAGE]
    event = ActionEnded(run_id=run.run_id, action=run.action.name, state=end.state, message=message)
    view.emit(event, instance=run.instance, device_id=run.device_id)
