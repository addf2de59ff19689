"""An interview is followed to its end, or to the end of patience."""

from hubd_drivers.zwave.care.events import InterviewProgress
from hubd_drivers.zwave.care.interview import interviewed
from hubd_drivers.zwave.events import InterviewChanged, NodeRemoved
from hubd_drivers.zwave.facts import FAILED
from hubd_drivers.zwave.roster import Roster

from hubd.driver.contract import RecordingPort
from tests.drivers.zwave.fakes import FakeLink, FastClock, lock_node
from tests.drivers.zwave.person import Person, network_of


async def test_progress_is_told_in_steps_and_the_device_returned() -> None:
    link, port, person = FakeLink(), RecordingPort(), Person()
    roster = Roster(link, port, 0.5)
    network = network_of(link, port, roster)
    device = await roster.meet(lock_node(7), lambda *_: False)
    assert device is not None
    async with network.feed() as feed:
        for share in (0.2, 0.21, 0.22, 0.35):
            network.note(InterviewProgress(7, "CommandClasses", share))
        network.note(InterviewProgress(8, "NodeInfo", 0.5))
        network.note(InterviewProgress(7, "Complete", 1.0))
        network.note(InterviewChanged(7, FAILED))
        network.met(device)
        assert await interviewed(network, feed, 7, person, 5) is device
    assert person.shares == [0.2, 0.35, 1.0]
    assert person.said == [
        "Interview, 20%: reading its functions and settings.",
        "Interview, 35%: reading its functions and settings.",
        "Interview, 100%: done.",
        "The interview failed; zwave-js tries again up to five times.",
    ]


async def test_a_node_that_leaves_or_takes_too_long_has_no_device() -> None:
    network = network_of(FakeLink(), RecordingPort(clock=FastClock(100)))
    async with network.feed() as feed:
        network.note(NodeRemoved(8, 0))
        network.note(NodeRemoved(7, 0))
        assert await interviewed(network, feed, 7, Person(), 600) is None
        assert await interviewed(network, feed, 7, Person(), 5) is None
