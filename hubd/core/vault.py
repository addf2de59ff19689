"""PINs on their way between hub and drivers. In memory only: those that have to last are sealed in the store."""

import secrets
from collections import OrderedDict

from hubd.store.secrets import Sealer

CAPACITY = 16_384
"""The slots of some two hundred locks, all told at once."""


class Vault:
    """Bounded: the oldest reference is forgotten first."""

    def __init__(self) -> None:
        self._pins: OrderedDict[str, str] = OrderedDict()

    def __repr__(self) -> str:
        return f"Vault({len(self._pins)} sealed)"

    def seal(self, pin: str) -> str:
        """Keep a PIN and return its reference."""
        ref = f"pin_{secrets.token_hex(8)}"
        self._pins[ref] = pin
        if len(self._pins) > CAPACITY:
            self._pins.popitem(last=False)
        return ref

    def reveal(self, ref: str) -> str:
        """Return the PIN. Raises `KeyError` when it was forgotten."""
        return self._pins[ref]

    def forget(self, ref: str) -> None:
        """Drop a PIN."""
        self._pins.pop(ref, None)


class DriverSecrets:
    """Implements `driver.Secrets` for one driver instance."""

    def __init__(self, vault: Vault, sealer: Sealer, instance: str) -> None:
        self._vault = vault
        self._sealer = sealer
        self._row = f"driver/{instance}"

    def __repr__(self) -> str:
        return f"DriverSecrets({self._row!r})"

    def seal(self, pin: str) -> str:
        """Keep a PIN and return its reference."""
        return self._vault.seal(pin)

    def reveal(self, ref: str) -> str:
        """Return the PIN. Raises `KeyError` when it was forgotten."""
        return self._vault.reveal(ref)

    def wrap(self, data: bytes) -> bytes:
        """Encrypt what the driver keeps in its storage."""
        return self._sealer.seal(data, self._row)

    def unwrap(self, data: bytes) -> bytes:
        """Decrypt it. Raises `StoreError` when it was sealed elsewhere, for another instance, or is damaged."""
        return self._sealer.open(data, self._row)
