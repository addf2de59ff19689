#!/usr/bin/env python3
"""Drive a hub with the official Python SDK, as property software would.

``python_client.py ENDPOINT KEY DEVICE_NAME`` runs in any Python with ``seam`` 1.x, 2.x or 3.x installed.
The hub must serve at least two devices, one of them the online lock called DEVICE_NAME. One JSON line per
step goes to stdout: ``step``, ``expected``, ``ok`` and ``got``, which is what was seen or, if not ok,
what was wrong. Exit code 0 when every step had the expected outcome, 1 otherwise, 2 for wrong arguments.
"""

import importlib
import importlib.metadata
import json
import os
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, NoReturn
from urllib.parse import urlsplit

PATIENCE = 5.0
"""Seconds within which a settled action must show in the device and in the events."""

ACTIONS = 3
"""Actions that the steps take: lock, unlock, lock."""


class UnexpectedError(Exception):
    """A step saw something else than it expects."""


@dataclass
class Session:
    """The client under test and what earlier steps found out."""

    sdk: Any
    endpoint: str
    key: str
    name: str
    ids: set[str] = field(default_factory=set)
    lock_id: str = ""
    thermostat_id: str = ""
    since: datetime | None = None
    attempts: dict[str, str] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    """Ids of access codes and of plans by what they are for."""

    def __post_init__(self) -> None:
        self.seam = self.sdk.Seam(api_key=self.key, endpoint=self.endpoint)


class Step(NamedTuple):
    """One step: its name, what it expects, and the call that returns what it saw or raises."""

    name: str
    expected: str
    run: Callable[[Session], object]


STEPS: list[Step] = []


def step(
    expected: str, steps: list[Step] = STEPS
) -> Callable[[Callable[[Session], object]], Callable[[Session], object]]:
    """Register a function as the next step."""

    def register(function: Callable[[Session], object]) -> Callable[[Session], object]:
        steps.append(Step(function.__name__, expected, function))
        return function

    return register


def fail(message: str) -> NoReturn:
    """Raise UnexpectedError."""
    raise UnexpectedError(message)


def check(seen: object, *, message: str) -> None:
    """Raise UnexpectedError unless ``seen`` is true."""
    if not seen:
        fail(message)


def eventually(look: Callable[[], object], message: str) -> None:
    """Repeat ``look`` until it is true; raise UnexpectedError after ``PATIENCE`` seconds."""
    deadline = time.monotonic() + PATIENCE
    while not look():
        check(time.monotonic() < deadline, message=f"{message} within {PATIENCE:g} s")
        time.sleep(0.1)


def moment(text: str) -> datetime:
    """Return an ISO 8601 time with an offset as a datetime."""
    value = datetime.fromisoformat(text)
    check(value.tzinfo, message=f"{text} has no offset")
    return value


def iso(value: datetime) -> str:
    """Return ``value`` as the API writes times."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@step("at least two devices, no id twice, exactly one called DEVICE_NAME")
def list_devices(session: Session) -> object:
    """List all devices and find the lock."""
    devices = session.seam.devices.list()
    session.ids = {device.device_id for device in devices}
    check(len(devices) > 1, message=f"{len(devices)} device(s) listed")
    check(len(session.ids) == len(devices), message="an id is listed twice")
    named = [device.device_id for device in devices if device.display_name == session.name]
    check(len(named) == 1, message=f"{len(named)} devices are called {session.name}")
    session.lock_id = named[0]
    return {"devices": len(devices), "device_id": session.lock_id}


@step("with limit 1: one device a page, no repeats, together the devices of the plain list")
def page_devices(session: Session) -> object:
    """Walk the pages by cursor, then let the SDK walk them."""
    pages = session.seam.create_paginator(session.seam.devices.list, {"limit": 1})
    items, page = pages.first_page()
    walked = [items]
    while page.has_next_page:
        check(len(walked) <= len(session.ids), message="the pages do not end")
        items, page = pages.next_page(page.next_page_cursor)
        walked.append(items)
    check(all(len(items) == 1 for items in walked), message=f"page sizes {[len(items) for items in walked]}")
    for ids in (
        [items[0].device_id for items in walked],
        [item.device_id for item in pages.flatten_to_list()],
    ):
        check(len(ids) == len(set(ids)), message="a device came twice")
        check(session.ids == set(ids), message=f"{len(ids)} of {len(session.ids)} devices came, or others")
    check(session.ids, message="nothing was listed")
    return {"pages": len(walked)}


@step("the lock: its id and name, managed, online, remotely lockable and unlockable, its bolt known")
def get_device(session: Session) -> object:
    """Get the lock by its id."""
    device = session.seam.devices.get(device_id=session.lock_id)
    check(device.device_id == session.lock_id, message=f"got {device.device_id}")
    check(device.display_name == session.name, message=f"called {device.display_name}")
    check(device.is_managed is True, message="not managed")
    check(device.properties.online is True, message="not online")
    check(device.can_remotely_lock is True, message="can_remotely_lock is not true")
    check(device.can_remotely_unlock is True, message="can_remotely_unlock is not true")
    check(isinstance(device.properties.locked, bool), message=f"locked: {device.properties.locked}")
    return {"device_type": device.device_type, "locked": device.properties.locked}


@step("the lock among the locks; all of them locks, and devices of the plain list")
def list_locks(session: Session) -> object:
    """List the locks."""
    locks = session.seam.locks.list()
    ids = {lock.device_id for lock in locks}
    check(session.lock_id in ids, message=f"not among {len(ids)} locks")
    check(ids <= session.ids, message="a lock is not among the devices")
    odd = [lock.device_id for lock in locks if "lock" not in lock.capabilities_supported]
    check(not odd, message=f"no locks: {odd}")
    return {"locks": len(ids)}


def act(session: Session, action: str, *, locked: bool) -> object:
    """Call ``locks.<action>``, which waits for its attempt, and see the bolt follow."""
    attempt = getattr(session.seam.locks, action)(device_id=session.lock_id)
    check(attempt.status == "success", message=f"status {attempt.status}")
    check(attempt.action_type == action.upper(), message=f"action_type {attempt.action_type}")
    check(attempt.action_attempt_id not in session.attempts, message="an attempt's id came twice")
    session.attempts[attempt.action_attempt_id] = attempt.action_type

    def shown() -> bool:
        return session.seam.devices.get(device_id=session.lock_id).properties.locked is locked

    eventually(shown, f"the device did not show locked: {locked}")
    return {"action_attempt_id": attempt.action_attempt_id, "locked": locked}


@step("the attempt succeeds and the device shows locked: true")
def lock_first(session: Session) -> object:
    """Lock, so that the unlocking that follows is a change."""
    return act(session, "lock_door", locked=True)


@step("the attempt succeeds and the device shows locked: false")
def unlock(session: Session) -> object:
    """Unlock; events are asked for from this moment on."""
    session.since = datetime.now(UTC)
    return act(session, "unlock_door", locked=False)


@step("the attempt succeeds and the device shows locked: true")
def lock(session: Session) -> object:
    """Lock again."""
    return act(session, "lock_door", locked=True)


@step("each of the three attempts by its id: same id and type, success, no error")
def action_attempts(session: Session) -> object:
    """Get the attempts again."""
    check(len(session.attempts) == ACTIONS, message=f"{len(session.attempts)} attempts were made")
    for attempt_id, action_type in session.attempts.items():
        attempt = session.seam.action_attempts.get(action_attempt_id=attempt_id)
        seen = (attempt.action_attempt_id, attempt.action_type, attempt.status)
        check(seen == (attempt_id, action_type, "success"), message=f"got {seen}")
        check(not attempt.error, message=f"error {attempt.error}")
    return sorted(session.attempts.values())


@step("lock.unlocked, later lock.locked, both remote and of this lock; none older than asked for, no id twice")
def events_since(session: Session) -> object:
    """List the lock's events since the unlocking."""
    since = session.since
    if since is None:
        fail("nothing was unlocked")
    seen: list[Any] = []

    def both() -> bool:
        seen[:] = session.seam.events.list(since=iso(since), device_id=session.lock_id)
        times = {kind: [moment(e.occurred_at) for e in seen if e.event_type == kind] for kind in kinds}
        return all(times.values()) and min(times["lock.unlocked"]) < max(times["lock.locked"])

    kinds = ("lock.unlocked", "lock.locked")
    eventually(both, "no lock.unlocked followed by lock.locked")
    floor = since - timedelta(milliseconds=1)
    check(all(moment(event.created_at) >= floor for event in seen), message="an event is older than asked for")
    check(len({event.event_id for event in seen}) == len(seen), message="an event came twice")
    check({event.device_id for event in seen} == {session.lock_id}, message="an event of another device came")
    methods = {event.method for event in seen if event.event_type in kinds}
    check(methods == {"remote"}, message=f"methods {methods}")
    return [event.event_type for event in seen]


@step("no event since tomorrow")
def events_in_future(session: Session) -> object:
    """List events of a time that has not come."""
    seen = session.seam.events.list(since=iso(datetime.now(UTC) + timedelta(days=1)))
    check(seen == [], message=f"{len(seen)} event(s)")
    return []


def refused(call: Callable[[], object], kind: type[Exception], status: int, code: str) -> Any:
    """Return the exception of ``call``, which must be exactly a ``kind`` with this status and code."""
    try:
        call()
    except kind as error:
        found: Any = error
        seen = (type(found).__name__, found.status_code, found.code)
        check(seen == (kind.__name__, status, code), message=f"got {seen}")
        check(found.request_id, message="no seam-request-id")
        return found
    fail("it was accepted")


@step("SeamHttpApiError: 404, device_not_found, with the id of the request")
def unknown_device(session: Session) -> object:
    """Get a device that nobody has."""
    missing = str(uuid.uuid4())
    error = refused(
        lambda: session.seam.devices.get(device_id=missing),
        session.sdk.SeamHttpApiError,
        404,
        "device_not_found",
    )
    return str(error)


@step("SeamHttpInvalidInputError: 400, invalid_input, naming device_id")
def invalid_input(session: Session) -> object:
    """Get a device by an id that is none; seam 1.x shows its users the message only."""
    error = refused(
        lambda: session.seam.devices.get(device_id="front-door"),
        session.sdk.SeamHttpInvalidInputError,
        400,
        "invalid_input",
    )
    check("device_id" in str(error), message=f"the message does not name device_id: {error}")
    if hasattr(error, "get_validation_error_messages"):
        faults = error.get_validation_error_messages("device_id")
        check(faults, message="validation_errors do not name device_id")
        return {"message": str(error), "device_id": faults}
    return {"message": str(error)}


@step("SeamHttpUnauthorizedError: 401, unauthorized")
def bad_key(session: Session) -> object:
    """Ask with a key that the hub never gave out."""
    stranger = session.sdk.Seam(api_key=f"seam_{uuid.uuid4().hex}", endpoint=session.endpoint)
    error = refused(stranger.devices.list, session.sdk.SeamHttpUnauthorizedError, 401, "unauthorized")
    return str(error)


def report(name: str, expected: str, *, ok: bool, got: object) -> None:
    """Print the line of one step."""
    sys.stdout.write(json.dumps({"step": name, "expected": expected, "ok": ok, "got": got}) + "\n")
    sys.stdout.flush()


def main(arguments: list[str], steps: list[Step]) -> int:
    """Run every step, also after a failed one; return the exit code."""
    if len(arguments) != 3:
        sys.stderr.write("arguments: ENDPOINT KEY DEVICE_NAME\n")
        return 2
    endpoint, key, name = arguments
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = urlsplit(endpoint).hostname or ""
    session = Session(importlib.import_module("seam"), endpoint, key, name)
    report("sdk", "the official Python SDK", ok=True, got=f"seam {importlib.metadata.version('seam')}")
    failed = 0
    for one in steps:
        try:
            got, ok = one.run(session), True
        except Exception as error:  # noqa: BLE001  # whatever goes wrong is this step's outcome
            got, ok = f"{type(error).__name__}: {error}", False
        failed += not ok
        report(one.name, one.expected, ok=ok, got=got)
    report("all", f"{len(steps)} steps as expected", ok=not failed, got=f"{len(steps) - failed} of {len(steps)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], STEPS))
