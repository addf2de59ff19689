"""Who may go next: one queue per device under one budget per hop. Pure; no task, no clock.

Orders go before what the hub does by itself, and of that codes that end go before those that start; within a class,
first come first served. A device does one thing at a time; an instance at most `budget` orders and as many other things
at a time, so that nobody at a door waits for a code on another one.
"""

import heapq
from collections.abc import Hashable
from enum import IntEnum


class Priority(IntEnum):
    """Smaller goes first."""

    ORDER = 0
    END = 1
    """A code that must not be on its lock any more."""
    START = 2
    """A code that is due."""
    PRELOAD = 3
    """A code that a lock keeps inactive until it is due."""
    SWEEP = 4
    """Looking."""


class _Budget:
    """What orders share, or what everything else does."""

    def __init__(self) -> None:
        self.running: set[str] = set()
        self.turns: list[tuple[Priority, int, str]] = []


class Lanes[Item: Hashable]:
    """The queues of one driver instance. Every call returns the items that may start now, in order."""

    def __init__(self, budget: int, max_waiting_per_device: int) -> None:
        self.budget = budget
        self._max_waiting = max_waiting_per_device
        self._running: dict[str, Item] = {}
        self._waiting: dict[str, list[tuple[Priority, int, Item]]] = {}
        self._orders = _Budget()
        self._others = _Budget()
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
        """Whether an order offered now would start at once."""
        queue = self._waiting.get(device_id)
        is_next = device_id not in self._running and not (queue and queue[0][0] is Priority.ORDER)
        return is_next and len(self._orders.running) < self.budget

    def offer(self, device_id: str, item: Item, priority: Priority = Priority.ORDER) -> list[Item]:
        """Queue an item."""
        self._count += 1
        heapq.heappush(self._waiting.setdefault(device_id, []), (priority, self._count, item))
        self._enter(device_id)
        return self._next()

    def done(self, device_id: str) -> list[Item]:
        """Say that the running item of a device has ended."""
        self._running.pop(device_id, None)
        for budget in (self._orders, self._others):
            budget.running.discard(device_id)
        self._enter(device_id)
        return self._next()

    def withdraw(self, device_id: str, item: Item) -> list[Item] | None:
        """Take a waiting item out, which may let the one behind it start; None: it is not waiting (any more)."""
        queue = self._waiting.get(device_id, [])
        kept = [entry for entry in queue if entry[2] != item]
        if len(kept) == len(queue):
            return None
        heapq.heapify(kept)
        self._replace(device_id, kept)
        self._enter(device_id)
        return self._next()

    def _replace(self, device_id: str, queue: list[tuple[Priority, int, Item]]) -> None:
        if queue:
            self._waiting[device_id] = queue
        else:
            self._waiting.pop(device_id, None)

    def _budget_of(self, priority: Priority) -> _Budget:
        return self._orders if priority is Priority.ORDER else self._others

    def _enter(self, device_id: str) -> None:
        queue = self._waiting.get(device_id)
        if queue and device_id not in self._running:
            priority, number, _ = queue[0]
            heapq.heappush(self._budget_of(priority).turns, (priority, number, device_id))

    def _next(self) -> list[Item]:
        return [*self._start(self._orders), *self._start(self._others)]

    def _start(self, budget: _Budget) -> list[Item]:
        started: list[Item] = []
        while budget.turns and len(budget.running) < self.budget:
            _, number, device_id = heapq.heappop(budget.turns)
            queue = self._waiting.get(device_id)
            if device_id in self._running or not queue or queue[0][1] != number:
                continue  # an outdated turn: withdrawn, overtaken or already running
            _, _, item = heapq.heappop(queue)
            self._replace(device_id, queue)
            self._running[device_id] = item
            budget.running.add(device_id)
            started.append(item)
        return started
