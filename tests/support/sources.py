"""Witnesses of the clock that say what a test says."""

from datetime import datetime


class Witnesses:
    """Implements `hubd.core.sources.Sources`. A machine that has just booted, without a network and without an RTC."""

    def __init__(self, boot: str = "boot-1", *, synchronised: bool = False, rtcs: tuple[datetime, ...] = ()) -> None:
        self.boot = boot
        self.synchronised = synchronised
        self.was = False
        self.shown = rtcs

    def boot_id(self) -> str:
        """Return the boot."""
        return self.boot

    def is_synchronised(self) -> bool:
        """Whether a time server sets the clock."""
        return self.synchronised

    def was_synchronised(self) -> bool:
        """Whether one did since the boot."""
        return self.was

    def rtcs(self) -> tuple[datetime, ...]:
        """Return what the hardware clocks show."""
        return self.shown
