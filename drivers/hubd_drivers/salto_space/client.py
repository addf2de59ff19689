"""Typed questions and orders to a Space server, sent again where that is safe and nowhere else."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from contextlib import aclosing
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from hubd.driver import Clock
from hubd_drivers.salto_space import messages as ship
from hubd_drivers.salto_space.config import SaltoSpaceConfig
from hubd_drivers.salto_space.document import DocumentError, Element
from hubd_drivers.salto_space.faults import Fault, FaultKind
from hubd_drivers.salto_space.messages import Effect, Page, Request
from hubd_drivers.salto_space.paging import pages
from hubd_drivers.salto_space.transport.base import LinkError, Stage, Transport

UNKNOWN_REQUEST: Final = 502
LOCKED_PAUSES: Final = (0.5, 1.0, 1.0)
"""Seconds until a record that somebody has open is tried again."""
ENCODE_MARGIN: Final = 10.0
"""Seconds more than an encoder waits for a card until its answer counts as lost."""
MOST_LOOKS: Final = 200
"""Questions until the search for the newest event ends."""
_SMALL: Final = 32_768
"""Bytes of a reply that is read at once; a larger one is read in a thread, so that no order waits for it."""

type Read[T] = Callable[[Element], T]


class SpaceClient:
    """One life of the link to a server; not to be used by two loops.

    Every call raises `LinkError` when there is no usable answer (`sent` says whether the server may have acted) and
    `Fault` when the server refused.
    """

    def __init__(self, transport: Transport, config: SaltoSpaceConfig, clock: Clock) -> None:
        self._transport = transport
        self._clock = clock
        self._seconds = config.timeout
        self._encode_seconds = config.encode_seconds + ENCODE_MARGIN
        self._count = config.page_size
        self._zone = config.zone
        self._begins_with_start: set[str] = set()
        """Lists whose pages were seen to begin with the record that they were asked from."""
        self.requests: Counter[str] = Counter()
        """How often each request was sent, by name."""
        self.lacks: set[str] = set()
        """Requests that this server does not know (502); they are not sent again."""
        self.answered_at: datetime | None = None
        """When the server last answered anything, a refusal too."""

    async def close(self) -> None:
        """Close every connection."""
        await self._transport.close()

    # -- reading -------------------------------------------------------------------------------------------------------

    async def info(self) -> ship.Info:
        """Return who answers; the cheapest question there is."""
        return await self._ask(ship.get_info(), ship.read_info)

    async def users(
        self, start: str = "", count: int = 0, lists: Collection[ship.UserLists] = (), *, raw: bool = False
    ) -> Page[ship.SpaceUser]:
        """Return a page of users from an id on (0: as many as the config says)."""
        request = ship.list_users(count or self._count, start, lists)
        return self._page(request, start, await self._ask(request, lambda p: ship.read_users(p, self._zone, raw=raw)))

    async def groups(
        self, start: str = "", count: int = 0, lists: Collection[ship.GroupLists] = (), *, raw: bool = False
    ) -> Page[ship.SpaceGroup]:
        """Return a page of user access levels. A server may not know the request (502)."""
        request = ship.list_groups(count or self._count, start, lists)
        return self._page(request, start, await self._ask(request, lambda p: ship.read_groups(p, self._zone, raw=raw)))

    async def doors(
        self,
        kind: ship.DoorKind,
        start: str = "",
        count: int = 0,
        lists: Collection[ship.DoorLists] = (),
        *,
        raw: bool = False,
    ) -> Page[ship.SpaceDoor]:
        """Return a page of one of the four lists of doors."""
        request = ship.list_doors(kind, count or self._count, start, lists)
        return self._page(request, start, await self._ask(request, lambda p: ship.read_doors(p, kind, raw=raw)))

    async def zones(self, start: str = "", count: int = 0, *, doors: bool = False) -> Page[ship.SpaceZone]:
        """Return a page of zones."""
        request = ship.list_zones(count or self._count, start, doors=doors)
        return self._page(request, start, await self._ask(request, ship.read_zones))

    async def page_unless[T](self, request: Request, read: Read[T], known: bytes = b"") -> tuple[bytes, T | None]:
        """Send what reads a page; return the digest of the reply, and what it holds unless that digest is `known`.

        A reply that is the same as the last time is not even parsed.
        """
        return await self._ask_body(request, lambda body: _decode_unless(body, request.name, read, known))

    def all_users(
        self, lists: Collection[ship.UserLists] = (), *, raw: bool = False
    ) -> AsyncGenerator[Page[ship.SpaceUser]]:
        """Yield every user once, page by page."""
        return pages(lambda start: self.users(start, lists=lists, raw=raw))

    def all_groups(
        self, lists: Collection[ship.GroupLists] = (), *, raw: bool = False
    ) -> AsyncGenerator[Page[ship.SpaceGroup]]:
        """Yield every user access level once, page by page."""
        return pages(lambda start: self.groups(start, lists=lists, raw=raw))

    def all_doors(
        self, kind: ship.DoorKind, lists: Collection[ship.DoorLists] = ()
    ) -> AsyncGenerator[Page[ship.SpaceDoor]]:
        """Yield every door of one kind once, page by page."""
        return pages(lambda start: self.doors(kind, start, lists=lists))

    def all_zones(self, *, doors: bool = False) -> AsyncGenerator[Page[ship.SpaceZone]]:
        """Yield every zone once, page by page."""
        return pages(lambda start: self.zones(start, doors=doors))

    async def find_user(
        self, user: str, lists: Collection[ship.UserLists] = ()
    ) -> tuple[ship.SpaceUser, Element] | None:
        """Return one user with the record as it is there; None if there is no such user."""
        first = await self.users(user, 2, lists, raw=True)
        found = _among(first, user)
        if found is None and "SaltoDBUserList.Read" not in self._begins_with_start:
            found = await _search(self.all_users(lists, raw=True), user)
        return found

    async def find_group(
        self, group: str, lists: Collection[ship.GroupLists] = ()
    ) -> tuple[ship.SpaceGroup, Element] | None:
        """Return one user access level with the record as it is there; None if there is none of that id."""
        first = await self.groups(group, 2, lists, raw=True)
        found = _among(first, group)
        if found is None and "SaltoDBGroupList.Read" not in self._begins_with_start:
            found = await _search(self.all_groups(lists, raw=True), group)
        return found

    async def statuses(self, ids: Collection[str] = ()) -> Page[ship.OnlineStatus]:
        """Return how doors stand; without ids, all online doors. An old server is asked in the older form."""
        try:
            return await self._ask(ship.list_statuses(ids), ship.read_statuses)
        except Fault as fault:
            if fault.kind is not FaultKind.UNSUPPORTED:
                raise
        request = ship.list_statuses(ids, of_ip_doors=True)
        return await self._ask(request, lambda params: ship.read_statuses(params, of_ip_doors=True))

    # -- the audit trail -----------------------------------------------------------------------------------------------

    async def audit(
        self,
        start: int | None,
        count: int = 0,
        *,
        descending: bool = False,
        zone: tzinfo | None = None,
        utc: bool = True,
    ) -> Page[ship.AuditEvent]:
        """Return events from an id on, itself included, with times in UTC if the server heeds that.

        `zone` is that in which the times are read: give the server's if it does not; see `tells_utc`.
        """
        request = ship.list_events(count or self._count, start, descending=descending, utc=utc)
        return await self._ask(request, lambda params: ship.read_events(params, UTC if zone is None else zone))

    def audit_after(self, last: int, zone: tzinfo | None = None) -> AsyncGenerator[Page[ship.AuditEvent]]:
        """Yield every event behind an id once, page by page. Where there is none, that is one request."""

        async def ask(start: str) -> Page[ship.AuditEvent]:
            page = await self.audit(int(start), zone=zone)
            newer = [one for one in page.records if one.id > last]
            return Page(records=tuple(sorted(newer, key=lambda one: one.id)), eof=page.eof, broken=page.broken)

        return pages(ask, str(last))

    async def tells_utc(self) -> bool | None:
        """Find out whether events come in UTC when that is asked for: the oldest is asked for both ways.

        None: it cannot be told, as there is no event, or its times are the same in both.
        """
        oldest = next(iter((await self.audit(None, 2)).records), None)
        if oldest is None or oldest.at is None:
            return None
        again = await self.audit(oldest.id, 2, utc=False)
        local = next((one.at for one in again.records if one.id == oldest.id), None)
        if local is None:
            return None
        if local != oldest.at:
            return True
        return None if local.astimezone(self._zone).utcoffset() == timedelta(0) else False

    async def newest_event(self) -> ship.AuditEvent | None:
        """Return the event with the highest id; None if the trail is empty.

        Asked for in descending order, it is the first. That order may not be heeded, or bring nothing (which, taken for
        an empty trail, would have all of the past told as news). So from what there is it looks ahead in growing steps
        until nothing comes, and back in shrinking ones.
        """
        page = await self.audit(None, 2, descending=True)
        if not page.records:  # down from the first line there may be nothing
            page = await self.audit(None, 2)
        newest = max(page.records, key=lambda one: one.id, default=None)
        if newest is None:
            return None
        step, is_past = 1, False
        for _ in range(MOST_LOOKS):
            page = await self.audit(newest.id + step - 1, 2)
            ahead = max((one for one in page.records if one.id > newest.id), key=lambda one: one.id, default=None)
            if ahead is not None:
                newest = ahead
                step = step if is_past else step * 2
            elif step == 1:
                break
            else:
                step, is_past = step // 2, True
        return newest

    # -- doors ---------------------------------------------------------------------------------------------------------

    async def order(self, order: ship.DoorOrder, ids: Collection[str]) -> Page[ship.ActionResult]:
        """Send an order to these doors, once. ValueError without any: it might mean all. See `ActionResult`."""
        return await self._ask(ship.order_doors(order, ids), ship.read_results)

    async def open(self, ids: Collection[str]) -> Page[ship.ActionResult]:
        """Unlock these doors for their opening time."""
        return await self.order(ship.DoorOrder.OPEN, ids)

    async def office(self, ids: Collection[str], *, on: bool) -> Page[ship.ActionResult]:
        """Start or end office mode at these doors."""
        return await self.order(ship.DoorOrder.START_OFFICE_MODE if on else ship.DoorOrder.END_OFFICE_MODE, ids)

    # -- changes -------------------------------------------------------------------------------------------------------

    async def insert_user(self, record: Element) -> None:
        """Make a user under the id in its record; one that an earlier, unanswered try made counts as made."""
        user = record.value(ship.USER_ID)
        await self._insert(ship.insert_user(record), lambda: self.find_user(user))

    async def update_user(self, record: Element) -> None:
        """Change a user to the whole record. When the answer is lost, read before you send it again."""
        await self._ask(ship.update_user(record), _nothing)

    async def delete_user(self, user: str) -> None:
        """Delete a user; Fault if there is none, unless an earlier, unanswered try deleted it."""
        await self._delete(ship.delete_user(user))

    async def update_group(self, record: Element) -> None:
        """Change a user access level, as `update_user` does a user."""
        await self._ask(ship.update_group(record), _nothing)

    async def delete_group(self, group: str) -> None:
        """Delete a user access level, as `delete_user` does a user."""
        await self._delete(ship.delete_group(group))

    # -- cards ---------------------------------------------------------------------------------------------------------

    async def assign_key(self, user: str, encoder: str) -> ship.Encoding:
        """Make the card that is presented the first key of a user. Waits for the card; never sent twice."""
        return await self._ask(ship.assign_key(user, encoder), ship.read_encoding)

    async def update_key(self, user: str, encoder: str) -> ship.Encoding:
        """Write the user's rights on the key that is presented. Waits for it; never sent twice."""
        return await self._ask(ship.update_key(user, encoder), ship.read_encoding)

    async def read_key(self, encoder: str) -> ship.Encoding:
        """Read the card that is presented. Waits for it; never sent twice."""
        return await self._ask(ship.read_card(encoder), ship.read_encoding)

    # -- sending -------------------------------------------------------------------------------------------------------

    async def _ask[T](self, request: Request, read: Read[T]) -> T:
        return await self._ask_body(request, lambda body: _decode(body, request.name, read))

    async def _ask_body[T](self, request: Request, decode: Callable[[bytes], T]) -> T:
        """Send, and send a question again while somebody has the record open. All else goes out once.

        A change is not sent again from here: whoever has the record open may save it first, and a record that was read
        before that would undo it.
        """
        if request.name in self.lacks:
            raise Fault(UNKNOWN_REQUEST, request.name)
        pauses = LOCKED_PAUSES if request.effect is Effect.READS else ()
        for pause in pauses:
            try:
                return await self._exchange(request, decode)
            except Fault as fault:
                if fault.kind is not FaultKind.LOCKED:
                    raise
            await self._clock.sleep(pause)
        return await self._exchange(request, decode)

    async def _exchange[T](self, request: Request, decode: Callable[[bytes], T]) -> T:
        """Send, a question once more if the connection breaks.

        What changes anything has a connection of its own: no stale one may leave doubt about it.
        """
        reads = request.effect is Effect.READS
        seconds = self._encode_seconds if request.effect is Effect.ENCODES else self._seconds
        try:
            asked = request.body
        except DocumentError as error:
            raise LinkError(Stage.SETUP, error, sent=False) from error
        self.requests[request.name] += 1
        body = await self._transport.call(asked, seconds=seconds, fresh=not reads, repeatable=reads)
        try:
            if len(body) > _SMALL:
                found = await asyncio.to_thread(decode, body)
            else:
                found = decode(body)
        except DocumentError as error:
            raise LinkError(Stage.REPLY, error, sent=True, received=len(body)) from error
        except Fault as fault:
            self.answered_at = self._clock.now()
            if fault.kind is FaultKind.UNSUPPORTED:
                self.lacks.add(request.name)
            raise
        self.answered_at = self._clock.now()
        return found

    async def _insert(self, request: Request, find: Callable[[], Awaitable[object]]) -> None:
        """Send twice at most: what an unanswered first try has made is there when the second is refused for it."""
        try:
            await self._ask(request, _nothing)
        except LinkError as lost:
            if not lost.sent or not lost.is_lost:
                raise
        else:
            return
        try:
            await self._ask(request, _nothing)
        except Fault as fault:
            if fault.kind is not FaultKind.CONFLICT or await find() is None:
                raise

    async def _delete(self, request: Request) -> None:
        try:
            await self._ask(request, _nothing)
        except LinkError as lost:
            if not lost.sent or not lost.is_lost:
                raise
        else:
            return
        try:
            await self._ask(request, _nothing)
        except Fault as fault:
            if fault.kind is not FaultKind.NOT_FOUND:
                raise

    def _page[T: (ship.SpaceUser, ship.SpaceGroup, ship.SpaceDoor, ship.SpaceZone)](
        self, request: Request, start: str, page: Page[T]
    ) -> Page[T]:
        if start and any(record.id == start for record in page.records):
            self._begins_with_start.add(request.name)
        return page


def _decode[T](body: bytes, name: str, read: Read[T]) -> T:
    return read(ship.read_reply(body, name))


def _decode_unless[T](body: bytes, name: str, read: Read[T], known: bytes) -> tuple[bytes, T | None]:
    digest = hashlib.blake2b(body, digest_size=16).digest()
    return digest, None if digest == known else _decode(body, name, read)


def _nothing(_: Element) -> None:
    """Read nothing: that a change was answered without an error is all there is to know."""


def _among[T: (ship.SpaceUser, ship.SpaceGroup)](page: Page[T], wanted: str) -> tuple[T, Element] | None:
    """Return the record of an id with the element it was read from."""
    pairs = zip(page.records, page.raw, strict=True)
    return next(((record, raw) for record, raw in pairs if record.id == wanted), None)


async def _search[T: (ship.SpaceUser, ship.SpaceGroup)](
    whole: AsyncGenerator[Page[T]], wanted: str
) -> tuple[T, Element] | None:
    """Look through a whole list: for servers whose pages begin behind the id that they are asked from."""
    async with aclosing(whole):
        async for page in whole:
            if (found := _among(page, wanted)) is not None:
                return found
    return None
