"""`/hub/clock`: what time the hub goes by, and a person's word that the box's clock is right."""

from datetime import datetime

from hubd.api import shapes
from hubd.api.params import NoParams
from hubd.api.route import ACT, READ, Call, Route, route


class ClockAnswer(shapes.Ok, frozen=True, kw_only=True):
    """The hub's time. While it is not trusted, ends of codes go by it and starts wait."""

    now: datetime
    is_trusted: bool
    doubt: str | None = None
    """Why not, what waits, and what to do."""


async def clock(call: Call, _: NoParams) -> ClockAnswer:
    """Return the time the hub goes by."""
    instant, doubt = call.hub.sense.now(), call.hub.sense.doubt
    return ClockAnswer(now=instant.at, is_trusted=instant.is_trusted, doubt=None if doubt is None else doubt.sentence)


async def confirm(call: Call, params: NoParams) -> ClockAnswer:
    """Take the caller's word that the clock of the box is right."""
    await call.hub.sense.confirm()
    return await clock(call, params)


ROUTES: list[Route] = [
    route("/hub/clock", READ, clock, ClockAnswer),
    route("/hub/clock/confirm", ACT, confirm, ClockAnswer, role="owner"),
]
