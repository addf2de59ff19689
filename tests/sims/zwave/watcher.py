"""A real zwave-js-server client that writes down what it hears."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import aiohttp
from zwave_js_server.client import Client
from zwave_js_server.const import CommandClass, SetValueStatus
from zwave_js_server.model.node import Node
from zwave_js_server.model.value import Value, get_value_id_str

LIMIT_S: Final = 15.0
WATCHED: Final = ("value added", "value updated", "notification", "credential added", "dead", "alive")

type Heard = tuple[int, str, dict[str, Any]]
"""Node, event, and the client's data of it."""


class Watcher:
    """One connection of `connected`: the client, its nodes, and `heard`, every watched event in order."""

    def __init__(self, client: Client, listening: asyncio.Task[None]) -> None:
        self.client = client
        self.listening = listening
        self.heard: list[Heard] = []
        self._more = asyncio.Event()
        for node in self.nodes.values():
            for event in WATCHED:
                node.on(event, self._writer(node.node_id, event))

    @property
    def nodes(self) -> dict[int, Node]:
        assert self.client.driver is not None
        return self.client.driver.controller.nodes

    def value(self, node: int, command_class: CommandClass, name: str, key: str | None = None) -> Value:
        return self.nodes[node].values[get_value_id_str(self.nodes[node], command_class, name, 0, key)]

    async def lock(self, node: int, *, locked: bool) -> SetValueStatus:
        """Send the order and return the driver's answer, which need not be the lock's."""
        target = self.value(node, CommandClass.DOOR_LOCK, "targetMode")
        result = await self.nodes[node].async_set_value(target, 255 if locked else 0, wait_for_result=True)
        assert result is not None
        return result.status

    async def until(
        self, node: int, event: str, holds: Callable[[dict[str, Any]], object] = lambda _: True
    ) -> dict[str, Any]:
        """Return the first such event since the one returned last, heard already or to come."""
        async with asyncio.timeout(LIMIT_S):
            while True:
                for position, (from_node, kind, data) in enumerate(self.heard):
                    if from_node == node and kind == event and holds(data):
                        del self.heard[: position + 1]
                        return data
                self._more.clear()
                await self._more.wait()

    async def value_becomes(self, node: int, name: str, new: object) -> dict[str, Any]:
        """Wait for the value to be reported as `new` and return the event's arguments."""
        data = await self.until(
            node, "value updated", lambda d: d["args"]["property"] == name and d["args"]["newValue"] == new
        )
        args: dict[str, Any] = data["args"]
        return args

    def _writer(self, node: int, event: str) -> Callable[[dict[str, Any]], None]:
        def write(data: dict[str, Any]) -> None:
            self.heard.append((node, event, data))
            self._more.set()

        return write


@contextlib.asynccontextmanager
async def connected(url: str) -> AsyncIterator[Watcher]:
    """Connect to the server at `url`; the connection is closed at the end, whoever closed it first."""
    async with aiohttp.ClientSession() as session:
        client = Client(url, session)
        async with asyncio.timeout(LIMIT_S):
            await client.connect()
        ready = asyncio.Event()
        listening = asyncio.create_task(client.listen(ready))
        try:
            async with asyncio.timeout(LIMIT_S):
                await ready.wait()
            yield Watcher(client, listening)
        finally:
            await client.disconnect()
            await listening
