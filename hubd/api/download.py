"""A file as an answer: only from inside one directory, read off the loop, piece by piece."""

import asyncio
import os
import re
import stat
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import ClassVar

from hubd.api.route import Stream
from hubd.model.errors import NotFoundError

PIECE = 64 * 1024

_ODD = re.compile(r"[^A-Za-z0-9._-]")


class Download(Stream, frozen=True):
    """An answer that is a file."""

    content_type: ClassVar[str] = "application/octet-stream"
    name: str
    size: int

    @property
    def headers(self) -> Mapping[str, str]:
        """What a browser needs to keep it as a file."""
        return {
            "content-length": str(self.size),
            "content-disposition": f'attachment; filename="{_ODD.sub("_", self.name)}"',
            "x-content-type-options": "nosniff",
        }


async def download(path: Path, inside: Path) -> Download:
    """Give a file that lies in `inside`. Raises `NotFoundError` when it does not, or is not there any more."""
    try:
        real, size = await asyncio.to_thread(_look, path, inside)
    except OSError as error:
        reason = error.strerror or "it is none of this driver's"
        message = f"The file {path.name!r} cannot be had ({reason}); start the action again."
        raise NotFoundError("file_not_found", message) from error
    return Download(_pieces(real, size), path.name, size)


def _look(path: Path, inside: Path) -> tuple[Path, int]:
    real = path.resolve(strict=True)
    found = real.stat()
    if not real.is_relative_to(inside.resolve(strict=True)) or not stat.S_ISREG(found.st_mode):
        raise FileNotFoundError
    return real, found.st_size


async def _pieces(path: Path, size: int) -> AsyncGenerator[bytes]:
    """Yield `size` bytes. Raises `OSError` when they are not there any more: then the answer breaks off."""
    handle = await asyncio.to_thread(os.open, path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        while size > 0:
            piece = await asyncio.to_thread(os.read, handle, min(PIECE, size))
            if not piece:
                raise OSError("the file shrank while it was read")
            size -= len(piece)
            yield piece
    finally:
        os.close(handle)
