"""The keys of a `[drivers.<id>]` table of type `salto_space`."""

import re
from collections.abc import Iterator
from typing import Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from hubd.driver import DriverConfig
from hubd_drivers.salto_space.address import AddressError, Parts, parse

WEB_PORT: Final = 8100
"""Where ProAccess Space listens for HTTP(S) unless somebody changed it. STP has no such port."""
MOST_ENCODERS: Final = 64

type TransportName = Literal["stp", "http", "https"]


class Target(msgspec.Struct, frozen=True):
    """Where the server is and what is spoken to it."""

    transport: TransportName
    host: str
    """A name or an address; that of IPv6 without brackets."""
    port: int

    @property
    def place(self) -> str:
        """`HOST:PORT`, as people write it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """`stp://HOST:PORT` or the URL of the web service."""
        return f"{self.transport}://{self.place}"


class SaltoSpaceConfig(DriverConfig, frozen=True, kw_only=True):
    """Where the Space server is, and how often it is asked. A `ValueError` has a line for each wrong key."""

    host: str
    """Name or address of the Space server, or its URL, which says transport and port too (`http://10.0.0.5:8100`)."""
    port: int = 0
    """TCP port: that of the SHIP tab for STP, where it is required; 0: 8100, for HTTP(S)."""
    transport: Literal["", "stp", "http", "https"] = ""
    """What Space's SHIP tab is set to: `stp`, or `http` or `https`; empty: as the URL in `host` says."""

    auth: Literal["none", "basic", "custom"] = "none"
    """The authentication chosen in the SHIP tab for HTTP(S): none, user and password, or a key of one's own."""
    username: str = ""
    """The user's name, for `basic`."""
    secret_file: str = ""
    """Path of the file with the password (`basic`) or the key (`custom`) on its first line."""
    ca_file: str = ""
    """Path of a PEM file with the certificate (or that of its issuer) that the server must show over HTTPS."""
    certificate_sha256: str = ""
    """SHA-256 fingerprint of the server's certificate, which then need not be signed by anybody (64 hex digits)."""
    stp_version: str = "00"
    """The two digits of version in what is sent over STP; `01` was seen at one site."""

    time_zone: str
    """Time zone of the Windows computer on which Space runs, such as `Europe/Madrid` (required)."""
    encoders: tuple[str, ...] = ()
    """Names of the encoders, exactly as in Space: it does not tell them."""

    poll_seconds: float = 5.0
    """Seconds between two questions for the state of the online doors (0.1 to 300)."""
    audit_seconds: float = 10.0
    """Seconds between two readings of the audit trail (0.1 to 3600)."""
    sync_seconds: float = 300.0
    """Seconds between two readings of all users, doors and access levels (1 to 86400)."""
    page_size: int = 500
    """How many records are asked for at once (2 to 10000)."""
    encode_seconds: float = 60.0
    """Seconds that somebody gets to present a card at an encoder (1 to 75; an order to encode lives for 90)."""
    timeout: float = 10.0
    """Seconds until a server that does not answer counts as lost (0.2 to 120)."""
    event_stream: str = ""
    """Where Space's event stream is listened for: `tcp://0.0.0.0:6501` or `udp://0.0.0.0:6501`; empty: nowhere."""

    def __post_init__(self) -> None:
        if wrong := [*_wrong_address(self), *_wrong_login(self), *_wrong_tls(self), *_wrong_rest(self)]:
            raise ValueError("\n".join(wrong))

    @property
    def target(self) -> Target:
        """Where to connect to, by `host`, `port` and `transport` together."""
        parts = parse(self.host)
        transport = _transport(self, parts)
        port = parts.port or self.port or WEB_PORT
        return Target("stp" if transport is None else transport, parts.host, port)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the server."""
        return ZoneInfo(self.time_zone)

    @property
    def pin(self) -> bytes | None:
        """The 32 bytes of `certificate_sha256`; None without it."""
        return bytes.fromhex(_bare_hex(self.certificate_sha256)) if self.certificate_sha256 else None

    @property
    def stream(self) -> tuple[Literal["tcp", "udp"], str, int] | None:
        """Protocol, address and port to listen at for the event stream; None without it."""
        if not self.event_stream:
            return None
        parts = parse(self.event_stream)
        return "udp" if parts.scheme == "udp" else "tcp", parts.host, parts.port or 0


def _transport(config: SaltoSpaceConfig, parts: Parts) -> TransportName | None:
    match parts.scheme:
        case "stp" | "http" | "https":
            return parts.scheme
        case _:
            return config.transport or None


def _wrong_address(config: SaltoSpaceConfig) -> Iterator[str]:
    try:
        parts = parse(config.host)
    except AddressError as error:
        yield f"host: must be the name, address or URL of the Space server, such as http://192.168.1.101:8100; {error}"
        return
    if parts.scheme not in {"", "stp", "http", "https"}:
        yield f"host: a URL of the Space server begins with stp://, http:// or https://, not {parts.scheme}://"
        return
    if parts.has_path:
        yield f"host: SHIP has no path; did you mean {parts.bare!r}?"
    transport = _transport(config, parts)
    if transport is None:
        yield (
            'transport: must be "stp" or "http" (or "https"), whichever is chosen in Space under System > General '
            "options > SHIP"
        )
    if config.transport and transport != config.transport:
        yield f'transport: "{config.transport}" contradicts the URL in host, which says {transport}; leave one out'
    yield from _wrong_port(config, parts, transport)


def _wrong_port(config: SaltoSpaceConfig, parts: Parts, transport: TransportName | None) -> Iterator[str]:
    if config.port and not 1 <= config.port <= 65535:  # noqa: PLR2004 - TCP's own
        yield f"port: must be between 1 and 65535, not {config.port}"
    elif config.port and parts.port is not None and config.port != parts.port:
        yield f"port: {config.port} contradicts the address in host, which says {parts.port}; leave one out"
    elif transport == "stp" and not config.port and parts.port is None:
        yield (
            "port: must be given for STP, which has no usual port; it stands in Space under System > General options "
            "> SHIP, as TCP/IP port"
        )


def _wrong_login(config: SaltoSpaceConfig) -> Iterator[str]:
    if config.auth != "none" and _is_stp(config):
        yield f'auth: STP has no authentication; leave "{config.auth}" out, or choose HTTP(S) in Space'
        return
    if config.auth == "basic" and not config.username.strip():
        yield "username: must be the user's name that was typed in Space's SHIP tab, for basic authentication"
    if config.auth == "basic" and ":" in config.username:
        yield "username: basic authentication allows no colon in it; choose another name in Space's SHIP tab"
    if config.auth != "basic" and config.username:
        yield f'username: nobody asks for it with auth = "{config.auth}"; say auth = "basic", or leave it out'
    if config.auth == "none" and config.secret_file:
        yield 'secret_file: nobody asks for it with auth = "none"; say auth = "basic" or "custom", or leave it out'
    if config.auth != "none" and not config.secret_file.startswith("/"):
        what = "password" if config.auth == "basic" else "key"
        yield f"secret_file: must be the whole path of a file with the {what}, such as /etc/hubd/salto.secret"


def _wrong_tls(config: SaltoSpaceConfig) -> Iterator[str]:
    is_https = _transport_or_none(config) == "https"
    if config.ca_file and not is_https:
        yield 'ca_file: only HTTPS has certificates; say transport = "https", or leave it out'
    elif config.ca_file and not config.ca_file.startswith("/"):
        yield "ca_file: must be the whole path of a PEM file, such as /etc/hubd/salto-ca.pem"
    if not config.certificate_sha256:
        return
    if not is_https:
        yield 'certificate_sha256: only HTTPS has certificates; say transport = "https", or leave it out'
    elif config.ca_file:
        yield "certificate_sha256: either this or ca_file says which certificate is trusted; leave one out"
    if not re.fullmatch(r"[0-9a-fA-F]{64}", _bare_hex(config.certificate_sha256)):
        yield (
            "certificate_sha256: must be the 64 hex digits of the SHA-256 fingerprint (a shorter one is SHA-1's); "
            "hubd doctor shows the server's"
        )


def _wrong_rest(config: SaltoSpaceConfig) -> Iterator[str]:
    if not re.fullmatch(r"[0-9]{2}", config.stp_version):
        yield f'stp_version: must be two digits, such as "00", not {config.stp_version!r}'
    yield from _wrong_zone(config.time_zone)
    yield from _wrong_encoders(config.encoders)
    bounds = (
        ("poll_seconds", config.poll_seconds, 0.1, 300),
        ("audit_seconds", config.audit_seconds, 0.1, 3600),
        ("sync_seconds", config.sync_seconds, 1, 86400),
        ("page_size", config.page_size, 2, 10000),
        ("encode_seconds", config.encode_seconds, 1, 75),
        ("timeout", config.timeout, 0.2, 120),
    )
    for key, value, low, high in bounds:
        if not low <= value <= high:
            yield f"{key}: must be between {low:g} and {high:g}, not {value:g}"
    yield from _wrong_stream(config.event_stream)


def _wrong_zone(name: str) -> Iterator[str]:
    try:
        ZoneInfo(name or "none")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        said = f", not {name!r}" if name else ""
        yield f"time_zone: must be that of the computer Space runs on, such as Europe/Madrid{said}; its times have none"


def _wrong_encoders(names: tuple[str, ...]) -> Iterator[str]:
    if any(not name or name != name.strip() for name in names):
        yield "encoders: must be names as Space has them, none of them empty or with spaces around it"
    if len(set(names)) != len(names):
        yield "encoders: the same name stands there twice"
    if len(names) > MOST_ENCODERS:
        yield f"encoders: at most {MOST_ENCODERS}, not {len(names)}"


def _wrong_stream(text: str) -> Iterator[str]:
    if not text:
        return
    expected = "event_stream: must be where to listen, such as tcp://0.0.0.0:6501 or udp://0.0.0.0:6501"
    try:
        parts = parse(text)
    except AddressError as error:
        yield f"{expected}; {error}"
        return
    if parts.scheme not in {"tcp", "udp"} or parts.port is None or parts.has_path:
        yield f"{expected}, not {text!r}"


def _transport_or_none(config: SaltoSpaceConfig) -> TransportName | None:
    try:
        return _transport(config, parse(config.host))
    except AddressError:
        return config.transport or None


def _is_stp(config: SaltoSpaceConfig) -> bool:
    return _transport_or_none(config) == "stp"


def _bare_hex(text: str) -> str:
    return re.sub(r"[\s:]", "", text)
