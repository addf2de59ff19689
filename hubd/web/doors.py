"""Doors and encoders of access control systems in words. Pure."""

from datetime import datetime
from typing import Final

import msgspec

from hubd.model.capability import Capabilities
from hubd.model.state import DeviceState, EntranceCondition, Mark
from hubd.web.words import Tone, plain

NOT_WIRED: Final = "Not wired"
_WHY_NOT_WIRED: Final = (
    "It is neither wired nor on the radio. It cannot be opened from here; what changes reaches it with the next card"
    " that was updated, and what happens at it is known once such a card comes back."
)
_WHY_NOT: Final = "The access control system does not let it be opened from here."


class ConditionWords(msgspec.Struct, frozen=True):
    """How a condition is called. `trouble`, to be said after the door's name; empty: it is as somebody wants it."""

    label: str
    tone: Tone
    trouble: str = ""


CONDITIONS: Final[dict[EntranceCondition, ConditionWords]] = {
    "intrusion": ConditionWords("Opened by force", "bad", "it was opened by force. Somebody has to look at the door."),
    "tamper": ConditionWords("Tampered with", "bad", "it is being tampered with. Somebody has to look at the door."),
    "emergency_open": ConditionWords("Emergency: held open", "bad", "it is held open by an emergency."),
    "emergency_close": ConditionWords("Emergency: held closed", "bad", "it is held closed by an emergency."),
    "left_open": ConditionWords("Left open", "warn", "it was left open."),
    "low_battery": ConditionWords("Low battery", "warn", "the battery is low."),
    "privacy_mode": ConditionWords("Privacy mode", "warn"),
    "office_mode": ConditionWords("Office mode", "warn"),
}
"""Worst first."""
_MEANINGS: Final[dict[EntranceCondition, str]] = {
    "privacy_mode": "keys do not open it",
    "office_mode": "anybody may pass",
}


class InForce(msgspec.Struct, frozen=True):
    """A condition that a door is in, and since when."""

    condition: EntranceCondition
    words: ConditionWords
    since: datetime


def in_force(state: DeviceState) -> list[InForce]:
    """Return what a door is in, worst first."""
    marks = ((condition, words, state.conditions.get(condition)) for condition, words in CONDITIONS.items())
    return [InForce(condition, words, mark.since) for condition, words, mark in marks if mark and mark.is_on]


def label_of(trouble: str) -> str:
    """Return how the condition is called that is a trouble; empty for a trouble of another kind."""
    return next((words.label for words in CONDITIONS.values() if trouble and words.trouble == trouble), "")


def known(state: DeviceState) -> list[tuple[str, str, datetime]]:
    """Return everything that is known of what a door is in: what it is called, yes or no, and since when."""
    return [
        (words.label, _answer(condition, state.conditions[condition]), state.conditions[condition].since)
        for condition, words in CONDITIONS.items()
        if condition in state.conditions
    ]


def _answer(condition: EntranceCondition, mark: Mark) -> str:
    if not mark.is_on:
        return "no"
    return f"yes: {_MEANINGS[condition]}" if condition in _MEANINGS else "yes"


def type_words(capabilities: Capabilities) -> str:
    """Name what kind of door it is; empty for what is none."""
    return "" if capabilities.entrance is None else plain(capabilities.entrance.type.capitalize(), 40)


def is_standalone(capabilities: Capabilities) -> bool:
    """Whether nothing reaches a door but the cards that are held to it."""
    return capabilities.entrance is not None and capabilities.entrance.is_standalone


def cannot(capabilities: Capabilities) -> str:
    """Say what cannot be done with a door, and why; empty where it opens on order."""
    if capabilities.entrance is None or (capabilities.lock is not None and capabilities.lock.can_unlock):
        return ""
    return _WHY_NOT_WIRED if capabilities.entrance.is_standalone else _WHY_NOT


def _opening(capabilities: Capabilities) -> str:
    if not cannot(capabilities):
        return "opens on order; it locks itself again"
    return (
        "not on order: it is not wired" if is_standalone(capabilities) else "not on order: the system does not let it"
    )


def abilities(capabilities: Capabilities) -> list[tuple[str, str]]:
    """Say what a door or an encoder can do, as labels and texts."""
    found: list[tuple[str, str]] = []
    if (entrance := capabilities.entrance) is not None:
        found.append(("Type", type_words(capabilities)))
        if description := plain(entrance.description):
            found.append(("Description", description))
        found.append(("Opening", _opening(capabilities)))
        keys = "kept on the keys too" if entrance.audits_on_keys else "not kept on keys"
        found.append(("Openings", keys))
    if capabilities.encoder is not None:
        found.append(("Encoder", "writes cards, one at a time"))
    return found
