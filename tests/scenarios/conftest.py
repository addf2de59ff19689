"""The emulated Z-Wave network, for the scenarios that need a radio, and what those with a browser need."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from blockbuster import BlockBuster

from tests.drivers.zwave.conftest import module_network, module_timed_network, timed_network
from tests.sims.zwave.fixtures import zwave_cache, zwave_network

__all__ = [
    "harness_may_block",
    "module_network",
    "module_timed_network",
    "timed_network",
    "zwave_cache",
    "zwave_network",
]


@pytest.fixture(scope="module")
def harness_may_block(nothing_blocks: BlockBuster) -> Iterator[None]:
    """Let Playwright read the source files of its callers: the loop that must not wait is in the daemon's process."""
    nothing_blocks.deactivate()
    yield
    nothing_blocks.activate()


@pytest.fixture
def strangers(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Cut everything off but this machine; gives whom somebody tried to reach, or to find by name."""
    tried: list[object] = []
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def is_near(host: object) -> bool:
        return host in {None, "", "localhost", "127.0.0.1", "::1"}

    def guarded(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and not is_near(address[0]):
            tried.append(address)
            raise OSError(101, "Network is unreachable")
        connect(self, address)

    def guarded_look_up(host: Any, *rest: Any, **options: Any) -> Any:
        if not is_near(host):
            tried.append(host)
            raise socket.gaierror(-3, "Temporary failure in name resolution")
        return look_up(host, *rest, **options)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_look_up)
    return tried
