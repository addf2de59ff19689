"""The pages of network care, as parts: what a driver can be asked to do, and how far something that was asked is."""

import msgspec

from hubd.core.actions import Run, RunState
from hubd.core.keys import Key
from hubd.driver import Action, Fact
from hubd.driver.actions import fact_words
from hubd.driver.fields import Field, fields
from hubd.store.records import DeviceRecord
from hubd.web import words
from hubd.web.access import system_parts
from hubd.web.board import Links, link_of
from hubd.web.desk import Desk
from hubd.web.parts import Part
from hubd.web.sessions import Session
from hubd.web.survey import link_name
from hubd.web.waiting import waiting
from hubd.web.words import Stamp, Tone, plain

MAX_RUNS = 10
MAX_MESSAGES = 50
MAX_TABLE = 500

_STATES: dict[RunState, tuple[str, Tone]] = {
    "running": ("under way", "note"),
    "asking": ("waits for an answer", "warn"),
    "done": ("done", "ok"),
    "failed": ("failed", "bad"),
    "cancelled": ("cancelled", "quiet"),
}


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """One action as a form. `may` False: the reader's key does not reach, `role` says which does."""

    instance: str
    device_id: str
    name: str
    title: str
    description: str
    warning: str
    fields: tuple[Field, ...]
    role: str
    may: bool
    csrf: str


class Forms(msgspec.Struct, frozen=True):
    """Actions under one heading."""

    forms: tuple[Form, ...]


class RunLine(msgspec.Struct, frozen=True, kw_only=True):
    """One run in a list, and the head of its own page."""

    run_id: str
    title: str
    device: str
    by: str
    started_at: Stamp
    ended_at: Stamp | None
    state: str
    tone: Tone
    said: str


class RunLines(msgspec.Struct, frozen=True):
    """Runs, newest first."""

    runs: tuple[RunLine, ...]


class RunHead(msgspec.Struct, frozen=True, kw_only=True):
    """A run as it stands."""

    line: RunLine
    instance: str
    link: str
    device_id: str
    until: Stamp | None
    share: str
    is_over: bool
    may: bool
    csrf: str


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the person on the spot is asked; empty for nothing."""

    run_id: str
    text: str
    hint: str
    pattern: str
    csrf: str


class Said(msgspec.Struct, frozen=True):
    """What a run has said, newest first."""

    messages: tuple[tuple[Stamp, str], ...]


class End(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended; `more` rows are not shown. Who may not start the action sees neither facts nor rows."""

    tone: Tone
    text: str
    remedy: str
    facts: tuple[tuple[str, str], ...]
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    file: str
    more: int = 0


async def driver_parts(desk: Desk, session: Session, key: Key, instance: str) -> list[Part]:
    """Build the parts of a driver instance's page."""
    return [
        await desk.notices(session),
        Part("links", "links.html", Links((link_of(desk, instance, key),))),
        *system_parts(desk, instance),
        waiting(desk, instance),
        Part("runs", "runs.html", _runs(desk, instance)),
        Part("actions", "actions.html", forms(desk, session, key, instance, None)),
    ]


def forms(desk: Desk, session: Session, key: Key, instance: str, record: DeviceRecord | None) -> Forms:
    """Build the forms of an instance's own actions, or of those for one of its devices."""
    on_device = record is not None
    if record is not None and record.removed_at is not None:
        return Forms(())
    device_id = "" if record is None else record.device.device_id
    actions = [action for action in desk.hub.actions.catalogue(instance) if action.on_device is on_device]
    return Forms(tuple(_form(action, instance, device_id, session, key) for action in actions))


def _form(action: Action, instance: str, device_id: str, session: Session, key: Key) -> Form:
    return Form(
        instance=instance,
        device_id=device_id,
        name=action.name,
        title=plain(action.title),
        description=plain(action.description),
        warning=plain(action.warning),
        fields=fields(action.arguments),
        role=action.role,
        may=key.may(action.role),
        csrf=session.csrf,
    )


def _runs(desk: Desk, instance: str) -> RunLines:
    runs = [run for run in reversed(list(desk.hub.actions.runs.values())) if run.instance == instance]
    return RunLines(tuple(_line(desk, run) for run in runs[:MAX_RUNS]))


def _line(desk: Desk, run: Run) -> RunLine:
    state, tone = _STATES[run.state]
    if run.failure is not None:
        said = plain(run.failure.message)
    elif run.result is not None:
        said = plain(run.result.message)
        tone = "warn" if run.result.has_faults else tone
    else:
        said = plain(run.messages[-1].text) if run.messages else ""
    return RunLine(
        run_id=run.run_id,
        title=plain(run.action.title),
        device="" if run.device_id is None else desk.device_name(run.device_id),
        by=desk.who(run.by),
        started_at=desk.stamp(run.started_at),
        ended_at=None if run.ended_at is None else desk.stamp(run.ended_at),
        state=state,
        tone=tone,
        said=said,
    )


async def run_parts(desk: Desk, session: Session, key: Key, run: Run) -> list[Part]:
    """Build the parts of a run's page."""
    may = key.may(run.action.role)
    head = RunHead(
        line=_line(desk, run),
        instance=run.instance,
        link=link_name(desk.hub, run.instance),
        device_id=run.device_id or "",
        until=None if run.until is None else desk.stamp(run.until),
        share="" if run.share is None or run.is_over else words.percent(run.share),
        is_over=run.is_over,
        may=may,
        csrf=session.csrf,
    )
    question = run.question if may else None
    asked = Asked(
        run_id=run.run_id,
        text="" if question is None else plain(question.text),
        hint="" if question is None else plain(question.hint),
        pattern="" if question is None else question.pattern,
        csrf=session.csrf,
    )
    messages = [(desk.stamp(one.at), plain(one.text)) for one in reversed(run.messages)]
    return [
        await desk.notices(session),
        Part("run", "run-head.html", head),
        Part("question", "question.html", asked),
        Part("end", "run-end.html", _end(run, may=may)),
        Part("said", "said.html", Said(tuple(messages[:MAX_MESSAGES]))),
    ]


def _end(run: Run, *, may: bool) -> End | None:
    if run.failure is not None:
        failure = run.failure
        return End(
            tone="bad",
            text=plain(failure.message),
            remedy=plain(failure.remedy),
            facts=(),
            heads=(),
            rows=(),
            file="",
        )
    if run.result is None:
        return None
    result = run.result
    facts, table = (result.facts, result.table) if may else ({}, ())
    heads = tuple(table[0]) if table else ()
    return End(
        tone="warn" if result.has_faults else "ok",
        text=plain(result.message),
        remedy="",
        facts=tuple((_label(name), shown(value)) for name, value in facts.items()),
        heads=tuple(_label(head) for head in heads),
        rows=tuple(tuple(shown(row.get(head)) for head in heads) for row in table[:MAX_TABLE]),
        more=max(0, len(table) - MAX_TABLE),
        file="" if result.file is None else words.name(result.file.name),
    )


def _label(name: str) -> str:
    return plain(name.replace("_", " ").capitalize(), 60)


def shown(value: Fact) -> str:
    """Write a value of a result, harmless whatever the driver says."""
    return plain(fact_words(value))
