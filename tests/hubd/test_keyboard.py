import asyncio
import os
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from hubd.keyboard import Keyboard
from tests.support.keys import typing
from tests.support.site import eventually


@pytest.fixture
def pipe() -> Iterator[int]:
    with typing() as end:
        yield end


@pytest.fixture
def terminal() -> Iterator[int]:
    with typing(terminal=True) as end:
        yield end


@pytest.fixture
def plain_file(tmp_path: Path) -> Iterator[None]:
    path = tmp_path / "answers"
    path.write_text("one\ntwo")
    before, handle = os.dup(0), os.open(path, os.O_RDONLY)
    os.dup2(handle, 0)
    os.close(handle)
    yield
    os.dup2(before, 0)
    os.close(before)


async def test_lines_come_one_by_one_until_the_end(pipe: int) -> None:
    keyboard = Keyboard()
    assert not keyboard.is_terminal
    reading = asyncio.create_task(keyboard.line())
    await asyncio.sleep(0.01)
    assert not reading.done()
    await asyncio.to_thread(os.write, pipe, "zw\u00f6lf\r\ntwo\nthr".encode())
    assert await reading == "zwölf"
    assert await keyboard.line(is_secret=True) == "two"
    last = asyncio.create_task(keyboard.line())
    await asyncio.to_thread(os.write, pipe, b"ee\n")
    assert await last == "three"


@pytest.mark.usefixtures("plain_file")
async def test_a_plain_file_is_read_too() -> None:
    keyboard = Keyboard()
    assert [await keyboard.line() for _ in range(3)] == ["one", "two", None]


async def test_what_is_no_longer_waited_for_is_left_for_the_next(pipe: int) -> None:
    keyboard = Keyboard()
    reading = asyncio.create_task(keyboard.line())
    await asyncio.sleep(0.01)
    reading.cancel()
    await asyncio.wait({reading})
    await asyncio.to_thread(os.write, pipe, b"late\n")
    assert await keyboard.line() == "late"


async def test_a_secret_is_not_shown_on_a_terminal(terminal: int) -> None:
    keyboard = Keyboard()
    assert keyboard.is_terminal
    reading = asyncio.create_task(keyboard.line(is_secret=True))
    await eventually(lambda: not termios.tcgetattr(0)[3] & termios.ECHO)
    await asyncio.to_thread(os.write, terminal, b"40717\n")
    assert await reading == "40717"
    assert termios.tcgetattr(0)[3] & termios.ECHO
    shown = asyncio.create_task(keyboard.line())
    await asyncio.to_thread(os.write, terminal, b"hello\n")
    assert await shown == "hello"
    assert await asyncio.to_thread(os.read, terminal, 100) == b"hello\r\n"


async def test_the_terminal_shows_again_what_is_typed_when_nobody_waits(terminal: int) -> None:
    assert terminal
    reading = asyncio.create_task(Keyboard().line(is_secret=True))
    await eventually(lambda: not termios.tcgetattr(0)[3] & termios.ECHO)
    reading.cancel()
    await asyncio.wait({reading})
    assert termios.tcgetattr(0)[3] & termios.ECHO
