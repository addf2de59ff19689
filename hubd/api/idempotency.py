"""`Idempotency-Key`: the same key from the same caller is one command and one answer, for 24 hours, across restarts.

For a command the key is written in the transaction that accepts it, and a repeat answers with the command as it is now.
For other calls the answer is kept and given again; a call that was refused did nothing, and its key is free. What is
kept is sealed: a request may hold a PIN, and an answer a new key.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import msgspec

from hubd.api import acs_attempts
from hubd.api.envelope import JSON, answer
from hubd.api.route import Route
from hubd.core.hub import Hub
from hubd.core.keys import Key
from hubd.core.message import Request, Response
from hubd.model.errors import InvalidInputError, RefusedError
from hubd.store.records import micros
from hubd.store.tables import View

LIFE = timedelta(hours=24)
MAX_KEY = 255
HEADER = "idempotency-key"

_INSERT = (
    "INSERT OR REPLACE INTO idempotency(key_id, key, request_hash, request_id, created_at, status, body)"
    " VALUES(?, ?, ?, ?, ?, ?, ?)"
)
_SELECT = "SELECT request_hash, request_id, created_at, status, body FROM idempotency WHERE key_id = ? AND key = ?"
_DELETE = "DELETE FROM idempotency WHERE key_id = ? AND key = ?"
_OK = 200

type Statement = tuple[str, tuple[Any, ...]]

_encode = msgspec.json.Encoder().encode


def key_of(request: Request) -> str | None:
    """Return the key of a POST. Raises `InvalidInputError`."""
    key = request.headers.get(HEADER)
    if key is None or request.method != "POST":
        return None
    if not 0 < len(key) <= MAX_KEY or not key.isprintable():
        raise InvalidInputError("Idempotency-Key", f"must be 1 to {MAX_KEY} printable characters")
    return key


def _digest(request: Request) -> bytes:
    query = _encode([pair for pair in request.query if pair[0] != "_strict"])
    return hashlib.sha256(request.path.encode("utf-8", "backslashreplace") + b"\x00" + query + request.body).digest()


class Keeper:
    """Writes one call's key with the command that it made or the answer that it had. Implements `route.Keeper`."""

    def __init__(self, hub: Hub, principal: Key, key: str, request: Request) -> None:
        self.place = (principal.key_id, key)
        self.was_used = False
        self._hub = hub
        self._digest = _digest(request)

    def command(self, request_id: str) -> Statement:
        """Return what is to be written in the transaction that accepts a command."""
        self.was_used = True
        return self._statement(request_id, None)

    def answer(self, view: View, body: bytes) -> None:
        """Write the answer in the transaction that does the work."""
        self.was_used = True
        statement, values = self._statement("", body)
        view.execute(statement, *values)

    def release(self, view: View) -> None:
        """Forget the key: the call is refused after all."""
        view.execute(_DELETE, *self.place)

    def open(self, digest: bytes, body: bytes | None) -> bytes | None:
        """Return the answer that was kept, if it is one. Raises `RefusedError` when it was another request's."""
        sealer = self._hub.site.sealer
        if sealer.open(digest, self._row) != self._digest:
            message = "This Idempotency-Key was used for another request; use a new key for a new request."
            raise RefusedError("idempotency_key_reused", message)
        return None if body is None else sealer.open(body, self._row)

    @property
    def _row(self) -> str:
        return "/".join(("idempotency", *self.place))

    def _statement(self, request_id: str, body: bytes | None) -> Statement:
        sealer = self._hub.site.sealer
        digest = sealer.seal(self._digest, self._row)
        kept = None if body is None else sealer.seal(body, self._row)
        return _INSERT, (*self.place, digest, request_id, micros(self._hub.clock.now()), _OK, kept)


class Idempotency:
    """One per process: keeps two calls with the same key apart, and remembers answers."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._turns: dict[tuple[str, str], tuple[asyncio.Lock, int]] = {}

    async def answer(self, found: Route, keeper: Keeper, run: Callable[[], Awaitable[Response]]) -> Response:
        """Answer the first call with a key by `run`, a repeat by what the first one did.

        Raises `RefusedError` (`idempotency_key_reused`) for another request, and what `run` raises.
        """
        async with self._turn(keeper.place):
            known = await self._known(found, keeper)
            if known is not None:
                return known
            response = await run()
            if not keeper.was_used:
                await self._hub.journal.transact(lambda view: keeper.answer(view, response.body))
            return response

    @asynccontextmanager
    async def _turn(self, place: tuple[str, str]) -> AsyncIterator[None]:
        """Let one call of a key through at a time."""
        lock, users = self._turns.get(place, (asyncio.Lock(), 0))
        self._turns[place] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            lock, users = self._turns[place]
            if users == 1:
                del self._turns[place]
            else:
                self._turns[place] = (lock, users - 1)

    async def _known(self, found: Route, keeper: Keeper) -> Response | None:
        rows = await self._hub.journal.database.read(_SELECT, keeper.place)
        if not rows or rows[0][2] < micros(self._hub.clock.now() - LIFE):
            return None
        digest, request_id, _, status, sealed = rows[0]
        body = keeper.open(digest, sealed)
        if body is not None:
            return Response(status=status, body=body, headers=JSON)
        record = await self._hub.journal.command(request_id)
        return None if record is None else answer(found.retell(acs_attempts.shown(self._hub, record)))
