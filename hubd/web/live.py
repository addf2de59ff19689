"""The stream that keeps an open page true: fragments that changed, at most two rounds a second, and a pulse."""

from collections.abc import AsyncGenerator, Awaitable, Callable

import msgspec

from hubd.core.actions import Run
from hubd.core.hub import Hub
from hubd.model.errors import StoreError
from hubd.web import sessions
from hubd.web.parts import Part, Shown
from hubd.web.render import Renderer
from hubd.web.sessions import Session
from hubd.web.words import Stamp

MAX_STREAMS = 32
GAP = 0.5
PULSE = 5.0
"""Seconds after which a page looks again for what the journal does not tell, and hears that the hub is alive."""

_encode = msgspec.json.Encoder().encode

type Look = Callable[[], Awaitable[list[Part]]]


class Live:
    """All streams of the hub."""

    def __init__(self, hub: Hub, renderer: Renderer) -> None:
        self._hub = hub
        self._renderer = renderer
        self.open = 0

    def has_room(self, session: Session) -> bool:
        """Whether this session may open one more."""
        return self.open < MAX_STREAMS and session.streams < sessions.MAX_STREAMS

    async def follow(
        self,
        session: Session,
        look: Look,
        is_alive: Callable[[], bool],
        clock_face: Callable[[], Stamp],
        run: Run | None = None,
    ) -> AsyncGenerator[bytes]:
        """Tell one page what changes, until its session ends. The page of a run follows the run, not the journal."""
        if not self.has_room(session):
            return
        self.open += 1
        session.streams += 1
        try:
            shown = Shown()
            while is_alive():
                head = self._hub.journal.head if run is None else run.version
                yield await self._round(shown, look, clock_face)
                await self._hub.clock.sleep(GAP)
                await self._wait(head, run)
            yield b"event: over\ndata: {}\n\n"
        finally:
            self.open -= 1
            session.streams -= 1

    async def _round(self, shown: Shown, look: Look, clock_face: Callable[[], Stamp]) -> bytes:
        try:
            changed = shown.update(await look())
        except StoreError:
            changed = []  # the pulse goes on; the next round tries again
        text = b""
        if changed:
            text = b"event: fragments\ndata: %s\n\n" % _encode(await self._renderer.fragments(changed))
        return text + b"event: pulse\ndata: %s\n\n" % _encode(clock_face())

    async def _wait(self, head: int, run: Run | None) -> None:
        try:
            async with self._hub.clock.timeout(PULSE - GAP):
                await (self._hub.journal.wait_beyond(head) if run is None else run.wait_beyond(head))
        except TimeoutError:
            pass
