"""The time frames of a lock's codes: year-day schedules of Schedule Entry Lock CC, by the API that zwave-js has for it.

A user has several; the hub uses the first. zwave-js answers the same for a lock that is silent and for one that says
that there is no schedule. It writes down what a lock says, with the time: that tells the two apart.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from hubd_drivers.zwave.codes.books import Word, word_of
from hubd_drivers.zwave.codes.walltimes import WallFrame, of_wire, to_wire
from hubd_drivers.zwave.facts import SCHEDULE_ENTRY_LOCK, ValueId, mapping
from hubd_drivers.zwave.link import Link

_SLOT: Final = 1
_YEAR_DAY: Final = 1
"""`ScheduleEntryLockScheduleKind`."""


class Kept(NamedTuple):
    """What a lock keeps for a code. `wall` None: nothing, or what no calendar knows."""

    is_set: bool
    wall: WallFrame | None = None


NOTHING: Final = Kept(is_set=False)


class Schedules:
    """The schedules of one lock. All raise `CommandError`."""

    def __init__(self, link: Link, node_id: int) -> None:
        self._link = link
        self._node_id = node_id

    async def put(self, user: int, wall: WallFrame) -> Word:
        """Have a code open within a time frame only, instead of the one that it may have had."""
        return word_of(mapping(await self._api("setYearDaySchedule", _at(user), to_wire(wall))))

    async def erase(self, user: int) -> Word:
        """Have a code open at any time."""
        return word_of(mapping(await self._api("setYearDaySchedule", _at(user))))

    async def read(self, user: int) -> Kept | None:
        """Ask the lock itself; None if it does not answer."""
        before = await self._link.measured_at(self._node_id, _value(user))
        answer = await self._api("getYearDaySchedule", _at(user))
        if answer is not None:
            return Kept(is_set=True, wall=of_wire(mapping(answer)))
        after = await self._link.measured_at(self._node_id, _value(user))
        return NOTHING if after != before else None

    async def cached(self, user: int) -> Kept | None:
        """Return what zwave-js knows, without asking the lock; None if that is nothing."""
        known = await self._link.value(self._node_id, _value(user))
        if known is False:
            return NOTHING
        return Kept(is_set=True, wall=of_wire(known)) if isinstance(known, Mapping) else None

    async def _api(self, method: str, *arguments: object) -> object:
        answer = await self._link.command(
            "endpoint.invoke_cc_api",
            nodeId=self._node_id,
            endpoint=0,
            commandClass=SCHEDULE_ENTRY_LOCK,
            methodName=method,
            args=list(arguments),
        )
        return answer.get("response")


def _at(user: int) -> dict[str, int]:
    return {"userId": user, "slotId": _SLOT}


def _value(user: int) -> ValueId:
    return ValueId(SCHEDULE_ENTRY_LOCK, 0, "schedule", _YEAR_DAY << 16 | user << 8 | _SLOT)
