"""Calls the API, whatever carries the calls, and has every answer judged."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from tests.hubd.api.judge import faults

LARGE = 100_000
"""Bytes beyond which aiohttp wants a body as a file."""


@dataclass
class Answer:
    """What came back; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    raw: bytes
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def error(self) -> dict[str, Any]:
        """The error of a failed call."""
        found: dict[str, Any] = self.body["error"]
        return found


class Caller:
    """Base: a subclass says how a request is sent."""

    def __init__(self, token: str) -> None:
        self.token = token

    async def send(
        self, method: str, path: str, query: list[tuple[str, str]], headers: dict[str, str], content: bytes
    ) -> Answer:
        """Send a request and return what came back, undecoded."""
        raise NotImplementedError

    async def call(
        self,
        path: str,
        body: Any = None,
        *,
        method: str = "POST",
        query: Mapping[str, Any] | Iterable[tuple[str, Any]] = (),
        raw: bytes | None = None,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Call a route: `body` as JSON or `raw` bytes, `query` as pairs. `token` "" sends none."""
        token = self.token if token is None else token
        sent = ({"authorization": f"Bearer {token}"} if token else {}) | {**(headers or {})}
        content = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        pairs = [(key, str(value)) for key, value in (query.items() if isinstance(query, Mapping) else query)]
        answer = await self.send(method, path, pairs, sent, content)
        found = faults(path, answer.status, answer.headers, answer.raw)
        assert not found, f"{method} {path} {content[:200]!r} {pairs}: {found}"
        answer.body = json.loads(answer.raw)
        return answer

    async def ok(self, path: str, body: Any = None, **options: Any) -> dict[str, Any]:
        """Call a route that must answer 200; return the body."""
        answer = await self.call(path, body, **options)
        assert answer.status == 200, (path, body, answer.body)
        return answer.body

    async def refused(self, path: str, body: Any = None, **options: Any) -> dict[str, Any]:
        """Call a route that must not answer 200; return the error with its `status`."""
        answer = await self.call(path, body, **options)
        assert answer.status != 200, (path, body, answer.body)
        return {"status": answer.status, **answer.error}

    async def wrong(self, name: str, path: str, body: Any = None, **options: Any) -> str:
        """Call a route that must refuse one parameter; return its sentence."""
        error = await self.refused(path, body, **options)
        assert (error["status"], error["type"]) == (400, "invalid_input"), (body, error)
        if name:
            top = re.split(r"[.\[]", name, maxsplit=1)[0]
            assert error["message"].startswith(name), (body, error)
            assert error["validation_errors"][top]["_errors"], (body, error)
        return str(error["message"])

    async def device(self, name: str = "Room 101") -> dict[str, Any]:
        """Return a managed device by name."""
        found: dict[str, Any] = (await self.ok("/devices/get", {"name": name}))["device"]
        return found

    async def device_id(self, name: str = "Room 101") -> str:
        """Return the id of a managed device."""
        return str((await self.device(name))["device_id"])


class HttpCaller(Caller):
    """Calls a daemon over HTTP."""

    def __init__(self, url: str, token: str, session: aiohttp.ClientSession) -> None:
        super().__init__(token)
        self.url = url
        self._session = session

    async def send(
        self, method: str, path: str, query: list[tuple[str, str]], headers: dict[str, str], content: bytes
    ) -> Answer:
        """Send a request over HTTP."""
        url, data = self.url + path, BytesIO(content) if len(content) > LARGE else content
        async with self._session.request(method, url, params=query, headers=headers, data=data) as response:
            found = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, found, await response.read())

    async def follow(self, url: str) -> dict[str, Any]:
        """Follow a link of an answer by a plain GET with the key; it must answer 200."""
        parts = urlsplit(url)
        assert f"{parts.scheme}://{parts.netloc}" == self.url
        async with self._session.get(url, headers={"authorization": f"Bearer {self.token}"}) as response:
            found = {name.lower(): value for name, value in response.headers.items()}
            raw = await response.read()
            assert response.status == 200, raw
            assert not (wrong := faults(parts.path, response.status, found, raw)), wrong
            body: dict[str, Any] = json.loads(raw)
            return body
