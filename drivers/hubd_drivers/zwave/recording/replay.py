"""Plays a recording: a server on loopback that speaks as zwave-js-server did when it was recorded."""

import asyncio
import json
import math
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Final, NamedTuple

from aiohttp import WSCloseCode, WSMsgType, web

from hubd.driver import Clock, Frame, Order, Recording, RecordingError
from hubd_drivers.zwave.client import LARGEST_MESSAGE
from hubd_drivers.zwave.config import ZwaveConfig
from hubd_drivers.zwave.facts import Json, ValueId, integer, items, mapping, name_of
from hubd_drivers.zwave.recording import redaction
from hubd_drivers.zwave.recording.recorder import LISTEN

PATIENCE_SECONDS: Final = 5.0
"""How long the tape stands still for a command that a recorded order is bound to cause."""

ORDER_SECONDS: Final = 20.0
"""How long after an order its commands may come; it has a deadline of 15 s."""

_CLOSE_CODES: Final = range(1000, 5000)
_UNSENDABLE: Final = frozenset({1004, 1005, 1006, 1015})
"""Close codes that tell how a connection ended and never pass it (RFC 6455, 7.4.1)."""
_QUESTIONS: Final = ("get_", "is_", "has_", "poll_", "ping", "refresh_")
_NOT_RECORDED: Final[Json] = {
    "success": False,
    "errorCode": "not_recorded",
    "message": "The recording has no answer to this command",
    "args": {},
}


class Question(NamedTuple):
    """A recorded command with its answer; `at`: when the answer came."""

    at: float
    answer: Json


class Session:
    """One recorded connection. `frames` are those after the dump; times begin with it."""

    def __init__(self, version: Json, dump: Json, frames: tuple[Frame, ...]) -> None:
        self.version = version
        self.dump = dump
        self.frames = frames
        self.answers: dict[str, list[Question]] = defaultdict(list)
        """By command, in the order in which they came."""
        asked: dict[object, str] = {}
        for frame in frames:
            data = mapping(frame.data)
            if frame.way == "out":
                asked[data.get("messageId")] = key_of(data)
            elif frame.way == "in" and (key := asked.get(data.get("messageId"))) is not None:
                self.answers[key].append(Question(frame.t, data))


def key_of(command: Json) -> str:
    """Return what two equal commands have in common. A recorded one is redacted, so a living one has to be, too."""
    kept = redaction.command(command)
    return json.dumps({name: item for name, item in kept.items() if name != "messageId"}, sort_keys=True)


def sessions(recording: Recording) -> list[Session]:
    """Cut a recording into its connections. Raises `RecordingError` when there is none to play."""
    found: list[Session] = []
    version: Json = {}
    dump: Json | None = None
    rest: list[Frame] = []
    listens: object = None

    def cut() -> None:
        if dump is not None:
            begun = rest[0].t
            shifted = (Frame(t=frame.t - begun, way=frame.way, data=frame.data) for frame in rest[1:])
            found.append(Session(version, dump, tuple(shifted)))

    for frame in recording.frames:
        data = mapping(frame.data)
        if frame.way == "in" and data.get("type") == "version":
            cut()
            version, dump, listens, rest = data, None, None, []
        elif dump is not None:
            rest.append(frame)
        elif frame.way == "out" and data.get("command") == LISTEN:
            listens = data.get("messageId")
        elif frame.way == "in" and listens is not None and data.get("messageId") == listens:
            dump, rest = mapping(data.get("result")), [frame]
    cut()
    if not found:
        message = "The recording holds no state of a network: the driver had no connection while it was made."
        raise RecordingError("recording_empty", message)
    return found


class Values:
    """Where the values of the nodes stand at this place of the tape."""

    def __init__(self, dump: Json) -> None:
        self._values: dict[tuple[object, ValueId], object] = {}
        for node in items(mapping(dump.get("state")).get("nodes")):
            self._take_node(mapping(node))

    def note(self, event: Json) -> None:
        """Take in an event."""
        if event.get("event") == "ready":
            self._take_node(mapping(event.get("nodeState")))
        elif event.get("event") in {"value updated", "value added"}:
            args = mapping(event.get("args"))
            self._values[event.get("nodeId"), _id(args)] = args.get("newValue")

    def answer(self, command: Json) -> Json | None:
        """Return the result of a question for a value; None if it is another question, or about an unknown value."""
        where = command.get("nodeId"), _id(mapping(command.get("valueId")))
        if command.get("command") not in {"node.get_value", "node.poll_value"} or where not in self._values:
            return None
        return {"value": self._values[where]}

    def _take_node(self, node: Json) -> None:
        for value in map(mapping, items(node.get("values"))):
            self._values[node.get("nodeId"), _id(value)] = value.get("value")


def _id(data: Json) -> ValueId:
    """Not `facts.value_id`: here the values of all command classes count."""
    endpoint, command_class = data.get("endpoint"), data.get("commandClass")
    return ValueId(
        command_class if isinstance(command_class, int) else -1,
        endpoint if isinstance(endpoint, int) else 0,
        name_of(data.get("property")) or "",
        name_of(data.get("propertyKey")),
    )


class Player:
    """Plays one session to one connection.

    Events come at their times. Questions are answered as they last were at this place of the tape. A command that
    changes something is answered only if the tape holds it: after a recorded order, which is given again, the tape
    waits for the command that the order causes, and so brings answer and effects in the recorded order.
    """

    def __init__(
        self, session: Session, socket: web.WebSocketResponse, clock: Clock, order: Order, age: timedelta
    ) -> None:
        """Take how long ago the recording was made: what was an hour old then is an hour old now."""
        self._age = age
        self._session = session
        self._socket = socket
        self._clock = clock
        self._order = order
        self._values = Values(session.dump)
        self._place = 0.0
        """How far the tape has come, in its own seconds."""
        self._ordered_at = -math.inf
        """The place of the last order."""
        self._early: dict[str, deque[object]] = defaultdict(deque)
        """Message ids of the living commands that the tape has not come to yet."""
        self._ahead = Counter(key_of(mapping(f.data)) for f in session.frames if f.way == "out")
        """How often each command is still to come on the tape."""
        self._living: dict[object, object] = {}
        """Message ids of the living commands by those of the recorded ones whose answers the tape will bring."""
        self._came = asyncio.Condition()

    async def run(self) -> None:
        """Serve the connection until it is closed."""
        await self._socket.send_json(self._session.version)
        async with asyncio.TaskGroup() as tasks:
            tape: asyncio.Task[None] | None = None
            async for message in self._socket:
                if message.type is not WSMsgType.TEXT:
                    break
                command = mapping(message.json())
                name = command.get("command")
                if name == LISTEN:
                    await self._send(command, {"success": True, "result": self._session.dump})
                    tape = tape or tasks.create_task(self._play(), name="zwave-replay")
                elif tape is None:  # what goes before: which API, which options
                    await self._send(command, {"success": True, "result": {}})
                else:
                    await self._take(command)
            if tape is not None:
                tape.cancel()

    async def _play(self) -> None:
        begun = self._clock.monotonic()
        for frame in self._session.frames:
            await self._clock.sleep(begun + frame.t - self._clock.monotonic())
            self._place = frame.t
            try:
                await self._pass(frame, mapping(frame.data))
            except ConnectionError:
                return
            if frame.way in {"order", "out"}:  # whatever had to wait for them delays all that comes after
                begun = max(begun, self._clock.monotonic() - frame.t)

    async def _pass(self, frame: Frame, data: Json) -> None:
        match frame.way, data.get("type"):
            case "order", _:
                self._ordered_at = frame.t
                await self._order(data)
            case "out", _:
                await self._expect(data)
            case "in", "event":
                self._values.note(mapping(data.get("event")))
                await self._socket.send_json(data)
            case "in", "result" if data.get("messageId") in self._living:
                await self._send({"messageId": self._living.pop(data.get("messageId"))}, data)
            case "in", "closed":
                await self._socket.close(code=_sendable(data.get("code")))
            case _:
                pass

    @property
    def _is_ordered(self) -> bool:
        return self._place - self._ordered_at <= ORDER_SECONDS

    async def _expect(self, recorded: Json) -> None:
        """Let the driver send what it sent at this place, so that no effect comes before its cause."""
        key = key_of(recorded)
        if not _is_question(recorded) and not _is_about_codes(recorded) and self._is_ordered:
            with suppress(TimeoutError):
                async with self._clock.timeout(PATIENCE_SECONDS), self._came:
                    await self._came.wait_for(lambda: self._early[key])
                    self._living[recorded.get("messageId")] = self._early[key].popleft()
        self._ahead[key] -= 1

    async def _take(self, command: Json) -> None:
        key = key_of(command)
        if _is_about_codes(command):
            await self._send(command, _NOT_RECORDED)
        elif _is_question(command):
            await self._send(command, self._known(key, command))
        elif self._is_ordered and self._ahead[key] > 0:
            async with self._came:
                self._early[key].append(command.get("messageId"))
                self._came.notify_all()
        else:
            await self._send(command, _NOT_RECORDED)

    def _known(self, key: str, command: Json) -> Json:
        """Answer as the server last did; a value is where the tape has it now, unless it could not be had."""
        told = self._session.answers.get(key, [])
        past = [question.answer for question in told if question.at <= self._place]
        if past and past[-1].get("success") is not True:
            return past[-1]
        if (value := self._values.answer(command)) is not None:
            return {"success": True, "result": value}
        return self._aged(past[-1] if past else told[0].answer) if told else _NOT_RECORDED

    def _aged(self, answer: Json) -> Json:
        result = mapping(answer.get("result"))
        milliseconds = integer(result.get("timestamp"), high=2**53)
        if milliseconds is None:
            return answer
        shifted = milliseconds + round(self._age.total_seconds() * 1000)
        return {**answer, "result": {**result, "timestamp": shifted}}

    async def _send(self, command: Json, answer: Json) -> None:
        await self._socket.send_json({**answer, "type": "result", "messageId": command.get("messageId")})


def _sendable(code: object) -> int:
    if isinstance(code, int) and code in _CLOSE_CODES and code not in _UNSENDABLE:
        return code
    return WSCloseCode.GOING_AWAY


def _is_question(command: Json) -> bool:
    """Tell whether a command changes nothing but what is known."""
    return str(command.get("command")).rpartition(".")[2].startswith(_QUESTIONS)


def _is_about_codes(command: Json) -> bool:
    """Tell whether a command reads or writes PINs: a recording has them masked, which would be taken for true."""
    name = str(command.get("command"))
    if name in {"endpoint.invoke_cc_api", "node.get_state"}:
        return True
    return name.startswith("endpoint.access_control.") and name not in redaction.PLAIN_COMMANDS


@asynccontextmanager
async def replay(recording: Recording, clock: Clock, order: Order) -> AsyncIterator[ZwaveConfig]:
    """See `hubd.driver.Replay`. Each connection gets the next session; after the last one the server turns it away."""
    waiting = deque(sessions(recording))
    age = clock.now() - recording.header.recorded_at
    open_sockets: set[web.WebSocketResponse] = set()

    async def serve(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=LARGEST_MESSAGE)
        await socket.prepare(request)
        if not waiting:
            await socket.close(code=WSCloseCode.GOING_AWAY, message=b"the recording is over")
            return socket
        open_sockets.add(socket)
        try:
            await Player(waiting.popleft(), socket, clock, order, age).run()
        finally:
            open_sockets.discard(socket)
        return socket

    application = web.Application()
    application.router.add_get("/", serve)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield ZwaveConfig(url=f"ws://127.0.0.1:{runner.addresses[0][1]}")
    finally:
        for socket in tuple(open_sockets):
            await socket.close(code=WSCloseCode.GOING_AWAY)
        await runner.cleanup()
