"""`/webhooks/*`: where events are delivered, signed as Svix does."""

import base64
import logging
import secrets
from typing import Annotated
from urllib.parse import urlsplit

import msgspec

from hubd.api import shapes
from hubd.api.params import Name, NoParams, Params, Text, Word
from hubd.api.route import ACT, READ, REMOVE, REPLACE, Call, route
from hubd.core.hub import Hub
from hubd.model import ids
from hubd.model.errors import InvalidInputError, NotFoundError, RefusedError, StoreError
from hubd.store.records import micros
from hubd.store.tables import View

LOG = logging.getLogger(__name__)

MAX_WEBHOOKS = 20
_SECRET_BYTES = 24

type EventTypes = Annotated[tuple[Word, ...], msgspec.Meta(min_length=1, max_length=200)]

_encode = msgspec.json.Encoder().encode


class CreateWebhook(Params, frozen=True, kw_only=True):
    """Where to, and which event types (`*` is all)."""

    url: Text
    event_types: EventTypes = ("*",)


class GetWebhook(Params, frozen=True, kw_only=True):
    """Which webhook."""

    webhook_id: Name


class UpdateWebhook(Params, frozen=True, kw_only=True):
    """The new event types."""

    webhook_id: Name
    event_types: EventTypes


class WebhookRecord(msgspec.Struct, frozen=True):
    """A webhook with its signing key."""

    webhook_id: str
    url: str
    event_types: tuple[str, ...]
    secret: bytes | None
    """None where it cannot be read: then nothing is delivered, and the webhook can only be deleted."""

    def __repr__(self) -> str:
        return f"WebhookRecord({self.webhook_id})"


def cursor_name(webhook_id: str) -> str:
    """Return the name of a webhook's cursor."""
    return f"webhook/{webhook_id}"


async def load(hub: Hub) -> list[WebhookRecord]:
    """Return all webhooks, oldest first."""
    sql = "SELECT webhook_id, url, event_types, secret FROM webhooks ORDER BY created_at, webhook_id"
    return [
        WebhookRecord(webhook_id, url, tuple((types or "*").split(",")), _secret(hub, webhook_id, sealed))
        for webhook_id, url, types, sealed in await hub.journal.database.read(sql)
    ]


def _secret(hub: Hub, webhook_id: str, sealed: bytes) -> bytes | None:
    try:
        return hub.site.sealer.open(sealed, webhook_id)
    except StoreError as error:
        LOG.warning("webhook %s: %s", webhook_id, error.message)
        return None


def _shape(record: WebhookRecord) -> shapes.Webhook:
    return shapes.Webhook(webhook_id=record.webhook_id, url=record.url, event_types=list(record.event_types))


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        raise InvalidInputError("url", "must be an http or https URL") from error
    if not is_good or not url.isascii() or not url.isprintable() or " " in url:
        raise InvalidInputError("url", "must be an http or https URL")
    if parts.username is not None or parts.password is not None:
        raise InvalidInputError("url", "must not hold a user or password")


def _check_types(types: tuple[str, ...]) -> None:
    if any(not t.strip() or "," in t or not t.isprintable() for t in types):
        raise InvalidInputError("event_types", "must hold event types such as lock.unlocked, or *")


async def create(call: Call, params: CreateWebhook) -> shapes.WebhookAnswer:
    """Register a webhook; the answer holds its signing secret, once."""
    _check_url(params.url)
    _check_types(params.event_types)
    hub, secret = call.hub, secrets.token_bytes(_SECRET_BYTES)
    record = WebhookRecord(ids.new_id(), params.url, params.event_types, secret)
    sealed = hub.site.sealer.seal(secret, record.webhook_id)
    shown = msgspec.structs.replace(_shape(record), secret=f"whsec_{base64.b64encode(secret).decode()}")
    body = shapes.WebhookAnswer(webhook=shown)
    if len(await hub.journal.database.read("SELECT 1 FROM webhooks")) >= MAX_WEBHOOKS:
        raise RefusedError("too_many_webhooks", f"A hub has at most {MAX_WEBHOOKS} webhooks; delete one first.")

    def insert(view: View) -> None:
        sql = "INSERT INTO webhooks(webhook_id, url, event_types, secret, created_at) VALUES(?, ?, ?, ?, ?)"
        view.execute(sql, record.webhook_id, record.url, ",".join(record.event_types), sealed, micros(view.now))
        view.execute("INSERT INTO cursors(name, seq) VALUES(?, ?)", cursor_name(record.webhook_id), hub.journal.head)
        if call.keeper is not None:
            call.keeper.answer(view, _encode(body))

    await hub.journal.transact(insert)
    hub.webhooks_changed.set()
    return body


async def _find(call: Call, webhook_id: str) -> WebhookRecord:
    for record in await load(call.hub):
        if record.webhook_id == webhook_id.lower():
            return record
    raise NotFoundError("webhook_not_found", "There is no such webhook on this hub.", webhook_id=webhook_id)


async def get(call: Call, params: GetWebhook) -> shapes.WebhookAnswer:
    """Return one webhook."""
    return shapes.WebhookAnswer(webhook=_shape(await _find(call, params.webhook_id)))


async def list_webhooks(call: Call, _: NoParams) -> shapes.WebhookListAnswer:
    """Return all webhooks."""
    return shapes.WebhookListAnswer(webhooks=[_shape(record) for record in await load(call.hub)])


async def update(call: Call, params: UpdateWebhook) -> shapes.Ok:
    """Change which event types a webhook gets, from the next event on."""
    _check_types(params.event_types)
    record = await _find(call, params.webhook_id)

    def apply(view: View) -> None:
        sql = "UPDATE webhooks SET event_types = ? WHERE webhook_id = ?"
        view.execute(sql, ",".join(params.event_types), record.webhook_id)

    await call.hub.journal.transact(apply)
    call.hub.webhooks_changed.set()
    return shapes.Ok()


async def delete(call: Call, params: GetWebhook) -> shapes.Ok:
    """Remove a webhook."""
    record = await _find(call, params.webhook_id)

    def apply(view: View) -> None:
        view.execute("DELETE FROM webhooks WHERE webhook_id = ?", record.webhook_id)
        view.execute("DELETE FROM cursors WHERE name = ?", cursor_name(record.webhook_id))

    await call.hub.journal.transact(apply)
    call.hub.webhooks_changed.set()
    return shapes.Ok()


ROUTES = [
    route("/webhooks/create", ACT, create, shapes.WebhookAnswer, CreateWebhook, "owner"),
    route("/webhooks/get", READ, get, shapes.WebhookAnswer, GetWebhook, "owner"),
    route("/webhooks/list", READ, list_webhooks, shapes.WebhookListAnswer, role="owner"),
    route("/webhooks/update", REPLACE, update, shapes.Ok, UpdateWebhook, "owner"),
    route("/webhooks/delete", REMOVE, delete, shapes.Ok, GetWebhook, "owner"),
]
