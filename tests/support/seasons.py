"""A site of one thermostat that lives through operations in virtual time, and rules that hold when it is calm again.

What is to be in force is worked out here anew, by a walk from minute to minute over what people asked for.
"""

import asyncio
import tempfile
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, cast
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from hubd.core.climate.desk import ScheduleChange
from hubd.core.climate.limits import range_of, rounded
from hubd.core.climate.rules import WISH_LIFE
from hubd.core.hub import Hub, Instance, Site
from hubd.core.policy import Policy
from hubd.core.sense import Sense
from hubd.driver import DriverConfig, Manifest
from hubd.model import ClimateSetting, HubError
from hubd.model.climate import setting_of
from hubd.model.event import PlanChanged, ThermostatAdjusted
from hubd.store.climate import Period, Preset, Schedule, ThermostatRecord
from hubd.store.journal import Journal
from hubd.store.secrets import Sealer
from tests.sims.thermostats import PLAIN, Fault, SimThermostat, ThermostatNetwork
from tests.support.hub import HUB_ID, stoppable
from tests.support.virtual import InlineDatabase, VirtualClock, run_on_virtual_time

ZONE = ZoneInfo("Europe/Berlin")
MINUTE = 60.0
CALM = 4 * 3600.0
"""Longer than any pause after a failure, and than what is not allowed is left alone."""
KEYS = ("eco", "home", "strict")
PRESETS = (
    Preset("eco", ClimateSetting("heat", None, 17.0)),
    Preset("home", ClimateSetting("heat_cool", "auto", 20.0, 25.0)),
    Preset("strict", ClimateSetting("heat", None, 22.0), is_override_allowed=False),
)
PERIODS = (Period("02:30:00", "eco"), Period("07:00:00", "home"), Period("22:00:00", "strict"))


class Wait(NamedTuple):
    """Time passes."""

    minutes: int


class Stay(NamedTuple):
    """Somebody makes a schedule, so many minutes from now."""

    key: str
    after: int
    length: int
    is_allowed: bool
    most: int | None


class Change(NamedTuple):
    """Somebody changes the schedule that was made last, or drops it (None)."""

    longer: int | None


class Fallback(NamedTuple):
    """Somebody sets the fallback preset."""

    key: str


class Week(NamedTuple):
    """The weekly program is on, or off."""

    is_on: bool


class Call(NamedTuple):
    """Somebody calls the API."""

    setting: ClimateSetting


class Turn(NamedTuple):
    """Somebody turns the knob."""

    setting: ClimateSetting


class Fail(NamedTuple):
    """The device fails from now on."""

    fault: Fault


class Outage(NamedTuple):
    """The device cannot be reached."""

    minutes: int


class Crash(NamedTuple):
    """The hub is killed, and is back after some time."""

    minutes: int


class Unplug(NamedTuple):
    """The link to the network breaks, and is made anew."""


class Hand(NamedTuple):
    """What must have come of the last hand or call, as long as no other plan comes."""

    seq: int = 0
    """The journal's end then."""
    setting: ClimateSetting = ClimateSetting()
    is_override: bool = False
    until: datetime | None = None
    attempt_id: str | None = None


type Asked = Stay | Change | Fallback | Week | Call
type Operation = Asked | Wait | Turn | Fail | Outage | Crash | Unplug

_POINTS = st.integers(10, 60).map(lambda halves: halves / 2)
_SETTINGS = st.builds(
    ClimateSetting,
    st.sampled_from([None, "off", "heat", "cool", "heat_cool"]),
    st.sampled_from([None, "auto", "on"]),
    st.none() | _POINTS,
    st.none() | _POINTS,
).filter(bool)
_HANDS = _SETTINGS | _SETTINGS | st.sampled_from([preset.setting for preset in PRESETS])
"""Some are just what a plan says."""
_SPAN = st.sampled_from([1, 7, 29, 61, 190, 600])
_STAY = st.builds(
    Stay,
    st.sampled_from(("home", *KEYS)),
    st.sampled_from([0, 0, 1, 90]),
    st.sampled_from([61, 400, 3000, 3000]),
    st.sampled_from([True, True, False]),
    st.sampled_from([None, 0, 30, 600]),
)
_BEGINNINGS: Sequence[Sequence[Operation]] = (
    (),
    (Fallback("home"),),
    (Week(is_on=True),),
    *((Stay("home", 0, 3000, is_allowed=True, most=most),) for most in (None, 30, 600)),
)
_LULLS: Sequence[Sequence[Operation]] = ((), (Fail("none"), Wait(61)), (Fail("none"), Fallback("home"), Wait(61)))
"""After these, who sets something next finds nothing in the way."""
_INTERRUPTIONS: Sequence[Operation] = (Wait(7), Wait(61), Outage(1), Crash(1), Unplug(), Fail("mute"))


def script(longest: int) -> st.SearchStrategy[list[Operation]]:
    """Return some operations by chance: plans and hands most of all, for where they meet the rules are."""
    hands = st.builds(Turn, _HANDS), st.builds(Call, _HANDS)
    troubles: tuple[st.SearchStrategy[Operation], ...] = (
        st.builds(Fail, st.sampled_from(["none", "refuse", "ignore", "mute", "deaf", "asleep"])),
        st.builds(Outage, _SPAN),
        st.builds(Crash, _SPAN),
        st.just(Unplug()),
    )
    plans: tuple[st.SearchStrategy[Operation], ...] = (
        st.builds(Change, st.sampled_from([None, 10, 120])),
        st.builds(Fallback, st.sampled_from(KEYS)),
        st.builds(Week, st.booleans()),
    )
    some: st.SearchStrategy[Operation] = st.one_of(
        st.builds(Wait, _SPAN), _STAY, _STAY, *hands, *hands, *plans, *troubles
    )
    middle = st.lists(some, min_size=longest // 3, max_size=longest)
    last: st.SearchStrategy[Operation] = st.one_of(*hands, *hands, st.sampled_from(_INTERRUPTIONS))
    return st.tuples(st.sampled_from(_BEGINNINGS), middle, st.sampled_from(_LULLS), st.lists(last, max_size=4)).map(
        lambda parts: [operation for part in parts for operation in part]
    )


class Seasons:
    """One run."""

    def __init__(self, path: Path, start: datetime) -> None:
        self.path = path
        self.clock = VirtualClock(start)
        self.device = SimThermostat("1")
        self.network = ThermostatNetwork([self.device])
        self.hub: Hub | None = None
        self.calls: list[str] = []
        self.hand: Hand | None = Hand()
        """None: it came while something failed, and who wins is left to other tests."""
        self.turns = 0
        self._made = 0
        self._week = ""
        self._life: asyncio.Task[None] | None = None
        self._up = asyncio.Event()

    # -- lives of the hub ----------------------------------------------------------------------------------------------

    @property
    def living(self) -> Hub:
        """The hub that runs."""
        assert self.hub is not None
        return self.hub

    @property
    def device_id(self) -> str:
        """The id of the thermostat."""
        return next(iter(self.living.devices))

    @property
    def record(self) -> ThermostatRecord:
        """What the hub keeps of it."""
        return self.living.thermostats.get(self.device_id)

    async def start(self) -> None:
        """Start the hub, and return once it knows the thermostat."""
        self._up.clear()
        self._life = asyncio.create_task(self._live())
        await self._up.wait()
        while not self.living.devices:  # noqa: ASYNC110 - who announces it tells nobody, and time is virtual
            await asyncio.sleep(0.01)

    async def kill(self) -> None:
        """Kill the hub: nothing is written from this instant on."""
        assert self._life is not None
        if self._database is not None:
            self._database.is_dead = True
        self._life.cancel()
        await asyncio.wait({self._life})
        self.hub = None

    async def _live(self) -> None:
        self._database = database = InlineDatabase(self.path)
        journal = Journal(database, self.clock)
        await journal.load()
        writer = asyncio.create_task(journal.run())
        try:
            async with stoppable() as group:
                sense = Sense(journal, self.clock, None)
                await sense.open()
                hub = Hub(
                    Site(HUB_ID, "Seasons", ZONE.key, "0", Sealer(bytes(32)), self.path.parent),
                    journal,
                    self.clock,
                    group,
                    sense,
                )
                await hub.start()
                manifest = Manifest(
                    type="sim",
                    title="Simulated",
                    config=DriverConfig,
                    create=lambda _: self.network,
                    hops=("stick",),
                    budget=1,
                )
                hub.add(Instance("radio", manifest, self.network, Policy(("thermostat",))))
                self.hub = hub
                self._up.set()
                await asyncio.Future()
        finally:
            writer.cancel()
            await asyncio.wait({writer})
            await database.close()

    # -- operations ----------------------------------------------------------------------------------------------------

    async def perform(self, operation: Operation) -> None:
        """Do one operation."""
        match operation:
            case Wait(minutes=minutes):
                await asyncio.sleep(minutes * MINUTE)
            case Outage(minutes=minutes):
                await self.network.connect("1", online=False)
                await asyncio.sleep(minutes * MINUTE)
                await self.network.connect("1", online=True)
            case Crash(minutes=minutes):
                await self.kill()
                await asyncio.sleep(minutes * MINUTE)
                await self.start()
            case Unplug():
                self.network.lose()
                await asyncio.sleep(90)
            case Fail(fault=fault):
                self.device.fault = fault
                if fault in {"refuse", "ignore"} and not self.record.is_applied:
                    self.hand = None
            case Turn(setting=setting):
                await self._turn(setting)
            case Stay() | Change() | Fallback() | Week() | Call():
                await self._ask(operation)
        await asyncio.sleep(3)

    async def _turn(self, setting: ClimateSetting) -> None:
        """Turn the knob, and note what is to come of that where nothing is in between."""
        before, now = self.record, self.clock.now()
        members: dict[str, Any] = dict(setting.members()) | _whole(setting, self.device)
        is_calm = before.is_applied and before.trouble is None and self.device.fault == "none"
        self.turns += 1
        stood = self.device.climate
        await self.network.turn("1", None, **members)
        head, after = self.living.journal.head, self.device.climate
        if is_calm and after == stood:
            return
        if not is_calm or abs((now.minute + now.second / 60 + 7.5) % 15 - 7.5) < 2:  # or who it was is guessed
            self.hand = None
        elif before.base.kind == "none":
            self.hand = Hand(head, setting_of(after))
        elif not before.base.setting.missing(after, PLAIN):
            self.hand = Hand(head, before.base.setting)
        elif before.base.is_override_allowed and before.in_force.missing(after, PLAIN):
            most = before.base.max_override_minutes
            until = None if most is None else now + timedelta(minutes=most)
            if before.override is not None and before.override.source != "api":
                until = before.override.until
            self.hand = Hand(head, setting_of(after), is_override=True, until=until)

    async def _ask(self, operation: Asked) -> None:
        """Have somebody call the hub; what it refuses changes nothing."""
        desk, before = self.living.thermostats, self.record
        try:
            await self._call(operation)
        except HubError:
            assert set(desk.get(self.device_id).pending) <= set(before.pending)

    async def _call(self, operation: Asked) -> None:
        desk, device_id, now = self.living.thermostats, self.device_id, self.clock.now()
        match operation:
            case Stay(key=key, after=after, length=length, is_allowed=is_allowed, most=most):
                self._made += 1
                start = now + timedelta(minutes=after)
                made = Schedule(
                    f"s{self._made:04}",
                    device_id,
                    key,
                    start,
                    start + timedelta(minutes=length),
                    now,
                    None,
                    is_allowed,
                    most,
                )
                await desk.create_schedule(made, "test")
            case Change(longer=longer):
                last = f"s{self._made:04}"
                if longer is None:
                    await desk.delete_schedule(last, "test")
                else:
                    end = desk.schedule(last).ends_at + timedelta(minutes=longer)
                    await desk.update_schedule(last, ScheduleChange(ends_at=end), "test")
            case Fallback(key=key):
                await desk.set_fallback(device_id, key, "test")
            case Week(is_on=is_on):
                if not self._week:
                    self._week = (await desk.create_program(device_id, "Day", PERIODS, "test")).program_id
                await desk.set_week(device_id, (self._week if is_on else None,) * 7, "test")
            case Call(setting=setting):
                self.calls.append(await desk.set(device_id, setting, "SET_HVAC_MODE", "test"))
                most, head = self.record.base.max_override_minutes, self.living.journal.head
                until = None if most is None else now + timedelta(minutes=most)
                self.hand = Hand(
                    head, rounded(setting, PLAIN), is_override=True, until=until, attempt_id=self.calls[-1]
                )
                if self.device.fault in {"refuse", "ignore"}:
                    self.hand = None

    # -- rules ---------------------------------------------------------------------------------------------------------

    async def look_calm(self) -> None:
        """Check what holds once nobody has done anything, and nothing has failed, for a while."""
        hub, record, now = self.living, self.record, self.clock.now()
        schedules = hub.thermostats.schedules(self.device_id)
        expected = _governing(record, schedules, now)
        assert (record.base.kind, record.base.plan_id, record.base.preset_key) == expected
        assert (record.is_applied, record.trouble, record.pending) == (True, None, ())
        assert not record.in_force.missing(self.device.climate, PLAIN)
        assert hub.devices[self.device_id].state.climate == self.device.climate
        override = record.override
        if override is not None:
            assert record.base.kind == "none" or record.base.is_override_allowed
            assert record.base.since is None or override.since >= record.base.since
            assert override.until is None or override.until > now
            assert override.source == "api" or record.base.kind != "none"
            most = record.base.max_override_minutes
            assert most is None or (
                override.until is not None and override.until - override.since == timedelta(minutes=most)
            )
        await self._look_at_hands()
        for call in self.calls:
            found = await hub.thermostats.attempt(call)
            assert found is not None
            assert found.ended_at is not None
        heads = hub.journal.head, len(self.device.log)
        await asyncio.sleep(60)
        if record.base == self.record.base:
            assert (hub.journal.head, len(self.device.log)) == heads

    async def _look_at_hands(self) -> None:
        """Check that what somebody set last is in force, or why it is not any more, and that nobody else is accused."""
        hand, record, now = self.hand, self.record, self.clock.now()
        rows = await self.living.journal.rows(0, 100_000)
        adjusted = [row.event for row in rows if isinstance(row.event, ThermostatAdjusted)]
        assert len([event for event in adjusted if event.method == "external"]) <= self.turns
        for row in rows:
            if isinstance(row.event, PlanChanged) and hand is not None and row.seq > hand.seq:
                hand = Hand()
        if hand is None:
            return
        call = None if hand.attempt_id is None else await self.living.thermostats.attempt(hand.attempt_id)
        if call is not None and call.error == "not_reached":
            assert call.ended_at is not None
            assert call.ended_at - call.at >= WISH_LIFE.total_seconds() * 1e6
        elif hand.is_override and (hand.until is None or hand.until > now):
            assert call is None or call.error is None
            assert record.override is not None
            assert record.override.source == ("manual" if call is None else "api")
            assert not hand.setting.missing(self.device.climate, PLAIN)
            return
        else:
            assert not hand.setting.missing(self.device.climate, PLAIN) or hand.is_override
        assert record.override is None

    def look_back(self) -> None:
        """Check what was ever sent."""
        for sent in self.device.settings:
            for kind in ("heating", "cooling"):
                value = cast("float | None", getattr(sent, f"{kind}_set_point_celsius"))
                bounds = range_of(PLAIN, kind)
                assert value is None or bounds.min_celsius <= value <= bounds.max_celsius
                assert value is None or (value * 2).is_integer()
            assert sent.hvac_mode in {None, *PLAIN.hvac_modes}


def _whole(setting: ClimateSetting, device: SimThermostat) -> dict[str, Any]:
    """Return the set-points that a knob goes to: within the range of the device."""
    found = {}
    for kind in ("heating", "cooling"):
        name = f"{kind}_set_point_celsius"
        value, bounds = getattr(setting, name), range_of(device.capability, kind)
        found[name] = None if value is None else min(max(value, bounds.min_celsius), bounds.max_celsius)
    return found


def _governing(
    record: ThermostatRecord, schedules: Sequence[Schedule], now: datetime
) -> tuple[str, str | None, str | None]:
    running = [
        (one.starts_at, one.created_at, one.schedule_id, one) for one in schedules if one.starts_at <= now < one.ends_at
    ]
    if running:
        one = max(running)[-1]
        return "schedule", one.schedule_id, one.preset_key
    minute = now.replace(second=0, microsecond=0)
    for back in range(8 * 24 * 60 if any(record.week) else 0):
        at = minute - timedelta(minutes=back)
        shown, before = (moment.astimezone(ZONE) for moment in (at, at - timedelta(minutes=1)))
        program = record.program(record.week[shown.weekday()])
        for period in reversed(() if program is None else program.periods):
            clock = period.starts_at[:5]
            is_new = before.strftime("%H:%M") < clock or before.date() < shown.date()
            if shown.strftime("%H:%M") >= clock and is_new and shown.fold == 0 and program is not None:
                return "program", program.program_id, period.preset_key
    return ("fallback", None, record.fallback_key) if record.fallback_key else ("none", None, None)


def live_through(operations: Sequence[Operation], start: datetime) -> Seasons:
    """Live through operations, then be calm. Raises what a broken rule raises."""

    async def main(folder: str) -> Seasons:
        seasons = Seasons(Path(folder) / "hub.db", start)
        await seasons.start()
        for preset in PRESETS:
            await seasons.living.thermostats.create_preset(seasons.device_id, preset, "test")
        for operation in operations:
            await seasons.perform(operation)
        seasons.device.fault = "none"
        await seasons.network.wake("1")
        await asyncio.sleep(CALM)
        await seasons.look_calm()
        seasons.look_back()
        await seasons.kill()
        return seasons

    with tempfile.TemporaryDirectory() as folder:
        return run_on_virtual_time(lambda: main(folder))
