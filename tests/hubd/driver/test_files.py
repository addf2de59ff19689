import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from hubd.driver.files import write_new, write_once


@pytest.fixture(autouse=True)
def generous_umask() -> object:
    before = os.umask(0)
    yield
    os.umask(before)


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "owner.key"
    write_new(path, "söcret\n")
    assert path.read_text("utf-8") == "söcret\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["owner.key"]


def test_an_old_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "url"
    path.write_text("a much longer text than the new one")
    path.chmod(0o644)
    write_new(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_a_power_cut_left_half_written_is_no_obstacle_and_stays_private(tmp_path: Path) -> None:
    left = tmp_path / ".secret.key.new"
    left.write_bytes(b"half")
    left.chmod(0o644)
    write_new(tmp_path / "secret.key", b"whole")
    assert (tmp_path / "secret.key").read_bytes() == b"whole"
    assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600


def test_a_link_that_lies_in_its_way_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("untouched")
    (tmp_path / ".x.new").symlink_to(target)
    with pytest.raises(OSError, match=os.strerror(errno.ELOOP)):
        write_new(tmp_path / "x", "secret")
    assert target.read_text() == "untouched"
    assert not (tmp_path / "x").exists()


def test_what_is_written_once_takes_no_others_place(tmp_path: Path) -> None:
    path, link = tmp_path / "stick.bin", tmp_path / "link"
    write_once(path, b"one")
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"one", 0o600)
    link.symlink_to(tmp_path / "elsewhere")
    for taken in (path, link):
        with pytest.raises(FileExistsError):
            write_once(taken, b"two")
    assert path.read_bytes() == b"one"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["link", "stick.bin"]


@pytest.mark.parametrize("write", [write_new, write_once])
def test_what_could_not_be_written_whole_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Path, bytes], None]
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write(tmp_path / "stick.bin", b"one")
    assert list(tmp_path.iterdir()) == []
