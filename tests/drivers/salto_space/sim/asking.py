"""How tests of the simulated server ask it, without the driver: requests typed by hand, replies as elements."""

import asyncio
from datetime import UTC, datetime

from hubd_drivers.salto_space import document
from hubd_drivers.salto_space.codec import Frame, FrameReader, encode
from hubd_drivers.salto_space.document import Element
from hubd_drivers.salto_space.sim.builders import demo_site
from hubd_drivers.salto_space.sim.encoders import Encoder
from hubd_drivers.salto_space.sim.handlers import Desk, read
from hubd_drivers.salto_space.sim.quirks import Quirks
from hubd_drivers.salto_space.sim.schema import DOOR, GROUP, USER, ZONE
from hubd_drivers.salto_space.sim.state import Site

from tests.support.clock import ManualClock

SUMMER = datetime(2026, 7, 1, 10, 0, 0, tzinfo=UTC)
"""Noon in Madrid."""


class RefusedError(Exception):
    """An `Exception` reply."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def request(name: str, params: str = "") -> bytes:
    """Return a request; `params` is the XML inside its `Params`."""
    text = f"<RequestCall><RequestName>{name}</RequestName><Params>{params}</Params></RequestCall>"
    return b"<?xml version='1.0' encoding='utf-8'?>" + text.encode()


def params_of(reply: bytes) -> Element:
    """Return what a reply holds; raises `RefusedError`."""
    root = document.parse(reply)
    assert root.name == "RequestResponse"
    if (refused := root.child("Exception")) is not None:
        assert root.child("Params") is None
        raise RefusedError(int(refused.value("Code")), refused.value("Message"))
    params = root.child("Params")
    assert params is not None
    return params


class Asker:
    """A desk with its site and clock."""

    def __init__(
        self, site: Site | None = None, quirks: Quirks | None = None, clock: ManualClock | None = None
    ) -> None:
        self.clock = clock or ManualClock(SUMMER)
        self.site = site or demo_site(now=self.clock.now)
        self.encoders = {"Encoder#1": Encoder("Encoder#1")}
        self.desk = Desk(self.site, quirks or Quirks(), self.encoders, self.clock)

    async def reply(self, name: str, params: str = "") -> bytes:
        """Return the bytes of a reply."""
        return await self.desk.answer(read(request(name, params)))

    async def ask(self, name: str, params: str = "") -> Element:
        """Return what a reply holds; raises `RefusedError`."""
        return params_of(await self.reply(name, params))

    async def code(self, name: str, params: str = "") -> int:
        """Return the error code of a reply; 0: none."""
        try:
            await self.ask(name, params)
        except RefusedError as refused:
            return refused.code
        return 0


def small_site(clock: ManualClock) -> Site:
    """Return users ``u1`` to ``u5``, groups ``g1`` and ``g2``, offline doors ``d1`` to ``d3`` and the zone ``z1``."""
    made = demo_site(now=clock.now)
    site = Site(zone=made.zone, now=clock.now)
    for number in range(1, 6):
        site.add(USER, {"ExtUserID": f"u{number}", "FirstName": "Ana", "LastName": f"García {number}"})
    for number in range(1, 3):
        site.add(GROUP, {"ExtGroupID": f"g{number}", "Name": f"Level {number}"})
    for number in range(1, 4):
        site.add(DOOR, {"ExtDoorID": f"d{number}", "Name": f"Door {number}"})
    site.add(ZONE, {"ExtZoneID": "z1", "Name": "Zone"})
    return site


class Line:
    """A connection by STP."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._frames = FrameReader()
        self.pieces = 0

    @classmethod
    async def to(cls, port: int) -> "Line":
        """Connect."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    def send(self, name: str, params: str = "", version: str = "00") -> None:
        """Send a request."""
        self.send_raw(encode(request(name, params), version))

    def send_raw(self, data: bytes) -> None:
        """Send any bytes."""
        self._writer.write(data)

    async def frame(self) -> Frame:
        """Return the next frame. Raises `EOFError` when the server closes first, `FrameError` for junk."""
        while (frame := self._frames.next()) is None:
            try:
                data = await asyncio.wait_for(self._reader.read(2**20), 10)
            except ConnectionResetError:
                data = b""
            if not data:
                self._frames.end()
                raise EOFError
            self.pieces += 1
            self._frames.feed(data)
        return frame

    async def ask(self, name: str, params: str = "") -> Element:
        """Send a request and return what its reply holds."""
        self.send(name, params)
        return params_of((await self.frame()).body)

    async def close(self) -> None:
        """Hang up."""
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except ConnectionError:
            return
