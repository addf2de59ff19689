"""What older locks say in their makers' own numbers: alarm type and level of Notification CC version 1.

Each is put into the numbers of the Z-Wave registry, so that nothing behind this module knows a maker. Newer firmware
of the same locks says the same thing both ways in one frame, and zwave-js translates some models by its device files;
then both arrive, and count once (`attribution`).

Sources: the alarm mappings in zwave-js's device files (`kwikset_template.json`, `yale_template.json`,
`schlage_template.json`); the list collected for keymaster in zwave-js issue 1713; Kwikset's own table as quoted in
domoticz issue 1107; Home Assistant's former `zwave/lock.py` (`LOCK_ALARM_TYPE`, `MANUAL_LOCK_ALARM_LEVELS`,
`TAMPER_ALARM_LEVELS`); SmartThings' `zwave-lock.groovy` (`handleAlarmReportUsingAlarmType`); for Yale's modules
zwave-js issue 4737; for Schlage FE599 FutureTense/lock-manager issue 38.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from hubd_drivers.zwave.events import Notified
from hubd_drivers.zwave.facts import integer
from hubd_drivers.zwave.notices import ACCESS, POWER, SECURITY

ALARM_TYPE: Final = "alarmType"
ALARM_LEVEL: Final = "alarmLevel"
"""The properties of Notification CC under which zwave-js gives the two, in this order."""

KWIKSET: Final = 0x0090
"""Spectrum Brands: Kwikset, Weiser, Baldwin."""
YALE: Final = 0x0129
YALE_BY_VISION: Final = 0x0109
"""Early Yale modules carry Vision Security's number."""
SCHLAGE: Final = 0x003B
"""Allegion."""

_LAST_SLOT: Final = 250
"""Yale's 251 is the master code, which has no slot; 0 is Kwikset's lock button on the keypad."""


class _Meaning(NamedTuple):
    type: int
    event: int
    has_user: bool = False
    """The level is the slot of the code or card that was used."""


type _Table = dict[tuple[int, int | None], _Meaning]
"""By alarm type and level; level None is any other."""

_JAMMED: Final = _Meaning(ACCESS, 11)
_KEYPAD_LOCK: Final = _Meaning(ACCESS, 5, has_user=True)
_KEYPAD_UNLOCK: Final = _Meaning(ACCESS, 6, has_user=True)
_LOCK_BUTTON: Final = _Meaning(ACCESS, 5)
_TOO_MANY_CODES: Final = _Meaning(ACCESS, 19)
_OUT_OF_SCHEDULE: Final = _Meaning(ACCESS, 48)
_COVER_REMOVED: Final = _Meaning(SECURITY, 3)

_COMMON: Final[_Table] = {
    (9, None): _JAMMED,
    (17, None): _JAMMED,  # while it was locked at the keypad
    (18, None): _KEYPAD_LOCK,
    (19, None): _KEYPAD_UNLOCK,
    (21, None): _Meaning(ACCESS, 1),
    (22, None): _Meaning(ACCESS, 2),
    (23, None): _Meaning(ACCESS, 8),
    (24, None): _Meaning(ACCESS, 3),
    (25, None): _Meaning(ACCESS, 4),
    (26, None): _Meaning(ACCESS, 10),
    (27, None): _Meaning(ACCESS, 9),
    (32, None): _Meaning(ACCESS, 12),
    (33, None): _Meaning(ACCESS, 13, has_user=True),
    (112, None): _Meaning(ACCESS, 14, has_user=True),
    (113, None): _Meaning(ACCESS, 15, has_user=True),
    (131, None): _Meaning(ACCESS, 47, has_user=True),
    (162, None): _OUT_OF_SCHEDULE,
    (167, None): _Meaning(POWER, 10),
    (168, None): _Meaning(POWER, 11),
    (169, None): _Meaning(POWER, 11),
}
_KWIKSET: Final[_Table] = {
    **_COMMON,
    (161, None): _Meaning(SECURITY, 4),  # a wrong code; these have no tamper switch
}
_YALE: Final[_Table] = {
    **_COMMON,
    (21, 2): _LOCK_BUTTON,
    (132, None): _OUT_OF_SCHEDULE,
    (144, None): _Meaning(ACCESS, 36, has_user=True),  # a card or tag
    (161, 1): _TOO_MANY_CODES,
    (161, 2): _COVER_REMOVED,
}
_SCHLAGE: Final[_Table] = {
    **_COMMON,
    (16, None): _KEYPAD_UNLOCK,  # FE599, whose lever then opens for some seconds
    (21, 2): _LOCK_BUTTON,
    (96, 255): _Meaning(ACCESS, 16),
    (161, 1): _TOO_MANY_CODES,
    (161, 2): _COVER_REMOVED,
}
_TABLES: Final[Mapping[int | None, _Table]] = {
    KWIKSET: _KWIKSET,
    YALE: _YALE,
    YALE_BY_VISION: _YALE,
    SCHLAGE: _SCHLAGE,
}
_CARD: Final = 3
"""Kind of credential "RFID code"."""


def translate(node_id: int, manufacturer_id: int | None, alarm_type: object, level: object) -> Notified | None:
    """Return the notification that an alarm stands for; None for one that is not known, or no alarm (type 0)."""
    table = _TABLES.get(manufacturer_id, {})
    kind, level = integer(alarm_type, high=255), integer(level, high=255)
    if kind is None or level is None:
        return None
    found = table.get((kind, level)) or table.get((kind, None))
    if found is None:
        return None
    user = level if found.has_user and 1 <= level <= _LAST_SLOT else None
    is_card = (found.type, found.event) == (ACCESS, 36)
    return Notified(node_id, found.type, found.event, user, _CARD if is_card else None, is_legacy=True)
