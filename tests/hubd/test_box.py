import errno
import fcntl
import os
import stat
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from hubd import box as box_module
from hubd.box import Box, BoxError, is_in_use
from hubd.model.errors import StoreError


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(box_module, "_LOCK_PAUSE", 0.001)


def refused(directory: Path) -> BoxError:
    with pytest.raises(BoxError) as caught:
        Box(directory)
    return caught.value


def test_what_is_missing_is_made_and_private(tmp_path: Path) -> None:
    directory = tmp_path / "deep" / "data"
    with Box(directory) as box:
        assert str(uuid.UUID(box.hub_id)) == box.hub_id
        assert (box.database, box.owner_key) == (directory / "hubd.sqlite", directory / "owner.key")
        assert box.sealer.open(box.sealer.seal(b"x", "row"), "row") == b"x"
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        assert {one.name: stat.S_IMODE(one.stat().st_mode) for one in directory.iterdir()} == {
            "lock": 0o600,
            "hub.id": 0o600,
            "secret.key": 0o600,
        }


def test_a_box_is_the_same_box_at_its_next_start(tmp_path: Path) -> None:
    with Box(tmp_path) as box:
        hub_id, sealed = box.hub_id, box.sealer.seal(b"x", "row")
    with Box(tmp_path) as box:
        assert box.hub_id == hub_id
        assert box.sealer.open(sealed, "row") == b"x"


def test_a_second_daemon_is_kept_out_and_let_in_afterwards(tmp_path: Path) -> None:
    with Box(tmp_path) as box:
        assert is_in_use(tmp_path)
        error = refused(tmp_path)
        assert (error.code, error.message) == (
            "data_dir_in_use",
            f"data_dir {tmp_path} is in use by another hubd process",
        )
        box.close()
    assert not is_in_use(tmp_path)
    with Box(tmp_path):
        assert is_in_use(tmp_path)


def test_a_daemon_that_was_killed_holds_nothing(tmp_path: Path) -> None:
    program = (
        "import pathlib, sys; from hubd.box import Box; Box(pathlib.Path(sys.argv[1])); print(1, flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "1\n"
        assert is_in_use(tmp_path)
        assert refused(tmp_path).code == "data_dir_in_use"
        other.kill()
        other.wait()
    with Box(tmp_path):
        pass


def test_one_who_only_looks_keeps_nobody_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`is_in_use` holds the lock for an instant; a daemon that starts in it must try again."""
    with Box(tmp_path):
        pass
    looking: list[int] = [os.open(tmp_path / "lock", os.O_RDONLY)]
    fcntl.flock(looking[0], fcntl.LOCK_SH)

    def look_away(_: float) -> None:
        if looking:
            os.close(looking.pop())

    monkeypatch.setattr(time, "sleep", look_away)
    with Box(tmp_path):
        assert looking == []


def test_whether_it_is_in_use_cannot_be_told_where_nothing_is(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        is_in_use(tmp_path)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_without_locks_is_not_taken_for_a_second_daemon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def flock(_: int, __: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)
    error = refused(tmp_path)
    assert error.code == "data_dir_unusable"
    assert os.strerror(number) in error.message
    assert "local disk" in error.message


def test_where_no_directory_can_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for directory in (tmp_path / "file", tmp_path / "file" / "data"):
        error = refused(directory)
        assert error.code == "data_dir_unusable"
        assert str(directory) in error.message


def test_a_full_disk_at_first_start_is_said_and_holds_no_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Path, __: str) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(box_module, "write_new", full)
    error = refused(tmp_path)
    assert error.code == "data_dir_unusable"
    assert "No space left on device" in error.message
    monkeypatch.undo()
    with Box(tmp_path):
        pass


@pytest.mark.parametrize("text", ["", "no uuid", "\xff"])
def test_a_damaged_hub_id_is_not_replaced(tmp_path: Path, text: str) -> None:
    path = tmp_path / "hub.id"
    path.write_text(text, "latin-1")
    error = refused(tmp_path)
    assert error.code == "hub_id_damaged"
    assert "restore it from a backup" in error.message
    assert path.read_text("latin-1") == text
    path.write_text("0f4d9a0e-5a52-4a41-8f0c-2b6f0f1c9d11\n")
    with Box(tmp_path) as box:
        assert box.hub_id == "0f4d9a0e-5a52-4a41-8f0c-2b6f0f1c9d11"


def test_a_hub_id_that_is_missing_beside_a_database_is_not_made_up(tmp_path: Path) -> None:
    (tmp_path / "hubd.sqlite").touch()
    error = refused(tmp_path)
    assert error.code == "hub_id_missing"
    assert not (tmp_path / "hub.id").exists()


def test_a_damaged_key_lets_go_of_the_lock(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_bytes(b"short")
    with pytest.raises(StoreError):
        Box(tmp_path)
    assert not is_in_use(tmp_path)
