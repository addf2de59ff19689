"""One file with everything that makes this box this box: what a spare box needs to take its place.

Works beside a running hub: the database is copied by SQLite itself, as it is at one moment. The file holds the box's
keys in the clear; whoever has it can be this box. Synchronous: for the command line.
"""

import hashlib
import io
import os
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from hubd import __version__
from hubd.box import DATABASE, LOCK, URL_FILE
from hubd.model.errors import HubError

CONTENTS = "backup.json"
_DATABASE_FILES = {DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", f"{DATABASE}-journal"}
_CHUNK = 1 << 20


class BackupError(HubError):
    """The backup was not made; there is no file, or the one that was there before."""


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds; stands in it as `backup.json`."""

    version: str
    made_at: datetime
    files: dict[str, str]
    """SHA-256 of each file by its path in the data directory."""


def back_up(data_dir: Path, target: Path) -> Contents:
    """Write a backup (tar, gzip, 0600), read it again and compare. Raises `BackupError`; never overwrites a file."""
    if target.exists():
        raise BackupError("backup_exists", f"{target} exists already; choose another name.")
    if not (data_dir / DATABASE).exists():
        raise BackupError("backup_empty", f"{data_dir} holds no hub: there is no {DATABASE} in it.")
    partial = target.with_name(f".{target.name}.new")
    try:
        files = dict(_files(data_dir))
        with tempfile.TemporaryDirectory(prefix="hubd-backup-", dir=target.parent) as scratch:
            database = Path(scratch) / DATABASE
            _copy_database(data_dir / DATABASE, database)
            contents = _write(partial, {DATABASE: database} | files)
            _compare(partial, contents)
            _name(partial, target)
    except OSError as error:
        words = f"The backup was not made: {error.strerror or error} ({error.filename or target})."
        raise BackupError("backup_failed", words) from error
    except (sqlite3.Error, tarfile.TarError) as error:
        raise BackupError("backup_failed", f"The backup was not made: {error}.") from error
    finally:
        partial.unlink(missing_ok=True)
    return contents


def _files(data_dir: Path) -> Iterator[tuple[str, Path]]:
    """Yield the other files of the data directory that outlive a start, by their path in it."""
    for path in sorted(data_dir.rglob("*")):
        name = path.relative_to(data_dir).as_posix()
        if path.is_file() and not path.is_symlink() and name not in _DATABASE_FILES | {LOCK, URL_FILE}:
            yield name, path


def _copy_database(source: Path, target: Path) -> None:
    target.touch(mode=0o600)
    with (
        closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as old,
        closing(sqlite3.connect(target)) as new,
    ):
        old.backup(new)
        new.execute("PRAGMA journal_mode = DELETE")
        found = [row[0] for row in new.execute("PRAGMA quick_check")]
    if found != ["ok"]:
        raise BackupError("backup_damaged", f"The backup was not made: the database is damaged ({found[0]}).")


def _write(target: Path, files: dict[str, Path]) -> Contents:
    target.unlink(missing_ok=True)
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        digests: dict[str, str] = {}
        with tarfile.open(fileobj=file, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
            for name, path in files.items():
                try:
                    body, changed = path.read_bytes(), path.stat().st_mtime
                except FileNotFoundError:
                    continue  # beside a running hub files come and go
                digests[name] = hashlib.sha256(body).hexdigest()
                _add(archive, name, body, changed)
            contents = Contents(version=__version__, made_at=datetime.now(UTC), files=digests)
            _add(archive, CONTENTS, msgspec.json.encode(contents), contents.made_at.timestamp())
        file.flush()
        os.fsync(handle)
    return contents


def _name(partial: Path, target: Path) -> None:
    """Give the finished file its name, overwriting nothing. A hard link would too, but a USB stick may know none."""
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    partial.replace(target)


def _add(archive: tarfile.TarFile, name: str, body: bytes, at: float) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = len(body), 0o600, int(at)
    archive.addfile(member, io.BytesIO(body))


def _compare(path: Path, contents: Contents) -> None:
    with tarfile.open(path, mode="r:gz") as archive:
        found = {member.name: _digest(archive, member) for member in archive if member.name != CONTENTS}
    if found != contents.files:
        raise BackupError("backup_damaged", "The backup was not made: what was written does not read back the same.")


def _digest(archive: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    file, digest = archive.extractfile(member), hashlib.sha256()
    while file is not None and (chunk := file.read(_CHUNK)):
        digest.update(chunk)
    return digest.hexdigest()
