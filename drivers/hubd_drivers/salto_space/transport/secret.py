"""The password or key of the server, out of its file. Synchronous."""

import stat
from pathlib import Path
from typing import Final

from hubd_drivers.salto_space.transport.base import SecretError

MOST_BYTES: Final = 4096


def read_secret(path: str) -> str:
    """Return the first line of a file. Raises `SecretError`, which never quotes it."""
    try:
        with Path(path).open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no path"
        raise SecretError(f"{path} cannot be read: {why}") from None
    if len(raw) > MOST_BYTES:
        raise SecretError(f"{path} is too long for a password or key")
    try:
        lines = raw.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise SecretError(f"{path} is not a text file in UTF-8") from None
    if not lines or not lines[0].strip():
        raise SecretError(f"the first line of {path} is empty")
    if not lines[0].isprintable():
        raise SecretError(f"the first line of {path} has characters that no password or key has")
    return lines[0].strip()


def is_open_to_all(path: str) -> bool:
    """Tell whether anybody on this machine may read the file. Raises `OSError`."""
    return bool(Path(path).stat().st_mode & stat.S_IROTH)
