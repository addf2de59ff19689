import errno
import ssl
from typing import Any
from unittest.mock import Mock

import aiohttp
import pytest
from hubd_drivers.zwave import failures as f
from zwave_js_server import exceptions as client
from zwave_js_server.model.version import VersionInfo

URL = "ws://127.0.0.1:3000"
KEY: Any = Mock(ssl=None, host="box", port=3000)


@pytest.mark.parametrize(
    ("number", "kind", "code"),
    [
        (201, f.Kind.UNCERTAIN, "no_answer"),
        (204, f.Kind.UNCERTAIN, "device_unreachable"),
        (205, f.Kind.UNREACHABLE, "radio_jammed"),
        (211, f.Kind.UNREACHABLE, "device_unknown"),
        (304, f.Kind.UNSUPPORTED, "not_supported"),
        (322, f.Kind.REFUSED, "invalid_value"),
        (1100, f.Kind.REFUSED, "device_refused"),
        (1400, f.Kind.UNREACHABLE, "secure_link_failed"),
        (1402, f.Kind.REFUSED, "not_secure"),
        (99999, f.Kind.UNCERTAIN, "zwave_error"),
    ],
)
def test_errors_of_zwave_js(number: int, kind: f.Kind, code: str) -> None:
    error = f.command_error(client.FailedZWaveCommand("id", number, "as zwave-js says"))
    assert (error.kind, error.code, error.number, error.suspect) == (kind, code, number, False)
    assert error.message.endswith(".")


@pytest.mark.parametrize("number", [100, 112, 200, 202, 203])
def test_errors_that_cast_doubt_on_the_controller(number: int) -> None:
    error = f.command_error(client.FailedZWaveCommand("id", number, "serial port is not open"))
    assert error.suspect
    assert error.kind is f.Kind.UNREACHABLE


def test_errors_of_the_server() -> None:
    gone = f.command_error(client.FailedCommand("id", "node_not_found", "Node 9 was not found"))
    assert (gone.kind, gone.code) == (f.Kind.UNREACHABLE, "device_unknown")
    odd = f.command_error(client.FailedCommand("id", "unknown_error", "TypeError: x\n  at y"))
    assert (odd.kind, odd.code) == (f.Kind.UNCERTAIN, "server_error")
    assert odd.message == "zwave-js-server reports: unknown_error: TypeError: x."
    lost = f.command_error(client.NotConnected())
    assert (lost.kind, lost.code) == (f.Kind.UNREACHABLE, f.SERVER_LOST)
    assert f.answer_lost().kind is f.Kind.UNCERTAIN


def test_an_error_without_a_pin() -> None:
    error = f.CommandError(f.Kind.REFUSED, "x", "bad code 4711, 4711.", 322, suspect=True).without("4711")
    assert (error.message, error.kind, error.code, error.number) == ("bad code ****, ****.", f.Kind.REFUSED, "x", 322)
    assert error.suspect
    assert "4711" not in str(error)


def connector(error: OSError) -> aiohttp.ClientConnectorError:
    return aiohttp.ClientConnectorError(KEY, error)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (aiohttp.ClientConnectorDNSError(KEY, OSError("no such host")), "name_not_resolved"),
        (connector(ConnectionRefusedError(errno.ECONNREFUSED, "refused")), "connection_refused"),
        (connector(OSError(errno.EHOSTUNREACH, "no route to host")), "no_route"),
        (connector(OSError(errno.EMFILE, "too many files")), "connection_failed"),
        (aiohttp.ClientConnectorCertificateError(KEY, ssl.CertificateError("self-signed")), "tls_not_trusted"),
        (aiohttp.ClientConnectorSSLError(KEY, ssl.SSLError("wrong version number")), "tls_failed"),
        (aiohttp.WSServerHandshakeError(Mock(), (), status=404), "not_zwave_js"),
        (aiohttp.ServerDisconnectedError(), "not_zwave_js"),
        (TimeoutError(), "connect_timeout"),
        (client.InvalidMessage("Received invalid JSON."), "not_zwave_js"),
        (KeyError("driverVersion"), "not_zwave_js"),
    ],
)
def test_each_way_of_not_connecting_has_its_own_words(error: Exception, code: str) -> None:
    for raised in (error, client.CannotConnect(error)):
        found = f.connect_error(raised, URL, 8.0)
        assert (found.hop, found.code) == ("server", code)
        assert found.message.endswith(".")
        assert found.remedy.endswith((".", "hubd"))


def test_what_is_nobody_s_fault_but_ours_is_not_swallowed() -> None:
    with pytest.raises(ZeroDivisionError):
        f.connect_error(ZeroDivisionError(), URL, 8.0)


@pytest.mark.parametrize(("low", "high", "remedy"), [(0, 48, "hubd-zwave install"), (60, 61, "Update hubd.")])
def test_versions_are_named_with_the_remedy(low: int, high: int, remedy: str) -> None:
    error = f.version_error(VersionInfo("15.0.0", "3.9.9", 1, low, high))
    assert error.code == "version_mismatch"
    assert error.message == f"zwave-js-server 3.9.9 speaks API schema {low} to {high}, hubd 49 to 50."
    assert remedy in error.remedy


def test_why_a_websocket_ended() -> None:
    lost = f.controller_error("controller_lost", "zwave-js cannot reach its Z-Wave stick.")

    def end(code: int | None, error: Exception | None = None, controller: Any = None) -> tuple[str, str]:
        found = f.closed_error(code, URL, error, controller=controller)
        assert found.message.endswith((".", ")"))
        return found.hop, found.code

    assert end(1000) == ("server", "connection_closed")
    assert end(1013) == ("controller", "controller_not_ready")
    assert end(1006, client.ConnectionFailed()) == ("server", "server_silent")
    assert end(1006, client.InvalidMessage("?")) == ("server", "protocol_error")
    assert end(1006, None, lost) == ("controller", "controller_lost")
