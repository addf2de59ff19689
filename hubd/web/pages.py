"""The status page, as the composition root sees it: which paths are its own, and who answers for them."""

import asyncio
from typing import TYPE_CHECKING

from hubd.core.hub import Hub
from hubd.core.keys import Keys
from hubd.core.message import Request, Response

if TYPE_CHECKING:
    from hubd.web.front import Front

_PATHS = frozenset({"/", "/login", "/logout", "/page/stream"})
_FOLDERS = ("/device/", "/code/", "/driver/", "/run/", "/users/", "/static/")


class Pages:
    """Serves the paths that `owns` names. A hub without visitors neither loads nor holds what makes the pages."""

    def __init__(self, hub: Hub, keys: Keys) -> None:
        self._hub = hub
        self._keys = keys
        self._opening = asyncio.Lock()
        self._front: Front | None = None

    @staticmethod
    def owns(path: str) -> bool:
        """Whether a path is one of the page's."""
        return path in _PATHS or path.startswith(_FOLDERS)

    async def handle(self, request: Request) -> Response:
        """Answer a request. Never raises for what a browser sends."""
        async with self._opening:
            if self._front is None:
                self._front = await asyncio.to_thread(_open, self._hub, self._keys)
        return await self._front.handle(request)


def _open(hub: Hub, keys: Keys) -> "Front":
    from hubd.web.front import Front  # noqa: PLC0415 - 3 MB and a tenth of a second, only where there are visitors

    return Front(hub, keys)
