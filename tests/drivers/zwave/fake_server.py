"""Another end of the websocket: greets like zwave-js-server, then does what a test says."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import WSMsgType, web
from hubd_drivers.zwave.link import Link, connected

from hubd.driver import SystemClock
from tests.drivers.zwave.fakes import lock_dump, value

VERSION = {"driverVersion": "15", "serverVersion": "3.10.2", "homeId": 7, "minSchemaVersion": 0, "maxSchemaVersion": 50}

type Handler = Callable[[web.WebSocketResponse, dict[str, Any]], Awaitable[object]]


def dumped(*nodes: dict[str, Any]) -> dict[str, Any]:
    controller = {"homeId": 0x7E570001, "ownNodeId": 1, "inclusionState": 0, "status": 0}
    whole = [{"index": 0, "statistics": None, **node} for node in nodes]
    for node in whole:
        del node["statistics"]
        node["endpoints"] = [{"nodeId": node["nodeId"], "index": 0, **end} for end in node["endpoints"]]
    return {"driver": {}, "controller": controller, "nodes": whole}


class Server:
    """The other end: greets like zwave-js-server, then does what `on_command` says."""

    def __init__(
        self,
        greeting: object = VERSION,
        state: object = None,
        on_command: Handler | None = None,
        refuses: str = "",
        refuses_options: str = "",
    ) -> None:
        self.greeting = greeting
        self.state = dumped(lock_dump(2, 255, value(99, "userCode", "4711", key=1))) if state is None else state
        self.on_command = on_command
        self.refuses = refuses
        self.refuses_options = refuses_options
        self.options: list[object] = []
        self.early: list[dict[str, Any]] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        if isinstance(self.greeting, int):
            await ws.close(code=self.greeting)
            return ws
        if self.greeting is not None:
            await (ws.send_str(self.greeting) if isinstance(self.greeting, str) else ws.send_json(self.greeting))
        async for message in ws:
            if message.type is not WSMsgType.TEXT:
                break
            await self._answer(ws, message.json())
        return ws

    async def _answer(self, ws: web.WebSocketResponse, command: dict[str, Any]) -> None:
        results: dict[str, Any] = {
            "initialize": {},
            "driver.update_options": {},
            "start_listening": {"state": self.state},
        }
        name = command["command"]
        self.options += [command["options"]] if name == "driver.update_options" else []
        refused = {"start_listening": self.refuses, "driver.update_options": self.refuses_options}.get(name)
        if refused:
            refusal = {"errorCode": refused, "message": "no", "args": {}}
            await ws.send_json({"type": "result", "success": False, "messageId": command["messageId"], **refusal})
        elif name in results:
            await ws.send_json(
                {"type": "result", "success": True, "messageId": command["messageId"], "result": results[name]}
            )
            if name == "start_listening":
                for event in self.early:
                    await ws.send_json({"type": "event", "event": event})
        elif self.on_command is not None:
            await self.on_command(ws, command)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_get("/", self.handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            host, port = runner.addresses[0][:2]
            yield f"ws://{host}:{port}"
        finally:
            await runner.cleanup()


@asynccontextmanager
async def listening(server: Server) -> AsyncIterator[tuple[Link, asyncio.Task[None]]]:
    async with server.serving() as url, connected(url, 2.0, SystemClock()) as link:
        task = asyncio.create_task(link.listen())
        started = asyncio.create_task(link.started())
        await asyncio.wait({task, started}, timeout=3.0, return_when=asyncio.FIRST_COMPLETED)
        started.cancel()
        try:
            yield link, task
        finally:
            task.cancel()
            await asyncio.wait({task})
