"""Which user of a lock a PIN is given to, where its slot belongs to nobody yet. Pure."""

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Final

from hubd_drivers.zwave.facts import integer, mapping

_LAST_USER: Final = 0xFFFF
_GENERAL: Final = 0
"""`UserCredentialUserType`. Others may program the lock, give an alarm, or are deleted after one use."""
_SINGLE: Final = 1
"""`UserCredentialRule`: one credential opens."""


def free_user(
    slot: int, most: int, users: Iterable[object], credentials: Iterable[object], taken: int = 0
) -> int | None:
    """Return the user of the slot's number or, where that is somebody's, another one who is nobody's; None: all are.

    Nobody's is a user whom zwave-js does not know, or who may just enter and has no credential, as the hub leaves those
    that it has made. What is given to somebody else's user could program the lock, or let in who was shut out. `taken`:
    one that is somebody's, whatever zwave-js knows.
    """
    known = {integer(mapping(one).get("userId"), 1, _LAST_USER): mapping(one) for one in users}
    owners = {integer(mapping(one).get("userId"), 1, _LAST_USER) for one in credentials}
    for number in chain((slot,), range(most, 0, -1)):
        if number not in {*owners, taken} and _is_plain(known.get(number)):
            return number
    return None


def _is_plain(user: Mapping[str, object] | None) -> bool:
    return user is None or (user.get("userType") == _GENERAL and user.get("credentialRule", _SINGLE) == _SINGLE)
