"""One run of an action: what it said, what it asks, how it ended; followed by version."""

import asyncio
import math
import re
from collections import deque
from datetime import datetime, timedelta
from typing import Literal

import msgspec
from msgspec.structs import replace

from hubd.driver.actions import Action, ActionResult, Question
from hubd.driver.clock import Clock
from hubd.model import ids
from hubd.model.errors import InvalidInputError, RefusedError, writable

KEPT_MESSAGES = 200
LONGEST_MESSAGE = 500
LONGEST_ANSWER = 200

type RunState = Literal["running", "asking", "done", "failed", "cancelled"]
type EndState = Literal["done", "failed", "cancelled"]


class Message(msgspec.Struct, frozen=True):
    """One thing that a running action said; `number` counts from 1, also those that are no longer kept."""

    at: datetime
    text: str
    number: int


class Failure(msgspec.Struct, frozen=True):
    """Why an action did not reach its end."""

    code: str
    message: str
    remedy: str = ""


class End(msgspec.Struct, frozen=True):
    """How an action ended: `result` with "done", `failure` with "failed"."""

    state: EndState
    result: ActionResult | None = None
    failure: Failure | None = None


class Run:
    """One run. Read by everybody; changed by its driver as `hubd.driver.Progress`, and by `hubd.core.actions`."""

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
        self.is_engaged = True
        """Until its end is on the disk and the driver has let go of it; so long it excludes others."""
        self.given_up = asyncio.Event()
        """Set once somebody asked for its end."""
        self.has_words = False
        """Whether it was told words of a person, which an exception of the driver may quote: a PIN, a DSK."""
        self._clock = clock
        self._changed = asyncio.Event()
        self._answer: asyncio.Future[str] | None = None

    @property
    def is_over(self) -> bool:
        """Whether it has ended, one way or another."""
        return self.ended_at is not None

    # -- what the driver has of it: implements `hubd.driver.Progress` -------------------------------------------------

    def say(self, message: str, *, seconds: float | None = None, share: float | None = None) -> None:
        """Tell where it stands. The last message said again only moves countdown and share. After the end: nothing."""
        if self.is_over:
            return
        text = writable(message)[:LONGEST_MESSAGE]
        if not self.messages or self.messages[-1].text != text:
            number = self.messages[-1].number + 1 if self.messages else 1
            self.messages.append(Message(self._clock.now(), text, number))
        self.until = None if seconds is None else self._clock.now() + timedelta(seconds=seconds)
        self.share = None if share is None or math.isnan(share) else min(1.0, max(0.0, share))
        self.touch()

    async def ask(self, question: Question) -> str:
        """Ask the person, and wait for the answer, which comes without white space around it."""
        if self.is_over or self._answer is not None:
            raise RuntimeError("an action asks one question at a time, and none after its end")
        re.compile(question.pattern)  # a pattern that is none is the driver's defect, not that of who answers
        self._answer = asyncio.get_running_loop().create_future()
        self.question = replace(question, text=writable(question.text), hint=writable(question.hint))
        self.state, self.has_words = "asking", True
        self.touch()
        try:
            return await self._answer
        finally:
            self.question, self._answer = None, None
            if not self.is_over:
                self.state = "running"
                self.touch()

    # -- what the hub does with it ------------------------------------------------------------------------------------

    def answer(self, text: str) -> None:
        """Give the answer. Raises `RefusedError` when nothing is asked, `InvalidInputError` when it cannot be right."""
        if self.question is None or self._answer is None or self._answer.done() or self.is_over:
            raise RefusedError("nothing_asked", "This action asks nothing at the moment.", run_id=self.run_id)
        text = text.strip()
        if len(text) > LONGEST_ANSWER or not re.fullmatch(self.question.pattern or ".*", text, re.DOTALL):
            raise InvalidInputError("answer", f"must be {self.question.hint or 'what was asked for'}")
        self._answer.set_result(text)

    def end(self, end: End) -> None:
        """Set its end, once."""
        if self.is_over:
            return
        self.state, self.result, self.failure = end.state, end.result, end.failure
        self.ended_at = self._clock.now()
        self.until = self.share = self.question = None
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
