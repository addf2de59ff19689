"""Simulated counterparts of what a driver talks to: `hubd sim` runs them as processes, for trying out and for tests."""

from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from hubd.driver.actions import Arguments


class Simulator(msgspec.Struct, frozen=True, kw_only=True):
    """A server that a driver can be pointed at, for a site without the real one."""

    name: str
    """As typed at the command line."""
    title: str
    """What it plays, in one sentence."""
    options: type[Arguments]
    serve: Callable[[Any, Callable[[str], None]], Coroutine[Any, Any, None]]
    """Plays it until it is cancelled: `serve(options, say)`, where `say` prints a line, such as how to connect.

    Raises `HubError` when it cannot start.
    """
