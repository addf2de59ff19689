"""Having devices leave the emulated network, by the real zwave-js-server."""

import asyncio

import pytest
from hubd_drivers.zwave.care import exclusion
from hubd_drivers.zwave.care.catalogue import Exclude
from hubd_drivers.zwave.care.events import CareEvent, ExclusionFailed, InclusionState
from hubd_drivers.zwave.events import NodeRemoved

from hubd.driver import ActionError
from hubd.driver.contract import RecordingPort
from tests.drivers.zwave.conftest import SharedNetwork
from tests.drivers.zwave.fakes import FakeLink, FastClock
from tests.drivers.zwave.person import Person, act, network_of, site, until_said

THERMOSTAT, S0_LOCK = 4, 5
S0_ID = "7e570001-node-5-003b.0001.0469"


@pytest.mark.node
async def test_a_device_that_answers_is_not_struck_off(care_network: SharedNetwork) -> None:
    async with site(care_network.url) as (driver, port):
        with pytest.raises(ActionError) as caught:
            await act(driver, "remove_failed", device=S0_ID)
        assert caught.value.code == "node_answers"
        assert "answers, so it is not removed." in caught.value.message
        with pytest.raises(ActionError) as caught:
            await act(driver, "remove_failed_node", node=S0_LOCK)
        assert caught.value.code == "node_answers"
        with pytest.raises(ActionError) as caught:
            await act(driver, "remove_failed_node", node=77)
        assert caught.value.message == "The network has no node 77; it has: 2, 3, 4, 5."
        with pytest.raises(ActionError) as caught:
            await act(driver, "remove_failed", device="7e570001-node-77-class.00.00")
        assert caught.value.code == "device_unknown"
        assert not port.gone


@pytest.mark.node
async def test_devices_that_do_not_answer_are_struck_off(care_network: SharedNetwork) -> None:
    async with site(care_network.url) as (driver, port):
        await care_network.op("join", like=THERMOSTAT)
        first = await act(driver, "include", name="Broken")
        await care_network.op("join", like=THERMOSTAT)
        second = await act(driver, "include")
        for result in (first, second):
            await care_network.op("dead", node=result.facts["node_id"])
        device = next(one.native_id for one in port.devices.values() if one.name == "Broken")
        removed = await act(driver, "remove_failed", device=device)
        assert removed.message == f"Broken (node {first.facts['node_id']}) is removed from the network."
        await act(driver, "remove_failed_node", node=second.facts["node_id"])
        async with asyncio.timeout(10):
            while len(port.gone) < 2:  # noqa: ASYNC110 - a recording port has no event for it
                await asyncio.sleep(0.02)
        assert port.gone[device] == "It was removed from the Z-Wave network as a failed node."


@pytest.mark.node
async def test_a_device_of_another_network_is_freed(care_network: SharedNetwork) -> None:
    async with site(care_network.url) as (driver, port):
        await care_network.op("leave", stranger=True)
        result = await act(driver, "exclude")
        assert result.message == "A device has answered that is not on this network. It can be included now."
        assert not port.gone


@pytest.mark.node
async def test_nobody_wants_to_leave(care_network: SharedNetwork) -> None:
    async with site(care_network.url, speed=5.0) as (driver, port):
        person = Person()
        acting = asyncio.create_task(act(driver, "exclude", person, seconds=10))
        await until_said(person, "exclusion mode")
        assert person.countdowns == [10]
        with pytest.raises(ActionError) as caught:
            await acting
        assert (caught.value.code, caught.value.message) == ("nobody_left", "No device has asked to leave within 10 s.")
        assert await care_network.op("mode") == "idle"
        assert not port.gone


BEGUN = {"begin_exclusion": {"success": True}, "get_state": {"state": {"inclusionState": 0}}}


@pytest.mark.parametrize(
    ("events", "code"),
    [
        ((InclusionState(0), NodeRemoved(7, 5), ExclusionFailed()), "exclusion_failed"),
        ((NodeRemoved(7, -1), InclusionState(1)), "nobody_left"),
    ],
)
async def test_whatever_is_said_an_exclusion_ends(events: tuple[CareEvent | NodeRemoved, ...], code: str) -> None:
    network = network_of(FakeLink(**BEGUN), RecordingPort(clock=FastClock(100)))
    await network.mode.recover()
    person = Person()
    acting = asyncio.create_task(exclusion.exclude(network, Exclude(seconds=30), person))
    await until_said(person, "exclusion mode")
    for event in events:
        network.note(event)
    with pytest.raises(ActionError) as caught:
        await acting
    assert caught.value.code == code
