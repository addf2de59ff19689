"""The one place where the client's, aiohttp's and zwave-js's errors become the hub's."""

import errno
from enum import StrEnum
from typing import Final, NamedTuple

from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientError,
    ClientSSLError,
    WSServerHandshakeError,
)
from zwave_js_server.const import MAX_SERVER_SCHEMA_VERSION, MIN_SERVER_SCHEMA_VERSION
from zwave_js_server.exceptions import (
    BaseZwaveJSServerError,
    CannotConnect,
    ConnectionFailed,
    FailedCommand,
    FailedZWaveCommand,
    InvalidServerVersion,
)
from zwave_js_server.model.version import VersionInfo

from hubd.driver import DriverError

SERVER: Final = "server"
CONTROLLER: Final = "controller"

SERVER_LOST: Final = "server_lost"
NOT_SUPPORTED_BY_CONTROLLER: Final = 105
"""zwave-js's error for a question that this model of controller cannot answer."""
CONTROLLER_TIMEOUT: Final = 200
"""zwave-js's error for a stick that took a frame and did not say what became of it, or did not take it."""

DRIVER_NOT_READY: Final = 1013
"""Close code with which zwave-js-server turns clients away while its driver has no controller."""

START: Final = (
    "Look at systemctl status hubd-zwave: it says so when it waits for its stick, and does not listen meanwhile. If it "
    "is not running, start it."
)
_CHECK_URL: Final = "Check the driver's url, and that zwave-js-server listens there."
_STICK: Final = "Check that the Z-Wave stick is plugged in, and under the name that STICK has in /etc/hubd/zwave.env."


class Kind(StrEnum):
    """What a failed command says about the order behind it."""

    UNREACHABLE = "unreachable"
    """It surely did not get to the device."""
    UNCERTAIN = "uncertain"
    """It may have."""
    REFUSED = "refused"
    UNSUPPORTED = "unsupported"


class CommandError(Exception):
    """A command that zwave-js-server did not carry out, or whose answer was lost."""

    def __init__(
        self, kind: Kind, code: str, message: str, number: int | None = None, *, suspect: bool = False
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.code = code
        self.message = message
        self.number = number
        """zwave-js's error code, where there is one."""
        self.suspect = suspect
        """The controller itself may be gone."""

    def without(self, secret: str) -> "CommandError":
        """Return the same without a PIN that the message might quote."""
        message = self.message.replace(secret, "*" * len(secret))
        return CommandError(self.kind, self.code, message, self.number, suspect=self.suspect)


class _Meaning(NamedTuple):
    kind: Kind
    code: str
    message: str
    suspect: bool = False


_GONE: Final = _Meaning(Kind.UNREACHABLE, "controller_lost", "zwave-js cannot use its controller.", suspect=True)
_KEYS: Final = _Meaning(
    Kind.UNREACHABLE,
    "secure_link_failed",
    "The device and the controller do not agree on their encryption at the moment.",
)
_NOT_KNOWN: Final = _Meaning(Kind.UNSUPPORTED, "not_supported", "The device does not know this command.")

_ZWAVE: Final[dict[int, _Meaning]] = {
    **dict.fromkeys((100, 101, 102, 103, 112, 200, 203, 206), _GONE),
    201: _Meaning(Kind.UNCERTAIN, "no_answer", "The device received something and did not answer in time."),
    202: _Meaning(Kind.UNREACHABLE, "device_unreachable", "zwave-js dropped the command.", suspect=True),
    # Three transmissions without an acknowledgement. A lock that heard one obeys, though its acknowledgement is lost.
    204: _Meaning(Kind.UNCERTAIN, "device_unreachable", "The device does not acknowledge: probably no radio contact."),
    205: _Meaning(Kind.UNREACHABLE, "radio_jammed", "The controller cannot transmit: the radio channel is occupied."),
    211: _Meaning(Kind.UNREACHABLE, "device_unknown", "The node is no longer part of the Z-Wave network."),
    213: _Meaning(Kind.UNREACHABLE, "device_unknown", "The node was removed from the Z-Wave network."),
    214: _Meaning(Kind.REFUSED, "not_secure", "The node must be included securely before it takes this command."),
    215: _Meaning(Kind.UNREACHABLE, "device_unreachable", "zwave-js could not send the command in time."),
    302: _NOT_KNOWN,
    303: _NOT_KNOWN,
    304: _NOT_KNOWN,
    322: _Meaning(Kind.REFUSED, "invalid_value", "zwave-js does not accept the value for this device."),
    1100: _Meaning(Kind.REFUSED, "device_refused", "The device refused the command."),
    **dict.fromkeys((1400, 1401, 1404, 1405), _KEYS),
    1402: _Meaning(Kind.REFUSED, "not_secure", "zwave-js has no S2 security key for this network."),
    1403: _Meaning(Kind.REFUSED, "not_secure", "The node was included without the security this command needs."),
}
"""By `ZWaveErrorCodes` of zwave-js 15."""

_REFUSED_BY_SERVER: Final = {
    "node_not_found": _ZWAVE[211],
    "invalid_params_passed_to_command": _ZWAVE[322],
    "unknown_command": _NOT_KNOWN,
    "inclusion_already_in_progress": _Meaning(Kind.REFUSED, "controller_busy", "The stick includes a device already."),
    "inclusion_phase_not_in_progress": _Meaning(Kind.REFUSED, "not_asked", "zwave-js does not wait for this."),
}


def command_error(error: BaseZwaveJSServerError) -> CommandError:
    """Translate what a command raised."""
    if isinstance(error, FailedZWaveCommand):
        meaning = _ZWAVE.get(error.zwave_error_code)
        if meaning is None:
            message = f"zwave-js reports error {error.zwave_error_code}: {error.zwave_error_message}"
            return CommandError(Kind.UNCERTAIN, "zwave_error", _sentence(message), error.zwave_error_code)
        return CommandError(
            meaning.kind, meaning.code, meaning.message, error.zwave_error_code, suspect=meaning.suspect
        )
    if isinstance(error, FailedCommand):
        meaning = _REFUSED_BY_SERVER.get(error.error_code)
        if meaning is None:
            return CommandError(Kind.UNCERTAIN, "server_error", f"zwave-js-server reports: {_first_line(error)}.")
        return CommandError(meaning.kind, meaning.code, meaning.message)
    return CommandError(Kind.UNREACHABLE, SERVER_LOST, "The connection to zwave-js-server is gone; nothing was sent.")


def answer_lost() -> CommandError:
    """Return the error of a command that had left when the connection broke."""
    return CommandError(Kind.UNCERTAIN, SERVER_LOST, "The connection to zwave-js-server broke before it answered.")


def connect_error(error: Exception, url: str, seconds: float) -> DriverError:
    """Translate what connecting raised: name, port, time-out, TLS, protocol and version each for itself."""
    if isinstance(error, CannotConnect) and error.error is not None:
        return connect_error(error.error, url, seconds)
    if isinstance(error, InvalidServerVersion):
        return DriverError(SERVER, "version_mismatch", _sentence(str(error)))
    if isinstance(error, ClientConnectorDNSError):
        remedy = "Check the host name in the driver's url, or use the address instead."
        return DriverError(SERVER, "name_not_resolved", f"The host name in {url} cannot be resolved.", remedy)
    if isinstance(error, ClientConnectorCertificateError):
        remedy = "Give the TLS proxy a certificate that this machine trusts, or use ws:// within the machine."
        message = f"The certificate of {url} is not trusted: {_first_line(error)}."
        return DriverError(SERVER, "tls_not_trusted", message, remedy)
    if isinstance(error, ClientSSLError):
        message = f"{url} does not speak TLS as expected: {_first_line(error)}."
        return DriverError(SERVER, "tls_failed", message, "Use ws:// if there is no TLS proxy before zwave-js-server.")
    if isinstance(error, WSServerHandshakeError):
        message = f"{url} answers, but not as a websocket (HTTP status {error.status})."
        return DriverError(SERVER, "not_zwave_js", message, _CHECK_URL)
    if isinstance(error, TimeoutError):
        remedy = f"{_CHECK_URL} A firewall that drops packets looks like this, too."
        return DriverError(SERVER, "connect_timeout", f"{url} did not answer within {seconds:g} s.", remedy)
    if isinstance(error, OSError):
        return _os_error(error, url)
    if isinstance(error, BaseZwaveJSServerError | ClientError | KeyError | TypeError | ValueError | AttributeError):
        message = f"What answers at {url} is not zwave-js-server ({type(error).__name__}: {_first_line(error)})."
        return DriverError(SERVER, "not_zwave_js", message, _CHECK_URL)
    raise error


def version_error(version: VersionInfo) -> DriverError:
    """Return the error of a server whose API this client does not speak."""
    low, high = version.min_schema_version, version.max_schema_version
    message = (
        f"zwave-js-server {version.server_version} speaks API schema {low} to {high}, "
        f"hubd {MIN_SERVER_SCHEMA_VERSION} to {MAX_SERVER_SCHEMA_VERSION}."
    )
    is_old = high < MIN_SERVER_SCHEMA_VERSION
    remedy = "Install the one that belongs to it (hubd-zwave install) and restart it." if is_old else "Update hubd."
    return DriverError(SERVER, "version_mismatch", message, remedy, version=version.server_version)


def closed_error(code: int | None, url: str, error: Exception | None, *, controller: DriverError | None) -> DriverError:
    """Return the error of a websocket that ended. `controller` is the loss of the controller that preceded it."""
    if code == DRIVER_NOT_READY:
        message = "zwave-js-server runs, but its driver has no controller."
        return DriverError(CONTROLLER, "controller_not_ready", message, _STICK)
    if controller is not None:
        message = f"{controller.message} zwave-js-server has given it up and closed the connection."
        return DriverError(CONTROLLER, controller.code, message, controller.remedy)
    if isinstance(error, ConnectionFailed):
        message = f"zwave-js-server at {url} has stopped answering."
        return DriverError(SERVER, "server_silent", message, "Restart it (systemctl restart hubd-zwave).")
    if error is not None:
        message = f"zwave-js-server at {url} sent what hubd does not understand ({_first_line(error)})."
        return DriverError(SERVER, "protocol_error", message, "Note the versions of both and report it.")
    return DriverError(SERVER, "connection_closed", f"zwave-js-server at {url} closed the connection.", START)


def controller_error(code: str, message: str) -> DriverError:
    """Return the loss of the controller behind a living server."""
    return DriverError(CONTROLLER, code, message, _STICK)


def _os_error(error: OSError, url: str) -> DriverError:
    if isinstance(error, ConnectionRefusedError) or error.errno == errno.ECONNREFUSED:
        return DriverError(SERVER, "connection_refused", f"Nothing listens at {url}.", START)
    if error.errno in {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN}:
        remedy = "Check cable, network and the address in the driver's url."
        return DriverError(SERVER, "no_route", f"There is no way to {url}: {error.strerror}.", remedy)
    return DriverError(SERVER, "connection_failed", f"Connecting to {url} failed: {_first_line(error)}.", _CHECK_URL)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200].rstrip(".")


def _sentence(words: str) -> str:
    line = words.strip().splitlines()[0][:300]
    return line if line.endswith(".") else f"{line}."
