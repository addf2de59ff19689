"""What the sentences of events refer to."""

from collections.abc import Callable
from datetime import datetime

import msgspec

from hubd.store.records import CommandRecord


def nobody(_: str) -> str:
    """Know no user by name."""
    return ""


class Scene(msgspec.Struct, frozen=True):
    """The names that an event refers to, as they are now and fit to be shown."""

    device: str
    link: str
    """The driver instance."""
    who: Callable[[str], str]
    """The person or part of the hub behind a `by`."""
    order: Callable[[str], CommandRecord | None]
    """The command of a request id, where it is still at hand."""
    code: Callable[[str], str]
    """The access code of an id, as part of a sentence."""
    moment: Callable[[datetime], str]
    """A time as its reader is used to."""
    user: Callable[[str], str] = nobody
    """The user of an access control system of an id, as part of a sentence; empty for one that is not known."""


def by(who: str, scene: Scene) -> str:
    """Say who did something, as the end of a sentence; empty where nobody is known to have."""
    return f", by {scene.who(who)}" if who else ""


def first_upper(text: str) -> str:
    """Return text fit to begin a sentence."""
    return text[:1].upper() + text[1:]
