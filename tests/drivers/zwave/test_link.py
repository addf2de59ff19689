import asyncio
import socket
from typing import Any

import pytest
from aiohttp import web
from hubd_drivers.zwave.facts import ValueId
from hubd_drivers.zwave.failures import CommandError
from hubd_drivers.zwave.link import connected

from hubd.driver import DriverError, SystemClock
from tests.drivers.zwave.fake_server import VERSION, Server, listening


async def failure(url: str, seconds: float = 2.0) -> DriverError:
    with pytest.raises(DriverError) as raised:
        async with connected(url, seconds, SystemClock()):
            pass
    return raised.value


async def test_commands_and_their_errors() -> None:
    async def answer(ws: web.WebSocketResponse, command: dict[str, Any]) -> None:
        base = {"type": "result", "messageId": command["messageId"]}
        if command["command"] == "node.poll_value":
            await ws.send_json({**base, "success": True, "result": {"value": command["valueId"]["propertyKey"]}})
        else:
            error = {"errorCode": "zwave_error", "zwaveErrorCode": 204, "zwaveErrorMessage": "no ACK"}
            await ws.send_json({**base, "success": False, **error})

    async with listening(Server(on_command=answer)) as (link, _):
        assert await link.poll(2, ValueId(113, 0, "Access Control", "Lock state")) == "Lock state"
        with pytest.raises(CommandError) as refused:
            await link.set_value(2, ValueId(98, 0, "targetMode"), 255)
        assert (refused.value.code, refused.value.number) == ("device_unreachable", 204)


async def test_a_command_whose_answer_is_lost_is_uncertain_and_one_after_it_was_not_sent() -> None:
    async def hang_up(ws: web.WebSocketResponse, _: dict[str, Any]) -> None:
        await ws.close()

    async with listening(Server(on_command=hang_up)) as (link, task):
        with pytest.raises(CommandError) as lost:
            await link.command("controller.get_state")
        assert lost.value.kind == "uncertain"
        await asyncio.wait({task}, timeout=1.0)
        with pytest.raises(CommandError) as refused:
            await link.command("controller.get_state")
        assert refused.value.kind == "unreachable"


async def test_a_connection_that_only_asks_sets_nothing_and_hears_of_nothing() -> None:
    asked: list[str] = []

    async def answer(ws: web.WebSocketResponse, command: dict[str, Any]) -> None:
        asked.append(command["command"])
        if command["command"] == "hang_up":
            await ws.close()
            return
        await ws.send_json({"type": "event", "event": {"source": "driver", "event": "all nodes ready"}})
        await ws.send_json({"type": "result", "success": True, "messageId": command["messageId"], "result": {"a": 1}})

    server = Server(on_command=answer)
    async with server.serving() as url, connected(url, 2.0, SystemClock()) as link:
        assert (link.versions, link.schemas) == ("3.10.2 with zwave-js 15", "0 to 50")
        async with link.answering(SystemClock(), 2.0):
            assert await link.command("controller.get_state") == {"a": 1}
            with pytest.raises(CommandError) as lost:
                await link.command("hang_up")
    assert lost.value.kind == "uncertain"
    assert (asked, server.options) == (["controller.get_state", "hang_up"], [])


@pytest.mark.parametrize(("reply", "code"), [("close", "connection_closed"), (None, "connect_timeout")])
async def test_a_server_that_does_not_begin(reply: str | None, code: str) -> None:
    async def serve(request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        await ws.send_json(VERSION)
        await ws.receive()
        if reply is None:
            await ws.receive()
        await ws.close()
        return ws

    server = Server()
    server.handle = serve  # type: ignore[method-assign]
    async with server.serving() as url, connected(url, 2.0, SystemClock()) as link:
        with pytest.raises(DriverError) as raised:
            async with link.answering(SystemClock(), 0.2):
                pass
    assert (raised.value.hop, raised.value.code) == ("server", code)


async def test_a_cancelled_command_is_a_cancellation() -> None:
    async with listening(Server()) as (link, _):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await link.command("controller.get_state")


async def test_the_end_is_told_after_everything_was_taken_in() -> None:
    async def hang_up(ws: web.WebSocketResponse, _: dict[str, Any]) -> None:
        await ws.close()

    finished = asyncio.Event()

    async def finish() -> None:
        finished.set()

    async with listening(Server(on_command=hang_up)) as (link, task):
        link.subscribe(lambda _: None, finish)
        with pytest.raises(CommandError):
            await link.command("controller.get_state")
        await asyncio.wait({task}, timeout=1.0)
        error = task.exception()
        assert isinstance(error, DriverError)
        assert error.code == "connection_closed"
        assert finished.is_set()


@pytest.mark.parametrize(
    ("greeting", "hop", "code"),
    [
        (VERSION | {"maxSchemaVersion": 48}, "server", "version_mismatch"),
        (VERSION | {"minSchemaVersion": 51, "maxSchemaVersion": 60}, "server", "version_mismatch"),
        (1013, "controller", "controller_not_ready"),
        (1000, "server", "connection_closed"),
        ("hello", "server", "not_zwave_js"),
        ({"hello": "world"}, "server", "not_zwave_js"),
        ([], "server", "not_zwave_js"),
        (None, "server", "connect_timeout"),
    ],
)
async def test_greetings(greeting: object, hop: str, code: str) -> None:
    async with Server(greeting=greeting).serving() as url:
        error = await failure(url, 0.3)
    assert (error.hop, error.code) == (hop, code)


async def test_no_websocket_there() -> None:
    async with Server().serving() as url:
        assert (await failure(f"{url}/elsewhere")).code == "not_zwave_js"


async def test_nobody_there() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        assert (await failure(f"ws://127.0.0.1:{holder.getsockname()[1]}")).code == "connection_refused"
    assert (await failure("ws://no-such-host.invalid:3000")).code == "name_not_resolved"


async def test_somebody_there_who_says_nothing() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        assert (await failure(f"ws://127.0.0.1:{holder.getsockname()[1]}", 0.2)).code == "connect_timeout"
