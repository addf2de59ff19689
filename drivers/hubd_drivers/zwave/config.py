"""The keys of a `[drivers.<id>]` table of type `zwave`."""

from urllib.parse import urlsplit

from hubd.driver import DriverConfig

EXAMPLE = "ws://127.0.0.1:3000"


class ZwaveConfig(DriverConfig, frozen=True, kw_only=True):
    """Where zwave-js-server listens, and how patient the driver is. A bad value is a `ValueError` naming its key."""

    url: str = EXAMPLE
    """Address of the server's websocket: `ws://HOST:PORT`, or `wss://` behind a TLS proxy."""
    connect_timeout: float = 8.0
    """Seconds until a server that does not answer counts as lost (0.5 to 60)."""
    controller_check_seconds: float = 4.0
    """Seconds between two questions to the stick, which are how a pulled one is noticed (0.1 to 8)."""
    command_timeout: float = 15.0
    """Seconds a lock gets to prove that it did what it was told (1 to 60)."""
    attribution_ms: int = 700
    """Milliseconds within which a lock's report and the notification that explains it are one use (50 to 5000)."""

    def __post_init__(self) -> None:
        _check_url(self.url)
        _check_range("connect_timeout", self.connect_timeout, 0.5, 60)
        _check_range("controller_check_seconds", self.controller_check_seconds, 0.1, 8)
        _check_range("command_timeout", self.command_timeout, 1, 60)
        _check_range("attribution_ms", self.attribution_ms, 50, 5000)


def _check_range(key: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ValueError(f"{key} must be between {low:g} and {high:g}, not {value:g}")


def _check_url(url: str) -> None:
    expected = f"url must be the websocket address of zwave-js-server, such as {EXAMPLE}"
    try:
        parts = urlsplit(url)
        is_complete = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError as error:
        raise ValueError(f"{expected}, not {url!r} ({error})") from None
    if parts.scheme in {"ws", "wss"} and is_complete:
        return
    rest = url.partition("://")[2] or url
    guess = f"{'wss' if parts.scheme == 'https' else 'ws'}://{rest}"
    hint = f"; did you mean {guess!r}?" if rest and not rest.startswith("/") else ""
    raise ValueError(f"{expected}, not {url!r}{hint}")
