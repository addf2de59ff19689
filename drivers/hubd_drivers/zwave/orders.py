"""Moving a bolt, and finding out whether it moved.

What counts as the lock's word: an answer to a question, a notification of a use over the air, and a value that arrives
after a supervised command was accepted. What does not: the value that zwave-js writes on its own with the command,
which arrives as an event like any report, but before the command's result.

A lock may accept a command, or even call it done, and fail afterwards (zwave-js pull request 8749). So after SUCCESS it
is asked at once, which costs one exchange while it is awake anyway: its answer outweighs its earlier word, its silence
does not. After WORKING it is done when it says so, or answers so.
"""

import asyncio
from collections.abc import Mapping
from enum import IntEnum
from typing import Final

from hubd.driver import Clock
from hubd.model import Detail, LockSeen, Outcome, OutcomeKind, done, rejected, unreachable, unsupported
from hubd_drivers.zwave.events import Event, Notified, ValueReported
from hubd_drivers.zwave.facts import integer, mapping, number
from hubd_drivers.zwave.failures import SERVER_LOST, CommandError, Kind, answer_lost
from hubd_drivers.zwave.link import Link
from hubd_drivers.zwave.lock import JAMMED, LOCK_STATE, Bolt, Position
from hubd_drivers.zwave.notices import is_jam, use_of

REPORT_SECONDS: Final = 1.0
"""How much longer than it has said a bolt may travel before it is asked for."""
FIRST_POLL_SECONDS: Final = 0.8
"""A bolt needs about that long; asking earlier costs radio time and battery for an old answer."""
LAST_POLL_SECONDS: Final = 3.0
LONGEST_PAUSE_SECONDS: Final = 4.0
LONGEST_TRAVEL_SECONDS: Final = 30.0
ASK_SECONDS: Final = 30.0
"""A bound for the radio being busy; zwave-js itself waits 1 to 10 s for a report."""


class Status(IntEnum):
    """`SetValueStatus` of zwave-js."""

    NO_DEVICE_SUPPORT = 0
    WORKING = 1
    FAIL = 2
    ENDPOINT_NOT_FOUND = 3
    NOT_IMPLEMENTED = 4
    INVALID_VALUE = 5
    SUCCESS_UNSUPERVISED = 254
    SUCCESS = 255


class Watch:
    """What the node says while an order is under way, noted at the instant it arrives."""

    def __init__(self, node_id: int, bolt: Bolt, target: Position) -> None:
        self._node_id = node_id
        self._bolt = bolt
        self._target = target
        self._changed = asyncio.Event()
        self.has_reached_value = False
        """A value says so; only after the result of a supervised command is that the lock's word."""
        self.is_proven = False
        self.is_jammed = False

    def note(self, event: Event) -> None:
        """Take in an event; those of other nodes are passed over."""
        match event:
            case ValueReported(node_id=self._node_id, id=self._bolt.current, value=value):
                self.has_reached_value = self._bolt.position(value) is self._target
            case ValueReported(node_id=self._node_id, id=value_id, value=value):
                self.is_jammed = self.is_jammed or (value_id.key == LOCK_STATE and value == JAMMED)
            case Notified(node_id=self._node_id):
                use = use_of(event)
                if use is not None and (use.method, use.locked) == ("remote", self._target):
                    self.is_proven = True
                self.is_jammed = self.is_jammed or is_jam(event.type, event.event)
            case _:
                return
        self._changed.set()

    def forget_values(self) -> None:
        """Drop what values have said so far: they may be what zwave-js expects."""
        self.has_reached_value = False

    async def settle(self, clock: Clock, seconds: float, *, trust_values: bool) -> bool | None:
        """Wait for the end: True proven, False jammed, None for neither within `seconds`."""
        try:
            async with clock.timeout(seconds):
                while True:
                    if self.is_jammed:
                        return False
                    if self.is_proven or (trust_values and self.has_reached_value):
                        return True
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return None


class LockOrder:
    """One order to one lock."""

    def __init__(
        self, *, link: Link, clock: Clock, node_id: int, native_id: str, bolt: Bolt, target: bool, seconds: float
    ) -> None:
        self._link = link
        self._clock = clock
        self._node_id = node_id
        self._native_id = native_id
        self._bolt = bolt
        self._target = target
        self._seconds = seconds
        self._until = clock.monotonic() + seconds
        self.watch = Watch(node_id, bolt, target)
        self.needs_verifying = False
        """The command may have left, and nothing tells what became of it."""
        self.position: Position = None
        """Where the lock itself says that its bolt is."""
        self.is_jammed = False
        self._has_answered = False

    async def run(self) -> Outcome:
        """Send the command and follow it to its end. May be cancelled anywhere. Raises `CommandError`."""
        refusal = self._lacking()
        if refusal is not None:
            return refusal
        self.needs_verifying = True
        value = self._bolt.lock_value if self._target else self._bolt.unlock_value
        try:
            async with self._clock.timeout(self._seconds):
                result = await self._link.set_value(self._node_id, self._bolt.target, value)
        except TimeoutError:
            return self._unconfirmed("zwave-js did not report within the time that the command was sent", "no_answer")
        except CommandError as error:
            self.needs_verifying = error.kind is Kind.UNCERTAIN
            raise
        try:
            outcome = await self._follow(result)
        except CommandError:
            return failed(answer_lost(), self._node_id)
        self.needs_verifying = outcome.kind is OutcomeKind.SENT_UNCONFIRMED and self.position is None
        return outcome

    def _lacking(self) -> Outcome | None:
        name, able = ("can_lock", self._bolt.capability.can_lock)
        if not self._target:
            name, able = ("can_unlock", self._bolt.capability.can_unlock)
        if able:
            return None
        verb = "locked" if self._target else "unlocked"
        message = f"This device cannot be {verb} by command: its capability {name} is false."
        return unsupported(message, {"capability": name})

    async def _follow(self, result: Mapping[str, object]) -> Outcome:
        status = integer(result.get("status"), high=0xFF)
        match status:
            case Status.SUCCESS:
                self.watch.forget_values()
                return await self._confirm()
            case Status.WORKING:
                self.watch.forget_values()
                return await self._prove(_travel(result) + REPORT_SECONDS, trust_values=True)
            case Status.FAIL:
                return await self._refused()
            case Status.NO_DEVICE_SUPPORT | Status.ENDPOINT_NOT_FOUND | Status.NOT_IMPLEMENTED:
                return unsupported("The device does not know this command.", {"set_value_status": status})
            case Status.INVALID_VALUE:
                message = "zwave-js does not accept the value for this device."
                return rejected("invalid_value", message, {"set_value_status": status})
            case _:  # SUCCESS_UNSUPERVISED, or one of a newer zwave-js
                return await self._prove(FIRST_POLL_SECONDS, trust_values=False)

    async def _confirm(self) -> Outcome:
        """Ask a lock that has called the command done; go on asking if it says otherwise."""
        is_there = self.watch.is_proven or await self._asks(LAST_POLL_SECONDS)
        if self.watch.is_jammed:
            return self._jammed()
        if not is_there and self._has_answered:
            return await self._prove(FIRST_POLL_SECONDS, trust_values=False)
        return self._done()

    async def _prove(self, pause: float, *, trust_values: bool) -> Outcome:
        """Wait, then ask, with growing pauses, until the lock says that it is there; ask a last time at the end."""
        is_last = False
        while True:
            left = self._until - self._clock.monotonic()
            is_last = left <= pause
            settled = await self.watch.settle(self._clock, max(0.0, min(pause, left)), trust_values=trust_values)
            if settled is None and await self._asks(max(LAST_POLL_SECONDS, left - pause)):
                settled = True
            if settled is not None:
                return self._done() if settled else self._jammed()
            if is_last:
                return self._never_seen()
            pause = min(2 * max(pause, FIRST_POLL_SECONDS), LONGEST_PAUSE_SECONDS)

    async def _asks(self, seconds: float) -> bool:
        """Ask the lock where its bolt is; False also if it does not answer."""
        try:
            async with self._clock.timeout(seconds):
                value = await self._link.poll(self._node_id, self._bolt.current)
        except TimeoutError:
            return False
        except CommandError as error:
            if error.code == SERVER_LOST:
                raise
            return False
        if value is not None:
            self._has_answered = True
            self.position = self._bolt.position(value)
        return self.position is self._target

    async def _refused(self) -> Outcome:
        # The jam that made it fail may be reported a moment later.
        if await self.watch.settle(self._clock, FIRST_POLL_SECONDS, trust_values=False) is False:
            return self._jammed()
        message = "The lock refused the command."
        return rejected("device_refused", message, {"set_value_status": Status.FAIL.value})

    def _done(self) -> Outcome:
        self.position = self._target
        seen = LockSeen(native_id=self._native_id, locked=self._target, method="remote")
        return done(f"The lock confirmed that it is {_word(self._target)}.", (seen,))

    def _jammed(self) -> Outcome:
        self.position, self.is_jammed = None, True
        seen = LockSeen(native_id=self._native_id, locked=None, jammed=True)
        message = "The bolt is jammed; check that the door is closed and that the bolt moves freely."
        return rejected("lock_jammed", message, seen=(seen,))

    def _never_seen(self) -> Outcome:
        if self.position is None:
            return self._unconfirmed("The lock did not say where its bolt is", "not_confirmed")
        seen = LockSeen(native_id=self._native_id, locked=self.position)
        return self._unconfirmed(f"The lock still says that it is {_word(self.position)}", "not_confirmed", seen)

    def _unconfirmed(self, words: str, code: str, *seen: LockSeen) -> Outcome:
        message = f"{words}; the command was sent {self._seconds:g} s ago and may yet be carried out."
        return Outcome(OutcomeKind.SENT_UNCONFIRMED, code, message, {"node_id": self._node_id}, seen)


def failed(error: CommandError, node_id: int) -> Outcome:
    """Return the outcome of a command that was not carried out, or whose answer was lost."""
    detail: Detail = {"node_id": node_id, "zwave_error": error.number}
    match error.kind:
        case Kind.UNREACHABLE:
            return unreachable(error.code, error.message, detail)
        case Kind.UNSUPPORTED:
            return unsupported(error.message, detail)
        case Kind.REFUSED:
            return rejected(error.code, error.message, detail)
        case Kind.UNCERTAIN:
            return Outcome(OutcomeKind.SENT_UNCONFIRMED, error.code, error.message, detail)


async def ask(link: Link, clock: Clock, node_id: int, bolt: Bolt) -> Position:
    """Ask a lock where its bolt is; None if it does not answer or does not know. Never raises `CommandError`."""
    try:
        async with clock.timeout(ASK_SECONDS):
            return bolt.position(await link.poll(node_id, bolt.current))
    except (TimeoutError, CommandError):
        return None


def _travel(result: Mapping[str, object]) -> float:
    """Return how long the lock says that its bolt will take, in seconds."""
    duration = mapping(result.get("remainingDuration"))
    length = number(duration.get("value"), 0, 127)
    if length is None:
        return LONGEST_PAUSE_SECONDS
    return min(length * (60 if duration.get("unit") == "minutes" else 1), LONGEST_TRAVEL_SECONDS)


def _word(locked: Position) -> str:
    return "locked" if locked else "unlocked"
