"""What is on a network and not a device yet, as a part of the page."""

import msgspec

from hubd.web import words
from hubd.web.desk import Desk
from hubd.web.parts import Part
from hubd.web.survey import link_name
from hubd.web.words import Stamp, plain

MAX_WAITING = 50


class WaitingLine(msgspec.Struct, frozen=True):
    """Something on the network that is not a device of the hub yet."""

    name: str
    reason: str
    since: Stamp
    link: str


class WaitingLines(msgspec.Struct, frozen=True):
    """All of them; `more` are not shown."""

    waiting: tuple[WaitingLine, ...]
    more: int = 0


def waiting(desk: Desk, instance: str | None = None) -> Part:
    """Tell what cannot be announced yet, of one driver instance or of all."""
    found = [
        WaitingLine(words.name(one.name), plain(one.reason), desk.stamp(one.since), link_name(desk.hub, name))
        for name, health in desk.hub.health.items()
        if instance in {None, name}
        for one in health.waiting.values()
    ]
    return Part("waiting", "waiting.html", WaitingLines(tuple(found[:MAX_WAITING]), max(0, len(found) - MAX_WAITING)))
