"""What a lock says on its own about its codes, and which of it is only the echo of the hub's own command. Pure."""

from typing import Final, NamedTuple

from hubd.model import CodeChange
from hubd_drivers.zwave.events import CodeReported, CredentialTold, Event, Notified
from hubd_drivers.zwave.notices import ACCESS

ECHO_SECONDS: Final = 5.0
"""How long after a command a lock may still tell of what the command did."""

ALL_DELETED: Final = 12
_DUPLICATE: Final = 15
_CHANGES: Final[dict[int, CodeChange]] = {ALL_DELETED: "removed", 13: "removed", 14: "added"}
_NOT_A_SLOT: Final = frozenset({13, 14})
"""In a maker's own numbers these come with a slot; without one they are about the master code."""
_KINDS: Final = frozenset({1, 2})
"""`UserCredentialType`: PIN and password. A card is no code."""


class Hint(NamedTuple):
    """The lock has changed its codes; `slot` None: it does not say which."""

    change: CodeChange
    slot: int | None
    is_read: bool = False
    """zwave-js has taken it from an answer of the lock, which may have been one to the hub."""
    is_all: bool = False
    """All codes are gone: the hub never does that."""


def hint_of(event: Event) -> Hint | None:
    """Return what an event says about a lock's codes."""
    match event:
        case Notified(type=kind, event=number) if kind == ACCESS and number in _CHANGES:
            if event.is_legacy and number in _NOT_A_SLOT and event.user is None:
                return None
            is_all = number == ALL_DELETED
            return Hint(_CHANGES[number], None if is_all else event.user, is_all=is_all)
        case CodeReported(change=change, slot=slot):
            return Hint(change, slot, is_read=True)
        case CredentialTold(change=change, slot=slot, kind=kind):
            return Hint(change, slot) if kind is None or kind in _KINDS else None
        case _:
            return None


def is_duplicate(event: Event) -> bool:
    """Tell whether the lock says that it has a PIN already."""
    return isinstance(event, Notified) and (event.type, event.event) == (ACCESS, _DUPLICATE)


class Own(NamedTuple):
    """A command of the hub; `until` None: it is under way."""

    slot: int
    echoes: frozenset[CodeChange]
    """What it brings about; what else happens to the slot after its end is news."""
    until: float | None = None

    def explains(self, hint: Hint, now: float) -> bool:
        """Tell whether a hint says no more than that the command was done."""
        if hint.is_all or hint.slot not in {self.slot, None} or (hint.slot is None and hint.change not in self.echoes):
            return False
        if self.until is None:
            return bool(self.echoes) or hint.is_read
        return now <= self.until and (hint.change in self.echoes or (hint.is_read and not self.echoes))


PUT: Final[frozenset[CodeChange]] = frozenset({"added", "changed"})
CLEAR: Final[frozenset[CodeChange]] = frozenset({"removed"})
READ: Final[frozenset[CodeChange]] = frozenset()
