"""`GetInfo`: who answers, and what its clock shows."""

from datetime import datetime

import msgspec

from hubd_drivers.salto_space.document import Element
from hubd_drivers.salto_space.fields import moment, words
from hubd_drivers.salto_space.messages.envelope import Request, call

PROTOCOL = "SHIP"


class Info(msgspec.Struct, frozen=True, kw_only=True):
    """What a server says of itself."""

    protocol: str = ""
    """PROTOCOL, as far as is known."""
    version: str = ""
    """Of the protocol; 1.0 and 1.2 were seen."""
    wall: datetime | None = None
    """What the server's clock shows, naive: which zone it stands in, it does not say."""
    language: str = ""


def get_info() -> Request:
    """Return the question that every server answers."""
    return call("GetInfo")


def read_info(params: Element) -> Info:
    """Read the answer."""
    wall = moment(params.value("DateTime"), None)
    return Info(
        protocol=words(params.value("ProtocolID")),
        version=words(params.value("ProtocolVersion")),
        wall=None if wall is None else wall.replace(tzinfo=None),
        language=words(params.value("DefaultLanguage")),
    )
