"""A serial port that leads to the emulated stick: a pseudo-terminal under a name as /dev/serial/by-id gives one.

    python serial_port.py TCP-PORT NAME

Ends when its standard input does. The name is then gone; the kernel numbers the next terminal anew.
"""

import os
import pty
import select
import socket
import sys
import tty
from pathlib import Path

CHUNK = 4096
PAUSE_SECONDS = 0.05


def main() -> None:
    """Carry bytes both ways."""
    stick = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    name = Path(sys.argv[2])
    name.unlink(missing_ok=True)
    name.symlink_to(os.ttyname(theirs))
    os.close(theirs)
    while True:
        readable, _, _ = select.select([ours, stick, sys.stdin], [], [])
        if sys.stdin in readable:
            name.unlink()
            return
        if stick in readable:
            if not (data := stick.recv(CHUNK)):
                return
            os.write(ours, data)
        if ours in readable:
            try:
                stick.sendall(os.read(ours, CHUNK))
            except OSError:  # nobody has the terminal open
                select.select([stick, sys.stdin], [], [], PAUSE_SECONDS)


if __name__ == "__main__":
    main()
