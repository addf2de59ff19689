"""What the keeper does of itself, on a scripted server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hubd_drivers.zwave.controller import ControllerWatch
from hubd_drivers.zwave.device import ZwaveDevice
from hubd_drivers.zwave.events import ValueReported
from hubd_drivers.zwave.facts import ValueId
from hubd_drivers.zwave.failures import CommandError, Kind, controller_error
from hubd_drivers.zwave.thermostat.keeper import Thermostats

from hubd.driver.contract import RecordingPort
from hubd.model import ClimateSeen, ClimateSetting, Outcome, OutcomeKind, ReadClimate, SetClimate
from tests.drivers.zwave.fakes import HOME_ID, FakeLink, FastClock, lock_node, node, value

HEATING = ValueId(67, 0, "setpoint", 1)
GONE = CommandError(Kind.UNREACHABLE, "controller_lost", "zwave-js cannot use its controller.", 100, suspect=True)
HEARD_AT = 1_795_348_800.0
AT = {"device_id": "d", "native_id": "id"}


class Site:
    def __init__(self, tasks: asyncio.TaskGroup, **answers: Any) -> None:
        scripted = {"set_value": {"result": {"status": 255}}, "poll_value": {"value": 22}}
        self.link = FakeLink(**{"is_failed_node": {"failed": False}, **scripted, **answers})
        self.port = RecordingPort(clock=FastClock())
        self.keeper = Thermostats(
            link=self.link,
            port=self.port,
            tasks=tasks,
            controller=ControllerWatch(self.link, self.port, 4.0),
            seconds=5.0,
            publish=lambda seen: self.port.publish(*seen),
        )
        facts = node(4, value(67, "setpoint", 20, key=1, unit="°C"), lastSeen="2026-11-22T12:00:00Z")
        self.device = ZwaveDevice(facts, "id", HOME_ID, None, 0.7)
        self.device.first_readings(trust_bolt=True)
        self.device.heard(facts.statistics.heard_at)

    async def set(self) -> Outcome:
        command = SetClimate(**AT, setting=ClimateSetting(heating_set_point_celsius=22.0))
        return await self.keeper.execute(self.device, command)

    async def read(self) -> Outcome:
        return await self.keeper.execute(self.device, ReadClimate(**AT))


@asynccontextmanager
async def site(**answers: Any) -> AsyncIterator[Site]:
    async with asyncio.TaskGroup() as tasks:
        yield Site(tasks, **answers)


async def test_what_is_no_thermostat_is_not_set() -> None:
    async with site() as s:
        s.device = ZwaveDevice(lock_node(2), "id", HOME_ID, None, 0.7)
        assert (await s.set()).kind is OutcomeKind.UNSUPPORTED
        assert s.link.sent == []


async def test_nothing_is_sent_without_a_controller() -> None:
    async with site() as s:
        s.link.controller_loss = controller_error("controller_lost", "It is gone.")
        outcome = await s.set()
        assert (outcome.kind, outcome.code) == (OutcomeKind.UNREACHABLE, "controller_lost")
        assert s.link.sent == []


@pytest.mark.parametrize(("is_set", "kind"), [(True, OutcomeKind.SENT_UNCONFIRMED), (False, OutcomeKind.UNREACHABLE)])
async def test_a_stick_that_goes_meanwhile(is_set: bool, kind: OutcomeKind) -> None:  # noqa: FBT001 - of the test
    async with site(set_value=GONE, poll_value=GONE, is_failed_node=GONE) as s:
        outcome = await (s.set() if is_set else s.read())
        assert (outcome.kind, outcome.code) == (kind, "controller_lost")


async def test_a_device_that_is_not_there() -> None:
    dead = CommandError(Kind.UNCERTAIN, "device_unreachable", "It does not acknowledge.", 204)
    async with site(set_value=dead) as s:
        outcome = await s.set()
        assert (outcome.kind, outcome.code) == (OutcomeKind.SENT_UNCONFIRMED, "device_unreachable")
        assert s.link.count("set_value") == 1
        assert s.link.count("poll_value") == 0


async def test_what_zwave_js_expects_of_a_command_is_no_news() -> None:
    async with site() as s:

        def obeys(**_: object) -> object:
            assert s.keeper.note(ValueReported(4, HEATING, 22)) is False
            assert s.keeper.note(ValueReported(5, HEATING, 22))
            assert s.keeper.note(ValueReported(4, ValueId(49, 0, "Air temperature"), 22))
            return {"result": {"status": 255}}

        s.link.answers["set_value"] = obeys
        assert (await s.set()).kind is OutcomeKind.DONE
        assert s.keeper.note(ValueReported(4, HEATING, 22))
        assert s.device.facts.get(HEATING) == 22
        assert s.port.seen == []


async def test_what_it_reported_of_a_command_without_an_answer_is_told() -> None:
    async with site(poll_value={}) as s:
        s.device.value(ValueReported(4, HEATING, 21), 0.0, 1)
        await asyncio.sleep(0.1)
        outcome = await s.set()
        assert (outcome.kind, outcome.seen) == (OutcomeKind.SENT_UNCONFIRMED, ())
        (one,) = s.port.seen
        assert isinstance(one, ClimateSeen)
        assert one.climate.heating_set_point_celsius == 21.0


@pytest.mark.parametrize(
    ("timestamp", "source"),
    [
        (HEARD_AT - 60, "controller"),  # the node was heard since, and it said nothing of the value
        (HEARD_AT - 1, None),
        (HEARD_AT, None),
        (HEARD_AT + 5, None),
        (None, None),
        (CommandError(Kind.UNCERTAIN, "no_answer", "It did not answer."), None),
    ],
)
async def test_a_value_that_the_node_has_not_said_is_another_program_s(timestamp: Any, source: str | None) -> None:
    answer = timestamp if isinstance(timestamp, CommandError) or timestamp is None else int(timestamp * 1000)
    told = answer if isinstance(answer, CommandError) else {"timestamp": answer}
    async with site(get_value_timestamp=told) as s:
        s.device.value(ValueReported(4, HEATING, 22), s.port.clock.monotonic() - 9.0, 1)
        (one,) = await s.keeper.flush([s.device])
        assert isinstance(one, ClimateSeen)
        assert one.source == source


async def test_a_measurement_has_no_author() -> None:
    async with site() as s:
        s.device.value(ValueReported(4, ValueId(66, 0, "state"), 1), s.port.clock.monotonic() - 9.0, 1)
        (one,) = await s.keeper.flush([s.device])
        assert isinstance(one, ClimateSeen)
        assert (one.climate.is_heating, one.source, s.link.sent) == (True, None, [])
