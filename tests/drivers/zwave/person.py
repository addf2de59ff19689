"""Who starts an action: reads what it says, and answers what it asks."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from hubd_drivers.zwave import ZwaveConfig, ZwaveDriver
from hubd_drivers.zwave.care.catalogue import ACTIONS
from hubd_drivers.zwave.care.mode import MARKER
from hubd_drivers.zwave.care.network import Network
from hubd_drivers.zwave.link import Link
from hubd_drivers.zwave.roster import Roster

from hubd.driver import ActionResult, Arguments, Question
from hubd.driver.contract import RecordingPort, running
from tests.drivers.zwave.conftest import SharedNetwork
from tests.drivers.zwave.fakes import FastClock

type Answers = Callable[[Question], str | None]


class Person:
    """A `Progress`. `answers`: what is entered for a question; None leaves it open."""

    def __init__(self, answers: Answers = lambda _: None) -> None:
        self.said: list[str] = []
        self.countdowns: list[float] = []
        self.shares: list[float] = []
        self.asked: list[Question] = []
        self.given_up = 0
        self._answers = answers
        self._changed = asyncio.Condition()

    def say(self, message: str, *, seconds: float | None = None, share: float | None = None) -> None:
        self.said.append(message)
        if seconds is not None:
            self.countdowns.append(seconds)
        if share is not None:
            self.shares.append(share)

    async def ask(self, question: Question) -> str:
        self.asked.append(question)
        answer = self._answers(question)
        if answer is not None:
            return answer
        try:
            await asyncio.Event().wait()
        finally:
            self.given_up += 1
        raise AssertionError("nobody answers")


async def until_asked(person: Person, seconds: float = 15.0) -> None:
    """Wait until something is asked."""
    await _until(lambda: person.asked, seconds)


async def until_said(person: Person, words: str, seconds: float = 15.0) -> None:
    """Wait until a message with these words is said."""
    await _until(lambda: any(words in one for one in person.said), seconds)


async def _until(holds: Callable[[], object], seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - a progress has no event for it
            await asyncio.sleep(0.02)


def arguments_of(name: str, /, **given: Any) -> Arguments:
    """The arguments of an action, as the hub would make them."""
    action = next(one for one in ACTIONS if one.name == name)
    return action.arguments(**given)


async def act(
    driver: ZwaveDriver, name: str, person: Person | None = None, /, *, device: str | None = None, **given: Any
) -> ActionResult:
    """Do an action."""
    return await driver.act(name, arguments_of(name, **given), device, person or Person())


def network_of(
    link: Link, port: RecordingPort | None = None, roster: Roster | None = None, keys_file: str = ""
) -> Network:
    """A network behind a link, without the rest of a driver's life."""
    port = port or RecordingPort()
    return Network(link, port, roster or Roster(link, port, 0.5), keys_file)


async def is_marked(port: RecordingPort) -> bool:
    """Whether the driver holds the stick to be in inclusion or exclusion mode."""

    def look() -> bool:
        return (port.storage / MARKER).exists()

    return await asyncio.to_thread(look)


@asynccontextmanager
async def site(url: str, speed: float = 1.0) -> AsyncIterator[tuple[ZwaveDriver, RecordingPort]]:
    driver, port = ZwaveDriver(ZwaveConfig(url=url, attribution_ms=250)), RecordingPort(clock=FastClock(speed))
    async with running(driver, port):
        yield driver, port


async def leave(network: SharedNetwork, driver: ZwaveDriver, node: object) -> ActionResult:
    await network.op("leave", node=node)
    return await act(driver, "exclude", seconds=20)
