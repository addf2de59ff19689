"""What Space says when it refuses a request: a number, of which the public ones have a name, a kind and a remedy here.

The same numbers stand in the result of an order to a door. A number that is not in the table is kept as it is. Pure.
"""

import re
from enum import StrEnum
from typing import Final, NamedTuple

NO_CODE: Final = -1
"""The `code` of a refusal whose own code could not be read."""
_LONGEST_MESSAGE: Final = 200
_UNPRINTABLE: Final = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]+")
_SECRET: Final = re.compile(r"pin|wiegand|password|code", re.IGNORECASE)
_DIGITS: Final = re.compile(r"\d{3,}")


class FaultKind(StrEnum):
    """What a refusal means for the one who asked."""

    TEMPORARY = "temporary"
    """Asking again later may help."""
    LOCKED = "locked"
    """Somebody else has the record open; ask again soon."""
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    """It is there already, or stands in the way of the wish."""
    PERMANENT = "permanent"
    LICENCE = "licence"
    UNSUPPORTED = "unsupported"
    """This server does not know the request."""
    OURS = "ours"
    """This driver sent what the server cannot read: a defect, or an old server."""
    ENCODER_UNKNOWN = "encoder_unknown"
    ENCODER_UNREACHABLE = "encoder_unreachable"
    ENCODER_BUSY = "encoder_busy"
    ENCODER_NO_CARD = "encoder_no_card"
    ENCODER_FAILED = "encoder_failed"
    ENCODER_ABORTED = "encoder_aborted"
    ENCODER_NOT_READY = "encoder_not_ready"
    CARD = "card"
    """The card on the encoder cannot be used, or not as it lies."""


NOT_SERVED: Final = frozenset({FaultKind.UNSUPPORTED, FaultKind.LICENCE, FaultKind.PERMANENT, FaultKind.OURS})
"""Asking again brings the same: the server does not know the request, is not licensed for it, or never takes it."""


class Meaning(NamedTuple):
    """What one number means. `name` is stable; `sentence` and `remedy` are for a technician."""

    name: str
    kind: FaultKind
    sentence: str
    remedy: str


_LICENCE: Final = (
    "Check in ProAccess Space that the licence has the SHIP option (SPACE-OPT-0018), and what else the request needs; "
    "Salto's dealer adds it."
)
_OPEN: Final = "It is open in a window of ProAccess Space, or in work by another program: close it there and try again."
_REPORT: Final = "Note the versions of hubd and of Space and report it."
_DATABASE: Final = "Check on the Space computer that the database server runs and that the Space service may use it."
_REFRESH: Final = "Refresh the list; it may have been deleted in ProAccess Space."
_OTHER_ID: Final = "Use another id, or change the one that is there."
_BAD_CARD: Final = "Try another card of a kind that this site uses."
_AGAIN: Final = "Try again with the card flat on the encoder until it is done."
_SETTINGS: Final = "Check the values, and the rules under System > General options in ProAccess Space."
_PERIPHERAL: Final = (
    "Check the encoder's power and network, and initialise it in ProAccess Space (System > SALTO network)."
)

_K = FaultKind
MEANINGS: Final[dict[int, Meaning]] = {
    1: Meaning("database_problem", _K.TEMPORARY, "Space cannot use its database.", _DATABASE),
    4: Meaning("general_error", _K.PERMANENT, "Space could not carry it out.", "See what Space says about it."),
    5: Meaning("process_aborted", _K.PERMANENT, "Space broke it off.", "Try again; look whether somebody cancels it."),
    6: Meaning("process_not_found", _K.NOT_FOUND, "Space does not know this process any more.", "Start it anew."),
    7: Meaning("rule_violated", _K.PERMANENT, "It breaks a rule of Space, mostly by a bad value.", _SETTINGS),
    10: Meaning("already_exists", _K.CONFLICT, "It exists in Space already.", _OTHER_ID),
    11: Meaning("not_found", _K.NOT_FOUND, "It does not exist in Space.", _REFRESH),
    12: Meaning("invalid_parameter", _K.PERMANENT, "Space does not accept one of the values.", _SETTINGS),
    13: Meaning("licence_missing", _K.LICENCE, "The licence of Space does not cover this.", _LICENCE),
    14: Meaning("licence_exceeded", _K.LICENCE, "The licence of Space allows no more of these.", _LICENCE),
    100: Meaning("door_not_found", _K.NOT_FOUND, "Space has no such door.", _REFRESH),
    101: Meaning("record_locked", _K.LOCKED, "The door's record is being edited by somebody else.", _OPEN),
    102: Meaning("door_exists", _K.CONFLICT, "Space has a door with this id already.", _OTHER_ID),
    200: Meaning("user_not_found", _K.NOT_FOUND, "Space has no such user.", _REFRESH),
    201: Meaning("user_locked", _K.LOCKED, "The user's record is being edited by somebody else.", _OPEN),
    202: Meaning("user_exists", _K.CONFLICT, "Space has a user with this id already.", _OTHER_ID),
    203: Meaning(
        "card_in_use",
        _K.CONFLICT,
        "The card belongs to another user already.",
        "Take another card, or take this one from that user in ProAccess Space.",
    ),
    204: Meaning(
        "access_levels_not_valid",
        _K.PERMANENT,
        "The user cannot have these access levels.",
        "Use access levels of the user's own partition.",
    ),
    205: Meaning(
        "cancellable_fixed",
        _K.PERMANENT,
        "Whether a key can be cancelled through the blacklist cannot change once there is a key.",
        "Delete the user's key in ProAccess Space first.",
    ),
    206: Meaning(
        "expiry_too_late",
        _K.PERMANENT,
        "A key that cannot be cancelled may not be valid for so long.",
        "Choose an earlier end.",
    ),
    300: Meaning("user_has_no_key", _K.CONFLICT, "The user has no key yet.", "Assign a first key to the user."),
    301: Meaning("no_more_keys", _K.PERMANENT, "Space can issue no more keys.", "Delete keys that nobody uses."),
    302: Meaning("card_unknown_format", _K.CARD, "The encoder does not know this kind of card.", _BAD_CARD),
    303: Meaning("card_misplaced", _K.CARD, "The card does not lie well on the encoder.", _AGAIN),
    304: Meaning(
        "card_full",
        _K.CARD,
        "The rights of the user do not fit on the card.",
        "Take a card with more memory, or give rights by zones and access levels instead of single doors.",
    ),
    305: Meaning(
        "user_has_key",
        _K.CONFLICT,
        "The user has a key already.",
        "Update that key, or delete it in ProAccess Space before a new one is assigned.",
    ),
    306: Meaning("key_structure", _K.CARD, "The data for the card have a wrong structure.", _REPORT),
    400: Meaning(
        "encoder_unknown",
        _K.ENCODER_UNKNOWN,
        "Space has no encoder of this name.",
        "Write the name in the driver's table exactly as it stands in ProAccess Space.",
    ),
    401: Meaning("encoder_unreachable", _K.ENCODER_UNREACHABLE, "Space does not reach the encoder.", _PERIPHERAL),
    402: Meaning("encoder_busy", _K.ENCODER_BUSY, "The encoder is at work on another card.", "Wait, then try again."),
    403: Meaning("no_card_presented", _K.ENCODER_NO_CARD, "No card was put on the encoder in time.", _AGAIN),
    404: Meaning("encoder_failed", _K.ENCODER_FAILED, "The encoder could not finish with the card.", _AGAIN),
    405: Meaning("encoder_aborted", _K.ENCODER_ABORTED, "It was broken off at the encoder.", "Try again."),
    406: Meaning("encoder_not_ready", _K.ENCODER_NOT_READY, "The encoder is not initialised.", _PERIPHERAL),
    407: Meaning("encoder_wrongly_set", _K.ENCODER_NOT_READY, "The encoder is initialised wrongly.", _PERIPHERAL),
    500: Meaning("request_malformed", _K.OURS, "Space could not read the request.", _REPORT),
    501: Meaning("request_unexpected", _K.OURS, "Space did not expect a part of the request.", _REPORT),
    502: Meaning(
        "request_unknown",
        _K.UNSUPPORTED,
        "This version of Space does not know the request.",
        "Update ProAccess Space if the feature is needed.",
    ),
    503: Meaning("request_bad_type", _K.OURS, "A value of the request has the wrong type for Space.", _REPORT),
    600: Meaning("zone_type_fixed", _K.PERMANENT, "The type of a zone cannot be changed.", "Make another zone."),
    601: Meaning("too_many_low_zones", _K.PERMANENT, "Space allows 96 low zones.", "Make the zone a high one."),
}
"""By the number that Space sends; 0 is success and not here."""


class Fault(Exception):  # noqa: N818 - SHIP's own word is Exception
    """Space understood a request, or not, and answered that it did not do it."""

    def __init__(self, code: int, request: str, message: str = "") -> None:
        meaning = MEANINGS.get(code)
        self.code = code
        self.request = request
        self.message = clean(message, is_of_user="SaltoDBUser" in request)
        """What the server says itself: one line, cut, without what may be a PIN."""
        self.name = f"space_error_{code}" if meaning is None else meaning.name
        self.kind = FaultKind.PERMANENT if meaning is None else meaning.kind
        self.sentence = _sentence(code) if meaning is None else meaning.sentence
        self.remedy = "See what Space says about it." if meaning is None else meaning.remedy
        number = "" if code == NO_CODE else f" {code}"
        said = f" (Space error{number}{': ' if self.message else ''}{self.message})"
        super().__init__(f"{request}: {self.sentence}{said}")


def clean(message: str, *, is_of_user: bool = False) -> str:
    """Return a server's message as one line of at most 200 characters.

    If it is about a user's record, which may hold a PIN, or speaks of a code, longer numbers in it are starred out.
    """
    line = _UNPRINTABLE.sub(" ", message[: 4 * _LONGEST_MESSAGE]).strip()
    if is_of_user or _SECRET.search(line):
        line = _DIGITS.sub("***", line)
    return line[:_LONGEST_MESSAGE]


def _sentence(code: int) -> str:
    if code == NO_CODE:
        return "Space refused it with an error that has no number."
    return f"Space refused it with error {code}, whose meaning is not public."
