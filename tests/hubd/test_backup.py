import asyncio
import errno
import hashlib
import os
import shutil
import sqlite3
import tarfile
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hubd.backup import CONTENTS, BackupError, Contents, back_up
from tests.support.site import running_site


def unpack(archive: Path, target: Path) -> Contents:
    with tarfile.open(archive) as file:
        file.extractall(target, filter="data")
    return msgspec.json.decode((target / CONTENTS).read_bytes(), type=Contents)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A directory that looks like a hub's."""
    path = tmp_path / "data"
    (path / "drivers" / "radio").mkdir(parents=True)
    with sqlite3.connect(path / "hubd.sqlite") as database:
        database.execute("CREATE TABLE t(a)")
    database.close()
    for name, body in (
        ("hub.id", "id"),
        ("secret.key", "key"),
        ("lock", ""),
        ("url", "http://x"),
        ("drivers/radio/stick.bin", "nvm"),
    ):
        (path / name).write_text(body)
    return path


def test_a_backup_holds_every_file_but_the_lock(data_dir: Path, tmp_path: Path) -> None:
    target = tmp_path / "box.tar.gz"
    contents = back_up(data_dir, target)
    assert set(contents.files) == {"hubd.sqlite", "hub.id", "secret.key", "drivers/radio/stick.bin"}
    assert target.stat().st_mode & 0o777 == 0o600
    assert sorted(tmp_path.iterdir()) == [target, data_dir]
    assert unpack(target, tmp_path / "new") == contents
    for name, digest in contents.files.items():
        path = tmp_path / "new" / name
        assert hashlib.sha256(path.read_bytes()).hexdigest() == digest
        assert path.stat().st_mode & 0o777 == 0o600


async def test_a_backup_of_a_running_hub_starts_as_the_same_hub(tmp_path: Path) -> None:
    def back_up_and_unpack() -> None:
        back_up(tmp_path / "data", tmp_path / "box.tar.gz")
        unpack(tmp_path / "box.tar.gz", tmp_path / "spare")

    async with running_site(tmp_path / "data") as site:
        device = await site.device("Room 101")
        await site.call("/devices/update", json={"device_id": device["device_id"], "name": "Suite"})
        await site.hub.journal.database.transact([("INSERT INTO meta(name, value) VALUES(?, ?)", [("x", b"y")])])
        token = site.token
        await asyncio.to_thread(back_up_and_unpack)
    async with running_site(tmp_path / "spare") as spare:
        assert spare.token == token
        assert (await spare.device("Suite"))["device_id"] == device["device_id"]


def test_nothing_is_overwritten(data_dir: Path, tmp_path: Path) -> None:
    target = tmp_path / "box.tar.gz"
    target.write_text("precious")
    with pytest.raises(BackupError, match="exists already"):
        back_up(data_dir, target)
    assert target.read_text() == "precious"


def test_a_directory_without_a_hub_is_told(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="holds no hub"):
        back_up(tmp_path, tmp_path / "box.tar.gz")


def test_a_damaged_database_makes_no_backup(data_dir: Path, tmp_path: Path) -> None:
    (data_dir / "hubd.sqlite").write_bytes(b"SQLite format 3\0" + b"\xff" * 4096)
    with pytest.raises(BackupError, match="was not made"):
        back_up(data_dir, tmp_path / "box.tar.gz")
    assert sorted(tmp_path.iterdir()) == [data_dir]


def test_a_place_that_cannot_be_written_is_told(data_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="No such file or directory"):
        back_up(data_dir, tmp_path / "nowhere" / "box.tar.gz")


def test_links_do_not_bring_other_files_in(data_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "other").write_text("not ours")
    (data_dir / "drivers" / "link").symlink_to(tmp_path / "other")
    assert "drivers/link" not in back_up(data_dir, tmp_path / "box.tar.gz").files
    shutil.rmtree(data_dir)


def test_it_goes_on_a_stick_that_knows_no_links(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    assert "hub.id" in back_up(data_dir, tmp_path / "box.tar.gz").files


def test_a_file_that_goes_meanwhile_is_not_missed(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passing = data_dir / "drivers" / "radio" / "values.jsonl.tmp"
    passing.write_text("half")
    connect = sqlite3.connect

    def connect_later(*arguments: Any, **options: Any) -> Any:
        passing.unlink(missing_ok=True)
        return connect(*arguments, **options)

    monkeypatch.setattr(sqlite3, "connect", connect_later)
    contents = back_up(data_dir, tmp_path / "box.tar.gz")
    assert set(contents.files) == {"hubd.sqlite", "hub.id", "secret.key", "drivers/radio/stick.bin"}


def test_beside_the_hubs_own_files_it_does_not_hold_itself(data_dir: Path) -> None:
    contents = back_up(data_dir, data_dir / "box.tar.gz")
    assert set(contents.files) == {"hubd.sqlite", "hub.id", "secret.key", "drivers/radio/stick.bin"}
