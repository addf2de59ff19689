"""Responses that are the same whatever page they belong to."""

from collections.abc import Mapping

from hubd.core.message import Request, Response
from hubd.model.errors import BusyError, HubError, InvalidInputError, NotFoundError, RefusedError, StoreError
from hubd.web.guard import ForgeryError

HTML = "text/html; charset=utf-8"
RETRY_SECONDS = 5


class MethodError(HubError):
    """The path does not take this method."""

    def __init__(self, allowed: str) -> None:
        super().__init__("method_not_allowed", f"This path takes {allowed}.", allow=allowed)
        self.allowed = allowed


def only(request: Request, *methods: str) -> None:
    """Refuse other methods. Raises `MethodError`."""
    if request.method not in methods:
        raise MethodError(", ".join(methods))


def go(path: str, cookie: str = "") -> Response:
    """Send the browser to another page, to be fetched with GET."""
    return Response(status=303, headers={"location": path} | ({"set-cookie": cookie} if cookie else {}))


def status_of(error: HubError) -> tuple[int, Mapping[str, str]]:
    """Return the status of an error, and the headers it asks for."""
    match error:
        case InvalidInputError():
            return 400, {}
        case ForgeryError() | RefusedError():
            return 403, {}
        case NotFoundError():
            return 404, {}
        case MethodError():
            return 405, {"allow": error.allowed}
        case BusyError() | StoreError():
            return 503, {"retry-after": str(RETRY_SECONDS)}
        case _:
            return 500, {}
