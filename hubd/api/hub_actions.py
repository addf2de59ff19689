"""`/hub/actions/*`: what drivers can be asked to do, and the runs of it.

The routes let every key in; each action has the role that it needs, and so have its question, what it found and its
file.
"""

from datetime import datetime
from typing import Annotated

import msgspec

from hubd.api import shapes
from hubd.api.download import Download, download
from hubd.api.envelope import AccessError
from hubd.api.params import Params, Text, Uuid, Word
from hubd.api.route import ACT, READ, Call, Route, route
from hubd.core.actions import Failure, Message, Run, RunState
from hubd.core.keys import Key
from hubd.driver import Action, ActionResult, Fact, Question
from hubd.driver.fields import Field, fields
from hubd.model.errors import InvalidInputError, NotFoundError
from hubd.model.event import Role
from hubd.store.records import DeviceRecord


class ActionShape(shapes.Shape, frozen=True, kw_only=True):
    """An action of a driver instance."""

    instance: str
    name: str
    title: str
    description: str
    warning: str
    """What it interrupts or destroys; ask the person before it is started."""
    role: Role
    on_device: bool
    exclusive: bool
    seconds: float
    arguments: tuple[Field, ...]


class ActionListAnswer(shapes.Ok, frozen=True, kw_only=True):
    """Actions by driver instance, each in the driver's own order."""

    actions: list[ActionShape]


class ResultShape(shapes.Shape, frozen=True, kw_only=True):
    """How a run ended well. `facts` and `table` are empty for who may not start the action."""

    message: str
    facts: dict[str, Fact]
    table: tuple[dict[str, Fact], ...]
    has_file: bool
    file_name: str | None
    has_faults: bool
    """What was looked at is not as it should be: a check that failed."""


class RunShape(shapes.Shape, frozen=True, kw_only=True):
    """A run of an action. `question` is null for who may not answer it."""

    run_id: str
    instance: str
    action: str
    title: str
    device_id: str | None
    by: str
    state: RunState
    started_at: datetime
    ended_at: datetime | None
    until: datetime | None
    """The end of a countdown."""
    share: float | None
    """How much is done, 0 to 1."""
    messages: list[Message]
    """The last two hundred."""
    question: Question | None
    result: ResultShape | None
    failure: Failure | None
    version: int
    """Grows with each change."""


class RunAnswer(shapes.Ok, frozen=True, kw_only=True):
    """One run."""

    run: RunShape


class RunListAnswer(shapes.Ok, frozen=True, kw_only=True):
    """Runs, newest first."""

    runs: list[RunShape]


class ListActions(Params, frozen=True, kw_only=True):
    """Those of one driver instance; with a device, those that are done to it."""

    instance: Word | None = None
    device_id: Uuid | None = None


class StartAction(Params, frozen=True, kw_only=True):
    """Which action; the instance may be left out where the device tells it."""

    action: Word
    instance: Word | None = None
    device_id: Uuid | None = None
    arguments: dict[str, str | int | float | bool | None] = msgspec.field(default_factory=dict)


class GetRun(Params, frozen=True, kw_only=True):
    """Which run. With `after_version` the answer is held until the run has changed since."""

    run_id: Uuid
    after_version: Annotated[int, msgspec.Meta(ge=0, le=2**53)] | None = None


class ListRuns(Params, frozen=True, kw_only=True):
    """Those of one driver instance or of one device."""

    instance: Word | None = None
    device_id: Uuid | None = None


class AnswerRun(Params, frozen=True, kw_only=True):
    """The answer is handed to the driver and kept nowhere."""

    run_id: Uuid
    answer: Text


class NameRun(Params, frozen=True, kw_only=True):
    """Which run."""

    run_id: Uuid


async def list_actions(call: Call, params: ListActions) -> ActionListAnswer:
    """Return what drivers can be asked to do."""
    hub = call.hub
    record = None if params.device_id is None else hub.present(params.device_id.lower())
    instance = _instance(params.instance, record)
    if instance is not None and instance not in hub.health:
        raise NotFoundError("driver_not_configured", f"No driver {instance!r} is configured on this hub.")
    return ActionListAnswer(
        actions=[
            _action(name, action)
            for name in ([instance] if instance is not None else sorted(hub.health))
            for action in hub.actions.catalogue(name)
            if record is None or action.on_device
        ]
    )


def _instance(instance: str | None, record: DeviceRecord | None) -> str | None:
    if record is None:
        return instance
    if instance not in {None, record.device.instance}:
        raise InvalidInputError("instance", f"must be {record.device.instance!r}, or left out: the device is of it")
    return record.device.instance


def _action(instance: str, action: Action) -> ActionShape:
    return ActionShape(
        instance=instance,
        name=action.name,
        title=action.title,
        description=action.description,
        warning=action.warning,
        role=action.role,
        on_device=action.on_device,
        exclusive=action.exclusive,
        seconds=action.seconds,
        arguments=fields(action.arguments),
    )


async def start(call: Call, params: StartAction) -> RunAnswer:
    """Start an action."""
    hub = call.hub
    record = None if params.device_id is None else hub.present(params.device_id.lower())
    instance = _instance(params.instance, record)
    if instance is None:
        raise InvalidInputError("instance", "is needed, unless a device_id tells it")
    _allow(call.principal, hub.actions.find(instance, params.action))
    device = None if record is None else (record.device.device_id, record.device.description.native_id)
    by = call.principal.key_id
    run = await hub.actions.start(instance, params.action, params.arguments, by, device=device)
    return _answer(call, run)


async def get(call: Call, params: GetRun) -> RunAnswer:
    """Return a run, as it is or once it has changed."""
    run = call.hub.actions.run(params.run_id.lower())
    if params.after_version is not None and not run.is_over:
        try:
            async with call.hub.clock.timeout(call.hold_seconds):
                await run.wait_beyond(params.after_version)
        except TimeoutError:
            pass
    return _answer(call, run)


async def list_runs(call: Call, params: ListRuns) -> RunListAnswer:
    """Return the runs since the daemon started, newest first."""
    device_id = None if params.device_id is None else params.device_id.lower()
    runs = [
        run
        for run in reversed(list(call.hub.actions.runs.values()))
        if params.instance in {None, run.instance} and device_id in {None, run.device_id}
    ]
    return RunListAnswer(runs=[_run(run, call.principal) for run in runs])


async def answer(call: Call, params: AnswerRun) -> RunAnswer:
    """Answer what a run asks."""
    run = _mine(call, params.run_id)
    run.answer(params.answer)
    return _answer(call, run)


async def cancel(call: Call, params: NameRun) -> RunAnswer:
    """Give a run up."""
    return _answer(call, call.hub.actions.cancel(_mine(call, params.run_id).run_id))


async def file(call: Call, params: NameRun) -> Download:
    """Return the file that a run made."""
    run = call.hub.actions.run(params.run_id.lower())
    if run.result is None or run.result.file is None:
        raise NotFoundError("file_not_found", "This run made no file, or has not ended yet.", run_id=run.run_id)
    return await download(run.result.file, call.hub.storage(run.instance))


def _mine(call: Call, run_id: str) -> Run:
    run = call.hub.actions.run(run_id.lower())
    _allow(call.principal, run.action)
    return run


def _allow(key: Key, action: Action) -> None:
    if not key.may(action.role):
        message = f"This key has role {key.role}; the action {action.title!r} needs {action.role}."
        raise AccessError(403, "forbidden", message)


def _answer(call: Call, run: Run) -> RunAnswer:
    return RunAnswer(run=_run(run, call.principal))


def _run(run: Run, key: Key) -> RunShape:
    may = key.may(run.action.role)
    return RunShape(
        run_id=run.run_id,
        instance=run.instance,
        action=run.action.name,
        title=run.action.title,
        device_id=run.device_id,
        by=run.by,
        state=run.state,
        started_at=run.started_at,
        ended_at=run.ended_at,
        until=run.until,
        share=run.share,
        messages=list(run.messages),
        question=run.question if may else None,
        result=None if run.result is None else _result(run.result, may=may),
        failure=run.failure,
        version=run.version,
    )


def _result(result: ActionResult, *, may: bool) -> ResultShape:
    return ResultShape(
        message=result.message,
        facts=result.facts if may else {},
        table=result.table if may else (),
        has_file=result.file is not None,
        file_name=None if result.file is None else result.file.name,
        has_faults=result.has_faults,
    )


ROUTES: list[Route] = [
    route("/hub/actions/list", READ, list_actions, ActionListAnswer, ListActions),
    route("/hub/actions/start", ACT, start, RunAnswer, StartAction),
    route("/hub/actions/get", READ, get, RunAnswer, GetRun),
    route("/hub/actions/runs", READ, list_runs, RunListAnswer, ListRuns),
    route("/hub/actions/answer", ACT, answer, RunAnswer, AnswerRun),
    route("/hub/actions/cancel", ACT, cancel, RunAnswer, NameRun),
    route("/hub/actions/file", ("GET",), file, Download, NameRun, "owner"),
]
