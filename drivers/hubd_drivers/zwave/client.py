"""zwave-js-server-python's client without its model of the network.

The library does the greeting, the choice of the API schema and the pairing of answers with commands. Its model is left
out: it would keep every value of every node, PINs among them, takes a tenth of a second of the event loop for a dump
of 150 locks, and ends the connection over an event that does not fit it. The driver keeps the few values it needs.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final, cast

import msgspec
from aiohttp import ClientSession, ClientWebSocketResponse, ClientWSTimeout, WSMsgType
from zwave_js_server.client import START_LISTENING_MESSAGE_ID, Client
from zwave_js_server.exceptions import ConnectionClosed, ConnectionFailed, FailedCommand, InvalidMessage

from hubd_drivers.zwave.events import Told, read_event
from hubd_drivers.zwave.facts import mapping

logging.getLogger("zwave_js_server").setLevel(logging.WARNING)
"""At DEBUG the library logs every message whole, and some hold people's PINs."""

HEARTBEAT_SECONDS: Final = 4.0
"""After this much silence the server is pinged; without an answer for half as long again it counts as lost."""
CLOSE_SECONDS: Final = 1.0
MOST_QUESTIONS: Final = 5000
LARGEST_MESSAGE: Final = 64 * 2**20
"""Bytes. The dump of a lock with 30 user codes and its configuration is some 40 kB."""

KEEP_CODES: Final = {
    "command": "driver.update_options",
    "messageId": "keep-codes",
    "options": {"interview": {"queryAllUserCodes": True}},
}
"""Without this option zwave-js deletes all codes of a lock that it interviews for the first time, or takes for new
because its cache was lost. It holds for every interview that begins from then on, until zwave-js is started again."""

type Sink = Callable[[Told], None]
type Tap = Callable[[str, object], None]
"""Takes what passes the connection, "in" or "out": a message, or its text. Never waits, and changes nothing."""


class _Controller(msgspec.Struct, rename="camel"):
    home_id: int = 0
    own_node_id: int = 1


class _State(msgspec.Struct):
    controller: _Controller
    nodes: list[msgspec.Raw]


class _Result(msgspec.Struct):
    state: _State


class _Head(msgspec.Struct, rename="camel"):
    """What every answer has."""

    message_id: str = ""
    success: bool = False
    error_code: str = ""
    message: str = ""
    zwave_error_message: str = ""


class _Reply(msgspec.Struct, rename="camel"):
    """The answer to `start_listening`."""

    success: bool
    result: _Result | None = None
    error_code: str = ""
    message: str = ""


class Dialler:
    """Stands where the client expects aiohttp's session: sets the bounds that the client leaves open."""

    def __init__(self, session: ClientSession) -> None:
        self._session = session
        self.socket: ClientWebSocketResponse | None = None

    async def ws_connect(self, url: str, **_: object) -> ClientWebSocketResponse:
        """Connect as the client would."""
        self.socket = await self._session.ws_connect(
            url,
            heartbeat=HEARTBEAT_SECONDS,
            timeout=ClientWSTimeout(ws_close=CLOSE_SECONDS),
            compress=15,
            max_msg_size=LARGEST_MESSAGE,
        )
        return self.socket


class HubClient(Client):
    """Gives events to `sink` in the order of their arrival, those before anybody has set it to `early`."""

    def __init__(self, url: str, dialler: Dialler, tap: Tap = lambda _, __: None) -> None:
        super().__init__(url, cast("ClientSession", dialler), additional_user_agent_components={"hubd": "1"})
        self.tap = tap
        self.questions: dict[str, dict[str, Any]] = {}
        """What was asked that zwave-js knows by heart, each question once; a recording asks it again."""
        self.refusal = ""
        """Why the server would not keep the codes of locks that it interviews; empty if it does."""
        self.home_id = 0
        self.own_node_id = 1
        self.dump: list[msgspec.Raw] = []
        """The nodes in JSON, as they were when listening began."""
        self.early: list[Told] = []
        self.sink: Sink = self.early.append

    async def listen(self, driver_ready: asyncio.Event) -> None:
        """Take in the dump, set `driver_ready`, then read until the connection is closed.

        Raises the library's errors; returns when the server closes the connection.
        """
        try:
            await self.introduce()
            await self._send_json_message(dict(KEEP_CODES))
            await self._send_json_message({"command": "start_listening", "messageId": START_LISTENING_MESSAGE_ID})
            self._take_dump(await self._receive_dump())
            driver_ready.set()
            await self.receive_until_closed()
        except ConnectionClosed:
            pass
        finally:
            await self._hang_up()

    async def attend(self) -> None:
        """Read the answers to commands until the connection is closed. Nothing is set, and no events are asked for.

        Raises the library's errors; returns when the server closes the connection.
        """
        try:
            await self.receive_until_closed()
        except ConnectionClosed:
            pass
        finally:
            await self._hang_up()

    async def _hang_up(self) -> None:
        for future in self._result_futures.values():
            future.cancel()
        self._result_futures.clear()
        if self._client is not None and not self._client.closed:
            await self._client.close()

    async def introduce(self) -> None:
        """Agree with the server on the API schema. Raises the library's errors."""
        try:
            await self.initialize()
        except (KeyError, TypeError) as error:
            raise InvalidMessage(f"an answer that cannot be read: {error!r}") from error

    async def _receive_dump(self) -> str:
        """Return the answer to `start_listening`; the one before it is taken in."""
        while True:
            text = await self._receive_text()
            self.tap("in", text)
            head = _read(text, _Head)
            if head.message_id != KEEP_CODES["messageId"]:
                return text
            if not head.success:
                self.refusal = head.zwave_error_message or head.message or head.error_code or "it gave no reason"

    def _take_dump(self, text: str) -> None:
        reply = _read(text, _Reply)
        if not reply.success or reply.result is None:
            raise FailedCommand(START_LISTENING_MESSAGE_ID, reply.error_code, reply.message)
        state = reply.result.state
        self.home_id, self.own_node_id = state.controller.home_id, state.controller.own_node_id
        self.dump = state.nodes

    async def _receive_text(self) -> str:
        if self._client is None:
            raise ConnectionClosed("not connected")
        message = await self._client.receive()
        if message.type in {WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.CLOSING}:
            raise ConnectionClosed("closed before the dump")
        if message.type is WSMsgType.ERROR:
            raise ConnectionFailed
        if message.type is not WSMsgType.TEXT:
            raise InvalidMessage(f"a message of type {message.type}")
        text: str = message.data
        return text

    async def _receive_json_or_raise(self) -> dict[str, Any]:
        data: dict[str, Any] = await super()._receive_json_or_raise()
        self.tap("in", data)
        return data

    async def _send_json_message(self, message: dict[str, Any]) -> None:
        await super()._send_json_message(message)
        self.tap("out", message)
        if _is_free(str(message.get("command"))) and len(self.questions) < MOST_QUESTIONS:
            question = {name: item for name, item in message.items() if name != "messageId"}
            self.questions[repr(question)] = question

    def _handle_incoming_message(self, msg: dict[str, Any]) -> None:
        data = mapping(msg)
        if data.get("type") == "event":
            event = read_event(data.get("event"))
            if event is not None:
                self.sink(event)
            return
        try:
            super()._handle_incoming_message(msg)
        except (KeyError, TypeError) as error:
            raise InvalidMessage(f"an answer that cannot be read: {error!r}") from error


def _read[T](text: str, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.DecodeError as error:
        raise InvalidMessage(f"a dump that cannot be read: {error}") from error


def _is_free(command: str) -> bool:
    """Tell whether a question costs neither the radio nor a node's battery anything."""
    known = ("node.get_value", "node.get_defined_value_ids", "controller.get_known_")
    return command.startswith(known) or command.endswith("_cached")
