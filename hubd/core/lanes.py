"""Who may go next: one queue per device under one budget per hop. Pure; no task, no clock.

Orders go before wishes, wishes before sweeps; within a class, first come first served. A device does one thing at a
time; an instance at most `budget` things.
"""

import heapq
from collections.abc import Hashable
from enum import IntEnum


class Priority(IntEnum):
    """Smaller goes first."""

    ORDER = 0
    WISH = 1
    SWEEP = 2


class Lanes[Item: Hashable]:
    """The queues of one driver instance. Every call returns the items that may start now, in order."""

    def __init__(self, budget: int, max_waiting_per_device: int) -> None:
        self._budget = budget
        self._max_waiting = max_waiting_per_device
        self._running: dict[str, Item] = {}
        self._waiting: dict[str, list[tuple[Priority, int, Item]]] = {}
        self._turns: list[tuple[Priority, int, str]] = []
        self._count = 0

    @property
    def running(self) -> int:
        """How many items are under way."""
        return len(self._running)

    def running_item(self, device_id: str) -> Item | None:
        """Return what is under way on a device."""
        return self._running.get(device_id)

    def waiting(self, device_id: str) -> int:
        """How many items wait for one device."""
        return len(self._waiting.get(device_id, ()))

    def is_full(self, device_id: str) -> bool:
        """Whether one device's queue takes no more."""
        return self.waiting(device_id) >= self._max_waiting

    def is_free(self, device_id: str) -> bool:
        """Whether an item offered now would start at once."""
        return device_id not in self._running and not self.waiting(device_id) and len(self._running) < self._budget

    def offer(self, device_id: str, item: Item, priority: Priority = Priority.ORDER) -> list[Item]:
        """Queue an item."""
        self._count += 1
        heapq.heappush(self._waiting.setdefault(device_id, []), (priority, self._count, item))
        self._enter(device_id)
        return self._next()

    def done(self, device_id: str) -> list[Item]:
        """Say that the running item of a device has ended."""
        self._running.pop(device_id, None)
        self._enter(device_id)
        return self._next()

    def withdraw(self, device_id: str, item: Item) -> bool:
        """Take a waiting item out; False when it is not waiting (any more)."""
        queue = self._waiting.get(device_id, [])
        kept = [entry for entry in queue if entry[2] != item]
        if len(kept) == len(queue):
            return False
        heapq.heapify(kept)
        self._replace(device_id, kept)
        self._enter(device_id)
        return True

    def _replace(self, device_id: str, queue: list[tuple[Priority, int, Item]]) -> None:
        if queue:
            self._waiting[device_id] = queue
        else:
            self._waiting.pop(device_id, None)

    def _enter(self, device_id: str) -> None:
        queue = self._waiting.get(device_id)
        if queue and device_id not in self._running:
            heapq.heappush(self._turns, (queue[0][0], queue[0][1], device_id))

    def _next(self) -> list[Item]:
        started: list[Item] = []
        while self._turns and len(self._running) < self._budget:
            _, number, device_id = heapq.heappop(self._turns)
            queue = self._waiting.get(device_id)
            if device_id in self._running or not queue or queue[0][1] != number:
                continue  # an outdated turn: withdrawn, overtaken or already running
            _, _, item = heapq.heappop(queue)
            self._replace(device_id, queue)
            self._running[device_id] = item
            started.append(item)
        return started
