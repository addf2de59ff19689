"""Actions hear what zwave-js says, and of the end of the link."""

import asyncio

import pytest
from hubd_drivers.zwave.care.events import InclusionFailed, InclusionState
from hubd_drivers.zwave.care.network import QUEUE_SIZE, Announced
from hubd_drivers.zwave.events import NodeAdded, NodeRemoved, StatusChanged, ValueReported
from hubd_drivers.zwave.failures import CommandError, Kind, answer_lost
from hubd_drivers.zwave.roster import Roster

from hubd.driver import ActionError, DriverError
from hubd.driver.contract import RecordingPort
from tests.drivers.zwave.fakes import CURRENT, FakeLink, FastClock, lock_node
from tests.drivers.zwave.person import network_of


async def test_what_is_said_arrives_in_order_and_only_what_matters() -> None:
    network = network_of(FakeLink())
    network.note(InclusionState(0))
    async with network.feed() as feed:
        network.note(ValueReported(2, CURRENT, 0))
        network.note(InclusionState(1))
        network.note(StatusChanged(2, 3))
        network.note(InclusionFailed())
        assert await feed.next() == InclusionState(1)
        assert await feed.until(InclusionFailed) == InclusionFailed()


async def test_what_nobody_reads_ends_the_feed_instead_of_growing() -> None:
    network = network_of(FakeLink())
    async with network.feed() as feed:
        for number in range(QUEUE_SIZE + 1):
            network.note(StatusChanged(2, number % 2))
        with pytest.raises(DriverError) as caught:
            await feed.until(InclusionFailed)
        assert caught.value.code == "events_overflow"


async def test_a_lost_link_ends_every_wait_for_good() -> None:
    network = network_of(FakeLink())
    async with network.feed() as feed:
        waiting = asyncio.create_task(feed.next())
        await asyncio.sleep(0)
        network.lost()
        for wait in (waiting, feed.next()):
            with pytest.raises(DriverError) as caught:
                await wait
            assert caught.value.code == "server_lost"


async def test_nodes_are_called_by_name_even_when_they_have_left() -> None:
    link, port = FakeLink(), RecordingPort()
    roster = Roster(link, port, 0.5)
    network = network_of(link, port, roster)
    device = await roster.meet(lock_node(2, name="Front door"), lambda *_: False)
    assert device is not None
    async with network.feed() as feed:
        network.met(device)
        assert await feed.next() == Announced(2)
    assert network.device(device.native_id) is device
    assert network.name(2) == "Front door"
    network.note(NodeAdded(9))
    assert network.node_ids == {9}
    network.note(NodeRemoved(2, 0))
    await roster.leave(NodeRemoved(2, 0))
    assert (network.name(2), network.name(9)) == ("Front door", "Node 9")
    with pytest.raises(ActionError) as caught:
        network.device(device.native_id)
    assert caught.value.code == "device_unknown"


async def test_commands_are_bounded_and_their_errors_are_actions_errors() -> None:
    network = network_of(FakeLink(), RecordingPort(clock=FastClock(100)))
    with pytest.raises(ActionError) as caught:
        await network.command("node.ping", nodeId=2)
    assert caught.value.message == "zwave-js did not answer within 30 s."
    for error, kind in ((CommandError(Kind.REFUSED, "x", "No."), ActionError), (answer_lost(), DriverError)):
        with pytest.raises(kind):
            await network_of(FakeLink(ping=error)).command("node.ping", nodeId=2)


@pytest.mark.parametrize("entry", [{"entry": {"name": "Back door"}}, {"entry": None}, {}, answer_lost()])
async def test_new_nodes_get_the_name_of_their_entry(entry: object) -> None:
    link = FakeLink(get_provisioning_entry=entry, set_name={})
    await network_of(link).christen(7)
    named = [arguments for name, arguments in link.sent if name == "node.set_name"]
    expected = (
        [{"nodeId": 7, "name": "Back door", "updateCC": False}] if entry == {"entry": {"name": "Back door"}} else []
    )
    assert named == expected
