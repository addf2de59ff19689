"""What a slot holds, read out of zwave-js's answers. Pure; a PIN is in no repr."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from hubd_drivers.zwave.facts import USER_CODE, integer, items, mapping

LAST_SLOT: Final = 0xFFFF
_LONGEST: Final = 64
_STAR: Final = "*"

AVAILABLE, ENABLED, DISABLED, MESSAGING, PASSAGE = range(5)
"""`UserIDStatus` of User Code CC."""
_OPENS: Final = frozenset({ENABLED, PASSAGE})
_USED: Final = frozenset({ENABLED, DISABLED, MESSAGING, PASSAGE})


@dataclass(frozen=True, slots=True)
class Held:
    """One slot. `pin` None: it is empty, or the lock does not tell."""

    is_used: bool
    pin: str | None = field(default=None, repr=False)
    is_enabled: bool = True
    owner: int = 0
    """The user whom a credential belongs to; 0 where there are none."""

    @property
    def is_masked(self) -> bool:
        """A PIN is there, and the lock does not say which."""
        return self.is_used and self.pin is None


EMPTY: Final = Held(is_used=False)


def pin_of(code: object) -> str | None:
    """Return what is typed at the keypad; None for stars, nothing, or bytes that are no characters."""
    if isinstance(code, str):
        text = code.rstrip("\0")
    else:
        numbers = [integer(one, high=0xFF) for one in items(mapping(code).get("data"))]
        text = "".join("?" if one is None else chr(one) for one in numbers).rstrip("\0\xff")
    is_plain = text.isascii() and text.isprintable() and len(text) <= _LONGEST
    return text if text and is_plain and _STAR not in text else None


def of_user_code(status: object, code: object) -> Held | None:
    """Read a User Code's status and code; None for a status that says nothing, or that there is no such slot."""
    number = integer(status, high=0xFF)
    if number == AVAILABLE:
        return EMPTY
    if number not in _USED:
        return None
    return Held(is_used=True, pin=pin_of(code), is_enabled=number in _OPENS)


def of_credential(credential: object, *, is_active: bool = True) -> Held:
    """Read one of zwave-js's credentials. An empty slot that was read is kept by it as one without a user."""
    data = mapping(credential)
    owner, code = integer(data.get("userId"), 1, LAST_SLOT), data.get("data")
    if owner is None or code == "":
        return EMPTY
    return Held(is_used=True, pin=pin_of(code), is_enabled=is_active, owner=owner)


def of_values(values: Iterable[object]) -> dict[int, Held]:
    """Read the User Codes out of the values of a node's dump; a slot of which nothing is known is left out."""
    statuses: dict[int, object] = {}
    codes: dict[int, object] = {}
    for raw in values:
        data = mapping(raw)
        slot = integer(data.get("propertyKey"), 1, LAST_SLOT)
        kept = {"userIdStatus": statuses, "userCode": codes}.get(str(data.get("property")))
        is_here = data.get("commandClass") == USER_CODE and data.get("endpoint", 0) == 0
        if is_here and slot is not None and kept is not None:
            kept[slot] = data.get("value")
    found = {slot: of_user_code(status, codes.get(slot)) for slot, status in statuses.items()}
    return {slot: held for slot, held in found.items() if held is not None}


def of_credentials(credentials: Iterable[object], kind: int, inactive: Mapping[int, bool]) -> dict[int, Held]:
    """Read zwave-js's list of credentials, those of one kind. `inactive`: users whose codes do not open."""
    found = {}
    for raw in credentials:
        data = mapping(raw)
        slot = integer(data.get("slot"), 1, LAST_SLOT)
        if slot is not None and data.get("type") == kind:
            owner = integer(data.get("userId"), 0, LAST_SLOT) or 0
            found[slot] = of_credential(raw, is_active=not inactive.get(owner, False))
    return found
