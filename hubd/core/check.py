"""The action that every driver with set-up checks has, besides those of its own."""

import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from functools import partial
from typing import Final

from hubd.driver.actions import Action, ActionResult, Arguments, Progress
from hubd.driver.checks import CHECK, CheckPort, Finding
from hubd.driver.checkup import MOST_SECONDS, examine, summary
from hubd.driver.clock import Clock
from hubd.driver.protocol import DriverConfig, Manifest

LOG = logging.getLogger(__name__)

ACTION: Final = Action(
    name=CHECK,
    title="Check the connection",
    description="Asks each hop on the way to the devices, one after the other, and says what is wrong and what to do. "
    "It changes nothing, works while the connection is down, too, and may keep a device busy for a moment.",
    seconds=MOST_SECONDS + 15.0,
    exclusive=False,
)

type Act = Callable[[Arguments, str | None, Progress], Awaitable[ActionResult]]


def checker(instance: str, manifest: Manifest, config: DriverConfig, clock: Clock) -> Act | None:
    """Return what does the action for an instance; None if its driver has no checks."""
    return None if manifest.doctor is None else partial(_check, manifest, config, CheckPort(instance, clock))


async def _check(
    manifest: Manifest, config: DriverConfig, port: CheckPort, _: Arguments, __: str | None, progress: Progress
) -> ActionResult:
    found: list[Finding] = []
    async with aclosing(examine(manifest, config, port)) as findings:
        async for one in findings:
            found.append(one)
            progress.say(f"{one.check}: {one.verdict}. {one.evidence}")
            if one.verdict == "failed":
                LOG.warning("check of %s, %s: %s (%s)", port.instance, one.check, one.evidence, one.code)
    return ActionResult(
        message=summary(found),
        table=tuple(
            {
                "hop": one.hop,
                "check": one.check,
                "verdict": one.verdict,
                "evidence": one.evidence,
                "remedy": one.remedy,
                "code": one.code,
            }
            for one in found
        ),
        has_faults=any(one.verdict == "failed" for one in found),
    )
