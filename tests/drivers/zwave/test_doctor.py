"""The checks against the scripted server, and against the real one with an emulated stick."""

import asyncio
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hubd_drivers.zwave import doctor
from hubd_drivers.zwave.config import ZwaveConfig
from hubd_drivers.zwave.doctor import check
from hubd_drivers.zwave.server.settings import draw_keys, write_private

from hubd.driver import CheckPort, Finding, SystemClock
from tests.drivers.zwave.conftest import SharedNetwork
from tests.drivers.zwave.fake_server import VERSION, Handler, Server
from tests.support.tls import certificate, server_context

PORT = CheckPort("zwave", SystemClock())
STATE = {"homeId": 0x7E570001, "ownNodeId": 1, "status": 0, "firmwareVersion": "7.23"}
ROUTES: dict[str, object] = {"1": {}, "2": {}, "5": {}}


async def found(url: str, **keys: Any) -> dict[str, Finding]:
    values: dict[str, Any] = {"url": url, "connect_timeout": 1.0} | keys
    config = ZwaveConfig(**values)
    return {one.check: one async for one in check(config, PORT)}


def verdicts(findings: dict[str, Finding]) -> dict[str, str]:
    return {name: one.code or one.verdict for name, one in findings.items()}


def answering(asked: list[str] | None = None, **answers: Any) -> Handler:
    """Answer the questions of the checks; a number is the zwave-js error of the answer."""
    known = {"get_state": {"state": STATE}, "is_failed_node": {"failed": False}, "routes": {"routes": ROUTES}} | answers

    async def answer(ws: web.WebSocketResponse, command: dict[str, Any]) -> None:
        name = command["command"].removeprefix("controller.").replace("get_known_lifeline_routes", "routes")
        if asked is not None:
            asked.append(command["command"])
        base = {"type": "result", "messageId": command["messageId"]}
        given = known[name]
        if given is None:
            await ws.close()
        elif isinstance(given, int):
            error = {"errorCode": "zwave_error", "zwaveErrorCode": given, "zwaveErrorMessage": "no"}
            await ws.send_json({**base, "success": False, **error})
        else:
            await ws.send_json({**base, "success": True, "result": given})

    return answer


async def checked(server: Server, **keys: Any) -> dict[str, Finding]:
    async with server.serving() as url:
        return await found(url, **keys)


async def test_a_site_in_order_is_asked_and_nothing_is_set() -> None:
    asked: list[str] = []
    server = Server(on_command=answering(asked))
    findings = await checked(server)
    assert {one.verdict for one in findings.values()} == {"ok"}
    assert list(findings) == ["Host name", "Port", "zwave-js-server", "Stick", "Network"]
    assert findings["zwave-js-server"].evidence == "zwave-js-server 3.10.2 with zwave-js 15 speaks API schema 0 to 50."
    assert findings["Stick"].evidence == "The Z-Wave stick (firmware 7.23) answers."
    assert findings["Network"].evidence == "The network is 7e570001, with 2 nodes besides the stick."
    assert [one.hop for one in findings.values()] == ["server", "server", "server", "controller", "controller"]
    assert set(asked) == {
        "controller.get_state",
        "controller.is_failed_node",
        "controller.get_known_lifeline_routes",
    }
    assert server.options == []


async def test_nobody_listens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(doctor, "BY_ID", tmp_path)
    (tmp_path / "usb-Zooz_800").touch()
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        findings = await found(f"ws://127.0.0.1:{holder.getsockname()[1]}")
    assert verdicts(findings) == {
        "Host name": "ok",
        "Port": "connection_refused",
        "zwave-js-server": "skipped",
        "Stick": "skipped",
        "Network": "skipped",
    }
    assert findings["Port"].remedy.startswith("Look at systemctl status hubd-zwave")
    assert findings["Port"].remedy.endswith(f"Plugged in: {tmp_path}/usb-Zooz_800")


async def test_a_server_elsewhere_is_not_looked_for_among_the_sticks_of_this_machine() -> None:
    findings = await found("ws://no-such-host.invalid:3000")
    assert findings["Host name"].code == "name_not_resolved"
    assert findings["Network"].evidence == "Host name failed, so nobody could be asked."


@pytest.mark.parametrize(
    ("greeting", "code"),
    [
        (VERSION | {"maxSchemaVersion": 48}, "version_mismatch"),
        ("hello", "not_zwave_js"),
        (None, "connect_timeout"),
    ],
)
async def test_what_is_no_server_of_ours(greeting: object, code: str) -> None:
    findings = await checked(Server(greeting=greeting), connect_timeout=0.5)
    assert verdicts(findings) == {
        "Host name": "ok",
        "Port": "ok",
        "zwave-js-server": code,
        "Stick": "skipped",
        "Network": "skipped",
    }
    assert findings["zwave-js-server"].remedy


async def test_an_http_server_that_is_no_zwave_js() -> None:
    async with Server().serving() as url:
        findings = await found(f"{url}/elsewhere")
    assert verdicts(findings)["zwave-js-server"] == "not_zwave_js"
    assert "HTTP status 404" in findings["zwave-js-server"].evidence


async def test_a_proxy_whose_certificate_is_not_trusted(tmp_path: Path) -> None:
    path = await asyncio.to_thread(certificate, tmp_path)
    context: ssl.SSLContext = await asyncio.to_thread(server_context, path)
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    try:
        findings = await found(f"wss://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    finally:
        server.close()
        await server.wait_closed()
    assert verdicts(findings) == {
        "Host name": "ok",
        "Port": "ok",
        "TLS": "tls_not_trusted",
        "zwave-js-server": "skipped",
        "Stick": "skipped",
        "Network": "skipped",
    }


async def test_a_server_that_waits_for_its_stick() -> None:
    findings = await checked(Server(greeting=1013))
    assert verdicts(findings) == {
        "Host name": "ok",
        "Port": "ok",
        "zwave-js-server": "ok",
        "Stick": "controller_not_ready",
        "Network": "skipped",
    }
    assert "/etc/hubd/zwave.env" in findings["Stick"].remedy


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ({"get_state": {"state": STATE | {"status": 1}}}, "controller_unresponsive"),
        ({"get_state": {"state": STATE | {"status": 2}}}, "controller_jammed"),
        ({"is_failed_node": 200}, "controller_lost"),
        ({"is_failed_node": None}, "server_lost"),
        ({"is_failed_node": 105}, "ok"),
        ({"is_failed_node": 1100}, "ok"),
    ],
)
async def test_how_the_stick_is(answers: dict[str, Any], code: str) -> None:
    findings = await checked(Server(on_command=answering(**answers)))
    assert verdicts(findings)["Stick"] == code
    assert verdicts(findings)["Network"] == ("ok" if code == "ok" else "skipped")
    if answers == {"is_failed_node": 105}:
        assert findings["Stick"].evidence.endswith("by zwave-js's word; this model cannot be asked itself.")


async def test_a_stick_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "PATIENCE_SECONDS", 0.1)

    async def silent(_: web.WebSocketResponse, __: dict[str, Any]) -> None:
        return

    findings = await checked(Server(on_command=silent))
    assert verdicts(findings)["Stick"] == "controller_silent"


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ({"routes": {"routes": {"1": {}}}}, "no_nodes"),
        ({"routes": {"routes": "?"}}, "no_list"),
        ({"routes": 202}, "no_list"),
        ({"get_state": {"state": STATE | {"homeId": None}}}, "no_list"),
        ({"routes": {"routes": {"1": {}, "7": {}}}}, "ok"),
    ],
)
async def test_what_the_network_is(answers: dict[str, Any], code: str) -> None:
    findings = await checked(Server(on_command=answering(**answers)))
    assert verdicts(findings)["Network"] == code
    if code == "ok":
        assert findings["Network"].evidence.endswith("with 1 node besides the stick.")


async def test_keys_are_looked_at_where_they_are_named_and_never_told(tmp_path: Path) -> None:
    keys, path = draw_keys(), tmp_path / "keys.json"
    await asyncio.to_thread(write_private, path, keys)
    server = Server(on_command=answering())
    assert (await checked(server, keys_file=str(path)))["Security keys"].evidence == f"{path} holds 6 keys."
    await asyncio.to_thread(path.chmod, 0o644)
    findings = await checked(server, keys_file=str(path))
    assert verdicts(findings)["Security keys"] == "keys_unusable"
    assert "chmod 0600" in findings["Security keys"].evidence
    told = repr(findings)
    assert not any(key in told for group in keys.values() for key in group.values())


@pytest.mark.node
async def test_the_real_server_with_an_emulated_stick(network: SharedNetwork) -> None:
    findings = await found(network.url, connect_timeout=8.0)
    assert {name: one.verdict for name, one in findings.items()} == dict.fromkeys(findings, "ok")
    assert list(findings) == ["Host name", "Port", "zwave-js-server", "Stick", "Network"]
    assert f"{len(network.network.nodes)} nodes besides the stick" in findings["Network"].evidence
