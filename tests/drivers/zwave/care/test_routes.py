"""Radio links of the emulated network, by the real zwave-js-server."""

import asyncio

import pytest
from hubd_drivers.zwave.care import routes
from hubd_drivers.zwave.care.catalogue import Rounds
from hubd_drivers.zwave.care.events import RoutesProgress
from hubd_drivers.zwave.failures import CommandError, Kind
from hubd_drivers.zwave.roster import Roster

from hubd.driver import ActionError, Arguments
from hubd.driver.contract import RecordingPort
from tests.drivers.zwave.conftest import SharedNetwork
from tests.drivers.zwave.fakes import FakeLink, lock_node
from tests.drivers.zwave.person import Person, act, network_of, site, until_said

PLAIN_ID = "7e570001-node-2-ffff.ffff.fffe"


@pytest.mark.node
async def test_one_device_gets_new_routes(care_network: SharedNetwork) -> None:
    async with site(care_network.url) as (driver, _):
        result = await act(driver, "rebuild_routes", device=PLAIN_ID)
        assert result.message == "Door lock 7e570001-2 has new routes."
        await care_network.op("dead", node=2)
        with pytest.raises(ActionError) as caught:
            await act(driver, "rebuild_routes", device=PLAIN_ID)
        assert caught.value.code == "routes_failed"


@pytest.mark.node
async def test_all_devices_get_new_routes(care_network: SharedNetwork) -> None:
    async with site(care_network.url) as (driver, _):
        person = Person()
        result = await act(driver, "rebuild_all_routes", person)
        assert result.message == "4 nodes have new routes, 0 failed, 0 were passed over (dead or asleep)."
        assert [row["node_id"] for row in result.table] == [2, 3, 4, 5]
        assert result.table[0] == {"node_id": 2, "name": "Door lock 7e570001-2", "state": "done"}
        assert person.said[-1] == "4 of 4 nodes are done."


@pytest.mark.node
async def test_finding_all_routes_can_be_given_up(care_network: SharedNetwork) -> None:
    async with site(care_network.url) as (driver, _):
        await care_network.op("latency", node=2, ms=300)
        try:
            person = Person()
            acting = asyncio.create_task(act(driver, "rebuild_all_routes", person))
            await until_said(person, "nodes are done")
            acting.cancel()
            await asyncio.wait({acting})
            assert acting.cancelled()
        finally:
            await care_network.op("latency", node=2, ms=0)
        assert (await act(driver, "rebuild_all_routes")).facts["done"] == 4


@pytest.mark.node
async def test_a_link_is_rated(care_network: SharedNetwork) -> None:
    await care_network.op("route", node=2, rssi=-60)
    async with site(care_network.url) as (driver, _):
        person = Person()
        result = await act(driver, "check_health", person, device=PLAIN_ID, rounds=1)
        assert result.message.startswith("The link to Door lock 7e570001-2 is ")
        assert len(result.table) == 1
        assert (result.table[0]["failed_pings"], result.table[0]["margin_db"]) == (0, 35)
        assert person.said[-1].startswith("Round 1 of 1: ")


@pytest.mark.parametrize("summary", [None, 7, {"rating": 11}, {"rating": "good", "results": 5}])
async def test_a_rating_that_is_none_is_told_as_such(summary: object) -> None:
    link, port = FakeLink(check_lifeline_health={"summary": summary}), RecordingPort()
    roster = Roster(link, port, 0.5)
    network = network_of(link, port, roster)
    device = await roster.meet(lock_node(2), lambda *_: False)
    assert device is not None
    with pytest.raises(ActionError) as caught:
        await routes.check_health(network, device.native_id, Rounds(), Person())
    assert caught.value.code in {"health_not_known", "no_answer"}


async def test_routes_that_somebody_else_has_rebuilt_are_left_to_them() -> None:
    link = FakeLink(begin_rebuilding_routes={"success": False})
    with pytest.raises(ActionError) as caught:
        await routes.rebuild_all(network_of(link), Arguments(), Person())
    assert caught.value.code == "controller_busy"
    assert [name for name, _ in link.sent] == ["controller.begin_rebuilding_routes"]


async def test_a_cancelled_rebuild_is_stopped_even_if_zwave_js_refuses() -> None:
    refused = CommandError(Kind.UNCERTAIN, "zwave_error", "No.")
    link = FakeLink(begin_rebuilding_routes={"success": True}, stop_rebuilding_routes=refused)
    network, person = network_of(link), Person()
    acting = asyncio.create_task(routes.rebuild_all(network, Arguments(), person))
    await asyncio.sleep(0)
    while not link.sent:  # noqa: ASYNC110 - a scripted link has no event for it
        await asyncio.sleep(0)
    network.note(RoutesProgress({}, is_over=False))
    network.note(RoutesProgress({"pending": (2,), "done": (3,)}, is_over=False))
    await until_said(person, "1 of 2 nodes are done.")
    acting.cancel()
    await asyncio.wait({acting})
    assert acting.cancelled()
    assert link.sent[-1][0] == "controller.stop_rebuilding_routes"
