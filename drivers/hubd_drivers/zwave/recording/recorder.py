"""Records a link: everything that passes it, at the instant it does, redacted before anybody else gets to see it."""

import asyncio
from collections import deque
from typing import Any, Final, NamedTuple

import msgspec

from hubd.driver import Clock, Frame, RecordingError
from hubd_drivers.zwave.facts import Json, mapping
from hubd_drivers.zwave.recording import redaction

MOST_WAITING: Final = 5000
"""Messages that wait to be read; at the pace of a busy network those of some minutes."""

LISTEN: Final = "start_listening"

_VERSION: Final = frozenset(
    {"type", "homeId", "driverVersion", "serverVersion", "minSchemaVersion", "maxSchemaVersion"}
)


class _Passed(NamedTuple):
    at: float
    way: str
    what: object


class Recorder:
    """See `hubd.driver.Tape`. A session begins with the server's version; nothing counts before its dump."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._begun = clock.monotonic()
        self._waiting: deque[_Passed] = deque()
        self._arrived = asyncio.Event()
        self._has_overflown = False
        self._editor = Editor()

    def note(self, way: str, what: object) -> None:
        """Take in what passes the link, at once."""
        if len(self._waiting) >= MOST_WAITING:
            self._has_overflown = True
        else:
            self._waiting.append(_Passed(round(self._clock.monotonic() - self._begun, 3), way, what))
        self._arrived.set()

    async def read(self, seconds: float) -> list[Frame]:
        """See `Tape.read`."""
        try:
            async with self._clock.timeout(seconds):
                await self._arrived.wait()
        except TimeoutError:
            return []
        self._arrived.clear()
        if self._has_overflown:
            message = f"More than {MOST_WAITING} messages waited to be taken from the recording; it is not whole."
            raise RecordingError("recording_overflow", message)
        passed = list(self._waiting)
        self._waiting.clear()
        return await asyncio.to_thread(self._editor.edit, passed)  # the dump of a large network takes a second


class Editor:
    """Makes frames of what passed: redacts it, numbers the messages anew, and drops what no replay could use."""

    def __init__(self) -> None:
        self._numbers: dict[str, tuple[str, Json]] = {}
        """New number and redacted command by the message id of a command that waits for its answer."""
        self._count = 0
        self._has_version = False
        self._has_dump = False

    def edit(self, passed: list[_Passed]) -> list[Frame]:
        """Return the frames, in order."""
        return [
            Frame(t=max(0.0, one.at), way=way, data=data)
            for one in passed
            for way, data in self._edit(one.way, _decoded(one.what))
        ]

    def _edit(self, way: str, what: object) -> list[tuple[Any, Any]]:
        data = mapping(what)
        if way == "order":
            return [("order", _order(what))] if self._has_dump else []
        if data.get("type") == "version":
            self._has_version, self._has_dump = True, False
            self._numbers.clear()
            return [("in", {name: item for name, item in data.items() if name in _VERSION})]
        if not self._has_version:
            return []
        if way == "out":
            return self._sent(data)
        match data.get("type"):
            case "event" if self._has_dump:
                return [("in", {"type": "event", "event": redaction.event(mapping(data.get("event")))})]
            case "result":
                return self._answered(data)
            case "closed":
                self._has_version = self._has_dump = False
                return [("in", data)]
            case _:
                return []

    def _sent(self, data: Json) -> list[tuple[str, Any]]:
        kept = redaction.command(data)
        self._count += 1
        number = f"m{self._count}"
        self._numbers[str(data.get("messageId"))] = number, kept
        return [("out", {**kept, "messageId": number})]

    def _answered(self, data: Json) -> list[tuple[str, Any]]:
        number, asked = self._numbers.pop(str(data.get("messageId")), (None, {}))
        if number is None:  # the question was asked before the recording began
            return []
        self._has_dump = self._has_dump or (asked.get("command") == LISTEN and data.get("success") is True)
        return [("in", {**redaction.answer(data, asked), "messageId": number})]


def _decoded(what: object) -> object:
    try:
        return msgspec.json.decode(what) if isinstance(what, str) else what
    except msgspec.DecodeError:
        return None


def _order(command: object) -> dict[str, Any]:
    """A PIN in a command stands behind a reference, so all is harmless; other texts go nevertheless."""
    plain: dict[str, Any] = msgspec.to_builtins(command)
    return {
        name: value if name in {"type", "native_id"} else redaction.mask(value) if isinstance(value, str) else value
        for name, value in plain.items()
        if name != "device_id"
    }
