"""What a Notification means. Numbers are those of the Z-Wave registry "Notification Command Class, list of assigned".

zwave-js gives some of them as events and others (a jam, a blocked keypad, an open door) as values of a state variable;
both carry the same numbers.
"""

from typing import Final, NamedTuple

from hubd.model import DenialReason, Method
from hubd_drivers.zwave.events import Notified

ACCESS: Final = 6
SECURITY: Final = 7
POWER: Final = 8
TYPES: Final = {"Access Control": ACCESS, "Home Security": SECURITY, "Power Management": POWER}
"""Notification types by the property under which zwave-js keeps their state variables."""


class Use(NamedTuple):
    """Somebody or something moved the bolt."""

    locked: bool
    method: Method
    slot: int | None = None


class Denial(NamedTuple):
    """Somebody was refused."""

    reason: DenialReason
    message: str


_USES: Final[dict[int, tuple[bool, Method]]] = {
    1: (True, "manual"),
    2: (False, "manual"),
    3: (True, "remote"),
    4: (False, "remote"),
    5: (True, "keycode"),
    6: (False, "keycode"),
    9: (True, "automatic"),
    33: (True, "keycode"),
    34: (False, "keycode"),
    35: (True, "keycode"),
    36: (False, "keycode"),
}
_CREDENTIAL_USES: Final = frozenset({35, 36})
_CREDENTIALS: Final[dict[int, Method]] = {1: "keycode", 2: "keycode", 3: "card", 5: "card", 12: "card"}
_NOT_FULLY_LOCKED: Final = frozenset({7, 8, 10, 11})
_DENIALS: Final = {
    16: Denial("too_many_attempts", "The keypad has blocked itself for a while after too many wrong codes."),
    19: Denial("too_many_attempts", "Too many wrong codes were entered."),
    20: Denial("unknown_code", "An unlock over the air came with a code the lock does not know."),
    21: Denial("unknown_code", "A lock command over the air came with a code the lock does not know."),
    47: Denial("blocklisted_code", "The credential is valid, but its user is disabled on the lock."),
    48: Denial("expired_code", "The credential is valid, but not at this time."),
    49: Denial("credential_error", "One credential was right; the lock wants another one besides."),
    50: Denial("unknown_code", "A credential the lock does not know was used."),
}
_WRONG_CODE: Final = Denial("unknown_code", "The lock reports tampering with wrong codes.")
_INVALID_CODE: Final = 4
_TAMPERING: Final = frozenset({3, 9, 10})
_INTRUSION: Final = frozenset({1, 2})
_BATTERY_LOW: Final = frozenset({10, 11})
_CHARGE_LOW: Final = frozenset({14, 15})


def use_of(notice: Notified) -> Use | None:
    """Return the use of the lock that a notification reports."""
    found = _USES.get(notice.event) if notice.type == ACCESS else None
    if found is None:
        return None
    locked, method = found
    if notice.event in _CREDENTIAL_USES:
        method = "unknown" if notice.credential is None else _CREDENTIALS.get(notice.credential, "unknown")
    return Use(locked, method, notice.user if method in {"keycode", "card"} else None)


def is_jam(kind: int, event: int) -> bool:
    """Tell whether the bolt did not get where it should."""
    return kind == ACCESS and event in _NOT_FULLY_LOCKED


def denial_of(kind: int, event: int) -> Denial | None:
    """Return the refusal that an event or state reports."""
    if kind == SECURITY and event == _INVALID_CODE:
        return _WRONG_CODE
    return _DENIALS.get(event) if kind == ACCESS else None


def is_tampering(kind: int, event: int, *, of_a_lock: bool) -> bool:
    """Tell whether somebody is at the housing; a lock's own burglar alarm counts too."""
    return kind == SECURITY and (event in _TAMPERING or (of_a_lock and event in _INTRUSION))


def is_battery_low(kind: int, event: object) -> bool:
    """Tell whether the battery should be replaced or charged."""
    return kind == POWER and event in _BATTERY_LOW | _CHARGE_LOW


def is_charge_low(kind: int, event: object) -> bool:
    """Tell whether a rechargeable battery should be charged."""
    return kind == POWER and event in _CHARGE_LOW
