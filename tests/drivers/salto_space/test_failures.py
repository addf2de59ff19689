import errno
import socket
import ssl

import pytest
from hubd_drivers.salto_space.codec import FrameError
from hubd_drivers.salto_space.config import Target
from hubd_drivers.salto_space.document import DocumentError
from hubd_drivers.salto_space.failures import driver_error, remedies
from hubd_drivers.salto_space.faults import Fault
from hubd_drivers.salto_space.transport.base import (
    ClosedError,
    HtmlError,
    LinkError,
    NotHttpError,
    PinError,
    SecretError,
    Stage,
    StatusError,
    TooLongError,
)

STP = Target("stp", "10.0.0.5", 9100)
HTTP = Target("http", "10.0.0.5", 8100)
HTTPS = Target("https", "10.0.0.5", 8100)


def certificate(code: int, words: str = "self-signed certificate") -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, words)
    error.verify_code, error.verify_message = code, words
    return error


def tls(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, reason)
    error.reason = reason
    return error


def status(number: int, location: str = "") -> tuple[Stage, Exception]:
    return Stage.REPLY, StatusError(number, location)


@pytest.mark.parametrize(
    ("target", "stage", "cause", "code", "remedy"),
    [
        (STP, Stage.CONNECT, socket.gaierror(socket.EAI_NONAME, "unknown"), "name_not_resolved", "IP address"),
        (STP, Stage.CONNECT, UnicodeError("label too long"), "name_not_resolved", "IP address"),
        (STP, Stage.CONNECT, ConnectionRefusedError(errno.ECONNREFUSED, "x"), "connection_refused", "restarted"),
        (STP, Stage.CONNECT, OSError(errno.EHOSTUNREACH, "No route"), "no_route", "cable"),
        (STP, Stage.CONNECT, OSError(errno.EMFILE, "Too many"), "connection_failed", "port"),
        (STP, Stage.CONNECT, TimeoutError(), "connect_timeout", "that of Windows"),
        (HTTPS, Stage.CONNECT, TimeoutError(), "connect_timeout", "something else than HTTPS"),
        (STP, Stage.REPLY, TimeoutError(), "server_silent", "set to STP"),
        (STP, Stage.REPLY, ClosedError(), "closed_without_reply", "Limit communications to one server"),
        (HTTP, Stage.REPLY, ConnectionResetError(), "closed_without_reply", "HTTP(S)"),
        (HTTPS, Stage.CONNECT, ConnectionResetError(), "tls_not_spoken", "Configurator"),
        (STP, Stage.REPLY, FrameError("not_stp", "x", is_http=True), "http_not_stp", 'transport = "http"'),
        (STP, Stage.REPLY, FrameError("not_stp", "It begins with 'SSH'."), "not_stp", "another program"),
        (STP, Stage.REPLY, FrameError("bad_length", "x"), "protocol_error", "stp_version"),
        (STP, Stage.REPLY, FrameError("too_long", "x"), "reply_too_long", "page_size"),
        (HTTP, Stage.REPLY, TooLongError(5), "reply_too_long", "page_size"),
        (HTTP, *status(401), "wrong_credentials", "secret_file"),
        (HTTP, *status(403), "wrong_credentials", "secret_file"),
        (HTTP, *status(404), "not_ship", "8100"),
        (HTTP, *status(405), "not_ship", "8100"),
        (HTTP, *status(415), "media_type_refused", "6.4.4"),
        (HTTP, *status(501), "http_not_activated", "HTTP(S)"),
        (HTTP, *status(302, "https://10.0.0.5/"), "redirected", 'transport = "https"'),
        (HTTP, *status(302, "/login"), "redirected", "no redirection"),
        (HTTP, *status(500), "http_error", "restart"),
        (HTTP, Stage.REPLY, HtmlError(), "web_page", "8100"),
        (HTTP, Stage.REPLY, DocumentError("html", "x", is_html=True), "web_page", "8100"),
        (HTTP, Stage.REPLY, DocumentError("not_xml", "No XML."), "protocol_error", "version of Space"),
        (HTTP, Stage.REPLY, NotHttpError("Bad status line 'STP/00/4/'"), "stp_not_http", 'transport = "stp"'),
        (HTTP, Stage.REPLY, NotHttpError("Bad status line"), "not_http", 'transport = "https"'),
        (HTTPS, Stage.TLS, certificate(18), "tls_not_trusted", "ca_file"),
        (HTTPS, Stage.TLS, certificate(62), "tls_wrong_name", "host"),
        (HTTPS, Stage.TLS, certificate(64), "tls_wrong_name", "host"),
        (HTTPS, Stage.TLS, certificate(10), "tls_expired", "Configurator"),
        (HTTPS, Stage.TLS, certificate(9), "tls_not_yet_valid", "Configurator"),
        (HTTPS, Stage.TLS, tls("WRONG_VERSION_NUMBER"), "tls_not_spoken", 'transport = "http"'),
        (HTTPS, Stage.TLS, ssl.SSLEOFError(8, "EOF"), "tls_not_spoken", 'transport = "http"'),
        (HTTPS, Stage.TLS, tls("NO_SHARED_CIPHER"), "tls_failed", "TLS 1.2"),
        (HTTPS, Stage.TLS, PinError(b"\xab" * 32), "tls_pin_differs", "certificate_sha256"),
        (HTTPS, Stage.SETUP, SecretError("/s cannot be read"), "secret_unusable", "first line"),
        (HTTPS, Stage.SETUP, FileNotFoundError(2, "No such file"), "ca_file_unusable", "PEM"),
        (HTTPS, Stage.SETUP, ssl.SSLError("NO_CERTIFICATE"), "ca_file_unusable", "PEM"),
    ],
    ids=lambda one: one if isinstance(one, str) else None,
)
def test_each_row_has_its_own_words(target: Target, stage: Stage, cause: Exception, code: str, remedy: str) -> None:
    error = driver_error(LinkError(stage, cause, sent=stage is Stage.REPLY), target)
    assert (error.hop, error.code) == ("server", code)
    assert remedy in error.remedy
    for words in (error.message, error.remedy):
        assert words.endswith(".")
        assert "  " not in words
    assert "Unknown" not in error.message
    if code in remedies(target) and code != "connect_timeout":
        assert remedies(target)[code] == error.remedy


def test_a_connection_that_ends_after_it_has_worked() -> None:
    kept = driver_error(LinkError(Stage.REPLY, ClosedError(), sent=True, was_kept=True), STP)
    cut = driver_error(LinkError(Stage.REPLY, ClosedError(), sent=True, received=12), STP)
    late = driver_error(LinkError(Stage.REPLY, TimeoutError(), sent=True, received=12), STP)
    assert (kept.code, cut.code, late.code) == ("connection_closed", "connection_closed", "server_silent")
    assert "12 bytes" in cut.message
    assert "12 bytes" in late.message


@pytest.mark.parametrize(
    ("number", "code", "remedy"),
    [
        (13, "licence_missing", "SPACE-OPT-0018"),
        (14, "licence_exceeded", "licence"),
        (502, "request_unknown", "Update"),
        (400, "encoder_unknown", "name"),
        (9999, "space_error_9999", "Space"),
    ],
)
def test_a_refusal_keeps_its_name_and_remedy(number: int, code: str, remedy: str) -> None:
    error = driver_error(Fault(number, "SaltoDBUserList.Read", "as the server says"), HTTP)
    assert (error.hop, error.code) == ("server", code)
    assert remedy in error.remedy
    assert str(number) in error.message
    assert error.message.endswith(".")


def test_what_is_nobody_s_fault_but_ours_is_not_swallowed() -> None:
    with pytest.raises(LinkError):
        driver_error(LinkError(Stage.REPLY, ZeroDivisionError(), sent=True), HTTP)


def test_the_other_version_is_named_once() -> None:
    error = driver_error(LinkError(Stage.REPLY, FrameError("bad_version", "x"), sent=True), STP)
    assert "{" not in error.remedy
