"""What the machine itself knows of its clock: which boot this is, whether a time server sets it, what its RTCs show.

Nothing here sets anything, and nothing raises: what cannot be read counts as not known.
"""

import ctypes
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

BOOT_ID_VARIABLE: Final = "HUBD_BOOT_ID"
"""Where the service's unit puts the boot's id (`%b`): a confined service does not see /proc/sys."""

SLACK_SECONDS: Final = 60.0

_UNSYNCHRONISED: Final = 0x0040 | 0x1000
"""STA_UNSYNC and STA_CLOCKERR of <linux/timex.h>."""
_TIME_ERROR: Final = 5


class Sources(Protocol):
    """Witnesses of the clock. `KernelSources` is the daemon's; tests bring their own."""

    def boot_id(self) -> str:
        """Return what tells this boot from every other, "" if nothing does. Reads files."""
        ...

    def is_synchronised(self) -> bool:
        """Whether a time server sets the clock now. Setting it by hand ends that. Never blocks."""
        ...

    def was_synchronised(self) -> bool:
        """Whether a time server has set the clock since the boot. Reads files."""
        ...

    def rtcs(self) -> tuple[datetime, ...]:
        """Return what each hardware clock shows, to the second. Reads files, as slowly as their bus is."""
        ...


class KernelSources:
    """Linux. `root` is where its files hang, `ask` how the kernel is asked; tests give others."""

    def __init__(self, root: Path = Path("/"), ask: Callable[[], bool] | None = None) -> None:
        self._root = root
        self._ask = ask or ask_kernel

    def boot_id(self) -> str:
        """See `Sources.boot_id`."""
        text = _read(self._root / "proc/sys/kernel/random/boot_id") or os.environ.get(BOOT_ID_VARIABLE, "")
        return text.replace("-", "").strip().lower()

    def is_synchronised(self) -> bool:
        """See `Sources.is_synchronised`. Whatever disciplines the clock counts: timesyncd, chrony, ntpd, PTP."""
        return self._ask()

    def was_synchronised(self) -> bool:
        """See `Sources.was_synchronised`. systemd-timesyncd touches its file after it set the clock."""
        try:
            touched = (self._root / "run/systemd/timesync/synchronized").stat().st_mtime
        except OSError:
            return False
        # Where /run outlives a boot (a container), the file may be an old one.
        now = time.time()
        return now - time.clock_gettime(time.CLOCK_BOOTTIME) - SLACK_SECONDS <= touched <= now + 1

    def rtcs(self) -> tuple[datetime, ...]:
        """See `Sources.rtcs`. One whose battery ran out and that says so cannot be read."""
        found = []
        for path in sorted((self._root / "sys/class/rtc").glob("rtc*/since_epoch")):
            text = _read(path).strip()
            if text.isascii() and text.isdigit() and len(text) <= 11:  # noqa: PLR2004 - to the year 5138
                found.append(datetime.fromtimestamp(int(text), UTC))
        return tuple(found)


def ask_kernel() -> bool:
    """Whether the kernel says that its clock is disciplined (`adjtimex` that changes nothing)."""
    try:
        call = ctypes.CDLL(None).adjtimex
    except (OSError, AttributeError):
        return False
    timex = _Timex()
    state = int(call(ctypes.byref(timex)))
    return 0 <= state < _TIME_ERROR and not timex.status & _UNSYNCHRONISED


class _Timex(ctypes.Structure):
    """The head of `struct timex`, alike on all machines, and room for the longest tail. `modes` 0 changes nothing."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("tail", ctypes.c_char * 512),
    )


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except (OSError, ValueError):
        return ""
