"""The command line's side of the API: finds the running hub by its data directory and speaks to it."""

import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from hubd.box import OWNER_KEY
from hubd.model.errors import HubError
from hubd.tls import CERTIFICATE

URL_FILE = "url"
"""Where a running hub writes its own address, in its data directory."""

TIMEOUT = 20.0


class ClientError(HubError):
    """The hub is not there, or said no. `data["status"]` is the HTTP status where there was one."""


class Client:
    """A connection to the hub of a data directory. Use as an async context manager."""

    def __init__(self, data_dir: Path) -> None:
        """Read address and key. Raises `ClientError`."""
        try:
            self.url = (data_dir / URL_FILE).read_text(encoding="utf-8").strip()
        except FileNotFoundError as error:
            message = f"no hub is running on {data_dir}; start it with `hubd run --config FILE`"
            raise ClientError("hub_not_running", message) from error
        except OSError as error:
            raise ClientError("data_dir_unreadable", f"{data_dir}: {error.strerror}; run as the user hubd runs as") from error
        try:
            self._token = (data_dir / OWNER_KEY).read_text(encoding="ascii").strip()
        except OSError as error:
            message = f"{data_dir / OWNER_KEY} cannot be read ({error.strerror}); run as the user hubd runs as"
            raise ClientError("owner_key_unreadable", message) from error
        certificate = data_dir / CERTIFICATE
        self._tls: ssl.SSLContext | bool = True
        if self.url.startswith("https") and certificate.exists():
            self._tls = ssl.create_default_context(cafile=certificate)
            self._tls.check_hostname = False  # its own certificate, pinned by file
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT)
        headers = {"authorization": f"Bearer {self._token}"}
        self._session = aiohttp.ClientSession(timeout=timeout, headers=headers)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._session is not None:
            await self._session.close()

    async def call(self, path: str, **params: object) -> dict[str, Any]:
        """POST a call and return its answer. Raises `ClientError`."""
        assert self._session is not None, "use `async with`"
        try:
            async with self._session.post(self.url + path, json=params, ssl=self._tls) as response:
                answer: dict[str, Any] = await response.json()
        except (aiohttp.ClientError, TimeoutError, OSError, json.JSONDecodeError) as error:
            message = f"the hub at {self.url} does not answer ({type(error).__name__}); is it running?"
            raise ClientError("hub_not_reachable", message) from error
        if "error" in answer:
            problem = answer["error"]
            raise ClientError(problem["type"], problem["message"], status=response.status)
        return answer

    async def follow(self, after: int) -> AsyncIterator[dict[str, Any]]:
        """Follow the journal after a sequence number. Raises `ClientError` when the stream breaks."""
        assert self._session is not None, "use `async with`"
        url = f"{self.url}/hub/journal/stream?after={after}"
        timeout = aiohttp.ClientTimeout(total=None, sock_read=TIMEOUT * 2)
        try:
            async with self._session.get(url, ssl=self._tls, timeout=timeout) as response:
                async for line in response.content:
                    if line.startswith(b"data: "):
                        yield json.loads(line[6:])
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ClientError("stream_broken", f"the hub stopped answering ({type(error).__name__})") from error
