"""Reports on the emulated network, by the real zwave-js-server."""

import pytest
from hubd_drivers.zwave.care import report
from hubd_drivers.zwave.failures import CommandError, Kind
from hubd_drivers.zwave.roster import Roster

from hubd.driver import ActionError, Arguments
from hubd.driver.contract import RecordingPort
from tests.drivers.zwave.conftest import SharedNetwork
from tests.drivers.zwave.fakes import FakeLink, lock_node
from tests.drivers.zwave.person import Person, act, network_of, site

PLAIN_ID = "7e570001-node-2-ffff.ffff.fffe"


@pytest.mark.node
async def test_statistics_tell_route_signal_and_counts(care_network: SharedNetwork) -> None:
    await care_network.op("route", node=2, repeaters=[4], rssi=-71)
    async with site(care_network.url) as (driver, _):
        await act(driver, "ping", device=PLAIN_ID)
        result = await act(driver, "statistics", device=PLAIN_ID)
        facts = result.facts
        assert result.message == "Door lock 7e570001-2 is node 2, reached via 4."
        assert (facts["route"], facts["signal_dbm"], facts["status"]) == ("via 4", -71, "alive")
        assert facts["security"] == "no encryption"
        assert facts["firmware"] == "3.4"
        assert facts["neighbors"] == "stick, 3, 4, 5"
        assert isinstance(facts["commands_sent"], int)
        assert facts["commands_sent"] > 0
        assert facts["last_heard"] is not None


@pytest.mark.node
async def test_the_network_is_shown_whole(care_network: SharedNetwork) -> None:
    async with site(care_network.url) as (driver, _):
        person = Person()
        await care_network.op("dead", node=5)
        with pytest.raises(ActionError, match="does not answer"):
            await act(driver, "ping", device="7e570001-node-5-003b.0001.0469")
        result = await act(driver, "network", person)
        assert result.message == "4 nodes, 1 of them dead."
        assert result.facts["home_id"] == "7e570001"
        assert [row["node_id"] for row in result.table] == [2, 3, 4, 5]
        lock = result.table[-1]
        assert (lock["model"], lock["status"], lock["security"]) == ("Allegion BE469ZP", "dead", "S0")
        assert {tuple(row) for row in result.table} == {tuple(lock)}, "rows are of one shape"
        assert "4711" not in repr(result)


@pytest.mark.parametrize(
    "state",
    [
        None,
        [],
        {"nodeId": "x", "statistics": 5, "highestSecurityClass": 9},
        {"nodeId": 2, "statistics": {"lwr": {"repeaters": [None, -1, "3"]}, "rtt": "fast", "commandsTX": -1}},
    ],
)
async def test_states_of_any_shape_are_shown(state: object) -> None:
    refused = CommandError(Kind.UNSUPPORTED, "not_supported", "No.", 105)
    link, port = FakeLink(get_state={"state": state}, get_node_neighbors=refused), RecordingPort()
    roster = Roster(link, port, 0.5)
    network = network_of(link, port, roster)
    device = await roster.meet(lock_node(2), lambda *_: False)
    assert device is not None
    network.node_ids = {2}
    shown = await report.show(network, Arguments(), Person())
    assert shown.table[0]["node_id"] == 2
    told = await report.statistics(network, device.native_id, Arguments(), Person())
    assert told.facts["neighbors"] is None
    assert (told.facts["signal_dbm"], told.facts["round_trip_ms"]) == (None, None)
