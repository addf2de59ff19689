"""Answers and errors in Seam's envelope."""

import re
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
RETRY_AFTER = "1"
"""Seconds after which a full queue or a refusing disk may have changed its mind."""

_encode = msgspec.json.Encoder().encode
_TOP = re.compile(r"[^.\[]*")
_LONGEST_QUOTE = 300
_CONFLICTS = {
    "climate_preset_exists",
    "climate_preset_in_use",
    "credential_exists",
    "credential_issued",
    "duplicate_access_code",
    "manual_override_not_allowed",
    "no_space_for_access_code_on_device",
}
"""Refused for the sake of something else that is on the device, or planned for it; it can be done once that is gone."""


class AccessError(HubError):
    """Not who they should be (401), or not allowed to (403)."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code, message)
        self.status = status


class RouteError(HubError):
    """The route is not there (404), not for a hub (501), or not with this verb (405; `verbs` are those it takes)."""

    def __init__(self, status: int, code: str, message: str, verbs: tuple[str, ...] = ()) -> None:
        super().__init__(code, message)
        self.status = status
        self.verbs = verbs


class TooManyError(HubError):
    """A rate limit (429); `retry_after` in seconds."""

    def __init__(self, retry_after: float, message: str) -> None:
        super().__init__("rate_limited", message, retry_after_seconds=round(retry_after, 1))
        self.retry_after = retry_after


def quotable(text: str) -> str:
    """Return what a caller sent as it can stand in an answer: encodable and not endless."""
    text = text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}…"
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def answer(body: msgspec.Struct, status: int = 200) -> Response:
    """Encode an answer."""
    return Response(status=status, body=_encode(body), headers=JSON)


def failure(error: HubError, request_id: str) -> Response:
    """Encode an error; the type is stable, the message is for people."""
    body: dict[str, Any] = {"type": error.code, "message": error.message, "request_id": request_id}
    if error.data:
        body["data"] = error.data
    if isinstance(error, InvalidInputError):
        body["validation_errors"] = _validation_errors(error)
    status, headers = _status(error)
    return Response(status=status, body=_encode({"error": body, "ok": False}), headers={**JSON, **headers})


def _validation_errors(error: InvalidInputError) -> dict[str, Any]:
    """Name the parameter as the SDKs ask for it: by its top level; the place within stands in the sentence."""
    match = _TOP.match(error.field)
    top = match[0] if match else ""
    inner = error.field[len(top) :].removeprefix(".")
    sentence = f"{inner}: {error.reason}" if inner else error.reason
    if not top:
        return {"_errors": [sentence]}
    return {"_errors": [], top: {"_errors": [sentence]}}


def _status(error: HubError) -> tuple[int, dict[str, str]]:
    match error:
        case AccessError(status=401):
            return 401, {"www-authenticate": "Bearer"}
        case RouteError(status=405, verbs=verbs):
            return 405, {"allow": ", ".join(verbs)}
        case AccessError(status=status) | RouteError(status=status):
            return status, {}
        case TooManyError(retry_after=seconds):
            return 429, {"retry-after": str(max(1, round(seconds)))}
        case RefusedError(code=code) if code in _CONFLICTS:
            return 409, {}
        case InvalidInputError() | RefusedError():
            return 400, {}
        case NotFoundError():
            return 404, {}
        case BusyError(code="stopping") | StoreError():
            return 503, {"retry-after": RETRY_AFTER}
        case BusyError():
            return 429, {"retry-after": RETRY_AFTER}
        case _:
            return 500, {}
