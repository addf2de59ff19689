"""Delivers events to webhooks: Svix-signed, in order, from a durable cursor of each, retried with growing pauses.

Every event is delivered at least once. The cursor moves on the disk as soon as an event was taken, so an event comes
twice only where the daemon died between the two.
"""

import asyncio
import base64
import hashlib
import hmac
import logging
import random
from datetime import timedelta

import aiohttp
import msgspec

from hubd.api.seam_events import seam_event
from hubd.api.webhooks import WebhookRecord, cursor_name, load
from hubd.core.hub import Hub
from hubd.model.errors import HubError
from hubd.model.event import CursorCut
from hubd.store.records import Row, micros
from hubd.store.tables import View

LOG = logging.getLogger(__name__)

PAGE = 100
SKIPPED_AT_ONCE = 1000
"""Rows that are not for a webhook move its cursor on the disk once there are so many of them."""
_SUCCESS = range(200, 300)


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long is waited for a receiver (seconds), and how far behind one may fall before it is cut."""

    timeout: float = 10.0
    first_pause: float = 1.0
    longest_pause: float = 300.0
    max_age: timedelta = timedelta(days=3)
    max_behind: int = 100_000

    def pause(self, failures: int) -> float:
        """Return the pause after so many failures in a row: doubling, with jitter."""
        ceiling = min(self.longest_pause, self.first_pause * 2 ** min(30, max(0, failures - 1)))
        return random.uniform(ceiling / 2, ceiling)  # noqa: S311 - jitter


def sign(secret: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """Return the `svix-signature` of a body."""
    digest = hmac.new(secret, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


class Delivery:
    """Runs one courier per webhook and follows changes of the list."""

    def __init__(self, hub: Hub, patience: Patience | None = None) -> None:
        self._hub = hub
        self._patience = patience or Patience()
        self._couriers: dict[str, tuple[Courier, asyncio.Task[None]]] = {}

    async def run(self) -> None:
        """Deliver until cancelled."""
        timeout = aiohttp.ClientTimeout(total=self._patience.timeout)
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
            asyncio.TaskGroup() as group,
        ):
            while True:
                self._hub.webhooks_changed.clear()
                try:
                    self._follow(await load(self._hub), session, group)
                except HubError as error:
                    LOG.warning("webhooks cannot be read: %s", error.message)
                    await self._hub.clock.sleep(self._patience.first_pause)
                else:
                    await self._hub.webhooks_changed.wait()

    def _follow(self, webhooks: list[WebhookRecord], session: aiohttp.ClientSession, group: asyncio.TaskGroup) -> None:
        """Let go who was deleted, take on who is new, and tell the others what changed; nobody else is disturbed."""
        wanted = {webhook.webhook_id: webhook for webhook in webhooks}
        for webhook_id in self._couriers.keys() - wanted.keys():
            self._couriers.pop(webhook_id)[1].cancel()
        for webhook_id, webhook in wanted.items():
            known = self._couriers.get(webhook_id)
            if known is not None:
                known[0].webhook = webhook
            if known is not None or webhook.secret is None:
                continue
            courier = Courier(self._hub, webhook, webhook.secret, session, self._patience)
            task = group.create_task(courier.run(), name=f"webhook-{webhook_id}")
            self._couriers[webhook_id] = (courier, task)


class Courier:
    """Delivers to one webhook."""

    def __init__(
        self, hub: Hub, webhook: WebhookRecord, secret: bytes, session: aiohttp.ClientSession, patience: Patience
    ) -> None:
        self.webhook = webhook
        """Replaced while it runs when its event types change."""
        self._secret = secret
        self._hub = hub
        self._session = session
        self._patience = patience
        self._name = cursor_name(webhook.webhook_id)
        self._at = 0
        self._written = 0
        self._failures = 0

    async def run(self) -> None:
        """Deliver until cancelled. No receiver, no row and no disk ends it."""
        is_started = False
        while True:
            try:
                if not is_started:
                    await self._start()
                    is_started = True
                await self._round()
            except HubError as error:
                LOG.warning("webhook %s: %s", self.webhook.webhook_id, error.message)
                self._failures += 1
            except BaseException as error:
                if not isinstance(error, Exception):
                    raise
                LOG.exception("webhook %s failed by a defect of the hub", self.webhook.webhook_id)
                self._failures += 1
            if self._failures:
                await self._hub.clock.sleep(self._patience.pause(self._failures))

    async def _start(self) -> None:
        found = await self._hub.journal.database.read("SELECT seq FROM cursors WHERE name = ?", (self._name,))
        self._at = self._written = int(found[0][0]) if found else self._hub.journal.head
        await self._cut()

    async def _round(self) -> None:
        journal = self._hub.journal
        if self._failures:
            await self._cut()
        await journal.wait_beyond(self._at)
        rows = await journal.rows(self._at, PAGE)
        if rows and rows[0].seq > self._at + 1:
            await self._pass_over(rows[0].seq - 1, "older than the journal is kept")
        for row in rows:
            if not await self._row(row):
                self._failures += 1
                return
            self._failures = 0
        if self._at - self._written >= SKIPPED_AT_ONCE:
            await self._move()

    async def _row(self, row: Row) -> bool:
        """Deliver a row, or pass over one that is not for this webhook or whose body was erased."""
        types = self.webhook.event_types
        is_wanted = row.public is not None and ("*" in types or row.public in types)
        event = seam_event(self._hub, row) if is_wanted else None
        if event is None:
            self._at = row.seq
            return True
        return await self._post(row.seq, str(event["event_id"]), msgspec.json.encode(event))

    async def _post(self, seq: int, message_id: str, body: bytes) -> bool:
        webhook, timestamp = self.webhook, int(self._hub.clock.now().timestamp())
        headers = {
            "content-type": "application/json",
            "svix-id": message_id,
            "svix-timestamp": str(timestamp),
            "svix-signature": sign(self._secret, message_id, timestamp, body),
        }
        try:
            async with self._session.post(webhook.url, data=body, headers=headers, allow_redirects=False) as response:
                if response.status in _SUCCESS:
                    # Nothing may come between: what was taken is not sent again.
                    self._at = seq
                    await self._move()
                    return True
                LOG.warning("webhook %s answered %s", webhook.webhook_id, response.status)
        except (aiohttp.ClientError, OSError, ValueError) as error:  # ValueError: a host that is no host
            LOG.warning("webhook %s not reached: %s", webhook.webhook_id, type(error).__name__)
        return False

    async def _cut(self) -> None:
        """Pass over what is too old or too much, and say so in the journal."""
        head, patience = self._hub.journal.head, self._patience
        types = self.webhook.event_types
        filters = "" if "*" in types else f" AND public IN ({', '.join('?' * len(types))})"
        wanted = f"seq > ? AND public IS NOT NULL{filters}"
        values: list[str | int] = [self._at, *(() if "*" in types else types)]
        waiting = await self._hub.journal.select(wanted, values, limit=1)
        if not waiting:
            return
        if head - waiting[0].seq >= patience.max_behind:
            await self._pass_over(head - patience.max_behind, f"more than {patience.max_behind} rows behind")
        limit = self._hub.clock.now() - patience.max_age
        if waiting[0].created_at < limit:
            fresh = await self._hub.journal.select("created_at >= ?", (micros(limit),), limit=1)
            days = f"older than {patience.max_age.total_seconds() / 86400:g} days"
            await self._pass_over(fresh[0].seq - 1 if fresh else head, days)

    async def _pass_over(self, last: int, reason: str) -> None:
        if last <= self._at:
            return
        event = CursorCut(cursor=self._name, first=self._at + 1, last=last, reason=reason)
        self._at = last
        await self._move(event)

    async def _move(self, event: CursorCut | None = None) -> None:
        """Write the cursor down. The write is on its way, whatever happens, before this waits for anything."""
        seq = self._at

        def apply(view: View) -> None:
            if event is not None:
                view.emit(event)
            view.execute("UPDATE cursors SET seq = ? WHERE name = ?", seq, self._name)

        await self._hub.journal.transact(apply)
        self._written = seq
