"""Names for tests."""

from hubd_drivers.salto_space.sim import Quirks


def named_by(quirks: Quirks) -> str:
    """Name a test by what is unusual of its server."""
    usual = Quirks()
    odd = (name for name in quirks.__struct_fields__ if getattr(quirks, name) != getattr(usual, name))
    return ",".join(f"{name}={getattr(quirks, name)}" for name in odd) or "usual"
