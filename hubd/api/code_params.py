"""Parameters that routes of access codes share."""

import re
from datetime import UTC, datetime
from typing import Annotated, Literal, overload

import msgspec
from msgspec import UNSET, UnsetType

from hubd.api.params import Params, Text
from hubd.api.route import Call
from hubd.model.errors import InvalidInputError, RefusedError

type Pin = Annotated[str, msgspec.Meta(min_length=4, max_length=12, pattern=r"^\d+$")]
type CodeName = Annotated[str, msgspec.Meta(max_length=255)]
type Length = Annotated[int, msgspec.Meta(ge=1, le=20)]
type Rounding = Literal["1hour", "1day", "1h", "1d"]

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_FIRST_YEAR, _LAST_YEAR = 1970, 9998


class NewCode(Params, frozen=True, kw_only=True):
    """What a new code may be like, on one lock or on several."""

    allow_external_modification: bool | None = None
    attempt_for_offline_device: bool = True
    code: Pin | None = None
    ends_at: Text | None = None
    is_external_modification_allowed: bool | None = None
    name: CodeName | None = None
    prefer_native_scheduling: bool = True
    preferred_code_length: Length | None = None
    starts_at: Text | None = None
    use_backup_access_code_pool: bool = False


@overload
def exact_time(field: str, text: str) -> datetime: ...
@overload
def exact_time(field: str, text: str | None) -> datetime | None: ...
def exact_time(field: str, text: str | None) -> datetime | None:
    """Return a time in UTC. Raises `InvalidInputError`, also without an offset: nobody's door goes by a guess."""
    if text is None:
        return None
    try:
        value = datetime.fromisoformat(text)
        if value.tzinfo is not None and _FIRST_YEAR <= value.year <= _LAST_YEAR:
            return value.astimezone(UTC)
    except (ValueError, OverflowError):
        value = None
    if value is not None and value.tzinfo is None:
        raise InvalidInputError(field, "needs an offset, such as 2026-01-31T16:00:00Z or 2026-01-31T16:00:00+01:00")
    raise InvalidInputError(field, "is not an ISO 8601 time, such as 2026-01-31T16:00:00Z")


def new_time(field: str, text: str | UnsetType | None) -> datetime | UnsetType | None:
    """Return a time in UTC, or UNSET where none is given. Raises as `exact_time`."""
    return UNSET if isinstance(text, UnsetType) else exact_time(field, text)


def plain_name(name: str | None) -> str | None:
    """Return a name as it is kept; an empty one is none. Raises `InvalidInputError`."""
    if name is not None and _CONTROL.search(name):
        raise InvalidInputError("name", "must be without line breaks and control characters")
    return name or None


def may_be_modified(*, old: bool | None, new: bool | None) -> bool | None:
    """Return Seam's older and newer word for one thing. Raises `InvalidInputError` if they differ."""
    if old is not None and new is not None and old is not new:
        raise InvalidInputError("allow_external_modification", "is another one than is_external_modification_allowed")
    return old if new is None else new


def refuse_offline_code(*flags: bool | None) -> None:
    """Raise `RefusedError` for a code that a maker's cloud would compute."""
    if any(flags):
        message = "This hub sets codes on locks; it has no codes that work without being set (offline access codes)."
        raise RefusedError("not_supported", message, flag="can_program_offline_access_codes")


def check_reachable(call: Call, device_id: str, *, attempt_for_offline: bool) -> None:
    """Raise `RefusedError` for a device that cannot be reached, if that is not to be waited out."""
    record = call.hub.devices.get(device_id)
    if attempt_for_offline or record is None or record.removed_at is not None or call.hub.is_reachable(record):
        return
    message = "The device cannot be reached now; with attempt_for_offline_device the hub would wait for it."
    raise RefusedError("device_offline", message, device_id=device_id)


def sees_pins(call: Call) -> bool:
    """Whether the caller may open doors, and so may see what opens them."""
    return call.principal.may("operator")
