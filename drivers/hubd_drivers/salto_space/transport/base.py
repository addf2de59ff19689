"""What every transport has in common: one request out, one reply in, and an honest account of what went wrong."""

from enum import StrEnum
from typing import Final, Protocol

CEILING: Final = 16 * 2**20
"""Bytes of the longest reply that is taken. A page of 500 users with their rights is some 2 MB."""
CONNECT_SECONDS: Final = 5.0


class Stage(StrEnum):
    """How far a request got."""

    SETUP = "setup"
    """A file that the config names cannot be used; nothing was tried."""
    CONNECT = "connect"
    TLS = "tls"
    REPLY = "reply"
    """There was a connection, so that bytes may have left."""


class LinkError(Exception):
    """A request without an answer that can be used. The cause says what happened, `stage` when."""

    def __init__(
        self, stage: Stage, cause: Exception, *, sent: bool, received: int = 0, was_kept: bool = False
    ) -> None:
        super().__init__(f"{stage}: {type(cause).__name__}: {cause}")
        self.stage = stage
        self.cause = cause
        self.sent = sent
        """Bytes of the request may have left: whatever it orders may have been done."""
        self.received = received
        """How many bytes of a reply had come."""
        self.was_kept = was_kept
        """The connection had carried a request before, and may have been closed since."""

    @property
    def is_lost(self) -> bool:
        """The connection is gone, cut or silent, and another one may fare better."""
        return self.stage is Stage.REPLY and isinstance(self.cause, OSError | ClosedError)

    @property
    def is_worth_repeating(self) -> bool:
        """The connection broke, at once and not after a time-out: a new one may well do."""
        return self.is_lost and not isinstance(self.cause, TimeoutError)


class ClosedError(Exception):
    """The server closed the connection before its reply was whole."""

    def __init__(self) -> None:
        super().__init__("the server closed the connection")


class StatusError(Exception):
    """An HTTP status other than 200."""

    def __init__(self, status: int, location: str = "") -> None:
        super().__init__(f"HTTP status {status}")
        self.status = status
        self.location = location
        """Where it wants a browser to go."""


class HtmlError(Exception):
    """A page for people, with status 200."""

    def __init__(self) -> None:
        super().__init__("a web page")


class TooLongError(Exception):
    """More bytes than any reply has."""

    def __init__(self, ceiling: int) -> None:
        super().__init__(f"more than {ceiling} bytes")


class PinError(Exception):
    """The server's certificate is another than the pinned one."""

    def __init__(self, found: bytes) -> None:
        super().__init__("another certificate")
        self.found = found
        """The SHA-256 of the one it shows."""


class NotHttpError(Exception):
    """What answers does not speak HTTP."""

    def __init__(self, seen: str) -> None:
        super().__init__("no answer in HTTP")
        self.seen = seen
        """What a parser said of it, with the first bytes in it."""


class SecretError(Exception):
    """The file with the password or key cannot be used."""


class Transport(Protocol):
    """A way to the server. Requests of one transport that are not `fresh` go one after the other."""

    async def call(self, body: bytes, *, seconds: float, fresh: bool = False, repeatable: bool = False) -> bytes:
        """Send a request and return the body of its reply. Raises `LinkError`.

        `seconds` bound the whole exchange once it has its turn. A `fresh` request has a connection of its own: it waits
        for nobody and meets no stale one. A `repeatable` one is sent once more, on a new connection, when its own
        breaks; any other is sent at most once. Cancellation closes the connection.
        """
        ...

    async def close(self) -> None:
        """Close every connection; requests under way end with a `LinkError`."""
        ...
