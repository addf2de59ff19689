"""The part of the contract suite that is about thermostats: each check is done at one of them.

A check leaves the thermostat as it found it, and asks no more exchanges of it than it must: the network may be slow.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, Literal, get_args

from hubd.model.capability import FanMode, HvacMode, SetPointRange, ThermostatCapability
from hubd.model.climate import ClimateSetting, changed, setting_of
from hubd.model.command import ReadClimate, SetClimate
from hubd.model.outcome import Outcome, OutcomeKind
from hubd.model.seen import ClimateSeen, Seen
from hubd.model.state import Climate

type Execute = Callable[..., Awaitable[Outcome]]
"""Gives a command to the driver, from its type and its members, and checks the form of its outcome."""
type Kind = Literal["heating", "cooling"]

ASLEEP: Final = "device_asleep"
_KINDS: Final[dict[Kind, HvacMode]] = {"heating": "heat", "cooling": "cool"}
_USUAL: Final = SetPointRange(15.0, 28.0)
"""Where a device does not tell its range."""
_WITHIN: Final[dict[Kind, float]] = {"heating": 0.3, "cooling": 0.7}
"""Where in its range a set-point is tried: as far from the other one as any device wants them."""
_OFF_STEP: Final = 0.37
_BEYOND: Final = 5.0
_STOPS_IN: Final = 5.0
_AT_ONCE: Final = 1.0
_OWN_WAYS: Final = {"heat_cool", "eco"}
"""Modes in which a device may move its set-points by itself."""
_NO: Final = {OutcomeKind.REJECTED, OutcomeKind.UNSUPPORTED}


class Bench:
    """One thermostat, and how it stood at first."""

    def __init__(self, native_id: str, capability: ThermostatCapability, do: Execute) -> None:
        self.native_id = native_id
        self.capability = capability
        self.found = Climate()
        self.is_touched = False
        self._do = do

    async def set(self, **members: Any) -> Outcome:
        """Set it, in one command."""
        self.is_touched = True
        return await self._do(SetClimate, self.native_id, setting=ClimateSetting(**members))

    async def ask(self) -> Outcome:
        """Ask it how it stands."""
        return await self._do(ReadClimate, self.native_id)

    async def read(self) -> Climate:
        """Return what it says, and check that it is all."""
        return self.told(await self.ask())

    async def takes(self, before: Climate, **members: Any) -> Climate:
        """Set it, and check that it then is so, and that what is not named is as it was; returns how it stands."""
        setting = ClimateSetting(**members)
        after = self.told(await self.set(**members))
        missing = setting.missing(after, self.capability)
        assert not missing, f"{self.native_id}: DONE, and this is not set: {missing}"
        free = {"heating_set_point_celsius", "cooling_set_point_celsius"} if setting.hvac_mode in _OWN_WAYS else set()
        touched = set(changed(before, after, self.capability)) - members.keys() - free
        assert not touched, f"{self.native_id}: it was not to change {', '.join(sorted(touched))}"
        return after

    async def stands(self, before: Climate) -> None:
        """Check that nothing has changed."""
        names = changed(before, await self.read(), self.capability)
        assert not names, f"{self.native_id}: what was refused has changed {', '.join(names)}"

    def told(self, outcome: Outcome) -> Climate:
        """Check that a command is DONE, and that all settings of the thermostat were read; returns them."""
        assert outcome.kind is OutcomeKind.DONE, outcome
        check_climates_seen(outcome.seen, self.native_id, self.capability)
        seen = [one for one in outcome.seen if isinstance(one, ClimateSeen) and one.native_id == self.native_id]
        assert seen, f"{self.native_id}: DONE, and nothing was seen of how it stands"
        climate = seen[-1].climate
        known = (name for name, value in setting_of(self.found).members() if value is not None)
        lost = [name for name in known if getattr(climate, name) is None]
        assert not lost, f"{self.native_id}: not the whole condition was read: {', '.join(lost)}"
        return climate

    def points(self) -> Iterable[tuple[Kind, str, float]]:
        """Return the set-points that it has, each with the name of its member and a value to try."""
        for kind in _KINDS:
            name = f"{kind}_set_point_celsius"
            bounds = _range(self.capability, kind)
            if getattr(self.found, name) is not None:
                share = _WITHIN[kind]
                yield kind, name, bounds.min_celsius + share * (bounds.max_celsius - bounds.min_celsius)

    def mode_for(self, kind: Kind) -> dict[str, HvacMode]:
        """Return, as a member, the mode in which a set-point is in use."""
        mode = _KINDS[kind]
        return {"hvac_mode": mode} if mode in self.capability.hvac_modes else {}


async def settings_are_taken(bench: Bench) -> None:
    """Each mode, each set-point (on a step and beside one), each fan mode; and what is set already once more."""
    now = bench.found
    for mode in bench.capability.hvac_modes:
        now = await bench.takes(now, hvac_mode=mode)
    for kind, name, value in bench.points():
        if mode_member := bench.mode_for(kind):
            now = await bench.takes(now, **mode_member)
        now = await bench.takes(now, **{name: value})
        now = await bench.takes(now, **{name: value + _OFF_STEP})
        now = await bench.takes(now, **{name: value + _OFF_STEP})
    for fan in bench.capability.fan_modes:
        now = await bench.takes(now, fan_mode=fan)
    read = await bench.read()
    assert not changed(now, read, bench.capability), f"{bench.native_id}: it says something else when it is asked"


async def a_whole_setting_is_taken(bench: Bench) -> None:
    """Mode, set-point and fan in one command."""
    now = bench.found
    fans = bench.capability.fan_modes
    for kind, name, value in bench.points():
        members: dict[str, Any] = {**bench.mode_for(kind), name: value}
        if fans:
            members["fan_mode"] = next((fan for fan in fans if fan != now.fan_mode), fans[0])
        now = await bench.takes(now, **members)


async def what_it_has_not_got_is_refused(bench: Bench) -> None:
    """Set-points outside its range, modes that it does not know: nothing changes."""
    for kind, name, _ in bench.points():
        bounds = bench.capability.heating if kind == "heating" else bench.capability.cooling
        if bounds is None:
            continue
        for value in (bounds.min_celsius - _BEYOND, bounds.max_celsius + _BEYOND):
            await _is_refused(bench, **{name: value})
    for mode in get_args(HvacMode.__value__):
        if mode not in bench.capability.hvac_modes:
            await _is_refused(bench, hvac_mode=mode)
    for fan in get_args(FanMode.__value__):
        if fan not in bench.capability.fan_modes:
            await _is_refused(bench, fan_mode=fan)


async def cancelling_leaves_it_usable(bench: Bench) -> None:
    """A deadline that passes while it is set: it is the one or the other, and takes the next command."""
    kind, name, value = next(iter(bench.points()), ("heating", "", 0.0))
    members: dict[str, Any] = {name: value} if name else {"hvac_mode": bench.capability.hvac_modes[0]}
    task = asyncio.ensure_future(bench.set(**members))
    await asyncio.sleep(0)
    task.cancel()
    stopped, _ = await asyncio.wait({task}, timeout=_STOPS_IN)
    assert stopped, f"{bench.native_id}: the command did not stop within {_STOPS_IN:g} s of being cancelled"
    with suppress(asyncio.CancelledError):
        task.result()
    now = await bench.read()
    touched = set(changed(bench.found, now, bench.capability)) - members.keys()
    assert not touched, f"{bench.native_id}: it was not to change {', '.join(sorted(touched))}"
    await bench.takes(now, **members, **(bench.mode_for(kind) if name else {}))


async def a_sleeper_is_left_alone(bench: Bench) -> None:
    """A thermostat that sleeps is not waited for, and not told anything."""
    async with asyncio.timeout(_AT_ONCE):
        outcomes = await bench.set(hvac_mode="off"), await bench.ask()
    for outcome in outcomes:
        assert (outcome.kind, outcome.code) == (OutcomeKind.UNREACHABLE, ASLEEP), outcome
        assert not outcome.seen, f"{bench.native_id}: it sleeps, and something was seen of it"


def check_climates_seen(seen: tuple[Seen, ...] | list[Seen], native_id: str, capability: ThermostatCapability) -> None:
    """Check that what is told of a thermostat can be true of it."""
    for one in seen:
        if not isinstance(one, ClimateSeen) or one.native_id != native_id:
            continue
        mode, fan = one.climate.hvac_mode, one.climate.fan_mode
        assert mode is None or mode in capability.hvac_modes, f"{native_id}: it is in mode {mode}, which it has not got"
        assert fan is None or fan in capability.fan_modes, f"{native_id}: its fan is {fan}, which it has not got"


def check_capability(native_id: str, capability: ThermostatCapability) -> None:
    """Check that a thermostat does not say twice what it can."""
    for modes in (capability.hvac_modes, capability.fan_modes):
        assert len(set(modes)) == len(modes), f"{native_id}: a mode stands twice in {', '.join(modes)}"


@asynccontextmanager
async def at(bench: Bench) -> AsyncIterator[bool]:
    """Ask the thermostat how it stands, and set it back to that when the block ends. Yields whether it is awake."""
    first = await bench.ask()
    if (first.kind, first.code) == (OutcomeKind.UNREACHABLE, ASLEEP):
        yield False
        return
    bench.found = bench.told(first)
    try:
        yield True
    finally:
        if bench.is_touched:
            bench.told(await bench.set(**_settable(bench.found)))


async def _is_refused(bench: Bench, **members: Any) -> None:
    outcome = await bench.set(**members)
    assert outcome.kind in _NO, f"{bench.native_id}: {members} is not refused: {outcome}"
    await bench.stands(bench.found)


def _settable(climate: Climate) -> dict[str, object]:
    return {name: value for name, value in setting_of(climate).members() if value is not None}


def _range(capability: ThermostatCapability, kind: Kind) -> SetPointRange:
    return (capability.heating if kind == "heating" else capability.cooling) or _USUAL
