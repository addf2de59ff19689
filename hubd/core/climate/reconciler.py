"""Brings every thermostat to what is in force: wakes on change, on time and on what devices say.

One exchange at a time with a device, each planned on what is durable when its turn has come, behind the orders and the
access codes that are due on the same radio. A device that sleeps, or cannot be reached, is told only what is in force
when it answers again, and what was wished in between never.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, tzinfo
from functools import partial
from math import inf
from typing import Final, NamedTuple

from hubd.core.climate import rules
from hubd.core.climate.plan import Plan, Step, plan
from hubd.core.climate.readings import Doing, Reader
from hubd.core.climate.story import take
from hubd.core.dispatcher import Dispatcher, Errand
from hubd.core.lanes import Priority
from hubd.core.pauses import pause
from hubd.core.sense import Sense
from hubd.core.watch import Watch
from hubd.driver.clock import Clock
from hubd.model.capability import ThermostatCapability
from hubd.model.climate import ClimateSetting
from hubd.model.command import ReadClimate, SetClimate
from hubd.model.errors import StoreError
from hubd.model.outcome import Outcome, OutcomeKind, rejected
from hubd.model.seen import ClimateSeen
from hubd.model.state import Climate
from hubd.store.climate import Override, ThermostatRecord
from hubd.store.journal import Journal
from hubd.store.records import DeviceRecord
from hubd.store.tables import Tables, View

LOG = logging.getLogger(__name__)

EXCHANGE_SECONDS: Final = 15.0
STORE_PAUSE: Final = 5.0
READ_SECONDS: Final = 3600.0
"""A thermostat that said nothing for so long is asked how it stands."""
ECHO_SECONDS: Final = 5.0
"""How long after a command other settings that change are taken for its side effects."""
ASLEEP: Final = "device_asleep"
_GONE: Final = {OutcomeKind.UNREACHABLE, OutcomeKind.EXPIRED}
_REFUSED: Final = {OutcomeKind.REJECTED, OutcomeKind.UNSUPPORTED}


class _Device:
    """What is remembered of one thermostat. Nothing here outlives the process."""

    def __init__(self, device_id: str, now: float) -> None:
        self.device_id = device_id
        self.task: asyncio.Task[None] | None = None
        self.is_busy = False
        """It is being set."""
        self.echo_until = 0.0
        """On the monotonic clock, as all here: until then, other settings that change are side effects."""
        self.rests_until = 0.0
        self.failures = 0
        self.is_up = False
        self.is_fresh = False
        """It said how it stands since it was last out of reach."""
        self.is_unsure = False
        """It is not known what the last command did."""
        self.sent = ClimateSetting()
        """What it was sent and did not answer to: should it be set so later, that was the hub."""
        self.is_heard = False
        """It answers again, after it did not."""
        self.heard_at = now
        self.wake_at: datetime | None = None
        self.alarm = 0.0


class _Exchange(NamedTuple):
    """One command on its way."""

    device: DeviceRecord
    command: SetClimate | ReadClimate
    override: Override | None
    """The one that stood when it was sent: what the device says to it is no word on a later one."""
    wanted: ClimateSetting
    """All that was in force then."""


class Reconciler:
    """One task that watches, and one for each thermostat that has something to be done."""

    def __init__(
        self,
        *,
        journal: Journal,
        dispatcher: Dispatcher,
        clock: Clock,
        sense: Sense,
        group: asyncio.TaskGroup,
        is_reachable: Callable[[DeviceRecord], bool],
        zone: Callable[[], tzinfo],
    ) -> None:
        self._journal = journal
        self._dispatcher = dispatcher
        self._clock = clock
        self._sense = sense
        self._group = group
        self._is_reachable = is_reachable
        self._zone = zone
        self._devices: dict[str, _Device] = {}
        self._watch = Watch(clock)

    # -- being told ----------------------------------------------------------------------------------------------------

    def touch(self, device_id: str) -> None:
        """Look at a thermostat: something about it, or about what is wished of it, has changed."""
        self._watch.touch(device_id)

    def touch_all(self) -> None:
        """Look at every thermostat: the time, or a hop, has changed."""
        for device_id, record in self._journal.tables.devices.items():
            if record.device.description.capabilities.thermostat is not None:
                self._watch.touch(device_id)

    def heard(self, device_id: str, *, has_told: bool) -> None:
        """A thermostat answers: it need not rest any longer. `has_told`: it said how it stands."""
        known = self._devices.get(device_id)
        if known is None:
            return
        if known.failures:
            known.is_heard = True
        known.rests_until, known.failures = 0.0, 0
        if has_told:
            known.heard_at, known.is_fresh = self._clock.monotonic(), True
            known.is_unsure = False
            known.sent = self._not_seen(device_id, known.sent)
        self.touch(device_id)

    def _not_seen(self, device_id: str, sent: ClimateSetting) -> ClimateSetting:
        """Return what a device that says how it stands may still come to be set to late; the rest was it already."""
        device = self._journal.tables.devices[device_id]
        capability = device.device.description.capabilities.thermostat
        return sent if capability is None else sent.missing(device.state.climate, capability)

    def lost(self, device_id: str) -> None:
        """A thermostat is out of reach: how it then stands is not known before it says so."""
        known = self._devices.get(device_id)
        if known is not None:
            known.is_fresh = False
            self.touch(device_id)

    def reader(
        self, view: View, device: DeviceRecord, capability: ThermostatCapability, *, is_answer: bool = False
    ) -> Reader:
        """Return who takes in, within a transaction, what a thermostat says."""
        known = self._devices.get(device.device.device_id)
        is_echo = known is not None and self._clock.monotonic() < known.echo_until
        is_busy = known is not None and known.is_busy
        sent = ClimateSetting() if known is None else known.sent
        now, zone = self._sense.now(), self._zone()
        return Reader(view, device, capability, now, zone, Doing(is_busy, is_echo, is_answer, sent))

    async def drain(self, seconds: float) -> None:
        """Give the exchanges that are under way a little time; the dispatcher takes no new ones."""
        tasks = [one.task for one in self._devices.values() if one.task is not None and one.is_busy]
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)

    # -- what is shown -------------------------------------------------------------------------------------------------

    def plan_of(self, device: DeviceRecord) -> Plan:
        """Return what is to be done about a thermostat as things are; nothing for what is not one."""
        capability = device.device.description.capabilities.thermostat
        if capability is None:
            return Plan()
        record = self._journal.tables.thermostat(device.device.device_id)
        return plan(record, device.state.climate, capability, self._sense.now().at)

    # -- watching ------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Live until cancelled."""
        self.touch_all()
        await self._watch.run(self._consider, self._waits)

    def _waits(self) -> list[tuple[str, float]]:
        """Return the thermostats, with the seconds until each is to be looked at."""
        now, monotonic = self._sense.now().at, self._clock.monotonic()
        return [(one.device_id, _wait(one, now, monotonic)) for one in self._devices.values()]

    async def _consider(self, device_id: str) -> None:
        """Do what time does to a thermostat, plan it, and have its task begun."""
        device = self._journal.tables.devices.get(device_id)
        capability = None if device is None else device.device.description.capabilities.thermostat
        if device is not None:
            await self._dismiss(device)
        if device is None or capability is None or device.removed_at is not None:
            if (gone := self._devices.get(device_id)) is not None and gone.task is None:
                del self._devices[device_id]
            return
        known = self._devices.setdefault(device_id, _Device(device_id, self._clock.monotonic()))
        try:
            await self._let_time_pass(device, capability)
        except StoreError as error:
            LOG.warning("what time has done to thermostats is not recorded: %s", error.message)
            known.rests_until = self._clock.monotonic() + STORE_PAUSE
        self._look_ahead(known, device)
        if known.task is None and self._step(known, device) is not None:
            known.task = self._group.create_task(self._serve(known), name=f"thermostat-{device_id}")

    async def _dismiss(self, device: DeviceRecord) -> None:
        """End the calls that wait for a device that the hub does not set any more."""
        device_id, is_gone = device.device.device_id, device.removed_at is not None
        if (device.is_managed and not is_gone) or not self._journal.tables.thermostat(device_id).pending:
            return
        message = "The device was removed" if is_gone else "The device is not managed by the hub any more"

        def end(view: View) -> None:
            message_ = f"{message}; it was not as asked before."
            take(view, view.device(device_id) or device, rules.dismiss(view.thermostat(device_id), message_))

        try:
            await self._journal.transact(end)
        except StoreError as error:
            LOG.warning("calls to a thermostat that is gone have not ended yet: %s", error.message)

    def passed(self, view: View | Tables, device: DeviceRecord) -> rules.Turn:
        """Return what time makes of a thermostat by now; nothing is written."""
        device_id, instant = device.device.device_id, self._sense.now()
        record, schedules = view.thermostat(device_id), view.schedules_of(device_id)
        is_moving = device.is_managed and instant.is_trusted
        return rules.pass_time(record, schedules, instant.at, self._zone(), is_trusted=is_moving)

    async def _let_time_pass(self, device: DeviceRecord, capability: ThermostatCapability) -> None:
        device_id = device.device.device_id

        def heard(record: ThermostatRecord, climate: Climate | None) -> rules.Turn:
            known = self._devices[device_id]
            is_sure = known.is_fresh and not known.is_unsure and not record.pending
            is_sure = is_sure and rules.is_proof(record, known.sent)
            if climate is None or not is_sure or not self._may_serve(known, device):
                return rules.Turn(record)
            return rules.hear(record, climate, capability)

        def apply(view: View) -> None:
            current = view.device(device_id) or device
            take(view, current, self.passed(view, current))
            take(view, current, heard(view.thermostat(device_id), current.state.climate))

        tables = self._journal.tables
        after = heard(self.passed(tables, device).record, device.state.climate).record
        if device.is_managed and after != tables.thermostat(device_id):
            await self._journal.transact(apply)

    def _look_ahead(self, known: _Device, device: DeviceRecord) -> None:
        tables, instant, now = self._journal.tables, self._sense.now(), self._clock.monotonic()
        record, schedules = tables.thermostat(known.device_id), tables.schedules_of(known.device_id)
        times = [rules.wake_at(record, schedules, instant.at, self._zone())] if instant.is_trusted else []
        if record.trouble is not None:
            times.append(record.trouble.retry_at)
        known.wake_at = min((at for at in times if at is not None and at > instant.at), default=None)
        was_up, known.is_up = known.is_up, self._is_reachable(device)
        known.is_fresh = known.is_fresh and known.is_up
        if known.is_up and not was_up:
            known.rests_until, known.failures, known.is_heard = 0.0, 0, True
        known.alarm = known.rests_until
        if now >= known.rests_until:
            known.alarm = known.heard_at + READ_SECONDS if self._may_serve(known, device) else inf

    def _may_serve(self, known: _Device, device: DeviceRecord) -> bool:
        is_rested = self._clock.monotonic() >= known.rests_until
        is_up = device.is_managed and self._is_reachable(device)
        return is_rested and is_up and not self._dispatcher.is_closing

    def _step(self, known: _Device, device: DeviceRecord, view: View | None = None) -> Step | None:
        """Return what is due, if it may be done now."""
        capability = device.device.description.capabilities.thermostat
        if capability is None or not self._may_serve(known, device):
            return None
        tables = self._journal.tables if view is None else view
        record = tables.thermostat(known.device_id)
        at = self._sense.now().at
        climate = device.state.climate
        made = plan(record, climate, capability, at, is_unsure=known.is_unsure, is_heard=known.is_heard)
        if made.step is None and self._clock.monotonic() >= known.heard_at + READ_SECONDS:
            return Step(Priority.SWEEP)
        return made.step

    # -- serving one thermostat ----------------------------------------------------------------------------------------

    async def _serve(self, known: _Device) -> None:
        """Take steps until nothing is due."""
        try:
            while True:
                device = self._journal.tables.devices[known.device_id]
                self._look_ahead(known, device)
                step = self._step(known, device)
                if step is None:
                    return
                await self._turn(known, device.device.instance, step.rank)
        finally:
            known.task = None
            self._watch.touch()

    async def _turn(self, known: _Device, instance: str, rank: Priority) -> None:
        errand = Errand()
        self._dispatcher.queue(instance, known.device_id, errand, rank)
        try:
            await errand.turn.wait()
            await self._exchange(known, instance)
        finally:
            known.is_busy = False
            if not self._dispatcher.withdraw(instance, known.device_id, errand):
                self._dispatcher.end(instance, known.device_id)

    async def _exchange(self, known: _Device, instance: str) -> None:
        device = self._journal.tables.devices[known.device_id]
        step = self._step(known, device)  # what is durable now, and not what it was when it began to wait
        if step is None or device.device.instance != instance:
            return
        names = {"device_id": known.device_id, "native_id": device.device.description.native_id}
        command = SetClimate(**names, setting=step.setting) if step.setting else ReadClimate(**names)
        record = self._journal.tables.thermostat(known.device_id)
        exchange = _Exchange(device, command, record.override, record.in_force)
        known.is_busy, known.is_heard = isinstance(command, SetClimate), False
        before = known.sent
        if isinstance(command, SetClimate):
            known.sent = command.setting.over(before)
        outcome = await self._dispatcher.ask(instance, command, EXCHANGE_SECONDS)
        self._judge(known, command, outcome)
        await self._finish(exchange, outcome)
        is_applied = self._journal.tables.thermostat(known.device_id).is_applied
        if outcome.kind in _GONE:
            known.sent = before
        elif is_applied or outcome.kind is not OutcomeKind.SENT_UNCONFIRMED:
            known.sent = ClimateSetting()

    def _judge(self, known: _Device, command: SetClimate | ReadClimate, outcome: Outcome) -> None:
        now, is_done = self._clock.monotonic(), outcome.kind is OutcomeKind.DONE
        is_set = isinstance(command, SetClimate)
        if is_set:
            known.echo_until = now + ECHO_SECONDS
        if outcome.kind in _GONE or not (is_set or is_done):
            known.failures += 1
            known.rests_until = now + pause(known.failures).total_seconds()
            return
        known.failures, known.heard_at = 0, now
        known.is_fresh = known.is_fresh or is_done
        known.is_unsure = is_set and outcome.kind is OutcomeKind.SENT_UNCONFIRMED

    async def _finish(self, exchange: "_Exchange", outcome: Outcome) -> None:
        while True:
            try:
                await self._journal.transact(partial(self._end, exchange=exchange, outcome=outcome))
                break
            except StoreError as error:
                LOG.error("the end of a change of a thermostat is not recorded yet: %s", error.message)  # noqa: TRY400
                await self._clock.sleep(STORE_PAUSE)

    def _end(self, view: View, exchange: "_Exchange", outcome: Outcome) -> None:
        device_id, command = exchange.device.device.device_id, exchange.command
        capability = exchange.device.device.description.capabilities.thermostat
        current = view.device(device_id)
        if capability is None or current is None or current.device != exchange.device.device:
            return  # another device has taken its place meanwhile, or it describes itself anew
        for seen in outcome.seen:
            if isinstance(seen, ClimateSeen):
                self.reader(view, current, capability, is_answer=True).read(seen)
        current, record, is_taken = view.device(device_id) or current, view.thermostat(device_id), False
        is_other = record.override != exchange.override
        if record.is_applied or is_other or outcome.code == ASLEEP:
            return
        if outcome.kind is OutcomeKind.DONE:
            if isinstance(command, ReadClimate):
                return
            is_taken = not command.setting.missing(current.state.climate, capability)
            if is_taken and record.in_force != exchange.wanted:
                return  # another plan came meanwhile
            outcome = rejected("setting_not_taken", "The device confirmed the setting, and is set to something else.")
        is_final = outcome.kind in _REFUSED and not is_taken  # who took it and moved something else may yet settle
        turn = rules.failed(record, outcome.code, outcome.message, self._sense.now().at, is_final=is_final)
        take(view, current, turn)


def _wait(known: _Device, now: datetime, monotonic: float) -> float:
    """Return in how many seconds a thermostat is to be looked at; one that is being served says so itself."""
    if known.task is not None:
        return inf
    waits = [known.alarm - monotonic]
    if known.wake_at is not None:
        waits.append((known.wake_at - now).total_seconds())
    return min(waits)
