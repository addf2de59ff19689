"""One SHIP request to its reply: reads the envelope, finds who answers, writes the envelope.

It reads requests and builds replies by itself, without the driver's own messages, so that one mistake is not made on
both sides of the wire.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, NamedTuple

from hubd.driver import Clock
from hubd_drivers.salto_space import document
from hubd_drivers.salto_space.document import DocumentError, Element
from hubd_drivers.salto_space.sim import audits, edits, encoding, lists, online, replies
from hubd_drivers.salto_space.sim.encoders import Encoder
from hubd_drivers.salto_space.sim.encoding import Encoding
from hubd_drivers.salto_space.sim.quirks import Quirks
from hubd_drivers.salto_space.sim.replies import RefusalError, fragment, leaf
from hubd_drivers.salto_space.sim.schema import ENTITIES
from hubd_drivers.salto_space.sim.state import Site

GET_INFO: Final = "GetInfo"
PROTOCOL: Final = "SHIP"
PROTOCOL_VERSION: Final = "1.0"
UNREADABLE: Final = "?"
"""Stands for the name of a request that cannot be read, in counters and faults."""
type Answer = Callable[[Element], list[bytes]]


class Asked(NamedTuple):
    """A request as far as it could be read; `refusal`: why no further."""

    name: str
    params: Element
    refusal: RefusalError | None = None


def read(body: bytes) -> Asked:
    """Read the envelope; white space around names is taken off."""
    nothing = Element("Params", "", [])
    try:
        root = document.parse(body)
    except DocumentError as error:
        return Asked(UNREADABLE, nothing, RefusalError(500, str(error)))
    if root.name != "RequestCall":
        return Asked(UNREADABLE, nothing, RefusalError(501, root.name))
    name, params = root.value("RequestName"), root.child("Params")
    if not name:
        return Asked(UNREADABLE, nothing, RefusalError(501, "RequestName is missing"))
    return Asked(name, params if params is not None else nothing)


class Desk:
    """Answers requests from the state of one site."""

    def __init__(self, site: Site, quirks: Quirks, encoders: Mapping[str, Encoder], clock: Clock) -> None:
        self._site = site
        self._quirks = quirks
        self._encoding = Encoding(site, quirks, encoders, clock)
        self._answers = self._table()

    async def answer(self, asked: Asked) -> bytes:
        """Do what is asked and return the reply, an `Exception` for what is refused."""
        quirks = self._quirks
        try:
            params = await self._params(asked)
        except RefusalError as refusal:
            name = "" if asked.name == UNREADABLE else asked.name
            reply = replies.failure(name, refusal, quirks.text)
        else:
            reply = replies.whole(asked.name, params, quirks.text)
        return replies.broken_up(reply) if quirks.line_breaks else reply

    def refused(self, asked: Asked, code: int) -> bytes:
        """Return an `Exception` reply of a test's choice; nothing is done."""
        return replies.failure(asked.name, RefusalError(code), self._quirks.text)

    async def _params(self, asked: Asked) -> list[bytes]:
        if asked.refusal is not None:
            raise asked.refusal
        licence = self._quirks.licence
        if licence == "none" or (licence == "info_only" and asked.name != GET_INFO):
            raise RefusalError(13, "SHIP")
        if asked.name in encoding.REQUESTS:
            return await self._encoding.answer(asked.name, asked.params)
        if (answer := self._answers.get(asked.name)) is None:
            raise RefusalError(502, asked.name)
        return answer(asked.params)

    def _table(self) -> dict[str, Answer]:
        here = (self._site, self._quirks)
        table: dict[str, Answer] = {
            GET_INFO: self._info,
            audits.REQUEST: partial(audits.read, *here),
            "OnlineDoor.GetOnlineStatusList": partial(online.statuses, *here),
            "OnlineIPDoor.GetOnlineStatusList": partial(online.statuses, *here, is_ip=True),
        }
        for name in online.COMMANDS:
            table[name] = partial(online.command, *here, name)
        for entity in ENTITIES.values():
            table[f"{entity.element}List.Read"] = partial(lists.read, *here, entity)
            if entity.is_edited:
                table[f"{entity.element}.Insert"] = partial(edits.insert, *here, entity)
                table[f"{entity.element}.Update"] = partial(edits.update, *here, entity)
                table[f"{entity.element}.InsertOrUpdate"] = partial(edits.insert_or_update, *here, entity)
                table[f"{entity.element}.Delete"] = partial(edits.delete, *here, entity)
        return table

    def _info(self, params: Element) -> list[bytes]:
        lists.only(params, (), self._quirks)
        now = self._site.local(self._site.now())
        if self._quirks.unpadded_dates:
            date, _, time = now.partition("T")
            now = "-".join(str(int(part)) for part in date.split("-")) + f"T{time}"
        values = {
            "ProtocolID": PROTOCOL,
            "ProtocolVersion": PROTOCOL_VERSION,
            "DateTime": now,
            "DefaultLanguage": "eng",
        }
        return [fragment(leaf(name, value), "references") for name, value in values.items()]
