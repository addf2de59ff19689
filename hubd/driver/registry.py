"""Drivers by type: every entry point of group `hubd.drivers`, loaded when its type is first asked for."""

from functools import cache
from importlib.metadata import EntryPoint, entry_points

from hubd.driver.protocol import Manifest
from hubd.model.errors import HubError

GROUP = "hubd.drivers"


@cache
def _points() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def types() -> list[str]:
    """Return the types that are installed, sorted. Loads nothing."""
    return sorted(_points())


def load(driver_type: str) -> Manifest:
    """Load a driver's manifest.

    Raises `HubError` with code `unknown_driver_type` or `driver_not_installed` (its extra is missing).
    """
    point = _points().get(driver_type)
    if point is None:
        message = f"there is no driver of type {driver_type!r}; installed are: {', '.join(types())}"
        raise HubError("unknown_driver_type", message, type=driver_type)
    try:
        manifest = point.load()
    except ImportError as error:
        message = f"driver {driver_type!r} needs its extra: pip install 'hubd[{driver_type}]' (missing: {error.name})"
        raise HubError("driver_not_installed", message, type=driver_type) from error
    except Exception as error:
        message = f"driver {driver_type!r} is broken: {type(error).__name__}: {error}"
        raise HubError("driver_invalid", message, type=driver_type) from error
    if not isinstance(manifest, Manifest):
        message = f"entry point {driver_type!r} of group {GROUP!r} does not name a hubd.driver.Manifest"
        raise HubError("driver_invalid", message, type=driver_type)
    return manifest
