"""API keys: `seam_<key id>_<secret>`, random, kept as SHA-256, with a role, revocable."""

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec

from hubd.model.errors import InvalidInputError, NotFoundError
from hubd.model.event import KeyCreated, KeyRevoked, Role
from hubd.store.journal import Journal
from hubd.store.records import micros, moment
from hubd.store.tables import View

ROLES: tuple[Role, ...] = ("owner", "operator", "viewer")
_RANK: dict[Role, int] = {"viewer": 0, "operator": 1, "owner": 2}
MAX_NAME = 80


class Key(msgspec.Struct, frozen=True):
    """A key without its secret."""

    key_id: str
    name: str
    role: Role
    created_at: datetime
    revoked_at: datetime | None = None

    def may(self, role: Role) -> bool:
        """Whether this key's role reaches `role`."""
        return _RANK[self.role] >= _RANK[role]


def new_token(key_id: str) -> tuple[str, bytes]:
    """Draw a token for a key id; returns it with the hash to keep."""
    token = f"seam_{key_id}_{secrets.token_hex(24)}"
    return token, _digest(token)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


class Keys:
    """All keys, in memory; changes are durable and journaled."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._keys: dict[str, tuple[bytes, Key]] = {}
        self._revoking = asyncio.Lock()

    async def load(self) -> None:
        """Read the keys from the database."""
        sql = "SELECT key_id, secret_hash, name, role, created_at, revoked_at FROM keys"
        for key_id, digest, name, role, created_at, revoked_at in await self._journal.database.read(sql):
            revoked = None if revoked_at is None else moment(revoked_at)
            self._keys[key_id] = (bytes(digest), Key(key_id, name, role, moment(created_at), revoked))

    def list(self) -> list[Key]:
        """Return all keys, oldest first, revoked ones too."""
        return sorted((key for _, key in self._keys.values()), key=lambda key: key.created_at)

    def verify(self, token: str) -> Key | None:
        """Return the living key of a token, or None. Takes the same time for every wrong secret."""
        parts = token.split("_")
        if len(parts) != 3 or not token.isascii():  # noqa: PLR2004 - prefix, id, secret
            return None
        known = self._keys.get(parts[1])
        expected = known[0] if known else bytes(32)
        if not hmac.compare_digest(_digest(token), expected) or known is None or known[1].revoked_at is not None:
            return None
        return known[1]

    async def create(
        self, name: str, role: Role, by: str, *, deliver: Callable[[str], Awaitable[None]] | None = None
    ) -> tuple[Key, str]:
        """Make a key; returns it with its token, which is not kept anywhere. Raises `InvalidInputError`.

        `deliver` is given the token before the key is valid: a power cut in between leaves a token without a key, never
        a key that nobody holds.
        """
        if role not in ROLES:
            raise InvalidInputError("role", f"must be one of {', '.join(ROLES)}")
        if not name.strip() or len(name) > MAX_NAME or not name.isprintable():
            raise InvalidInputError("name", f"must be 1 to {MAX_NAME} printable characters")
        key_id = secrets.token_hex(8)
        token, digest = new_token(key_id)
        if deliver is not None:
            await deliver(token)

        def insert(view: View) -> Key:
            view.execute(
                "INSERT INTO keys(key_id, secret_hash, name, role, created_at) VALUES(?, ?, ?, ?, ?)",
                key_id,
                digest,
                name,
                role,
                micros(view.now),
            )
            view.emit(KeyCreated(key_id=key_id, name=name, role=role, by=by))
            return Key(key_id, name, role, view.now)

        key = await self._journal.transact(insert)
        self._keys[key_id] = (digest, key)
        return key, token

    async def revoke(self, key_id: str, by: str) -> Key:
        """Take a key back, at once. Twice is once. Raises `NotFoundError`, `InvalidInputError` for the last owner."""
        async with self._revoking:  # two at a time would each find the other's owner still there
            return await self._revoke(key_id, by)

    async def _revoke(self, key_id: str, by: str) -> Key:
        known = self._keys.get(key_id)
        if known is None:
            raise NotFoundError("key_not_found", "There is no such key; `hubd keys list` shows them.", key_id=key_id)
        digest, key = known
        if key.revoked_at is not None:
            return key
        owners = [k for _, k in self._keys.values() if k.role == "owner" and k.revoked_at is None]
        if owners == [key]:
            raise InvalidInputError("key_id", "is the last owner key; create another owner first")

        def update(view: View) -> Key:
            view.execute("UPDATE keys SET revoked_at = ? WHERE key_id = ?", micros(view.now), key_id)
            view.emit(KeyRevoked(key_id=key_id, by=by))
            return msgspec.structs.replace(key, revoked_at=view.now)

        revoked = await self._journal.transact(update)
        self._keys[key_id] = (digest, revoked)
        return revoked
