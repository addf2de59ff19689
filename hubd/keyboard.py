"""What is typed: lines from standard input, read without holding up the loop, and arguments of the form NAME=VALUE."""

import argparse
import asyncio
import os
import termios
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

from hubd.driver.actions import fact_words

_STDIN = 0
_PIECE = 4096


def pair(text: str) -> tuple[str, str]:
    """Take an argument of the form NAME=VALUE apart; a type of argparse."""
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def about(field: Mapping[str, Any]) -> str:
    """Describe such an argument, a `hubd.driver.fields.Field` as a mapping."""
    low, high, default = field["minimum"], field["maximum"], field["default"]
    notes = [f"{low:g} to {high:g}"] if None not in {low, high} else []
    notes += [] if default in {None, ""} else [f"default {fact_words(default)}"]
    return " ".join(filter(None, (field["description"] or field["title"], f"({', '.join(notes)})" if notes else "")))


class Keyboard:
    """Standard input."""

    def __init__(self) -> None:
        self._buffer = b""

    @property
    def is_terminal(self) -> bool:
        """Whether a person may be typing, and sees it."""
        return os.isatty(_STDIN)

    async def line(self, *, is_secret: bool = False) -> str | None:
        """Return the next line without its end; None when no more comes. A secret one is not shown on a terminal."""
        with _hidden() if is_secret and self.is_terminal else nullcontext():
            while b"\n" not in self._buffer:
                piece = await _read()
                if not piece:
                    line, self._buffer = self._buffer, b""
                    return line.decode(errors="replace") if line else None
                self._buffer += piece
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.decode(errors="replace").rstrip("\r")


async def _read() -> bytes:
    """Return what is there, once something is; a thread waits for nobody, as it could not be called back."""
    loop = asyncio.get_running_loop()
    there: asyncio.Future[None] = loop.create_future()
    try:
        loop.add_reader(_STDIN, _set, there)
    except PermissionError:
        pass  # a plain file: it holds nobody up
    else:
        try:
            await there
        finally:
            loop.remove_reader(_STDIN)
    return await asyncio.to_thread(os.read, _STDIN, _PIECE)


def _set(there: "asyncio.Future[None]") -> None:
    if not there.done():
        there.set_result(None)


@contextmanager
def _hidden() -> Iterator[None]:
    before = termios.tcgetattr(_STDIN)
    hidden = [*before]
    hidden[3] &= ~termios.ECHO
    termios.tcsetattr(_STDIN, termios.TCSADRAIN, hidden)
    try:
        yield
    finally:
        termios.tcsetattr(_STDIN, termios.TCSADRAIN, before)
