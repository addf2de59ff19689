"""The lock of one door, room, suite or locker, as it stands. Pure; time is passed in."""

from datetime import datetime, timedelta
from enum import Enum
from typing import NamedTuple

from hubd_drivers.salto_space.sim.trail import Happening

UNKNOWN = -1
BATTERY_VERY_LOW = 2
MEMORY = 1_000
"""Events that a lock keeps until it is asked; then the oldest is lost (the number is made up)."""


class Wiring(Enum):
    """How Space reaches a lock."""

    WIRED = "wired"
    """A control unit on the network."""
    RADIO = "radio"
    OFFLINE = "offline"
    """Not at all: what it saw comes with a card or with an operator who walks there."""


class DoorState(Enum):
    """What stands in `DoorStatus`; INITIALIZING has two numbers in public sources."""

    OPENED = 0
    CLOSED = 1
    LEFT_OPEN = 2
    INTRUSION = 3
    EMERGENCY_OPEN = 4
    EMERGENCY_CLOSE = 5
    INITIALIZING = 6


class Status(NamedTuple):
    """The numbers of one online status; all -1 for a lock that is not online."""

    type: int = UNKNOWN
    communication: int = UNKNOWN
    door: int = UNKNOWN
    battery: int = UNKNOWN
    tamper: int = UNKNOWN


class Lock:
    """Every member may be set by a test; people and operators set them together with what the trail says."""

    def __init__(self, wiring: Wiring = Wiring.OFFLINE) -> None:
        self.wiring = wiring
        self.is_connected = wiring is not Wiring.OFFLINE
        self.is_initializing = False
        self.unlocked_until: datetime | None = None
        self.stands_open = False
        self.is_left_open = False
        self.is_intruded = False
        self.emergency: DoorState | None = None
        self.is_office = False
        self.is_private = False
        self.is_tampered = False
        self.battery = 0
        """0 normal, 1 low, 2 very low."""
        self.untold: list[Happening] = []
        """What an offline lock saw and nobody has collected."""

    def keep(self, what: Happening) -> None:
        """Keep what nobody can be told of now."""
        self.untold.append(what)
        if len(self.untold) > MEMORY:
            del self.untold[0]

    @property
    def is_online(self) -> bool:
        """Tell whether Space can reach it now."""
        return self.wiring is not Wiring.OFFLINE and self.is_connected

    def unlock(self, now: datetime, seconds: float) -> None:
        """Unlock for a moment."""
        self.unlocked_until = now + timedelta(seconds=seconds)

    def is_unlocked(self, now: datetime) -> bool:
        """Tell whether somebody without a key could open the door now."""
        if self.emergency is not None:
            return self.emergency is DoorState.EMERGENCY_OPEN
        return self.is_office or (self.unlocked_until is not None and now < self.unlocked_until)

    def state(self, now: datetime, *, office_shows_open: bool = False) -> DoorState:
        """Return what a control unit would report; what is worst comes first (the order is inferred)."""
        if self.is_initializing:
            return DoorState.INITIALIZING
        if self.emergency is not None:
            return self.emergency
        if self.is_intruded:
            return DoorState.INTRUSION
        if self.is_left_open:
            return DoorState.LEFT_OPEN
        momentary = self.unlocked_until is not None and now < self.unlocked_until
        is_open = self.stands_open or momentary or (office_shows_open and self.is_office)
        return DoorState.OPENED if is_open else DoorState.CLOSED

    def status(self, now: datetime, *, office_shows_open: bool = False, initializing: int = 6) -> Status:
        """Return the row of `OnlineDoor.GetOnlineStatusList`."""
        if self.wiring is Wiring.OFFLINE:
            return Status()
        kind = 0 if self.wiring is Wiring.WIRED else 1
        if not self.is_connected:
            return Status(kind, 0)
        state = self.state(now, office_shows_open=office_shows_open)
        number = initializing if state is DoorState.INITIALIZING else state.value
        return Status(kind, 1, number, self.battery, int(self.is_tampered))
