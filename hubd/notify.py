"""systemd's notification protocol: datagrams on `NOTIFY_SOCKET`. Silent where there is no systemd."""

import os
import socket


def notify(message: str) -> bool:
    """Send one message such as `READY=1`; returns whether there was somebody to tell."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK) as sender:
        try:
            sender.sendto(message.encode(), address)
        except OSError:
            return False
    return True


def watchdog_seconds() -> float | None:
    """Return how often systemd must hear from this process, or None when it does not watch it."""
    text, pid = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID")
    if not text.isdecimal() or (pid is not None and pid != str(os.getpid())):
        return None
    return int(text) / 1_000_000
