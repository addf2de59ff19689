"""What a person types at a command line that runs in this process."""

import os
import pty
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def typing(*, terminal: bool = False) -> Iterator[int]:
    """Put a pipe, or a terminal, in the place of standard input; gives the end to type at."""
    theirs, ours = pty.openpty()[::-1] if terminal else os.pipe()
    before = os.dup(0)
    os.dup2(theirs, 0)
    os.close(theirs)
    try:
        yield ours
    finally:
        os.dup2(before, 0)
        os.close(before)
        os.close(ours)
