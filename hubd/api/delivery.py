"""Delivers events to webhooks: Svix-signed, in order, from a durable cursor per webhook, retried with growing pauses."""

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

TIMEOUT = 10.0
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 300.0
MAX_AGE = timedelta(days=3)
MAX_BEHIND = 100_000
PAGE = 100
_SUCCESS = range(200, 300)


def sign(secret: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """Return the `svix-signature` of a body."""
    digest = hmac.new(secret, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


class Delivery:
    """Runs one courier per webhook and follows changes of the list."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def run(self) -> None:
        """Deliver until cancelled."""
        while True:
            self._hub.webhooks_changed.clear()
            try:
                webhooks = await load(self._hub)
            except HubError as error:
                LOG.error("webhooks cannot be read: %s", error.message)  # noqa: TRY400 - a known condition
                await self._hub.clock.sleep(LONGEST_PAUSE)
                continue
            if webhooks:
                await self._deliver(webhooks)
            else:
                await self._hub.webhooks_changed.wait()

    async def _deliver(self, webhooks: list[WebhookRecord]) -> None:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT), trust_env=True) as session,
            asyncio.TaskGroup() as group,
        ):
            tasks = [group.create_task(_Courier(self._hub, webhook, session).run()) for webhook in webhooks]
            await self._hub.webhooks_changed.wait()
            for task in tasks:
                task.cancel()


class _Courier:
    def __init__(self, hub: Hub, webhook: WebhookRecord, session: aiohttp.ClientSession) -> None:
        self._hub = hub
        self._webhook = webhook
        self._session = session
        self._name = cursor_name(webhook.webhook_id)
        self._failures = 0

    async def run(self) -> None:
        while True:
            try:
                await self._round()
            except HubError as error:
                LOG.warning("webhook %s: %s", self._webhook.webhook_id, error.message)
                await self._pause()

    async def _round(self) -> None:
        journal = self._hub.journal
        found = await journal.database.read("SELECT seq FROM cursors WHERE name = ?", (self._name,))
        cursor = await self._cut(int(found[0][0]) if found else journal.head)
        await journal.wait_beyond(cursor)
        done = cursor
        for row in await journal.rows(cursor, PAGE):
            if not await self._row(row):
                break
            done = row.seq
        if done != cursor:
            await self._move(done)
        if self._failures:
            await self._pause()

    async def _row(self, row: Row) -> bool:
        types = self._webhook.event_types
        if row.public is None or not ("*" in types or row.public in types):
            return True
        event = await seam_event(self._hub, row)
        if event is None:
            return True
        is_sent = await self._post(str(event["event_id"]), msgspec.json.encode(event))
        self._failures = 0 if is_sent else self._failures + 1
        return is_sent

    async def _post(self, message_id: str, body: bytes) -> bool:
        timestamp = int(self._hub.clock.now().timestamp())
        headers = {
            "content-type": "application/json",
            "svix-id": message_id,
            "svix-timestamp": str(timestamp),
            "svix-signature": sign(self._webhook.secret, message_id, timestamp, body),
        }
        try:
            async with self._session.post(
                self._webhook.url, data=body, headers=headers, allow_redirects=False
            ) as response:
                if response.status in _SUCCESS:
                    return True
                LOG.warning("webhook %s answered %s", self._webhook.webhook_id, response.status)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            LOG.warning("webhook %s not reached: %s", self._webhook.webhook_id, type(error).__name__)
        return False

    async def _cut(self, cursor: int) -> int:
        """Pass over what is too old or too much, and say so in the journal."""
        journal = self._hub.journal
        oldest = await journal.rows(cursor, 1)
        if not oldest:
            return cursor
        behind, age = journal.head - cursor, self._hub.clock.now() - oldest[0].created_at
        if behind <= MAX_BEHIND and age <= MAX_AGE:
            return cursor
        if behind > MAX_BEHIND:
            target, reason = journal.head - MAX_BEHIND, f"more than {MAX_BEHIND} rows behind"
        else:
            fresh = await journal.select("created_at >= ?", (micros(self._hub.clock.now() - MAX_AGE),), limit=1)
            target, reason = (fresh[0].seq - 1 if fresh else journal.head), f"older than {MAX_AGE.days} days"
        event = CursorCut(cursor=self._name, first=cursor + 1, last=target, reason=reason)
        await self._move(target, event)
        return target

    async def _move(self, seq: int, event: CursorCut | None = None) -> None:
        def apply(view: View) -> None:
            if event is not None:
                view.emit(event)
            view.execute("UPDATE cursors SET seq = ? WHERE name = ?", seq, self._name)

        await self._hub.journal.transact(apply)

    async def _pause(self) -> None:
        ceiling = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(10, self._failures))
        await self._hub.clock.sleep(random.uniform(ceiling / 2, ceiling))  # noqa: S311 - jitter
