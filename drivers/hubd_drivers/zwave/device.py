"""One announced device: its facts as they change, and what of each change the hub should hear."""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec

from hubd.model import (
    BatterySeen,
    DenialSeen,
    DeviceDescription,
    LockSeen,
    ReachabilitySeen,
    Seen,
    TamperSeen,
    ThermostatCapability,
)
from hubd_drivers.zwave import climate, lock, mapping, notices
from hubd_drivers.zwave.attribution import LockTracker
from hubd_drivers.zwave.codes.keypads import Keypad
from hubd_drivers.zwave.events import MetadataReported, Notified, ValueReported
from hubd_drivers.zwave.facts import (
    BATTERY,
    NOTIFICATION,
    STATUS_ASLEEP,
    STATUS_AWAKE,
    STATUS_DEAD,
    STATUS_UNKNOWN,
    THERMOSTAT_SETPOINT,
    NodeFacts,
    ValueId,
    integer,
)
from hubd_drivers.zwave.lock import Position
from hubd_drivers.zwave.thermostat.changes import Changes

MISSED_WAKE_UPS: Final = 3
"""A single one is missed often: the controller is busy, or the device is out of its place for a while."""
_UNREACHABLE: Final = (
    "It does not answer the Z-Wave controller. Check its batteries and the distance to the next mains-powered node; "
    "zwave-js tries again with each command."
)


class ZwaveDevice:
    """Time is passed in: monotonic seconds, and `seq`, which counts the server's events as they arrive."""

    def __init__(
        self,
        facts: NodeFacts,
        native_id: str,
        home_id: int,
        keypad: Keypad | None,
        window: float,
        *,
        has_own_serial: bool = True,
    ) -> None:
        self.native_id = native_id
        self.tracker = LockTracker(native_id, window)
        self.changes = Changes()
        self._has_fractions = False
        self._home_id = home_id
        self._window = window
        self._has_own_serial = has_own_serial
        self._heard_at: datetime | None = None
        self._is_overdue = False
        self._incidents: dict[tuple[str, str], tuple[float, bool]] = {}
        self._is_warned = False
        self._is_online: bool | None = None
        self._last = mapping.Readings(None, None, None)
        self.update(facts, keypad)

    def update(self, facts: NodeFacts, keypad: Keypad | None) -> None:
        """Take in all of a node anew, after an interview."""
        self.facts = facts
        self.keypad = keypad
        self.bolt = lock.find_bolt(facts)
        self.description = self._describe()

    @property
    def node_id(self) -> int:
        """The node's number on its network."""
        return self.facts.node_id

    @property
    def is_dead(self) -> bool:
        """zwave-js has given it up until it is heard again."""
        return self.facts.status == STATUS_DEAD

    @property
    def is_asleep(self) -> bool:
        """What is sent to it now would only arrive when it wakes."""
        return self.facts.status == STATUS_ASLEEP

    @property
    def position(self) -> Position:
        """Where zwave-js says that the bolt is."""
        return None if self.bolt is None else self.bolt.position(self.facts.get(self.bolt.current))

    @property
    def capability(self) -> ThermostatCapability | None:
        """What it can do as a thermostat."""
        return self.description.capabilities.thermostat

    @property
    def battery_level(self) -> float | None:
        """The last level that was told, 0.0 to 1.0."""
        return None if self._last.battery is None else self._last.battery.level

    def first_readings(self, *, trust_bolt: bool) -> list[Seen]:
        """Return everything that is known. `trust_bolt` False: the bolt's value may be an expectation of zwave-js."""
        seen: list[Seen] = list(self._reachability())
        if self.bolt is not None and trust_bolt and not self.tracker.is_busy:
            seen.append(self.tracker.start(self.position, jammed=lock.is_jammed(self.facts)))
        self._last = self._readings()
        return [*seen, *(reading for reading in self._last if reading is not None)]

    def value(self, event: ValueReported, now: float, seq: int) -> list[Seen]:
        """Take in a value. How a thermostat stands is told by `flush`, once it says no more."""
        if event.value != self.facts.get(event.id):
            self.changes.note(event.id)
        self.facts = self.facts.with_value(event.id, event.value)
        if event.id.command_class == THERMOSTAT_SETPOINT and climate.is_fraction(event.value):
            self._has_fractions = True
        if event.id.command_class == BATTERY and event.id.name == "level":
            self._is_warned = False
        seen: list[Seen] = []
        if self.bolt is not None and event.id == self.bolt.current:
            seen += self.tracker.moved(self.bolt.position(event.value), now, seq)
        if event.id.command_class == NOTIFICATION:
            seen += self._once(self._state(event), now)
        seen += self._news(is_level=event.id == mapping.battery_level_id(self.facts))
        if self._readings().climate != self._last.climate:
            self.changes.touch(now)
        return seen

    def due(self) -> float | None:
        """Return when `flush` has something to say."""
        return min((at for at in (self.tracker.due(), self.changes.due()) if at is not None), default=None)

    def flush(self, now: float) -> list[Seen]:
        """Return what has waited long enough for what belongs to it."""
        seen: list[Seen] = list(self.tracker.flush(now))
        due = self.changes.due()
        if due is not None and due <= now:
            self.changes.end()
            told = self._readings().climate
            if told is not None and told != self._last.climate:
                self._last = self._last._replace(climate=told)
                seen.append(told)
        return seen

    def read_back(self, answers: Mapping[ValueId, object]) -> None:
        """Take in what a thermostat said to a command, which the command's outcome tells."""
        self.changes.release()
        if not answers:
            return
        for value_id, content in answers.items():
            self.facts = self.facts.with_value(value_id, content)
        self.changes.end()
        self._last = self._last._replace(climate=self._readings().climate)

    def metadata(self, event: MetadataReported) -> None:
        """Take in what changed about a value; see `described`."""
        self.facts = self.facts.with_metadata(event.id, event.metadata)

    def notice(self, event: Notified, now: float) -> list[Seen]:
        """Take in a notification."""
        use = notices.use_of(event) if self.bolt is not None else None
        if use is not None:
            return list(self.tracker.alarmed(use, now) if event.is_legacy else self.tracker.used(use, now))
        if event.is_legacy and notices.is_battery_low(event.type, event.event):
            return self.battery_warned()
        return self._once(self._incident(event.type, event.event), now, is_legacy=event.is_legacy)

    def battery_warned(self) -> list[Seen]:
        """Take in a low-battery warning."""
        self._is_warned = True
        return self._news(is_level=True)

    def status(self, status: int) -> list[Seen]:
        """Take in that the node answers, does not, sleeps or woke."""
        self.facts = msgspec.structs.replace(self.facts, status=status)
        if status == STATUS_AWAKE:
            self._is_overdue = False
        told: list[Seen] = list(self._reachability())
        if status == STATUS_AWAKE and not told and self.capability is not None:
            told.append(ReachabilitySeen(native_id=self.native_id, online=True))  # it can be set now, and not later
        return told

    @property
    def heard_at(self) -> datetime | None:
        """When the node was heard last."""
        return self._heard_at

    def heard(self, at: datetime | None) -> None:
        """Take in when the node was heard last, as zwave-js knows it."""
        if at is not None and (self._heard_at is None or at > self._heard_at):
            self._heard_at = at

    def overslept(self, now: datetime) -> list[Seen]:
        """Return what the time of day tells: that it has missed too many wake-ups, or has been heard since."""
        self.heard(self.facts.statistics.heard_at)
        self._heard_at = self._heard_at or now
        interval = mapping.wake_interval(self.facts)
        silence = (now - self._heard_at).total_seconds()
        self._is_overdue = self.is_asleep and interval is not None and silence > MISSED_WAKE_UPS * interval
        return list(self._reachability())

    def described(self) -> DeviceDescription | None:
        """Return the description if it is not what it was."""
        before, self.bolt = self.description, lock.find_bolt(self.facts)
        self.description = self._describe()
        return None if self.description == before else self.description

    def _describe(self) -> DeviceDescription:
        keypad = None if self.keypad is None else self.keypad.capability
        return mapping.describe(
            self.facts,
            self.native_id,
            self._home_id,
            keypad,
            has_own_serial=self._has_own_serial,
            has_fractions=self._has_fractions,
        )

    def _state(self, event: ValueReported) -> list[Seen]:
        """Return what a state variable of a notification tells."""
        kind, state = notices.TYPES.get(str(event.id.name)), integer(event.value, high=0xFFFF)
        if self.bolt is not None and event.id.key == lock.LOCK_STATE:
            return list(self.tracker.jammed(is_jammed=state == lock.JAMMED, position=self.position))
        if kind is None or state is None:
            return []
        return self._incident(kind, state)

    def _incident(self, kind: int, event: int) -> list[Seen]:
        if self.bolt is not None and notices.is_jam(kind, event):
            return list(self.tracker.jammed(is_jammed=True, position=None))
        denial = notices.denial_of(kind, event) if self.bolt is not None else None
        if denial is not None:
            return [DenialSeen(native_id=self.native_id, reason=denial.reason, message=denial.message)]
        if notices.is_tampering(kind, event, of_a_lock=self.bolt is not None):
            return [TamperSeen(native_id=self.native_id)]
        return []

    def _readings(self) -> mapping.Readings:
        bolt = lock.find_bolt(self.facts)
        capability = None if bolt is None else bolt.capability
        return mapping.readings(self.facts, self.native_id, capability, warned=self._is_warned)

    def _news(self, *, is_level: bool) -> list[Seen]:
        """Return the readings that changed; a battery's level also when it did not, for it has a new time."""
        before, self._last = self._last, self._readings()._replace(climate=self._last.climate)
        news: list[Seen] = []
        for old, new in zip(before, self._last, strict=True):
            if new is not None and (new != old or (is_level and isinstance(new, BatterySeen))):
                news.append(new)
        return news

    def _reachability(self) -> list[ReachabilitySeen]:
        if self.facts.status == STATUS_UNKNOWN:
            return []
        is_online = not self.is_dead and not self._is_overdue
        if self.facts.status == STATUS_AWAKE and self._is_online:
            return []
        if is_online == self._is_online:
            return []
        self._is_online = is_online
        reason = None if is_online else _UNREACHABLE if self.is_dead else self._why_overdue()
        return [ReachabilitySeen(native_id=self.native_id, online=is_online, reason=reason)]

    def _why_overdue(self) -> str:
        heard = "never" if self._heard_at is None else f"{self._heard_at:%Y-%m-%d %H:%M} UTC"
        return (
            f"It sleeps, and has missed {MISSED_WAKE_UPS} of its wake-ups; it was last heard: {heard}. "
            "Check its battery, and wake it (usually by its button)."
        )

    def _once(self, seen: list[Seen], now: float, *, is_legacy: bool = False) -> list[Seen]:
        """Return the incidents without one that was told just now in the other of the two ways of telling it."""
        news = []
        for one in seen:
            key = (type(one).__name__, one.reason if isinstance(one, DenialSeen) else "")
            at, was_legacy = self._incidents.get(key, (-math.inf, is_legacy))
            if isinstance(one, LockSeen) or is_legacy == was_legacy or now - at > self._window:
                self._incidents[key] = (now, is_legacy)
                news.append(one)
        return news
