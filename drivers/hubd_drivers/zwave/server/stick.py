"""Where the Z-Wave stick is: by a name that stays the same, and only once it is there."""

import os
import re
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from hubd_drivers.zwave.server.settings import ServiceError, UsageError

BY_ID: Final = Path("/dev/serial/by-id")
LOOK_SECONDS: Final = 1.0
REMIND_SECONDS: Final = 600.0
_GIVEN_OUT_ANEW: Final = re.compile(r"tty(USB|ACM)\d+")
"""Names that the kernel numbers in the order of plugging."""


def is_remote(stick: str) -> bool:
    """Tell whether this is a serial port behind TCP, such as ser2net's: `tcp://HOST:PORT`. Raises `UsageError`."""
    if "://" not in stick:
        return False
    try:
        parts = urlsplit(stick)
        is_whole = parts.scheme == "tcp" and bool(parts.hostname) and bool(parts.port)
    except ValueError:
        is_whole = False
    if not is_whole:
        raise UsageError(f"{stick!r} is no address of a stick; over the network it is tcp://HOST:PORT.")
    return True


def wait_for(stick: str, say: Callable[[str], None], by_id: Path = BY_ID) -> None:
    """Return once the stick is plugged in. Raises `UsageError` for a wrong name, `ServiceError` without access."""
    path = Path(stick)
    if not path.is_absolute():
        what = f"{stick!r} is not the path of a stick" if stick else "no stick is named"
        raise UsageError(f"{what}; write its name into /etc/hubd/zwave.env: STICK=... {plugged_in(by_id)}")
    told, reminder = "", 0.0
    while not path.exists():
        message = f"waiting for the Z-Wave stick: nothing is plugged in as {stick}. {plugged_in(by_id)}"
        if message != told or time.monotonic() > reminder:
            say(message)
            told, reminder = message, time.monotonic() + REMIND_SECONDS
        time.sleep(LOOK_SECONDS)
    _check_name(path, say, by_id)
    _check_access(path)


def _check_name(path: Path, say: Callable[[str], None], by_id: Path) -> None:
    if _GIVEN_OUT_ANEW.fullmatch(path.name) is None:
        return
    lasting = next((link for link in _links(by_id) if link.resolve() == path.resolve()), None)
    if lasting is not None:
        raise UsageError(
            f"{path} may be another device after the next plugging or start, for the kernel numbers them anew. "
            f"The stick's lasting name is {lasting}: write STICK={lasting} into /etc/hubd/zwave.env"
        )
    say(f"{path} has no name in {by_id}; if more than one serial device is plugged in, they may change places")


def _check_access(path: Path) -> None:
    if not stat.S_ISCHR(path.stat().st_mode):
        raise UsageError(f"{path} is not a serial port.")
    if not os.access(path, os.R_OK | os.W_OK):
        raise ServiceError(
            f"{path} may not be opened by this user. Under systemd the unit gives access to the group dialout; by hand "
            f"run it as a user of the group that `ls -lL {path}` shows."
        )


def _links(by_id: Path) -> list[Path]:
    return sorted(by_id.iterdir()) if by_id.is_dir() else []


def plugged_in(by_id: Path) -> str:
    """Say in a sentence which serial devices there are, by their lasting names."""
    links = _links(by_id)
    return f"Plugged in: {', '.join(map(str, links))}" if links else f"{by_id} shows no serial device at all."
