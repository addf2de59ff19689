"""A webhook's other end: a real HTTP server that keeps what it gets and answers as it is told."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from seam.seam_webhook import SeamWebhook

from tests.support.seam_schema import validate_event
from tests.support.site import eventually


@dataclass
class Delivered:
    """One request."""

    headers: dict[str, str]
    body: bytes
    status: int

    @property
    def event(self) -> dict[str, Any]:
        """The event that it carries."""
        found: dict[str, Any] = json.loads(self.body)
        return found


@dataclass
class Receiver:
    """Answers `status`, after `gate` is open. `got` holds every request, refused ones too."""

    url: str = ""
    status: int = 200
    statuses: list[int] = field(default_factory=list)
    """Answers to the next requests, before `status`."""
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    got: list[Delivered] = field(default_factory=list)
    waiting: int = 0

    @property
    def taken(self) -> list[dict[str, Any]]:
        """The events that were answered with success, in order."""
        return [one.event for one in self.got if one.status < 300]

    @property
    def types(self) -> list[str]:
        """Their types."""
        return [event["event_type"] for event in self.taken]

    async def until(self, condition: Callable[["Receiver"], bool]) -> None:
        """Wait until a condition holds."""
        await eventually(lambda: condition(self))

    def verify(self, secret: str) -> None:
        """Check every request with the official SDK, and its event with the official schema."""
        assert self.got
        for one in self.got:
            event = SeamWebhook(secret).verify(one.body.decode(), one.headers)
            assert event.event_id == one.headers["svix-id"]
            assert validate_event(one.event) == []

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Keep a request."""
        body = await request.read()
        self.waiting += 1
        await self.gate.wait()
        self.waiting -= 1
        status = self.statuses.pop(0) if self.statuses else self.status
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.got.append(Delivered(headers, body, status))
        location = {"location": self.url} if status in range(300, 400) else {}
        return web.Response(status=status, headers=location)


@asynccontextmanager
async def receiving(**options: Any) -> AsyncIterator[Receiver]:
    """Listen on a free port of this machine."""
    receiver = Receiver(**options)
    receiver.gate.set()
    runner = web.ServerRunner(web.Server(receiver.answer), shutdown_timeout=0.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield receiver
    finally:
        receiver.gate.set()
        await runner.cleanup()
