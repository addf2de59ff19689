import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Any

from hubd.model import Climate, ClimateSeen, LockSeen
from hubd.model.errors import StoreError
from hubd.web import live, sessions
from hubd.web.board import Query, site_parts
from hubd.web.live import GAP, PULSE, Live
from hubd.web.parts import Part
from hubd.web.render import Renderer
from hubd.web.sessions import Session
from hubd.web.words import clock_face
from tests.hubd.web.stage import Stage, stage
from tests.hubd.web.test_board import OPERATOR

RENDERER = Renderer()


class Listener:
    """Reads a stream like the page does."""

    def __init__(self, site: Stage, all_streams: Live, session: Session) -> None:
        self.site = site
        self.is_in = True
        self.problem: StoreError | None = None
        self.session = session
        self.chunks: AsyncGenerator[bytes] = all_streams.follow(
            session, self._look, lambda: self.is_in, lambda: clock_face(site.desk.now, site.desk.zone)
        )

    async def _look(self) -> list[Part]:
        if self.problem is not None:
            raise self.problem
        return await site_parts(self.site.desk, self.session, OPERATOR, Query())

    async def next(self) -> list[tuple[str, Any]]:
        """Return the events of the next chunk; time passes as far as the stream needs it to."""
        reading = asyncio.ensure_future(anext(self.chunks))
        for _ in range(2000):
            if reading.done():
                break
            await asyncio.sleep(0)
        while not reading.done():
            await self.site.clock.advance(self.site.clock.next_due or 0.0)
            await asyncio.sleep(0.001)
        return [_event(text) for text in (await reading).decode().strip().split("\n\n")]

    async def ids(self) -> list[str]:
        """Return the ids of the fragments in the next chunk."""
        return [one["id"] for name, data in await self.next() if name == "fragments" for one in data]


def _event(text: str) -> tuple[str, Any]:
    name, data = text.split("\n")
    return name.removeprefix("event: "), json.loads(data.removeprefix("data: "))


async def test_what_changed_and_only_that(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.lock("Room 1", LockSeen(native_id="Room 1", locked=True))
        await site.lock("Room 2", LockSeen(native_id="Room 2", locked=True))
        listener = Listener(site, Live(site.hub, RENDERER), Session("k", 0.0))
        async with aclosing(listener.chunks):
            first = await listener.next()
            assert [name for name, _ in first] == ["fragments", "pulse"]
            assert {"summary", "links", "devices", "events", "notices"} <= {one["id"] for one in first[0][1]}
            await site.see(LockSeen(native_id="Room 1", locked=False, method="manual"))
            (name, data), pulse = await listener.next()
            assert name == "fragments"
            assert {one["id"] for one in data} == {f"d-{lock.device.device_id}", "events"}
            assert "Unlocked" in data[0]["html"]
            assert pulse[0] == "pulse"
            assert set(pulse[1]) == {"text", "iso"}


async def test_a_flurry_is_one_round(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        await site.lock("Room 1", LockSeen(native_id="Room 1", locked=True))
        listener = Listener(site, Live(site.hub, RENDERER), Session("k", 0.0))
        async with aclosing(listener.chunks):
            await listener.next()
            began = site.clock.monotonic()
            for number in range(20):
                await site.see(LockSeen(native_id="Room 1", locked=bool(number % 2), method="manual"))
            assert len(await listener.ids()) == 1  # the events; the bolt is where it was
            assert site.clock.monotonic() - began >= GAP
            assert await listener.ids() == []


async def test_the_pulse_beats_and_brings_what_no_event_tells(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        climate = ClimateSeen(native_id="Climate", climate=Climate(temperature_celsius=20.0))
        await site.thermostat("Climate", climate)
        listener = Listener(site, Live(site.hub, RENDERER), Session("k", 0.0))
        async with aclosing(listener.chunks):
            await listener.next()
            began = site.clock.monotonic()
            assert await listener.ids() == []
            assert GAP < site.clock.monotonic() - began <= PULSE
            await site.see(ClimateSeen(native_id="Climate", climate=Climate(temperature_celsius=20.3)))
            (own,) = await listener.ids()
            assert own.startswith("d-")


async def test_it_outlives_a_disk_that_does_not_answer(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        listener = Listener(site, Live(site.hub, RENDERER), Session("k", 0.0))
        async with aclosing(listener.chunks):
            listener.problem = StoreError("io_error", "the disk reports an error")
            assert [name for name, _ in await listener.next()] == ["pulse"]
            listener.problem = None
            assert "summary" in await listener.ids()


async def test_it_ends_with_the_session(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        streams = Live(site.hub, RENDERER)
        listener = Listener(site, streams, Session("k", 0.0))
        await listener.next()
        assert (streams.open, listener.session.streams) == (1, 1)
        listener.is_in = False
        assert [name for name, _ in await listener.next()] == ["over"]
        assert [chunk async for chunk in listener.chunks] == []
        assert (streams.open, listener.session.streams) == (0, 0)


async def test_streams_are_bounded(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        streams = Live(site.hub, RENDERER)
        one = Session("k", 0.0)
        listeners = [Listener(site, streams, one) for _ in range(sessions.MAX_STREAMS)]
        for listener in listeners:
            await listener.next()
        assert not streams.has_room(one)
        assert [chunk async for chunk in Listener(site, streams, one).chunks] == []
        while streams.open < live.MAX_STREAMS:
            listener = Listener(site, streams, Session("k", 0.0))
            listeners.append(listener)
            await listener.next()
        assert not streams.has_room(Session("k", 0.0))
        for listener in listeners:
            await listener.chunks.aclose()
        assert streams.open == 0
