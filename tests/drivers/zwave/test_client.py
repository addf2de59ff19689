import asyncio
import logging
from typing import Any

import pytest
from aiohttp import web
from hubd_drivers.zwave import client as module
from hubd_drivers.zwave.events import StatusChanged, Told
from hubd_drivers.zwave.facts import ValueId
from hubd_drivers.zwave.failures import CommandError

from hubd.driver import DriverError
from tests.drivers.zwave.fake_server import Server, listening
from tests.drivers.zwave.fakes import lock_dump


async def _nothing() -> None:
    return


async def test_the_first_dump_is_read_and_let_go_and_holds_no_pin() -> None:
    async with listening(Server()) as (link, _):
        assert (link.home_id, link.own_node_id) == (0x7E570001, 1)
        (facts,) = await link.nodes()
        assert facts.get(ValueId(98, 0, "currentMode")) == 255
        assert (facts.node_id, facts.command_classes[98]) == (2, 4)
        assert "4711" not in repr(facts)
        assert await link.nodes() == [], "the dump is not kept"


async def test_the_server_is_told_to_keep_the_codes_before_it_is_listened_to() -> None:
    server = Server()
    async with listening(server) as (link, _):
        assert server.options == [{"interview": {"queryAllUserCodes": True}}]
        assert link.refusal == ""
    async with listening(Server(refuses_options="unknown_command")) as (link, task):
        assert link.refusal == "no"
        assert link.home_id == 0x7E570001, "it is listened to all the same"
        assert not task.done()


async def test_no_pin_is_logged_at_any_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with listening(Server()):
        assert "4711" not in caplog.text


async def test_events_are_given_from_the_first_on_and_none_breaks_the_link() -> None:
    alive = {"source": "node", "event": "alive", "nodeId": 2}
    server = Server()
    server.early = [
        alive,
        {"source": "node", "event": "of the future", "nodeId": 2},
        {"source": 7},
        {**alive, "nodeId": 3},
    ]
    async with listening(server) as (link, task):
        await asyncio.sleep(0.05)
        heard: list[Told] = []
        link.subscribe(heard.append, _nothing)
        assert heard == [StatusChanged(2, 4), StatusChanged(3, 4)]
        assert not task.done()


async def test_nodes_that_make_no_sense_are_passed_over() -> None:
    state = {"controller": {}, "nodes": [{}, 5, lock_dump(3), {"nodeId": "2"}]}
    async with listening(Server(state=state)) as (link, task):
        assert [facts.node_id for facts in await link.nodes()] == [3]
        assert not task.done()


async def test_a_server_that_refuses_to_be_listened_to() -> None:
    async with listening(Server(refuses="schema_incompatible")) as (_, task):
        error = task.exception()
        assert isinstance(error, DriverError)
        assert error.code == "protocol_error"
        assert "schema_incompatible" in error.message


@pytest.mark.parametrize(
    "message", ['{"type": "result"}', "[]", "not json", '{"type": "result", "messageId": "x", "success": false}']
)
async def test_a_message_that_makes_no_sense(message: str) -> None:
    async def babble(ws: web.WebSocketResponse, command: dict[str, Any]) -> None:
        await ws.send_str(message.replace('"x"', f'"{command["messageId"]}"'))

    async with listening(Server(on_command=babble)) as (link, task):
        with pytest.raises(CommandError):
            await link.command("controller.get_state")
        await asyncio.wait({task}, timeout=1.0)
        error = task.exception()
        assert isinstance(error, DriverError)
        assert error.code == "protocol_error"


@pytest.mark.parametrize("state", [{}, {"nodes": 5, "controller": 5}, {"controller": {"homeId": "?"}, "nodes": []}, []])
async def test_a_dump_that_makes_no_sense(state: object) -> None:
    async with listening(Server(state=state)) as (_, task):
        error = task.exception()
        assert isinstance(error, DriverError)
        assert error.code == "protocol_error"


async def test_a_server_that_falls_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEARTBEAT_SECONDS", 0.1)

    over = asyncio.Event()

    async def fall_silent(*_: object) -> None:
        await over.wait()  # aiohttp answers pings only while it reads

    async with listening(Server(on_command=fall_silent)) as (link, task):
        with pytest.raises(CommandError):
            await link.command("controller.get_state")
        await asyncio.wait({task}, timeout=1.0)
        error = task.exception()
        assert isinstance(error, DriverError)
        assert error.code == "server_silent"
        over.set()
