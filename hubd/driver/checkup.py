"""Has a driver's set-up checks made: bounded in time, and whatever they do, there is a finding."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Final

from hubd.driver import intake
from hubd.driver.checks import CheckPort, Doctor, Finding
from hubd.driver.protocol import DriverConfig, DriverError, Manifest

LOG = logging.getLogger(__name__)

MOST_SECONDS: Final = 75.0
"""For all checks of one driver."""

_ITSELF: Final = "The checks themselves"


async def examine(
    manifest: Manifest, config: DriverConfig, port: CheckPort, seconds: float = MOST_SECONDS
) -> AsyncGenerator[Finding]:
    """Yield what the checks of a driver find; nothing if it has none. Raises nothing for what they do.

    A check that breaks is a failed one with code `driver_defect`, and is logged with its traceback.
    """
    if manifest.doctor is None:
        return
    hop = manifest.hops[0]
    try:
        async with aclosing(_bounded(manifest.doctor, config, port, seconds)) as findings:
            async for finding in findings:
                yield finding
    except DriverError as error:
        yield intake.finding(Finding(error.hop, "Connection", "failed", error.message, error.code, error.remedy))
    except _LateError:
        evidence = f"They did not end within {seconds:g} s; the rest was not checked."
        yield Finding(hop, _ITSELF, "failed", evidence, "checks_timeout", "See to what failed above, then check again.")
    except asyncio.CancelledError as error:
        if _is_cancelled():
            raise
        yield _defect(hop, port, error)
    except Exception as error:  # noqa: BLE001 - a defect of the driver is told as such, and the other checks go on
        yield _defect(hop, port, error)


class _LateError(Exception):
    """The time for all checks is over."""


async def _bounded(doctor: Doctor, config: DriverConfig, port: CheckPort, seconds: float) -> AsyncGenerator[Finding]:
    end = port.clock.monotonic() + seconds
    async with aclosing(doctor(config, port)) as findings:
        while True:
            try:
                async with port.clock.timeout(end - port.clock.monotonic()):
                    finding = await anext(findings, None)
            except TimeoutError as error:
                if port.clock.monotonic() < end:  # one of the driver's own
                    raise
                raise _LateError from error
            if finding is None:
                return
            yield intake.finding(finding)


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _defect(hop: str, port: CheckPort, error: BaseException) -> Finding:
    LOG.error("a check of %s failed by a defect of the driver", port.instance, exc_info=error)
    evidence = f"A check failed by a defect of the driver ({type(error).__name__}); the log has the details."
    return Finding(hop, _ITSELF, "failed", evidence, "driver_defect", "Report it with the log.")


def summary(findings: Sequence[Finding]) -> str:
    """Say in a sentence how the checks ended."""
    failed = [one for one in findings if one.verdict == "failed"]
    warned = [one for one in findings if one.verdict == "warning"]
    if failed:
        return f"{len(failed)} of {_checks(len(findings))} failed: {failed[0].check}: {failed[0].evidence}"
    if not findings:
        return "There is nothing to check."
    head = "The check passed" if len(findings) == 1 else f"All {len(findings)} checks passed"
    return f"{head}, {len(warned)} with a warning: {warned[0].check}: {warned[0].evidence}" if warned else f"{head}."


def _checks(count: int) -> str:
    return f"{count} check{'' if count == 1 else 's'}"
