"""The thermostats of one life: commands to them, and what zwave-js expects of them meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Final

from msgspec.structs import replace

from hubd.driver import Port
from hubd.model import (
    ClimateCommand,
    ClimateSeen,
    Outcome,
    OutcomeKind,
    ReadClimate,
    Seen,
    SetClimate,
    unreachable,
    unsupported,
)
from hubd_drivers.zwave.controller import ControllerWatch
from hubd_drivers.zwave.device import ZwaveDevice
from hubd_drivers.zwave.events import Event
from hubd_drivers.zwave.facts import ValueId
from hubd_drivers.zwave.failures import CONTROLLER, CONTROLLER_TIMEOUT, CommandError
from hubd_drivers.zwave.link import Link
from hubd_drivers.zwave.orders import failed
from hubd_drivers.zwave.thermostat.exchange import Exchange
from hubd_drivers.zwave.thermostat.targets import Targets, targets
from hubd_drivers.zwave.thermostat.vigil import Vigil

ASLEEP: Final = "The device sleeps and cannot be woken over the air; nothing was sent."
TOGETHER_SECONDS: Final = 3.0
"""Between a report and the next frame of the same burst."""
ASK_SECONDS: Final = 2.0


class Thermostats:
    """Carries out commands to thermostats, one at a time for each, as the hub gives them."""

    def __init__(
        self,
        *,
        link: Link,
        port: Port,
        tasks: asyncio.TaskGroup,
        controller: ControllerWatch,
        seconds: float,
        publish: Callable[[list[Seen]], Awaitable[None]],
    ) -> None:
        self._link = link
        self._port = port
        self._controller = controller
        self._seconds = seconds
        self._publish = publish
        self._vigil = Vigil(link, port, tasks)
        self._under_way: dict[int, Exchange] = {}

    def note(self, event: Event) -> bool:
        """Take in an event at the instant it arrives.

        False: it is no news of the device, but what a command that is under way makes zwave-js expect.
        """
        self._vigil.note(event)
        exchange = self._under_way.get(getattr(event, "node_id", 0))
        return exchange is None or exchange.note(event)

    def met(self, device: ZwaveDevice) -> None:
        """Take in a device that was announced."""
        if device.capability is not None:
            self._vigil.met(device)

    def forget(self, device: ZwaveDevice) -> None:
        """Forget a device that is gone."""
        self._vigil.forget(device.node_id)

    async def execute(self, device: ZwaveDevice, command: ClimateCommand) -> Outcome:
        """Carry out one command."""
        capability = device.capability
        if capability is None:
            return unsupported("The device is no thermostat.", {"capability": "thermostat"})
        if (loss := self._controller.loss) is not None:
            return unreachable(loss.code, loss.message, {"hop": CONTROLLER})
        if not self._vigil.listens(device):
            return unreachable("device_asleep", ASLEEP)
        wanted = Targets()
        if isinstance(command, SetClimate):
            found = targets(command.setting, device.facts, capability.step)
            if isinstance(found, Outcome):
                return found
            wanted = found
        exchange = Exchange(
            link=self._link,
            clock=self._port.clock,
            facts=device.facts,
            native_id=device.native_id,
            capability=capability,
            seconds=self._seconds,
            hold=partial(self._vigil.hold, device),
            let_go=partial(self._vigil.let_go, device),
        )
        return await self._carry_out(exchange, device, command, wanted)

    async def _carry_out(
        self, exchange: Exchange, device: ZwaveDevice, command: ClimateCommand, wanted: Targets
    ) -> Outcome:
        self._under_way[device.node_id] = exchange
        device.changes.hold()
        try:
            await self._vigil.hold(device)
            if isinstance(command, SetClimate):
                outcome = await exchange.put(command.setting, wanted)
            else:
                outcome = await exchange.read()
        except CommandError as error:
            outcome = await self._failed(error, device, command)
        finally:
            self._under_way.pop(device.node_id, None)
            self._vigil.end(device)
            device.read_back(exchange.answers)
        await self._publish(await self.flush([device]))
        return outcome

    async def flush(self, devices: Iterable[ZwaveDevice]) -> list[Seen]:
        """Return what has waited long enough, with what zwave-js tells of who caused it."""
        told: list[Seen] = []
        for device in devices:
            settings = device.changes.settings
            for one in device.flush(self._port.clock.monotonic()):
                is_other = isinstance(one, ClimateSeen) and await self._is_of_another(device, settings)
                told.append(replace(one, source="controller") if is_other else one)
        return told

    async def _is_of_another(self, device: ZwaveDevice, settings: Iterable[ValueId]) -> bool:
        """Tell whether another program of zwave-js has changed a setting, and not the device.

        zwave-js takes over what a program sets. Unless the device confirmed it, it leaves the time at which it heard
        the value as it was, which then lies before the time at which it heard the device.
        """
        heard_at = device.heard_at
        if heard_at is None:
            return False
        try:
            async with self._port.clock.timeout(ASK_SECONDS):
                times = [await self._link.measured_at(device.node_id, value_id) for value_id in settings]
        except (TimeoutError, CommandError):
            return False
        return any(at is not None and heard_at.timestamp() - at > TOGETHER_SECONDS for at in times)

    async def _failed(self, error: CommandError, device: ZwaveDevice, command: ClimateCommand) -> Outcome:
        is_lost = error.suspect and not await self._controller.check()
        outcome = failed(error, device.node_id)
        if is_lost and (loss := self._controller.loss) is not None:
            outcome = unreachable(loss.code, loss.message, {"hop": CONTROLLER, "zwave_error": error.number})
        is_open = not isinstance(command, ReadClimate) and (is_lost or error.number == CONTROLLER_TIMEOUT)
        if is_open and outcome.kind is OutcomeKind.UNREACHABLE:
            # The stick had it when it went, or went silent, and may have sent it: the thermostat has to be read.
            return replace(outcome, kind=OutcomeKind.SENT_UNCONFIRMED)
        return outcome
