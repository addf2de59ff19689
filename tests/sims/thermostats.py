"""A network of thermostats in this process, on whatever clock it is given. Every fault is a member to set.

What reached a device stands in its `log`: what rules are checked against.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

from msgspec.structs import replace

from hubd.driver import DriverError, Port
from hubd.model import (
    Capabilities,
    Climate,
    ClimateSeen,
    ClimateSetting,
    ClimateSource,
    Command,
    DeviceDescription,
    Outcome,
    ReachabilitySeen,
    ReadClimate,
    SetClimate,
    SetPointRange,
    ThermostatCapability,
    done,
    rejected,
    sent_unconfirmed,
    unreachable,
    unsupported,
)
from hubd.model.degrees import snapped

type Fault = Literal["none", "refuse", "ignore", "mute", "deaf", "asleep"]
"""`ignore`: it says yes and stays as it was. `mute`: it obeys and does not answer. `deaf`: neither."""

LATENCY = 1.0
PATIENCE = 8.0

PLAIN = ThermostatCapability(
    hvac_modes=("off", "heat", "cool", "heat_cool"),
    fan_modes=("auto", "on"),
    heating=SetPointRange(7.0, 30.0),
    cooling=SetPointRange(16.0, 35.0),
    min_delta_celsius=1.5,
    step=0.5,
    reports_humidity=True,
)
FAHRENHEIT = ThermostatCapability(
    hvac_modes=("off", "heat", "cool"),
    fan_modes=("auto", "on"),
    heating=SetPointRange(7.22, 32.22),
    cooling=SetPointRange(15.56, 37.22),
    scale="fahrenheit",
    step=1.0,
)
NEW = Climate(
    temperature_celsius=20.0,
    relative_humidity=0.4,
    hvac_mode="off",
    fan_mode="auto",
    heating_set_point_celsius=18.0,
    cooling_set_point_celsius=26.0,
)


class Sent(NamedTuple):
    """A setting that reached a device."""

    at: datetime
    setting: ClimateSetting
    by: Literal["hub", "person"]


class SimThermostat:
    """One thermostat."""

    def __init__(self, native_id: str, capability: ThermostatCapability = PLAIN) -> None:
        self.native_id = native_id
        self.capability = capability
        self.climate = NEW
        self.log: list[Sent] = []
        self.reads = 0
        self.fault: Fault = "none"
        self.is_online = True

    @property
    def description(self) -> DeviceDescription:
        """What is announced of it."""
        abilities = Capabilities(thermostat=self.capability)
        return DeviceDescription(
            self.native_id, "thermostat", "virtual_thermostat", f"Climate {self.native_id}", capabilities=abilities
        )

    @property
    def seen(self) -> ClimateSeen:
        """How it stands."""
        return ClimateSeen(native_id=self.native_id, climate=self.climate)

    def take(self, setting: ClimateSetting) -> None:
        """Be set, as far as it rounds."""
        members = {name: value for name, value in setting.members() if value is not None}
        for name in ("heating_set_point_celsius", "cooling_set_point_celsius"):
            if name in members:
                members[name] = snapped(float(members[name]), self.capability.scale, self.capability.step)  # type: ignore[arg-type]
        self.climate = replace(self.climate, **members)

    @property
    def settings(self) -> list[ClimateSetting]:
        """What the hub set, in order."""
        return [sent.setting for sent in self.log if sent.by == "hub"]


class ThermostatNetwork:
    """Implements `hubd.driver.Driver` for some thermostats."""

    def __init__(self, thermostats: Sequence[SimThermostat] | None = None) -> None:
        found = [SimThermostat("1")] if thermostats is None else thermostats
        self.thermostats = {one.native_id: one for one in found}
        self.latency = LATENCY
        self.port: Port | None = None
        self._lost = asyncio.Event()

    @property
    def living_port(self) -> Port:
        """The port of the life under way."""
        assert self.port is not None
        return self.port

    async def run(self, port: Port) -> None:
        """Live one life."""
        self.port = port
        self._lost.clear()
        for one in self.thermostats.values():
            readings = (one.seen,) if one.is_online else ()
            reason = None if one.is_online else "It does not answer."
            reachability = ReachabilitySeen(native_id=one.native_id, online=one.is_online, reason=reason)
            await port.found(one.description, reachability, *readings)
        port.ready()
        await self._lost.wait()
        raise DriverError("stick", "stick_lost", "The stick is gone.")

    def lose(self) -> None:
        """End the life under way."""
        self._lost.set()

    async def connect(self, native_id: str, *, online: bool) -> None:
        """Have a thermostat be reached, or not."""
        one = self.thermostats[native_id]
        one.is_online = online
        reason = None if online else "It does not answer."
        reachability = ReachabilitySeen(native_id=native_id, online=online, reason=reason)
        await self.living_port.publish(reachability, *((one.seen,) if online else ()))

    async def wake(self, native_id: str) -> None:
        """Have one that sleeps be awake."""
        self.thermostats[native_id].fault = "none"
        await self.living_port.publish(ReachabilitySeen(native_id=native_id, online=True))

    async def turn(self, native_id: str, source: ClimateSource | None = None, **members: Any) -> None:
        """Have somebody turn the knob; a device that cannot be reached tells later."""
        one = self.thermostats[native_id]
        setting = ClimateSetting(**members)
        one.log.append(Sent(self.living_port.clock.now(), setting, "person"))
        one.take(setting)
        if one.is_online and one.fault not in {"asleep", "deaf"}:
            await self.living_port.publish(replace(one.seen, source=source))

    async def warm(self, native_id: str, celsius: float) -> None:
        """Have the room be so warm."""
        one = self.thermostats[native_id]
        one.climate = replace(one.climate, temperature_celsius=celsius)
        if one.is_online:
            await self.living_port.publish(one.seen)

    async def execute(self, command: Command) -> Outcome:
        """Do one exchange. The device obeys halfway through it."""
        one, clock = self.thermostats[command.native_id], self.living_port.clock
        if one.fault == "asleep":
            return unreachable("device_asleep", "The thermostat sleeps.")
        await clock.sleep(self.latency / 2)
        if not one.is_online:
            await clock.sleep(self.latency / 2)
            return unreachable("device_unreachable", "The thermostat does not answer.")
        if one.fault == "deaf":
            await clock.sleep(PATIENCE)
            return sent_unconfirmed("The thermostat did not answer.")
        match command:
            case SetClimate(setting=setting):
                return await self._set(one, setting)
            case ReadClimate():
                one.reads += 1
                await clock.sleep(self.latency / 2)
                return done("It was read.", (one.seen,))
            case _:
                return unsupported("It is a thermostat.")

    async def _set(self, one: SimThermostat, setting: ClimateSetting) -> Outcome:
        clock, fault = self.living_port.clock, one.fault
        if fault == "refuse":
            await clock.sleep(self.latency / 2)
            return rejected("device_refused", "The thermostat refused the setting.", seen=(one.seen,))
        one.log.append(Sent(clock.now(), setting, "hub"))
        if fault != "ignore":
            one.take(setting)
        await clock.sleep(PATIENCE if fault == "mute" else self.latency / 2)
        if fault == "mute":
            return sent_unconfirmed("The thermostat did not answer.")
        if fault == "ignore":
            return rejected("setting_not_taken", "The thermostat is set to something else.", seen=(one.seen,))
        return done("It was read back.", (one.seen,))
