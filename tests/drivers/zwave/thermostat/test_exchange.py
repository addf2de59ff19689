import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from hubd_drivers.zwave import climate
from hubd_drivers.zwave.events import MetadataReported, StatusChanged, ValueReported
from hubd_drivers.zwave.facts import STATUS_ASLEEP, ValueId
from hubd_drivers.zwave.failures import CommandError, Kind
from hubd_drivers.zwave.thermostat.exchange import Exchange
from hubd_drivers.zwave.thermostat.targets import Targets, targets

from hubd.model import Climate, ClimateSeen, ClimateSetting, Outcome, OutcomeKind
from tests.drivers.zwave.fakes import FakeLink, FastClock, node, value

MODE, FAN = ValueId(64, 0, "mode"), ValueId(68, 0, "mode")
HEATING, COOLING = ValueId(67, 0, "setpoint", 1), ValueId(67, 0, "setpoint", 2)
SUCCESS, FAIL, WORKING, UNSUPERVISED, INVALID, NO_SUPPORT = 255, 2, 1, 254, 5, 0
FACTS = node(
    4,
    value(64, "mode", 1, states={"0": "Off", "1": "Heat", "2": "Cool", "3": "Auto"}),
    value(67, "setpoint", 20, key=1, unit="°C", min=5, max=30),
    value(67, "setpoint", 25, key=2, unit="°C", min=15, max=35),
    value(68, "mode", 0, states={"0": "Auto", "1": "Low"}),
    value(66, "state", 0),
    value(69, "state", 0),
    value(49, "Air temperature", 21, unit="°C", ccSpecific={"sensorType": 1}),
)
LOST = CommandError(Kind.UNCERTAIN, "no_answer", "It did not answer.")


class Device:
    """A node that answers from its own values. `status` of each set; what is in `keeps` it does not take over."""

    def __init__(
        self, *, status: int = SUCCESS, keeps: tuple[ValueId, ...] = (), silent: tuple[ValueId, ...] = ()
    ) -> None:
        self.values: dict[ValueId, object] = {value_id: one.value for value_id, one in FACTS.values.items()}
        self.status: dict[ValueId, int] = {}
        self.usual = status
        self.keeps = keeps
        self.silent = silent
        self.lags = 0
        """How many questions later it takes over what it was told."""
        self.error: CommandError | None = None
        self.log: list[str] = []
        self.pending: dict[ValueId, object] = {}
        self.link = FakeLink(set_value=self._set, poll_value=self._poll)
        self.exchange = Exchange(
            link=self.link,
            clock=FastClock(),
            facts=FACTS,
            native_id="id",
            capability=climate.capability(FACTS),
            seconds=5.0,
            hold=self._hold,
            let_go=self._let_go,
        )

    async def _hold(self) -> None:
        self.log.append("hold")

    async def _let_go(self) -> None:
        self.log.append("let go")

    def _set(self, *, valueId: Mapping[str, Any], value: object, **_: object) -> object:  # noqa: N803 - the server's name
        value_id = _read(valueId)
        self.log.append(f"set {_name(value_id)}")
        status = self.status.get(value_id, self.usual)
        if status not in {FAIL, INVALID, NO_SUPPORT} and value_id not in self.keeps:
            self.pending[value_id] = value
        # zwave-js shows its expectation, before the result.
        assert self.exchange.note(ValueReported(4, value_id, value)) is False
        return self.error or {"result": {"status": status}}

    def _poll(self, *, valueId: Mapping[str, Any], **_: object) -> object:  # noqa: N803 - the server's name
        value_id = _read(valueId)
        self.log.append(f"get {_name(value_id)}")
        if self.lags == 0:
            self.values |= self.pending
        self.lags = max(0, self.lags - 1)
        return {} if value_id in self.silent else {"value": self.values[value_id]}

    async def put(self, **members: Any) -> Outcome:
        setting = ClimateSetting(**members)
        wanted = targets(setting, FACTS, None)
        assert isinstance(wanted, Targets)
        return await self.exchange.put(setting, wanted)


def _read(raw: Mapping[str, Any]) -> ValueId:
    return ValueId(raw["commandClass"], raw["endpoint"], raw["property"], raw.get("propertyKey"))


def _name(value_id: ValueId) -> str:
    names = {MODE: "mode", HEATING: "heating", COOLING: "cooling", FAN: "fan"}
    return names.get(value_id, f"{value_id.command_class} {value_id.name}")


def told(outcome: Outcome) -> tuple[OutcomeKind, str]:
    return outcome.kind, outcome.code


def held(outcome: Outcome) -> Climate:
    (one,) = outcome.seen
    assert isinstance(one, ClimateSeen)
    return one.climate


async def test_mode_then_set_points_then_fan_and_then_each_is_asked_for_once() -> None:
    device = Device()
    outcome = await device.put(
        hvac_mode="heat_cool", heating_set_point_celsius=22.0, cooling_set_point_celsius=27.0, fan_mode="on"
    )
    assert told(outcome) == (OutcomeKind.DONE, "done")
    assert (held(outcome).hvac_mode, held(outcome).heating_set_point_celsius) == ("heat_cool", 22.0)
    sets = ["set mode", "set cooling", "set heating", "set fan"]
    assert device.log == [*sets, "get mode", "get cooling", "get heating", "let go", "get fan"]


async def test_one_that_does_not_confirm_is_given_time() -> None:
    device = Device(status=UNSUPERVISED)
    device.lags = 1
    outcome = await device.put(heating_set_point_celsius=22.0)
    assert told(outcome) == (OutcomeKind.DONE, "done")
    assert device.log == ["set heating", "let go", "get heating", "hold", "let go", "get heating"]


@pytest.mark.parametrize(("status", "gets"), [(SUCCESS, 1), (UNSUPERVISED, 2), (WORKING, 2)])
async def test_what_it_holds_instead_is_told(status: int, gets: int) -> None:
    device = Device(status=status, keeps=(HEATING,))
    outcome = await device.put(heating_set_point_celsius=22.0)
    assert told(outcome) == (OutcomeKind.REJECTED, "setting_not_taken")
    assert outcome.detail == {"wanted_heating_set_point_celsius": 22.0, "held_heating_set_point_celsius": 20.0}
    assert held(outcome).heating_set_point_celsius == 20.0
    assert device.log.count("get heating") == gets


async def test_what_was_taken_is_told_with_what_was_not() -> None:
    outcome = await Device(keeps=(HEATING,)).put(hvac_mode="heat_cool", heating_set_point_celsius=22.0)
    assert told(outcome) == (OutcomeKind.REJECTED, "setting_not_taken")
    assert (held(outcome).hvac_mode, held(outcome).heating_set_point_celsius) == ("heat_cool", 20.0)


@pytest.mark.parametrize(
    ("status", "end"),
    [
        (FAIL, (OutcomeKind.REJECTED, "device_refused")),
        (INVALID, (OutcomeKind.REJECTED, "invalid_value")),
        (NO_SUPPORT, (OutcomeKind.UNSUPPORTED, "not_supported")),
    ],
)
async def test_a_refusal_ends_it_and_what_it_is_set_to_is_asked(status: int, end: tuple[OutcomeKind, str]) -> None:
    device = Device()
    device.status[HEATING] = status
    outcome = await device.put(hvac_mode="heat", heating_set_point_celsius=22.0, fan_mode="on")
    assert told(outcome) == end
    assert held(outcome).heating_set_point_celsius == 20.0
    assert device.log == ["set mode", "set heating", "get mode", "let go", "get heating"]


async def test_a_refusal_of_what_it_is_set_to_already_is_none() -> None:
    assert told(await Device(status=FAIL).put(heating_set_point_celsius=20.0)) == (OutcomeKind.DONE, "done")
    outcome = await Device(status=FAIL).put(heating_set_point_celsius=20.0, fan_mode="on")
    assert told(outcome) == (OutcomeKind.REJECTED, "device_refused"), "the fan was not set"


async def test_a_refusal_stands_also_if_it_says_no_more() -> None:
    device = Device(status=FAIL, silent=(HEATING,))
    outcome = await device.put(heating_set_point_celsius=22.0)
    assert (told(outcome), outcome.seen) == ((OutcomeKind.REJECTED, "device_refused"), ())


async def test_silence_is_neither() -> None:
    device = Device(silent=(HEATING,))
    outcome = await device.put(hvac_mode="heat_cool", heating_set_point_celsius=22.0, fan_mode="on")
    assert told(outcome) == (OutcomeKind.SENT_UNCONFIRMED, "no_answer")
    assert (held(outcome).hvac_mode, held(outcome).heating_set_point_celsius) == ("heat_cool", 20.0)
    assert "get fan" not in device.log, "one that is silent is not asked more"


async def test_a_server_that_does_not_answer_in_time() -> None:
    device = Device()
    del device.link.answers["poll_value"]
    assert told(await device.put(fan_mode="on")) == (OutcomeKind.SENT_UNCONFIRMED, "no_answer")
    device = Device(status=FAIL)
    del device.link.answers["poll_value"]
    assert told(await device.put(fan_mode="on")) == (OutcomeKind.REJECTED, "device_refused")


async def test_an_error_counts_for_what_had_left_by_then() -> None:
    device = Device()
    device.error = LOST
    with pytest.raises(CommandError):
        await device.put(fan_mode="on")
    device = Device()
    device.link.answers["poll_value"] = LOST
    assert told(await device.put(fan_mode="on")) == (OutcomeKind.SENT_UNCONFIRMED, "no_answer")
    device = Device(status=FAIL)
    device.link.answers["poll_value"] = LOST
    assert told(await device.put(fan_mode="on")) == (OutcomeKind.REJECTED, "device_refused")
    with pytest.raises(CommandError):
        await device.exchange.read()


async def test_one_that_falls_asleep_is_not_waited_for() -> None:
    for answer, code in (("set_value", "device_asleep"), ("poll_value", "device_asleep")):
        device = Device()
        del device.link.answers[answer]
        sleep = StatusChanged(4, STATUS_ASLEEP)
        asyncio.get_running_loop().call_later(0.02, device.exchange.note, sleep)
        async with asyncio.timeout(0.15):
            outcome = await device.put(fan_mode="on")
        assert told(outcome) == (OutcomeKind.SENT_UNCONFIRMED, code)


async def test_its_own_report_ends_the_wait() -> None:
    device = Device(status=UNSUPERVISED)
    report = ValueReported(4, HEATING, 22)
    asyncio.get_running_loop().call_later(0.005, device.exchange.note, report)
    started = asyncio.get_running_loop().time()
    assert told(await device.put(heating_set_point_celsius=22.0)) == (OutcomeKind.DONE, "done")
    assert asyncio.get_running_loop().time() - started < 0.02
    assert device.log.count("get heating") == 1, "it is asked all the same"


async def test_all_that_it_has_is_read_and_of_the_set_points_those_in_use() -> None:
    device = Device()
    outcome = await device.exchange.read()
    assert told(outcome) == (OutcomeKind.DONE, "done")
    gets = ["get mode", "get heating", "get fan", "get 66 state", "get 69 state", "get 49 Air temperature"]
    assert device.log == gets, "it is not let go: it may be set next"


async def test_a_mode_that_is_read_anew_decides_which_set_points_are() -> None:
    device = Device()
    device.values[MODE] = 2
    outcome = await device.exchange.read()
    assert held(outcome).hvac_mode == "cool"
    assert device.log[:2] == ["get mode", "get cooling"]


async def test_a_sensor_that_is_silent_spoils_nothing_and_a_setting_all() -> None:
    outcome = await Device(silent=(ValueId(69, 0, "state"),)).exchange.read()
    assert told(outcome) == (OutcomeKind.DONE, "done")
    device = Device(silent=(HEATING,))
    outcome = await device.exchange.read()
    assert told(outcome) == (OutcomeKind.SENT_UNCONFIRMED, "no_answer")
    assert device.log == ["get mode", "get heating"]


async def test_the_scale_that_it_answers_in_counts() -> None:
    device = Device()
    device.values[HEATING] = 68
    device.exchange.note(MetadataReported(4, HEATING, {"unit": "°F", "min": 41, "max": 86}))
    assert held(await device.exchange.read()).heating_set_point_celsius == 20.0
