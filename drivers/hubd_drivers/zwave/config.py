"""The keys of a `[drivers.<id>]` table of type `zwave`."""

from urllib.parse import urlsplit

from hubd.driver import DriverConfig

EXAMPLE = "ws://127.0.0.1:3000"


class ZwaveConfig(DriverConfig, frozen=True, kw_only=True):
    """Where zwave-js-server listens, and how patient the driver is. A `ValueError` has a line for each wrong key."""

    url: str = EXAMPLE
    """Address of the server's websocket: `ws://HOST:PORT`, or `wss://` behind a TLS proxy."""
    connect_timeout: float = 8.0
    """Seconds until a server that does not answer counts as lost (0.5 to 60)."""
    controller_check_seconds: float = 4.0
    """Seconds between two questions to the stick, which are how a pulled one is noticed (0.1 to 8)."""
    command_timeout: float = 10.0
    """Seconds a lock gets to prove that it did what it was told (1 to 60); it is asked a last time after them."""
    attribution_ms: int = 700
    """Milliseconds within which a lock's report and the notification that explains it are one use (50 to 5000)."""
    scan_minutes: float = 5.0
    """Minutes between two looks at the server's list of nodes, which prove that a device is gone (0.01 to 60)."""
    silent_poll_minutes: float = 60.0
    """Minutes after which a lock that does not report what is done by hand is asked; 0: never (else 0.01 to 1440)."""
    keys_file: str = ""
    """Path of the file with the network's security keys, of which a backup of the stick keeps a copy; empty: none."""
    dead_ping_minutes: float = 2.0
    """Minutes until a node that does not answer is asked again, ever more rarely; 0: never (else 0.01 to 1440)."""

    schedules: bool = False
    """Locks that have schedules keep to the time frame of a code by themselves, and have their clocks set."""

    def __post_init__(self) -> None:
        bounds = (
            ("connect_timeout", self.connect_timeout, 0.5, 60),
            ("controller_check_seconds", self.controller_check_seconds, 0.1, 8),
            ("command_timeout", self.command_timeout, 1, 60),
            ("attribution_ms", self.attribution_ms, 50, 5000),
            ("scan_minutes", self.scan_minutes, 0.01, 60),
            ("silent_poll_minutes", self.silent_poll_minutes or 1, 0.01, 1440),
            ("dead_ping_minutes", self.dead_ping_minutes or 1, 0.01, 1440),
        )
        wrong = [
            f"{key}: must be between {low:g} and {high:g}, not {value:g}"
            for key, value, low, high in bounds
            if not low <= value <= high
        ]
        if (refusal := _wrong_url(self.url)) is not None:
            wrong.insert(0, refusal)
        if wrong:
            raise ValueError("\n".join(wrong))


def _wrong_url(url: str) -> str | None:
    expected = f"url: must be the websocket address of zwave-js-server, such as {EXAMPLE}"
    try:
        parts = urlsplit(url)
        is_complete = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError as error:
        return f"{expected}, not {url!r} ({error})"
    if parts.scheme in {"ws", "wss"} and is_complete:
        return None
    rest = url.partition("://")[2] or url
    guess = f"{'wss' if parts.scheme == 'https' else 'ws'}://{rest}"
    hint = f"; did you mean {guess!r}?" if rest and not rest.startswith("/") else ""
    return f"{expected}, not {url!r}{hint}"
