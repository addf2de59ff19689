"""The one place where errors of sockets, TLS, HTTP, STP and SHIP become the hub's."""

import errno
import socket
import ssl
from typing import Final, NamedTuple

from hubd.driver import DriverError
from hubd_drivers.salto_space.codec import FrameError
from hubd_drivers.salto_space.config import Target
from hubd_drivers.salto_space.document import DocumentError
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

SERVER: Final = "server"
"""The only hop: Space speaks for everything behind it."""

_SHIP_TAB: Final = "Space under System > General options > SHIP"
_RESTART: Final = "Space takes some of these changes only when its service is restarted."
_NO_ROUTE: Final = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN})
_EXPIRED, _NOT_YET_VALID, _HOSTNAME, _IP_ADDRESS = 10, 9, 62, 64
"""Of OpenSSL's X509_V_ERR codes."""
_NOT_TLS: Final = frozenset(
    {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "UNEXPECTED_MESSAGE"}
)


_NAME: Final = "Check the name in the driver's host, or write the IP address of the Space computer there."
_ROUTE: Final = "Check cable, network and the address in the driver's host."
_FIREWALL: Final = (
    "Check the IP address (that of the Space computer should be a fixed one), then the firewall of the network and "
    "that of Windows: both must let this port through."
)
_HTTPS: Final = (
    'Enable HTTPS in ProAccess Space Configurator and install a certificate, or set transport = "http" (or "stp") if '
    "that is what Space is set to."
)
_WRONG_NAME: Final = (
    "Write the name that stands in the certificate into the driver's host, or pin the certificate (certificate_sha256)."
)
_NEW_CERTIFICATE: Final = "Install a new one in ProAccess Space Configurator, and check the date of this gateway."
_NOT_TRUSTED: Final = (
    "If it is self-signed or from an authority of the house, give its file as ca_file or its fingerprint as "
    "certificate_sha256; hubd doctor shows the fingerprint."
)
_TLS_SETTINGS: Final = (
    "Look in ProAccess Space Configurator which certificate is installed; Windows must allow TLS 1.2."
)


class _Meaning(NamedTuple):
    code: str
    message: str
    remedy: str


def driver_error(error: LinkError | Fault, target: Target) -> DriverError:
    """Return why the server cannot be used, and what somebody on site does about it."""
    meaning = _fault(error) if isinstance(error, Fault) else _link(error, target)
    return DriverError(SERVER, meaning.code, meaning.message, meaning.remedy)


def remedies(target: Target) -> dict[str, str]:
    """Return what is to be done about what a check of the network finds, by its code."""
    return {
        "name_not_resolved": _NAME,
        "connection_refused": _refused(target),
        "connect_timeout": _FIREWALL,
        "no_route": _ROUTE,
        "tls_not_spoken": _HTTPS,
        "tls_timeout": _HTTPS,
        "tls_wrong_name": _WRONG_NAME,
        "tls_expired": _NEW_CERTIFICATE,
        "tls_not_yet_valid": _NEW_CERTIFICATE,
        "tls_not_trusted": _NOT_TRUSTED,
        "tls_too_old": _TLS_SETTINGS,
        "tls_failed": _TLS_SETTINGS,
    }


def _fault(fault: Fault) -> _Meaning:
    return _Meaning(fault.name, _sentence(str(fault)), fault.remedy)


def _link(error: LinkError, target: Target) -> _Meaning:
    cause = error.cause
    match cause:
        case SecretError():
            remedy = "Write the password or key into it as its first line, and let the user hubd read it."
            return _Meaning("secret_unusable", _sentence(f"secret_file: {cause}"), remedy)
        case OSError() if error.stage is Stage.SETUP:
            remedy = "It must be a PEM file (-----BEGIN CERTIFICATE-----) that the user hubd may read."
            return _Meaning("ca_file_unusable", f"ca_file cannot be used: {_words(cause)}.", remedy)
        case PinError():
            return _pin(cause, target)
        case ssl.SSLError():
            return _tls(cause, target)
        case FrameError() | TooLongError():
            return _frame(cause, target)
        case DocumentError():
            return _document(cause, target)
        case StatusError():
            return _status(cause, target)
        case HtmlError():
            return _page(target)
        case NotHttpError():
            return _not_http(cause, target)
        case ClosedError() | ConnectionResetError() | BrokenPipeError() | ConnectionAbortedError():
            return _closed(error, target)
        case TimeoutError():
            return _late(error, target)
        case OSError() | UnicodeError():
            return _no_connection(cause, target)
        case _:
            raise error


def _no_connection(cause: OSError | UnicodeError, target: Target) -> _Meaning:
    if isinstance(cause, socket.gaierror | UnicodeError):
        return _Meaning("name_not_resolved", f"The name {target.host!r} cannot be resolved.", _NAME)
    if cause.errno == errno.ECONNREFUSED:
        return _Meaning("connection_refused", f"Nothing listens at {target.place}.", _refused(target))
    if cause.errno in _NO_ROUTE:
        return _Meaning("no_route", f"There is no way to {target.place}: {_words(cause)}.", _ROUTE)
    remedy = "Check the driver's host and port."
    return _Meaning("connection_failed", f"Connecting to {target.place} failed: {_words(cause)}.", remedy)


def _late(error: LinkError, target: Target) -> _Meaning:
    if error.stage is not Stage.REPLY:
        tls = " A port on which something else than HTTPS is spoken may look like this, too."
        remedy = _FIREWALL + (tls if target.transport == "https" else "")
        return _Meaning("connect_timeout", f"{target.place} does not answer.", remedy)
    if error.received:
        message = f"Space at {target.place} stopped in the middle of a reply, after {error.received} bytes."
        return _Meaning("server_silent", message, "Check the load of the Space computer; a smaller page_size may help.")
    remedy = (
        f"Look in {_SHIP_TAB} whether this port is that of SHIP and set to {_spoken(target)}; if so, restart the Space "
        "service, or give it more time (timeout)."
    )
    return _Meaning("server_silent", f"{target.place} takes the connection and does not answer.", remedy)


def _closed(error: LinkError, target: Target) -> _Meaning:
    if error.stage is not Stage.REPLY and target.transport == "https":
        message = f"{target.place} closes the connection when TLS is spoken."
        return _Meaning("tls_not_spoken", message, _HTTPS)
    if error.received:
        message = f"{target.place} closed the connection in the middle of a reply, after {error.received} bytes."
        return _Meaning("connection_closed", message, "It is tried again. If it stays so, look into Space's own log.")
    if error.was_kept:
        message = f"Space at {target.place} closed the connection."
        return _Meaning("connection_closed", message, "It is tried again. Check that the Space service runs.")
    remedy = (
        f'Look in {_SHIP_TAB}: if "Limit communications to one server" is on, the IP address there must be that of '
        f"this gateway; and the transport must be {_spoken(target)}. {_RESTART}"
    )
    message = f"{target.place} takes the connection and closes it without a word."
    return _Meaning("closed_without_reply", message, remedy)


def _tls(cause: ssl.SSLError, target: Target) -> _Meaning:
    if isinstance(cause, ssl.SSLCertVerificationError):
        return _certificate(cause, target)
    if isinstance(cause, ssl.SSLEOFError) or cause.reason in _NOT_TLS:
        return _Meaning("tls_not_spoken", f"What listens at {target.place} does not speak TLS.", _HTTPS)
    return _Meaning("tls_failed", f"No TLS connection to {target.place}: {_words(cause)}.", _TLS_SETTINGS)


def _certificate(cause: ssl.SSLCertVerificationError, target: Target) -> _Meaning:
    if cause.verify_code in {_HOSTNAME, _IP_ADDRESS}:
        return _Meaning("tls_wrong_name", f"The certificate at {target.place} is not for {target.host!r}.", _WRONG_NAME)
    if cause.verify_code in {_EXPIRED, _NOT_YET_VALID}:
        code, what = ("tls_expired", "has expired")
        if cause.verify_code == _NOT_YET_VALID:
            code, what = ("tls_not_yet_valid", "is not valid yet")
        return _Meaning(code, f"The certificate at {target.place} {what}.", _NEW_CERTIFICATE)
    message = f"The certificate at {target.place} is not trusted: {cause.verify_message or _words(cause)}."
    return _Meaning("tls_not_trusted", message, _NOT_TRUSTED)


def _pin(cause: PinError, target: Target) -> _Meaning:
    found = cause.found.hex(":").upper()
    remedy = (
        "If somebody installed a new certificate, compare this fingerprint on the Space computer itself and write it "
        "into certificate_sha256. If nobody did, something else answers at this address."
    )
    return _Meaning("tls_pin_differs", f"The certificate at {target.place} is not the pinned one: {found}.", remedy)


def _frame(cause: FrameError | TooLongError, target: Target) -> _Meaning:
    if isinstance(cause, TooLongError) or cause.code == "too_long":
        message = _sentence(f"A message is too long for {target.place}: {cause}")
        return _Meaning("reply_too_long", message, "Make page_size smaller.")
    if cause.code == "not_stp" and cause.is_http:
        remedy = (
            f'Set transport = "http" here, or STP with a port of its own in {_SHIP_TAB}. 8100 is the port of the web '
            "pages, where STP is not spoken."
        )
        return _Meaning("http_not_stp", f"At {target.place} HTTP is spoken, not STP.", remedy)
    if cause.code == "not_stp":
        remedy = f"Look in {_SHIP_TAB} for the TCP/IP port of STP; another program uses this one."
        return _Meaning("not_stp", f"What answers at {target.place} is not SHIP: {cause.message}", remedy)
    remedy = 'Try the other stp_version ("01" or "00"). If it stays so, report it with the version of Space.'
    return _Meaning("protocol_error", _sentence(f"{target.place} sent what is no STP: {cause.message}"), remedy)


def _document(cause: DocumentError, target: Target) -> _Meaning:
    if cause.is_html:
        return _page(target)
    message = _sentence(f"{target.place} sent what hubd does not understand: {cause.message}")
    return _Meaning("protocol_error", message, "Report it with the version of Space.")


def _page(target: Target) -> _Meaning:
    remedy = (
        f"Look in {_SHIP_TAB} that SHIP is enabled for HTTP(S), and that this is the port of ProAccess Space (8100 "
        f"unless changed). {_RESTART}"
    )
    return _Meaning("web_page", f"{target.place} answers with a page for people, not with SHIP.", remedy)


def _status(cause: StatusError, target: Target) -> _Meaning:
    status, message = cause.status, f"{target.place} answers with HTTP status {cause.status}"
    if status in {401, 403}:
        remedy = f"Compare auth, username and the content of secret_file with {_SHIP_TAB}; the mode counts, too."
        return _Meaning("wrong_credentials", f"{message}: it does not accept the user or key.", remedy)
    if status in {404, 405}:
        remedy = f"Check host and port: 8100 unless changed. SHIP must be enabled for HTTP(S) in {_SHIP_TAB}."
        return _Meaning("not_ship", f"{message}: there is no SHIP at this address.", remedy)
    if status == 415:  # noqa: PLR2004 - HTTP's own numbers
        remedy = "Space must be 6.4.4 or newer for SHIP over HTTP. Update it, or use STP."
        return _Meaning("media_type_refused", f"{message}: it does not know SHIP's kind of message.", remedy)
    if status == 501:  # noqa: PLR2004
        remedy = f'Choose HTTP(S) in {_SHIP_TAB}, or transport = "stp" here. {_RESTART}'
        return _Meaning("http_not_activated", f"{message}: SHIP is not set to HTTP(S).", remedy)
    if cause.location.startswith("https:") and target.transport == "http":
        remedy = 'Set transport = "https" here.'
        return _Meaning("redirected", f"{message} and wants HTTPS.", remedy)
    if 300 <= status < 400:  # noqa: PLR2004
        remedy = "Write the address of the Space service itself into host; hubd follows no redirection."
        return _Meaning("redirected", f"{message}: it sends us elsewhere.", remedy)
    remedy = "Look into the log of ProAccess Space and restart its service. A proxy in between looks like this, too."
    return _Meaning("http_error", f"{message}.", remedy)


def _not_http(cause: NotHttpError, target: Target) -> _Meaning:
    if "STP/" in cause.seen:
        remedy = 'Set transport = "stp" here, or give the port of the web service (8100 unless changed).'
        return _Meaning("stp_not_http", f"At {target.place} STP is spoken, not HTTP.", remedy)
    remedy = 'Check host and port. If the service speaks HTTPS, set transport = "https".'
    return _Meaning("not_http", f"What answers at {target.place} does not speak HTTP.", remedy)


def _spoken(target: Target) -> str:
    return "STP" if target.transport == "stp" else "HTTP(S)"


def _refused(target: Target) -> str:
    return (
        f"Look in {_SHIP_TAB}: SHIP must be enabled, for {_spoken(target)}, and on this port. {_RESTART} Check that "
        "the service runs."
    )


def _words(cause: Exception) -> str:
    text = (cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)) or type(cause).__name__
    return text.strip().splitlines()[0][:200].rstrip(".")


def _sentence(words: str) -> str:
    line = " ".join(words.split())[:300]
    return line if line.endswith(".") else f"{line}."
