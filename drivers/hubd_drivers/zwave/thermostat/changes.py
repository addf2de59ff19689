"""What one thermostat says of itself, gathered: a turn of its knob makes many values, and one reading."""

from collections.abc import Set as AbstractSet
from typing import Final

from hubd_drivers.zwave.facts import THERMOSTAT_FAN_MODE, THERMOSTAT_MODE, THERMOSTAT_SETPOINT, ValueId

QUIET_SECONDS: Final = 0.3
"""After a value the next of the same burst follows sooner: a device sends one frame after the other."""
LONGEST_SECONDS: Final = 1.5
_SETTINGS: Final = frozenset({THERMOSTAT_MODE, THERMOSTAT_SETPOINT, THERMOSTAT_FAN_MODE})


class Changes:
    """Knows when a burst is over, and which settings were changed in it. Times are monotonic."""

    def __init__(self) -> None:
        self._began: float | None = None
        self._due = 0.0
        self._settings: set[ValueId] = set()
        self._is_held = False

    @property
    def settings(self) -> AbstractSet[ValueId]:
        """Which settings changed since the last reading was told."""
        return frozenset(self._settings)

    def note(self, value_id: ValueId) -> None:
        """Take in that a value changed."""
        if value_id.command_class in _SETTINGS:
            self._settings.add(value_id)

    def touch(self, now: float) -> None:
        """Take in that the thermostat stands otherwise than was told."""
        if self._began is None:
            self._began = now
        self._due = min(now + QUIET_SECONDS, self._began + LONGEST_SECONDS)

    def hold(self) -> None:
        """Tell nothing while a command is under way: its outcome tells it."""
        self._is_held = True

    def release(self) -> None:
        """The command is over; what came meanwhile and is not in its outcome is due at once."""
        self._is_held = False
        if self._began is not None:
            self._due = self._began

    def due(self) -> float | None:
        """Return when the burst is over; None: nothing is to be told."""
        return None if self._is_held or self._began is None else self._due

    def end(self) -> None:
        """The burst is over: it was told."""
        self._began = None
        self._settings.clear()
