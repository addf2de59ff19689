"""`Idempotency-Key`: the same key from the same caller is one command and one answer, for 24 hours, across restarts.

For a command the key is written in the transaction that accepts it, and a repeat answers with the command as it is now.
For other calls the answer is kept and given again.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from hubd.api import project, shapes
from hubd.api.envelope import JSON, answer
from hubd.core.message import Request, Response
from hubd.api.route import Call
from hubd.model.errors import InvalidInputError, RefusedError
from hubd.store.journal import Journal
from hubd.store.records import micros

LIFE = timedelta(hours=24)
MAX_KEY = 255
HEADER = "idempotency-key"

_INSERT = (
    "INSERT OR REPLACE INTO idempotency(key_id, key, request_hash, request_id, created_at, status, body)"
    " VALUES(?, ?, ?, ?, ?, ?, ?)"
)


def key_of(request: Request) -> str | None:
    """Return the key of a POST. Raises `InvalidInputError`."""
    key = request.headers.get(HEADER)
    if key is None or request.method != "POST":
        return None
    if not 0 < len(key) <= MAX_KEY or not key.isprintable():
        raise InvalidInputError("Idempotency-Key", f"must be 1 to {MAX_KEY} printable characters")
    return key


def _hash(request: Request) -> bytes:
    return hashlib.sha256(request.path.encode() + b"\x00" + request.body).digest()


def writes_key(call: Call) -> Callable[[str], tuple[str, tuple[Any, ...]]] | None:
    """Return what writes a call's key beside its command, for `Hub.submit`; None when the call has no key."""
    key = call.idempotency_key
    if key is None:
        return None
    digest, now = _hash(call.request), micros(call.hub.clock.now())
    return lambda request_id: (_INSERT, (call.principal.key_id, key, digest, request_id, now, None, None))


class Idempotency:
    """One per process: keeps two calls with the same key apart, and remembers answers."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._turns: dict[tuple[str, str], tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def turn(self, call: Call) -> AsyncIterator[None]:
        """Let one call of a key through at a time."""
        name = (call.principal.key_id, call.idempotency_key or "")
        lock, users = self._turns.get(name, (asyncio.Lock(), 0))
        self._turns[name] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            lock, users = self._turns[name]
            if users == 1:
                del self._turns[name]
            else:
                self._turns[name] = (lock, users - 1)

    async def known(self, call: Call) -> Response | None:
        """Return the answer to a repeated call, or None for a new one. Raises `RefusedError` for another request."""
        sql = "SELECT request_hash, request_id, created_at, status, body FROM idempotency WHERE key_id = ? AND key = ?"
        found = await self._journal.database.read(sql, (call.principal.key_id, call.idempotency_key))
        if not found or found[0][2] < micros(call.hub.clock.now() - LIFE):
            return None
        digest, request_id, _, status, body = found[0]
        if digest != _hash(call.request):
            message = "This Idempotency-Key was used for another request; use a new key for a new request."
            raise RefusedError("idempotency_key_reused", message)
        if request_id:
            record = await self._journal.command(request_id)
            if record is None:
                return None
            return answer(shapes.AttemptAnswer(action_attempt=project.attempt(record)))
        return Response(status=status, body=body, headers=JSON)

    async def keep(self, call: Call, response: Response) -> None:
        """Keep the answer of a call that made no command."""
        values = (
            call.principal.key_id,
            call.idempotency_key,
            _hash(call.request),
            "",
            micros(call.hub.clock.now()),
            response.status,
            response.body,
        )
        sql = _INSERT.replace("OR REPLACE", "OR IGNORE")
        await self._journal.transact(lambda view: view.execute(sql, *values))
