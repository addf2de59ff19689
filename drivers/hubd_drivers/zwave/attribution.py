"""One use of a lock, one fact: joins what zwave-js says about the same movement of a bolt.

For one turn of a key zwave-js sends up to three things: the notification ("keypad unlock, user 3"), a value set by
zwave-js because of it, and the lock's own report of that value. After a command it also sets the value in mere
expectation, with nothing to tell that from a report.
"""

from typing import NamedTuple

from hubd.model import LockSeen
from hubd_drivers.zwave.lock import Position
from hubd_drivers.zwave.notices import Use


class _Pending(NamedTuple):
    """A movement that still waits for the notification that explains it."""

    locked: Position
    due: float
    use: Use | None = None
    """What the lock said in its maker's own numbers, which a notification says better."""


def _joined(alarm: Use, notice: Use) -> Use:
    """Return one use of which a lock told twice. zwave-js makes a keypad's out of an alarm that tells of a card."""
    if alarm.method == "card" and notice.method == "keycode":
        return alarm
    return notice if notice.slot is not None or alarm.method != notice.method else alarm


class LockTracker:
    """The story of one bolt. Times are monotonic seconds, `seq` counts the server's events as they arrive."""

    def __init__(self, native_id: str, window: float) -> None:
        self._native_id = native_id
        self._window = window
        self._position: Position = None
        self._jammed = False
        self._pending: _Pending | None = None
        self._last_use: tuple[Use, float] | None = None
        self._order: Position = None
        self._deaf_until = -1
        self.is_verifying = False
        """A command ended without proof; until the driver has asked the lock, values prove nothing."""

    @property
    def position(self) -> Position:
        """Where the bolt stands, as far as it was told."""
        return self._position

    @property
    def is_busy(self) -> bool:
        """An order is under way, or its effect is not known."""
        return self._order is not None or self.is_verifying

    def start(self, position: Position, *, jammed: bool) -> LockSeen:
        """Begin (again) with a reading."""
        self._position, self._jammed, self._pending = position, jammed, None
        return self._seen(None if jammed else position)

    def due(self) -> float | None:
        """Return when `flush` has something to say."""
        return None if self._pending is None else self._pending.due

    def moved(self, locked: Position, now: float, seq: int) -> list[LockSeen]:
        """Take in a value of the bolt's position."""
        if self.is_busy or self._jammed or seq <= self._deaf_until:
            return []
        told = [] if self._pending is None or self._pending.locked == locked else self._tell_pending(now)
        if locked == self._position or self._pending is not None:
            return told
        self._pending = _Pending(locked, now + self._window)
        return told

    def alarmed(self, use: Use, now: float) -> list[LockSeen]:
        """Take in a use said in the maker's own numbers; the notification of the same one may be still to come."""
        has_moved = self._pending is not None and self._pending.locked != use.locked
        if self._last_use is not None and not has_moved:
            before, at = self._last_use
            if now - at <= self._window and before.locked == use.locked == self._position:
                return []
        told = [] if self._pending is None or self._pending.locked == use.locked else self._tell_pending(now)
        due = now + self._window if self._pending is None else self._pending.due
        self._pending = _Pending(use.locked, due, use)
        return told

    def used(self, use: Use, now: float) -> list[LockSeen]:
        """Take in a notification of a use."""
        told: list[LockSeen] = []
        pending, self._pending = self._pending, None
        if pending is not None and pending.locked != use.locked:
            told = self._tell(pending, now)
        elif pending is not None and pending.use is not None:
            use = _joined(pending.use, use)
        return told + self._tell_use(use, now)

    def _tell_use(self, use: Use, now: float) -> list[LockSeen]:
        if use.method == "remote" and (self._order is not None or use.locked == self._position):
            return []
        if self._is_repeated(use, now):
            return []
        self._last_use = (use, now)
        self._position, self._jammed = use.locked, False
        self.is_verifying = self.is_verifying and use.method != "remote"
        return [LockSeen(native_id=self._native_id, locked=use.locked, method=use.method, user_slot=use.slot)]

    def jammed(self, *, is_jammed: bool, position: Position) -> list[LockSeen]:
        """Take in that the bolt is stuck, or no longer; `position` is what the lock says besides."""
        if is_jammed == self._jammed:
            return []
        told = self._drop_pending()
        self._jammed = is_jammed
        if self._order is not None:  # its outcome tells
            self._position = None
            return told
        self._position = None if is_jammed else position
        return [*told, self._seen(self._position)]

    def read(self, locked: Position) -> list[LockSeen]:
        """Take in an answer of the lock to a question about its position."""
        told = self._drop_pending()
        if self._order is not None or self._jammed or locked == self._position:
            return told
        self._position = locked
        return [*told, self._seen(locked)]

    def begin(self, target: Position) -> None:
        """An order is on its way: until it ends, movements are its own. Uses by people are told as ever."""
        self._order = target
        if self._pending is not None and self._pending.use is None:
            self._pending = None
        self.is_verifying = False

    def end(self, position: Position, seq: int, *, jammed: bool = False) -> None:
        """The order has ended, with this position proven; None proves nothing. Values that came before are void."""
        self._order = None
        self._deaf_until = seq
        if position is not None or jammed:
            self._position, self._jammed = position, jammed

    def flush(self, now: float) -> list[LockSeen]:
        """Tell a movement that nothing explained in time."""
        return self._tell_pending(now) if self._pending is not None and now >= self._pending.due else []

    def _is_repeated(self, use: Use, now: float) -> bool:
        if self._last_use is None or use.locked != self._position:
            return False
        before, at = self._last_use
        return now - at <= self._window and before.locked == use.locked and use.slot in {None, before.slot}

    def _tell_pending(self, now: float) -> list[LockSeen]:
        pending, self._pending = self._pending, None
        return [] if pending is None else self._tell(pending, now)

    def _drop_pending(self) -> list[LockSeen]:
        """Forget a movement that something else tells of now, but not a use."""
        pending, self._pending = self._pending, None
        return [] if pending is None or pending.use is None else self._tell_use(pending.use, pending.due)

    def _tell(self, pending: _Pending, now: float) -> list[LockSeen]:
        if pending.use is not None:
            return self._tell_use(pending.use, now)
        self._position = pending.locked
        return [self._seen(pending.locked)]

    def _seen(self, locked: Position) -> LockSeen:
        return LockSeen(native_id=self._native_id, locked=locked, jammed=self._jammed)
