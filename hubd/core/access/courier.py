"""Carries what people wish of an access control system to it, in order, one change at a time, until it holds it.

A wish is durable before it is tried. What had no answer is tried again: a change says what is to be, so that making it
twice is making it once. What the system refuses for good is given up, and told.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Final

import msgspec
from msgspec.structs import replace

from hubd.core.access.notes import Notes
from hubd.core.dispatcher import Dispatcher
from hubd.core.pauses import pause
from hubd.driver.clock import Clock
from hubd.model.access import CreateUser, DeleteGroup, DeleteUser
from hubd.model.access_event import AccessEditEnded
from hubd.model.command import EditAccess
from hubd.model.errors import StoreError
from hubd.model.outcome import Outcome, OutcomeKind
from hubd.store.access import EditRecord, GroupRecord, Problem, SystemRecord, UserRecord
from hubd.store.codes import Trouble
from hubd.store.journal import Journal
from hubd.store.tables import View

LOG = logging.getLogger(__name__)

EDIT_SECONDS: Final = 60.0
"""How long a change may take: it is three or four requests, each of which the system may keep waiting."""
LOOK_SECONDS: Final = 10.0
_STORE_PAUSE: Final = 1.0


class End(msgspec.Struct, frozen=True):
    """How a wish ended. `code` empty: the system holds it."""

    code: str = ""
    message: str = ""


class Courier:
    """Of one instance; the one writer to its system."""

    def __init__(
        self,
        instance: str,
        journal: Journal,
        dispatcher: Dispatcher,
        clock: Clock,
        notes: Notes,
        is_connected: Callable[[], bool],
    ) -> None:
        self._instance = instance
        self._journal = journal
        self._dispatcher = dispatcher
        self._clock = clock
        self._notes = notes
        self._is_connected = is_connected
        self._woken = asyncio.Event()
        self._waiting: dict[str, tuple[EditRecord, asyncio.Future[End]]] = {}
        self._is_closing = False

    def touch(self) -> None:
        """Say that there is a new wish, or that the system may be there again."""
        self._woken.set()

    def close(self) -> None:
        """Begin nothing more."""
        self._is_closing = True

    def expect(self, edit: EditRecord) -> "asyncio.Future[End]":
        """Return what tells how a wish ends in this life of the hub."""
        future: asyncio.Future[End] = asyncio.get_running_loop().create_future()
        self._waiting[edit.id] = edit, future
        future.add_done_callback(lambda _: self._waiting.pop(edit.id, None))
        return future

    async def run(self) -> None:
        """Carry until cancelled."""
        while True:
            self._woken.clear()
            self._tell_gone()
            edit, seconds = self._next()
            is_to_mark = self._is_connected() and not self._is_read()
            if edit is None and not is_to_mark:
                with suppress(TimeoutError):
                    async with self._clock.timeout(seconds):
                        await self._woken.wait()
                continue
            try:
                if is_to_mark:
                    await self._journal.transact(lambda view: self._notes.take_in(view, self._instance, ()))
                if edit is not None:
                    await self._carry(edit)
            except StoreError as error:
                LOG.warning("a change in %s waits for the disk: %s", self._instance, error.message)
                await self._clock.sleep(_STORE_PAUSE)

    def _is_read(self) -> bool:
        """Whether it is known that everything was read once, which a system says by being connected."""
        system = self._journal.tables.access.all(SystemRecord).get(self._notes.system_id(self._instance))
        return system is not None and system.is_read

    def pending(self) -> list[EditRecord]:
        """Return the wishes that are not fulfilled, in their order."""
        table = self._journal.tables.access.all(EditRecord)
        return sorted((one for one in table.values() if one.instance == self._instance), key=lambda one: one.number)

    def _next(self) -> tuple[EditRecord | None, float]:
        """Return the first change that is due, of each subject only its first; else the seconds until one may be."""
        if self._is_closing or not self._is_connected():
            return None, LOOK_SECONDS
        now = self._clock.now()
        soonest, seen = LOOK_SECONDS, set[str]()
        for edit in self.pending():
            if edit.subject_id in seen:
                continue
            seen.add(edit.subject_id)
            wait = 0.0 if edit.trouble is None else (edit.trouble.retry_at - now).total_seconds()
            if wait <= 0 or wait > _longest(edit):  # a clock that was set back makes nobody wait
                return edit, 0.0
            soonest = min(soonest, wait)
        return None, soonest

    async def _carry(self, edit: EditRecord) -> None:
        if not edit.is_sent and not await self._journal.transact(lambda view: _begin(view, edit)):
            return
        outcome = await self._dispatcher.ask(self._instance, EditAccess(change=edit.change), EDIT_SECONDS)
        end = await self._journal.transact(lambda view: self._take(view, edit, outcome))
        _, future = self._waiting.get(edit.id, (edit, None))
        if end is not None and future is not None and not future.done():
            future.set_result(end)

    def _take(self, view: View, edit: EditRecord, outcome: Outcome) -> End | None:
        """Take in how an attempt ended; None: it is to be tried again."""
        self._notes.take_in(view, self._instance, outcome.noted)
        known = view.access(EditRecord, edit.id)
        if known is None:  # what it was about is gone
            return _gone(edit)
        match outcome.kind:
            case OutcomeKind.DONE:
                return self._end(view, known, End())
            case OutcomeKind.REJECTED if outcome.detail.get("is_temporary") is True:
                pass
            case OutcomeKind.REJECTED | OutcomeKind.UNSUPPORTED:
                return self._end(view, known, End(outcome.code, outcome.message))
            case OutcomeKind.UNREACHABLE | OutcomeKind.SENT_UNCONFIRMED | OutcomeKind.EXPIRED:
                pass
        attempts = 1 if known.trouble is None else known.trouble.attempts + 1
        since: datetime = view.now if known.trouble is None else known.trouble.since
        retry_at = view.now + pause(attempts)
        trouble = Trouble(outcome.code, outcome.message, since, attempts, retry_at)
        view.put_access(replace(known, trouble=trouble, is_sent=True))
        return None

    def _end(self, view: View, edit: EditRecord, end: End) -> End:
        what = str(edit.change.__struct_config__.tag)
        view.drop_access(edit.id)
        ended = AccessEditEnded(
            edit_id=edit.id, what=what, subject_id=edit.subject_id, error_code=end.code, message=end.message
        )
        view.emit(ended, instance=self._instance)
        problem = Problem(what, end.message, view.now) if end.code else None
        user = view.access(UserRecord, edit.subject_id)
        if user is not None:
            view.put_access(replace(user, problem=problem or _unsolved(user.problem, edit)))
            if end.code and isinstance(edit.change, CreateUser):
                self._give_up_rest(view, edit)
            if not end.code and isinstance(edit.change, DeleteUser):
                self._notes.forget_user(view, user.id, "")
        group = view.access(GroupRecord, edit.subject_id)
        if group is not None and not (isinstance(edit.change, DeleteGroup) and not end.code):
            view.put_access(replace(group, problem=problem or _unsolved(group.problem, edit)))
        return end

    def _give_up_rest(self, view: View, failed: EditRecord) -> None:
        """Give up what was wished of somebody whom the system does not take; but not that they be deleted."""
        for edit in view.accesses(EditRecord, self._instance):
            is_other = edit.subject_id == failed.subject_id and edit.id != failed.id
            if is_other and not isinstance(edit.change, DeleteUser):
                view.drop_access(edit.id)
                what = str(edit.change.__struct_config__.tag)
                end = _gone(edit)
                ended = AccessEditEnded(
                    edit_id=edit.id,
                    what=what,
                    subject_id=edit.subject_id,
                    error_code=end.code,
                    message=end.message,
                )
                view.emit(ended, instance=self._instance)

    def _tell_gone(self) -> None:
        """End the waiting for wishes that ended by what the system told of its own."""
        table = self._journal.tables.access.all(EditRecord)
        for edit, future in list(self._waiting.values()):
            if edit.id not in table and not future.done():
                future.set_result(_gone(edit))


def _begin(view: View, edit: EditRecord) -> bool:
    """Write down that a wish is about to be sent; False where it ended meanwhile, with what it was about."""
    known = view.access(EditRecord, edit.id)
    if known is not None:
        view.put_access(replace(known, is_sent=True))
    return known is not None


def _gone(edit: EditRecord) -> End:
    """Return the end of a wish whose subject is no more."""
    if isinstance(edit.change, DeleteUser | DeleteGroup):
        return End()
    return End("subject_gone", "What was to be changed is no more in the system.")


def _unsolved(problem: Problem | None, edit: EditRecord) -> Problem | None:
    """Return what a change that was made leaves of a problem: all, if it waited beside the change that was refused."""
    is_solved = problem is None or edit.created_at >= problem.at or problem.what == edit.change.__struct_config__.tag
    return None if is_solved else problem


def _longest(edit: EditRecord) -> float:
    attempts = 1 if edit.trouble is None else edit.trouble.attempts
    return 2 * pause(attempts).total_seconds()
