import logging
from collections.abc import Mapping
from typing import Any

import pytest
from hubd_drivers.zwave.bolts import Memory
from hubd_drivers.zwave.controller import ControllerWatch
from hubd_drivers.zwave.events import NodeAdded
from hubd_drivers.zwave.failures import CommandError, Kind, answer_lost
from hubd_drivers.zwave.roster import Roster
from hubd_drivers.zwave.scan import Scan

from hubd.driver.contract import RecordingPort
from hubd.model import DeviceDescription
from tests.drivers.zwave.fakes import Answer, FakeLink, lock_node

HERE = "7e570001-node-2-ffff.0001.0002"
GONE = "7e570001-node-5-ffff.0001.0002"
KEYED = "7e570001-dsk-15546-46480-39591-32400-22155-07715-45994"
ELSEWHERE = "aaaaaaaa-node-5-ffff.0001.0002"


class Site:
    def __init__(self, listed: Answer, *known: str, alive: Answer = None) -> None:
        self.link = FakeLink(
            get_known_lifeline_routes=listed, is_failed_node={"failed": False} if alive is None else alive
        )
        self.port = RecordingPort()
        self.port.known = {one: DeviceDescription(one, "lock", "zwave_lock", "Door") for one in known}
        self.roster = Roster(self.link, self.port, 0.7)
        self.memory = Memory()
        controller = ControllerWatch(self.link, self.port, 1.0)
        self.scan = Scan(self.link, self.port, self.roster, controller, self.memory, 60.0)

    async def meet(self, node_id: int, **more: Any) -> None:
        await self.roster.meet(lock_node(node_id, **more), lambda _, __: False)


def routes(*nodes: int) -> Mapping[str, object]:
    return {"routes": {str(node_id): {} for node_id in nodes}}


async def test_a_scan_that_finds_everything_says_so() -> None:
    site = Site(routes(2), HERE)
    await site.meet(2)
    await site.scan.once()
    assert site.port.scans == [()]


async def test_a_device_whose_node_is_not_listed_is_missing() -> None:
    site = Site(routes(2), HERE, GONE)
    await site.meet(2)
    await site.scan.once()
    assert site.port.scans == [(GONE,)]


async def test_a_node_that_vanished_from_the_list_without_a_word_is_missing_too() -> None:
    site = Site(routes(2), HERE, GONE)
    await site.meet(2)
    await site.meet(5)
    await site.scan.once()
    assert site.port.scans == [(GONE,)]


async def test_devices_of_another_network_are_never_missing(caplog: pytest.LogCaptureFixture) -> None:
    site = Site(routes(2), HERE, ELSEWHERE)
    await site.meet(2)
    with caplog.at_level(logging.WARNING):
        await site.scan.once()
        await site.scan.once()
    assert site.port.scans == [(), ()]
    assert caplog.text.count("1 known devices belong to another network than 7e570001") == 1


@pytest.mark.parametrize(
    ("absent", "is_proof"),
    [(GONE, True), (KEYED, False)],
)
async def test_a_node_in_interview_may_be_the_device_that_is_missed(absent: str, *, is_proof: bool) -> None:
    site = Site(routes(2, 9), HERE, absent)
    await site.meet(2)
    await site.meet(9, ready=False, interviewStage="NodeInfo")
    await site.scan.once()
    assert site.port.scans == ([(absent,)] if is_proof else [])


async def test_a_node_nobody_has_told_of_yet_proves_nothing() -> None:
    site = Site(routes(2, 9), HERE, GONE)
    await site.meet(2)
    await site.scan.once()
    assert site.port.scans == []
    site.roster.expect(NodeAdded(9, lock_node(9, ready=False, interviewStage="None")))
    await site.scan.once()
    assert site.port.scans == [(GONE,)]


async def test_a_leftover_of_an_earlier_inclusion_is_no_device() -> None:
    key = "34673-15546-46480-39591-32400-22155-07715-45994"
    site = Site(routes(1, 5, 9), KEYED, GONE)
    await site.meet(5, dsk=key)
    await site.meet(9, dsk=key)
    await site.scan.once()
    assert site.port.scans == [(GONE,)]


@pytest.mark.parametrize("answer", [answer_lost(), CommandError(Kind.UNSUPPORTED, "not_supported", "No.")])
async def test_without_the_list_nothing_is_proven(answer: Answer) -> None:
    site = Site(answer, HERE, GONE)
    await site.meet(2)
    await site.scan.once()
    assert site.port.scans == []


async def test_without_the_stick_nothing_is_proven() -> None:
    site = Site(routes(2), GONE, alive=answer_lost())
    await site.scan.once()
    assert site.port.scans == []
    assert site.link.count("get_known_lifeline_routes") == 0


@pytest.mark.parametrize("routes", [{"x": 1}, {"²": 1}, {"99999": 1}, {"5000": 1}, [], None])
async def test_an_odd_list_proves_nothing(routes: object) -> None:
    site = Site({"routes": routes}, GONE)
    await site.scan.once()
    assert site.port.scans == []
