"""One connection to zwave-js-server: the first full dump, events as they come, commands."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress

import msgspec
from aiohttp import ClientSession
from zwave_js_server.exceptions import BaseZwaveJSServerError, ConnectionClosed, InvalidServerVersion

from hubd.driver import Clock, DriverError
from hubd_drivers.zwave.client import Dialler, HubClient, Sink, Tap
from hubd_drivers.zwave.facts import NodeFacts, ValueId, integer, items, mapping, read_node, read_value
from hubd_drivers.zwave.failures import (
    CommandError,
    answer_lost,
    closed_error,
    command_error,
    connect_error,
    version_error,
)


class Link:
    """A living connection. `commands` raise `CommandError`; its end raises `DriverError` out of `listen`."""

    def __init__(self, client: HubClient, dialler: Dialler, url: str) -> None:
        self._client = client
        self._dialler = dialler
        self._url = url
        self._started = asyncio.Event()
        self.home_id = 0
        self.own_node_id = 1
        self.controller_loss: DriverError | None = None
        """Set by whoever watches the controller; it explains why the server hangs up."""
        self._finish: Callable[[], Awaitable[None]] | None = None

    async def listen(self) -> None:
        """Read until the connection ends, then raise `DriverError`."""
        error: Exception | None = None
        try:
            await self._client.listen(self._started)
        except BaseZwaveJSServerError as failure:
            error = failure
        if self._finish is not None:
            await self._finish()
        code = None if self._dialler.socket is None else self._dialler.socket.close_code
        raise closed_error(code, self._url, error, controller=self.controller_loss) from error

    @asynccontextmanager
    async def answering(self, clock: Clock, seconds: float) -> AsyncIterator[None]:
        """Take in the answers to commands, and nothing else, while the block is open; in the place of `listen`.

        No option of the server is set, and no dump is asked for. Raises `DriverError` when the server does not begin.
        """
        try:
            async with clock.timeout(seconds):
                await self._client.introduce()
        except TimeoutError as error:
            raise connect_error(error, self._url, seconds) from error
        except BaseZwaveJSServerError as error:
            code = None if self._dialler.socket is None else self._dialler.socket.close_code
            reason = None if isinstance(error, ConnectionClosed) else error
            raise closed_error(code, self._url, reason, controller=None) from error
        reading = asyncio.create_task(self._client.attend())
        try:
            yield
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    def subscribe(self, sink: Sink, finish: Callable[[], Awaitable[None]]) -> None:
        """Have every event from the first dump on given to `sink`, and `finish` awaited once no more will come."""
        for event in self._client.early:
            sink(event)
        self._client.early.clear()
        self._client.sink = sink
        self._finish = finish

    async def started(self) -> None:
        """Return when the first dump is there."""
        await self._started.wait()
        self.home_id, self.own_node_id = self._client.home_id, self._client.own_node_id

    async def command(self, name: str, /, **arguments: object) -> Mapping[str, object]:
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
        return await self.command(
            "endpoint.access_control.get_credential_capabilities_cached", nodeId=node_id, endpoint=0
        )

    async def user_capabilities(self, node_id: int) -> Mapping[str, object]:
        """Return what zwave-js knows of a lock's users, without asking the lock."""
        return await self.command("endpoint.access_control.get_user_capabilities_cached", nodeId=node_id, endpoint=0)

    async def value(self, node_id: int, value_id: ValueId) -> object:
        """Return a value as zwave-js knows it, without asking the node."""
        answer = await self.command("node.get_value", nodeId=node_id, valueId=_wire(value_id))
        return answer.get("value")

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

    async def retell(self) -> None:
        """Have all that a life begins with pass the tap once more. Raises `CommandError`.

        The server may be asked for its whole state at any time; what comes after it in the connection is newer.
        """
        await self._started.wait()
        version = self._client.version
        if version is not None:
            told = {"driverVersion": version.driver_version, "serverVersion": version.server_version}
            schemas = {"minSchemaVersion": version.min_schema_version, "maxSchemaVersion": version.max_schema_version}
            self._client.tap("in", {"type": "version", "homeId": version.home_id, **told, **schemas})
        await self.command("start_listening")
        for question in list(self._client.questions.values()):
            with suppress(CommandError):
                await self.command(question["command"], **{n: i for n, i in question.items() if n != "command"})

    @property
    def refusal(self) -> str:
        """Why the server would not keep the codes of locks that it interviews; empty if it does."""
        return self._client.refusal

    @property
    def versions(self) -> str:
        """What speaks at the other end."""
        version = self._client.version
        return "?" if version is None else f"{version.server_version} with zwave-js {version.driver_version}"

    @property
    def schemas(self) -> str:
        """Which schemas of the API the other end speaks."""
        version = self._client.version
        return "?" if version is None else f"{version.min_schema_version} to {version.max_schema_version}"

    async def nodes(self) -> list[NodeFacts]:
        """Return the nodes as they were when listening began, once; a large network does not hold up the loop."""
        found = []
        while self._client.dump:
            found.append(read_node(msgspec.json.decode(self._client.dump.pop())))
            await asyncio.sleep(0)
        return [facts for facts in found if facts is not None]


def _wire(value_id: ValueId) -> dict[str, object]:
    wire: dict[str, object] = {
        "commandClass": value_id.command_class,
        "endpoint": value_id.endpoint,
        "property": value_id.name,
    }
    return wire if value_id.key is None else {**wire, "propertyKey": value_id.key}


@asynccontextmanager
async def connected(url: str, seconds: float, clock: Clock, tap: Tap = lambda _, __: None) -> AsyncIterator[Link]:
    """Connect with a new client on a new session, and close both at the end. Raises `DriverError`.

    The block is entered once the server has said which version it is; `Link.listen` must run for anything else.
    """
    async with ClientSession() as session:
        dialler = Dialler(session)
        client = HubClient(url, dialler, tap)
        try:
            await _greet(client, dialler, url, seconds, clock)
            yield Link(client, dialler, url)
        finally:
            if dialler.socket is not None:
                tap("in", {"type": "closed", "code": dialler.socket.close_code or 0})
                if not dialler.socket.closed:
                    await dialler.socket.close()


async def _greet(client: HubClient, dialler: Dialler, url: str, seconds: float, clock: Clock) -> None:
    try:
        async with clock.timeout(seconds):
            await client.connect()
    except InvalidServerVersion as error:
        raise (
            connect_error(error, url, seconds) if client.version is None else version_error(client.version)
        ) from error
    except (BaseZwaveJSServerError, OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        code = None if dialler.socket is None else dialler.socket.close_code
        if isinstance(error, ConnectionClosed) and code is not None:
            raise closed_error(code, url, None, controller=None) from error
        raise connect_error(error, url, seconds) from error
