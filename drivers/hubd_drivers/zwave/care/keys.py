"""Which keys a device gets, and what it means if it did not get them. Pure."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from hubd_drivers.zwave.care.catalogue import Security

UNENCRYPTED, S2_UNAUTHENTICATED, S2_AUTHENTICATED, S2_ACCESS_CONTROL, S0 = -1, 0, 1, 2, 7
"""`SecurityClass` of zwave-js."""

_BEST_FIRST: Final = (S2_ACCESS_CONTROL, S2_AUTHENTICATED, S2_UNAUTHENTICATED)
_NAMES: Final = {
    S2_ACCESS_CONTROL: "S2 Access Control",
    S2_AUTHENTICATED: "S2 Authenticated",
    S2_UNAUTHENTICATED: "S2 Unauthenticated",
    S0: "S0",
    UNENCRYPTED: "no encryption",
}
STRATEGIES: Final[dict[Security, int]] = {"auto": 0, "insecure": 2, "s0": 3, "s2": 4}
"""`InclusionStrategy` of zwave-js."""

_AGAIN: Final = "Exclude it, then include it again."
_CLOSER: Final = "Exclude it, then include it again within a few metres of the stick."
_FAILURES: Final[dict[int, tuple[str, str, str]]] = {
    0: ("keys_not_confirmed", "The digits of the DSK were not entered in time.", _AGAIN),
    1: (
        "no_security_keys",
        "zwave-js-server has no security keys to give.",
        "Set its keys (see docs/zwave.md), restart it, exclude the device and include it again.",
    ),
    3: ("keys_timeout", "The device stopped answering while keys were exchanged.", _CLOSER),
    4: ("keys_mismatch", "The device asks for an encryption that zwave-js does not know.", _AGAIN),
    5: ("keys_refused", "The device broke off the exchange of keys.", _CLOSER),
    6: ("wrong_pin", "The five digits do not fit the device.", f"{_AGAIN} Read them off its own label."),
    7: ("keys_mismatch", "Device and stick did not agree on their keys.", _CLOSER),
    8: ("s0_downgrade", "It offers S2 and ended with S0; somebody may have interfered by radio.", _AGAIN),
}
"""By `SecurityBootstrapFailure` of zwave-js."""
_OTHER: Final = ("keys_failed", "The exchange of keys failed.", _CLOSER)


class Weakness(NamedTuple):
    """Why a device is not encrypted as it should be."""

    code: str
    message: str
    remedy: str


def name_of(security: int | None) -> str:
    """Return what people call a security class."""
    return "encryption not known" if security is None else _NAMES.get(security, f"security class {security}")


def granted(asked: Iterable[int], security: Security) -> tuple[int, ...]:
    """Return what to grant of what a device asks for: its best S2 class alone, S0 only where there is no S2."""
    classes = set(asked)
    best = next((one for one in _BEST_FIRST if one in classes), None)
    if best is not None:
        return (best,)
    return (S0,) if S0 in classes and security == "auto" else ()


def weakness(reason: int | None, security: int | None, wish: Security, *, is_lock: bool) -> Weakness | None:
    """Tell what is wrong with a device's encryption, if anything is.

    `reason` is zwave-js's own complaint, `security` the best class that the device ended with.
    """
    has_s2 = security in _BEST_FIRST
    if reason is not None and not has_s2:
        return Weakness(*_FAILURES.get(reason, _OTHER))
    if wish == "s2" and not has_s2:
        return Weakness("no_s2", "It does not offer S2.", f"{_AGAIN} Choose the encryption s0 or auto.")
    if wish == "s0" and security != S0 and not has_s2:
        return Weakness("no_s0", "It does not offer S0.", f"{_AGAIN} Choose the encryption auto.")
    if is_lock and security != S0 and not has_s2:
        message = "A lock without encryption takes no codes, and anybody can command it by radio."
        return Weakness(
            "insecure_lock", message, f"{_AGAIN} Hold the stick closer to the lock; if it stays so, it knows none."
        )
    return None
