"""`/hub/drivers/record`: the traffic of a driver's link, as it passes, for somebody who cannot be on the site."""

import asyncio
import logging
import platform
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Annotated, Final
from weakref import WeakKeyDictionary

import msgspec

from hubd.api.params import Params
from hubd.api.route import Call, LineStream, Route, route
from hubd.core.hub import Hub
from hubd.driver.protocol import RecordableDriver
from hubd.driver.recording import Frame, Header, RecordingError, line
from hubd.model.errors import BusyError, NotFoundError, RefusedError

LOG = logging.getLogger(__name__)

KEEP_ALIVE: Final = 1.0
"""Seconds of silence after which a blank line is written; a listener who left is noticed by it."""
PATIENCE: Final = 2.5
"""Seconds that a call waits for the end of the recording before it, whose listener may have left a moment ago."""
MOST_RECORDINGS: Final = 4

_under_way: WeakKeyDictionary[Hub, dict[str, asyncio.Event]] = WeakKeyDictionary()
"""By driver instance; set at its end."""


class RecordDriver(Params, frozen=True, kw_only=True):
    """Which driver instance, and for how long."""

    instance: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    seconds: Annotated[int, msgspec.Meta(ge=1, le=3600)] = 60


async def record(call: Call, params: RecordDriver) -> LineStream:
    """Record the traffic of a driver's link, without its secrets, as JSON Lines."""
    hub = call.hub
    instance = hub.instances.get(params.instance)
    if instance is None:
        known = ", ".join(sorted(hub.instances)) or "none"
        message = f"There is no driver instance of this name in the config; there are: {known}."
        raise NotFoundError("driver_not_configured", message)
    if not isinstance(instance.driver, RecordableDriver):
        message = f"A driver of type {instance.manifest.type!r} has no link that could be recorded."
        raise RefusedError("not_recordable", message)
    if (other := _under_way.get(hub, {}).get(params.instance)) is not None:
        with suppress(TimeoutError):
            async with hub.clock.timeout(PATIENCE):
                await other.wait()
    _refuse_when_busy(hub, params.instance)
    header = Header(
        driver=instance.manifest.type,
        recorded_at=hub.clock.now(),
        versions={"hubd": hub.site.version, "python": platform.python_version()},
    )
    return LineStream(follow(hub, params.instance, instance.driver, header, params.seconds))


def _refuse_when_busy(hub: Hub, instance: str) -> None:
    under_way = _under_way.get(hub, {})
    if instance in under_way:
        raise BusyError("recording_under_way", "This driver instance is being recorded already.")
    if len(under_way) >= MOST_RECORDINGS:
        raise BusyError("too_many_recordings", f"{MOST_RECORDINGS} recordings are under way already; end one first.")


async def follow(
    hub: Hub, instance: str, driver: RecordableDriver, header: Header, seconds: float, keep_alive: float = KEEP_ALIVE
) -> AsyncGenerator[bytes]:
    """Yield the lines of a recording for `seconds`; the last frame, `end`, says why it ends."""
    _refuse_when_busy(hub, instance)  # another call may have come between the answer's head and its body
    _under_way.setdefault(hub, {})[instance] = ended = asyncio.Event()
    begun = hub.clock.monotonic()
    LOG.info("recording of %s begins, for %g s at most", instance, seconds)
    try:
        yield line(header)
        last, reason = 0.0, "time_over"
        async with driver.record(hub.clock) as tape:
            while (left := begun + seconds - hub.clock.monotonic()) > 0:
                try:
                    frames = await tape.read(min(left, keep_alive))
                except RecordingError as error:
                    LOG.warning("recording of %s: %s", instance, error.message)
                    reason = error.code
                    break
                last = frames[-1].t if frames else last
                yield b"".join(map(line, frames)) or b"\n"
        yield line(Frame(t=max(last, round(hub.clock.monotonic() - begun, 3)), way="end", data=reason))
    finally:
        del _under_way[hub][instance]
        ended.set()
        LOG.info("recording of %s ends", instance)


ROUTES: list[Route] = [route("/hub/drivers/record", ("GET",), record, LineStream, RecordDriver, "owner")]
