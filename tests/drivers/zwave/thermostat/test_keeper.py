"""Thermostats on the real zwave-js-server and an emulated stick: truth, cost on the radio, sleepers, other programs."""

import asyncio
from typing import Any

import pytest

from hubd.model import FanMode, HvacMode, OutcomeKind
from tests.drivers.zwave.thermostat.valves import FAHRENHEIT, MAINS, VALVE, Site, falls_asleep, native, seen
from tests.sims.zwave.watcher import connected

pytestmark = pytest.mark.node

SETPOINT = 67
HEATING, COOLING, ENERGY_SAVE = 1, 2, 11
NO_ACK_ATTEMPTS = 3


async def only(h: Site, node: int, **frames: int) -> None:
    """Exactly these commands reached the thermostat, and no frame besides."""
    assert await h.frames(node) == frames
    assert await h.on_air(node) == sum(frames.values())


@pytest.mark.parametrize(
    ("node", "mode", "raw"),
    [
        (MAINS, "off", 0),
        (MAINS, "heat", 1),
        (MAINS, "cool", 2),
        (MAINS, "heat_cool", 3),
        (FAHRENHEIT, "off", 0),
        (FAHRENHEIT, "heat", 1),
        (FAHRENHEIT, "heat_cool", 3),
    ],
)
async def test_each_mode(h: Site, node: int, mode: HvacMode, raw: int) -> None:
    outcome = await h.set(node, hvac_mode=mode)
    assert (outcome.kind, seen(outcome).hvac_mode) == (OutcomeKind.DONE, mode)
    assert (await h.truth(node))["mode"] == raw
    await only(h, node, ModeSet=1, ModeGet=1)


@pytest.mark.parametrize(("fan", "raw"), [("auto", 0), ("on", 1), ("circulate", 6)])
async def test_each_fan_mode(h: Site, fan: FanMode, raw: int) -> None:
    for node in (MAINS, FAHRENHEIT):
        outcome = await h.set(node, fan_mode=fan)
        assert (outcome.kind, seen(outcome).fan_mode) == (OutcomeKind.DONE, fan)
        assert (await h.truth(node))["fanMode"] == raw
        await only(h, node, FanModeSet=1, FanModeGet=1)


async def test_a_whole_setting_costs_one_set_and_one_get_for_each_member(h: Site) -> None:
    wanted: dict[str, Any] = {"hvac_mode": "heat_cool", "fan_mode": "on"}
    wanted |= {"heating_set_point_celsius": 21.5, "cooling_set_point_celsius": 26.0}
    outcome = await h.set(MAINS, **wanted)
    climate = seen(outcome)
    assert outcome.kind is OutcomeKind.DONE
    assert {name: getattr(climate, name) for name in wanted} == wanted
    assert (climate.temperature_celsius, climate.relative_humidity) == (21.5, 0.44), "it is the whole condition"
    assert await h.truth(MAINS) == {"mode": 3, "fanMode": 1, "setpoints": {HEATING: 21.5, COOLING: 26}}
    await only(h, MAINS, ModeSet=1, SetpointSet=2, FanModeSet=1, ModeGet=1, SetpointGet=2, FanModeGet=1)
    assert await h.told(MAINS) == [], "the outcome has told it"


async def test_only_what_is_given_is_set(h: Site) -> None:
    assert (await h.set(MAINS, cooling_set_point_celsius=27.5)).kind is OutcomeKind.DONE
    assert await h.truth(MAINS) == {"mode": 1, "fanMode": 0, "setpoints": {HEATING: 20, COOLING: 27.5}}
    await only(h, MAINS, SetpointSet=1, SetpointGet=1)


async def test_a_device_that_counts_in_fahrenheit_gets_its_own_whole_degrees(h: Site) -> None:
    capability = h.port.devices[native(FAHRENHEIT)].capabilities.thermostat
    assert capability is not None
    assert (capability.scale, capability.step) == ("fahrenheit", 1.0)
    outcome = await h.set(FAHRENHEIT, heating_set_point_celsius=21.3)
    assert (outcome.kind, seen(outcome).heating_set_point_celsius) == (OutcomeKind.DONE, 21.11)
    assert (await h.truth(FAHRENHEIT))["setpoints"] == {HEATING: 70, COOLING: 77}
    await only(h, FAHRENHEIT, SetpointSet=1, SetpointGet=1)
    assert await h.told(FAHRENHEIT) == []
    await only(h, FAHRENHEIT)  # zwave-js has not asked again to verify it


async def test_all_is_asked_for_with_one_get_each(h: Site) -> None:
    for change in ({"mode": 3}, {"setpoint": {"type": HEATING, "value": 18}}, {"opState": 1}, {"fanMode": 6}):
        await h.network.op("thermostat", node=MAINS, report=False, **change)
    outcome = await h.read(MAINS)
    climate = seen(outcome)
    assert outcome.kind is OutcomeKind.DONE
    assert (climate.hvac_mode, climate.fan_mode, climate.is_heating) == ("heat_cool", "circulate", True)
    assert (climate.heating_set_point_celsius, climate.cooling_set_point_celsius) == (18.0, 25.0)
    gets = {"ModeGet": 1, "SetpointGet": 2, "FanModeGet": 1, "OperatingStateGet": 1, "MultilevelSensorGet": 2}
    await only(h, MAINS, **gets)
    assert (await h.read(FAHRENHEIT)).kind is OutcomeKind.DONE
    await only(h, FAHRENHEIT, ModeGet=1, SetpointGet=1, FanModeGet=1)  # in heat, the cooling set-point is not in use


@pytest.mark.parametrize(
    ("node", "members", "code"),
    [
        (MAINS, {"heating_set_point_celsius": 30.5}, "set_point_out_of_range"),
        (MAINS, {"cooling_set_point_celsius": 14.0}, "set_point_out_of_range"),
        (FAHRENHEIT, {"heating_set_point_celsius": 4.0}, "set_point_out_of_range"),
        (MAINS, {"hvac_mode": "eco"}, "not_supported"),
    ],
)
async def test_what_it_cannot_be_set_to_is_not_sent(h: Site, node: int, members: dict[str, Any], code: str) -> None:
    outcome = await h.set(node, **members)
    assert outcome.code == code
    assert outcome.kind in {OutcomeKind.REJECTED, OutcomeKind.UNSUPPORTED}
    await only(h, node)


async def test_a_thermostat_that_refuses(h: Site) -> None:
    await h.network.op("faults", node=MAINS, rejectSets=True)
    outcome = await h.set(MAINS, heating_set_point_celsius=22.0, fan_mode="on")
    assert (outcome.kind, outcome.code) == (OutcomeKind.REJECTED, "device_refused")
    assert seen(outcome).heating_set_point_celsius == 20.0
    await only(h, MAINS, SetpointSet=1, SetpointGet=1)  # and the fan is left alone


async def test_a_thermostat_that_says_nothing_and_keeps_what_it_has(h: Site) -> None:
    await h.network.op("faults", node=FAHRENHEIT, rejectSets=True)
    outcome = await h.set(FAHRENHEIT, heating_set_point_celsius=22.0)
    assert (outcome.kind, outcome.code) == (OutcomeKind.REJECTED, "setting_not_taken")
    assert outcome.detail["held_heating_set_point_celsius"] == 20.0
    assert seen(outcome).heating_set_point_celsius == 20.0
    await only(h, FAHRENHEIT, SetpointSet=1, SetpointGet=2)
    assert await h.told(FAHRENHEIT) == [], "what zwave-js expected is nobody's business"


async def test_a_thermostat_that_confirms_and_keeps_what_it_has(h: Site) -> None:
    await h.network.op("faults", node=MAINS, keepsOld=[SETPOINT])
    outcome = await h.set(MAINS, hvac_mode="cool", cooling_set_point_celsius=23.0)
    assert (outcome.kind, outcome.code) == (OutcomeKind.REJECTED, "setting_not_taken")
    assert (seen(outcome).hvac_mode, seen(outcome).cooling_set_point_celsius) == ("cool", 25.0)
    assert "cooling set point" in outcome.message
    await only(h, MAINS, ModeSet=1, SetpointSet=1, ModeGet=1, SetpointGet=1)
    assert await h.told(MAINS) == []


async def test_a_thermostat_that_is_slow(h: Site) -> None:
    await h.network.op("faults", node=FAHRENHEIT, takesLate=900)
    outcome = await h.set(FAHRENHEIT, heating_set_point_celsius=22.22)
    assert (outcome.kind, seen(outcome).heating_set_point_celsius) == (OutcomeKind.DONE, 22.22)
    await only(h, FAHRENHEIT, SetpointSet=1, SetpointGet=2)


@pytest.mark.parametrize(("step", "code", "held"), [(0.5, "done", 21.5), (2.0, "setting_not_taken", 22.0)])
async def test_a_thermostat_that_rounds(h: Site, step: float, code: str, held: float) -> None:
    await h.network.op("habits", node=MAINS, step=step)
    outcome = await h.set(MAINS, heating_set_point_celsius=21.3)
    assert (outcome.code, seen(outcome).heating_set_point_celsius) == (code, held)


async def test_a_thermostat_that_does_not_answer(h: Site) -> None:
    await h.network.op("faults", node=MAINS, ignoreGets=True)
    outcome = await h.set(MAINS, heating_set_point_celsius=22.0)
    assert (outcome.kind, outcome.code, outcome.seen) == (OutcomeKind.SENT_UNCONFIRMED, "no_answer", ())
    assert (await h.truth(MAINS))["setpoints"][HEATING] == 22
    await only(h, MAINS, SetpointSet=1, SetpointGet=1)
    assert await h.told(MAINS) == [], "that it confirmed is no proof"
    outcome = await h.read(MAINS)
    assert (outcome.kind, outcome.code, outcome.seen) == (OutcomeKind.SENT_UNCONFIRMED, "no_answer", ())
    await only(h, MAINS, ModeGet=1)


async def test_set_points_never_come_too_close_on_the_way(h: Site) -> None:
    await h.set(MAINS, hvac_mode="heat_cool", heating_set_point_celsius=20.0, cooling_set_point_celsius=22.0)
    await h.network.op("habits", node=MAINS, minDelta=2)
    for heating, cooling in ((26.0, 28.0), (17.0, 19.0)):
        outcome = await h.set(MAINS, heating_set_point_celsius=heating, cooling_set_point_celsius=cooling)
        assert outcome.kind is OutcomeKind.DONE, outcome
        assert (await h.truth(MAINS))["setpoints"] == {HEATING: heating, COOLING: cooling}


async def test_set_points_that_a_mode_brings_along_are_followed(h: Site) -> None:
    await h.network.op("habits", node=MAINS, pointsOf={"2": {"1": 16, "2": 23.5}})
    outcome = await h.set(MAINS, hvac_mode="cool")
    assert outcome.kind is OutcomeKind.DONE
    told = [seen(outcome), *(one.climate for one in await h.told(MAINS))]
    assert (told[-1].heating_set_point_celsius, told[-1].cooling_set_point_celsius) == (16.0, 23.5)


async def test_a_turn_of_the_knob_is_one_reading(h: Site) -> None:
    await h.network.op("thermostat", node=MAINS, mode=2, setpoint={"type": COOLING, "value": 22}, opState=2, fanMode=1)
    (one,) = await h.told(MAINS, 1)
    assert (one.climate.hvac_mode, one.climate.cooling_set_point_celsius) == ("cool", 22.0)
    assert (one.climate.is_cooling, one.climate.fan_mode, one.source) == (True, "on", None)


@pytest.mark.parametrize(
    ("node", "raw", "celsius", "source"),
    # Of a thermostat that confirms, zwave-js tells nobody who has set it.
    [(FAHRENHEIT, 72, 22.22, "controller"), (MAINS, 23, 23.0, None)],
)
async def test_another_program_is_told_apart(h: Site, node: int, raw: float, celsius: float, source: str) -> None:
    await asyncio.sleep(3.5)  # the last word on the set-point is then not of the same breath
    async with connected(h.network.url) as other:
        await other.nodes[node].async_set_value(f"{node}-{SETPOINT}-0-setpoint-{HEATING}", raw)
        (one,) = await h.told(node, 1)
    assert (one.climate.heating_set_point_celsius, one.source) == (celsius, source)
    await h.network.op("thermostat", node=node, setpoint={"type": HEATING, "value": raw - 1})
    (one,) = await h.told(node, 1)
    assert one.source is None, "the knob is not the program's doing"
    assert (await h.set(node, heating_set_point_celsius=celsius)).kind is OutcomeKind.DONE
    await h.network.op("thermostat", node=node, setpoint={"type": HEATING, "value": raw - 2})
    assert [one.source for one in await h.told(node, 1)] == [None]


async def test_a_dead_thermostat_is_tried_once_with_each_command(h: Site) -> None:
    await h.network.op("dead", node=FAHRENHEIT)
    for _ in range(2):
        outcome = await h.set(FAHRENHEIT, hvac_mode="cool", heating_set_point_celsius=22.0)
        assert (outcome.kind, outcome.code) == (OutcomeKind.SENT_UNCONFIRMED, "device_unreachable")
        assert await h.on_air(FAHRENHEIT) <= NO_ACK_ATTEMPTS
    await h.network.op("dead", node=FAHRENHEIT, on=False)
    await asyncio.sleep(1.0)
    assert (await h.truth(FAHRENHEIT))["mode"] == 1, "nothing was kept for later"
    assert await h.frames(FAHRENHEIT) == {}
    assert (await h.set(FAHRENHEIT, hvac_mode="cool")).kind is OutcomeKind.DONE


# -- the valve that sleeps ---------------------------------------------------------------------------------------------


async def test_a_sleeper_gets_the_last_wish_alone_and_once(h: Site) -> None:
    for wish in (18.0, 19.0, 20.5):
        outcome = await h.set(VALVE, heating_set_point_celsius=wish)
        assert (outcome.kind, outcome.code) == (OutcomeKind.UNREACHABLE, "device_asleep")
    assert (await h.read(VALVE)).code == "device_asleep"
    await only(h, VALVE)  # nothing waits in zwave-js either:
    await h.wakes()
    await asyncio.sleep(0.6)  # longer than zwave-js would keep it awake for nobody
    assert await h.frames(VALVE) == {}
    outcome = await h.set(VALVE, heating_set_point_celsius=20.5)
    assert (outcome.kind, seen(outcome).heating_set_point_celsius) == (OutcomeKind.DONE, 20.5)
    await falls_asleep(h.network)
    assert await h.frames(VALVE) == {"SetpointSet": 1, "SetpointGet": 1, "WakeUpNoMoreInformation": 1}
    assert (await h.truth(VALVE))["setpoints"][HEATING] == 20.5
    await h.wakes()
    await falls_asleep(h.network)
    assert await h.frames(VALVE) == {"WakeUpNoMoreInformation": 1}, "nobody waited for it: it sleeps again at once"


async def test_a_slow_sleeper_is_kept_awake_until_it_was_read(h: Site) -> None:
    await h.network.op("faults", node=VALVE, takesLate=900)
    assert (await h.set(VALVE, heating_set_point_celsius=18.0)).code == "device_asleep"
    await h.wakes()
    outcome = await h.set(VALVE, heating_set_point_celsius=18.0)
    assert (outcome.kind, seen(outcome).heating_set_point_celsius) == (OutcomeKind.DONE, 18.0)
    await falls_asleep(h.network)


async def test_a_sleeper_is_read_and_then_let_go(h: Site) -> None:
    await h.read(VALVE)
    await h.wakes()
    assert (await h.read(VALVE)).kind is OutcomeKind.DONE
    assert (await h.set(VALVE, hvac_mode="off")).kind is OutcomeKind.DONE, "there is time for another command"
    await falls_asleep(h.network)
    assert (await h.frames(VALVE))["WakeUpNoMoreInformation"] == 1


async def test_a_mode_with_a_set_point_of_its_own(h: Site) -> None:
    await h.read(VALVE)
    await h.wakes()
    outcome = await h.set(VALVE, hvac_mode="eco", heating_set_point_celsius=16.0)
    assert (outcome.kind, seen(outcome).hvac_mode) == (OutcomeKind.DONE, "eco")
    assert seen(outcome).heating_set_point_celsius == 16.0
    truth = await h.truth(VALVE)
    assert (truth["mode"], truth["setpoints"]) == (11, {HEATING: 21, ENERGY_SAVE: 16})
    outcome = await h.set(VALVE, heating_set_point_celsius=21.0)
    assert outcome.code == "set_point_out_of_range", "which has a range of its own"


async def test_a_sleeper_that_slept_before_it_was_told_is_not_waited_for(h: Site) -> None:
    assert (await h.set(VALVE, heating_set_point_celsius=18.0)).code == "device_asleep"
    await h.wakes(awake=0)
    async with asyncio.timeout(4.0):
        outcome = await h.set(VALVE, heating_set_point_celsius=18.0)
    assert (outcome.kind, outcome.code) == (OutcomeKind.SENT_UNCONFIRMED, "device_asleep")
    assert (await h.set(VALVE, heating_set_point_celsius=19.0)).kind is OutcomeKind.UNREACHABLE
    await h.wakes()
    assert (await h.set(VALVE, heating_set_point_celsius=19.0)).kind is OutcomeKind.DONE
    assert (await h.truth(VALVE))["setpoints"][HEATING] == 19, "what zwave-js had kept is overtaken"
