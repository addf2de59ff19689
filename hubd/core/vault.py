"""PINs of orders under way. In memory only: an order is never replayed, so its PIN need not outlive the process."""

import secrets
from collections import OrderedDict

CAPACITY = 1024


class Vault:
    """Implements `driver.Secrets`. Bounded: the oldest reference is forgotten first."""

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
