"""Cards on an encoder, which is known by the name that it has in Space.

A request waits until a card is presented or the encoder's own time is over (403); a second one on the same encoder is
refused (402). What the replies carry is not public: success is a reply without an error (inferred), and the user's
record, read again, is the proof.
"""

import msgspec

from hubd_drivers.salto_space.document import Element
from hubd_drivers.salto_space.fields import digit, words
from hubd_drivers.salto_space.messages.envelope import Effect, Request, call
from hubd_drivers.salto_space.messages.users import USER_ID, card_serial


class Encoding(msgspec.Struct, frozen=True, kw_only=True):
    """What the reply told of the card, as far as it told anything. The repr shows none of it."""

    card_serial: str = ""
    """ROM code, upper-case hexadecimal."""
    key: str = ""

    def __repr__(self) -> str:
        return f"Encoding(has_card_serial={bool(self.card_serial)}, has_key={bool(self.key)})"


def read_card(encoder: str, *, lockers: bool = False) -> Request:
    """Return the request that reads the card on an encoder, with its serial number."""
    params = (_encoder(encoder), Element("ReturnROMCode", "1"), Element("ReturnLockerData", digit(lockers)))
    return call("Encoder.ReadKey", *params, effect=Effect.ENCODES)


def assign_key(user: str, encoder: str) -> Request:
    """Return the request that makes a card the first key of a user; refused (305) if the user has a key."""
    return call("Encoder.SaltoDBUser.AssignNewKey", _user(user), _encoder(encoder), effect=Effect.ENCODES)


def update_key(user: str, encoder: str) -> Request:
    """Return the request that writes a user's present rights on its key; refused (300) if the user has none."""
    return call("Encoder.SaltoDBUser.UpdateCurrentKey", _user(user), _encoder(encoder), effect=Effect.ENCODES)


def read_encoding(params: Element) -> Encoding:
    """Read the reply to any of these requests. The names of its elements are inferred."""
    return Encoding(card_serial=card_serial(params.value("ROMCode")), key=words(params.value("KeyID")))


def _user(user: str) -> Element:
    if not user.strip():
        raise ValueError("an id is empty")
    return Element(USER_ID, user)


def _encoder(name: str) -> Element:
    if not name.strip():
        raise ValueError("an encoder has a name")
    return Element("EncoderID", name)
