import logging
from typing import Any

import pytest
from hubd_drivers.zwave.events import InterviewChanged, NodeAdded, NodeRemoved, StatusChanged
from hubd_drivers.zwave.facts import STATUS_ALIVE, STATUS_DEAD, ValueId
from hubd_drivers.zwave.failures import CommandError, Kind
from hubd_drivers.zwave.lock import Position
from hubd_drivers.zwave.roster import Roster

from hubd.driver.contract import RecordingPort
from hubd.model import BatterySeen, CodeSeen, KeypadCapability, LockSeen, ReachabilitySeen
from tests.drivers.zwave.fakes import Answer, FakeLink, lock_dump, lock_node, node, value

DSK = "34673-15546-46480-39591-32400-22155-07715-45994"
PINS = {"1": {"numberOfCredentialSlots": 30, "minCredentialLength": 4, "maxCredentialLength": 8}}
ID = "7e570001-node-2-ffff.0001.0002"


def trusting(_native_id: str, _position: Position) -> bool:
    return False


def roster(**answers: Answer) -> tuple[Roster, RecordingPort, FakeLink]:
    port, link = RecordingPort(), FakeLink(**answers)
    return Roster(link, port, 0.7), port, link


async def test_a_lock_is_announced_with_its_keypad_and_the_time_of_its_battery_level() -> None:
    made, port, _ = roster(
        get_credential_capabilities_cached={"capabilities": {"supportedCredentialTypes": PINS}},
        get_value_timestamp={"timestamp": 1_760_000_000_000},
        get_state={"state": {"values": [value(99, "userIdStatus", 1, key=3), value(99, "userCode", "4711", key=3)]}},
    )
    device = await made.meet(lock_node(2, 255, value(128, "level", 50), classes={98: 4, 99: 1}), trusting)
    assert device is made.at(2) is made.named(ID)
    assert port.devices[ID].capabilities.keypad == KeypadCapability(30, 4, 8)
    battery = next(seen for seen in port.seen if isinstance(seen, BatterySeen))
    assert battery.occurred_at is not None
    assert battery.occurred_at.timestamp() == 1_760_000_000
    (code,) = [seen for seen in port.seen if isinstance(seen, CodeSeen)]
    assert (code.slot, code.is_used, code.is_cached) == (3, True, True)
    assert code.pin_ref is not None
    assert port.reveal(code.pin_ref) == "4711"
    assert "4711" not in repr(vars(device)), "what was sealed is kept nowhere else"


async def test_a_lock_that_is_known_to_answer_with_stars() -> None:
    made, port, _ = roster(
        get_credential_capabilities_cached={"capabilities": {"supportedCredentialTypes": PINS}},
        get_state={"state": {"values": [value(99, "userIdStatus", 1, key=3), value(99, "userCode", "****", key=3)]}},
    )
    await made.meet(lock_node(2, 255, classes={98: 4, 99: 1}), trusting)
    assert port.devices[ID].capabilities.keypad == KeypadCapability(30, 4, 8, tells_pins=False)
    (code,) = [seen for seen in port.seen if isinstance(seen, CodeSeen)]
    assert (code.is_used, code.pin_ref) == (True, None)


@pytest.mark.parametrize(
    "answer", [{}, {"timestamp": "now"}, {"timestamp": 2**52}, CommandError(Kind.UNCERTAIN, "x", "X.")]
)
async def test_a_level_whose_time_is_not_known(answer: Any) -> None:
    made, port, _ = roster(get_value_timestamp=answer)
    await made.meet(lock_node(2, 255, value(128, "level", 50)), trusting)
    assert next(seen for seen in port.seen if isinstance(seen, BatterySeen)).occurred_at is None


async def test_the_controller_is_no_device() -> None:
    made, port, _ = roster()
    assert await made.meet(node(1), trusting) is None
    assert await made.meet(node(7, isControllerNode=True), trusting) is None
    assert not port.devices


async def test_a_node_in_interview_waits_and_the_log_says_why(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    made, port, _ = roster()
    assert await made.meet(lock_node(2, ready=False, interviewStage="NodeInfo"), trusting) is None
    assert not port.devices
    assert "node 2 waits: Its interview is under way" in caplog.text
    assert port.waits["node-2"] == ("Node 2", "Its interview is under way (last completed stage: NodeInfo).")
    made.wait_on(StatusChanged(2, STATUS_DEAD))
    assert "does not answer" in caplog.text
    made.wait_on(InterviewChanged(2, "Failed"))
    assert "interview it again" in caplog.text
    assert "interview it again" in port.waits["node-2"][1]
    made.wait_on(InterviewChanged(2, "Complete"))
    assert "about to call it ready" in port.waits["node-2"][1]
    made.wait_on(StatusChanged(9, STATUS_ALIVE))
    assert await made.meet(lock_node(2), trusting) is not None
    assert port.waits == {}


async def test_a_node_that_was_just_included_waits_until_it_is_met_or_leaves() -> None:
    made, port, _ = roster()
    made.expect(NodeAdded(9, lock_node(9, ready=False, interviewStage="None")))
    made.expect(NodeAdded(10))
    assert {key: name for key, (name, _) in port.waits.items()} == {"node-9": "Node 9", "node-10": "Node 10"}
    assert made.pending(9) is not None
    assert await made.leave(NodeRemoved(10, 6)) is None
    await made.meet(lock_node(9), trusting)
    assert port.waits == {}
    assert made.pending(9) is None
    made.expect(NodeAdded(9))
    assert port.waits == {}, "it is a device already"


async def test_a_device_that_is_interviewed_anew_does_not_wait() -> None:
    made, port, _ = roster()
    await made.meet(lock_node(2), trusting)
    assert await made.meet(lock_node(2, ready=False, interviewStage="None"), trusting) is None
    assert port.waits == {}
    assert made.at(2) is not None


async def test_nodes_have_names() -> None:
    made, _, _ = roster()
    await made.meet(lock_node(2, name="Front door"), trusting)
    assert (made.name(2), made.name(3)) == ("Front door", "Node 3")
    assert (made.knows(2), made.knows(3)) == (True, False)


async def test_a_serial_number_that_two_nodes_share_is_the_first_one_s_alone() -> None:
    made, port, _ = roster()
    shared = value(114, "deviceId", "12345678", key="SerialNumber")
    for node_id in (2, 3):
        await made.meet(lock_node(node_id, 0, shared, manufacturer="Yale"), trusting)
    found = sorted(device.hardware_ids for device in port.devices.values())
    assert found == [("serial:yale:12345678", "zwave-node:7e570001:2"), ("zwave-node:7e570001:3",)]


async def test_a_dead_node_that_was_interviewed_earlier_is_announced_from_what_zwave_js_kept() -> None:
    kept = {raw["property"]: raw for raw in lock_dump(2, 255, value(128, "level", 50))["values"]}
    pin = value(99, "userCode", "4711", key=1)
    made, port, link = roster(
        get_defined_value_ids={"valueIds": [*kept.values(), pin]},
        get_value=lambda **told: {"value": kept[told["valueId"]["property"]]["value"]},
        get_value_metadata=lambda **told: kept[told["valueId"]["property"]]["metadata"],
        get_value_timestamp={},
    )
    await made.meet(lock_node(2, None, ready=False, status=STATUS_DEAD, values=[]), trusting)
    assert port.position(ID) is True
    assert [seen.online for seen in port.seen if isinstance(seen, ReachabilitySeen)] == [False]
    assert "userCode" not in repr(link.sent), "PINs are not even asked for"


async def test_a_node_about_which_the_server_says_nothing_waits() -> None:
    made, port, _ = roster(get_defined_value_ids=CommandError(Kind.UNCERTAIN, "x", "No."))
    assert await made.meet(lock_node(2, ready=False, status=STATUS_DEAD), trusting) is None
    assert not port.devices


async def test_a_bolt_whose_position_is_not_proven_is_not_told() -> None:
    made, port, _ = roster()
    await made.meet(lock_node(2, 255), lambda native_id, position: (native_id, position) == (ID, True))
    assert not [seen for seen in port.seen if isinstance(seen, LockSeen)]


async def test_an_interview_anew_changes_the_device_not_its_identity() -> None:
    made, port, _ = roster()
    first = await made.meet(lock_node(2, 255), trusting)
    again = await made.meet(lock_node(2, 0, manufacturerId=0x3B, name="Front door"), trusting)
    assert first is again
    assert [device.name for device in port.devices.values()] == ["Front door"]


async def test_a_device_that_was_included_again_displaces_its_leftover() -> None:
    made, port, _ = roster()
    await made.meet(lock_node(5, dsk=DSK), trusting)
    device = await made.meet(lock_node(9, dsk=DSK), trusting)
    assert list(made) == [device]
    assert made.at(5) is None
    assert len(port.devices) == 1
    assert not port.gone


@pytest.mark.parametrize(
    ("reason", "words"),
    [(0, "excluded"), (2, "failed node"), (3, "replaced"), (5, "reset at the device"), (99, "removed")],
)
async def test_a_removal_is_passed_on_with_the_statement(reason: int, words: str) -> None:
    made, port, _ = roster()
    await made.meet(lock_node(2), trusting)
    device = await made.leave(NodeRemoved(2, reason))
    assert device is not None
    assert words in port.gone[ID]
    assert list(made) == []
    assert await made.leave(NodeRemoved(2, reason)) is None


async def test_a_new_description_is_announced() -> None:
    made, port, _ = roster()
    device = await made.meet(lock_node(2, classes={98: 2}), trusting)
    assert device is not None
    await made.describe(device)
    device.facts = device.facts.with_value(ValueId(113, 0, "Access Control", "Door state"), 22)
    await made.describe(device)
    lock = port.devices[ID].capabilities.lock
    assert lock is not None
    assert lock.reports_door
