"""Errors with a stable code, a sentence for a technician and data; prose is never parsed."""

type Detail = dict[str, str | int | float | bool | list[str] | None]


def writable(text: str) -> str:
    """Return text as UTF-8 can hold it: a character that was cut in half, as a name from a network may be, is a `?`."""
    return text if text.isascii() else text.encode(errors="replace").decode()


class HubError(Exception):
    """Something the caller or the site can act on. `code` is stable; `message` is shown to people as it is."""

    def __init__(self, code: str, message: str, **data: str | float | bool | list[str] | None) -> None:
        self.code = code
        self.message = writable(message)
        super().__init__(self.message)
        self.data: Detail = dict(data)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(code={self.code!r}, message={self.message!r})"


class NotFoundError(HubError):
    """No such thing on this hub."""


class InvalidInputError(HubError):
    """The request cannot mean anything; `field` names the member that is wrong."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__("invalid_input", f"{field}: {message}" if field else message, field=field)
        self.field = field
        self.reason = message


class RefusedError(HubError):
    """The request is well formed and cannot be done in this state (capability missing, device unmanaged)."""


class BusyError(HubError):
    """A bound was reached; trying again later can succeed."""


class StoreError(HubError):
    """The database did not take a write or give an answer (disk full, read-only, damaged)."""
