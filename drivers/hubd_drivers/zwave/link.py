"""One connection to zwave-js-server: greeting, the first full dump, events as they come, commands.

The client library does the greeting, the choice of the API schema and the pairing of answers. Its own model of the
network is read once, at the start, and then let go: the driver keeps the few values it needs (and no PIN), and no
event that a newer server invents can break the connection.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, cast

from aiohttp import ClientSession, ClientWebSocketResponse, ClientWSTimeout
from hubd.driver import Clock, DriverError
from zwave_js_server.client import Client
from zwave_js_server.exceptions import BaseZwaveJSServerError, ConnectionClosed, InvalidMessage, InvalidServerVersion

from hubd_drivers.zwave.events import Event, read_event
from hubd_drivers.zwave.facts import NodeFacts, ValueId, integer, items, mapping, read_node, read_value
from hubd_drivers.zwave.failures import answer_lost, closed_error, command_error, connect_error, version_error

HEARTBEAT_SECONDS: Final = 4.0
"""After this much silence the server is pinged; without an answer for half as long again it counts as lost."""
CLOSE_SECONDS: Final = 1.0
LARGEST_MESSAGE: Final = 64 * 2**20
"""Bytes. A dump of a network of 200 nodes is some 10 MB."""

type Sink = Callable[[Event], None]


class _Dialler:
    """Stands where the client expects aiohttp's session: sets the bounds that the client leaves open."""

    def __init__(self, session: ClientSession) -> None:
        self._session = session
        self.socket: ClientWebSocketResponse | None = None

    async def ws_connect(self, url: str, **_: object) -> ClientWebSocketResponse:
        self.socket = await self._session.ws_connect(
            url,
            heartbeat=HEARTBEAT_SECONDS,
            timeout=ClientWSTimeout(ws_close=CLOSE_SECONDS),
            compress=15,
            max_msg_size=LARGEST_MESSAGE,
        )
        return self.socket


class _Started(asyncio.Event):
    """Calls back at the instant the first dump is there, before any event after it can be read."""

    def __init__(self, callback: Callable[[], None]) -> None:
        super().__init__()
        self._callback = callback

    def set(self) -> None:
        self._callback()
        super().set()


class _Client(Client):
    """The client, with events going to `sink` as they arrive instead of into the library's model."""

    def __init__(self, url: str, dialler: _Dialler, sink: Sink) -> None:
        super().__init__(url, cast("ClientSession", dialler), additional_user_agent_components={"hubd": "1"})
        self._sink = sink

    def _handle_incoming_message(self, msg: dict[str, Any]) -> None:
        if not isinstance(msg, dict) or "type" not in msg:
            raise InvalidMessage("a message without a type")
        if msg["type"] == "event":
            event = read_event(msg.get("event"))
            if event is not None:
                self._sink(event)
            return
        try:
            super()._handle_incoming_message(msg)
        except KeyError as error:
            raise InvalidMessage(f"an answer without {error}") from error


class Link:
    """A living connection. `commands` raise `CommandError`; its end raises `DriverError` out of `listen`."""

    def __init__(self, client: _Client, dialler: _Dialler, url: str) -> None:
        self._client = client
        self._dialler = dialler
        self._url = url
        self._started = _Started(self._take_dump)
        self.home_id = 0
        self.own_node_id = 1
        self.nodes: list[NodeFacts] = []
        """The nodes as they were when listening began."""
        self.controller_loss: DriverError | None = None
        """Set by whoever watches the controller; it explains why the server hangs up."""

    async def listen(self) -> None:
        """Read until the connection ends, then raise `DriverError`."""
        error: Exception | None = None
        try:
            await self._client.listen(self._started)
        except BaseZwaveJSServerError as failure:
            error = failure
        except (KeyError, TypeError, ValueError, AttributeError) as failure:
            if self._started.is_set():
                raise
            error = failure  # the dump is not one the library can read
        code = None if self._dialler.socket is None else self._dialler.socket.close_code
        raise closed_error(code, self._url, error, controller=self.controller_loss) from error

    async def started(self) -> None:
        """Return when the first dump is there."""
        await self._started.wait()

    async def command(self, name: str, **arguments: object) -> Mapping[str, object]:
        """Send a command and return its answer. Raises `CommandError`."""
        try:
            answer = await self._client.async_send_command({"command": name, **arguments})
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise answer_lost() from None  # the client cancels the futures of a closed connection
        except BaseZwaveJSServerError as error:
            raise command_error(error) from error
        except ConnectionResetError as error:
            raise answer_lost() from error
        return mapping(answer)

    async def set_value(self, node_id: int, target: ValueId, value: object) -> Mapping[str, object]:
        """Set a value and return zwave-js's result: `status` and sometimes `remainingDuration`."""
        answer = await self.command("node.set_value", nodeId=node_id, valueId=_wire(target), value=value)
        return mapping(answer.get("result"))

    async def poll(self, node_id: int, value_id: ValueId) -> object:
        """Ask the node itself for a value; None when it does not answer."""
        answer = await self.command("node.poll_value", nodeId=node_id, valueId=_wire(value_id))
        return answer.get("value")

    async def measured_at(self, node_id: int, value_id: ValueId) -> float | None:
        """Return when zwave-js last took in a value, in seconds since 1970."""
        answer = await self.command("node.get_value_timestamp", nodeId=node_id, valueId=_wire(value_id))
        milliseconds = integer(answer.get("timestamp"), high=2**53)
        return None if milliseconds is None else milliseconds / 1000

    async def credential_capabilities(self, node_id: int) -> Mapping[str, object]:
        """Return what zwave-js knows of a lock's credentials, without asking the lock."""
        return await self.command("endpoint.access_control.get_credential_capabilities_cached", nodeId=node_id, endpoint=0)

    async def with_cached_values(self, facts: NodeFacts) -> NodeFacts:
        """Return the facts of a node that is not ready, with the values zwave-js still has of it from earlier."""
        listed = await self.command("node.get_defined_value_ids", nodeId=facts.node_id)
        for raw in items(listed.get("valueIds")):
            if (found := read_value(raw)) is None:
                continue
            wire = _wire(found[0])
            answer = await self.command("node.get_value", nodeId=facts.node_id, valueId=wire)
            metadata = await self.command("node.get_value_metadata", nodeId=facts.node_id, valueId=wire)
            facts = facts.with_value(found[0], answer.get("value")).with_metadata(found[0], metadata)
        return facts

    def _take_dump(self) -> None:
        driver = self._client.driver
        if driver is None:
            raise InvalidMessage("no dump of the network")
        controller = driver.controller
        self.home_id = integer(controller.home_id) or 0
        self.own_node_id = integer(controller.own_node_id, low=1) or 1
        for node in controller.nodes.values():
            endpoints = [endpoint.data for endpoint in node.endpoints.values()]
            values = [value.data for value in node.values.values()]
            facts = read_node({**node.data, "endpoints": endpoints, "values": values})
            if facts is not None:
                self.nodes.append(facts)
        controller.nodes.clear()


def _wire(value_id: ValueId) -> dict[str, object]:
    wire: dict[str, object] = {
        "commandClass": value_id.command_class,
        "endpoint": value_id.endpoint,
        "property": value_id.name,
    }
    return wire if value_id.key is None else {**wire, "propertyKey": value_id.key}


@asynccontextmanager
async def connected(url: str, seconds: float, clock: Clock, sink: Sink) -> AsyncIterator[Link]:
    """Connect with a new client on a new session, and close both at the end. Raises `DriverError`.

    The block is entered once the server has said which version it is; `Link.listen` must run for anything else.
    """
    async with ClientSession() as session:
        dialler = _Dialler(session)
        client = _Client(url, dialler, sink)
        try:
            await _greet(client, dialler, url, seconds, clock)
            yield Link(client, dialler, url)
        finally:
            if dialler.socket is not None and not dialler.socket.closed:
                await dialler.socket.close()


async def _greet(client: Client, dialler: _Dialler, url: str, seconds: float, clock: Clock) -> None:
    try:
        async with clock.timeout(seconds):
            await client.connect()
    except InvalidServerVersion as error:
        raise (connect_error(error, url, seconds) if client.version is None else version_error(client.version)) from error
    except (BaseZwaveJSServerError, OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        code = None if dialler.socket is None else dialler.socket.close_code
        if isinstance(error, ConnectionClosed) and code is not None:
            raise closed_error(code, url, None, controller=None) from error
        raise connect_error(error, url, seconds) from error
