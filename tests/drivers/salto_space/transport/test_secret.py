from pathlib import Path

import pytest
from hubd_drivers.salto_space.transport.base import SecretError
from hubd_drivers.salto_space.transport.secret import is_open_to_all, read_secret


@pytest.mark.parametrize(
    "content", [b"hunter2", b"hunter2\n", b"hunter2\r\n", b"\xef\xbb\xbfhunter2\n", b"  hunter2 \nmore\n"]
)
def test_the_first_line_however_it_was_written(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "secret"
    path.write_bytes(content)
    assert read_secret(str(path)) == "hunter2"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is empty"),
        (b"\nhunter2", "is empty"),
        (b"hunter2\x07", "characters"),
        (b"hunter2\xff", "UTF-8"),
        (b"hunter2" * 1000, "too long"),
    ],
)
def test_what_is_no_secret_is_not_quoted(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "secret"
    path.write_bytes(content)
    with pytest.raises(SecretError, match=why) as refusal:
        read_secret(str(path))
    assert "hunter2" not in str(refusal.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match="No such file"):
        read_secret(str(tmp_path / "none"))
    with pytest.raises(SecretError, match="it is no path"):
        read_secret("/a\0b")
    with pytest.raises(SecretError, match="Is a directory"):
        read_secret(str(tmp_path))


def test_who_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("x")
    path.chmod(0o644)
    assert is_open_to_all(str(path))
    path.chmod(0o640)
    assert not is_open_to_all(str(path))
