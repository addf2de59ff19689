"""Encoder requests: they hold their connection until a card is there, or nobody came.

What their replies hold is not public: a ROM code here, or nothing at all, by quirk. Which code answers a card that is
not the user's is inferred.
"""

from collections.abc import Mapping
from typing import Final

from hubd.driver import Clock
from hubd_drivers.salto_space.document import Element
from hubd_drivers.salto_space.sim.edits import found
from hubd_drivers.salto_space.sim.encoders import Encoder
from hubd_drivers.salto_space.sim.lists import only
from hubd_drivers.salto_space.sim.people import UP_TO_DATE, give_key
from hubd_drivers.salto_space.sim.quirks import Quirks
from hubd_drivers.salto_space.sim.records import Record
from hubd_drivers.salto_space.sim.replies import RefusalError, fragment, leaf
from hubd_drivers.salto_space.sim.schema import USER
from hubd_drivers.salto_space.sim.state import Site

READ_KEY: Final = "Encoder.ReadKey"
ASSIGN: Final = "Encoder.SaltoDBUser.AssignNewKey"
UPDATE: Final = "Encoder.SaltoDBUser.UpdateCurrentKey"
REQUESTS: Final = frozenset({READ_KEY, ASSIGN, UPDATE})


class Encoding:
    """The encoders of a site, by name."""

    def __init__(self, site: Site, quirks: Quirks, encoders: Mapping[str, Encoder], clock: Clock) -> None:
        self._site = site
        self._quirks = quirks
        self._encoders = encoders
        self._clock = clock

    async def answer(self, name: str, params: Element) -> list[bytes]:
        """Do one of `REQUESTS` and return its `Params`."""
        if name == READ_KEY:
            only(params, ("EncoderID", "ReturnROMCode", "ReturnLockerData"), self._quirks)
            rom = await self._encoder(params).card(self._clock)
            return self._reply({"ROMCode": rom} if params.value("ReturnROMCode") == "1" else {})
        only(params, ("ExtUserID", "EncoderID"), self._quirks)
        key = params.value("ExtUserID")
        self._allow(name, found(self._site, USER, key))
        encoder = self._encoder(params)
        rom = await encoder.card(self._clock)
        user = found(self._site, USER, key)  # minutes may have passed
        self._allow(name, user)
        self._write(name, user, rom)
        return self._reply({"ExtUserID": user.id, "ROMCode": rom})

    def _encoder(self, params: Element) -> Encoder:
        name = params.value("EncoderID")
        if (encoder := self._encoders.get(name)) is None:
            raise RefusalError(400, name)
        return encoder

    @staticmethod
    def _allow(name: str, user: Record) -> None:
        if user.holder is not None:
            raise RefusalError(201, user.holder)
        has_key = user.is_set("CurrentKeyExists")
        if name == ASSIGN and has_key:
            raise RefusalError(305, user.id)
        if name == UPDATE and not has_key:
            raise RefusalError(300, user.id)

    def _write(self, name: str, user: Record, rom: str) -> None:
        if any(other["CurrentROMCode"] == rom for other in self._site.users if other is not user):
            raise RefusalError(203, rom)
        if name == ASSIGN:
            give_key(self._site, user, rom)
        elif user["CurrentROMCode"] != rom:
            raise RefusalError(7, "this is not the current key of the user")
        else:
            user.change({"CurrentKeyStatus": UP_TO_DATE})

    def _reply(self, values: Mapping[str, str]) -> list[bytes]:
        if self._quirks.encoder_reply == "empty":
            return []
        return [fragment(leaf(name, value), self._quirks.text) for name, value in values.items()]
