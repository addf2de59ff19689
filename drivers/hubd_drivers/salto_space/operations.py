"""What the numbers in an audit trail mean. Unknown ones keep their number. Pure.

Compared between several public integrations.
"""

from typing import Final, NamedTuple

from hubd.model import DenialReason, EntranceCondition, Method
from hubd.model.access import Passage

ONLINE_COMMAND: Final = 28


class Meaning(NamedTuple):
    """What one number says."""

    name: str
    passage: Passage = "other"
    method: Method = "unknown"
    reason: DenialReason | None = None
    condition: tuple[EntranceCondition, bool] | None = None


def _opened(name: str, method: Method) -> Meaning:
    return Meaning(name, "granted", method)


def _refused(name: str, reason: DenialReason | None = "credential_error", method: Method = "card") -> Meaning:
    return Meaning(name, "refused", method, reason)


def _begins(name: str, condition: EntranceCondition) -> Meaning:
    return Meaning(name, condition=(condition, True))


def _ends(name: str, condition: EntranceCondition) -> Meaning:
    return Meaning(name, condition=(condition, False))


MEANINGS: Final[dict[int, Meaning]] = {
    8: Meaning("new renovation code for the door (online)"),
    16: _opened("opened from inside by the handle", "manual"),
    17: _opened("opened with a key", "card"),
    18: _opened("opened with key and keypad", "card"),
    19: _opened("opened with a guest key of several", "card"),
    20: _opened("opened with a unique key", "card"),
    21: _opened("opened by a switch", "manual"),
    22: _opened("opened with the mechanical key", "manual"),
    23: Meaning("first of two keys was shown", method="card"),
    24: _opened("opened after the second key", "card"),
    25: _opened("opened with the portable programming device", "unknown"),
    26: _opened("opened by keypad", "keycode"),
    27: _opened("opened with a spare key", "card"),
    ONLINE_COMMAND: _opened("opened by command", "remote"),
    29: _opened("opened with key and PIN", "card"),
    32: _ends("office mode ended by keypad", "office_mode"),
    33: Meaning("closed with a key", method="card"),
    34: Meaning("closed with key and keypad", method="card"),
    35: Meaning("closed by keypad", method="keycode"),
    36: Meaning("closed by a switch", method="manual"),
    37: Meaning("key put into the energy saver", method="card"),
    38: Meaning("key taken from the energy saver", method="card"),
    39: Meaning("room prepared"),
    40: _begins("privacy mode started", "privacy_mode"),
    41: _ends("privacy mode ended", "privacy_mode"),
    42: Meaning("duress alarm"),
    47: Meaning("communication with the reader lost"),
    48: Meaning("communication with the reader back"),
    49: _begins("office mode started", "office_mode"),
    50: _ends("office mode ended", "office_mode"),
    51: Meaning("guest key cancelled"),
    54: Meaning("spare key programmed"),
    55: Meaning("new guest key"),
    56: _begins("emergency opening started", "emergency_open"),
    57: _ends("emergency opening ended", "emergency_open"),
    58: _begins("emergency closing started", "emergency_close"),
    59: _ends("emergency closing ended", "emergency_close"),
    60: _begins("intrusion", "intrusion"),
    61: _begins("tampering", "tamper"),
    62: _begins("door left open", "left_open"),
    63: _ends("door no longer left open", "left_open"),
    64: _ends("intrusion ended", "intrusion"),
    65: _begins("office mode started by command", "office_mode"),
    66: _ends("office mode ended by command", "office_mode"),
    67: _ends("tampering ended", "tamper"),
    68: Meaning("automatic change"),
    69: Meaning("key updated outside the site", method="card"),
    70: Meaning("expiry of the key extended", method="card"),
    72: Meaning("online peripheral updated"),
    76: Meaning("key updated", method="card"),
    78: Meaning("key deleted", method="card"),
    79: Meaning("communication with the software lost"),
    80: Meaning("communication with the software back"),
    81: _refused("refused: the key is not active yet"),
    82: _refused("refused: the key has expired", "expired_code"),
    83: _refused("refused: the key is out of date"),
    84: _refused("refused: the key may not pass here"),
    85: _refused("refused: not at this time"),
    87: _refused("refused: privacy mode", "blocked_by_privacy_mode"),
    88: _refused("refused: an old guest key", "expired_code"),
    89: _refused("refused: the guest key is cancelled", "blocklisted_code"),
    90: _refused("refused: antipassback"),
    91: _refused("refused: the second key is missing"),
    92: _refused("refused: no authorization"),
    93: _refused("refused: wrong PIN", "unknown_code", "keycode"),
    95: _refused("refused: the door is in emergency state", None),
    96: _refused("refused: the key is cancelled", "blocklisted_code"),
    97: _refused("refused: the unique key was used already"),
    98: _refused("refused: old renovation number"),
    99: _refused("refused: the key is not fully updated"),
    100: Meaning("refused: out of battery", "refused", "card", None, ("low_battery", True)),
    101: _refused("refused: the opening cannot be written on the key"),
    102: _refused("refused: the time of the locker is over", "expired_code"),
    103: _refused("refused by the host"),
    104: Meaning("blacklisted key deleted", method="card"),
    107: _refused("refused: the data on the key were tampered with"),
    111: Meaning("closing refused: the door is in emergency state"),
    112: Meaning("new renovation code"),
    113: Meaning("portable programming device connected"),
    114: Meaning("daylight saving time"),
    115: _begins("low battery", "low_battery"),
    116: Meaning("the clock of the lock is wrong"),
    117: Meaning("clock of the lock set by radio"),
    118: Meaning("lock updated by radio"),
    119: Meaning("hardware failure"),
    120: Meaning("lock restarted"),
    1000: Meaning("software and door in communication again"),
    1001: Meaning("software and door out of communication"),
    2000: Meaning("new guest key issued"),
    2001: Meaning("guest key copied"),
}


def meaning(operation: int | None) -> Meaning:
    """Return what a number says; of one that nobody knows, the number."""
    if operation is None:
        return Meaning("an operation that Space did not name")
    found = MEANINGS.get(operation)
    return Meaning(f"operation {operation}") if found is None else found
