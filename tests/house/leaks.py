"""What a test may leave running: nothing."""

import asyncio
import threading
import time

import psutil

#: Seconds for a thread or child to end that was told to; a healthy test spends none of it.
GRACE = 2.0
#: Turns of the loop in which callbacks of what was just closed may run.
TURNS = 10
#: Timers that a library leaves, by what their callback is called. aiohttp's client (3.14) arms a websocket's
#: heartbeat once more if the peer's last bytes come in while it closes.
FORGIVEN = ("ClientWebSocketResponse._send_heartbeat",)

type Running = frozenset[threading.Thread | psutil.Process]


def running() -> Running:
    """Return the threads of this process and its descendants."""
    children = psutil.Process().children(recursive=True)
    return frozenset[threading.Thread | psutil.Process]([*threading.enumerate(), *children])


def left_since(before: Running, *, grace: float = GRACE) -> list[str]:
    """Describe each thread and process newer than ``before`` that outlives ``grace`` seconds."""
    deadline = time.monotonic() + grace
    while left := running() - before:
        if time.monotonic() >= deadline:
            return sorted(_describe(one) for one in left)
        time.sleep(0.01)
    return []


async def pending() -> list[str]:
    """Return a description of each task and timer of the running loop, besides the calling task."""
    loop = asyncio.get_running_loop()
    for _ in range(TURNS):
        await asyncio.sleep(0)
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    timers = [repr(timer) for timer in getattr(loop, "_scheduled", ()) if not timer.cancelled()]
    left = [timer for timer in timers if not any(name in timer for name in FORGIVEN)]
    return sorted(map(repr, tasks)) + sorted(left)


def _describe(one: threading.Thread | psutil.Process) -> str:
    if isinstance(one, threading.Thread):
        return f"thread {one.name}"
    try:
        return f"process {one.pid} ({' '.join(one.cmdline())})"
    except psutil.NoSuchProcess:
        return f"process {one.pid} (ended, but nobody waited for it)"
