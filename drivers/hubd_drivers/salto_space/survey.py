"""The part of the set-up checks that a server has to answer: licence, clock, doors, access levels, audit, encoders."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from hubd.driver import Clock
from hubd.driver.checks import Finding, Verdict, skipped
from hubd_drivers.salto_space.client import SpaceClient
from hubd_drivers.salto_space.config import SaltoSpaceConfig
from hubd_drivers.salto_space.failures import SERVER, driver_error
from hubd_drivers.salto_space.faults import Fault, FaultKind
from hubd_drivers.salto_space.fields import CommState
from hubd_drivers.salto_space.messages import DoorKind, Info
from hubd_drivers.salto_space.transport.base import LinkError
from hubd_drivers.salto_space.wallclock import complaint

LICENCE, CLOCK, DOORS = "Licence", "Clock and time zone", "Doors"
LEVELS, AUDIT, ENCODERS = "Access levels", "Audit trail", "Encoders"
CHECKS: Final = (LICENCE, CLOCK, DOORS, LEVELS, AUDIT, ENCODERS)
"""Titles, in their order."""

_ENCODER_SECONDS: Final = 2.0
"""After this, an encoder that has not refused waits for a card, so it is known. That an unknown name is refused at once
is inferred."""
_ENCODERS_AT_ONCE: Final = 8
_MOST_NAMED: Final = 5
_KNOWN_ZONES: Final = (
    "UTC",
    "Europe/London",
    "Europe/Madrid",
    "Europe/Athens",
    "Europe/Istanbul",
    "Asia/Dubai",
    "Asia/Kolkata",
    "Asia/Singapore",
    "Asia/Tokyo",
    "Australia/Sydney",
    "Pacific/Auckland",
    "America/Sao_Paulo",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
)
"""One name for each usual offset, to make a guess that a technician recognizes."""
_NOUNS: Final = {
    DoorKind.DOOR: "door",
    DoorKind.LOCKER: "locker",
    DoorKind.ROOM: "room",
    DoorKind.SUITE: "suite",
}


async def survey(client: SpaceClient, info: Info, config: SaltoSpaceConfig, clock: Clock) -> AsyncGenerator[Finding]:
    """Yield a finding for each of `CHECKS`; a lost link skips the rest, a refusal does not."""
    checks: dict[str, Callable[[], Awaitable[Finding]]] = {
        LICENCE: lambda: _licence(client),
        CLOCK: lambda: clock_finding(info, config, clock),
        DOORS: lambda: _doors(client),
        LEVELS: lambda: _levels(client),
        AUDIT: lambda: _audit(client, config),
        ENCODERS: lambda: _encoders(client, config, clock),
    }
    for at, (title, check) in enumerate(checks.items()):
        stops = False
        try:
            finding = await check()
        except (Fault, LinkError) as error:
            lost = driver_error(error, config.target)
            finding = Finding(SERVER, title, "failed", lost.message, lost.code, lost.remedy)
            stops = isinstance(error, LinkError) or title == LICENCE
        yield finding
        if stops:
            for left in skipped(SERVER, *CHECKS[at + 1 :], because=f"{title} failed, so this could not be checked."):
                yield left
            return


async def _licence(client: SpaceClient) -> Finding:
    """Read two users: where GetInfo is answered without the licence, this is not."""
    page = await client.users(count=2)
    return Finding(SERVER, LICENCE, "ok", f"Users can be read ({len(page.records)} were asked for as a test).")


# -- the clock ---------------------------------------------------------------------------------------------------------


async def clock_finding(info: Info, config: SaltoSpaceConfig, clock: Clock) -> Finding:
    """Compare the server's clock with ours."""
    if info.wall is None:
        remedy = "Compare the date and time of the Space computer by eye."
        return Finding(
            SERVER, CLOCK, "warning", "The server does not say what its clock shows.", "clock_unknown", remedy
        )
    now = clock.now()
    wrong = complaint(info.wall, config.zone, now)
    if wrong is None:
        shows = f"The clock of Space shows {info.wall:%Y-%m-%d %H:%M}, which is right for {config.time_zone}."
        return Finding(SERVER, CLOCK, "ok", shows)
    names = [] if wrong.offset is None else await asyncio.to_thread(zones_at, wrong.offset, now)
    like = f" That is the time of {' or '.join(names)}." if names else ""
    return Finding(SERVER, CLOCK, "warning", wrong.message + like, wrong.code, wrong.remedy)


def zones_at(offset: timedelta, now: datetime) -> list[str]:
    """Return well-known zones that are this far ahead of UTC now. Blocks: it reads files."""
    return [name for name in _KNOWN_ZONES if now.astimezone(ZoneInfo(name)).utcoffset() == offset][:2]


# -- what there is -----------------------------------------------------------------------------------------------------


async def _doors(client: SpaceClient) -> Finding:
    counts: dict[DoorKind, int] = {}
    for kind in DoorKind:
        try:
            counts[kind] = sum([len(page.records) async for page in client.all_doors(kind)])
        except Fault as fault:  # a site without hotel rooms may not even know their list
            if fault.kind is not FaultKind.UNSUPPORTED or kind is DoorKind.DOOR:
                raise
    statuses = (await client.statuses()).records
    online = [one for one in statuses if not one.is_offline]
    lost = [one.id for one in online if one.comm is not CommState.OK]
    told = [f"{count} {_NOUNS[kind]}{'' if count == 1 else 's'}" for kind, count in counts.items() if count]
    if not told:
        remedy = "Make the doors in ProAccess Space first. If there are some, look at the partitions that SHIP may see."
        return Finding(SERVER, DOORS, "warning", "Space tells of no doors.", "no_doors", remedy)
    evidence = f"Space has {', '.join(told)}; {len(online)} are online and can be opened from here."
    if lost:
        named = ", ".join(lost[:_MOST_NAMED]) + (" and others" if len(lost) > _MOST_NAMED else "")
        remedy = "Check these doors' power and network, and look at Monitoring > Online monitoring in ProAccess Space."
        evidence = f"{evidence} Space does not reach {len(lost)} of them: {named}."
        return Finding(SERVER, DOORS, "warning", evidence, "doors_not_reached", remedy)
    return Finding(SERVER, DOORS, "ok", evidence)


async def _levels(client: SpaceClient) -> Finding:
    try:
        page = await client.groups(count=2)
    except Fault as fault:
        if fault.kind is not FaultKind.UNSUPPORTED:
            raise
        evidence = "This version of Space does not tell its user access levels; hubd knows only those that users have."
        remedy = "Nothing has to be done; their names are missing. Update ProAccess Space if you need them."
        return Finding(SERVER, LEVELS, "warning", evidence, "access_levels_unreadable", remedy)
    if not page.records:
        remedy = "Make user access levels in ProAccess Space; users get their rights by them."
        return Finding(SERVER, LEVELS, "warning", "Space has no user access levels.", "no_access_levels", remedy)
    return Finding(SERVER, LEVELS, "ok", "User access levels can be read.")


async def _audit(client: SpaceClient, config: SaltoSpaceConfig) -> Finding:
    heeds = await client.tells_utc()
    if heeds is None:
        evidence = "The audit trail can be read; whether its times come in UTC does not show in it."
        return Finding(SERVER, AUDIT, "ok", evidence)
    if heeds:
        return Finding(SERVER, AUDIT, "ok", "The audit trail can be read, with times in UTC.")
    evidence = f"The audit trail can be read, but only in the server's own time; hubd takes it for {config.time_zone}."
    remedy = "See that the time zone is right. In the hour when clocks go back, events may be an hour off."
    return Finding(SERVER, AUDIT, "warning", evidence, "audit_not_utc", remedy)


# -- encoders ----------------------------------------------------------------------------------------------------------


async def _encoders(client: SpaceClient, config: SaltoSpaceConfig, clock: Clock) -> Finding:
    if not config.encoders:
        evidence = "No encoder is named in the driver's table, so no cards can be encoded from here."
        return Finding(SERVER, ENCODERS, "ok", evidence)
    gate = asyncio.Semaphore(_ENCODERS_AT_ONCE)
    async with asyncio.TaskGroup() as group:
        asked = {name: group.create_task(_encoder(client, name, clock, gate)) for name in config.encoders}
    bad = {name: trouble for name, task in asked.items() if (trouble := task.result()) is not None}
    for trouble in bad.values():
        if isinstance(trouble, LinkError):
            raise trouble
    faults = {name: trouble for name, trouble in bad.items() if isinstance(trouble, Fault)}
    if not faults:
        return Finding(SERVER, ENCODERS, "ok", f"Space knows {', '.join(config.encoders)}.")
    worst = next((one for one in faults.values() if one.kind is FaultKind.ENCODER_UNKNOWN), next(iter(faults.values())))
    evidence = " ".join(f"{name}: {fault.sentence}" for name, fault in faults.items())
    verdict: Verdict = "failed" if worst.kind is FaultKind.ENCODER_UNKNOWN else "warning"
    return Finding(SERVER, ENCODERS, verdict, evidence, worst.name, worst.remedy)


async def _encoder(client: SpaceClient, name: str, clock: Clock, gate: asyncio.Semaphore) -> Fault | LinkError | None:
    """Ask it to read a card, and take the question back; one that is busy or waits for a card is known."""
    try:
        async with gate, clock.timeout(_ENCODER_SECONDS):
            await client.read_key(name)
    except Fault as fault:
        is_known = fault.kind in {FaultKind.ENCODER_BUSY, FaultKind.ENCODER_NO_CARD, FaultKind.ENCODER_ABORTED}
        return None if is_known or fault.kind is FaultKind.CARD else fault
    except LinkError as error:
        return error
    except TimeoutError:
        return None
    return None
