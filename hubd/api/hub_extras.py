"""`/hub/*`, `/health` and `/openapi.json`: what a hub has and Seam's API has not."""

import asyncio
import re
from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from hubd.api import shapes
from hubd.api.params import NoParams, Params
from hubd.api.route import ACT, READ, Call, Route, Stream, route
from hubd.core.health import HopHealth
from hubd.core.hub import Hub
from hubd.core.keys import Key
from hubd.driver import registry
from hubd.model import ids
from hubd.model.errors import BusyError, InvalidInputError
from hubd.store.records import Row

MAX_STREAMS = 32
KEEP_ALIVE = 15.0
PAGE = 200
MAX_ROWS = 1000
MAX_SEQ = 2**53
"""The largest whole number that every JSON reader knows."""

_SEQ = re.compile(r"[0-9]{1,16}")

_encode = msgspec.json.Encoder().encode


class ServiceHealth(shapes.Shape, frozen=True, kw_only=True):
    """One part of the daemon."""

    service: str
    status: Literal["healthy", "degraded"]
    description: str


class HealthAnswer(shapes.Ok, frozen=True, kw_only=True):
    """`ok` is false when a part is degraded; nothing in it is secret."""

    service_health_statuses: list[ServiceHealth]


class WaitingShape(shapes.Shape, frozen=True, kw_only=True):
    """Something on the network that cannot be announced yet, with the reason."""

    key: str
    """The driver's own."""
    name: str
    reason: str
    since: datetime


class CautionShape(shapes.Shape, frozen=True, kw_only=True):
    """Something about a system that is not as it should be, though it works, and what to do."""

    code: str
    message: str
    remedy: str
    since: datetime


class InstanceShape(shapes.Shape, frozen=True, kw_only=True):
    """A driver instance with its hops, nearest first."""

    instance: str
    type: str
    title: str
    state: str
    since: datetime
    sentence: str
    hops: list[HopHealth]
    next_try_at: datetime | None
    devices: int
    devices_online: int
    """Of the managed ones; unmanaged devices are counted apart."""
    devices_unmanaged: int
    waiting: list[WaitingShape]
    cautions: list[CautionShape]


class SiteAnswer(shapes.Ok, frozen=True, kw_only=True):
    """The site at one glance."""

    name: str
    version: str
    time_zone: str
    hub_id: str
    now: datetime
    journal_head: int
    storage: str
    commands_under_way: int
    instances: list[InstanceShape]


class DriverShape(shapes.Shape, frozen=True, kw_only=True):
    """A driver type that is installed."""

    type: str
    title: str
    hops: list[str]


class DriversAnswer(shapes.Ok, frozen=True, kw_only=True):
    """Installed types and what is configured of them."""

    installed: list[str]
    drivers: list[DriverShape]


class JournalRow(shapes.Shape, frozen=True, kw_only=True):
    """A journal row as it is, the hub's own rows too."""

    seq: int
    event_id: str
    type: str
    event_type: str | None
    instance: str | None
    device_id: str | None
    occurred_at: datetime
    created_at: datetime
    body: Any


class JournalAnswer(shapes.Ok, frozen=True, kw_only=True):
    """Rows after `after`, oldest first."""

    rows: list[JournalRow]
    head: int


class ReadJournal(Params, frozen=True, kw_only=True):
    """Where to start (exclusive); a negative number counts from the end."""

    after: Annotated[int, msgspec.Meta(ge=-MAX_ROWS, le=MAX_SEQ)] = 0
    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_ROWS)] = PAGE


class StreamJournal(Params, frozen=True, kw_only=True):
    """Where to start (exclusive); a negative number counts from the end."""

    after: Annotated[int, msgspec.Meta(ge=-MAX_ROWS, le=MAX_SEQ)] = 0


class KeyAnswer(shapes.Ok, frozen=True, kw_only=True):
    """A key; the token is there only when it was just made."""

    key: Key
    token: str | msgspec.UnsetType = msgspec.UNSET


class KeyListAnswer(shapes.Ok, frozen=True, kw_only=True):
    """All keys."""

    keys: list[Key]


class CreateKey(Params, frozen=True, kw_only=True):
    """What the key is for, and how much it may."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    role: Literal["owner", "operator", "viewer"]


class RevokeKey(Params, frozen=True, kw_only=True):
    """Which key."""

    key_id: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]


async def health(call: Call, _: NoParams) -> HealthAnswer:
    """Say whether the daemon and its links work; needs no key."""
    problem, doubt = call.hub.journal.problem, call.hub.sense.doubt
    parts = [
        ServiceHealth(
            service="storage",
            status="degraded" if problem else "healthy",
            description=problem.message if problem else "Writes are durable.",
        ),
        ServiceHealth(
            service="clock",
            status="degraded" if doubt else "healthy",
            description=doubt.sentence if doubt else "The time is relied on.",
        ),
    ]
    for name, instance in call.hub.health.items():
        status: Literal["healthy", "degraded"] = "healthy" if instance.is_connected else "degraded"
        words = f"{instance.manifest.title} is {instance.state}."
        if instance.cautions:
            words += f" It needs a look ({', '.join(sorted(instance.cautions))}); /hub/site says more."
        parts.append(ServiceHealth(service=f"driver/{name}", status=status, description=words))
    return HealthAnswer(ok=all(part.status == "healthy" for part in parts), service_health_statuses=parts)


async def site(call: Call, _: NoParams) -> SiteAnswer:
    """Return the site and the health of every hop."""
    hub = call.hub
    return SiteAnswer(
        name=hub.site.name,
        version=hub.site.version,
        time_zone=hub.site.time_zone,
        hub_id=hub.site.hub_id,
        now=hub.clock.now(),
        journal_head=hub.journal.head,
        storage=hub.journal.problem.message if hub.journal.problem else "ok",
        commands_under_way=hub.dispatcher.under_way,
        instances=[_instance(hub, name) for name in sorted(hub.health)],
    )


def _instance(hub: Hub, name: str) -> InstanceShape:
    health = hub.health[name]
    records = [r for r in hub.devices.values() if r.device.instance == name and r.removed_at is None]
    managed = [record for record in records if record.is_managed]
    return InstanceShape(
        instance=name,
        type=health.manifest.type,
        title=health.manifest.title,
        state=health.state,
        since=health.since,
        sentence=health.sentence(),
        hops=health.hops(),
        next_try_at=health.next_try_at,
        devices=len(managed),
        devices_online=sum(hub.is_reachable(record) for record in managed),
        devices_unmanaged=len(records) - len(managed),
        waiting=[
            WaitingShape(key=key, name=one.name, reason=one.reason, since=one.since)
            for key, one in health.waiting.items()
        ],
        cautions=[
            CautionShape(code=one.code, message=one.message, remedy=one.remedy, since=one.since)
            for one in health.cautions.values()
        ],
    )


async def drivers(call: Call, _: NoParams) -> DriversAnswer:
    """Return the driver types that are installed, and those in use."""
    manifests = {h.manifest.type: h.manifest for h in call.hub.health.values()}
    shaped = [DriverShape(type=m.type, title=m.title, hops=list(m.hops)) for m in manifests.values()]
    installed = await asyncio.to_thread(registry.types)  # the first time it reads the list of installed packages
    return DriversAnswer(installed=installed, drivers=shaped)


def row_shape(hub: Hub, row: Row) -> JournalRow:
    """Build the public form of a journal row."""
    return JournalRow(
        seq=row.seq,
        event_id=ids.event_id(hub.journal.epoch, row.seq),
        type=row.type,
        event_type=row.public,
        instance=row.instance,
        device_id=row.device_id,
        occurred_at=row.occurred_at,
        created_at=row.created_at,
        body=row.event,
    )


def _start(hub: Hub, after: int) -> int:
    return after if after >= 0 else max(0, hub.journal.head + after)


async def journal(call: Call, params: ReadJournal) -> JournalAnswer:
    """Return journal rows, oldest first."""
    rows = await call.hub.journal.rows(_start(call.hub, params.after), params.limit)
    return JournalAnswer(rows=[row_shape(call.hub, row) for row in rows], head=call.hub.journal.head)


async def stream(call: Call, params: StreamJournal) -> Stream:
    """Follow the journal as server-sent events; `Last-Event-ID` goes on where a broken stream ended."""
    hub = call.hub
    resumed = call.request.headers.get("last-event-id")
    if resumed is not None and not (_SEQ.fullmatch(resumed) and int(resumed) <= MAX_SEQ):
        raise InvalidInputError("Last-Event-ID", "must be a sequence number of the journal")
    if hub.streams >= MAX_STREAMS:
        raise BusyError("too_many_streams", f"{MAX_STREAMS} streams are open already; close one first.")
    return Stream(follow(hub, int(resumed) if resumed else _start(hub, params.after)))


async def follow(hub: Hub, after: int, keep_alive: float = KEEP_ALIVE) -> AsyncGenerator[bytes]:
    """Yield frames of journal rows after `after`, and a comment after each `keep_alive` seconds of silence."""
    hub.streams += 1
    try:
        yield b": hubd journal\n\n"
        while True:
            try:
                async with asyncio.timeout(keep_alive):
                    await hub.journal.wait_beyond(after)
            except TimeoutError:
                yield b": still here\n\n"
                continue
            rows = await hub.journal.rows(after, PAGE)
            after = rows[-1].seq if rows else after
            yield b"".join(_frame(hub, row) for row in rows)
    finally:
        hub.streams -= 1


def _frame(hub: Hub, row: Row) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (row.seq, row.type.encode(), _encode(row_shape(hub, row)))


async def create_key(call: Call, params: CreateKey) -> KeyAnswer:
    """Make an API key; the token is in this answer only."""
    key, token = await call.keys.create(params.name, params.role, call.principal.key_id)
    return KeyAnswer(key=key, token=token)


async def list_keys(call: Call, _: NoParams) -> KeyListAnswer:
    """Return all keys, without their secrets."""
    return KeyListAnswer(keys=call.keys.list())


async def revoke_key(call: Call, params: RevokeKey) -> KeyAnswer:
    """Take a key back, at once."""
    return KeyAnswer(key=await call.keys.revoke(params.key_id, call.principal.key_id))


ROUTES: list[Route] = [
    route("/health", READ, health, HealthAnswer, is_public=True),
    route("/hub/site", READ, site, SiteAnswer),
    route("/hub/drivers", READ, drivers, DriversAnswer),
    route("/hub/journal", READ, journal, JournalAnswer, ReadJournal),
    route("/hub/journal/stream", ("GET",), stream, Stream, StreamJournal),
    route("/hub/keys/create", ACT, create_key, KeyAnswer, CreateKey, "owner"),
    route("/hub/keys/list", READ, list_keys, KeyListAnswer, role="owner"),
    route("/hub/keys/revoke", ACT, revoke_key, KeyAnswer, RevokeKey, "owner"),
]
