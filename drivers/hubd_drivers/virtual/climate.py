"""What becomes of commands that concern thermostats: on the device, at its knob, in its room, and in the notebook."""

from hubd.driver import Port
from hubd.model import (
    ClimateCommand,
    ClimateSeen,
    ClimateSetting,
    Outcome,
    SetClimate,
    SimulateHvacModeAdjusted,
    SimulateTemperatureReached,
    done,
    rejected,
    sent_unconfirmed,
    unreachable,
    unsupported,
)
from hubd_drivers.virtual.codes import Fault
from hubd_drivers.virtual.memory import Notebook
from hubd_drivers.virtual.site import VirtualDevice
from hubd_drivers.virtual.thermostat import Thermostat, ThermostatError

_NO_THERMOSTAT = "The device is not a thermostat."


class ClimateDesk:
    """Carries out commands that concern thermostats. DONE is said once what the device is set to is on the disk."""

    def __init__(self, notebook: Notebook, latency: float) -> None:
        self._notebook = notebook
        self._latency = latency

    async def execute(self, port: Port, device: VirtualDevice, command: ClimateCommand, fault: Fault) -> Outcome:
        """Carry out one of the hub's own commands."""
        thermostat = device.thermostat
        if thermostat is None:
            return unsupported(_NO_THERMOSTAT)
        if not device.online:
            return unreachable("device_unreachable", "The device does not answer on its network.")
        if thermostat.is_asleep(port.clock.monotonic()):
            return unreachable("device_asleep", "The device sleeps, to spare its battery; it has not been asked.")
        if self._latency:
            await port.clock.sleep(self._latency)
        thermostat.wake(port.clock.monotonic())
        if fault == "refuse":
            return rejected("device_refused", "The thermostat refused the order.")
        setting = command.setting if isinstance(command, SetClimate) else ClimateSetting()
        outcome = await self._set(port, device, thermostat, setting)
        if fault == "silent":
            return sent_unconfirmed("The order was sent and the thermostat did not answer.")
        return outcome

    async def turn(
        self,
        port: Port,
        device: VirtualDevice,
        command: SimulateHvacModeAdjusted | SimulateTemperatureReached,
        *,
        is_linked: bool,
    ) -> Outcome:
        """Have somebody turn the knob, or open a window.

        The hub is told of it by a device that answers, while the site is linked; else at the next connect.
        """
        thermostat = device.thermostat
        if thermostat is None:
            return unsupported(_NO_THERMOSTAT)
        before = thermostat.climate
        try:
            if isinstance(command, SimulateHvacModeAdjusted):
                thermostat.put(command.setting)
            else:
                thermostat.warm(command.temperature_celsius)
        except ThermostatError as error:
            return rejected(error.code, error.message)
        thermostat.wake(port.clock.monotonic())
        if thermostat.climate != before:
            failure = await self._notebook.write_down(port)
            if failure is not None:
                return failure
        is_told = is_linked and device.online
        return done("The simulated person did it.", _read(device, thermostat) if is_told else ())

    async def _set(self, port: Port, device: VirtualDevice, thermostat: Thermostat, setting: ClimateSetting) -> Outcome:
        before = thermostat.climate
        if setting:
            try:
                thermostat.put(setting)
            except ThermostatError as error:
                return rejected(error.code, error.message, seen=_read(device, thermostat))
            device.orders += 1
        failure = None if thermostat.climate == before else await self._notebook.write_down(port)
        return failure or done("The thermostat was read back.", _read(device, thermostat))


def _read(device: VirtualDevice, thermostat: Thermostat) -> tuple[ClimateSeen, ...]:
    return (ClimateSeen(native_id=device.native_id, climate=thermostat.climate),)
