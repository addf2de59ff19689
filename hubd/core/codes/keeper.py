"""PINs at rest: sealed with the box's key into the record of their code, compared by keyed marks."""

from hubd.core.vault import Vault
from hubd.store.codes import CodeRecord, SealedPin
from hubd.store.secrets import Sealer


class PinKeeper:
    """The one place where the PIN of a record comes to light."""

    def __init__(self, sealer: Sealer, vault: Vault) -> None:
        self._sealer = sealer
        self._vault = vault

    def __repr__(self) -> str:
        return "PinKeeper()"

    def seal(self, code_id: str, pin: str) -> SealedPin:
        """Seal a PIN for the record of a code."""
        return SealedPin(self._sealer.seal(pin.encode(), _row(code_id)), self.mark(pin))

    def mark(self, pin: str) -> bytes:
        """Return what equal PINs, and only those, have in common."""
        return self._sealer.mark(pin.encode())

    def open(self, code: CodeRecord) -> str | None:
        """Return the PIN of a code; None if it is not known. Raises `StoreError` for a box with another key."""
        return None if code.pin is None else self._sealer.open(code.pin.sealed, _row(code.code_id)).decode()

    def told(self, ref: str | None) -> str | None:
        """Return the PIN that a driver has told by reference; None if it has told none, or it is forgotten."""
        if ref is None:
            return None
        try:
            return self._vault.reveal(ref)
        except KeyError:
            return None


def _row(code_id: str) -> str:
    return f"access_codes/{code_id}"
