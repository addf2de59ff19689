"""The command line's side of the API: finds the running hub by its data directory and speaks to it."""

import json
import ssl
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from hubd.box import OWNER_KEY, URL_FILE, is_in_use
from hubd.model.errors import HubError
from hubd.tls import CERTIFICATE

TIMEOUT = 20.0
OK = 200


class ClientError(HubError):
    """The hub is not there, or said no. `data["status"]` is the HTTP status where there was one."""


class Client:
    """A connection to the hub of a data directory. Use as an async context manager."""

    def __init__(self, data_dir: Path, certificate: Path | None = None) -> None:
        """Read address and key. `certificate` is the hub's, if not one it made itself. Raises `ClientError`."""
        try:
            running = is_in_use(data_dir)
            self.url = (data_dir / URL_FILE).read_text(encoding="utf-8").strip()
        except FileNotFoundError as error:
            raise _not_running(data_dir) from error
        except OSError as error:
            message = f"{data_dir}: {error.strerror}; run as the user hubd runs as"
            raise ClientError("data_dir_unreadable", message) from error
        if not running:  # the address is of a hub that was killed; who knows who listens there now
            raise _not_running(data_dir)
        try:
            self._token = (data_dir / OWNER_KEY).read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is damaged"
            message = f"{data_dir / OWNER_KEY} cannot be read ({reason}); run as the user hubd runs as"
            raise ClientError("owner_key_unreadable", message) from error
        certificate = certificate or data_dir / CERTIFICATE
        self._tls: ssl.SSLContext | bool = True
        if self.url.startswith("https") and certificate.exists():
            self._tls = ssl.create_default_context(cafile=certificate)
            self._tls.check_hostname = False  # its own certificate, pinned by file
        self._open: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT)
        headers = {"authorization": f"Bearer {self._token}"}
        self._open = aiohttp.ClientSession(timeout=timeout, headers=headers)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._open is not None:
            await self._open.close()

    @property
    def _session(self) -> aiohttp.ClientSession:
        if self._open is None:
            raise RuntimeError("a Client works inside `async with` only")
        return self._open

    async def call(self, path: str, **params: object) -> dict[str, Any]:
        """POST a call and return its answer. Raises `ClientError`."""
        try:
            async with self._session.post(self.url + path, json=params, ssl=self._tls) as response:
                return await _answer(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            message = f"the hub at {self.url} does not answer ({type(error).__name__}); is it running?"
            raise ClientError("hub_not_reachable", message) from error

    async def follow(self, after: int) -> AsyncIterator[dict[str, Any]]:
        """Follow the journal after a sequence number. Raises `ClientError` when the stream ends: it has no end."""
        url = f"{self.url}/hub/journal/stream?after={after}"
        timeout = aiohttp.ClientTimeout(total=None, sock_read=TIMEOUT * 2)
        reason = "it ended the stream"
        try:
            async with self._session.get(url, ssl=self._tls, timeout=timeout) as response:
                if response.status != OK:
                    await _answer(response)
                async for line in response.content:
                    if line.startswith(b"data: "):
                        yield json.loads(line[6:])
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            reason = type(error).__name__
        raise ClientError("stream_broken", f"the hub stopped answering ({reason})")

    async def stream(self, path: str, **query: str | int) -> AsyncGenerator[bytes]:
        """GET an answer that goes on, piece by piece, until it ends. Raises `ClientError`, also when it breaks off."""
        timeout = aiohttp.ClientTimeout(total=None, sock_read=TIMEOUT * 2)
        try:
            async with self._session.get(self.url + path, params=query, ssl=self._tls, timeout=timeout) as response:
                if response.status != OK:
                    await _answer(response)
                async for piece in response.content.iter_any():
                    yield piece
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ClientError("stream_broken", f"the hub stopped answering ({type(error).__name__})") from error


def _not_running(data_dir: Path) -> ClientError:
    message = f"no hub is running on {data_dir}; start it with `hubd run --config FILE`"
    return ClientError("hub_not_running", message)


async def _answer(response: aiohttp.ClientResponse) -> dict[str, Any]:
    """Return the body of an answer. Raises `ClientError` for an error in it, and for what is not from a hub."""
    try:
        answer: dict[str, Any] = await response.json()
    except (aiohttp.ContentTypeError, ValueError) as error:
        message = f"what answers at {response.url.origin()} is not a hub (status {response.status})"
        raise ClientError("hub_not_reachable", message, status=response.status) from error
    if "error" in answer:
        problem = answer["error"]
        raise ClientError(problem["type"], problem["message"], status=response.status)
    return answer
