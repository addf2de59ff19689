import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest

from hubd.api.download import PIECE, Download, download
from hubd.model.errors import NotFoundError


@pytest.fixture
def inside(tmp_path: Path) -> Path:
    """A driver's directory with a file, one beside it, and links of both kinds."""
    folder = tmp_path / "zwave"
    folder.mkdir()
    (folder / "backup ü.bin").write_bytes(b"x" * (2 * PIECE + 1))
    (tmp_path / "secret.key").write_bytes(b"secret")
    (folder / "link").symlink_to(tmp_path / "secret.key")
    (folder / "folder").mkdir()
    return folder


async def content(found: Download) -> bytes:
    async with aclosing(found.chunks) as chunks:
        return b"".join([chunk async for chunk in chunks])


async def test_a_file_comes_in_pieces_with_its_length(inside: Path) -> None:
    found = await download(inside / "backup ü.bin", inside)
    assert found.headers == {
        "content-length": str(2 * PIECE + 1),
        "content-disposition": 'attachment; filename="backup__.bin"',
        "x-content-type-options": "nosniff",
    }
    assert found.content_type == "application/octet-stream"
    async with aclosing(found.chunks) as chunks:
        assert [len(chunk) async for chunk in chunks] == [PIECE, PIECE, 1]


async def test_one_that_is_never_read_leaves_nothing_open(inside: Path) -> None:
    found = await download(inside / "backup ü.bin", inside)
    await found.chunks.aclose()


@pytest.mark.parametrize("name", ["link", "folder", "gone", "../secret.key", "folder/../../secret.key"])
async def test_nothing_but_the_drivers_own_files_is_given(inside: Path, name: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        await download(inside / name, inside)
    assert caught.value.code == "file_not_found"
    assert str(inside) not in caught.value.message


async def test_a_file_that_shrinks_breaks_the_answer_off(inside: Path) -> None:
    found = await download(inside / "backup ü.bin", inside)
    await asyncio.to_thread((inside / "backup ü.bin").write_bytes, b"short")
    with pytest.raises(OSError, match="shrank"):
        await content(found)


async def test_a_file_that_grows_is_given_as_long_as_it_was(inside: Path) -> None:
    found = await download(inside / "backup ü.bin", inside)
    await asyncio.to_thread((inside / "backup ü.bin").write_bytes, b"y" * 10 * PIECE)
    assert len(await content(found)) == found.size
