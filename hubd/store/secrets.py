"""Sealing of secrets at rest: AES-256-GCM under the box's key, bound to the row it stands in."""

import hmac
import os
from pathlib import Path

from hubd.driver.files import write_new
from hubd.model.errors import StoreError

KEY_BYTES = 32
MARK_BYTES = 16
_NONCE_BYTES = 12


class Sealer:
    """Seals and opens small values. The key never leaves this object."""

    def __init__(self, key: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - 4 MB, only where it is used

        self._aead = AESGCM(key)
        self._mark_key = hmac.digest(key, b"marks", "sha256")

    def seal(self, secret: bytes, row: str) -> bytes:
        """Encrypt; `row` is the identity of the row that will hold it."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, secret, row.encode())

    def open(self, sealed: bytes, row: str) -> bytes:
        """Decrypt. Raises `StoreError` (`secret_unreadable`) for another key, another row or a changed value."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - see above

        try:
            return self._aead.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], row.encode())
        except (InvalidTag, ValueError) as error:  # ValueError: too short to hold a nonce
            message = "A stored secret cannot be read: the box's secret.key is not the one that sealed it."
            raise StoreError("secret_unreadable", message) from error

    def mark(self, secret: bytes) -> bytes:
        """Return a fingerprint: equal for equal values, and of no use to whoever has not the key."""
        return hmac.digest(self._mark_key, secret, "sha256")[:MARK_BYTES]


def load_key(path: Path) -> bytes:
    """Read the box's key; makes it (0600) where there is none. Raises `StoreError` when it is damaged, or `OSError`."""
    if not path.exists():
        write_new(path, os.urandom(KEY_BYTES))
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise StoreError("key_damaged", f"{path.name} must hold {KEY_BYTES} bytes and holds {len(key)}; restore it.")
    return key
