"""Answers and errors in Seam's envelope."""

from collections.abc import Mapping
from typing import Any

import msgspec

from hubd.core.message import Response
from hubd.model.errors import (
    BusyError,
    HubError,
    InvalidInputError,
    NotFoundError,
    RefusedError,
    StoreError,
)

JSON: Mapping[str, str] = {"content-type": "application/json; charset=utf-8"}

_encode = msgspec.json.Encoder().encode


class AccessError(HubError):
    """Not who they should be (401), or not allowed to (403)."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code, message)
        self.status = status


class RouteError(HubError):
    """The route is not there (404), not for a hub (501), or not with this verb (405)."""

    def __init__(self, status: int, code: str, message: str, **data: str) -> None:
        super().__init__(code, message, **data)
        self.status = status


class TooManyError(HubError):
    """A rate limit (429); `retry_after` in seconds."""

    def __init__(self, retry_after: float, message: str) -> None:
        super().__init__("rate_limited", message, retry_after_seconds=round(retry_after, 1))
        self.retry_after = retry_after


def answer(body: msgspec.Struct, status: int = 200) -> Response:
    """Encode an answer."""
    return Response(status=status, body=_encode(body), headers=JSON)


def failure(error: HubError, request_id: str) -> Response:
    """Encode an error; the type is stable, the message is for people."""
    body: dict[str, Any] = {"type": error.code, "message": error.message, "request_id": request_id}
    if error.data:
        body["data"] = error.data
    headers = dict(JSON)
    match error:
        case InvalidInputError(field=field, reason=reason):
            body["validation_errors"] = {"_errors": [] if field else [reason]}
            if field:
                body["validation_errors"][field] = {"_errors": [reason]}
            status = 400
        case AccessError(status=status) | RouteError(status=status):
            pass
        case TooManyError(retry_after=seconds):
            headers["retry-after"] = str(max(1, round(seconds)))
            status = 429
        case NotFoundError():
            status = 404
        case BusyError():
            status = 503 if error.code == "stopping" else 429
        case StoreError():
            status = 503
        case RefusedError():
            status = 400
        case _:
            status = 500
    return Response(status=status, body=_encode({"error": body, "ok": False}), headers=headers)
