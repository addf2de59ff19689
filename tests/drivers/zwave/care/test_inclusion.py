"""Including devices on the emulated stick, by the real zwave-js-server."""

import asyncio
import logging

import pytest
from hubd_drivers.zwave import ZwaveConfig, ZwaveDriver
from hubd_drivers.zwave.care import inclusion
from hubd_drivers.zwave.care.catalogue import Include
from hubd_drivers.zwave.care.events import (
    CareEvent,
    InclusionFailed,
    InclusionState,
    KeysAborted,
    KeysAsked,
    NodeFound,
    PinAsked,
)
from hubd_drivers.zwave.events import NodeAdded

from hubd.driver import ActionError, DriverError
from hubd.driver.contract import RecordingPort, running
from hubd.model import LockDoor, OutcomeKind
from tests.drivers.zwave.conftest import Proxy, SharedNetwork
from tests.drivers.zwave.fakes import FakeLink, FastClock
from tests.drivers.zwave.person import Person, act, is_marked, leave, network_of, site, until_asked, until_said

PLAIN_LOCK, S2_LOCK, THERMOSTAT, S0_LOCK = 2, 3, 4, 5


@pytest.mark.node
async def test_an_s2_lock_is_included_with_its_dsk(
    care_network: SharedNetwork, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    dsk = await care_network.op("join", like=S2_LOCK, device="front door")
    pin, _, rest = dsk.partition("-")
    person = Person(lambda _: pin)
    async with site(care_network.url) as (driver, port):
        result = await act(driver, "include", person, name="Front door")
        node = result.facts["node_id"]
        assert result.message == f"Front door (node {node}) is included with S2 Access Control."
        assert result.facts["security"] == "S2 Access Control"
        assert result.facts["interviewed"] is True
        device = port.devices[f"7e570001-dsk-{rest}"]
        assert device.name == "Front door"
        assert device.capabilities.keypad is not None
        assert device.capabilities.keypad.slots == 20
        assert "The stick is in inclusion mode" in person.said[0]
        assert person.countdowns == [60]
        assert "It asks for S2 Authenticated, S2 Access Control; it gets S2 Access Control." in person.said
        assert [question.pattern for question in person.asked] == ["[0-9]{5}"]
        assert rest in person.asked[0].text
        assert max(person.shares) > 0.0
        assert await care_network.op("mode") == "idle"
        assert not await is_marked(port)
        order = LockDoor(device_id="device", native_id=device.native_id)
        assert (await driver.execute(order)).kind is OutcomeKind.DONE
        assert await care_network.op("locked", node=node) is True
        left = await leave(care_network, driver, node)
        assert left.message == f"Front door (node {node}) has left the network."
    told = " ".join([*person.said, result.message, repr(result), *(record.getMessage() for record in caplog.records)])
    assert f"{pin}-" not in told, "the first group of the DSK is the PIN"


@pytest.mark.node
async def test_a_lock_that_comes_again_is_the_same_device(care_network: SharedNetwork) -> None:
    async with site(care_network.url) as (driver, port):
        dsk = await care_network.op("join", like=S2_LOCK, device="cellar door")
        for security in ("auto", "s2"):
            await care_network.op("join", like=S2_LOCK, device="cellar door")
            result = await act(driver, "include", Person(lambda _: dsk[:5]), security=security)
            await leave(care_network, driver, result.facts["node_id"])
        here = [native_id for native_id in port.devices if "-dsk-" in native_id]
        assert here == [f"7e570001-dsk-{dsk[6:]}"]


@pytest.mark.node
async def test_wrong_digits_leave_a_lock_that_has_to_be_excluded(care_network: SharedNetwork) -> None:
    pin = (await care_network.op("join", like=S2_LOCK, device="garage"))[:5]
    wrong = f"{(int(pin) + 1) % 65536:05}"
    async with site(care_network.url) as (driver, port):
        with pytest.raises(ActionError) as caught:
            await act(driver, "include", Person(lambda _: wrong))
        assert caught.value.code == "wrong_pin"
        assert "The five digits do not fit the device." in caught.value.message
        assert caught.value.remedy == "Exclude it, then include it again. Read them off its own label."
        assert await care_network.op("mode") == "idle"
        node = int(caught.value.message.split()[1])
        assert (await leave(care_network, driver, node)).facts == {"node_id": node, "name": f"Node {node}"}
        assert not port.gone, "it never was a device of the hub"


@pytest.mark.node
async def test_nobody_presses_anything(care_network: SharedNetwork) -> None:
    async with site(care_network.url, speed=5.0) as (driver, port):
        person = Person()
        acting = asyncio.create_task(act(driver, "include", person, seconds=10))
        await until_said(person, "inclusion mode")
        assert await care_network.op("mode") == "adding"
        assert await is_marked(port)
        with pytest.raises(ActionError) as caught:
            await acting
        assert (caught.value.code, caught.value.message) == (
            "nobody_joined",
            "No device has asked to join within 10 s.",
        )
        assert await care_network.op("mode") == "idle"
        assert not await is_marked(port)


@pytest.mark.node
async def test_a_person_gives_up_before_anything_has_joined(care_network: SharedNetwork) -> None:
    async with site(care_network.url) as (driver, port):
        for action, mode in (("include", "adding"), ("exclude", "removing")):
            person = Person()
            acting = asyncio.create_task(act(driver, action, person, seconds=60))
            await until_said(person, "mode")
            assert await care_network.op("mode") == mode
            acting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await acting
            assert await care_network.op("mode") == "idle"
        assert not await is_marked(port)


@pytest.mark.node
async def test_a_person_gives_up_over_the_digits(care_network: SharedNetwork) -> None:
    await care_network.op("join", like=S2_LOCK, device="shed")
    async with site(care_network.url) as (driver, port):
        person = Person()
        acting = asyncio.create_task(act(driver, "include", person))
        await until_asked(person)
        acting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await acting
        assert person.given_up == 1
        assert "has joined without its keys: exclude it before the next try." in person.said[-1]
        assert not await is_marked(port)
        node = int(person.said[-1].split()[1])
        await until_left_alone(care_network)
        await leave(care_network, driver, node)


async def until_left_alone(care_network: SharedNetwork) -> None:
    """Wait until zwave-js has ended a key exchange that was broken off."""
    async with asyncio.timeout(15), site(care_network.url) as (driver, _):
        while True:
            person = Person()
            acting = asyncio.create_task(act(driver, "exclude", person, seconds=60))
            await asyncio.wait({acting}, timeout=0.5)
            is_free = not acting.done()
            acting.cancel()
            await asyncio.wait({acting})
            if is_free:
                return
            await asyncio.sleep(0.1)


@pytest.mark.node
async def test_an_old_lock_is_included_with_s0_and_a_thermostat_without(care_network: SharedNetwork) -> None:
    async with site(care_network.url) as (driver, port):
        await care_network.op("join", like=S0_LOCK)
        lock = await act(driver, "include")
        assert lock.facts["security"] == "S0"
        assert lock.facts["model"] == "BE469ZP"
        await care_network.op("join", like=THERMOSTAT)
        thermostat = await act(driver, "include")
        assert thermostat.facts["security"] == "no encryption"
        assert {device.kind for device in port.devices.values()} == {"lock", "thermostat"}
        for result in (lock, thermostat):
            await leave(care_network, driver, result.facts["node_id"])
        assert sorted(port.gone.values()) == ["It was excluded from the Z-Wave network."] * 2


@pytest.mark.node
async def test_a_lock_without_encryption_is_refused_unless_it_is_wanted(care_network: SharedNetwork) -> None:
    async with site(care_network.url) as (driver, _):
        await care_network.op("join", like=PLAIN_LOCK)
        with pytest.raises(ActionError) as caught:
            await act(driver, "include")
        assert caught.value.code == "insecure_lock"
        await leave(care_network, driver, int(caught.value.message.split()[1]))
        await care_network.op("join", like=PLAIN_LOCK)
        result = await act(driver, "include", allow_insecure=True)
        assert "is included with no encryption. But: A lock without encryption takes no codes" in result.message
        await leave(care_network, driver, result.facts["node_id"])


@pytest.mark.node
async def test_a_lost_link_ends_an_inclusion_and_the_next_one_stops_the_stick(
    care_network: SharedNetwork,
) -> None:
    port = RecordingPort()
    async with Proxy(care_network.url) as proxy:
        driver = ZwaveDriver(ZwaveConfig(url=proxy.url))
        async with running(driver, port):
            person = Person()
            acting = asyncio.create_task(act(driver, "include", person))
            await until_said(person, "inclusion mode")
            await proxy.stop()
            with pytest.raises(DriverError) as caught:
                await acting
            assert (caught.value.hop, caught.value.code) == ("server", "server_lost")
    assert await care_network.op("mode") == "adding"
    assert await is_marked(port)
    port.is_ready.clear()
    async with running(ZwaveDriver(ZwaveConfig(url=care_network.url)), port), asyncio.timeout(15):
        while await care_network.op("mode") != "idle" or await is_marked(port):  # noqa: ASYNC110 - the stick has no event
            await asyncio.sleep(0.05)


@pytest.mark.node
async def test_what_somebody_else_has_begun_is_not_ended(care_network: SharedNetwork) -> None:
    async with site(care_network.url) as (driver, _), site(care_network.url) as (other, port):
        person = Person()
        acting = asyncio.create_task(act(driver, "include", person))
        await until_said(person, "inclusion mode")
        for action in ("include", "exclude"):
            with pytest.raises(ActionError) as caught:
                await act(other, action)
            assert caught.value.code == "controller_busy"
        assert await care_network.op("mode") == "adding"
        assert not await is_marked(port)
        acting.cancel()
        await asyncio.wait({acting})
        assert await care_network.op("mode") == "idle"


@pytest.mark.node
async def test_a_broken_lock_is_replaced(care_network: SharedNetwork) -> None:
    async with site(care_network.url) as (driver, port):
        dsk = await care_network.op("join", like=S2_LOCK, device="old lock")
        old = await act(driver, "include", Person(lambda _: dsk[:5]))
        node, old_id = old.facts["node_id"], f"7e570001-dsk-{dsk[6:]}"
        with pytest.raises(ActionError) as caught:
            await act(driver, "replace_failed", device=old_id)
        assert caught.value.code == "node_answers"
        await care_network.op("dead", node=node)
        person = Person(lambda _: new_dsk[:5])
        acting = asyncio.create_task(act(driver, "replace_failed", person, device=old_id, seconds=30))
        await until_said(person, "inclusion mode")
        new_dsk = await care_network.op("join", like=S2_LOCK, device="new lock")
        result = await acting
        assert (result.facts["node_id"], result.facts["security"]) == (node, "S2 Access Control")
        assert port.gone[old_id] == "It was replaced by another device in the Z-Wave network."
        assert f"7e570001-dsk-{new_dsk[6:]}" in port.devices
        assert await care_network.op("mode") == "idle"
        await leave(care_network, driver, node)


async def test_nothing_is_done_without_a_link() -> None:
    with pytest.raises(DriverError) as caught:
        await act(ZwaveDriver(ZwaveConfig()), "ping", device="x")
    assert caught.value.code == "server_lost"


JOINED = NodeAdded(7)
BEGUN = {"begin_inclusion": {"success": True}, "get_state": {"state": {"inclusionState": 0}}}


@pytest.mark.parametrize(
    ("events", "code"),
    [
        ((InclusionState(0), InclusionState(1), InclusionState(4)), "not_joined"),
        ((InclusionState(1), InclusionFailed()), "inclusion_failed"),
        ((), "nobody_joined"),
        ((NodeFound(7, None, is_lock=True), NodeAdded(8), KeysAborted()), "keys_timeout"),
        ((NodeFound(7, None, is_lock=True), NodeAdded(7, weakness=99)), "keys_failed"),
        ((NodeFound(7, "Lock", is_lock=True), KeysAsked(()), PinAsked(""), KeysAborted(), JOINED), "insecure_lock"),
    ],
)
async def test_whatever_is_said_an_inclusion_ends(events: tuple[CareEvent | NodeAdded, ...], code: str) -> None:
    answers = {"get_highest_security_class": {"highestSecurityClass": "x"}, "grant_security_classes": {}}
    network = network_of(FakeLink(**BEGUN, **answers), RecordingPort(clock=FastClock(200)))
    await network.mode.recover()
    person = Person()
    acting = asyncio.create_task(inclusion.include(network, Include(seconds=60), person))
    await until_said(person, "inclusion mode")
    for event in events:
        network.note(event)
    with pytest.raises(ActionError) as caught:
        await acting
    assert caught.value.code == code
    assert caught.value.message.endswith(".")
    assert caught.value.remedy.endswith(".")
    assert person.given_up == len(person.asked)


async def test_a_device_that_is_not_interviewed_in_time_is_included_all_the_same() -> None:
    answers = {"get_highest_security_class": {"highestSecurityClass": 2}, "set_name": {}}
    network = network_of(FakeLink(**BEGUN, **answers), RecordingPort(clock=FastClock(200)))
    await network.mode.recover()
    person = Person()
    acting = asyncio.create_task(inclusion.include(network, Include(name="  Front\ndoor "), person))
    await until_said(person, "inclusion mode")
    network.note(NodeFound(7, None, is_lock=True))
    network.note(JOINED)
    result = await acting
    assert result.facts == {"node_id": 7, "security": "S2 Access Control", "interviewed": False}
    assert result.message.startswith("Node 7 has joined with S2 Access Control. Its interview is not over")
