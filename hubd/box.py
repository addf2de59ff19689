"""The data directory: who this box is, its keys, and the lock that keeps a second daemon out.

Synchronous: used before the loop runs.
"""

import fcntl
import os
import time
import uuid
from pathlib import Path
from types import TracebackType
from typing import Self

from hubd.driver.files import write_new
from hubd.model import ids
from hubd.model.errors import HubError
from hubd.store.secrets import Sealer, load_key

DATABASE = "hubd.sqlite"
LOCK = "lock"
OWNER_KEY = "owner.key"
URL_FILE = "url"
"""Where a running hub writes its own address."""

_LOCK_TRIES = 10
_LOCK_PAUSE = 0.02


class BoxError(HubError):
    """The data directory cannot be used."""


def is_in_use(directory: Path) -> bool:
    """Whether a daemon runs on this data directory. Raises `OSError` when that cannot be told."""
    handle = os.open(directory / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _acquire(lock: int, directory: Path) -> None:
    """Lock, or raise: `BoxError` when another process has it, `OSError` when the file system has no locks."""
    for tries_left in reversed(range(_LOCK_TRIES)):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if not tries_left:
                raise BoxError("data_dir_in_use", f"data_dir {directory} is in use by another hubd process") from error
            time.sleep(_LOCK_PAUSE)  # `is_in_use` of another process holds it for an instant
        else:
            return


def _unusable(directory: Path, error: OSError) -> BoxError:
    name = "" if error.filename is None else f" ({Path(os.fsdecode(error.filename)).name})"
    message = (
        f"data_dir {directory} cannot be used: {error.strerror}{name}; "
        "it must be on a local disk with room on it, and belong to the user hubd runs as"
    )
    return BoxError("data_dir_unusable", message)


class Box:
    """An opened data directory. Use as a context manager."""

    def __init__(self, directory: Path) -> None:
        """Open, and make what is missing. Raises `BoxError` or `StoreError`."""
        self.directory = directory
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock: int | None = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _unusable(directory, error) from error
        try:
            _acquire(self._lock, directory)
            self.hub_id = self._hub_id()
            self.sealer = Sealer(load_key(directory / "secret.key"))
        except OSError as error:
            self.close()
            raise _unusable(directory, error) from error
        except HubError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let another daemon in. Twice is once."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @property
    def database(self) -> Path:
        """Path of the SQLite file."""
        return self.directory / DATABASE

    @property
    def owner_key(self) -> Path:
        """Path of the owner's key, made on first start."""
        return self.directory / OWNER_KEY

    @property
    def storage(self) -> Path:
        """Directory of the drivers' own directories."""
        return self.directory / "drivers"

    def _hub_id(self) -> str:
        path = self.directory / "hub.id"
        if not path.exists():
            if self.database.exists():
                message = (
                    f"{path} is missing beside a database; restore it from a backup, or every device gets a new id"
                )
                raise BoxError("hub_id_missing", message)
            write_new(path, ids.new_id() + "\n")
        text = path.read_text(encoding="ascii", errors="replace").strip()
        try:
            return str(uuid.UUID(text))
        except ValueError as error:
            message = f"{path} must hold the hub's UUID; restore it from a backup, or every device gets a new id"
            raise BoxError("hub_id_damaged", message) from error
