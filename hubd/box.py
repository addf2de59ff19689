"""The data directory: who this box is, its keys, and the lock that keeps a second daemon out. Synchronous, before the loop."""

import fcntl
import os
import uuid
from pathlib import Path
from types import TracebackType
from typing import Self

from hubd.model import ids
from hubd.model.errors import HubError
from hubd.store.secrets import Sealer, load_key

DATABASE = "hubd.sqlite"
OWNER_KEY = "owner.key"


class BoxError(HubError):
    """The data directory cannot be used."""


def write_new(path: Path, text: str) -> None:
    """Write a file that others cannot read, whole or not at all."""
    partial = path.with_name(f".{path.name}.new")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


class Box:
    """An opened data directory. Use as a context manager."""

    def __init__(self, directory: Path) -> None:
        """Open, and make what is missing. Raises `BoxError` or `StoreError`."""
        self.directory = directory
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            message = f"data_dir {directory} cannot be used: {error.strerror}; check that its owner is the user hubd runs as"
            raise BoxError("data_dir_unusable", message) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            message = f"data_dir {directory} is in use by another hubd process"
            raise BoxError("data_dir_in_use", message) from error
        self.hub_id = self._hub_id()
        self.sealer = Sealer(load_key(directory / "secret.key"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let another daemon in."""
        os.close(self._lock)

    @property
    def database(self) -> Path:
        """Path of the SQLite file."""
        return self.directory / DATABASE

    @property
    def owner_key(self) -> Path:
        """Path of the owner's key, made on first start."""
        return self.directory / OWNER_KEY

    def _hub_id(self) -> str:
        path = self.directory / "hub.id"
        if not path.exists():
            write_new(path, ids.new_id() + "\n")
        text = path.read_text(encoding="ascii", errors="replace").strip()
        try:
            return str(uuid.UUID(text))
        except ValueError as error:
            message = f"{path} must hold the hub's UUID; restore it from a backup, or every device gets a new id"
            raise BoxError("hub_id_damaged", message) from error
